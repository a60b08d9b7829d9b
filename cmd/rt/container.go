package main

import (
	"encoding/json"
	"fmt"

	"github.com/urfave/cli/v2"

	"rt/libns"
	"rt/spec"
	"rt/state"
)

// about puts the command and the container in front of an error.
func about(command, id string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%s %s: %w", command, id, err)
}

// forContainer makes an action of a function whose command has one argument:
// the id of a container.
func forContainer(action func(c *cli.Context, id string) error) cli.ActionFunc {
	return func(c *cli.Context) error {
		if err := exactly(c, 1); err != nil {
			return err
		}
		return onContainer(c, action)
	}
}

// onContainer calls a function with the id that is the command's first argument.
func onContainer(c *cli.Context, action func(c *cli.Context, id string) error) error {
	id := c.Args().First()
	if err := spec.ValidID(id); err != nil {
		return err
	}
	return about(c.Command.Name, id, action(c, id))
}

// container is what a record says about a container that exists.
func (t *tool) container(r *state.Record) (*libns.Container, error) {
	container := &libns.Container{
		ID:        r.ID,
		Dir:       t.store.Dir(r.ID),
		Init:      libns.Init(r.Init),
		SharedPID: r.SharedPID,
		Program:   r.Program,
	}
	var err error
	if container.Cgroup, err = decodeCgroup(r.Cgroup); err != nil {
		return nil, fmt.Errorf("%w: cgroup: %w", state.ErrDamaged, err)
	}
	if len(r.RDT) > 0 {
		if err := json.Unmarshal(r.RDT, &container.RDT); err != nil {
			return nil, fmt.Errorf("%w: rdt: %w", state.ErrDamaged, err)
		}
	}
	return container, nil
}

// load reads the record of a container that is locked.
func (t *tool) load(held *state.Held) (*state.Record, *libns.Container, error) {
	record, err := held.Load()
	if err != nil {
		return nil, nil, err
	}
	container, err := t.container(record)
	return record, container, err
}

// locked does something to a container while no other command changes it.
func (t *tool) locked(id string, action func(*libns.Container) error) error {
	return t.holding(id, func(_ *state.Held, _ *state.Record, c *libns.Container) error { return action(c) })
}

// holding is locked for those who need what is recorded, or give the lock back
// before they end.
func (t *tool) holding(id string, action func(*state.Held, *state.Record, *libns.Container) error) error {
	held, err := t.store.Lock(id, state.Exclusive, state.Patience)
	if err != nil {
		return err
	}
	defer held.Unlock()
	record, container, err := t.load(held)
	if err != nil {
		return err
	}
	return action(held, record, container)
}

// stateOf computes the state of a container whose record was loaded.
func (t *tool) stateOf(r *state.Record, creating bool) (containerState, error) {
	container, err := t.container(r)
	if err != nil {
		return containerState{}, err
	}
	status := libns.Creating
	if !creating {
		status = container.Status()
	}
	return newState(r, status), nil
}
