package spec

import (
	"slices"

	"github.com/opencontainers/runtime-spec/specs-go"
)

// Annotations about seccomp that crun has brought up.
const (
	// SeccompReceiver is the path of the agent's socket where linux.seccomp has
	// no listenerPath.
	SeccompReceiver = "run.oci.seccomp.receiver"
	// SeccompFailUnknown, whatever its value, makes names in linux.seccomp that
	// are no system calls an error.
	SeccompFailUnknown = "run.oci.seccomp_fail_unknown_syscall"
	// SeccompBPF is a filter, compiled and in base64, that takes the place of
	// linux.seccomp.
	SeccompBPF = "run.oci.seccomp_bpf_data"

	seccompPlugins = "run.oci.seccomp.plugins"
)

// UseSeccompReceiver fills a missing linux.seccomp.listenerPath in, if the filter
// may have something to ask an agent: from the annotation, or else with the path
// that the environment names.
func (c *Config) UseSeccompReceiver(environment string) {
	path := c.Annotations[SeccompReceiver]
	if path == "" {
		path = environment
	}
	_, compiled := c.Annotations[SeccompBPF]
	if path == "" || c.Linux == nil || !compiled && !asksAgent(c.Linux.Seccomp) {
		return
	}
	if c.Linux.Seccomp == nil {
		c.Linux.Seccomp = &specs.LinuxSeccomp{}
	}
	if c.Linux.Seccomp.ListenerPath == "" {
		c.Linux.Seccomp.ListenerPath = path
	}
}

// asksAgent says that a rule leaves system calls to an agent.
func asksAgent(profile *specs.LinuxSeccomp) bool {
	return profile != nil && slices.ContainsFunc(profile.Syscalls, func(s specs.LinuxSyscall) bool { return s.Action == specs.ActNotify })
}
