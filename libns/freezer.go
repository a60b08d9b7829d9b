package libns

import (
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"time"

	"github.com/opencontainers/cgroups"
	cgroups1 "github.com/opencontainers/cgroups/fs"

	"rt/libns/plan"
)

// freezeDeadline is how long a cgroup may take to freeze: a process in an
// uninterruptible system call does not stop before it is done.
const freezeDeadline = 10 * time.Second

// frozen reports whether the container is paused.
func frozen(c plan.Cgroup) bool {
	if directory, ok := c.Controller("freezer"); ok {
		state, err := readSmallFile(filepath.Join(directory, "freezer.state"))
		return err == nil && strings.TrimSpace(string(state)) != "THAWED"
	}
	if c.Unified == "" {
		return false
	}
	events, err := readSmallFile(filepath.Join(c.Unified, "cgroup.events"))
	return err == nil && strings.Contains(string(events), "frozen 1")
}

// freeze stops every process of the container, and returns when they stand.
// One that cannot be stopped leaves all of them running.
func freeze(c plan.Cgroup) error {
	if directory, ok := c.Controller("freezer"); ok {
		return new(cgroups1.FreezerGroup).Set(directory, &cgroups.Resources{Freezer: cgroups.Frozen})
	}
	if c.Unified == "" {
		return errors.New("this host has neither cgroup v2 nor the freezer hierarchy of cgroup v1")
	}
	err := changeFrozen(c.Unified, "1")
	if err != nil {
		err = errors.Join(err, cgroups.WriteFile(c.Unified, "cgroup.freeze", "0"))
	}
	return err
}

// thaw lets a frozen cgroup run again, so that signals are delivered in it.
func thaw(c plan.Cgroup) error {
	if !frozen(c) {
		return nil
	}
	if directory, ok := c.Controller("freezer"); ok {
		return cgroups.WriteFile(directory, "freezer.state", string(cgroups.Thawed))
	}
	return changeFrozen(c.Unified, "0")
}

// changeFrozen freezes (1) or thaws (0) a cgroup of the unified hierarchy.
func changeFrozen(directory, to string) error {
	if err := cgroups.WriteFile(directory, "cgroup.freeze", to); err != nil {
		return err
	}
	done, err := waitForEvent(directory, "frozen "+to, time.Now().Add(freezeDeadline))
	if err == nil && !done {
		err = fmt.Errorf("%s: \"frozen %s\" was not reached within %v", directory, to, freezeDeadline)
	}
	return err
}

// ErrNotPaused is what a resume says that has nothing to do.
var ErrNotPaused = errors.New("container not paused")

// Pause stops all processes of a created or running container, and returns when
// they stand.
func (c *Container) Pause() error {
	switch c.Status() {
	case Created, Running:
		if c.Cgroup.IsZero() {
			return errNoCgroup
		}
		return freeze(c.Cgroup)
	default:
		return ErrNotRunning
	}
}

// Resume lets a paused container go on.
func (c *Container) Resume() error {
	if c.Status() != Paused {
		return ErrNotPaused
	}
	return thaw(c.Cgroup)
}
