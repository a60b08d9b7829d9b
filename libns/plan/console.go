package plan

import (
	"encoding/binary"

	"golang.org/x/sys/unix"
)

// console makes the terminal of process.terminal out of the container's own
// devpts (pty(7)): slave on stdin, stdout, stderr and /dev/console, master to
// the parent. The slave is asked of the master, never looked up by a name that
// the image could have put something else under (CVE-2025-52565).
func (c *compiler) console() {
	if !c.Config.Process.Terminal {
		return
	}
	const field = "process.terminal"
	master, slave := c.word("master"), c.word("slave")
	const meaning = "a terminal needs a devpts filesystem on /dev/pts of the container"

	c.step(field, "open a terminal of the container's devpts")
	c.open(c.root, "dev/pts/ptmx", unix.O_RDWR|unix.O_NOCTTY, noSymlinks).to(master).means(meaning)
	statfs := c.buffer("statfs", sizeofStatfs)
	c.call(unix.SYS_FSTATFS, load(master), addr(statfs))
	c.call(OpIs, load(statfs), imm(^uint64(0)), imm(unix.DEVPTS_SUPER_MAGIC), imm(unix.ENOTTY)).means(meaning)
	unlocked := c.constant(make([]byte, 4))
	c.call(unix.SYS_IOCTL, load(master), imm(unix.TIOCSPTLCK), unlocked)
	c.call(unix.SYS_IOCTL, load(master), imm(unix.TIOCGPTPEER), imm(unix.O_RDWR|unix.O_NOCTTY|unix.O_CLOEXEC)).to(slave)
	if size := c.Config.Process.ConsoleSize; size != nil && size.Height != 0 && size.Width != 0 {
		c.call(unix.SYS_IOCTL, load(master), imm(unix.TIOCSWINSZ), c.constant(winsize(uint16(size.Height), uint16(size.Width))))
	}
	c.call(unix.SYS_FCHOWN, load(slave), imm(c.Config.Process.User.UID), imm(^uint32(0)))

	c.deviceConsole(slave)
	c.host(field, TakeConsole{Socket: c.ConsoleSocket}, master)

	c.step(field, "make it the controlling terminal, on stdin, stdout and stderr")
	for fd := range 3 {
		c.call(unix.SYS_DUP3, load(slave), imm(fd), imm(0))
	}
	c.call(unix.SYS_IOCTL, imm(0), imm(unix.TIOCSCTTY), imm(0))
	c.close(slave)
	c.close(master)
}

// deviceConsole binds the terminal on /dev/console. Where the image is on a
// read-only file system and has no such file, the container goes without.
func (c *compiler) deviceConsole(slave Ref) {
	if c.joining || !c.makesDev() {
		return
	}
	const field = "process.terminal"
	c.step(field, "bind it on /dev/console")
	at, mount := c.word("t"), c.word("m")
	done := c.label()
	c.call(unix.SYS_MKNODAT, load(c.dev), c.str("console"), imm(unix.S_IFREG|0o600), imm(0)).ignore(unix.EEXIST).on(unix.EROFS, done)
	c.open(c.dev, "console", unix.O_PATH, noSymlinks).to(at).means("/dev/console in the root filesystem is a symbolic link")
	c.clone(slave, false).to(mount)
	c.attach(mount, at)
	c.close(at)
	c.close(mount)
	c.bind(done)
}

// reopenNull replaces stdio that is the host's null device by the container's
// own, so that no descriptor leads out of the container. Only a real null
// device is opened in its place (CVE-2026-88265); without one, stdio stays.
func (c *compiler) reopenNull() {
	if c.Config.Process.Terminal || !c.hasMountNamespace() || c.Config.RootPath() == "/" {
		return
	}
	c.step("", "replace stdio on the host's /dev/null by the container's own")
	null := c.word("t")
	done := c.label()
	for fd := range 3 {
		other := c.label()
		c.isNull(imm(fd), other)
		c.open(c.root, "dev/null", unix.O_PATH, noSymlinks).to(null).on(AnyErrno, done)
		c.isNull(load(null), done)
		c.close(null)
		c.open(c.root, "dev/null", unix.O_RDWR|unix.O_NOCTTY, noSymlinks).to(null).on(AnyErrno, done)
		c.isNull(load(null), done)
		c.call(unix.SYS_DUP3, load(null), imm(fd), imm(0))
		c.close(null)
		c.bind(other)
	}
	c.bind(done)
}

// isNull goes on with the next call if fd refers to a null device, and
// elsewhere if it is closed or anything else.
func (c *compiler) isNull(fd Arg, otherwise label) {
	stat := c.buffer("stat", sizeofStatx)
	c.call(unix.SYS_STATX, fd, c.str(""), imm(unix.AT_EMPTY_PATH), imm(unix.STATX_BASIC_STATS), addr(stat)).on(AnyErrno, otherwise)
	c.fileType(stat, unix.S_IFCHR, unix.ENODEV).on(unix.ENODEV, otherwise)
	c.rdev(stat, 1, 3, unix.ENODEV).on(unix.ENODEV, otherwise)
}

func winsize(rows, columns uint16) []byte {
	b := binary.LittleEndian.AppendUint16(nil, rows)
	b = binary.LittleEndian.AppendUint16(b, columns)
	return append(b, 0, 0, 0, 0)
}
