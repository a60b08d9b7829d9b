package plan

import (
	"path"

	specs "github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"

	"rt/spec"
)

// openRoot makes the container's root directory reachable by one descriptor,
// the only thing that later steps start from.
//
// With a mount namespace the root filesystem is bound on itself, so that it is
// a mount of its own which the container can be moved into. "/" is taken as it
// is: the namespace's copy of the host's mounts already belongs to the
// container. In a mount namespace that is joined no more is mounted than the
// config asks for.
func (c *compiler) openRoot() {
	root := c.Config.RootPath()
	c.separatePropagation(root)
	if !c.hasMountNamespace() || root == "/" || c.joinsMountNamespace() && !c.Config.Root.Readonly {
		c.step("root.path", "open the root filesystem "+root)
		c.openHost(root, unix.O_DIRECTORY, c.root)
		return
	}
	c.step("root.path", "bind the root filesystem "+root+" on itself")
	at := c.word("t")
	c.openHost(root, unix.O_DIRECTORY, at)
	c.clone(at, true).to(c.root)
	if c.joinsMountNamespace() && c.Facts.MountSetattr {
		c.setPropagation(c.root, true, unix.MS_PRIVATE)
	}
	c.attach(c.root, at)
	if c.joinsMountNamespace() && !c.Facts.MountSetattr {
		c.setPropagation(c.root, true, unix.MS_PRIVATE)
	}
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
//
// The mounts of a namespace that is joined are not the container's to change.
func (c *compiler) separatePropagation(root string) {
	if !c.hasMountNamespace() || c.joinsMountNamespace() {
		return
	}
	if !c.sharesRoot() {
		c.step("", "stop propagation of mounts to the host")
		c.call(unix.SYS_MOUNT, null, c.str("/"), null, imm(unix.MS_SLAVE|unix.MS_REC), null)
		return
	}
	if root == "/" {
		return
	}
	c.step("linux.rootfsPropagation", "take the mount that holds the root filesystem out of its peer group")
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

// sharesRoot says that mounts propagate between the container and the host.
func (c *compiler) sharesRoot() bool {
	flag, _ := spec.RootfsPropagation(c.Config.Linux.RootfsPropagation)
	return flag&unix.MS_SHARED != 0
}

// joinsMountNamespace says that the mounts belong to others as well.
func (c *compiler) joinsMountNamespace() bool {
	ns, _ := c.namespace(specs.MountNamespace)
	return ns.Path != ""
}

// enterRoot makes the root directory the container's "/". In a mount namespace
// that is joined, pivot_root would take the root away from those who are there.
func (c *compiler) enterRoot() {
	if c.Config.RootPath() != "/" {
		switch {
		case !c.hasMountNamespace() || c.joinsMountNamespace():
			c.chroot()
		case c.NoPivot:
			c.moveRoot()
		default:
			c.pivotRoot()
		}
	}
	c.rootPropagation()
	c.releaseProcfs()
}

// pivotRoot stacks the old root on top of the new one and takes it away, which
// needs no directory for it in the image (pivot_root(2)). Mounts that are still
// peers of the host's leave their groups first: taking them away would
// otherwise take the host's away too.
func (c *compiler) pivotRoot() {
	old := c.word("old")
	c.step("root.path", "make it the root, and let go of the host's")
	c.call(unix.SYS_OPENAT, cwdFD, c.str("/"), imm(unix.O_PATH|unix.O_DIRECTORY|unix.O_CLOEXEC), imm(0)).to(old)
	c.call(unix.SYS_FCHDIR, load(c.root))
	c.call(unix.SYS_PIVOT_ROOT, c.str("."), c.str("."))
	c.call(unix.SYS_FCHDIR, load(old))
	if c.sharesRoot() {
		c.call(unix.SYS_MOUNT, null, c.str("."), null, imm(unix.MS_SLAVE|unix.MS_REC), null)
	}
	c.call(unix.SYS_UMOUNT2, c.str("."), imm(unix.MNT_DETACH))
	c.call(unix.SYS_CHDIR, c.str("/"))
	c.close(old)
}

// moveRoot is for roots that cannot be pivoted away from, such as an initial
// ramdisk. The host's procfs and sysfs go first: an unmasked instance that
// stays reachable would let a user namespace mount a fresh one.
func (c *compiler) moveRoot() {
	c.step("root.path", "move it over the host's root, without pivot_root")
	c.call(unix.SYS_FCHDIR, load(c.root))
	// What is unmounted from a mount that has peers goes from them, too.
	c.call(unix.SYS_MOUNT, null, c.str("/"), null, imm(unix.MS_PRIVATE), null)
	for _, p := range []string{"/proc", "/sys"} {
		c.call(unix.SYS_MOUNT, null, c.str(p), null, imm(unix.MS_PRIVATE|unix.MS_REC), null).ignore(unix.EINVAL, unix.ENOENT)
		c.call(unix.SYS_UMOUNT2, c.str(p), imm(unix.MNT_DETACH)).ignore(unix.EINVAL, unix.ENOENT)
		if c.inUserNamespace() {
			// What was there before the user namespace cannot be unmounted
			// in it, but covered.
			c.call(unix.SYS_MOUNT, c.str("tmpfs"), c.str(p), c.str("tmpfs"), imm(unix.MS_RDONLY), null).ignore(unix.ENOENT)
		}
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
	if !c.hasMountNamespace() || c.joinsMountNamespace() || c.Config.Linux.RootfsPropagation == "" {
		return
	}
	flag, _ := spec.RootfsPropagation(c.Config.Linux.RootfsPropagation)
	c.step("linux.rootfsPropagation", "make the root "+c.Config.Linux.RootfsPropagation)
	c.call(unix.SYS_MOUNT, null, c.str("/"), null, imm(flag), null)
	if flag&unix.MS_REC != 0 {
		c.mountPropagation()
	}
}

// mountPropagation gives the mounts that have propagation types of their own
// these again, after the root's was applied to everything below it.
func (c *compiler) mountPropagation() {
	at := c.word("t")
	for _, m := range c.mountEntries() {
		if len(m.options.Propagation) == 0 {
			continue
		}
		c.step(m.field, "restore the propagation of "+m.Destination)
		c.open(c.root, m.path, unix.O_PATH, inRoot).to(at)
		for _, p := range m.options.Propagation {
			c.setPropagation(at, p.Recursive, p.Flag)
		}
		c.close(at)
	}
}
