package libns

import (
	"errors"
	"fmt"
	"time"

	"golang.org/x/sys/unix"

	"rt/libns/plan"
)

// Container is what is needed to act on a container that exists.
type Container struct {
	ID        string
	Dir       string      // its state directory
	Init      Init        // zero while it is being created
	Cgroup    plan.Cgroup // where its processes are
	RDT       plan.RDT    // where they are in resctrl
	SharedPID bool        // its pid namespace is not its own: init's end is not everybody's
	Program   string      // process.args[0], for the error of a start
}

// Status is the state of a container (runtime.md, "State").
type Status string

const (
	Creating Status = "creating"
	Created  Status = "created"
	Running  Status = "running"
	Paused   Status = "paused"
	Stopped  Status = "stopped"
)

// ErrNotRunning is what commands say that need a running container. Callers
// look for these words.
var ErrNotRunning = errors.New("container not running")

// killDeadline is how long Destroy waits for killed processes to be gone.
const killDeadline = 10 * time.Second

// Status asks the kernel: is the process there, is its cgroup frozen, does the
// init stage still hold the gate?
func (c *Container) Status() Status {
	if !c.Init.Alive() {
		return Stopped
	}
	return c.statusAlive()
}

// statusAlive is the status of a container whose process is there.
func (c *Container) statusAlive() Status {
	switch {
	case frozen(c.Cgroup):
		return Paused
	case gateHeld(c.Dir):
		return Created
	default:
		return Running
	}
}

// Kill sends a signal to the container's first process; with all, to every
// process in its cgroup or, if it has none, in its namespace. SIGKILL also goes to all of them where the pid
// namespace is shared, because then nothing else ends the others. It is not
// an error to kill all of a stopped container.
func (c *Container) Kill(sig unix.Signal, all bool) error {
	everybody := all || c.SharedPID && sig == unix.SIGKILL
	if everybody && !c.Cgroup.IsZero() {
		return signalCgroup(c.Cgroup, sig)
	}
	if everybody {
		if m := c.members(); m != nil {
			defer m.close()
			return m.signalAll(sig)
		}
	}
	status := c.Status()
	switch {
	case status == Stopped && all:
		return nil
	case status == Stopped:
		return ErrNotRunning
	}
	if err := c.Init.signal(sig); err != nil {
		return fmt.Errorf("unable to signal init: %w", err)
	}
	if sig == unix.SIGKILL && status == Paused {
		return thaw(c.Cgroup)
	}
	return nil
}

// Destroy ends what is left of the container, waits until it is gone and
// removes its cgroup. It may be repeated, and works on what a killed create
// left behind.
func (c *Container) Destroy() error {
	deadline := time.Now().Add(killDeadline)
	var left *members
	if c.SharedPID { // those in a pid namespace end with its first process
		left = c.members()
		defer left.close()
	}
	switch err := c.Init.signal(unix.SIGKILL); {
	case err == nil:
		// A frozen process does not die before it is thawed on cgroup v1.
		if err := thaw(c.Cgroup); err != nil {
			return err
		}
		if err := c.Init.waitGone(deadline); err != nil {
			return err
		}
	case !errors.Is(err, errGone):
		return err
	}
	if left != nil {
		if err := left.kill(deadline); err != nil {
			return err
		}
	}
	return errors.Join(removeCgroup(c.Cgroup, deadline), removeRDT(c.RDT))
}
