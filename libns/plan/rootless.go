package plan

import (
	specs "github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"
)

// What is different for the containers of an ordinary user. Inside of their user
// namespace they are made like any other; outside of it the runtime is nobody,
// not even to the init stage that it has started.

// unprivileged says that the runtime's user is an ordinary one.
func (c *compiler) unprivileged() bool { return c.Facts.EUID != 0 }

// inUserNamespace says that the container is in another user namespace than the
// host's: its own, or one that the runtime is in.
func (c *compiler) inUserNamespace() bool { return c.mapped || c.Facts.UserNamespace }

// exposed says that the init stage stays within reach of its parent, if that is
// an ordinary user: who could not map its ids, fetch its seccomp listener or
// join its namespaces otherwise. Within reach it is of nobody else whom the
// caller does not trust: the user namespace is new, so that nobody is in there,
// and no pid namespace is shared with anybody who has rights over it.
func (c *compiler) exposed() bool {
	user, _ := c.namespace(specs.UserNamespace)
	pid, _ := c.namespace(specs.PIDNamespace)
	return c.unprivileged() && !c.joining && user.Path == "" && pid.Path == ""
}

// hide puts the init stage out of reach, being not dumpable: nothing in a
// namespace that is joined may trace it or look at its descriptors
// (CVE-2016-9962). execve undoes it.
func (c *compiler) hide() { c.setDumpable(0) }

// hideBeforeJoining is for an ordinary user, who could not write even to what the
// init stage has in /proc while it is hidden: it is as late as it may be.
func (c *compiler) hideBeforeJoining() {
	if c.unprivileged() {
		c.step("", "be out of reach of other processes")
		c.hide()
	}
}

// afterChangeOfIDs keeps the init stage within reach or out of it: the kernel
// makes a process whose ids change what sysctl fs.suid_dumpable says.
func (c *compiler) afterChangeOfIDs() {
	if c.exposed() {
		c.setDumpable(1)
	} else {
		c.hide()
	}
}

func (c *compiler) setDumpable(value int) {
	c.call(unix.SYS_PRCTL, imm(unix.PR_SET_DUMPABLE), imm(value), imm(0), imm(0), imm(0))
}
