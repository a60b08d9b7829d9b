package plan

import (
	"strconv"

	"golang.org/x/sys/unix"
)

// makeCgroup is first: the init stage is born in its cgroup.
func (c *compiler) makeCgroup() {
	if c.Cgroup.Unified != "" && c.Cgroup.Unit == nil {
		c.host("linux.cgroupsPath", MakeCgroup{Directory: c.Cgroup.Unified})
	}
}

func (c *compiler) makeGate() {
	if c.Gated {
		c.host("", MakeGate{})
	}
}

func (c *compiler) makeNotifySocket() {
	if c.NotifySocket {
		c.host("", MakeNotifySocket{Listen: !c.Gated})
	}
}

// launch clones the init stage. Only a new pid namespace must be asked for
// here, because a process cannot change its own; the network namespace is there
// already ([MakeNetwork]), and everything else is unshared by the init stage, at the
// same time as the parent goes on. A pid namespace
// that has to belong to a user namespace comes after that: see enterPIDNamespace.
func (c *compiler) launch() {
	var flags uint64
	if ns, ok := c.namespace("pid"); ok && ns.Path == "" && !c.mapped {
		flags = unix.CLONE_NEWPID
	}
	c.host("", Launch{CloneFlags: flags, IntoCgroup: c.birthplace()})
}

// birthplace is the cgroup that the init stage is cloned into, "" for the
// runtime's own. systemd makes a scope only for a process that there is, and
// a user may not clone into one.
func (c *compiler) birthplace() string {
	unit := c.Cgroup.Unit
	if unit == nil || c.joining && !unit.User {
		return c.Cgroup.Unified
	}
	return ""
}

// saveState is early and holds nothing up: whatever dies after it, delete
// knows the process. Where the init stage forks, the process that stays is not
// there yet.
func (c *compiler) saveState() {
	if !c.forks() {
		c.host("", SaveState{})
	}
}

// StageName is what the init stage is called (/proc/PID/comm) until execve.
const StageName = "rt-init"

// isolateProcess drops everything that the caller lent without meaning to.
func (c *compiler) isolateProcess() {
	c.step("", "close the caller's other descriptors")
	c.call(unix.SYS_CLOSE_RANGE, imm(c.p.FirstFreeFD()), imm(^uint32(0)), imm(0))

	if c.unprivileged() {
		c.step("", "begin a session of its own")
	} else {
		c.step("", "be out of reach of other processes, in a session of its own")
		c.hide()
	}
	c.call(unix.SYS_PRCTL, imm(unix.PR_SET_NAME), c.str(StageName), imm(0), imm(0), imm(0))
	c.call(unix.SYS_SETSID).ignore(unix.EPERM)
	c.oldMask = c.word("umask")
	c.call(unix.SYS_UMASK, imm(0)).to(c.oldMask)
}

// oomScoreAdj is set before any namespace is entered, through the host's own
// procfs, so that every later stage of the process has it.
func (c *compiler) oomScoreAdj() {
	adj := c.Config.Process.OOMScoreAdj
	if adj == nil {
		return
	}
	text := strconv.Itoa(*adj)
	c.step("process.oomScoreAdj", "set oom_score_adj to "+text)
	fd := c.word("t")
	c.call(unix.SYS_OPENAT, cwdFD, c.str("/proc/self/oom_score_adj"), imm(unix.O_WRONLY|unix.O_CLOEXEC), imm(0)).to(fd)
	c.call(unix.SYS_WRITE, load(fd), c.str(text), imm(len(text)))
	c.call(unix.SYS_CLOSE, load(fd))
}

// joinCgroup moves the init stage on cgroup v1, where a process cannot be born
// in its cgroup. Nothing has been forked and no cgroup namespace made yet.
func (c *compiler) joinCgroup() {
	if len(c.Cgroup.V1) > 0 {
		c.host("linux.cgroupsPath", JoinCgroup{Groups: c.Cgroup.V1})
	}
}

// joinKeyring gives the container a session keyring of its own, so that it
// sees none of the caller's keys. Its SELinux label is that of the program: see
// execLabels. A kernel without keyrings has none to hide.
func (c *compiler) joinKeyring() {
	if c.NoNewKeyring {
		return
	}
	c.step("", "join a new session keyring")
	c.call(unix.SYS_KEYCTL, imm(unix.KEYCTL_JOIN_SESSION_KEYRING), c.str("_ses."+c.ID)).ignore(unix.ENOSYS)
}
