package main

import (
	"errors"
	"fmt"

	"github.com/urfave/cli/v2"

	"rt/libns"
	"rt/state"
)

func (t *tool) deleteCommand() *cli.Command {
	return &cli.Command{
		Name:      "delete",
		Usage:     "remove what is left of a stopped container",
		ArgsUsage: "ID",
		Flags: []cli.Flag{
			boolFlag("force", "kill the container if it runs; it is no error if there is none", "f"),
		},
		Action: forContainer(t.delete),
	}
}

func (t *tool) delete(c *cli.Context, id string) error {
	force := c.Bool("force")
	held, err := t.store.Lock(id, state.Exclusive, state.Patience)
	if errors.Is(err, state.ErrNotExist) && force {
		return nil
	}
	if err != nil {
		return err
	}
	defer held.Unlock()
	record, container, err := t.load(held)
	if err != nil {
		return t.deleteRemains(held, err, force)
	}
	switch status := container.Status(); {
	case status == libns.Stopped:
		container.Init = libns.Init{} // need not be looked for again
	case !force && (status == libns.Running || status == libns.Paused):
		return fmt.Errorf("cannot delete container %s that is not stopped: %s", id, status)
	}
	return t.destroy(held, record, container, false)
}

// deleteRemains removes a directory whose record could not be loaded: always
// that of a create that died before it saved one, for which nothing else was
// done yet, and by force a damaged one too.
func (t *tool) deleteRemains(held *state.Held, reason error, force bool) error {
	if !errors.Is(reason, state.ErrNotExist) && !(force && errors.Is(reason, state.ErrDamaged)) {
		return reason
	}
	if err := held.Forget(); err != nil {
		return err
	}
	if force {
		return nil
	}
	return reason
}
