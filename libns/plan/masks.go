package plan

import (
	"fmt"
	"maps"
	"slices"

	"golang.org/x/sys/unix"

	"rt/spec"
)

// sysctl writes kernel parameters through a procfs that only the init stage
// has: what the image or another container mounted on /proc plays no part
// (CVE-2025-52881).
func (c *compiler) sysctl() {
	if c.Config.Linux == nil || len(c.Config.Linux.Sysctl) == 0 {
		return
	}
	proc, fd := c.word("proc"), c.word("t")
	c.step("linux.sysctl", "mount a procfs that nobody else sees")
	c.privateProc(proc)
	for _, key := range slices.Sorted(maps.Keys(c.Config.Linux.Sysctl)) {
		value := c.Config.Linux.Sysctl[key]
		field := fmt.Sprintf("linux.sysctl[%q]", key)
		c.step(field, fmt.Sprintf("set %s to %q", key, value))
		c.open(proc, "sys/"+spec.SysctlPath(key), unix.O_WRONLY, unix.RESOLVE_BENEATH|unix.RESOLVE_NO_XDEV|unix.RESOLVE_NO_SYMLINKS).to(fd)
		c.call(unix.SYS_WRITE, load(fd), c.str(value), imm(len(value)))
		c.close(fd)
	}
	c.close(proc)
}

// privateProc leaves a procfs that is not attached anywhere in the word proc. A
// user namespace that does not own the pid namespace has to do with the host's,
// which nothing of the image's is mounted on yet that counts: the container has
// not entered its root.
func (c *compiler) privateProc(proc Ref) {
	private := newFilesystem{kind: "proc", source: "proc", otherwise: noLabel}
	if !c.inUserNamespace() {
		c.mount(private, proc)
		return
	}
	refused, done := c.label(), c.label()
	private.otherwise = refused
	c.mount(private, proc)
	c.goTo(done)
	c.bind(refused)
	c.call(unix.SYS_OPENAT, cwdFD, c.str("/proc"), imm(unix.O_PATH|unix.O_DIRECTORY|unix.O_CLOEXEC), imm(0)).to(proc)
	statfs := c.buffer("statfs", sizeofStatfs)
	c.call(unix.SYS_FSTATFS, load(proc), addr(statfs))
	c.call(OpIs, load(statfs), imm(^uint64(0)), imm(unix.PROC_SUPER_MAGIC), imm(unix.ENODEV)).means("the host's /proc is not a procfs")
	c.bind(done)
}

// readonlyPaths covers paths with a read-only bind mount of themselves. The
// other flags of the mount stay. A path that does not exist needs no cover.
func (c *compiler) readonlyPaths() {
	if c.Config.Linux == nil {
		return
	}
	at, mount := c.word("t"), c.word("m")
	for i, p := range c.Config.Linux.ReadonlyPaths {
		c.step(fmt.Sprintf("linux.readonlyPaths[%d]", i), "make "+p+" read-only")
		missing := c.label()
		c.open(c.root, relative(p), unix.O_PATH, inRoot).to(at).on(unix.ENOENT, missing).on(unix.ENOTDIR, missing)
		c.clone(at, true).to(mount)
		c.setDetached(mount, readonly)
		c.attach(mount, at)
		c.setAttached(mount, readonly)
		c.close(at)
		c.close(mount)
		c.bind(missing)
	}
}

// maskedPaths hides paths: a directory under an empty read-only tmpfs, which
// all of them share, any other file under the container's null device.
func (c *compiler) maskedPaths() {
	if c.Config.Linux == nil || len(c.Config.Linux.MaskedPaths) == 0 {
		return
	}
	const field = "linux.maskedPaths"
	empty, null := c.word("empty"), c.preset("null", ^uint64(0))
	c.step(field, "make an empty directory to mask directories with")
	c.mount(newFilesystem{
		kind: "tmpfs", source: "tmpfs", flags: []string{"ro"},
		data:  c.labelled("tmpfs", []string{"nr_blocks=1", "nr_inodes=1"}),
		attrs: unix.MOUNT_ATTR_RDONLY, otherwise: noLabel,
	}, empty)

	// The image decides what its /dev/null is: with anything but the null
	// device, a mask would give access instead of taking it (CVE-2025-31133).
	c.step(field, "open the container's /dev/null to mask files with")
	absent := c.label()
	c.open(c.root, "dev/null", unix.O_PATH, noSymlinks).to(null).on(unix.ENOENT, absent).on(unix.ENOTDIR, absent)
	stat := c.stat(load(null))
	c.fileType(stat, unix.S_IFCHR, unix.ENODEV).means("the container's /dev/null is not the null device")
	c.rdev(stat, 1, 3, unix.ENODEV).means("the container's /dev/null is not the null device")
	c.bind(absent)

	masked := map[string]bool{}
	for i, p := range c.Config.Linux.MaskedPaths {
		if masked[relative(p)] {
			continue
		}
		masked[relative(p)] = true
		c.step(fmt.Sprintf("%s[%d]", field, i), "mask "+p)
		c.mask(relative(p), empty, null)
	}
	c.step(field, "close what the masks were made of")
	c.close(empty)
	c.close(null).ignore(unix.EBADF)
}

func (c *compiler) mask(p string, empty, null Ref) {
	at, mount := c.word("t"), c.word("m")
	directory, again, ready, done := c.label(), c.label(), c.label(), c.label()
	c.open(c.root, p, unix.O_PATH, inRoot).to(at).on(unix.ENOENT, done).on(unix.ENOTDIR, done)
	stat := c.stat(load(at))
	c.fileType(stat, unix.S_IFDIR, unix.ENOTDIR).then(directory).on(unix.ENOTDIR, next)
	c.clone(null, false).to(mount).then(ready).means("masking a file takes a /dev/null in the container")

	// The first mask is the tmpfs itself, the others are clones of what is
	// mounted then: before Linux 6.15 a detached mount cannot be cloned, and
	// closing one that was never attached waits for an RCU grace period.
	used := c.word("used")
	c.bind(directory)
	c.call(OpIs, load(used), imm(1), imm(0), imm(unix.EEXIST)).on(unix.EEXIST, again)
	c.call(OpSet, imm(1)).to(used)
	c.call(unix.SYS_FCNTL, load(empty), imm(unix.F_DUPFD_CLOEXEC), imm(0)).to(mount).then(ready)
	c.bind(again)
	c.clone(empty, false).to(mount)

	c.bind(ready)
	c.attach(mount, at)
	c.close(mount)
	c.close(at)
	c.bind(done)
}
