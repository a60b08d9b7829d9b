package main

import (
	"maps"
	"slices"
	"strconv"
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
	printed, err := t.stateOf(record, creating)
	if err != nil {
		return err
	}
	_, err = t.stdout.Write(printed.indented())
	return err
}

// indented is the state as encoding/json writes it on several lines, without the
// time that its reflection takes.
func (c containerState) indented() []byte {
	b := make([]byte, 0, 512)
	b = append(b, '{')
	b = appendLine(b, 1, "ociVersion", c.OCIVersion)
	b = appendLine(b, 1, "id", c.ID)
	b = append(appendLineKey(b, 1, "pid"), strconv.Itoa(c.PID)...)
	b = appendLine(b, 1, "status", string(c.Status))
	b = appendLine(b, 1, "bundle", c.Bundle)
	b = appendLine(b, 1, "rootfs", c.Rootfs)
	b = appendLine(b, 1, "created", c.Created.Format(time.RFC3339Nano))
	if len(c.Annotations) > 0 {
		b = append(appendLineKey(b, 1, "annotations"), '{')
		for _, name := range slices.Sorted(maps.Keys(c.Annotations)) {
			b = appendLine(b, 2, name, c.Annotations[name])
		}
		b = append(b, "\n  }"...)
	}
	b = appendLine(b, 1, "owner", c.Owner)
	return append(b, "\n}"...)
}

func appendLine(b []byte, depth int, key, value string) []byte {
	return state.AppendText(appendLineKey(b, depth, key), value)
}

func appendLineKey(b []byte, depth int, key string) []byte {
	b = append(separated(b), '\n')
	for range depth {
		b = append(b, "  "...)
	}
	return append(state.AppendText(b, key), ": "...)
}
