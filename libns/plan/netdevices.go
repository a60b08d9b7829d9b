package plan

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"golang.org/x/sys/unix"
)

// MoveNetDevices moves network devices of the runtime's network namespace into
// the container's, where they keep their addresses and are set up. The init
// stage sends a netlink socket that it made there.
type MoveNetDevices struct{ Devices []NetDevice }

// NetDevice is one of them.
type NetDevice struct {
	Field      string
	Name       string
	NameInside string // may have %d in it, for a number that makes it unique
}

// Title names the action.
func (a MoveNetDevices) Title() string {
	var names []string
	for _, d := range a.Devices {
		name := d.Name
		if d.NameInside != d.Name {
			name += " as " + d.NameInside
		}
		names = append(names, name)
	}
	return "move network devices into the container: " + strings.Join(names, ", ")
}

// Holds is true: hooks and the program expect the devices.
func (MoveNetDevices) Holds() bool { return true }

// netDevices has the devices of linux.netDevices moved (config-linux.md,
// "Network Devices"), in the order of their names.
func (c *compiler) netDevices() {
	if c.Config.Linux == nil || len(c.Config.Linux.NetDevices) == 0 {
		return
	}
	const field = "linux.netDevices"
	move := MoveNetDevices{}
	for _, name := range slices.Sorted(maps.Keys(c.Config.Linux.NetDevices)) {
		inside := c.Config.Linux.NetDevices[name].Name
		if inside == "" {
			inside = name
		}
		move.Devices = append(move.Devices, NetDevice{fmt.Sprintf("%s[%q]", field, name), name, inside})
	}
	socket := c.word("netlink")
	c.step(field, "open a netlink socket in the network namespace")
	c.call(unix.SYS_SOCKET, imm(unix.AF_NETLINK), imm(unix.SOCK_RAW|unix.SOCK_CLOEXEC), imm(unix.NETLINK_ROUTE)).to(socket)
	c.host(field, move, socket)
	c.step(field, "close it")
	c.close(socket)
}
