package libns

import (
	"fmt"
	"net"
	"os"
	"strconv"

	"golang.org/x/sys/unix"
)

// reopen opens the file that an O_PATH descriptor refers to, through the
// runtime's own procfs and therefore not by any name of the file.
func reopen(handle *os.File, flags int) (*os.File, error) {
	return os.OpenFile("/proc/self/fd/"+strconv.Itoa(int(handle.Fd())), flags|unix.O_CLOEXEC, 0)
}

// isDirectory reports whether a descriptor refers to a directory.
func isDirectory(fd int) (bool, error) {
	var st unix.Stat_t
	if err := unix.Fstat(fd, &st); err != nil {
		return false, os.NewSyscallError("fstat", err)
	}
	return st.Mode&unix.S_IFMT == unix.S_IFDIR, nil
}

// sendDescriptor gives fd to whoever listens on the socket at path: one message
// with one descriptor (SCM_RIGHTS, unix(7)).
func sendDescriptor(path, payload string, fd int) error {
	connection, err := net.DialUnix("unix", nil, &net.UnixAddr{Name: path, Net: "unix"})
	if err != nil {
		return err
	}
	defer connection.Close()
	if _, _, err := connection.WriteMsgUnix([]byte(payload), unix.UnixRights(fd), nil); err != nil {
		return fmt.Errorf("send a descriptor to %s: %w", path, err)
	}
	return nil
}
