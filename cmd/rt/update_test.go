package main

import (
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestSizes(t *testing.T) {
	for text, want := range map[string]int64{
		"0": 0, "-1": -1, "1": 1, "4096": 4096, "10b": 10,
		"1k": 1 << 10, "1K": 1 << 10, "512KiB": 512 << 10, "50M": 50 << 20, "50mb": 50 << 20, "2G": 2 << 30, "3T": 3 << 40, "1p": 1 << 50,
		"9223372036854775807": math.MaxInt64,
	} {
		var got *int64
		if err := setSize(&got, text); err != nil || got == nil || *got != want {
			t.Errorf("%q: %v, %v, want %d", text, got, err, want)
		}
	}
	for _, text := range []string{"", " ", "M", "-2", "-1M", "1.5G", "10X", "1KK", "0x10", "9223372036854775808", "9223372036854775807K", "8192P"} {
		var got *int64
		if err := setSize(&got, text); err == nil {
			t.Errorf("%q: %d, want an error", text, *got)
		}
	}
}

// What is wrong with the flags is told without looking at the container.
func TestUpdateRefusesBadValues(t *testing.T) {
	root := t.TempDir()
	for _, test := range []struct{ flag, value, want string }{
		{"--cpu-idle", "x", "invalid value for cpu-idle: "},
		{"--cpu-share", "-1", "invalid value for cpu-share: "},
		{"--blkio-weight", "65536", "invalid value for blkio-weight: "},
		{"--memory", "many", "invalid value for memory: "},
		{"--pids-limit", "1.5", "invalid value for pids-limit: "},
		{"--l3-cache-schema", "MB:0=1", "invalid value for l3-cache-schema: "},
		{"--mem-bw-schema", "20", "invalid value for mem-bw-schema: "},
		{"--resources", "/nonexistent", "no such file or directory"},
	} {
		got := rtIn(root, "update", test.flag, test.value, "box").wantCode(t, 1).wantStderr(t, test.want)
		if strings.Contains(got.stderr, "container does not exist") {
			t.Errorf("%s: %s", test.flag, got.stderr)
		}
	}
	rtIn(root, "update", "--pids-limit", "1", "box").wantCode(t, 1).wantStderr(t, "container does not exist")
}

func TestUpdateRefusesWhatIsNoResources(t *testing.T) {
	file := filepath.Join(t.TempDir(), "resources.json")
	if err := os.WriteFile(file, []byte(`{"memory": {"limit": "50M"}}`), 0o644); err != nil {
		t.Fatal(err)
	}
	rtIn(t.TempDir(), "update", "-r", file, "box").wantCode(t, 1).wantStderr(t, file)
}

func TestCommandsNeedARunningContainer(t *testing.T) {
	root := t.TempDir()
	stopped(t, root, "box")
	for command, want := range map[string]string{
		"pause":   "container not running",
		"resume":  "container not paused",
		"update":  "container not running",
		"events":  "container with id box is not running",
		"unknown": "No help topic for 'unknown'",
	} {
		rtIn(root, command, "box").wantCode(t, 1).wantStderr(t, want)
	}
	rtIn(root, "events", "--interval", "0s", "box").wantCode(t, 1).wantStderr(t, "duration interval must be greater than 0")
	rtIn(root, "ps", "--format", "json", "box").wantCode(t, 0).wantStdout(t, "[]\n")
}
