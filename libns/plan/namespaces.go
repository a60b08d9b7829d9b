package plan

import (
	"fmt"
	"slices"

	specs "github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"

	"rt/spec"
)

// joinOrder lists the namespaces in the order in which they are joined: the
// mount namespace last, because joining it changes what paths mean.
var joinOrder = []specs.LinuxNamespaceType{
	specs.CgroupNamespace, specs.IPCNamespace, specs.UTSNamespace,
	specs.TimeNamespace, specs.NetworkNamespace, specs.PIDNamespace, specs.MountNamespace,
}

// cloneFlag is the CLONE_NEW* flag of a type of namespace.
func cloneFlag(kind specs.LinuxNamespaceType) uint64 {
	ns, _ := spec.LookupNamespace(kind)
	return ns.Flag
}

// namespace gives the config's entry for a type of namespace.
func (c *compiler) namespace(kind specs.LinuxNamespaceType) (specs.LinuxNamespace, bool) {
	_, ns, ok := c.namespaceEntry(kind)
	return ns, ok
}

func (c *compiler) namespaceEntry(kind specs.LinuxNamespaceType) (string, specs.LinuxNamespace, bool) {
	if c.Config.Linux == nil {
		return "", specs.LinuxNamespace{}, false
	}
	for i, ns := range c.Config.Linux.Namespaces {
		if ns.Type == kind {
			return fmt.Sprintf("linux.namespaces[%d]", i), ns, true
		}
	}
	return "", specs.LinuxNamespace{}, false
}

// joinNamespaces enters the namespaces that the config names by path. All of
// them are opened before the first is entered: afterwards the paths may mean
// something else. setns(2) checks that each is of the type that was asked for.
//
// A user namespace that is joined may own the others or not: what the caller's
// rights suffice for is joined before it, and what they do not with the rights
// that come with it.
func (c *compiler) joinNamespaces() {
	if ns, ok := c.namespace(specs.UserNamespace); !ok || ns.Path == "" {
		for _, kind := range c.openNamespaces(joinOrder) {
			c.joinNamespace(kind)
		}
		return
	}
	opened := c.openNamespaces(slices.Concat(joinOrder, []specs.LinuxNamespaceType{specs.UserNamespace}))
	c.hideBeforeJoining()
	others := opened[:len(opened)-1]
	for _, kind := range others {
		c.tryNamespace(kind)
	}
	c.joinUserNamespace()
	for _, kind := range others {
		c.joinUntried(kind)
	}
}

// namespaceFD is the word for the descriptor of a namespace that is joined.
func (c *compiler) namespaceFD(kind specs.LinuxNamespaceType) Ref {
	return c.word("ns_" + string(kind))
}

// openNamespaces opens those of the namespaces that the config names by path,
// and gives their types.
func (c *compiler) openNamespaces(order []specs.LinuxNamespaceType) []specs.LinuxNamespaceType {
	var opened []specs.LinuxNamespaceType
	for _, kind := range order {
		field, ns, ok := c.namespaceEntry(kind)
		if !ok || ns.Path == "" {
			continue
		}
		c.step(field, fmt.Sprintf("open the %s namespace %s", kind, ns.Path))
		c.call(unix.SYS_OPENAT, cwdFD, c.str(ns.Path), imm(unix.O_RDONLY|unix.O_CLOEXEC), imm(0)).to(c.namespaceFD(kind))
		opened = append(opened, kind)
	}
	return opened
}

func (c *compiler) joinNamespace(kind specs.LinuxNamespaceType) {
	fd := c.namespaceFD(kind)
	field, _, _ := c.namespaceEntry(kind)
	c.step(field, fmt.Sprintf("join the %s namespace", kind))
	c.call(unix.SYS_SETNS, load(fd), imm(cloneFlag(kind)))
	c.close(fd)
}

// tryNamespace joins a namespace with the caller's rights, if they suffice. Then
// the word of its descriptor becomes 0, which is none of a namespace.
func (c *compiler) tryNamespace(kind specs.LinuxNamespaceType) {
	fd, later := c.namespaceFD(kind), c.label()
	field, _, _ := c.namespaceEntry(kind)
	c.step(field, fmt.Sprintf("join the %s namespace, if the caller may", kind))
	c.call(unix.SYS_SETNS, load(fd), imm(cloneFlag(kind))).on(unix.EPERM, later)
	c.close(fd)
	c.call(OpSet, imm(0)).to(fd)
	c.bind(later)
}

// joinUntried joins a namespace that tryNamespace did not.
func (c *compiler) joinUntried(kind specs.LinuxNamespaceType) {
	fd, joined := c.namespaceFD(kind), c.label()
	field, _, _ := c.namespaceEntry(kind)
	c.step(field, fmt.Sprintf("join the %s namespace, if not yet done", kind))
	c.call(OpIs, load(fd), imm(^uint64(0)), imm(0), imm(unix.EBADF)).then(joined).ignore(unix.EBADF)
	c.call(unix.SYS_SETNS, load(fd), imm(cloneFlag(kind)))
	c.close(fd)
	c.bind(joined)
}

// forks says that the container's process is not the one that is launched: only
// children enter a pid namespace that was joined, or made after the user
// namespace that it belongs to.
func (c *compiler) forks() bool {
	ns, ok := c.namespace(specs.PIDNamespace)
	return ok && (ns.Path != "" || c.mapped)
}

// ownsPIDNamespace says that all processes end with the first one.
func (c *compiler) ownsPIDNamespace() bool {
	ns, ok := c.namespace(specs.PIDNamespace)
	return ok && ns.Path == ""
}

// enterPIDNamespace goes on in the pid namespace that was joined or made. From
// here on the process is known to other commands.
func (c *compiler) enterPIDNamespace() {
	if c.forks() {
		field, _, _ := c.namespaceEntry(specs.PIDNamespace)
		c.fork(field)
		c.host("", SaveState{Forked: true})
	}
}

// fork continues in a child, because only children enter a pid namespace. The
// child is the runtime's own (CLONE_PARENT), so that whoever
// waits for the container waits for it. Who forked it says which process it is, and
// the child does not wait for that, but there is a barrier behind the fork in any
// case: what is done to "the process" from here on is done to this one.
func (c *compiler) fork(field string) {
	c.step(field, "fork into the pid namespace")
	goOn := c.label()
	pid := c.word("pid")
	message := c.object(Object{Kind: Struct, Bytes: messageHeader(MessageForked, 0), Writable: true})
	c.p.Fork = len(c.p.Calls)
	c.call(unix.SYS_CLONE, imm(unix.CLONE_PARENT|int(unix.SIGCHLD)), imm(0), imm(0), imm(0), imm(0)).to(pid)
	c.call(OpIs, load(pid), imm(^uint64(0)), imm(0), imm(unix.EEXIST)).then(goOn).ignore(unix.EEXIST)
	c.call(OpSet, load(pid)).to(message.At(4))
	c.call(unix.SYS_WRITE, load(c.control), addr(message), imm(MessageSize))
	c.call(unix.SYS_EXIT_GROUP, imm(0))
	c.bind(goOn)
	c.unmet = true
	// A session belongs to a process: the child needs one of its own.
	c.call(unix.SYS_SETSID).ignore(unix.EPERM)
}

// unshareNamespaces makes the new namespaces. The init stage is in its cgroup
// by now, which becomes the root of its cgroup namespace.
func (c *compiler) unshareNamespaces() {
	var flags uint64
	for _, kind := range joinOrder {
		ns, ok := c.namespace(kind)
		switch {
		case !ok || ns.Path != "":
		case kind == specs.PIDNamespace && !c.forks(): // the init stage is born in it
		case kind == specs.TimeNamespace: // see makeTimeNamespace
		case kind == specs.NetworkNamespace && c.makesNetwork():
		default:
			flags |= cloneFlag(kind)
		}
	}
	if flags == 0 {
		return
	}
	c.step("linux.namespaces", "make the new namespaces")
	c.call(unix.SYS_UNSHARE, imm(flags))
}

// loopbackUp brings lo up where the network namespace is new, unless it was made
// with it (netdevice(7)).
func (c *compiler) loopbackUp() {
	field, ns, ok := c.namespaceEntry(specs.NetworkNamespace)
	if !ok || ns.Path != "" || c.makesNetwork() {
		return
	}
	request := InterfaceUp("lo")
	socket := c.word("t")
	c.step(field, "bring the loopback interface up")
	c.call(unix.SYS_SOCKET, imm(unix.AF_INET), imm(unix.SOCK_DGRAM|unix.SOCK_CLOEXEC), imm(0)).to(socket)
	c.call(unix.SYS_IOCTL, load(socket), imm(unix.SIOCSIFFLAGS), c.constant(request[:]))
	c.call(unix.SYS_CLOSE, load(socket))
}

// names sets the host and domain name of the container's uts namespace.
func (c *compiler) names() {
	if name := c.Config.Hostname; name != "" {
		c.step("hostname", "set the hostname to "+name)
		c.call(unix.SYS_SETHOSTNAME, c.str(name), imm(len(name)))
	}
	if name := c.Config.Domainname; name != "" {
		c.step("domainname", "set the domain name to "+name)
		c.call(unix.SYS_SETDOMAINNAME, c.str(name), imm(len(name)))
	}
}
