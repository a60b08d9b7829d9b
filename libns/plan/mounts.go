package plan

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	specs "github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"

	"rt/spec"
)

// mountEntry is one entry of mounts[], made ready for compiling.
type mountEntry struct {
	specs.Mount
	field   string // mounts[3]
	path    string // the destination below the root: "dev/shm"
	options spec.MountOptions
}

// mounts makes the config's mounts, in their order, below the root.
func (c *compiler) mounts() {
	if !c.hasMountNamespace() {
		return
	}
	for _, m := range c.mountEntries() {
		switch {
		case m.options.Bind:
			c.bindMount(m)
		case m.options.Remount:
			c.remount(m)
		case m.Type == "cgroup" || m.Type == "cgroup2":
			c.cgroupMount(m)
		default:
			c.filesystemMount(m)
		}
	}
	c.notifyMount()
}

func (c *compiler) mountEntries() []mountEntry {
	if c.entries != nil {
		return c.entries
	}
	c.entries = make([]mountEntry, 0, len(c.Config.Mounts))
	for i, m := range c.Config.Mounts {
		c.entries = append(c.entries, mountEntry{
			Mount:   m,
			field:   fmt.Sprintf("mounts[%d]", i),
			path:    relative(c.Config.MountDestination(m)),
			options: spec.ParseMountOptions(m.Options),
		})
	}
	return c.entries
}

// bindMount clones the source, which is named from the host's root but sees
// the mounts made so far, changes the clone while nobody can reach it yet, and
// attaches it.
func (c *compiler) bindMount(m mountEntry) {
	source := c.Config.BindSource(m.Mount)
	title := fmt.Sprintf("bind %s on %s", source, m.Destination)
	mount := c.word("m")
	if m.idMapped() {
		c.step(m.field, "clone "+source+" to map its ids")
		c.cloneHost(source, m.options.Recursive, mount)
		c.mapMount(m, source, mount)
		c.step(m.field, title)
	} else {
		c.step(m.field, title)
		c.cloneHost(source, m.options.Recursive, mount)
	}
	flags := c.exactly(m.options.AttrSet, m.options.AttrClear)
	if m.options.AttrsGiven {
		c.setDetached(mount, flags)
	}
	c.treeAttributes(m, mount)
	at := c.openMountPoint(mountPoint{path: m.path, source: mount})
	c.refuseProc(m, at)
	c.attachBind(m, mount, at)
	if m.options.AttrsGiven {
		c.setAttached(mount, flags)
	}
	c.finishMount(m, mount, at)
}

// attachBind attaches a bind mount. The kernel has one errno for everything
// that is wrong with one: at this point, it is that a directory and a file do
// not go together.
func (c *compiler) attachBind(m mountEntry, mount, at Ref) {
	mismatch, done := c.label(), c.label()
	c.attach(mount, at).then(done).on(unix.EINVAL, mismatch)
	c.bind(mismatch)
	c.fail(unix.ENOTDIR, fmt.Sprintf("cannot bind %s on %s: one of them is a directory, the other is not a directory", m.Source, m.Destination))
	c.bind(done)
}

func (c *compiler) treeAttributes(m mountEntry, mount Ref) {
	if m.options.RecSet|m.options.RecClear != 0 {
		c.setTreeAttributes(mount, attributes{m.options.RecSet, m.options.RecClear})
	}
}

// finishMount applies the propagation types, which belong to a mount's place,
// and gives the descriptors back: a container may have thousands of mounts.
func (c *compiler) finishMount(m mountEntry, mount, at Ref) {
	for _, p := range m.options.Propagation {
		c.setPropagation(mount, p.Recursive, p.Flag)
	}
	c.close(at)
	c.close(mount)
}

// filesystemMount mounts a new superblock.
func (c *compiler) filesystemMount(m mountEntry) {
	c.step(m.field, fmt.Sprintf("mount %s on %s", m.Type, m.Destination))
	mount := c.word("m")
	f := newFilesystem{
		kind: m.Type, source: m.Source,
		flags: m.options.SuperFlags, data: c.labelled(m.Type, m.options.Data),
		attrs: m.options.AttrSet, otherwise: noLabel,
	}
	if c.readonlyLater(m) {
		f.flags = slices.DeleteFunc(slices.Clone(f.flags), func(flag string) bool { return flag == "ro" })
		f.attrs &^= unix.MOUNT_ATTR_RDONLY
	}
	if m.isLong() {
		c.longMount(m, f)
		return
	}
	attrs := f.attrs
	f.attrs = c.atFsmount(attrs)
	if shown := c.substitute(m.Type); shown != "" {
		c.mountOrBind(f, shown, mount)
	} else {
		c.mount(f, mount)
	}
	c.labelQueue(m.Type, mount)
	c.treeAttributes(m, mount)
	at := c.openMountPoint(c.placeOf(m, mount))
	if m.options.CopyUp {
		c.assist(CopyUp{Path: m.Destination, Owner: c.mappedRoot()}, at, mount)
	}
	c.refuseProc(m, at)
	c.attach(mount, at)
	c.completeFsmount(mount, attrs)
	c.finishMount(m, mount, at)
}

// refuseProc makes sure that the image's symbolic links did not lead a mount
// point into procfs: what covers the kernel's files there passes for them, also
// with those who write a label or limit (CVE-2019-16884). Where the config
// itself names a place below /proc, validation has looked at it.
func (c *compiler) refuseProc(m mountEntry, at Ref) {
	if m.path == "proc" || strings.HasPrefix(m.path, "proc/") {
		return
	}
	statfs := c.buffer("statfs", sizeofStatfs)
	c.call(unix.SYS_FSTATFS, load(at), addr(statfs))
	c.call(OpIsNot, load(statfs), imm(^uint64(0)), imm(unix.PROC_SUPER_MAGIC), imm(unix.EPERM)).
		means(fmt.Sprintf("%s leads into procfs by a symbolic link of the root filesystem: nothing may be mounted there", m.Destination))
}

// placeOf says how the mount point of a new filesystem is looked up.
func (c *compiler) placeOf(m mountEntry, mount Ref) mountPoint {
	place := mountPoint{path: m.path}
	switch m.Type {
	case "proc", "sysfs":
		// The image must not choose where these end up: with a symbolic
		// link, files of its own would pass for the kernel's
		// (CVE-2019-19921, CVE-2023-27561).
		place.strict = true
		place.meaning = fmt.Sprintf("filesystem %q must be mounted on ordinary directory", m.Type)
	case "tmpfs":
		if !hasOption(m.options.Data, "mode") {
			place.whenThere = func(at Ref) { c.inheritMode(at, mount) }
		}
	}
	return place
}

// inheritMode gives a new tmpfs the permissions of the directory that it
// hides. Only the low 16 bits of the word count for fchmodat(2): the mode.
func (c *compiler) inheritMode(from, mount Ref) {
	stat := c.stat(load(from))
	c.call(unix.SYS_FCHMODAT, load(mount), c.str("."), load(stat.At(statxMode)))
}

// remount changes the flags and options of what is mounted already.
func (c *compiler) remount(m mountEntry) {
	c.step(m.field, "remount "+m.Destination)
	at, fs := c.word("t"), c.word("fs")
	c.open(c.root, m.path, unix.O_PATH, inRoot).to(at)
	c.setAttributes(at, c.exactly(m.options.AttrSet, m.options.AttrClear))
	c.treeAttributes(m, at)
	if len(m.options.Data)+len(m.options.SuperFlags) > 0 {
		c.call(unix.SYS_FSPICK, load(at), c.str(""), imm(unix.FSPICK_EMPTY_PATH|unix.FSPICK_CLOEXEC)).to(fs)
		for _, flag := range m.options.SuperFlags {
			c.configure(fs, flag, "", false)
		}
		for _, option := range m.options.Data {
			key, value, hasValue := spec.CutData(option)
			c.configure(fs, key, value, hasValue)
		}
		c.call(unix.SYS_FSCONFIG, load(fs), imm(unix.FSCONFIG_CMD_RECONFIGURE), null, null, imm(0)).log(fs)
		c.close(fs)
	}
	for _, p := range m.options.Propagation {
		c.setPropagation(at, p.Recursive, p.Flag)
	}
	c.close(at)
}

// readonlyLater says that a mount has to stay writable until everything that
// belongs in it was made: mount points, devices.
func (c *compiler) readonlyLater(m mountEntry) bool {
	readonly := m.options.AttrSet&unix.MOUNT_ATTR_RDONLY != 0
	return readonly && (m.Type == "tmpfs" || m.path == "dev")
}

// readonlyMounts makes the rest of the tree read-only, now that nothing more is
// made in it.
func (c *compiler) readonlyMounts() {
	if !c.hasMountNamespace() {
		return
	}
	at := c.word("t")
	for _, m := range c.mountEntries() {
		if m.options.Bind || !c.readonlyLater(m) {
			continue
		}
		c.step(m.field, "make "+m.Destination+" read-only")
		c.open(c.root, m.path, unix.O_PATH, inRoot).to(at)
		c.setAttributes(at, readonly)
		c.close(at)
	}
	if c.Config.Root.Readonly {
		c.step("root.readonly", "make the root read-only")
		c.setAttributes(c.root, readonly)
	}
}

// notifyMount shows the program the socket for sd_notify(3), which start binds
// in the state directory.
func (c *compiler) notifyMount() {
	if !c.NotifySocket {
		return
	}
	c.step("", "bind the notify socket's directory on /"+notifyDirectory)
	mount := c.word("m")
	c.cloneHost(filepath.Join(c.Dir, "notify"), false, mount)
	flags := attributes{set: unix.MOUNT_ATTR_RDONLY | unix.MOUNT_ATTR_NOSUID | unix.MOUNT_ATTR_NODEV | unix.MOUNT_ATTR_NOEXEC}
	c.setDetached(mount, flags)
	at := c.openMountPoint(mountPoint{path: notifyDirectory})
	c.attach(mount, at)
	c.setAttached(mount, flags)
	c.close(at)
	c.close(mount)
}

// notifyDirectory is where the notify socket's directory appears below the root.
const notifyDirectory = "run/notify"

func hasOption(data []string, key string) bool {
	for _, option := range data {
		if k, _, _ := spec.CutData(option); k == key {
			return true
		}
	}
	return false
}
