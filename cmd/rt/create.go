package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"reflect"
	"time"

	"github.com/opencontainers/runtime-spec/specs-go"
	"github.com/urfave/cli/v2"

	"rt/libns"
	"rt/spec"
	"rt/state"
)

func (t *tool) createCommand() *cli.Command {
	return &cli.Command{
		Name:        "create",
		Usage:       "make a container whose program waits for start",
		ArgsUsage:   "[BUNDLE/] [ID]",
		Description: targetDescription,
		Flags: append(creationFlags(),
			boolFlag("detach", "no effect: create never waits", "d")),
		Action: t.create,
	}
}

func (t *tool) create(c *cli.Context) error {
	target, err := creationTarget(c, true)
	if err != nil {
		return err
	}
	return about("create", target.name(), t.createTarget(c, target))
}

func (t *tool) createTarget(c *cli.Context, target target) error {
	r, err := t.readCreation(c, target, true)
	if err != nil {
		return err
	}
	container, held, err := t.makeContainer(r)
	if err != nil {
		return err
	}
	container.Release()
	held.Unlock()
	// The container's stderr is this one: nothing but the log may be written to.
	t.log.warnings(r.warnings, false)
	return nil
}

// makeContainer claims an id and makes the container, which is recorded, and
// still locked, when it returns. On error nothing is left of it.
func (t *tool) makeContainer(r *creation) (*libns.NewContainer, *state.Held, error) {
	r.begin()
	defer r.request.End()
	claimed := t.trace.Span("claim the id", "")
	record, held, err := t.claim(r)
	r.record = record
	if err != nil {
		return nil, nil, err
	}
	claimed()
	t.log.debug("claimed %s", held.Dir())
	container, err := t.makeClaimed(r, record, held)
	if err != nil {
		return nil, nil, errors.Join(err, held.Forget())
	}
	t.log.debug("made container %s with process %d", record.ID, record.Init.PID)
	return container, held, nil
}

// makeClaimed makes the container whose id is claimed.
func (t *tool) makeClaimed(r *creation, record *state.Record, held *state.Held) (*libns.NewContainer, error) {
	r.request.Save = func(init libns.Init) error {
		var err error
		record.Init = state.Process(init)
		if record.Resources, err = recordedLimits(r.config); err != nil {
			return err
		}
		return held.Save(record)
	}
	if err := keepConfig(held, r.config); err != nil {
		return nil, err
	}
	container, err := r.make()
	if err != nil {
		failed := &libns.Container{ID: record.ID, Dir: held.Dir()}
		t.runPoststop(failed, &libns.Hooks{Config: r.config, Facts: r.request.Facts}, false)
		return nil, err
	}
	if err := held.Created(); err != nil {
		return nil, errors.Join(err, container.Destroy())
	}
	return container, nil
}

// claim takes the container's id or, if the caller named none, the first one
// made from the bundle's name that is free.
func (t *tool) claim(r *creation) (*state.Record, *state.Held, error) {
	for n := 1; ; n++ {
		id := r.id
		if id == "" {
			id = madeID(r.bundle, n)
		}
		record, held, err := t.claimID(r, id)
		if r.id != "" || !errors.Is(err, state.ErrExist) {
			return record, held, err
		}
	}
}

func (t *tool) claimID(r *creation, id string) (*state.Record, *state.Held, error) {
	if err := r.identify(id, t.store.Dir(id)); err != nil {
		return nil, nil, err
	}
	// Of an id that is taken, the claim has more to say.
	if _, err := os.Lstat(t.store.Dir(id)); err != nil {
		if err := libns.CheckCgroup(r.request.Cgroup); err != nil {
			return nil, nil, err
		}
	}
	var rdt json.RawMessage
	if !r.request.RDT.IsZero() {
		var err error
		if rdt, err = json.Marshal(r.request.RDT); err != nil {
			return nil, nil, err
		}
	}
	record := &state.Record{
		ID:            id,
		OCIVersion:    specs.Version,
		Bundle:        r.config.Bundle,
		Config:        r.configPath,
		Rootfs:        r.config.RootPath(),
		Created:       time.Now().UTC(),
		Annotations:   r.config.Annotations,
		Program:       r.config.Process.Args[0],
		SharedPID:     libns.SharedPID(r.config),
		LaterHooks:    hasLaterHooks(r.config),
		Cgroup:        encodeCgroup(r.request.Cgroup),
		RDT:           rdt,
		CgroupManager: t.cgroupManager,
		Rootless:      t.rootless,
	}
	held, err := t.store.Claim(record)
	return record, held, t.explainRoot(err)
}

// explainRoot says why an ordinary user has no place for the state of containers.
func (t *tool) explainRoot(err error) error {
	if errors.Is(err, os.ErrPermission) && !t.rootGiven && os.Geteuid() != 0 && os.Getenv("XDG_RUNTIME_DIR") == "" {
		return fmt.Errorf("%w; XDG_RUNTIME_DIR, below which ordinary users have the state of containers, is not set: set it, or use --root", err)
	}
	return err
}

// recordedLimits is linux.resources as it is remembered: without the devices,
// which no later command changes.
func recordedLimits(config *spec.Config) (json.RawMessage, error) {
	if config.Linux == nil || config.Linux.Resources == nil {
		return nil, nil
	}
	limits := *config.Linux.Resources
	limits.Devices = nil
	if reflect.ValueOf(limits).IsZero() {
		return nil, nil
	}
	return json.Marshal(limits)
}
