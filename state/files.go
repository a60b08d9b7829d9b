package state

import (
	"io/fs"
	"slices"

	"golang.org/x/sys/unix"
)

// The files here are opened without package os, which would try to have each of
// them polled: half a dozen system calls more for every command.

// open opens a file, for an error that names it.
func open(path string, flags int, mode uint32) (int, error) {
	fd, err := uninterrupted(func() (int, error) { return unix.Open(path, flags|unix.O_CLOEXEC, mode) })
	if err != nil {
		return -1, &fs.PathError{Op: "open", Path: path, Err: err}
	}
	return fd, nil
}

// writeFile makes a file, or replaces what is in it.
func writeFile(path string, data []byte) error {
	fd, err := open(path, unix.O_WRONLY|unix.O_CREAT|unix.O_TRUNC|unix.O_NOFOLLOW, 0o600)
	if err != nil {
		return err
	}
	defer unix.Close(fd)
	for len(data) > 0 {
		n, err := uninterrupted(func() (int, error) { return unix.Write(fd, data) })
		if err != nil {
			return &fs.PathError{Op: "write", Path: path, Err: err}
		}
		data = data[n:]
	}
	return nil
}

// maxRecord bounds what is read of a record: a configuration can be large, and
// what of it is remembered with it.
const maxRecord = 64 << 20

// readFile reads a whole file.
func readFile(path string) ([]byte, error) {
	fd, err := open(path, unix.O_RDONLY|unix.O_NONBLOCK, 0)
	if err != nil {
		return nil, err
	}
	defer unix.Close(fd)
	// Most fit on the stack: memory that is new costs more than to copy from there.
	var usual [4096]byte
	data := usual[:0]
	for {
		n, err := unix.Read(fd, data[len(data):cap(data)])
		switch {
		case err == unix.EINTR:
			continue
		case err != nil:
			return nil, &fs.PathError{Op: "read", Path: path, Err: err}
		}
		data = data[:len(data)+n]
		switch {
		case len(data) < cap(data): // no more follows in a file, which is replaced as a whole
			return slices.Clone(data), nil
		case len(data) > maxRecord:
			return nil, &fs.PathError{Op: "read", Path: path, Err: unix.EFBIG}
		}
		data = slices.Grow(data, cap(data))
	}
}

// status is lstat(2).
func status(path string) (unix.Stat_t, error) {
	var stat unix.Stat_t
	if err := unix.Lstat(path, &stat); err != nil {
		return stat, &fs.PathError{Op: "lstat", Path: path, Err: err}
	}
	return stat, nil
}

func uninterrupted(call func() (int, error)) (int, error) {
	for {
		n, err := call()
		if err != unix.EINTR {
			return n, err
		}
	}
}
