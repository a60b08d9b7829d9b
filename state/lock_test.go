package state

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"testing"
	"time"
)

func TestOneOfManyClaimsWins(t *testing.T) {
	root := filepath.Join(t.TempDir(), "root")
	for round := range 10 {
		id := fmt.Sprint("web-", round)
		claimers := make([]*process, 6)
		for i := range claimers {
			claimers[i] = start(t, "claim", root, id)
		}
		for _, claimer := range claimers {
			claimer.line()
		}
		for _, claimer := range claimers {
			claimer.release()
		}
		won := 0
		for _, claimer := range claimers {
			if claimer.line() == "won" {
				won++
			}
		}
		for _, claimer := range claimers {
			claimer.kill()
		}
		if won != 1 {
			t.Fatalf("%d of %d claims of one id won, want exactly one", won, len(claimers))
		}
	}
}

func TestClaimOfALiveProcessIsCreating(t *testing.T) {
	store, creator := startClaim(t, "web")
	if !store.Creating("web") {
		t.Error("a container that is being created is not creating")
	}
	if _, err := store.Lock("web", Exclusive, 20*time.Millisecond); err == nil {
		t.Error("its lock was given to a second process")
	}
	creator.kill()
	if store.Creating("web") {
		t.Error("the container is still creating although the process that did it died")
	}
	if _, err := store.Load("web"); err != nil {
		t.Errorf("record after that: %v", err)
	}
}

func TestCreatedContainerIsNotCreatingWhileItIsLocked(t *testing.T) {
	store, held := claim(t, "web")
	defer held.Unlock()
	if !store.Creating("web") {
		t.Error("not creating after the claim")
	}
	if err := held.Created(); err != nil {
		t.Fatal(err)
	}
	if store.Creating("web") {
		t.Error("still creating after the claim was completed")
	}
}

func TestKilledCreateCanBeForgotten(t *testing.T) {
	store, creator := startClaim(t, "web")
	creator.kill()

	if _, err := store.Claim(&Record{ID: "web"}); !errors.Is(err, ErrExist) {
		t.Fatalf("claim of what a killed create left: %v, want %v", err, ErrExist)
	}
	forget(t, store, "web")
	held, err := store.Claim(&Record{ID: "web"})
	if err != nil {
		t.Fatalf("claim after everything was forgotten: %v", err)
	}
	held.Unlock()
}

// startClaim has another process claim id and hold on to it.
func startClaim(t *testing.T, id string) (*Store, *process) {
	t.Helper()
	root := t.TempDir()
	creator := start(t, "claim", root, id)
	creator.line()
	creator.release()
	if got := creator.line(); got != "won" {
		t.Fatalf("claim of a free id: %s", got)
	}
	return Open(root), creator
}

func forget(t *testing.T, store *Store, id string) {
	t.Helper()
	held, err := store.Lock(id, Exclusive, Patience)
	if err != nil {
		t.Fatal(err)
	}
	if err := held.Forget(); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Lstat(store.Dir(id)); !errors.Is(err, os.ErrNotExist) {
		t.Fatalf("directory after Forget: %v", err)
	}
}

// Creates and deletes of one id race in several processes, which are killed at
// random moments. Whoever holds a claim must find its own record for as long as
// it holds it (playChurn checks that), and whatever is left can be removed.
func TestForgetNeverTakesTheDirectoryOfALiveClaim(t *testing.T) {
	root := t.TempDir()
	end := time.Now().Add(2 * time.Second)
	for round := 0; time.Now().Before(end); round++ {
		processes := make([]*process, 4)
		for i := range processes {
			processes[i] = start(t, "churn", root, "web", strconv.Itoa(i))
			processes[i].line()
		}
		time.Sleep(time.Duration(rand.IntN(150)) * time.Millisecond)
		for i, process := range processes {
			if i%2 == 0 {
				process.kill()
			} else {
				process.finish()
			}
		}
	}
	store := Open(root)
	if held, err := store.Lock("web", Exclusive, Patience); err == nil {
		if err := held.Forget(); err != nil {
			t.Fatal(err)
		}
	}
	if left, err := os.ReadDir(root); err != nil || len(left) != 0 {
		t.Errorf("left in the root: %v %v", left, err)
	}
}

// playChurn creates and deletes a container until its stdin is closed.
func playChurn(args []string) error {
	store, id, name := Open(args[0]), args[1], args[2]
	released := make(chan struct{})
	go func() {
		waitForRelease()
		close(released)
	}()
	fmt.Println("ready")
	for {
		if err := createOnce(store, id, name); err != nil {
			return fmt.Errorf("create: %w", err)
		}
		if err := deleteOnce(store, id); err != nil {
			return fmt.Errorf("delete: %w", err)
		}
		select {
		case <-released:
			return nil
		default:
		}
	}
}

func createOnce(store *Store, id, name string) error {
	held, err := store.Claim(&Record{ID: id, Bundle: name})
	if errors.Is(err, ErrExist) {
		return nil
	}
	if err != nil {
		return err
	}
	defer held.Unlock()
	for pid := 1; pid < 5; pid++ {
		if err := held.Save(&Record{ID: id, Bundle: name, Init: Process{PID: pid}}); err != nil {
			return err
		}
		r, err := held.Load()
		if err != nil {
			return err
		}
		if r.Bundle != name || r.Init.PID != pid {
			return fmt.Errorf("found the record of %s with pid %d, not that of %s with pid %d", r.Bundle, r.Init.PID, name, pid)
		}
	}
	return nil
}

func deleteOnce(store *Store, id string) error {
	held, err := store.Lock(id, Exclusive, Patience)
	if errors.Is(err, ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	return held.Forget()
}

func TestSharedLocksGoTogether(t *testing.T) {
	store, claimed := claim(t, "web")
	claimed.Unlock()
	first := lock(t, store, Shared)
	second := lock(t, store, Shared)
	if _, err := store.Lock("web", Exclusive, 0); err == nil {
		t.Error("an exclusive lock was given beside shared ones")
	}
	if store.busy("web") {
		t.Error("a container that is only read is busy")
	}
	first.Unlock()
	second.Unlock()
	lock(t, store, Exclusive).Unlock()
}

func TestLockIsWaitedFor(t *testing.T) {
	store, claimed := claim(t, "web")
	time.AfterFunc(50*time.Millisecond, claimed.Unlock)
	lock(t, store, Exclusive).Unlock()
}

// A lock that comes after its waiter gave up must not stay taken for ever.
func TestLateLockIsGivenBack(t *testing.T) {
	store, claimed := claim(t, "web")
	if _, err := store.Lock("web", Exclusive, 10*time.Millisecond); err == nil {
		t.Fatal("the lock was given twice")
	}
	claimed.Unlock()
	lock(t, store, Exclusive).Unlock()
}

func TestLockOfARemovedDirectoryIsNotTaken(t *testing.T) {
	store, claimed := claim(t, "web")
	time.AfterFunc(50*time.Millisecond, func() { claimed.Forget() })
	if _, err := store.Lock("web", Exclusive, Patience); !errors.Is(err, ErrNotExist) {
		t.Errorf("lock of a directory that was removed meanwhile: %v, want %v", err, ErrNotExist)
	}
}

func claim(t *testing.T, id string) (*Store, *Held) {
	t.Helper()
	store := Open(t.TempDir())
	held, err := store.Claim(&Record{ID: id})
	if err != nil {
		t.Fatal(err)
	}
	return store, held
}

func lock(t *testing.T, store *Store, mode Mode) *Held {
	t.Helper()
	held, err := store.Lock("web", mode, Patience)
	if err != nil {
		t.Fatal(err)
	}
	return held
}
