package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/opencontainers/runtime-spec/specs-go"

	"rt/spec"
	"rt/state"
)

// withPoststop makes a stopped container with a poststop hook: a shell command
// that runs in the bundle.
func withPoststop(t *testing.T, root, script string) (bundle string) {
	t.Helper()
	bundle = t.TempDir()
	held := claimed(t, root, "web")
	defer held.Unlock()
	record, err := held.Load()
	if err != nil {
		t.Fatal(err)
	}
	record.Bundle, record.LaterHooks = bundle, true
	if err := held.Save(record); err != nil {
		t.Fatal(err)
	}
	config := &spec.Config{Spec: spec.Example(true), Bundle: bundle}
	config.Hooks = &specs.Hooks{Poststop: []specs.Hook{{Path: "/bin/sh", Args: []string{"sh", "-c", script}}}}
	if err := keepConfig(held, config); err != nil {
		t.Fatal(err)
	}
	return bundle
}

func TestPoststopHooksRunAfterEverythingIsRemoved(t *testing.T) {
	root := t.TempDir()
	bundle := withPoststop(t, root, "cat >state; test -e "+root+"/web && echo too early >state")
	rtIn(root, "delete", "web").wantCode(t, 0).wantSilence(t)
	got, err := os.ReadFile(filepath.Join(bundle, "state"))
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(got), `"id":"web","status":"stopped"`) {
		t.Errorf("the hook wrote %s", got)
	}
}

func TestFailedPoststopHookIsAWarning(t *testing.T) {
	root := t.TempDir()
	withPoststop(t, root, "exit 7")
	log := filepath.Join(t.TempDir(), "log")
	rtIn(root, "--log", log, "--log-format=json", "delete", "web").wantCode(t, 0).wantSilence(t)
	entry := onlyEntry(t, log)
	if entry["level"] != "warning" || !strings.Contains(entry["msg"].(string), "error running poststop hook #0: exit status 7") {
		t.Errorf("log entry: %v", entry)
	}
	if _, err := state.Open(root).Load("web"); err == nil {
		t.Error("the container is still there")
	}
}

func TestDamagedHooksDoNotKeepAContainer(t *testing.T) {
	root := t.TempDir()
	withPoststop(t, root, "true")
	if err := os.WriteFile(filepath.Join(root, "web", keptConfig), []byte("{"), 0o600); err != nil {
		t.Fatal(err)
	}
	rtIn(root, "delete", "web").wantCode(t, 0).wantSilence(t)
}

func TestConfigIsReadAgainOnlyForLaterHooks(t *testing.T) {
	hook := []specs.Hook{{Path: "/bin/true"}}
	config := &spec.Config{Spec: spec.Example(true)}
	for _, hooks := range []*specs.Hooks{nil, {}, {CreateRuntime: hook, CreateContainer: hook}} {
		if config.Hooks = hooks; hasLaterHooks(config) {
			t.Errorf("later hooks among %+v", hooks)
		}
	}
	for _, hooks := range []*specs.Hooks{{StartContainer: hook}, {Poststart: hook}, {Poststop: hook}} {
		if config.Hooks = hooks; !hasLaterHooks(config) {
			t.Errorf("no later hooks among %+v", hooks)
		}
	}
}
