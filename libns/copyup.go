package libns

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"golang.org/x/sys/unix"

	"rt/libns/plan"
)

// copyUp copies what is in the directory from (an O_PATH descriptor below the
// container's root) to the root of a new tmpfs: owners, modes, times and
// extended attributes included. Symbolic links are copied, never followed, and
// other mounts are not entered.
//
// A tmpfs of a user namespace knows only the ids that are mapped there: files of
// any other belong to owner, the root of it, and devices, which could not be
// opened, are left out.
func copyUp(from, to int, owner plan.Owner) error {
	source, err := openEntry(from, ".", unix.O_RDONLY|unix.O_DIRECTORY)
	if err != nil {
		return err
	}
	defer source.Close()
	target, err := openEntry(to, ".", unix.O_RDONLY|unix.O_DIRECTORY)
	if err != nil {
		return err
	}
	defer target.Close()
	return (&copier{owner}).directory(source, target)
}

// copier makes files that belong to owner at first.
type copier struct{ owner plan.Owner }

// directory copies the entries of one directory.
func (c *copier) directory(source, target *os.File) error {
	names, err := source.Readdirnames(-1)
	if err != nil {
		return err
	}
	for _, name := range names {
		if err := c.entry(source, target, name); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	return nil
}

func (c *copier) entry(source, target *os.File, name string) error {
	from, to := int(source.Fd()), int(target.Fd())
	var st unix.Stat_t
	if err := unix.Fstatat(from, name, &st, unix.AT_SYMLINK_NOFOLLOW); err != nil {
		return err
	}
	var err error
	switch st.Mode & unix.S_IFMT {
	case unix.S_IFDIR:
		err = c.subdirectory(from, to, name)
	case unix.S_IFREG:
		err = c.file(from, to, name)
	case unix.S_IFLNK:
		err = c.link(from, to, name)
	default: // devices, FIFOs and sockets are names, to be made again
		if c.owner != (plan.Owner{}) && isDevice(st.Mode) {
			return nil
		}
		err = c.make(func() error { return unix.Mknodat(to, name, st.Mode, int(st.Rdev)) })
	}
	if err != nil {
		return err
	}
	return copyMetadata(to, name, &st)
}

func isDevice(mode uint32) bool {
	return mode&unix.S_IFMT == unix.S_IFCHR || mode&unix.S_IFMT == unix.S_IFBLK
}

// make makes a file on the tmpfs. Where that belongs to a user namespace, its
// root is the one who can.
func (c *copier) make(f func() error) error {
	return asOwner(c.owner, f, func() error { return nil })
}

func (c *copier) subdirectory(from, to int, name string) error {
	if err := c.make(func() error { return unix.Mkdirat(to, name, 0o700) }); err != nil {
		return err
	}
	source, err := openEntry(from, name, unix.O_RDONLY|unix.O_DIRECTORY)
	if errors.Is(err, unix.EXDEV) {
		return nil // something is mounted there: it is not what is hidden
	}
	if err != nil {
		return err
	}
	defer source.Close()
	target, err := openEntry(to, name, unix.O_RDONLY|unix.O_DIRECTORY)
	if err != nil {
		return err
	}
	defer target.Close()
	if err := copyAttributes(source, target); err != nil {
		return err
	}
	return c.directory(source, target)
}

func (c *copier) file(from, to int, name string) error {
	// Should the name have become a FIFO meanwhile, opening it must not wait.
	source, err := openEntry(from, name, unix.O_RDONLY|unix.O_NONBLOCK)
	if err != nil {
		return err
	}
	defer source.Close()
	var fd int
	err = c.make(func() (err error) {
		fd, err = unix.Openat(to, name, unix.O_WRONLY|unix.O_CREAT|unix.O_EXCL|unix.O_NOFOLLOW|unix.O_CLOEXEC, 0o600)
		return err
	})
	if err != nil {
		return err
	}
	target := os.NewFile(uintptr(fd), name)
	defer target.Close()
	if _, err := io.Copy(target, source); err != nil {
		return err
	}
	return copyAttributes(source, target)
}

func (c *copier) link(from, to int, name string) error {
	target, err := readlinkat(from, name)
	if err != nil {
		return err
	}
	return c.make(func() error { return unix.Symlinkat(target, to, name) })
}

// openEntry opens an entry of a directory, no link and no other mount.
func openEntry(directory int, name string, flags uint64) (*os.File, error) {
	fd, err := unix.Openat2(directory, name, &unix.OpenHow{
		Flags:   flags | unix.O_CLOEXEC,
		Resolve: unix.RESOLVE_BENEATH | unix.RESOLVE_NO_SYMLINKS | unix.RESOLVE_NO_XDEV,
	})
	if err != nil {
		return nil, err
	}
	return os.NewFile(uintptr(fd), name), nil
}

// copyMetadata sets owner, mode and times. The order matters: a change of owner
// takes set-id bits away, and everything else changes the times.
func copyMetadata(to int, name string, st *unix.Stat_t) error {
	err := unix.Fchownat(to, name, int(st.Uid), int(st.Gid), unix.AT_SYMLINK_NOFOLLOW)
	if err != nil && err != unix.EOVERFLOW { // EOVERFLOW: not mapped
		return err
	}
	if st.Mode&unix.S_IFMT != unix.S_IFLNK {
		// The tmpfs is not attached anywhere: nobody can have put a link here.
		if err := unix.Fchmodat(to, name, st.Mode&0o7777, 0); err != nil {
			return err
		}
	}
	return unix.UtimesNanoAt(to, name, []unix.Timespec{st.Atim, st.Mtim}, unix.AT_SYMLINK_NOFOLLOW)
}

// copyAttributes copies the extended attributes that a tmpfs can hold.
func copyAttributes(source, target *os.File) error {
	buffer := make([]byte, 64<<10) // XATTR_LIST_MAX
	n, err := unix.Flistxattr(int(source.Fd()), buffer)
	if err == unix.ENOTSUP {
		return nil
	}
	if err != nil {
		return os.NewSyscallError("flistxattr", err)
	}
	value := make([]byte, 64<<10) // XATTR_SIZE_MAX
	for name := range strings.SplitSeq(strings.TrimSuffix(string(buffer[:n]), "\x00"), "\x00") {
		if name == "" {
			continue
		}
		size, err := unix.Fgetxattr(int(source.Fd()), name, value)
		if err != nil {
			return os.NewSyscallError("fgetxattr", err)
		}
		if err := unix.Fsetxattr(int(target.Fd()), name, value[:size], 0); err != nil && err != unix.ENOTSUP {
			return os.NewSyscallError("fsetxattr", err)
		}
	}
	return nil
}
