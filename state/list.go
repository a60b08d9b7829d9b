package state

import (
	"errors"
	"io/fs"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"

	"golang.org/x/sys/unix"
)

// Entry is a container that List found, or why its record could not be read.
type Entry struct {
	ID       string
	Creating bool    // as [Store.Creating]
	Record   *Record // nil if Err is not
	Err      error
}

// List gives what read makes of each container, sorted by id. read is called for
// several at the same time, and in no order. A root that does not exist is an
// fs.ErrNotExist.
func List[T any](s *Store, read func(Entry) T) ([]T, error) {
	names, err := namesIn(s.root)
	if err != nil {
		return nil, err
	}
	slices.Sort(names)
	results, is := make([]T, len(names)), make([]bool, len(names))
	sideBySide(len(names), func(i int) {
		if entry, ok := s.look(names[i]); ok {
			results[i], is[i] = read(entry), true
		}
	})
	list := results[:0]
	for i := range results {
		if is[i] {
			list = append(list, results[i])
		}
	}
	return list, nil
}

// look reads what has this name in the root. It is not ok if that is no container.
func (s *Store) look(name string) (entry Entry, ok bool) {
	entry = Entry{ID: name, Creating: s.Creating(name)}
	entry.Record, entry.Err = s.Load(name)
	return entry, !errors.Is(entry.Err, ErrNotExist) || s.isRemains(name)
}

// isRemains tells a directory without record that something died over from one
// that is being claimed or removed right now.
func (s *Store) isRemains(id string) bool {
	stat, err := status(s.Dir(id))
	return err == nil && stat.Mode&unix.S_IFMT == unix.S_IFDIR && !s.busy(id)
}

// namesIn lists a directory.
func namesIn(path string) ([]string, error) {
	dir, err := open(path, unix.O_RDONLY|unix.O_DIRECTORY, 0)
	if err != nil {
		return nil, err
	}
	defer unix.Close(dir)
	var names []string
	var buffer [8 << 10]byte
	for {
		n, err := unix.ReadDirent(dir, buffer[:])
		switch {
		case err == unix.EINTR:
		case err != nil:
			return nil, &fs.PathError{Op: "getdents64", Path: path, Err: err}
		case n == 0:
			return names, nil
		default:
			_, _, names = unix.ParseDirent(buffer[:n], -1, names)
		}
	}
}

// sideBySide calls a function with each number below n, on all processors if there
// are so many that it is worth while to wake another: each call waits for the
// kernel most of the time.
func sideBySide(n int, call func(int)) {
	const few = 20
	var taken atomic.Int64
	work := func() {
		for i := taken.Add(1) - 1; i < int64(n); i = taken.Add(1) - 1 {
			call(int(i))
		}
	}
	var others sync.WaitGroup
	for range min(n/few, runtime.GOMAXPROCS(0)-1) {
		others.Go(work)
	}
	work()
	others.Wait()
}
