package main

import (
	"errors"
	"os"

	"github.com/urfave/cli/v2"
	"golang.org/x/sys/unix"

	"rt/libns"
	"rt/state"
)

func (t *tool) runCommand() *cli.Command {
	return &cli.Command{
		Name:        "run",
		Usage:       "make a container, execute its program and wait for it",
		ArgsUsage:   "[BUNDLE/] [ID]",
		Description: targetDescription + "\nThe exit code is the program's, or 128 and the signal that ended it.",
		Flags: append(creationFlags(),
			boolFlag("detach", "return once the program is executed", "d"),
			boolFlag("keep", "do not delete the container when it has ended")),
		Action: t.runContainer,
	}
}

func (t *tool) runContainer(c *cli.Context) error {
	target, err := creationTarget(c, false)
	if err != nil {
		return err
	}
	return about("run", target.name(), t.runTarget(c, target))
}

func (t *tool) runTarget(c *cli.Context, target target) error {
	detached := c.Bool("detach")
	r, err := t.readCreation(c, target, detached)
	if err != nil {
		return err
	}
	return t.runCreation(c, r, detached)
}

// runCreation makes the container and, unless it is detached, stays with it to
// its end.
func (t *tool) runCreation(c *cli.Context, r *creation, detached bool) error {
	if !detached && !c.Bool("no-subreaper") {
		if err := becomeSubreaper(); err != nil {
			return err
		}
	}
	container, held, err := t.makeContainer(r)
	if err != nil {
		return err
	}
	t.log.warnings(r.warnings, true)
	defer held.Unlock()
	if err := held.Lend(); err != nil {
		return err
	}
	if detached {
		return letGo(container)
	}
	giveMemoryBack(r.config)
	code, err := t.attend(container)
	if !container.Executed() {
		t.log.failure(about("run", r.request.ID, errUnexecuted))
	}
	if !c.Bool("keep") {
		err = errors.Join(err, t.deleteEnded(held, r.record, container.Container))
	}
	if err == nil && code != 0 {
		return exitCode(code)
	}
	return err
}

// becomeSubreaper makes this process the parent of orphans in the container
// that have no init of their own to reap them (PR_SET_CHILD_SUBREAPER).
func becomeSubreaper() error {
	return os.NewSyscallError("prctl", unix.Prctl(unix.PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0))
}

// letGo leaves a running container to itself, once it is ready if the caller
// wants to know that.
func letGo(container *libns.NewContainer) error {
	defer container.Release()
	return relayReadiness(container)
}

// attend stays with a container until its program ends, and gives its exit code.
func (t *tool) attend(container *libns.NewContainer) (int, error) {
	relayed := make(chan error, 1)
	go func() { relayed <- relayReadiness(container) }()
	ended := t.trace.Span("wait for the program", "process.args")
	code, err := container.Wait()
	ended()
	select {
	case relayErr := <-relayed:
		err = errors.Join(err, relayErr)
	default: // the program ended without a word
	}
	return code, err
}

// relayReadiness passes on what the program says through sd_notify(3), if there
// is somebody to pass it on to.
func relayReadiness(container *libns.NewContainer) error {
	socket := container.Notify()
	if socket == nil {
		return nil
	}
	defer socket.Close()
	return socket.Relay(container.Container, os.Getenv("NOTIFY_SOCKET"))
}

// deleteEnded deletes the container of this run, unless somebody else has.
func (t *tool) deleteEnded(held *state.Held, record *state.Record, container *libns.Container) error {
	defer t.trace.Span("delete the container", "")()
	err := held.Again(state.Patience)
	if errors.Is(err, state.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	return t.destroy(held, record, container, true)
}
