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
	if !detached && !c.Bool("no-subreaper") {
		if err := becomeSubreaper(); err != nil {
			return err
		}
	}
	container, held, err := t.makeContainer(r)
	if err != nil {
		return err
	}
	held.Unlock()
	t.log.warnings(r.warnings, true)
	if detached {
		return letGo(container)
	}
	return t.attend(container, c.Bool("keep"))
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

// attend stays with a container until its program ends, and deletes it.
func (t *tool) attend(container *libns.NewContainer, keep bool) error {
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
	if !keep {
		err = errors.Join(err, t.deleteEnded(container.Container))
	}
	if err == nil && code != 0 {
		return exitCode(code)
	}
	return err
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

// deleteEnded deletes the container of this run, unless somebody else has: then
// a container of that id is another one.
func (t *tool) deleteEnded(ended *libns.Container) error {
	defer t.trace.Span("delete the container", "")()
	held, err := t.store.Lock(ended.ID, state.Exclusive, state.Patience)
	if errors.Is(err, state.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	defer held.Unlock()
	record, container, err := t.load(held)
	if errors.Is(err, state.ErrNotExist) || err == nil && container.Init != ended.Init {
		return nil
	}
	if err != nil {
		return err
	}
	return t.destroy(held, record, container)
}
