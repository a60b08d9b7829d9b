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
	record.Bundle = bundle
	if err := held.Save(record); err != nil {
		t.Fatal(err)
	}
	config := &spec.Config{Spec: spec.Example(true), Bundle: bundle}
	config.Hooks = &specs.Hooks{Poststop: []specs.Hook{{Path: "/bin/sh", Args: []string{"sh", "-c", script}}}}
	if err := keepHooks(held, config); err != nil {
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

func TestConfigIsKeptOnlyForLaterHooks(t *testing.T) {
	held := claimed(t, t.TempDir(), "web")
	defer held.Unlock()
	config := &spec.Config{Spec: spec.Example(true)}
	for _, hooks := range []*specs.Hooks{nil, {}, {CreateRuntime: []specs.Hook{{Path: "/bin/true"}}}} {
		config.Hooks = hooks
		if err := keepHooks(held, config); err != nil {
			t.Fatal(err)
		}
		if _, err := os.Stat(filepath.Join(held.Dir(), keptConfig)); err == nil {
			t.Errorf("config kept for %+v", hooks)
		}
	}
}
