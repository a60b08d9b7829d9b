package plan

import (
	"encoding/binary"
	"fmt"
	"path"
	"strings"

	"golang.org/x/sys/unix"

	"rt/spec"
)

func (c *compiler) noNewPrivileges() {
	if !c.Config.Process.NoNewPrivileges {
		return
	}
	c.step("process.noNewPrivileges", "never gain privileges again")
	c.call(unix.SYS_PRCTL, imm(unix.PR_SET_NO_NEW_PRIVS), imm(1), imm(0), imm(0), imm(0))
}

// ownStdio gives the program's user the pipes, sockets and files that the
// caller passed as stdio, so that it can open /dev/stdout. Character devices
// are not the caller's to give: the null device and terminals stay as they are.
//
// An ordinary user has that right only as root of the user namespace: there it is
// done by ownStdioInside.
func (c *compiler) ownStdio() {
	if !c.unprivileged() {
		c.giveStdio(c.hostUID(c.Config.Process.User.UID))
	}
}

func (c *compiler) ownStdioInside() {
	if c.unprivileged() {
		c.giveStdio(c.Config.Process.User.UID)
	}
}

func (c *compiler) giveStdio(uid uint32) {
	if uid == 0 || c.Config.Process.Terminal {
		return
	}
	c.step("process.user.uid", fmt.Sprintf("give stdio to user %d", uid))
	stat := c.buffer("stat", sizeofStatx)
	for fd := range 3 {
		skip := c.label()
		c.call(unix.SYS_STATX, imm(fd), c.str(""), imm(unix.AT_EMPTY_PATH), imm(unix.STATX_BASIC_STATS), addr(stat)).on(AnyErrno, skip)
		c.fileType(stat, unix.S_IFCHR, unix.ENODEV).then(skip).ignore(unix.ENODEV)
		c.call(unix.SYS_FCHOWN, imm(fd), imm(uid), imm(^uint32(0))).ignore(unix.EPERM, unix.EROFS, unix.EINVAL)
		c.bind(skip)
	}
}

// makeCwd makes the working directory while the root can still be written to.
// Magic links are not followed: /proc/self/fd/N is no place inside the
// container (CVE-2024-21626).
func (c *compiler) makeCwd() {
	cwd := relative(c.Config.Process.Cwd)
	if cwd == "" {
		return
	}
	c.step("process.cwd", "find the working directory /"+cwd)
	at := c.openMountPoint(mountPoint{path: cwd})
	c.close(at)
}

// enterCwd tries with the runtime's privileges first. A directory that only the
// program's user may enter is entered after the change of user.
func (c *compiler) enterCwd() {
	c.step("process.cwd", "change to the working directory "+c.Config.Process.Cwd)
	c.call(unix.SYS_CHDIR, c.str(c.Config.Process.Cwd)).to(c.preset("not there", 1)).ignore(unix.EACCES)
}

// checkCwd makes sure that the working directory is inside the container: a
// descriptor that leaked could have led to one that is not (CVE-2024-21626).
func (c *compiler) checkCwd() {
	c.step("process.cwd", "check that the working directory is inside the container")
	there := c.label()
	c.call(OpIs, load(c.word("not there")), imm(1), imm(0), imm(unix.EACCES)).then(there).ignore(unix.EACCES)
	c.call(unix.SYS_CHDIR, c.str(c.Config.Process.Cwd))
	c.bind(there)
	buffer := c.buffer("cwd", unix.PathMax)
	const meaning = "the working directory is outside of the container's root"
	c.call(unix.SYS_GETCWD, addr(buffer), imm(unix.PathMax)).means(meaning)
	c.call(OpIs, load(buffer), imm(0xff), imm('/'), imm(unix.ENOENT)).means(meaning)
}

// changeUser becomes the program's user. The permitted capabilities survive,
// for the capability sets that come next.
func (c *compiler) changeUser() {
	user := c.Config.Process.User
	c.step("process.user", fmt.Sprintf("become user %d, group %d", user.UID, user.GID))
	c.call(unix.SYS_PRCTL, imm(unix.PR_SET_KEEPCAPS), imm(1), imm(0), imm(0), imm(0))
	if !c.Config.KeepsGroups() {
		c.setGroups(user.AdditionalGids)
	}
	c.call(unix.SYS_SETRESGID, imm(user.GID), imm(user.GID), imm(user.GID))
	c.call(unix.SYS_SETRESUID, imm(user.UID), imm(user.UID), imm(user.UID))
	if c.exposed() {
		c.afterChangeOfIDs()
	}
	c.umask()
}

// setGroups takes the caller's supplementary groups away and gives these.
func (c *compiler) setGroups(gids []uint32) {
	groups := make([]byte, 0, 4*len(gids))
	for _, gid := range gids {
		groups = binary.LittleEndian.AppendUint32(groups, gid)
	}
	list := null
	if len(groups) > 0 {
		list = c.constant(groups)
	}
	call := c.call(unix.SYS_SETGROUPS, imm(len(gids)), list)
	if len(gids) == 0 && c.inUserNamespace() {
		// setgroups(2) may be denied there, to prevent just this: that who is
		// in a group for being kept out of something leaves it.
		call.ignore(unix.EPERM)
	}
}

// umask sets the program's file mode creation mask. Without a setting, the first
// process of a container with file systems of its own has the usual one, and
// any other the caller's.
func (c *compiler) umask() {
	switch mask := c.Config.Process.User.Umask; {
	case mask != nil:
		c.call(unix.SYS_UMASK, imm(*mask))
	case c.hasMountNamespace() && !c.joining:
		c.call(unix.SYS_UMASK, imm(0o022))
	default:
		c.call(unix.SYS_UMASK, load(c.oldMask))
	}
}

// closeOnExec marks everything above the descriptors that the program gets.
// Nothing the init stage opened would survive anyway: this is for what it did
// not open. Linux 5.10 does not know the flag.
func (c *compiler) closeOnExec() {
	c.step("", fmt.Sprintf("close all descriptors from %d on at execve", 3+c.ExtraFDs))
	c.call(unix.SYS_CLOSE_RANGE, imm(3+c.ExtraFDs), imm(^uint32(0)), imm(unix.CLOSE_RANGE_CLOEXEC)).ignore(unix.EINVAL)
}

// findProgram looks args[0] up like execvp(3), with the PATH of process.env,
// inside the container and with the program's own rights: a create fails for a
// program that cannot be started, not only the start.
func (c *compiler) findProgram() {
	name := c.Config.Process.Args[0]
	c.step("process.args[0]", "find the program "+name)
	if strings.Contains(name, "/") {
		c.checkProgram(name)
		return
	}
	search, _ := spec.LookupEnv(c.Config.Process.Env, "PATH")
	found := c.label()
	for _, directory := range strings.Split(search, ":") {
		if search == "" {
			break
		}
		c.tryProgram(path.Join(directory, name), found)
	}
	c.fail(unix.ENOENT, fmt.Sprintf("exec: %q: executable file not found in $PATH", name))
	c.bind(found)
}

// tryProgram goes on at found if p can be executed.
func (c *compiler) tryProgram(p string, found label) {
	otherwise, stat := c.label(), c.buffer("stat", sizeofStatx)
	c.executable(p).on(AnyErrno, otherwise)
	c.call(unix.SYS_STATX, cwdFD, c.str(p), imm(0), imm(unix.STATX_BASIC_STATS), addr(stat)).on(AnyErrno, otherwise)
	c.fileType(stat, unix.S_IFDIR, unix.ENOTDIR).then(otherwise).ignore(unix.ENOTDIR)
	c.call(OpSet, c.str(p)).to(c.exe).then(found)
	c.bind(otherwise)
}

// checkProgram says what is wrong with a program that is named by its path.
func (c *compiler) checkProgram(p string) {
	denied, missing, directory, found := c.label(), c.label(), c.label(), c.label()
	stat := c.buffer("stat", sizeofStatx)
	c.call(unix.SYS_STATX, cwdFD, c.str(p), imm(0), imm(unix.STATX_BASIC_STATS), addr(stat)).
		on(unix.ENOENT, missing).on(unix.EACCES, denied)
	c.fileType(stat, unix.S_IFDIR, unix.ENOTDIR).then(directory).ignore(unix.ENOTDIR)
	c.executable(p).on(unix.EACCES, denied)
	c.call(OpSet, c.str(p)).to(c.exe).then(found)
	c.bind(missing)
	c.fail(unix.ENOENT, fmt.Sprintf("exec: %q: stat %s: no such file or directory", p, p))
	c.bind(denied)
	c.fail(unix.EACCES, fmt.Sprintf("exec: %q: permission denied", p))
	c.bind(directory)
	// Engines before Docker 25 know this failure only by what execve(2) answers.
	c.fail(unix.EACCES, fmt.Sprintf("exec: %q: permission denied, it is a directory", p))
	c.bind(found)
}

// executable asks the kernel, not the mode bits: capabilities and access
// control lists have a say.
func (c *compiler) executable(p string) callBuilder {
	return c.call(unix.SYS_FACCESSAT2, cwdFD, c.str(p), imm(unix.X_OK), imm(unix.AT_EACCESS))
}

// fail ends the init stage with errno and an explanation.
func (b *builder) fail(errno unix.Errno, meaning string) {
	b.call(OpIs, imm(0), imm(1), imm(1), imm(errno)).means(meaning)
}
