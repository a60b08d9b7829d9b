package plan

import (
	"encoding/binary"

	"golang.org/x/sys/unix"

	"rt/spec"
)

// boundingSet drops every capability that the bounding set does not name, while
// the init stage still has the right to. Without process.capabilities nothing
// is dropped.
func (c *compiler) boundingSet() {
	caps := c.Config.Process.Capabilities
	if caps == nil {
		return
	}
	keep := c.capabilitySet(caps.Bounding)
	c.step("process.capabilities.bounding", "drop what is not in the bounding set")
	for n := range c.Facts.LastCap + 1 {
		if keep&(1<<n) == 0 {
			c.call(unix.SYS_PRCTL, imm(unix.PR_CAPBSET_DROP), imm(n), imm(0), imm(0), imm(0))
		}
	}
}

// capabilities sets the other four sets (capabilities(7)). What loading the
// seccomp filter takes is kept until then.
func (c *compiler) capabilities() {
	caps := c.Config.Process.Capabilities
	if caps == nil {
		c.keepAdmin()
		return
	}
	c.step("process.capabilities", "set the effective, permitted and inheritable capabilities")
	sets := c.capabilitySets()
	if c.filterNeedsAdmin() {
		sets.effective |= 1 << unix.CAP_SYS_ADMIN
		sets.permitted |= 1 << unix.CAP_SYS_ADMIN
	}
	c.capset(sets)

	c.step("process.capabilities.ambient", "set the ambient capabilities")
	c.call(unix.SYS_PRCTL, imm(unix.PR_CAP_AMBIENT), imm(unix.PR_CAP_AMBIENT_CLEAR_ALL), imm(0), imm(0), imm(0))
	ambient := c.capabilitySet(caps.Ambient) & sets.permitted & sets.inheritable
	for n := range c.Facts.LastCap + 1 {
		if ambient&(1<<n) != 0 {
			c.call(unix.SYS_PRCTL, imm(unix.PR_CAP_AMBIENT), imm(unix.PR_CAP_AMBIENT_RAISE), imm(n), imm(0), imm(0))
		}
	}
}

// keepAdmin raises CAP_SYS_ADMIN again for the seccomp filter, after the change
// to a user who has no effective capabilities. What is permitted stays as it is.
func (c *compiler) keepAdmin() {
	if !c.filterNeedsAdmin() || c.Config.Process.User.UID == 0 {
		return
	}
	c.step("linux.seccomp", "keep the right to load a seccomp filter")
	c.capset(capabilitySets{effective: 1 << unix.CAP_SYS_ADMIN, permitted: c.available()})
}

// dropAdmin gives up what only the seccomp filter needed. If the filter itself
// forbids that, the program does without all the same: what execve(2) makes of a
// process's capabilities does not depend on the permitted ones.
func (c *compiler) dropAdmin() {
	var sets capabilitySets
	switch {
	case c.Config.Process.Capabilities != nil:
		sets = c.capabilitySets()
	case c.Config.Process.User.UID != 0:
		sets.permitted = c.available()
	default:
		return
	}
	c.step("process.capabilities", "give up what loading the filter took")
	c.capset(sets).ignore(AnyErrno)
}

// capabilitySets are the three sets of capset(2).
type capabilitySets struct{ effective, permitted, inheritable uint64 }

func (c *compiler) capabilitySets() capabilitySets {
	caps := c.Config.Process.Capabilities
	return capabilitySets{c.capabilitySet(caps.Effective), c.capabilitySet(caps.Permitted), c.capabilitySet(caps.Inheritable)}
}

func (c *compiler) capset(sets capabilitySets) callBuilder {
	header := binary.LittleEndian.AppendUint32(nil, unix.LINUX_CAPABILITY_VERSION_3)
	header = binary.LittleEndian.AppendUint32(header, 0)
	var data []byte
	for shift := 0; shift <= 32; shift += 32 {
		for _, set := range []uint64{sets.effective, sets.permitted, sets.inheritable} {
			data = binary.LittleEndian.AppendUint32(data, uint32(set>>shift))
		}
	}
	return c.call(unix.SYS_CAPSET, c.constant(header), c.constant(data))
}

// capabilitySet is the set of the names that this kernel knows and the runtime
// has. The others were warned about: the specification wants a container that
// names them to run.
func (c *compiler) capabilitySet(names []string) uint64 {
	var set uint64
	for _, name := range names {
		if n, ok := spec.Capability(name); ok && n <= c.Facts.LastCap {
			set |= 1 << n
		}
	}
	return set & c.available()
}

// available are the capabilities that the container can have: those that the
// runtime has, and in a user namespace all of them.
func (c *compiler) available() uint64 {
	if c.mapped {
		return 2<<c.Facts.LastCap - 1
	}
	return c.Facts.Capabilities
}
