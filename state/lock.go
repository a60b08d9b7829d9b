package state

import (
	"errors"
	"io/fs"
	"os"
	"time"

	"golang.org/x/sys/unix"
)

// Mode says who else may hold a lock at the same time.
type Mode int

const (
	Shared    Mode = unix.LOCK_SH // other readers
	Exclusive Mode = unix.LOCK_EX // nobody
)

// Patience is how long a command waits for another one that holds the lock of
// the same container.
const Patience = 10 * time.Second

// errReplaced says that the directory was removed while its lock was waited for.
var errReplaced = errors.New("directory was replaced")

// Held is a container's directory whose lock is held. The lock belongs to the
// open directory, so that it ends with the process that holds it, however that
// dies, and nothing has to be cleaned up.
type Held struct {
	store *Store
	id    string
	dir   int // descriptor, -1 when the lock was given back
}

// Lock takes the lock of a container's directory, waiting at most patience for
// other commands. The directory exists, but it need not contain a record.
//
// Errors: [ErrNotExist] if there is no directory; otherwise why it could not be
// locked, for example because another command did not give it back in time.
func (s *Store) Lock(id string, mode Mode, patience time.Duration) (*Held, error) {
	if err := checkName(id); err != nil {
		return nil, err
	}
	deadline := time.Now().Add(patience)
	for {
		held, err := s.lockOnce(id, mode, deadline)
		if !errors.Is(err, errReplaced) {
			return held, err
		}
	}
}

// lockOnce locks the directory that has the container's name now. Whoever held
// the lock before may have removed that directory, and the next owner of the id
// may have made another of the same name: a lock on the old one protects
// nothing, so the name must still lead to what was locked.
func (s *Store) lockOnce(id string, mode Mode, deadline time.Time) (*Held, error) {
	dir, err := s.openDirectory(id)
	if err != nil {
		return nil, err
	}
	if err := waitForLock(dir, mode, deadline); err != nil {
		unix.Close(dir)
		return nil, err
	}
	if !s.leadsTo(id, dir) {
		unix.Close(dir)
		return nil, errReplaced
	}
	return &Held{store: s, id: id, dir: dir}, nil
}

func (s *Store) openDirectory(id string) (int, error) {
	dir, err := open(s.Dir(id), unix.O_RDONLY|unix.O_DIRECTORY|unix.O_NOFOLLOW|unix.O_NONBLOCK, 0)
	if errors.Is(err, fs.ErrNotExist) {
		return -1, ErrNotExist
	}
	return dir, err
}

// leadsTo reports whether the container's name is still that of an open
// directory: no other can have its inode number while it is open.
func (s *Store) leadsTo(id string, dir int) bool {
	named, err := status(s.Dir(id))
	if err != nil {
		return false
	}
	var locked unix.Stat_t
	err = unix.Fstat(dir, &locked)
	return err == nil && named.Dev == locked.Dev && named.Ino == locked.Ino
}

// waitForLock takes the lock of an open directory (flock(2)).
func waitForLock(dir int, mode Mode, deadline time.Time) error {
	if err := flock(dir, int(mode)|unix.LOCK_NB); !errors.Is(err, unix.EWOULDBLOCK) {
		return err
	}
	// flock has no timeout, so a thread of its own waits, on a second descriptor
	// of the same open directory. Should the lock come after the deadline, it
	// ends as soon as that descriptor is closed too.
	waiter, err := unix.FcntlInt(uintptr(dir), unix.F_DUPFD_CLOEXEC, 3)
	if err != nil {
		return os.NewSyscallError("fcntl", err)
	}
	locked := make(chan error, 1)
	go func() {
		defer unix.Close(waiter)
		locked <- flock(waiter, int(mode))
	}()
	select {
	case err := <-locked:
		return err
	case <-time.After(time.Until(deadline)):
		return errors.New("another command is still busy with the container")
	}
}

func flock(dir, how int) error {
	_, err := uninterrupted(func() (int, error) { return 0, unix.Flock(dir, how) })
	return os.NewSyscallError("flock", err)
}

// busy reports whether some command holds the container's lock exclusively.
func (s *Store) busy(id string) bool {
	dir, err := s.openDirectory(id)
	if err != nil {
		return false
	}
	defer unix.Close(dir)
	return errors.Is(flock(dir, unix.LOCK_SH|unix.LOCK_NB), unix.EWOULDBLOCK)
}

// Unlock gives the lock back.
func (h *Held) Unlock() {
	if h.dir >= 0 {
		unix.Close(h.dir)
		h.dir = -1
	}
}

// Lend gives the lock back for others to use, and keeps an eye on the directory:
// [Held.Again] knows whether it is still the same one.
func (h *Held) Lend() error { return flock(h.dir, unix.LOCK_UN) }

// Again takes a lock that was lent, exclusively. [ErrNotExist] means that the
// container was deleted meanwhile; a container of the same id is another one.
func (h *Held) Again(patience time.Duration) error {
	if err := waitForLock(h.dir, Exclusive, time.Now().Add(patience)); err != nil {
		return err
	}
	if !h.store.leadsTo(h.id, h.dir) {
		h.Unlock()
		return ErrNotExist
	}
	return nil
}
