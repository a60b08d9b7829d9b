package main

import (
	"encoding/json"
	"time"

	"github.com/urfave/cli/v2"

	"rt/libns"
	"rt/state"
)

func (t *tool) stateCommand() *cli.Command {
	return &cli.Command{
		Name:      "state",
		Usage:     "print what a container is doing",
		ArgsUsage: "ID",
		Action:    forContainer(t.state),
	}
}

// containerState is the state of a container as callers read it: that of the
// OCI runtime specification (runtime.md, "State") and what runc adds to it.
type containerState struct {
	OCIVersion  string            `json:"ociVersion"`
	ID          string            `json:"id"`
	PID         int               `json:"pid"` // 0 when stopped
	Status      libns.Status      `json:"status"`
	Bundle      string            `json:"bundle"`
	Rootfs      string            `json:"rootfs"`
	Created     time.Time         `json:"created"`
	Annotations map[string]string `json:"annotations,omitempty"`
	Owner       string            `json:"owner"`
}

func newState(r *state.Record, status libns.Status) containerState {
	pid := r.Init.PID
	if status == libns.Stopped {
		pid = 0
	}
	return containerState{
		OCIVersion:  r.OCIVersion,
		ID:          r.ID,
		PID:         pid,
		Status:      status,
		Bundle:      r.Bundle,
		Rootfs:      r.Rootfs,
		Created:     r.Created,
		Annotations: r.Annotations,
	}
}

func (t *tool) state(_ *cli.Context, id string) error {
	creating := t.store.Creating(id)
	record, err := t.store.Load(id)
	if err != nil {
		return err
	}
	state, err := t.stateOf(record, creating)
	if err != nil {
		return err
	}
	data, err := json.MarshalIndent(state, "", "  ")
	if err != nil {
		return err
	}
	_, err = t.stdout.Write(data)
	return err
}
