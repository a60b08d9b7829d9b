package libns

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"net/netip"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"

	"rt/libns/plan"
)

// moveNetDevices moves devices from the runtime's network namespace into that of
// a process. theirs is a netlink socket which was made there: no thread of the
// runtime has to go anywhere. Whether all of it can be done is found out first,
// because nobody moves a device back.
func moveNetDevices(devices []plan.NetDevice, pid, theirs int) error {
	here, err := openRTNetlink()
	if err != nil {
		return err
	}
	defer here.close()
	there := newRTNetlink(theirs)
	taken, err := there.names()
	if err != nil {
		return err
	}
	moves := make([]netMove, len(devices))
	for i, d := range devices {
		if moves[i], err = prepareMove(here, d, taken); err != nil {
			return &fieldError{d.Field, err}
		}
	}
	for i, m := range moves {
		if err := m.carryOut(here, there, pid); err != nil {
			return &fieldError{devices[i].Field, err}
		}
	}
	return nil
}

// moveNetDevices carries the step out with the socket that came along.
func (d *driver) moveNetDevices(a plan.MoveNetDevices, fds []int) error {
	if len(fds) != 1 {
		return errors.New("no netlink socket came along")
	}
	return moveNetDevices(a.Devices, d.child.pid, fds[0])
}

// netMove is one device that is about to be moved.
type netMove struct {
	index     uint32 // before
	name      string // after
	addresses []netAddress
}

func prepareMove(here *rtnetlink, d plan.NetDevice, taken map[string]bool) (netMove, error) {
	index, err := here.find(d.Name)
	if errors.Is(err, unix.ENODEV) {
		return netMove{}, fmt.Errorf("there is no network device %q: %w", d.Name, err)
	}
	if err != nil {
		return netMove{}, fmt.Errorf("look for network device %q: %w", d.Name, err)
	}
	name := d.NameInside
	if strings.Contains(name, "%d") {
		name = freeName(name, taken)
	}
	if taken[name] {
		return netMove{}, fmt.Errorf("the container's network namespace has a device %q already: %w", name, unix.EEXIST)
	}
	taken[name] = true
	addresses, err := here.addresses(index)
	if err != nil {
		return netMove{}, fmt.Errorf("list the addresses of %q: %w", d.Name, err)
	}
	return netMove{index, name, addresses}, nil
}

// freeName puts the lowest number into a template that makes a new name, as the
// kernel does when a device is registered.
func freeName(template string, taken map[string]bool) string {
	for n := 0; ; n++ {
		if name := strings.Replace(template, "%d", strconv.Itoa(n), 1); !taken[name] {
			return name
		}
	}
}

// carryOut moves and renames the device in one request. The kernel takes it down
// for that, and its addresses away.
func (m netMove) carryOut(here, there *rtnetlink, pid int) error {
	body := appendAttribute(linkMessage(m.index, 0), unix.IFLA_NET_NS_PID, binary.NativeEndian.AppendUint32(nil, uint32(pid)))
	body = appendAttribute(body, unix.IFLA_IFNAME, append([]byte(m.name), 0))
	if _, err := here.do(unix.RTM_NEWLINK, 0, body); err != nil {
		return fmt.Errorf("move it into the container's network namespace: %w", err)
	}
	index, err := there.find(m.name)
	if err != nil {
		return fmt.Errorf("look for it in the container's network namespace as %q: %w", m.name, err)
	}
	for _, a := range m.addresses {
		if _, err := there.do(unix.RTM_NEWADDR, unix.NLM_F_CREATE|unix.NLM_F_EXCL, a.message(index)); err != nil {
			return fmt.Errorf("give it back its address %s: %w", a, err)
		}
	}
	if _, err := there.do(unix.RTM_NEWLINK, 0, linkMessage(index, unix.IFF_UP)); err != nil {
		return fmt.Errorf("set it up: %w", err)
	}
	return nil
}

// linkMessage is struct ifinfomsg for a change of flags to 1.
func linkMessage(index, flags uint32) []byte {
	b := make([]byte, 4, unix.SizeofIfInfomsg)
	b = binary.NativeEndian.AppendUint32(b, index)
	b = binary.NativeEndian.AppendUint32(b, flags)
	return binary.NativeEndian.AppendUint32(b, flags)
}

// find gives the index of the device with a name.
func (r *rtnetlink) find(name string) (uint32, error) {
	body := appendAttribute(linkMessage(0, 0), unix.IFLA_IFNAME, append([]byte(name), 0))
	answers, err := r.do(unix.RTM_GETLINK, 0, body)
	if err != nil {
		return 0, err
	}
	for _, m := range answers {
		if m.Header.Type == unix.RTM_NEWLINK && len(m.Data) >= unix.SizeofIfInfomsg {
			return binary.NativeEndian.Uint32(m.Data[4:]), nil
		}
	}
	return 0, unix.ENODEV
}

// names are those of all devices.
func (r *rtnetlink) names() (map[string]bool, error) {
	answers, err := r.do(unix.RTM_GETLINK, unix.NLM_F_DUMP, linkMessage(0, 0))
	if err != nil {
		return nil, fmt.Errorf("list the network devices: %w", err)
	}
	names := map[string]bool{}
	for _, m := range answers {
		for kind, value := range attributes(m.Data[min(unix.SizeofIfInfomsg, len(m.Data)):]) {
			if kind == unix.IFLA_IFNAME {
				names[string(bytes.TrimRight(value, "\x00"))] = true
			}
		}
	}
	return names, nil
}

// netAddress is an address of a device, in the kernel's words.
type netAddress struct {
	family, prefix, scope byte
	flags                 uint32
	kept                  []byte // attributes that stay as they are
	text                  []byte
}

// addresses gives those of a device that are to stay: permanent ones with
// global scope (config-linux.md, "Network Devices").
func (r *rtnetlink) addresses(index uint32) ([]netAddress, error) {
	answers, err := r.do(unix.RTM_GETADDR, unix.NLM_F_DUMP, make([]byte, unix.SizeofIfAddrmsg))
	if err != nil {
		return nil, err
	}
	var addresses []netAddress
	for _, m := range answers {
		if len(m.Data) < unix.SizeofIfAddrmsg || binary.NativeEndian.Uint32(m.Data[4:]) != index {
			continue
		}
		a := parseAddress(m.Data)
		if a.scope == unix.RT_SCOPE_UNIVERSE && a.flags&unix.IFA_F_PERMANENT != 0 {
			addresses = append(addresses, a)
		}
	}
	return addresses, nil
}

// parseAddress takes struct ifaddrmsg and its attributes apart. A label is left
// out, because it has the device's name in it, and so are the lifetimes, which
// permanent addresses do not have.
func parseAddress(data []byte) netAddress {
	a := netAddress{family: data[0], prefix: data[1], flags: uint32(data[2]), scope: data[3]}
	for kind, value := range attributes(data[unix.SizeofIfAddrmsg:]) {
		switch kind {
		case unix.IFA_FLAGS:
			a.flags = binary.NativeEndian.Uint32(value)
		case unix.IFA_LOCAL, unix.IFA_ADDRESS, unix.IFA_BROADCAST, unix.IFA_ANYCAST, unix.IFA_RT_PRIORITY:
			a.kept = appendAttribute(a.kept, kind, value)
		}
		if kind == unix.IFA_LOCAL || kind == unix.IFA_ADDRESS && a.text == nil {
			a.text = value
		}
	}
	return a
}

// message asks for the address on a device. How far the kernel had got with
// checking it (IFA_F_TENTATIVE and so on) is not part of that.
func (a netAddress) message(index uint32) []byte {
	const wanted = unix.IFA_F_NODAD | unix.IFA_F_OPTIMISTIC | unix.IFA_F_HOMEADDRESS |
		unix.IFA_F_MANAGETEMPADDR | unix.IFA_F_NOPREFIXROUTE | unix.IFA_F_MCAUTOJOIN
	b := []byte{a.family, a.prefix, 0, a.scope}
	b = binary.NativeEndian.AppendUint32(b, index)
	b = append(b, a.kept...)
	return appendAttribute(b, unix.IFA_FLAGS, binary.NativeEndian.AppendUint32(nil, a.flags&wanted))
}

// String is the address as people write it.
func (a netAddress) String() string {
	ip, _ := netip.AddrFromSlice(a.text)
	return fmt.Sprintf("%s/%d", ip, a.prefix)
}
