package main

import (
	"encoding/json"
	"os"

	"rt/libns"
	"rt/libns/kernel"
	"rt/libns/plan"
	"rt/spec"
	"rt/state"
)

// keptConfig is the name, in the container's state directory, of the copy of
// the configuration that later commands use: what becomes of the bundle after
// create must not change the container (OCI runtime specification, runtime.md,
// "Create").
const keptConfig = "config.json"

// keepConfig keeps the configuration for later hooks, and for exec.
func keepConfig(held *state.Held, config *spec.Config) error {
	data := config.Text()
	if data == nil || os.Getenv(receiverVariable) != "" {
		// Part of it is from elsewhere.
		var err error
		if data, err = json.Marshal(config.Spec); err != nil {
			return err
		}
	}
	return held.Keep(keptConfig, data)
}

// hasLaterHooks says that there are hooks that run after create.
func hasLaterHooks(config *spec.Config) bool {
	hooks := config.Hooks
	return hooks != nil && len(hooks.StartContainer)+len(hooks.Poststart)+len(hooks.Poststop) > 0
}

// configOf is the configuration that a container was created from.
func (t *tool) configOf(r *state.Record) (*spec.Config, error) {
	config, err := spec.Load(t.store.Dir(r.ID), keptConfig)
	if err != nil {
		return nil, err
	}
	config.Bundle = r.Bundle
	useSeccompReceiver(config)
	return config, nil
}

// hooksOf gives the hooks of a container that was created by another command,
// nil if it has none.
func (t *tool) hooksOf(r *state.Record) (*libns.Hooks, error) {
	if !r.LaterHooks {
		return nil, nil
	}
	config, err := t.configOf(r)
	if err != nil {
		return nil, err
	}
	facts, err := kernel.Probe()
	if err != nil {
		return nil, err
	}
	return &libns.Hooks{Config: config, Facts: facts}, nil
}

// startHooks gives what hooksOf does, with the filter that startContainer hooks
// run under.
func (t *tool) startHooks(r *state.Record) (*libns.Hooks, error) {
	hooks, err := t.hooksOf(r)
	if err != nil || hooks == nil || len(plan.StartContainer.Of(hooks.Config.Hooks)) == 0 {
		return hooks, err
	}
	hooks.Filter, err = t.filter(hooks.Config, hooks.Facts)
	return hooks, err
}

// destroy ends what is left of a container, forgets it, and runs its poststop
// hooks. Those cannot fail the command any more: there is nothing that could be
// done again. A command that people wait for is loud about it; engines expect no
// word of the others.
func (t *tool) destroy(held *state.Held, record *state.Record, container *libns.Container, loud bool) error {
	hooks, err := t.hooksOf(record)
	if err != nil {
		t.log.warning("poststop hooks: "+err.Error(), false)
	}
	if err := container.Destroy(); err != nil {
		return err
	}
	if err := held.Forget(); err != nil {
		return err
	}
	t.runPoststop(container, hooks, loud)
	return nil
}

// runPoststop warns of a hook that fails. Of a container that could not be made
// there is more important news for stderr, of which some callers read one line.
func (t *tool) runPoststop(container *libns.Container, hooks *libns.Hooks, loud bool) {
	if hooks == nil {
		return
	}
	if err := container.RunHooks(plan.Poststop, hooks); err != nil {
		t.log.warning(err.Error(), loud)
	}
}
