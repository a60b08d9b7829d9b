// Package state is what rt remembers about containers between two commands: one
// directory per container, named after its id, with a record and whatever the
// runtime keeps beside it. A directory is locked by locking it (flock(2)), so
// there is no lock file that could be left behind.
//
// The existence of the directory is what makes an id taken. [Store.Claim] makes
// it before anything else is done for a container, [Held.Forget] removes it
// after everything else is undone; in between every command finds there what it
// must clean up, whatever died in the meantime.
package state

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"
)

var (
	// ErrNotExist is the error for an id that no container has.
	ErrNotExist = errors.New("container does not exist")
	// ErrExist is the error of Claim for an id that is taken.
	ErrExist = errors.New("container with given ID already exists")
	// ErrDamaged is the error for a record that does not say what it should.
	// A record from a newer rt is not damaged.
	ErrDamaged = errors.New("damaged state")
)

const (
	recordFile = "state.json"
	// creatingMark is there from the claim until the container is created.
	creatingMark = "creating"
)

// Store is a state root: the directory that holds those of the containers.
type Store struct {
	root string
}

// Open gives access to the state root at an absolute path. It does no I/O: the
// directory is made by the first Claim.
func Open(root string) *Store { return &Store{root: filepath.Clean(root)} }

// DefaultRoot is where state is kept if the caller does not say: /run/rt, and
// for a caller that may not write there $XDG_RUNTIME_DIR/rt.
//
// Engines give neither --root nor the same environment to every command, so the
// answer depends on nothing but XDG_RUNTIME_DIR, the caller's identity and, for
// root inside a user namespace, on USER.
func DefaultRoot() string {
	runtimeDir := os.Getenv("XDG_RUNTIME_DIR")
	if runtimeDir == "" || !belongsToUser() {
		return "/run/rt"
	}
	return filepath.Join(runtimeDir, "rt")
}

// CacheDir is where what every container can use is kept, and nothing that could
// not be made again. It is beside [DefaultRoot], so that it is the same one for all
// state roots, and no container's id can be its name. It need not exist.
func CacheDir() string { return DefaultRoot() + ".cache" }

// belongsToUser reports whether XDG_RUNTIME_DIR counts: for an ordinary user,
// and for one who is root only inside a user namespace.
func belongsToUser() bool {
	if os.Geteuid() != 0 {
		return true
	}
	return os.Getenv("USER") != "root" && !inInitialUserNamespace()
}

// inInitialUserNamespace reports whether all ids are mapped to themselves, as
// they are only there (user_namespaces(7)).
func inInitialUserNamespace() bool {
	uidMap, err := os.ReadFile("/proc/self/uid_map")
	if err != nil {
		return true // a kernel without user namespaces
	}
	return strings.Join(strings.Fields(string(uidMap)), " ") == "0 0 4294967295"
}

// Root is the path of the state root.
func (s *Store) Root() string { return s.root }

// Dir is the path of a container's directory.
func (s *Store) Dir(id string) string { return filepath.Join(s.root, id) }

// checkName refuses what would lead out of the root, whoever forgot to validate
// the id before.
func checkName(id string) error {
	if id == "" || strings.Trim(id, ".") == "" || strings.ContainsAny(id, "/\x00") {
		return fmt.Errorf("invalid container ID format: %q", id)
	}
	return nil
}

// Claim takes an id: it makes the container's directory, locks it exclusively
// and saves the record. Of several processes that claim one id at the same time
// exactly one succeeds; the others get [ErrExist].
//
// When the container is created the caller says so with [Held.Created] and gives
// the lock back with [Held.Unlock]; if it could not be, the caller gives the id
// back with [Held.Forget].
func (s *Store) Claim(r *Record) (*Held, error) {
	if err := checkName(r.ID); err != nil {
		return nil, err
	}
	for {
		held, err := s.claimOnce(r)
		if !errors.Is(err, ErrNotExist) {
			return held, err
		}
	}
}

// claimOnce fails with ErrNotExist if the new directory was removed before it
// was locked: a delete took it for the remains of a create that had died.
func (s *Store) claimOnce(r *Record) (*Held, error) {
	if err := s.makeDirectory(r.ID); err != nil {
		return nil, err
	}
	return s.lockAndRecord(r)
}

// lockAndRecord completes the claim of a directory that was just made. The
// directory may have been removed already, and even claimed again by somebody
// else: then it has a record by the time that the lock is free.
func (s *Store) lockAndRecord(r *Record) (*Held, error) {
	held, err := s.Lock(r.ID, Exclusive, Patience)
	if err != nil {
		return nil, err
	}
	if held.hasRecord() {
		held.Unlock()
		return nil, ErrExist
	}
	if err := held.prepare(r); err != nil {
		return nil, errors.Join(err, held.Forget())
	}
	return held, nil
}

// makeDirectory makes the container's directory, and the root when it is missing.
func (s *Store) makeDirectory(id string) error {
	err := os.Mkdir(s.Dir(id), 0o711)
	if errors.Is(err, fs.ErrNotExist) {
		if err := s.makeRoot(); err != nil {
			return err
		}
		err = os.Mkdir(s.Dir(id), 0o711)
	}
	if errors.Is(err, fs.ErrExist) {
		return ErrExist
	}
	return err
}

// makeRoot makes the state root with the sticky bit, which keeps cleaners of
// runtime directories from aging what is inside (XDG Base Directory
// Specification).
func (s *Store) makeRoot() error {
	if err := os.MkdirAll(s.root, 0o700); err != nil {
		return err
	}
	return os.Chmod(s.root, 0o700|fs.ModeSticky)
}

// prepare makes the directory passable to the container's own users, whatever
// the caller's umask, and saves the first record.
func (h *Held) prepare(r *Record) error {
	if err := unix.Fchmod(h.dir, 0o711); err != nil {
		return &fs.PathError{Op: "chmod", Path: h.Dir(), Err: err}
	}
	if err := writeFile(h.creatingMark(), nil); err != nil {
		return err
	}
	return h.Save(r)
}

func (h *Held) creatingMark() string { return filepath.Join(h.Dir(), creatingMark) }

// Created ends a claim: the container exists from now on. The lock is still
// held.
func (h *Held) Created() error { return os.Remove(h.creatingMark()) }

// Creating reports whether a live process is about to create the container. It
// is not when that process died half-way. To tell what a container is doing,
// ask this before loading the record: a create may end in between.
func (s *Store) Creating(id string) bool {
	_, err := status(filepath.Join(s.Dir(id), creatingMark))
	return err == nil && s.busy(id)
}

// hasRecord reports whether somebody's claim of the directory was completed.
func (h *Held) hasRecord() bool {
	_, err := status(filepath.Join(h.Dir(), recordFile))
	return err == nil
}

// Load reads the record of a container. It takes no lock: records are replaced
// as a whole.
//
// Errors: [ErrNotExist] if the container, or its record, does not exist;
// [ErrDamaged] if the record makes no sense.
func (s *Store) Load(id string) (*Record, error) {
	if err := checkName(id); err != nil {
		return nil, err
	}
	data, err := readFile(filepath.Join(s.Dir(id), recordFile))
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, unix.ENOTDIR) {
		return nil, ErrNotExist
	}
	if err != nil {
		return nil, err
	}
	return decode(data, id)
}

// Dir is the path of the directory.
func (h *Held) Dir() string { return h.store.Dir(h.id) }

// Load reads the record, as [Store.Load] does.
func (h *Held) Load() (*Record, error) { return h.store.Load(h.id) }

// Save replaces the record. The lock must be exclusive.
func (h *Held) Save(r *Record) error {
	// Nobody else writes here, so one temporary name is enough, and what a
	// killed writer left under it is overwritten. There is no fsync: after a
	// power failure the container is gone, and so is the need for its record.
	temporary := filepath.Join(h.Dir(), "."+recordFile)
	if err := writeFile(temporary, r.encode()); err != nil {
		return errors.Join(err, removeIfThere(temporary))
	}
	return os.Rename(temporary, filepath.Join(h.Dir(), recordFile))
}

// Keep writes one more file into the directory.
func (h *Held) Keep(name string, data []byte) error {
	return writeFile(filepath.Join(h.Dir(), name), data)
}

func removeIfThere(path string) error {
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

// Forget removes the directory with all that is in it, following no symbolic
// link, and gives the lock, which must be exclusive, back. From then on the id
// is free.
func (h *Held) Forget() error {
	defer h.Unlock()
	h.removeFiles()
	if unix.Rmdir(h.Dir()) == nil {
		return nil
	}
	return os.RemoveAll(h.Dir())
}

// removeFiles removes what is no directory, which is all that most containers have
// in theirs. What it leaves is left to os.RemoveAll, which takes three times as many
// system calls.
func (h *Held) removeFiles() {
	entries := make([]byte, 4096)
	n, err := unix.ReadDirent(h.dir, entries)
	if err != nil {
		return
	}
	_, _, names := unix.ParseDirent(entries[:n], -1, nil)
	for _, name := range names {
		_ = unix.Unlinkat(h.dir, name, 0)
	}
}
