package plan

import (
	"path"

	"golang.org/x/sys/unix"

	"rt/spec"
)

// openRoot makes the container's root directory reachable by one descriptor,
// the only thing that later steps start from.
//
// With a mount namespace the root filesystem is bound on itself, so that it is
// a mount of its own which the container can be moved into. "/" is taken as it
// is: the namespace's copy of the host's mounts already belongs to the
// container.
func (c *compiler) openRoot() {
	root := c.Config.RootPath()
	if !c.hasMountNamespace() || root == "/" {
		c.separatePropagation(root)
		c.step("root.path", "open the root filesystem "+root)
		c.call(unix.SYS_OPENAT, cwdFD, c.str(root), imm(unix.O_PATH|unix.O_DIRECTORY|unix.O_CLOEXEC), imm(0)).to(c.root)
		return
	}
	c.separatePropagation(root)
	c.step("root.path", "bind the root filesystem "+root+" on itself")
	at := c.word("t")
	c.call(unix.SYS_OPENAT, cwdFD, c.str(root), imm(unix.O_PATH|unix.O_DIRECTORY|unix.O_CLOEXEC), imm(0)).to(at)
	c.call(unix.SYS_OPEN_TREE, load(at), c.str(""), imm(unix.AT_EMPTY_PATH|unix.AT_RECURSIVE|unix.OPEN_TREE_CLONE|unix.OPEN_TREE_CLOEXEC)).to(c.root)
	c.attach(c.root, at)
	c.close(at)
}

// separatePropagation keeps the container's mounts from the host. Host mounts
// still arrive in the container unless rootfsPropagation says otherwise.
//
// A shared root keeps its peers, because volumes may have to propagate both
// ways; then the mount that holds the root filesystem leaves its peer group,
// so that the root itself appears nowhere else. Which of the path's prefixes is
// that mount is found by trying: the kernel says EINVAL for a directory that is
// not the root of a mount.
func (c *compiler) separatePropagation(root string) {
	if !c.hasMountNamespace() {
		return
	}
	flag, title, field := uint64(unix.MS_SLAVE|unix.MS_REC), "stop propagation of mounts to the host", ""
	if p := c.Config.Linux.RootfsPropagation; p != "" {
		flag, _ = spec.RootfsPropagation(p)
		title, field = "make the host's mounts "+p, "linux.rootfsPropagation"
	}
	c.step(field, title)
	c.call(unix.SYS_MOUNT, null, c.str("/"), null, imm(flag), null)
	if flag&unix.MS_SHARED == 0 || root == "/" {
		return
	}
	c.step(field, "take the mount that holds the root filesystem out of its peer group")
	done := c.label()
	for p := root; ; p = path.Dir(p) {
		call := c.call(unix.SYS_MOUNT, null, c.str(p), null, imm(unix.MS_PRIVATE), null).then(done)
		if p == "/" {
			break
		}
		call.ignore(unix.EINVAL)
	}
	c.bind(done)
}

// enterRoot makes the root directory the container's "/".
func (c *compiler) enterRoot() {
	if c.Config.RootPath() != "/" {
		switch {
		case !c.hasMountNamespace():
			c.chroot()
		case c.NoPivot:
			c.moveRoot()
		default:
			c.pivotRoot()
		}
	}
	c.rootPropagation()
}

// pivotRoot stacks the old root on top of the new one and takes it away, which
// needs no directory for it in the image (pivot_root(2)).
func (c *compiler) pivotRoot() {
	c.step("root.path", "make it the root, and let go of the host's")
	c.call(unix.SYS_FCHDIR, load(c.root))
	c.call(unix.SYS_PIVOT_ROOT, c.str("."), c.str("."))
	c.call(unix.SYS_UMOUNT2, c.str("."), imm(unix.MNT_DETACH))
	c.call(unix.SYS_CHDIR, c.str("/"))
}

// moveRoot is for roots that cannot be pivoted away from, such as an initial
// ramdisk. The host's procfs and sysfs go first: an unmasked instance that
// stays reachable would let a user namespace mount a fresh one.
func (c *compiler) moveRoot() {
	c.step("root.path", "move it over the host's root, without pivot_root")
	c.call(unix.SYS_FCHDIR, load(c.root))
	for _, p := range []string{"/proc", "/sys"} {
		c.call(unix.SYS_UMOUNT2, c.str(p), imm(unix.MNT_DETACH)).ignore(unix.EINVAL, unix.ENOENT)
	}
	c.call(unix.SYS_MOUNT, c.str("."), c.str("/"), null, imm(unix.MS_MOVE), null)
	c.call(unix.SYS_CHROOT, c.str("."))
	c.call(unix.SYS_CHDIR, c.str("/"))
}

func (c *compiler) chroot() {
	c.step("root.path", "change the root directory")
	c.call(unix.SYS_FCHDIR, load(c.root))
	c.call(unix.SYS_CHROOT, c.str("."))
	c.call(unix.SYS_CHDIR, c.str("/"))
}

// rootPropagation gives the container's root the propagation type of
// linux.rootfsPropagation, now that nothing of the host hangs on it.
func (c *compiler) rootPropagation() {
	if !c.hasMountNamespace() || c.Config.Linux.RootfsPropagation == "" || c.Config.RootPath() == "/" {
		return
	}
	flag, _ := spec.RootfsPropagation(c.Config.Linux.RootfsPropagation)
	c.step("linux.rootfsPropagation", "make the root "+c.Config.Linux.RootfsPropagation)
	c.call(unix.SYS_MOUNT, null, c.str("/"), null, imm(flag), null)
}
