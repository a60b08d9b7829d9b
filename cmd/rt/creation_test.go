package main

import (
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

func TestPreservedDescriptorsMustExist(t *testing.T) {
	bundle := newBundle(t, "bundle")
	free := firstFree(t)
	rtIn(t.TempDir(), "run", "--preserve-fds", strconv.Itoa(free-3+1), bundle+"/", "web").
		wantCode(t, 1).wantStderr(t, "unable to stat preserved-fd ")
	rtIn(t.TempDir(), "create", "--preserve-fds", "-1", bundle+"/", "web").
		wantCode(t, 1).wantStderr(t, "must not be negative")
}

// A descriptor that rt, or Go's runtime, has opened is not one that was passed.
func TestOwnDescriptorsAreNotPassedOnes(t *testing.T) {
	own, err := os.Open("/dev/null")
	if err != nil {
		t.Fatal(err)
	}
	defer own.Close()
	if err := wasPassed(int(own.Fd())); !errors.Is(err, unix.EBADF) {
		t.Errorf("a descriptor that is closed on execution: %v", err)
	}
	passed, err := unix.Dup(int(own.Fd()))
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(passed)
	if err := wasPassed(passed); err != nil {
		t.Errorf("a descriptor that survives execution: %v", err)
	}
}

func TestListenDescriptors(t *testing.T) {
	me := strconv.Itoa(os.Getpid())
	for _, test := range []struct {
		pid, count string
		want       int
	}{
		{me, "2", 2}, {me, "0", 0}, {me, "-1", 0}, {me, "x", 0}, {me, "", 0}, {"1", "2", 0}, {"", "2", 0},
	} {
		t.Setenv("LISTEN_PID", test.pid)
		t.Setenv("LISTEN_FDS", test.count)
		if got := listenDescriptors(); got != test.want {
			t.Errorf("LISTEN_PID=%s LISTEN_FDS=%s: %d descriptors, want %d", test.pid, test.count, got, test.want)
		}
	}
}

func TestListenDescriptorsMustExist(t *testing.T) {
	t.Setenv("LISTEN_PID", strconv.Itoa(os.Getpid()))
	t.Setenv("LISTEN_FDS", strconv.Itoa(firstFree(t)-3+1))
	rtIn(t.TempDir(), "run", newBundle(t, "bundle")+"/", "web").wantCode(t, 1).wantStderr(t, "LISTEN_FDS is ")
}

// firstFree is a number that no descriptor has, nor any above it.
func firstFree(t *testing.T) int {
	t.Helper()
	entries, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	highest := 0
	for _, entry := range entries {
		if fd, err := strconv.Atoi(entry.Name()); err == nil {
			highest = max(highest, fd)
		}
	}
	return highest + 100
}

func TestARefusedCreateLeavesNothing(t *testing.T) {
	root := filepath.Join(t.TempDir(), "root")
	bundle := newBundle(t, "bundle")
	edit(t, bundle, `"ociVersion": "1`, `"ociVersion": "9`)
	for _, verb := range []string{"create", "run"} {
		rtIn(root, verb, "--bundle", bundle, "web").wantCode(t, 1).wantStderr(t, "rt: "+verb+" web: ")
	}
	rtIn(root, "create", "--bundle", newBundle(t, "terminal"), "web").
		wantCode(t, 1).wantStderr(t, "console")
	if _, err := os.Stat(root); err == nil {
		t.Error("a create that was refused made the state root")
	}
}

func TestSpec(t *testing.T) {
	directory := t.TempDir()
	rt("spec", "--bundle", directory).wantCode(t, 0).wantSilence(t)
	data, err := os.ReadFile(filepath.Join(directory, "config.json"))
	if err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(string(data), "{\n\t\"ociVersion\": \"1.") || !strings.HasSuffix(string(data), "}\n") {
		t.Errorf("config.json:\n%s", data)
	}
	rt("spec", "-b", directory).wantCode(t, 1).wantStderr(t, "File config.json exists. Remove it first")
	if again, err := os.ReadFile(filepath.Join(directory, "config.json")); err != nil || string(again) != string(data) {
		t.Errorf("an existing config.json was changed: %v", err)
	}
	t.Chdir(t.TempDir())
	rt("spec", "--rootless").wantCode(t, 0).wantSilence(t)
	if data, err := os.ReadFile("config.json"); err != nil || !strings.Contains(string(data), `"uidMappings"`) {
		t.Errorf("rootless config.json: %v\n%s", err, data)
	}
}
