package plan

import (
	"fmt"
	"slices"

	"golang.org/x/sys/unix"
)

// execLabels says which AppArmor profile and which SELinux label the program
// gets when it is executed. It happens while the init stage is still outside,
// through the host's own procfs: inside a container, other files could pass for
// the kernel's (CVE-2019-16884). What is written belongs to the process and its
// children, and has no effect before execve.
func (c *compiler) execLabels() {
	profile, label := c.Config.Process.ApparmorProfile, c.Config.Process.SelinuxLabel
	if profile == "" && label == "" {
		return
	}
	attr, statfs := c.word("attr"), c.buffer("statfs", sizeofStatfs)
	c.step("", "open the kernel's files for labels")
	c.call(unix.SYS_OPENAT, cwdFD, c.str("/proc"), imm(unix.O_PATH|unix.O_DIRECTORY|unix.O_CLOEXEC), imm(0)).to(attr)
	c.call(unix.SYS_FSTATFS, load(attr), addr(statfs))
	c.call(OpIs, load(statfs), imm(^uint64(0)), imm(unix.PROC_SUPER_MAGIC), imm(unix.EPERM)).means("what is mounted on /proc is no procfs")
	if profile != "" {
		c.step("process.apparmorProfile", "confine the program with the AppArmor profile "+profile)
		c.writeLabel(attr, "apparmor/exec", "exec "+profile, unix.ENOENT, "AppArmor has no profile "+profile+" loaded")
	}
	if label != "" {
		unknown := "the SELinux policy has no label " + label
		c.step("process.selinuxLabel", "execute the program with the SELinux label "+label)
		c.writeLabel(attr, "exec", label, unix.EINVAL, unknown)
		if !c.NoNewKeyring {
			c.step("process.selinuxLabel", "give keyrings the same label")
			c.writeLabel(attr, "keycreate", label, unix.EINVAL, unknown)
		}
	}
	c.close(attr)
}

// writeLabel writes to one of the init stage's own files in /proc/PID/attr.
// Nothing may be mounted on it. unknown is what the error errno means.
func (c *compiler) writeLabel(proc Ref, file, text string, errno unix.Errno, unknown string) {
	fd, refused, done := c.word("t"), c.label(), c.label()
	const own = unix.RESOLVE_BENEATH | unix.RESOLVE_NO_XDEV | unix.RESOLVE_NO_MAGICLINKS
	c.open(proc, "self/attr/"+file, unix.O_WRONLY, own).to(fd)
	c.call(unix.SYS_WRITE, load(fd), c.str(text), imm(len(text))).on(errno, refused).then(done)
	c.bind(refused)
	c.fail(errno, unknown)
	c.bind(done)
	c.close(fd)
}

// labelled adds linux.mountLabel to the options of a new filesystem, as the
// SELinux label of all of its files. Those filesystems are left out that label
// their files themselves.
func (c *compiler) labelled(kind string, options []string) []string {
	label := c.mountLabel()
	option := c.Config.MountContextType()
	if label == "" || slices.Contains(selfLabelled, kind) || hasOption(options, "context") || hasOption(options, option) {
		return options
	}
	return append(slices.Clip(options), option+"="+label)
}

// selfLabelled are the filesystems without the option. The root of an mqueue
// can be labelled once it is there.
var selfLabelled = []string{"proc", "sysfs", "mqueue", "cgroup", "cgroup2"}

// labelQueue labels the root directory of an mqueue filesystem.
func (c *compiler) labelQueue(kind string, mount Ref) {
	label := c.mountLabel()
	if label == "" || kind != "mqueue" {
		return
	}
	fd := c.word("t")
	c.open(mount, ".", unix.O_RDONLY|unix.O_DIRECTORY, unix.RESOLVE_BENEATH).to(fd)
	c.call(unix.SYS_FSETXATTR, load(fd), c.str("security.selinux"), c.str(label), imm(len(label)), imm(0)).
		means(fmt.Sprintf("linux.mountLabel: SELinux does not label it %s", label))
	c.close(fd)
}

func (c *compiler) mountLabel() string {
	if c.Config.Linux == nil {
		return ""
	}
	return c.Config.Linux.MountLabel
}
