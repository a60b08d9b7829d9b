package plan

import (
	"fmt"
	"strconv"

	"golang.org/x/sys/unix"
)

// ExecRequest is everything that the plan of one more process in a container is
// compiled from. Request.Config.Process is that process; the rest of the config
// is the container's. Request.Cgroup is the cgroup that it joins.
type ExecRequest struct {
	Request
	// Init is the pid of the container's first process, of which a pidfd is
	// passed to the init stage ([Target]).
	Init int
	// Join has the CLONE_NEW* flags of the namespaces in which Init is and the
	// runtime is not.
	Join uint64
	// OrCgroup is where the process is born if the kernel does not let it into
	// Cgroup.Unified: where the container has given that cgroup children with
	// controllers, only those take processes (cgroups(7)).
	OrCgroup string
}

// ForExec compiles the plan of one more process in a container. Everything that
// belongs to the container (mounts, devices, masks, names) is there already;
// what belongs to a process is done as in [ForCreate], by the same code.
func ForExec(r *ExecRequest) (*Plan, error) {
	c := newCompiler(&r.Request)
	c.joining, c.mapped = true, r.Join&unix.CLONE_NEWUSER != 0
	if err := c.findFilter(); err != nil {
		return nil, err
	}
	c.begin(Control, Target)

	c.host("", Launch{IntoCgroup: c.birthplace(), OrCgroup: r.OrCgroup})
	c.shareTrace()
	c.isolateProcess()
	c.oomScoreAdj()
	c.execLabels()
	c.initialAffinity()
	c.enterCgroup()
	c.enterRDT()
	c.attachToUnit(r.OrCgroup)
	c.finalAffinity()
	c.ownStdio()
	c.enterNamespaces(r)
	c.ownStdioInside()
	c.joinKeyring()
	c.console()
	c.reopenNull()

	c.process()
	c.ready()
	c.confine()
	c.execute()
	c.afterExec()
	return c.finish()
}

// enterCgroup moves the init stage into the container's v1 cgroups.
func (c *compiler) enterCgroup() {
	if len(c.Cgroup.V1) > 0 {
		c.host("linux.cgroupsPath", EnterCgroup{Groups: c.Cgroup.V1})
	}
}

// enterNamespaces joins all of the container's namespaces at once, through the
// pidfd: no path in /proc is trusted to be what it was a moment ago. The
// container's root comes with its mount namespace; a container without one has
// its root directory from chroot(2), which is entered by a descriptor that is
// taken before. The path led to that process if it still exists afterwards: then
// its pid was nobody else's.
func (c *compiler) enterNamespaces(r *ExecRequest) {
	if r.Join&unix.CLONE_NEWNS == 0 {
		c.step("root.path", "find the container's root directory")
		path := "/proc/" + strconv.Itoa(r.Init) + "/root"
		c.call(unix.SYS_OPENAT, cwdFD, c.str(path), imm(unix.O_PATH|unix.O_DIRECTORY|unix.O_CLOEXEC), imm(0)).to(c.root)
		const meaning = "the container has stopped"
		c.call(unix.SYS_PIDFD_SEND_SIGNAL, imm(c.p.FD(Target)), imm(0), null, imm(0)).means(meaning)
	}
	c.joinTarget(r.Join)
	if r.Join&unix.CLONE_NEWNS == 0 {
		c.chroot()
		return
	}
	c.step("root.path", "open the container's root directory")
	c.call(unix.SYS_OPENAT, cwdFD, c.str("/"), imm(unix.O_PATH|unix.O_DIRECTORY|unix.O_CLOEXEC), imm(0)).to(c.root)
}

// joinTarget joins namespaces of the target, all in one call, which looks at the
// caller's rights only: no order of them matters.
func (c *compiler) joinTarget(join uint64) {
	const field = "linux.namespaces"
	c.hideBeforeJoining()
	if c.mapped {
		c.leaveGroups()
	}
	if join != 0 {
		c.step(field, "join the container's namespaces")
		c.call(unix.SYS_SETNS, imm(c.p.FD(Target)), imm(join))
	}
	if c.mapped {
		c.becomeRoot(field)
	}
	if join&unix.CLONE_NEWPID != 0 {
		c.fork(field)
	}
}

// process gives the init stage the attributes of the program that it becomes.
func (c *compiler) process() {
	c.prepare()
	c.noNewPrivileges()
	c.scheduling()
	c.personality()
	c.boundingSet()
	c.enterCwd()
	c.changeUser()
	c.capabilities()
	c.checkCwd()
	c.findProgram()
	c.closeOnExec()
	if c.filterAsks() {
		c.loadFilter()
	}
}

// EnterCgroup moves the init stage into existing cgroups of v1 hierarchies.
type EnterCgroup struct{ Groups []V1Group }

// Title names the action.
func (a EnterCgroup) Title() string {
	return fmt.Sprintf("join the container's cgroups in %d v1 hierarchies", len(a.Groups))
}

// Holds is true: the program must not start before it is confined.
func (EnterCgroup) Holds() bool { return true }
