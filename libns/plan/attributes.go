package plan

import (
	"strconv"

	"golang.org/x/sys/unix"
)

// The flags and the propagation type of a mount are changed by mount_setattr(2),
// which takes any mount by its descriptor. Before Linux 5.12 there is only
// mount(2): it wants the mount attached, a path to it, and all of its flags. The
// path is then the descriptor's own in the host's procfs, of which the init
// stage keeps hold until the root is entered, so that still no name below the
// root is looked up. What mount(2) cannot do is refused: flags of a whole tree
// and mapped ids.
//
// So flags have two places in a plan, of which one stays empty: setDetached
// before a mount is attached, and setAttached after it.

// attributes are flags to give a mount and to take from it (MOUNT_ATTR_*). It
// keeps all others.
type attributes struct{ set, clear uint64 }

// allAttributes are the per-mount flags that a bind mount with flags of its own
// does not inherit from its source.
const allAttributes = unix.MOUNT_ATTR_RDONLY | unix.MOUNT_ATTR_NOSUID | unix.MOUNT_ATTR_NODEV |
	unix.MOUNT_ATTR_NOEXEC | unix.MOUNT_ATTR_NODIRATIME | unix.MOUNT_ATTR_NOSYMFOLLOW

// exactly are attributes that leave no other flag, but for the access time
// setting unless it is in them: the kernel wants all of that cleared when a new
// one is set. In a user namespace the flags of the host's mounts are locked,
// because they protect the host: there, all flags stay that need not go.
func (c *compiler) exactly(set, clear uint64) attributes {
	if set&unix.MOUNT_ATTR__ATIME != 0 {
		clear |= unix.MOUNT_ATTR__ATIME
	}
	if c.inUserNamespace() {
		return attributes{set, clear}
	}
	return attributes{set, clear | allAttributes&^set}
}

// readonly makes a mount read-only.
var readonly = attributes{set: unix.MOUNT_ATTR_RDONLY}

// setDetached changes the flags of a mount that is not attached yet.
func (c *compiler) setDetached(mount Ref, a attributes) {
	if !c.byName(a.set | a.clear) {
		c.mountSetattr(mount, false, mountAttr(a.set, a.clear, 0))
	}
}

// setAttached is what is left to do after setDetached and attach.
func (c *compiler) setAttached(mount Ref, a attributes) {
	if c.byName(a.set | a.clear) {
		c.remountByName(mount, a)
	}
}

// setAttributes changes the flags of a mount that is attached.
func (c *compiler) setAttributes(mount Ref, a attributes) {
	c.setDetached(mount, a)
	c.setAttached(mount, a)
}

// setTreeAttributes changes the flags of a mount and all mounts below it.
func (c *compiler) setTreeAttributes(mount Ref, a attributes) {
	switch {
	case !c.Facts.MountSetattr:
		c.needs("mount_setattr(2) for recursive flags", "5.12")
	case c.byName(a.set | a.clear):
		c.needs("MOUNT_ATTR_NOSYMFOLLOW of mount_setattr(2)", "5.14")
	}
	c.mountSetattr(mount, true, mountAttr(a.set, a.clear, 0))
}

// setPropagation changes the propagation type of a mount that is attached
// (MS_SHARED and so on).
func (c *compiler) setPropagation(mount Ref, recursive bool, propagation uint64) {
	switch {
	case c.Facts.MountSetattr:
		c.mountSetattr(mount, recursive, mountAttr(0, 0, propagation))
	case recursive:
		c.mountByName(mount, propagation|unix.MS_REC)
	default:
		c.mountByName(mount, propagation)
	}
}

// mountSetattr changes a mount by its descriptor.
func (c *compiler) mountSetattr(mount Ref, recursive bool, attr []byte) {
	flags := unix.AT_EMPTY_PATH
	if recursive {
		flags |= unix.AT_RECURSIVE
	}
	c.call(unix.SYS_MOUNT_SETATTR, load(mount), c.str(""), imm(flags), c.constant(attr), imm(sizeofMountAttr))
}

// byName says that these flags take mount(2). nosymfollow is in Linux 5.10, but
// the new calls know it only since 5.14.
func (c *compiler) byName(flags uint64) bool {
	return !c.Facts.MountSetattr || !c.Facts.NoSymfollow && flags&unix.MOUNT_ATTR_NOSYMFOLLOW != 0
}

// atFsmount are those of a new mount's flags that fsmount(2) knows.
// completeFsmount adds the others.
func (c *compiler) atFsmount(set uint64) uint64 {
	if !c.Facts.NoSymfollow {
		set &^= unix.MOUNT_ATTR_NOSYMFOLLOW
	}
	return set
}

// completeFsmount gives an attached mount the flags that fsmount did not know.
func (c *compiler) completeFsmount(mount Ref, set uint64) {
	if c.atFsmount(set) != set {
		c.remountByName(mount, c.exactly(set, 0))
	}
}

// ---- mount(2) on a descriptor ----

// keepProcfs opens the host's procfs while "/proc" still is that. A name below
// its "self" is looked up when it is used, and so holds in a child, too.
func (c *compiler) keepProcfs() {
	if !c.hasMountNamespace() || c.Facts.MountSetattr && c.Facts.NoSymfollow && !c.hasLongMounts() {
		return
	}
	c.procfs = c.word("procfs")
	c.step("", "keep hold of the host's procfs: mount(2) takes names only")
	c.call(unix.SYS_OPENAT, cwdFD, c.str("/proc"), imm(unix.O_PATH|unix.O_DIRECTORY|unix.O_CLOEXEC), imm(0)).to(c.procfs)
}

// releaseProcfs gives it back, before anything of the container's can run.
func (c *compiler) releaseProcfs() {
	if c.procfs.IsZero() {
		return
	}
	c.step("", "let go of the host's procfs")
	c.call(unix.SYS_CHDIR, c.str("/"))
	c.call(unix.SYS_CLOSE, imm(c.namedFD())).ignore(unix.EBADF)
	c.close(c.procfs)
}

// namedFD is the descriptor by which mount(2) finds a mount: the name is laid
// down before the mount's own number is known. It is above those that the init
// stage ever has open.
func (c *compiler) namedFD() int {
	const most = 32
	return c.p.FirstFreeFD() + most
}

// mountByName calls mount(2) for what a descriptor refers to.
func (c *compiler) mountByName(mount Ref, flags uint64) {
	c.nameMount(mount)
	c.callMount(flags)
}

func (c *compiler) nameMount(mount Ref) {
	c.call(unix.SYS_DUP3, load(mount), imm(c.namedFD()), imm(unix.O_CLOEXEC))
	c.call(unix.SYS_FCHDIR, load(c.procfs))
}

func (c *compiler) callMount(flags uint64) callBuilder {
	return c.call(unix.SYS_MOUNT, null, c.str("self/fd/"+strconv.Itoa(c.namedFD())), null, imm(flags), null)
}

// remountByName changes flags with mount(2), which replaces all of them but the
// access time setting. Those to be kept are asked for first: there is a call for
// each combination, of which one is made.
func (c *compiler) remountByName(mount Ref, a attributes) {
	flags := unix.MS_REMOUNT | unix.MS_BIND | oldFlags(a)
	c.nameMount(mount)
	kept := keptFlags(a)
	if kept == 0 {
		c.callMount(flags)
		return
	}
	statfs := c.buffer("statfs", sizeofStatfs)
	c.call(unix.SYS_FSTATFS, load(mount), addr(statfs))
	done := c.label()
	for have := kept; have != 0; have = (have - 1) & kept {
		other := c.label()
		c.call(OpIs, load(statfs.At(statfsFlags)), imm(kept), imm(have), imm(unix.EAGAIN)).on(unix.EAGAIN, other)
		c.callMount(flags | oldFlags(attributes{set: fromStatfs(have)})).then(done)
		c.bind(other)
	}
	c.callMount(flags)
	c.bind(done)
}

// flagNumbers are what the same flag is to mount_setattr(2), mount(2) and
// statfs(2). The last has none for those that mount(2) keeps by itself.
var flagNumbers = []struct{ attribute, mount, statfs uint64 }{
	{unix.MOUNT_ATTR_RDONLY, unix.MS_RDONLY, unix.ST_RDONLY},
	{unix.MOUNT_ATTR_NOSUID, unix.MS_NOSUID, unix.ST_NOSUID},
	{unix.MOUNT_ATTR_NODEV, unix.MS_NODEV, unix.ST_NODEV},
	{unix.MOUNT_ATTR_NOEXEC, unix.MS_NOEXEC, unix.ST_NOEXEC},
	{unix.MOUNT_ATTR_NOSYMFOLLOW, unix.MS_NOSYMFOLLOW, statfsNoSymfollow},
	{unix.MOUNT_ATTR_NODIRATIME, unix.MS_NODIRATIME, 0},
	{unix.MOUNT_ATTR_NOATIME, unix.MS_NOATIME, 0},
	{unix.MOUNT_ATTR_STRICTATIME, unix.MS_STRICTATIME, 0},
}

// oldFlags are the MS_* flags that attributes set.
func oldFlags(a attributes) uint64 {
	var flags uint64
	for _, f := range flagNumbers {
		if a.set&f.attribute != 0 {
			flags |= f.mount
		}
	}
	if a.clear&unix.MOUNT_ATTR__ATIME != 0 && a.set&unix.MOUNT_ATTR__ATIME == unix.MOUNT_ATTR_RELATIME {
		flags |= unix.MS_RELATIME
	}
	return flags
}

// keptFlags are the ST_* flags that attributes leave as they are.
func keptFlags(a attributes) uint64 {
	var flags uint64
	for _, f := range flagNumbers {
		if (a.set|a.clear)&f.attribute == 0 {
			flags |= f.statfs
		}
	}
	return flags
}

// fromStatfs are the attributes that ST_* flags stand for.
func fromStatfs(flags uint64) uint64 {
	var set uint64
	for _, f := range flagNumbers {
		if flags&f.statfs != 0 {
			set |= f.attribute
		}
	}
	return set
}
