package libns

import (
	"errors"
	"fmt"

	cgroups2 "github.com/opencontainers/cgroups/fs2"
	specs "github.com/opencontainers/runtime-spec/specs-go"

	"rt/libns/kernel"
	"rt/libns/plan"
	"rt/spec"
)

// unitChange is a change of the limits that systemd knows, which can be taken
// back. A nil one changes nothing.
type unitChange struct {
	manager *Manager
	cgroup  plan.Cgroup
	limits  *specs.LinuxResources
	to      []unitProperty
	before  []unitProperty
}

// newUnitChange finds out what has to be set for limits, and what that is now.
func newUnitChange(c plan.Cgroup, limits *specs.LinuxResources, facts kernel.Facts) (*unitChange, error) {
	m, err := ConnectManager(c.Unit.User)
	if err != nil {
		return nil, err
	}
	u := &unitChange{manager: m, cgroup: c, limits: limits}
	if err := u.prepare(facts); err != nil {
		m.Close()
		return nil, err
	}
	return u, nil
}

func (u *unitChange) prepare(facts kernel.Facts) (err error) {
	if facts.Systemd, err = u.manager.Facts(); err != nil {
		return err
	}
	properties, problems := plan.UnitLimits(u.limits, facts)
	if len(problems) > 0 {
		return spec.Problems(problems)
	}
	u.to = unitProperties(properties)
	state, err := u.manager.unitState(*u.cgroup.Unit)
	if err != nil {
		return err
	}
	for _, p := range u.to {
		if value, ok := state[p.Name]; ok {
			u.before = append(u.before, unitProperty{p.Name, value})
		}
	}
	return nil
}

// set has systemd change the limits. The check that memory.checkBeforeUpdate
// asks for has to come first: systemd does not know it.
func (u *unitChange) set() error {
	if u == nil {
		return nil
	}
	if u.cgroup.Unified != "" && len(u.cgroup.V1) == 0 {
		if err := cgroups2.CheckMemoryUsage(u.cgroup.Unified, convertResources(u.limits)); err != nil {
			return err
		}
	}
	return u.apply(u.to)
}

func (u *unitChange) restore() error {
	if u == nil {
		return nil
	}
	if err := u.apply(u.before); err != nil {
		return fmt.Errorf("restore the limits of %s: %w", u.cgroup.Unit.Name, err)
	}
	return nil
}

// apply sets properties. On cgroup v1 the container stands still meanwhile:
// systemd first forbids all devices and then allows some again.
func (u *unitChange) apply(list []unitProperty) (err error) {
	if len(list) == 0 {
		return nil
	}
	if len(u.cgroup.V1) > 0 && !frozen(u.cgroup) {
		if err := freeze(u.cgroup); err != nil {
			return err
		}
		defer func() { err = errors.Join(err, thaw(u.cgroup)) }()
	}
	return u.manager.setProperties(*u.cgroup.Unit, list)
}

func (u *unitChange) close() { u.manager.Close() }
