package libns

import (
	"bufio"
	"errors"
	"io"
	"os"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// maxPasswd bounds what is read of a container's /etc/passwd: the image's
// author decides how long that is.
const maxPasswd = 1 << 20

// findHome gives the environment entry for the home directory of uid in the
// container whose root's descriptor is fds[0], ended by a NUL. A user without a
// usable entry has "/".
func findHome(fds []int, uid uint32) ([]byte, error) {
	if len(fds) != 1 {
		return nil, errors.New("the container's root did not come along")
	}
	home := homeOf(fds[0], uid)
	if home == "" || strings.ContainsRune(home, 0) || len(home) > unix.PathMax {
		home = "/"
	}
	return append([]byte("HOME="+home), 0), nil
}

func homeOf(root int, uid uint32) string {
	passwd, err := openRegular(root, "etc/passwd")
	if err != nil {
		return ""
	}
	found := make(chan string, 1)
	go func() {
		defer passwd.Close()
		found <- homeIn(io.LimitReader(passwd, maxPasswd), uid)
	}()
	select {
	case home := <-found:
		return home
	case <-time.After(lookupDeadline):
		return "" // a file system of somebody's own making does not answer
	}
}

// homeIn finds the home directory of uid in a user database (passwd(5)). Lines
// that are not of the form, or whose user id is no number, are not anybody's:
// taking what can be read of them for user 0 would make them root's.
func homeIn(passwd io.Reader, uid uint32) string {
	const fieldUID, fieldHome = 2, 5
	lines := bufio.NewScanner(passwd)
	lines.Buffer(nil, maxPasswd)
	for lines.Scan() {
		fields := strings.Split(lines.Text(), ":")
		if len(fields) <= fieldHome || fields[0] == "" {
			continue
		}
		if id, err := strconv.ParseUint(fields[fieldUID], 10, 32); err == nil && uint32(id) == uid {
			return fields[fieldHome]
		}
	}
	return ""
}

// openRegular opens a regular file below root for reading. Anything else is
// refused before it is opened for good: opening a FIFO may block, opening a
// device may do anything.
func openRegular(root int, p string) (*os.File, error) {
	fd, err := openInRoot(root, p, unix.O_PATH)
	if err != nil {
		return nil, err
	}
	handle := os.NewFile(uintptr(fd), p)
	defer handle.Close()
	info, err := handle.Stat()
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, errors.New("not a regular file")
	}
	if info.Size() > maxPasswd {
		return nil, errors.New("too large")
	}
	// The kernel's own files are regular ones too, and reading them may wait
	// for an event.
	var system unix.Statfs_t
	if err := unix.Fstatfs(fd, &system); err != nil {
		return nil, err
	}
	if system.Type == unix.PROC_SUPER_MAGIC || system.Type == unix.SYSFS_MAGIC {
		return nil, errors.New("not a file of the container's own")
	}
	// What was looked at is what is opened: by the descriptor, through the
	// host's own procfs.
	return reopen(handle, unix.O_RDONLY|unix.O_NONBLOCK)
}
