package plan

import (
	"fmt"
	"strings"

	specs "github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"
)

// SetTimeOffsets writes the offsets of the time namespace that the process made
// for its children (time_namespaces(7)). They cannot be changed any more once a
// process is in it. The parent does it because its own right to (CAP_SYS_TIME)
// does not depend on what the init stage has become.
type SetTimeOffsets struct{ Offsets []TimeOffset }

// TimeOffset is what is added to one clock.
type TimeOffset struct {
	Clock    string // "monotonic" or "boottime"
	Secs     int64
	Nanosecs uint32
}

// Title names the action.
func (a SetTimeOffsets) Title() string {
	var offsets []string
	for _, o := range a.Offsets {
		text := fmt.Sprintf("%s by %d s", o.Clock, o.Secs)
		if o.Nanosecs != 0 {
			text += fmt.Sprintf(" and %d ns", o.Nanosecs)
		}
		offsets = append(offsets, text)
	}
	return "offset the clocks: " + strings.Join(offsets, ", ")
}

// Text is what is written to /proc/PID/timens_offsets.
func (a SetTimeOffsets) Text() string {
	var lines strings.Builder
	for _, o := range a.Offsets {
		fmt.Fprintf(&lines, "%s %d %d\n", o.Clock, o.Secs, o.Nanosecs)
	}
	return lines.String()
}

// Holds is true: the offsets come before the first process.
func (SetTimeOffsets) Holds() bool { return true }

// openProc opens the host's procfs, which a new time namespace is entered by:
// once a mount namespace is joined, /proc may be another.
func (c *compiler) openProc() {
	if ns, ok := c.namespace(specs.TimeNamespace); ok && ns.Path == "" {
		c.step("", "open the host's /proc")
		c.call(unix.SYS_OPENAT, cwdFD, c.str("/proc"), imm(unix.O_PATH|unix.O_DIRECTORY|unix.O_CLOEXEC), imm(0)).to(c.word("host_proc"))
	}
}

// makeTimeNamespace makes a new time namespace, sets its clocks, and enters it.
// unshare(2) makes one for children only, and leaves it to them to enter; but
// setns(2) moves a process with a single thread itself.
func (c *compiler) makeTimeNamespace() {
	field, ns, ok := c.namespaceEntry(specs.TimeNamespace)
	if !ok || ns.Path != "" {
		return
	}
	c.step(field, "make a time namespace")
	c.call(unix.SYS_UNSHARE, imm(unix.CLONE_NEWTIME))
	fd := c.word("t")
	switch offsets := timeOffsets(c.Config.Linux.TimeOffsets); {
	case len(offsets) == 0:
	case c.unprivileged():
		c.ownTimeOffsets(SetTimeOffsets{Offsets: offsets}, fd)
	default:
		c.host("linux.timeOffsets", SetTimeOffsets{Offsets: offsets})
	}
	c.step(field, "enter it")
	c.call(unix.SYS_OPENAT, load(c.word("host_proc")), c.str("self/ns/time_for_children"), imm(unix.O_RDONLY|unix.O_CLOEXEC), imm(0)).to(fd)
	c.call(unix.SYS_SETNS, load(fd), imm(unix.CLONE_NEWTIME))
	c.close(fd)
	c.close(c.word("host_proc"))
}

// ownTimeOffsets has the init stage write them, as root of its user namespace:
// the file is not the caller's, who is an ordinary user, if that root is not.
func (c *compiler) ownTimeOffsets(a SetTimeOffsets, fd Ref) {
	text := a.Text()
	c.step("linux.timeOffsets", a.Title())
	c.call(unix.SYS_OPENAT, load(c.word("host_proc")), c.str("self/timens_offsets"), imm(unix.O_WRONLY|unix.O_CLOEXEC), imm(0)).to(fd)
	c.call(unix.SYS_WRITE, load(fd), c.str(text), imm(len(text)))
	c.close(fd)
}

func timeOffsets(config map[string]specs.LinuxTimeOffset) []TimeOffset {
	var offsets []TimeOffset
	for _, clock := range []string{"monotonic", "boottime"} {
		if o, ok := config[clock]; ok {
			offsets = append(offsets, TimeOffset{Clock: clock, Secs: o.Secs, Nanosecs: o.Nanosecs})
		}
	}
	return offsets
}
