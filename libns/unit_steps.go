package libns

import (
	"errors"
	"fmt"
	"os"

	"github.com/opencontainers/cgroups"
	specs "github.com/opencontainers/runtime-spec/specs-go"

	"rt/libns/kernel"
	"rt/libns/plan"
)

// startUnit carries out the step of that name. What systemd did is believed only
// when the kernel says so too.
func (d *driver) startUnit(a plan.StartUnit) error {
	m, err := d.manager(a.Unit)
	if err != nil {
		return err
	}
	d.startedUnit = true
	if err := m.startUnit(a.Unit, a.Properties, d.child.pid); err != nil {
		return err
	}
	facts := d.request.Facts
	if a.Unit.Directory == "" || a.Unit.IsSlice() {
		return nil
	}
	if in := unifiedCgroupOf(d.child.pid, facts.Unified); in != a.Unit.Directory {
		return fmt.Errorf("systemd has put the container into cgroup %s, not %s", in, a.Unit.Directory)
	}
	if facts.Cgroup != kernel.CgroupUnified {
		return nil
	}
	return enableControllers(a.Unit.Directory, d.resources())
}

// manager is the connection to the systemd that a unit is of.
func (d *driver) manager(unit plan.Unit) (*Manager, error) {
	if d.request.Manager == nil {
		m, err := ConnectManager(unit.User)
		if err != nil {
			return nil, err
		}
		d.request.Manager = m
	}
	return d.request.Manager, nil
}

// setUnitProperties carries out the step of that name.
func (d *driver) setUnitProperties(a plan.SetUnitProperties) error {
	m, err := d.manager(a.Unit)
	if err != nil {
		return err
	}
	return m.setProperties(a.Unit, unitProperties(a.Properties))
}

// attachToUnit carries out the step of that name.
func (d *driver) attachToUnit(a plan.AttachToUnit) error {
	m, err := d.manager(a.Unit)
	if err != nil {
		return err
	}
	err = m.attach(a.Unit, a.Group, d.child.pid)
	if err != nil && a.OrGroup != "" && a.OrGroup != a.Group {
		return m.attach(a.Unit, a.OrGroup, d.child.pid)
	}
	return err
}

// enterCgroup2 makes a cgroup and moves a process there: only then may the
// cgroups above give it controllers, because they have no processes themselves
// (cgroups(7), "no internal processes").
func enterCgroup2(directory string, pid int, r *specs.LinuxResources) error {
	if err := os.MkdirAll(directory, 0o755); err != nil {
		return err
	}
	if err := cgroups.WriteCgroupProc(directory, pid); err != nil {
		return err
	}
	return enableControllers(directory, r)
}

// removeUnit has systemd remove a unit. Where there is no systemd any more there
// are no units: a user's may have ended with the session.
func removeUnit(unit plan.Unit) error {
	m, err := ConnectManager(unit.User)
	if errors.Is(err, ErrNoManager) {
		return nil
	}
	if err != nil {
		return err
	}
	defer m.Close()
	return m.stopUnit(unit)
}
