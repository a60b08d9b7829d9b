package plan

import (
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"strings"

	specs "github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"

	"rt/libns/kernel"
	"rt/libns/seccomp"
	"rt/spec"
)

// FilterCompiler compiles a profile: [seccomp.Compile], or a cache that gives the
// same.
type FilterCompiler func(*specs.LinuxSeccomp, seccomp.Arch, seccomp.Options) (*seccomp.Filter, error)

// FilterFor gives the filter for the system calls of a container's processes: that
// of linux.seccomp (config-linux.md, "Seccomp"), or the one that an annotation
// brings along. It is nil if there is none: a profile that decides about nothing
// counts as none.
func FilterFor(config *spec.Config, facts kernel.Facts, compile FilterCompiler) (*seccomp.Filter, error) {
	if !HasFilter(config) {
		return nil, nil
	}
	var profile *specs.LinuxSeccomp
	if config.Linux != nil {
		profile = config.Linux.Seccomp
	}
	data, raw := config.Annotations[spec.SeccompBPF]
	if facts.SeccompFlags == 0 {
		return nil, errors.New("linux.seccomp: this kernel filters no system calls (CONFIG_SECCOMP_FILTER)")
	}
	native, ok := seccomp.Native(facts.Arch)
	if !ok {
		return nil, fmt.Errorf("linux.seccomp: there is no table of system calls for %s", facts.Arch)
	}
	options := seccomp.Options{KernelFlags: facts.SeccompFlags}
	if raw {
		return rawFilter(data, profile, native, options)
	}
	if _, strict := config.Annotations[spec.SeccompFailUnknown]; strict {
		if err := refuseUnknownSyscalls(profile); err != nil {
			return nil, err
		}
	}
	return compile(profile, native, options)
}

// HasFilter reports whether a container's system calls are filtered: what the kernel
// can do about that has to be known then.
func HasFilter(config *spec.Config) bool {
	if _, raw := config.Annotations[spec.SeccompBPF]; raw {
		return true
	}
	if config.Linux == nil || config.Linux.Seccomp == nil {
		return false
	}
	profile := config.Linux.Seccomp
	return profile.DefaultAction != "" || len(profile.Syscalls) > 0
}

// rawFilter gives the filter that an annotation has instead of a profile.
func rawFilter(data string, profile *specs.LinuxSeccomp, native seccomp.Arch, options seccomp.Options) (*seccomp.Filter, error) {
	program, err := base64.StdEncoding.DecodeString(data)
	if err != nil {
		return nil, fmt.Errorf("annotations[%q]: not base64: %w", spec.SeccompBPF, err)
	}
	filter, err := seccomp.Raw(program, profile, native, options)
	if err != nil {
		return nil, fmt.Errorf("annotations[%q]: %w", spec.SeccompBPF, err)
	}
	if filter.Notify && (profile == nil || profile.ListenerPath == "") {
		return nil, fmt.Errorf("annotations[%q]: seccomp listenerPath is not set: the filter needs an agent to ask", spec.SeccompBPF)
	}
	return filter, nil
}

func refuseUnknownSyscalls(profile *specs.LinuxSeccomp) error {
	for i, call := range profile.Syscalls {
		for j, name := range call.Names {
			if !seccomp.KnownSyscall(name) {
				return fmt.Errorf("linux.seccomp.syscalls[%d].names[%d]: unknown system call %q, which annotation %s makes an error",
					i, j, name, spec.SeccompFailUnknown)
			}
		}
	}
	return nil
}

// findFilter compiles the filter, unless the caller has.
func (c *compiler) findFilter() error {
	c.filter = c.Filter
	if c.filter != nil {
		return nil
	}
	var err error
	c.filter, err = FilterFor(c.Config, c.Facts, seccomp.Compile)
	return err
}

// filterNeedsAdmin says that loading the filter takes CAP_SYS_ADMIN, which is
// then kept until that is done: without no_new_privs, an unprivileged process
// could lie to set-user-id programs with a filter (seccomp(2)).
func (c *compiler) filterNeedsAdmin() bool {
	return c.filter != nil && !c.Config.Process.NoNewPrivileges
}

// filterAsks says that the filter has calls wait for an agent. It is loaded while
// the parent is there, who passes the listener to the agent.
func (c *compiler) filterAsks() bool { return c.filter != nil && c.filter.Notify }

// confine is the last thing before execve: from here on the profile decides about
// the init stage's own calls, too, and one that forbids read(2) or write(2) would
// otherwise keep it from saying that it is ready, and from waiting for start.
func (c *compiler) confine() {
	if c.filter != nil && !c.filter.Notify {
		c.loadFilter()
	}
}

// loadFilter makes the profile decide about all further calls.
func (c *compiler) loadFilter() {
	c.p.Filtered = true
	c.reserveListener()
	c.letParentFetch()
	program := c.filter.Bytes()
	c.step(c.filterField(), c.filterTitle())
	c.traced = false // from here on, the profile may not let times be read
	code := c.constant(program)
	header := binary.LittleEndian.AppendUint64(nil, uint64(len(c.filter.Program))) // struct sock_fprog
	header = append(header, make([]byte, 8)...)
	fprog := c.object(Object{Kind: Struct, Bytes: header, Pointers: []Pointer{{8, code.Ref()}}})
	c.call(unix.SYS_SECCOMP, imm(unix.SECCOMP_SET_MODE_FILTER), imm(c.filter.Flags), addr(fprog))
	c.passListener()
	if c.filterNeedsAdmin() {
		c.dropAdmin()
	}
}

func (c *compiler) filterField() string {
	if _, raw := c.Config.Annotations[spec.SeccompBPF]; raw {
		return fmt.Sprintf("annotations[%q]", spec.SeccompBPF)
	}
	return "linux.seccomp"
}

// filterTitle is the filter in a line.
func (c *compiler) filterTitle() string {
	instructions := len(c.filter.Program)
	if _, raw := c.Config.Annotations[spec.SeccompBPF]; raw {
		return fmt.Sprintf("filter system calls: %d instructions as they are given", instructions)
	}
	var archs []string
	for _, a := range c.filter.Archs {
		archs = append(archs, strings.ToLower(strings.TrimPrefix(a.String(), "SCMP_ARCH_")))
	}
	profile := c.Config.Linux.Seccomp
	rules := "rules"
	if len(profile.Syscalls) == 1 {
		rules = "rule"
	}
	return fmt.Sprintf("filter system calls: %s but for %d %s, on %s, by %d instructions",
		profile.DefaultAction, len(profile.Syscalls), rules, strings.Join(archs, " "), instructions)
}

// listenerFD is the descriptor that loading a filter with SCMP_ACT_NOTIFY gives:
// the lowest free one, which is known beforehand, because everything from there on
// is closed and everything below is open.
func (c *compiler) listenerFD() int { return c.p.FirstFreeFD() }

// reserveListener closes what the init stage has no more use for.
func (c *compiler) reserveListener() {
	if !c.filter.Notify {
		return
	}
	c.step("linux.seccomp.listenerPath", fmt.Sprintf("keep descriptor %d free for the listener", c.listenerFD()))
	c.call(unix.SYS_CLOSE_RANGE, imm(c.listenerFD()), imm(^uint32(0)), imm(0))
}

// letParentFetch puts the init stage within reach of an ordinary user, who could
// not fetch the listener otherwise. Processes of the container that it has joined
// can reach it, too, from here on until execve: it is in the container's root,
// and all that it still holds is the conversation with the parent, who knows by
// now which process he is talking about.
func (c *compiler) letParentFetch() {
	if c.filter.Notify && c.unprivileged() && !c.exposed() {
		c.setDumpable(1)
	}
}

// passListener has the parent fetch the listener (pidfd_getfd(2)) and give it to
// the agent. The init stage cannot send it: who would answer if sendmsg(2) is one
// of the calls that the agent is to be asked about? All it does here is write(2),
// about which no agent may be asked, and once that is done every call can wait
// for the agent.
func (c *compiler) passListener() {
	if !c.filter.Notify {
		return
	}
	profile := c.Config.Linux.Seccomp
	c.host("linux.seccomp.listenerPath", PassListener{Socket: profile.ListenerPath, Metadata: profile.ListenerMetadata, FD: c.listenerFD()})
}

// PassListener takes the descriptor on which the filter's notifications arrive
// out of the init stage and sends it to the agent, with the state of the container.
type PassListener struct {
	Socket   string // path of the agent's socket; with a leading @ it is abstract
	Metadata string // for the agent
	FD       int    // in the init stage
}

// Title names the action.
func (a PassListener) Title() string { return "pass the seccomp listener to the agent at " + a.Socket }

// Holds is true: execve would close the listener.
func (PassListener) Holds() bool { return true }
