package libns

import (
	"errors"
	"os"
	"slices"

	"golang.org/x/sys/unix"
)

// maxSmallFile is more than any of the files has that readSmallFile is for.
const maxSmallFile = 4096

// readSmallFile reads what one read(2) gives of a file of the kernel's, such as
// cgroup.events or /proc/PID/stat. Package os would take three times as many system
// calls, and commands read such files for each of a host's containers.
func readSmallFile(path string) ([]byte, error) {
	fd, err := ignoringEINTR(func() (int, error) { return unix.Open(path, unix.O_RDONLY|unix.O_CLOEXEC, 0) })
	if err != nil {
		return nil, &os.PathError{Op: "open", Path: path, Err: err}
	}
	defer unix.Close(fd)
	// On the stack: memory that is new costs more than to copy from there.
	var data [maxSmallFile]byte
	n, err := unix.Read(fd, data[:])
	for err == unix.EINTR {
		n, err = unix.Read(fd, data[:])
	}
	if err == nil && n == len(data) {
		err = errors.New("has more than a page of text")
	}
	if err != nil {
		return nil, &os.PathError{Op: "read", Path: path, Err: err}
	}
	return slices.Clone(data[:n]), nil
}
