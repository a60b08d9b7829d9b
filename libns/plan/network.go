package plan

import (
	"encoding/binary"

	specs "github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"
)

// MakeNetwork makes the network namespace, of all namespaces the one that takes
// the kernel longest. Nothing of it depends on the rest of a plan: it may be begun
// while that is compiled, on a thread of its own, and has to be complete when the
// init stage is cloned.
type MakeNetwork struct{}

// Title names the action.
func (MakeNetwork) Title() string {
	return "make the network namespace and bring its loopback interface up"
}

// Holds is false: there is no container yet.
func (MakeNetwork) Holds() bool { return false }

// MakesNetwork says that the plan of a new container begins with [MakeNetwork].
func MakesNetwork(r *Request) bool {
	c := &compiler{Request: r}
	_, c.mapped = c.namespace(specs.UserNamespace)
	return c.makesNetwork()
}

// makesNetwork says that the parent makes the network namespace. One that has to
// belong to a user namespace the init stage makes when it is in that.
func (c *compiler) makesNetwork() bool {
	ns, ok := c.namespace(specs.NetworkNamespace)
	return ok && ns.Path == "" && !c.mapped && !c.joining
}

func (c *compiler) makeNetwork() {
	if c.makesNetwork() {
		field, _, _ := c.namespaceEntry(specs.NetworkNamespace)
		c.host(field, MakeNetwork{})
	}
}

// joinNetwork enters the namespace that the parent has made.
func (c *compiler) joinNetwork() {
	if !c.makesNetwork() {
		return
	}
	field, _, _ := c.namespaceEntry(specs.NetworkNamespace)
	fd := imm(c.p.FD(Network))
	c.step(field, "join the network namespace")
	c.call(unix.SYS_SETNS, fd, imm(unix.CLONE_NEWNET))
	c.call(unix.SYS_CLOSE, fd)
}

// InterfaceUp is the struct ifreq that brings a network interface up
// (SIOCSIFFLAGS of netdevice(7)).
func InterfaceUp(name string) (request [40]byte) {
	copy(request[:unix.IFNAMSIZ-1], name)
	binary.LittleEndian.PutUint16(request[unix.IFNAMSIZ:], unix.IFF_UP|unix.IFF_RUNNING)
	return request
}
