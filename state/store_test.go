package state

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

func TestClaimSaveLoadForget(t *testing.T) {
	store := Open(filepath.Join(t.TempDir(), "run", "rt"))
	want := fullRecord()
	held, err := store.Claim(want)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := store.Load("web"); err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("after Claim: %+v, %v", got, err)
	}
	want.Init.PID = 1
	if err := held.Save(want); err != nil {
		t.Fatal(err)
	}
	if got, err := held.Load(); err != nil || got.Init.PID != 1 {
		t.Errorf("after Save: %+v, %v", got, err)
	}
	if err := held.Forget(); err != nil {
		t.Fatal(err)
	}
	if _, err := store.Load("web"); !errors.Is(err, ErrNotExist) {
		t.Errorf("after Forget: %v", err)
	}
}

func TestModesDoNotDependOnTheUmask(t *testing.T) {
	old := unix.Umask(0o077)
	defer unix.Umask(old)
	root := filepath.Join(t.TempDir(), "root")
	held, err := Open(root).Claim(&Record{ID: "web"})
	if err != nil {
		t.Fatal(err)
	}
	defer held.Unlock()
	wantMode(t, root, fs.ModeDir|fs.ModeSticky|0o700)
	wantMode(t, filepath.Join(root, "web"), fs.ModeDir|0o711)
	wantMode(t, filepath.Join(root, "web", recordFile), 0o600)
}

func TestExistingRootIsLeftAlone(t *testing.T) {
	root := t.TempDir()
	if err := os.Chmod(root, 0o755); err != nil {
		t.Fatal(err)
	}
	held, err := Open(root).Claim(&Record{ID: "web"})
	if err != nil {
		t.Fatal(err)
	}
	defer held.Unlock()
	wantMode(t, root, fs.ModeDir|0o755)
}

func wantMode(t *testing.T, path string, want fs.FileMode) {
	t.Helper()
	info, err := os.Lstat(path)
	if err != nil {
		t.Fatal(err)
	}
	if info.Mode() != want {
		t.Errorf("%s has mode %v, want %v", path, info.Mode(), want)
	}
}

func TestNothingOutsideTheRootIsTouched(t *testing.T) {
	outside := t.TempDir()
	root := filepath.Join(outside, "root")
	if err := os.Mkdir(root, 0o700); err != nil {
		t.Fatal(err)
	}
	store := Open(root)
	for _, id := range []string{"", ".", "..", "...", "a/b", "../web", "/", "/web", "web/", "a\x00b"} {
		if _, err := store.Claim(&Record{ID: id}); err == nil || errors.Is(err, ErrExist) {
			t.Errorf("claim of %q: %v", id, err)
		}
		if _, err := store.Lock(id, Exclusive, 0); err == nil || errors.Is(err, ErrNotExist) {
			t.Errorf("lock of %q: %v", id, err)
		}
		if _, err := store.Load(id); err == nil || errors.Is(err, ErrNotExist) {
			t.Errorf("load of %q: %v", id, err)
		}
	}
	found, err := os.ReadDir(outside)
	if err != nil || len(found) != 1 {
		t.Errorf("beside the root: %v, %v", found, err)
	}
	if found, err := os.ReadDir(root); err != nil || len(found) != 0 {
		t.Errorf("in the root: %v, %v", found, err)
	}
}

func TestSymbolicLinksAreNotFollowed(t *testing.T) {
	store, held := claim(t, "web")
	outside := t.TempDir()
	precious := filepath.Join(outside, "precious")
	if err := os.WriteFile(precious, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(outside, store.Dir("link")); err != nil {
		t.Fatal(err)
	}
	if _, err := store.Lock("link", Exclusive, 0); err == nil {
		t.Error("a symbolic link was locked as a container's directory")
	}
	if err := os.Symlink(outside, filepath.Join(held.Dir(), "notify")); err != nil {
		t.Fatal(err)
	}
	if err := held.Forget(); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(precious); err != nil {
		t.Errorf("what a link led to: %v", err)
	}
}

// What a create leaves that was killed between making the directory and saving
// the first record.
func TestHalfMadeDirectory(t *testing.T) {
	store := Open(t.TempDir())
	if err := os.Mkdir(store.Dir("web"), 0o711); err != nil {
		t.Fatal(err)
	}
	if _, err := store.Load("web"); !errors.Is(err, ErrNotExist) {
		t.Errorf("load: %v, want %v", err, ErrNotExist)
	}
	if _, err := store.Claim(&Record{ID: "web"}); !errors.Is(err, ErrExist) {
		t.Errorf("claim: %v, want %v", err, ErrExist)
	}
	forget(t, store, "web")
}

// Between making its directory and locking it, a claim can lose it to a delete
// and the name to the next claim, whose record must then stay.
func TestClaimDoesNotTakeOverACompletedClaim(t *testing.T) {
	store, held := claim(t, "web")
	held.Unlock()
	if _, err := store.lockAndRecord(&Record{ID: "web", Bundle: "/late"}); !errors.Is(err, ErrExist) {
		t.Errorf("late claim: %v, want %v", err, ErrExist)
	}
	if r, err := store.Load("web"); err != nil || r.Bundle != "" {
		t.Errorf("record after a late claim: %+v, %v", r, err)
	}
	lock(t, store, Exclusive).Unlock()
}

func TestRecordsAreReplacedAsAWhole(t *testing.T) {
	store, held := claim(t, "web")
	stop := make(chan struct{})
	saved := make(chan error, 1)
	go func() {
		r := &Record{ID: "web", Bundle: strings.Repeat("x", 100_000)}
		for {
			select {
			case <-stop:
				saved <- nil
				return
			default:
			}
			if err := held.Save(r); err != nil {
				saved <- err
				return
			}
		}
	}()
	for range 500 {
		if _, err := store.Load("web"); err != nil {
			t.Errorf("load during a save: %v", err)
			break
		}
	}
	close(stop)
	if err := <-saved; err != nil {
		t.Error(err)
	}
}

func TestFailedSaveLeavesTheOldRecord(t *testing.T) {
	root := t.TempDir()
	if got := start(t, "full-disk", root).line(); !strings.Contains(got, "file too large") {
		t.Fatalf("save on a full disk: %s", got)
	}
	store := Open(root)
	if _, err := store.Load("web"); err != nil {
		t.Errorf("record after a failed save: %v", err)
	}
	entries, err := os.ReadDir(store.Dir("web"))
	if err != nil || len(entries) != 2 {
		t.Errorf("files after a failed save: %v, %v", entries, err)
	}
}

// playFullDisk claims a container and tries to save a record, while a limit on
// the size of files stands for a full disk.
func playFullDisk(args []string) error {
	held, err := Open(args[0]).Claim(&Record{ID: "web"})
	if err != nil {
		return err
	}
	if err := unix.Setrlimit(unix.RLIMIT_FSIZE, &unix.Rlimit{Cur: 100, Max: 100}); err != nil {
		return err
	}
	fmt.Println(held.Save(&Record{ID: "web", Bundle: strings.Repeat("x", 1000)}))
	return nil
}

func TestList(t *testing.T) {
	store, creating := claim(t, "creating")
	defer creating.Unlock()
	for _, id := range []string{"whole", "damaged", "died"} {
		held, err := store.Claim(&Record{ID: id})
		if err != nil {
			t.Fatal(err)
		}
		held.Unlock()
	}
	write := func(path, text string) {
		t.Helper()
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write(filepath.Join(store.Dir("damaged"), recordFile), "{")
	write(store.Dir("file"), "")
	if err := os.Mkdir(store.Dir("half-made"), 0o711); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(store.Dir("just-made"), 0o711); err != nil {
		t.Fatal(err)
	}
	held, err := store.Lock("just-made", Exclusive, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer held.Unlock()

	entries, err := List(store, func(e Entry) Entry { return e })
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, entry := range entries {
		switch {
		case errors.Is(entry.Err, ErrDamaged):
			got = append(got, entry.ID+" is damaged")
		case errors.Is(entry.Err, ErrNotExist):
			got = append(got, entry.ID+" has no record")
		case entry.Err != nil || entry.Record.ID != entry.ID:
			t.Errorf("%s: %+v, %v", entry.ID, entry.Record, entry.Err)
		case entry.Creating:
			got = append(got, entry.ID+" is being created")
		default:
			got = append(got, entry.ID)
		}
	}
	want := []string{"creating is being created", "damaged is damaged", "died", "half-made has no record", "whole"}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("listed %q, want %q", got, want)
	}
}

func TestListOfAMissingRoot(t *testing.T) {
	if _, err := List(Open(filepath.Join(t.TempDir(), "none")), func(e Entry) Entry { return e }); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("got %v, want %v", err, fs.ErrNotExist)
	}
}

func TestDefaultRoot(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("becomes other users, which takes root")
	}
	nobody := &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 65534, Gid: 65534}}
	userNamespace := &syscall.SysProcAttr{
		Cloneflags:  syscall.CLONE_NEWUSER,
		UidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: 0, Size: 1}},
		GidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: 0, Size: 1}},
	}
	const runtimeDir = "/run/user/1000"
	for _, test := range []struct {
		name       string
		who        *syscall.SysProcAttr
		runtimeDir string
		user       string
		want       string
	}{
		{"root", nil, "", "", "/run/rt"},
		{"root with a runtime directory", nil, runtimeDir, "", "/run/rt"},
		{"user", nobody, runtimeDir, "", runtimeDir + "/rt"},
		{"user called root", nobody, runtimeDir, "root", runtimeDir + "/rt"},
		{"user without a runtime directory", nobody, "", "", "/run/rt"},
		{"root of a user namespace", userNamespace, runtimeDir, "", runtimeDir + "/rt"},
		{"root of a user namespace called root", userNamespace, runtimeDir, "root", "/run/rt"},
		{"root of a user namespace without a runtime directory", userNamespace, "", "", "/run/rt"},
	} {
		t.Run(test.name, func(t *testing.T) {
			cmd := command(t, "default-root")
			cmd.Env = append(cmd.Env, "XDG_RUNTIME_DIR="+test.runtimeDir, "USER="+test.user)
			cmd.SysProcAttr = test.who
			if got := startCommand(t, reachable(t, cmd)).line(); got != test.want {
				t.Errorf("default root %s, want %s", got, test.want)
			}
		})
	}
}
