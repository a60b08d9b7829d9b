package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// twoProblems is a bundle with two mistakes.
func twoProblems(t *testing.T) string {
	bundle := newBundle(t, "bundle")
	edit(t, bundle, `"cwd": "/"`, `"cwd": "x"`, `"destination": "/proc"`, `"destination": "proc"`)
	return bundle
}

func TestAFailureIsToldTwice(t *testing.T) {
	log := filepath.Join(t.TempDir(), "log")
	got := rtIn(t.TempDir(), "--log", log, "--log-format", "json", "state", "web").wantCode(t, 1)
	if got.stderr != "rt: state web: container does not exist\n" {
		t.Errorf("stderr: %q", got.stderr)
	}
	entry := onlyEntry(t, log)
	if entry["level"] != "error" || entry["msg"] != "state web: container does not exist" || len(entry) != 3 {
		t.Errorf("log entry: %v", entry)
	}
	if _, err := time.Parse(time.RFC3339, entry["time"].(string)); err != nil {
		t.Error(err)
	}
}

// Engines read a log of exactly one entry, and stderr with one read.
func TestSeveralProblemsAreOneMessage(t *testing.T) {
	log := filepath.Join(t.TempDir(), "log")
	got := rtIn(t.TempDir(), "--log", log, "--log-format", "json", "run", "-b", twoProblems(t), "web").wantCode(t, 1)
	lines := strings.Split(got.stderr, "\n")
	if len(lines) != 4 || lines[0] != "rt: run web: config.json has 2 problems:" || got.writes != 1 {
		t.Errorf("stderr, in %d writes:\n%s", got.writes, got.stderr)
	}
	message := onlyEntry(t, log)["msg"].(string)
	for _, line := range lines[1:3] {
		if !strings.HasPrefix(line, "config.json:") || !strings.Contains(message, line) {
			t.Errorf("problem %q is not in the log: %s", line, message)
		}
	}
}

func onlyEntry(t *testing.T, path string) map[string]any {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var entry map[string]any
	if err := json.Unmarshal(data, &entry); err != nil {
		t.Fatalf("log is not one JSON object: %v\n%s", err, data)
	}
	return entry
}

func TestLogIsAppendedTo(t *testing.T) {
	log := filepath.Join(t.TempDir(), "log")
	for range 2 {
		rtIn(t.TempDir(), "--log", log, "state", "web").wantCode(t, 1)
	}
	data, err := os.ReadFile(log)
	if err != nil {
		t.Fatal(err)
	}
	if lines := strings.Split(string(data), "\n"); len(lines) != 3 || !strings.Contains(lines[1], `level=error msg="state web: container does not exist"`) {
		t.Errorf("log:\n%s", data)
	}
	info, err := os.Stat(log)
	if err != nil {
		t.Fatal(err)
	}
	if info.Mode() != 0o644 {
		t.Errorf("mode of the log: %v", info.Mode())
	}
}

func TestSuccessLeavesTheLogEmpty(t *testing.T) {
	log := filepath.Join(t.TempDir(), "log")
	rtIn(t.TempDir(), "--log", log, "delete", "--force", "web").wantCode(t, 0).wantSilence(t)
	if data, err := os.ReadFile(log); err != nil || len(data) != 0 {
		t.Errorf("log: %q, %v", data, err)
	}
}

func TestWithoutLogAFailureIsToldOnce(t *testing.T) {
	for _, test := range []struct{ option, want string }{
		{"--log=", "rt: state web: container does not exist\n"},
		{"--log-format=json", `{"level":"error","msg":"state web: container does not exist","time":"`},
		{"--log-format=text", `level=error msg="state web: container does not exist"`},
		{"--debug", `file=`},
	} {
		got := rtIn(t.TempDir(), test.option, "state", "web").wantCode(t, 1).wantStderr(t, test.want)
		if strings.Count(got.stderr, "\n") != 1 {
			t.Errorf("%s: stderr:\n%s", test.option, got.stderr)
		}
	}
}

func TestDebugSaysWhereInTheCode(t *testing.T) {
	log := filepath.Join(t.TempDir(), "log")
	rtIn(t.TempDir(), "--log", log, "--log-format", "json", "--debug", "state", "web").wantCode(t, 1)
	entry := onlyEntry(t, log)
	if entry["func"] != "rt/cmd/rt.(*tool).run" || !strings.Contains(entry["file"].(string), "cmd/rt/main.go:") {
		t.Errorf("entry: %v", entry)
	}
}
