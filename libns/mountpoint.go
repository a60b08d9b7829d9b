package libns

import (
	"errors"
	"fmt"
	"path"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"rt/libns/plan"
)

// This file works inside root file systems, which are hostile: any name may be
// a symbolic link, and may become one between two calls. Every look-up starts
// at the root's descriptor and is confined by the kernel (openat2(2)); nothing
// here takes a path from the host's root.

// maxSymlinks is the kernel's own limit on links in one look-up.
const maxSymlinks = 40

// lookupDeadline ends look-ups that are disturbed again and again by renames.
const lookupDeadline = time.Second

// openInRoot opens a path below root, as a process with that root would.
func openInRoot(root int, p string, flags uint64) (int, error) {
	if p == "" {
		p = "."
	}
	how := &unix.OpenHow{
		Flags:   flags | unix.O_CLOEXEC,
		Resolve: unix.RESOLVE_IN_ROOT | unix.RESOLVE_NO_MAGICLINKS,
	}
	for deadline := time.Now().Add(lookupDeadline); ; {
		fd, err := unix.Openat2(root, p, how)
		if err == unix.EINTR || err == unix.EAGAIN && time.Now().Before(deadline) {
			continue
		}
		return fd, err
	}
}

// makeMountPoint makes a directory, or an empty file, at p below root, with the
// directories on the way to it (0755). A symbolic link that leads nowhere is
// followed within the root: its target is made.
//
// What is made belongs to owner.
func makeMountPoint(root int, p string, directory bool, owner plan.Owner) error {
	// The modes are rt's to choose, not the caller's. Nothing else makes files
	// meanwhile.
	defer unix.Umask(unix.Umask(0))
	walk := &walk{root: root, rest: components(p), directory: directory, owner: owner}
	for len(walk.rest) > 0 {
		if err := walk.step(); err != nil {
			return fmt.Errorf("%s: %w", path.Join("/", walk.done, walk.rest[0]), err)
		}
	}
	return nil
}

// walk is the way down to a mount point.
type walk struct {
	root      int
	done      string   // what exists, below the root
	rest      []string // what is left to find or make
	links     int
	directory bool
	owner     plan.Owner
}

// step goes one component down, or replaces a dangling link by its target.
func (w *walk) step() error {
	name := w.rest[0]
	here := path.Join(w.done, name)
	if name == ".." {
		// done may end in a link: only the kernel knows its parent.
		here = w.done + "/.."
	}
	if fd, err := openInRoot(w.root, here, unix.O_PATH); err == nil {
		unix.Close(fd)
		w.done, w.rest = here, w.rest[1:]
		return nil
	} else if err != unix.ENOENT {
		return err
	}
	parent, err := openInRoot(w.root, w.done, unix.O_PATH|unix.O_DIRECTORY)
	if err != nil {
		return err
	}
	defer unix.Close(parent)
	target, err := readlinkat(parent, name)
	switch err {
	case nil:
		return w.follow(target)
	case unix.ENOENT:
		return w.make(parent, name)
	default:
		return err
	}
}

func (w *walk) follow(target string) error {
	if w.links++; w.links > maxSymlinks {
		return unix.ELOOP
	}
	if path.IsAbs(target) {
		w.done = ""
	}
	w.rest = append(components(target), w.rest[1:]...)
	return nil
}

// make makes one component. Should somebody else make it first, the next step
// looks at what that is.
func (w *walk) make(parent int, name string) error {
	err := asOwner(w.owner, func() error {
		if len(w.rest) > 1 || w.directory {
			return unix.Mkdirat(parent, name, 0o755)
		}
		return unix.Mknodat(parent, name, unix.S_IFREG|0o755, 0)
	}, func() error {
		return unix.Fchownat(parent, name, int(w.owner.UID), int(w.owner.GID), unix.AT_SYMLINK_NOFOLLOW)
	})
	if err == unix.EEXIST {
		if w.links++; w.links > maxSymlinks {
			return unix.EEXIST
		}
		return nil
	}
	return err
}

func components(p string) []string {
	var list []string
	for part := range strings.SplitSeq(p, "/") {
		if part != "" && part != "." {
			list = append(list, part)
		}
	}
	return list
}

func readlinkat(directory int, name string) (string, error) {
	buffer := make([]byte, unix.PathMax)
	n, err := unix.Readlinkat(directory, name, buffer)
	if err != nil {
		return "", err
	}
	if n == len(buffer) {
		return "", errors.New("symbolic link is too long")
	}
	return string(buffer[:n]), nil
}
