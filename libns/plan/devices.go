package plan

import (
	"fmt"
	"path"

	specs "github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"

	"rt/spec"
)

// deviceNode is one device to be made.
type deviceNode struct {
	specs.LinuxDevice
	field string
}

// defaultDevices makes the devices and links that every container has
// (config-linux.md, "Default Devices"; runtime-linux.md, "Dev symbolic links").
//
// A /dev that is bound from somewhere belongs to somebody else and is left as
// it is. So is the host's own /dev, when the root is "/".
func (c *compiler) defaultDevices() {
	if !c.makesDev() {
		return
	}
	c.step("", "open /dev")
	there := c.label()
	again := c.here()
	c.open(c.root, "dev", unix.O_PATH|unix.O_DIRECTORY, inRoot).to(c.dev).then(there).ignore(unix.ENOENT)
	c.call(unix.SYS_MKDIRAT, load(c.root), c.str("dev"), imm(0o755)).then(again)
	c.bind(there)

	c.step("", "make the default devices")
	for _, d := range spec.DefaultDevices() {
		if !c.configures(d.Path) {
			c.makeDevice(deviceNode{LinuxDevice: d}, c.dev)
		}
	}
	c.step("", "make the default links in /dev")
	for _, l := range spec.DefaultSymlinks() {
		if l.Target == "/proc/kcore" && !c.Facts.KCore {
			continue
		}
		c.call(unix.SYS_SYMLINKAT, c.str(l.Target), load(c.dev), c.str(path.Base(l.Path))).ignore(unix.EEXIST)
	}
	// The multiplexer that belongs to the container's own devpts, and no other.
	again = c.label()
	done := c.label()
	c.bind(again)
	c.call(unix.SYS_SYMLINKAT, c.str("pts/ptmx"), load(c.dev), c.str("ptmx")).then(done).ignore(unix.EEXIST)
	c.call(unix.SYS_UNLINKAT, load(c.dev), c.str("ptmx"), imm(0)).then(again)
	c.bind(done)
}

// makesDev says whether /dev is the container's own to fill.
func (c *compiler) makesDev() bool {
	if !c.hasMountNamespace() {
		return false
	}
	own := c.Config.RootPath() != "/"
	for _, m := range c.mountEntries() {
		if m.path == "dev" {
			own = !m.options.Bind
		}
	}
	return own
}

// configures says whether linux.devices has its own idea of a device.
func (c *compiler) configures(path string) bool {
	for _, d := range c.Config.Linux.Devices {
		if relative(d.Path) == relative(path) {
			return true
		}
	}
	return false
}

// devices makes the devices of linux.devices. /dev/ptmx is none of them: it is
// the link to the container's own devpts.
func (c *compiler) devices() {
	if !c.hasMountNamespace() {
		return
	}
	for i, d := range c.Config.Linux.Devices {
		if relative(d.Path) == "dev/ptmx" {
			continue
		}
		node := deviceNode{LinuxDevice: d, field: fmt.Sprintf("linux.devices[%d]", i)}
		c.step(node.field, "make device "+d.Path)
		directory := c.openMountPoint(mountPoint{path: relative(path.Dir(path.Clean("/" + d.Path)))})
		c.makeDevice(node, directory)
		c.close(directory)
	}
}

// makeDevice makes one device in directory. The name must be free, or be the
// very same device: a file that the image put there is not taken for one.
func (c *compiler) makeDevice(d deviceNode, directory Ref) {
	name := c.str(path.Base(d.Path))
	mode := spec.DeviceMode(d.LinuxDevice)
	if c.inUserNamespace() && mode&unix.S_IFMT != unix.S_IFIFO {
		c.bindDevice(d, directory)
		return
	}
	exists, done := c.label(), c.label()
	made := c.call(unix.SYS_MKNODAT, load(directory), name, imm(mode), imm(unix.Mkdev(uint32(d.Major), uint32(d.Minor)))).on(unix.EEXIST, exists)
	if uid, gid := owner(d.LinuxDevice); uid|gid != 0 {
		made = c.call(unix.SYS_FCHOWNAT, load(directory), name, imm(uid), imm(gid), imm(unix.AT_SYMLINK_NOFOLLOW))
		// A change of owner takes the set-id bits away.
		if mode&(unix.S_ISUID|unix.S_ISGID) != 0 {
			made = c.call(unix.SYS_FCHMODAT, load(directory), name, imm(mode&0o7777))
		}
	}
	made.then(done)
	c.bind(exists)
	meaning := fmt.Sprintf("%s exists in the root filesystem and is not this device", d.Path)
	stat := c.buffer("stat", sizeofStatx)
	c.call(unix.SYS_STATX, load(directory), name, imm(unix.AT_SYMLINK_NOFOLLOW), imm(unix.STATX_BASIC_STATS), addr(stat))
	c.checkDevice(stat, d, meaning)
	c.bind(done)
}

// checkDevice makes sure that stat is of the device.
func (c *compiler) checkDevice(stat Ref, d deviceNode, meaning string) {
	kind := spec.DeviceMode(d.LinuxDevice) & unix.S_IFMT
	c.fileType(stat, kind, unix.EEXIST).means(meaning)
	if kind != unix.S_IFIFO {
		c.rdev(stat, uint32(d.Major), uint32(d.Minor), unix.EEXIST).means(meaning)
	}
}

// bindDevice shows the host's device of the same path instead: nobody makes
// devices in a user namespace, and those on its filesystems cannot be opened.
// What is there already in directory is hidden by it. Owner and mode are those
// on the host.
func (c *compiler) bindDevice(d deviceNode, directory Ref) {
	source, name := path.Clean("/"+d.Path), path.Base(d.Path)
	mount, at := c.word("m"), c.word("node")
	c.cloneHost(source, false, mount).means("in a user namespace a device is the host's of that path:")
	c.checkDevice(c.stat(load(mount)), d, fmt.Sprintf("the host's %s is not device %d:%d", source, d.Major, d.Minor))
	c.call(unix.SYS_MKNODAT, load(directory), c.str(name), imm(unix.S_IFREG|0o666), imm(0)).ignore(unix.EEXIST)
	c.open(directory, name, unix.O_PATH, noSymlinks).to(at).means(d.Path + " in the root filesystem is a symbolic link")
	c.attach(mount, at)
	c.close(at)
	c.close(mount)
}

func owner(d specs.LinuxDevice) (uid, gid uint32) {
	if d.UID != nil {
		uid = *d.UID
	}
	if d.GID != nil {
		gid = *d.GID
	}
	return uid, gid
}
