package main

import (
	"encoding/json"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"rt/libns"
	"rt/state"
)

// These tests know containers that have stopped from their records alone: what
// the commands say about them takes neither root nor a container.

func stopped(t *testing.T, root, id string) {
	t.Helper()
	held := claimed(t, root, id)
	if err := held.Created(); err != nil {
		t.Fatal(err)
	}
	held.Unlock()
}

func claimed(t *testing.T, root, id string) *state.Held {
	t.Helper()
	held, err := state.Open(root).Claim(&state.Record{
		ID:          id,
		OCIVersion:  "1.3.0",
		Bundle:      "/bundles/" + id,
		Rootfs:      "/bundles/" + id + "/rootfs",
		Created:     time.Date(2026, 11, 23, 13, 4, 5, 678900000, time.UTC),
		Annotations: map[string]string{"org.example.note": "a < b"},
		Init:        state.Process{PID: os.Getpid(), StartTime: 1}, // the pid of another process now
		Program:     "sh",
		Cgroup:      json.RawMessage(`{}`),
	})
	if err != nil {
		t.Fatal(err)
	}
	return held
}

func TestState(t *testing.T) {
	root := t.TempDir()
	stopped(t, root, "web")
	got := rtIn(root, "state", "web").wantCode(t, 0)
	want := `{
  "ociVersion": "1.3.0",
  "id": "web",
  "pid": 0,
  "status": "stopped",
  "bundle": "/bundles/web",
  "rootfs": "/bundles/web/rootfs",
  "created": "2026-11-23T13:04:05.6789Z",
  "annotations": {
    "org.example.note": "a \u003c b"
  },
  "owner": ""
}`
	if got.stdout != want || got.stderr != "" {
		t.Errorf("state prints\n%s\nstderr: %s", got.stdout, got.stderr)
	}
}

func TestStateWhileCreating(t *testing.T) {
	root := t.TempDir()
	held := claimed(t, root, "web")
	rtIn(root, "state", "web").wantCode(t, 0).wantStdout(t, `"status": "creating"`)
	held.Unlock() // as by its death
	rtIn(root, "state", "web").wantCode(t, 0).wantStdout(t, `"status": "stopped"`)
}

func TestStartOfAStoppedContainer(t *testing.T) {
	root := t.TempDir()
	stopped(t, root, "web")
	rtIn(root, "start", "web").wantCode(t, 1).wantStderr(t, "rt: start web: cannot start a container that has stopped\n")
}

func TestKillOfAStoppedContainer(t *testing.T) {
	root := t.TempDir()
	stopped(t, root, "web")
	rtIn(root, "kill", "web", "KILL").wantCode(t, 1).wantStderr(t, "rt: kill web: container not running\n")
	rtIn(root, "kill", "--all", "web", "9").wantCode(t, 0).wantSilence(t)
	rtIn(root, "kill", "--all", "db", "9").wantCode(t, 1).wantStderr(t, "rt: kill db: container does not exist\n")
}

func TestDelete(t *testing.T) {
	for _, test := range []struct {
		name   string
		make   func(t *testing.T, root string)
		args   string
		code   int
		stderr string
		left   bool
	}{
		{"stopped", func(t *testing.T, root string) { stopped(t, root, "web") }, "delete web", 0, "", false},
		{"stopped, by force", func(t *testing.T, root string) { stopped(t, root, "web") }, "delete web --force", 0, "", false},
		{"unknown", nothing, "delete web", 1, "rt: delete web: container does not exist\n", false},
		{"unknown, by force", nothing, "delete -f web", 0, "", false},
		{"died while creating", func(t *testing.T, root string) { claimed(t, root, "web").Unlock() }, "delete web", 0, "", false},
		{"half-made", halfMade, "delete web", 1, "rt: delete web: container does not exist\n", false},
		{"half-made, by force", halfMade, "delete --force web", 0, "", false},
		{"damaged", record("{"), "delete web", 1, "damaged state of container web", true},
		{"damaged, by force", record("{"), "delete --force web", 0, "", false},
		{"of a newer rt, by force", record(`{"version":99,"id":"web"}`), "delete --force web", 1, "written by a newer rt", true},
	} {
		t.Run(test.name, func(t *testing.T) {
			root := t.TempDir()
			test.make(t, root)
			got := rtIn(root, strings.Fields(test.args)...).wantCode(t, test.code).wantStderr(t, test.stderr)
			if test.code == 0 {
				got.wantSilence(t)
			}
			if _, err := os.Stat(filepath.Join(root, "web")); (err == nil) != test.left {
				t.Errorf("state directory afterwards: %v", err)
			}
		})
	}
}

func nothing(*testing.T, string) {}

func halfMade(t *testing.T, root string) {
	if err := os.Mkdir(filepath.Join(root, "web"), 0o711); err != nil {
		t.Fatal(err)
	}
}

// record makes a container with that text as its record.
func record(text string) func(*testing.T, string) {
	return func(t *testing.T, root string) {
		stopped(t, root, "web")
		if err := os.WriteFile(filepath.Join(root, "web", "state.json"), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

func TestList(t *testing.T) {
	root := t.TempDir()
	stopped(t, root, "web")
	stopped(t, root, "db")
	record("{")(t, filepath.Join(root, "elsewhere"))
	if err := os.Rename(filepath.Join(root, "elsewhere", "web"), filepath.Join(root, "lost")); err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(filepath.Join(root, "elsewhere")); err != nil {
		t.Fatal(err)
	}
	owner := userName(uint32(os.Geteuid()))
	const lost = "load container lost: damaged state of container lost: unexpected end of JSON input\n"

	ids := rtIn(root, "list", "-q").wantCode(t, 0)
	if ids.stdout != "db\nweb\n" || ids.stderr != lost {
		t.Errorf("ids: %q, stderr %q", ids.stdout, ids.stderr)
	}
	table := rtIn(root, "list").wantCode(t, 0)
	want := "" +
		"ID          PID         STATUS      BUNDLE         CREATED                     OWNER\n" +
		"db          0           stopped     /bundles/db    2026-11-23T13:04:05.6789Z   " + owner + "\n" +
		"web         0           stopped     /bundles/web   2026-11-23T13:04:05.6789Z   " + owner + "\n"
	if table.stdout != want || table.stderr != lost {
		t.Errorf("table:\n%sstderr: %s", table.stdout, table.stderr)
	}
	array := rtIn(root, "list", "--format=json").wantCode(t, 0)
	var containers []map[string]any
	if err := json.Unmarshal([]byte(array.stdout), &containers); err != nil {
		t.Fatal(err)
	}
	if len(containers) != 2 || containers[0]["id"] != "db" || containers[1]["id"] != "web" || containers[1]["owner"] != owner {
		t.Errorf("JSON: %s", array.stdout)
	}
	if strings.Count(array.stdout, "\n") != 1 {
		t.Errorf("JSON is not one line: %s", array.stdout)
	}
}

func TestListOfNothing(t *testing.T) {
	root := t.TempDir()
	if got := rtIn(root, "list", "-f", "json").wantCode(t, 0); got.stdout != "null\n" {
		t.Errorf("JSON: %q", got.stdout)
	}
	if got := rtIn(root, "list").wantCode(t, 0); got.stdout != "ID          PID         STATUS      BUNDLE      CREATED     OWNER\n" {
		t.Errorf("table: %q", got.stdout)
	}
	rtIn(filepath.Join(root, "none"), "list").wantCode(t, 1).wantStderr(t, "no such file or directory")
}

// While a run waits, its container can be deleted and the id be given to another.
func TestRunDeletesNoContainerButItsOwn(t *testing.T) {
	root := t.TempDir()
	waiting := newTool(io.Discard, io.Discard)
	waiting.store = state.Open(root)
	stopped(t, root, "web")
	own, err := waiting.store.Load("web")
	if err != nil {
		t.Fatal(err)
	}
	held, err := waiting.store.Lock("web", state.Exclusive, state.Patience)
	if err != nil {
		t.Fatal(err)
	}
	defer held.Unlock()
	if err := held.Lend(); err != nil {
		t.Fatal(err)
	}
	container := &libns.Container{ID: "web", Dir: waiting.store.Dir("web")}

	rtIn(root, "delete", "web").wantCode(t, 0)
	stopped(t, root, "web")
	if err := waiting.deleteEnded(held, own, container); err != nil {
		t.Error(err)
	}
	another, err := waiting.store.Lock("web", state.Exclusive, state.Patience)
	if err != nil {
		t.Fatalf("another container of the same id: %v", err)
	}
	defer another.Unlock()
	if err := another.Lend(); err != nil {
		t.Fatal(err)
	}
	if err := waiting.deleteEnded(another, own, container); err != nil {
		t.Error(err)
	}
	if _, err := waiting.store.Load("web"); !errors.Is(err, state.ErrNotExist) {
		t.Errorf("the run's own container: %v", err)
	}
}
