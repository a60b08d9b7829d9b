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
	dir   *os.File
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
		dir.Close()
		return nil, err
	}
	if !s.leadsTo(id, dir) {
		dir.Close()
		return nil, errReplaced
	}
	return &Held{store: s, id: id, dir: dir}, nil
}

func (s *Store) openDirectory(id string) (*os.File, error) {
	dir, err := os.OpenFile(s.Dir(id), unix.O_RDONLY|unix.O_DIRECTORY|unix.O_NOFOLLOW|unix.O_NONBLOCK, 0)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, ErrNotExist
	}
	return dir, err
}

func (s *Store) leadsTo(id string, dir *os.File) bool {
	named, err := os.Lstat(s.Dir(id))
	if err != nil {
		return false
	}
	locked, err := dir.Stat()
	return err == nil && os.SameFile(named, locked)
}

// waitForLock takes the lock of an open directory (flock(2)).
func waitForLock(dir *os.File, mode Mode, deadline time.Time) error {
	if err := flock(dir, int(mode)|unix.LOCK_NB); !errors.Is(err, unix.EWOULDBLOCK) {
		return err
	}
	// flock has no timeout, so a thread of its own waits, on a second descriptor
	// of the same open directory. Should the lock come after the deadline, it
	// ends as soon as that descriptor is closed too.
	waiter, err := duplicate(dir)
	if err != nil {
		return err
	}
	locked := make(chan error, 1)
	go func() {
		defer waiter.Close()
		locked <- flock(waiter, int(mode))
	}()
	select {
	case err := <-locked:
		return err
	case <-time.After(time.Until(deadline)):
		return errors.New("another command is still busy with the container")
	}
}

func duplicate(file *os.File) (*os.File, error) {
	fd, err := unix.FcntlInt(file.Fd(), unix.F_DUPFD_CLOEXEC, 3)
	if err != nil {
		return nil, os.NewSyscallError("fcntl", err)
	}
	return os.NewFile(uintptr(fd), file.Name()), nil
}

func flock(dir *os.File, how int) error {
	for {
		err := unix.Flock(int(dir.Fd()), how)
		if err == nil {
			return nil
		}
		if !errors.Is(err, unix.EINTR) {
			return os.NewSyscallError("flock", err)
		}
	}
}

// busy reports whether some command holds the container's lock exclusively.
func (s *Store) busy(id string) bool {
	dir, err := s.openDirectory(id)
	if err != nil {
		return false
	}
	defer dir.Close()
	return errors.Is(flock(dir, unix.LOCK_SH|unix.LOCK_NB), unix.EWOULDBLOCK)
}

// Unlock gives the lock back.
func (h *Held) Unlock() { h.dir.Close() }
