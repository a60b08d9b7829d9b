package libns

import (
	"errors"
	"io"
	"os"
	"strings"

	"github.com/moby/sys/user"
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
	defer passwd.Close()
	entries, err := user.ParsePasswdFilter(io.LimitReader(passwd, maxPasswd), func(u user.User) bool { return u.Uid == int(uid) })
	if err != nil || len(entries) == 0 {
		return ""
	}
	return entries[0].Home
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
	// What was looked at is what is opened: by the descriptor, through the
	// host's own procfs.
	return reopen(handle, unix.O_RDONLY)
}
