package spec

import (
	"path/filepath"
	"slices"
	"strings"

	"github.com/opencontainers/runtime-spec/specs-go"
)

const (
	// maxErrno is MAX_ERRNO: the kernel cuts larger values to it.
	maxErrno = 4095
	// maxSyscallArg is the index of the last of six system call arguments.
	maxSyscallArg = 5
	// maxSocketPath is the size of sun_path without its NUL (unix(7)).
	maxSocketPath = 107
)

// seccomp checks config-linux.md, "Seccomp". Whether a system call exists is
// left open: profiles name the calls of all architectures and kernels.
func (v *validator) seccomp() {
	if _, found := v.config.Annotations[seccompPlugins]; found {
		v.report(element("annotations", seccompPlugins), "rt loads no plugins: they are C libraries; let an agent listen at linux.seccomp.listenerPath")
	}
	profile := v.linux.Seccomp
	if profile == nil || profile.DefaultAction == "" && len(profile.Syscalls) == 0 {
		return
	}
	const field = "linux.seccomp"
	v.seccompAction(field+".defaultAction", profile.DefaultAction)
	if profile.DefaultAction == specs.ActNotify {
		v.report(field+".defaultAction", "SCMP_ACT_NOTIFY cannot be the default: the container could not even start")
	}
	v.seccompErrno(field+".defaultErrnoRet", profile.DefaultErrnoRet, profile.DefaultAction)
	v.seccompNames(profile)
	for i, call := range profile.Syscalls {
		v.seccompRule(item(field+".syscalls", i), call)
	}
	v.seccompListener(profile)
}

func (v *validator) seccompNames(profile *specs.LinuxSeccomp) {
	for i, arch := range profile.Architectures {
		if !slices.Contains(seccompArchs, arch) {
			v.report(item("linux.seccomp.architectures", i), "unknown architecture %q: must be one of %s", arch, quoted(SeccompArchs(), "or"))
		}
	}
	for i, flag := range profile.Flags {
		if !slices.Contains(seccompFlags, flag) {
			v.report(item("linux.seccomp.flags", i), "unknown seccomp flag %q: must be one of %s", flag, quoted(SeccompFlags(), "or"))
		}
	}
}

func (v *validator) seccompAction(field string, action specs.LinuxSeccompAction) {
	if !slices.Contains(seccompActions, action) {
		v.report(field, "unknown action %q: must be one of %s", action, quoted(SeccompActions(), "or"))
	}
}

func (v *validator) seccompErrno(field string, errno *uint, action specs.LinuxSeccompAction) {
	switch {
	case errno == nil:
	case action != specs.ActErrno && action != specs.ActTrace:
		v.report(field, "is only for SCMP_ACT_ERRNO and SCMP_ACT_TRACE, the action is %q", action)
	case *errno > maxErrno:
		v.report(field, "must be at most %d, got %d", maxErrno, *errno)
	}
}

func (v *validator) seccompRule(field string, call specs.LinuxSyscall) {
	if len(call.Names) == 0 {
		v.report(field+".names", "must have at least one entry")
	}
	for i, name := range call.Names {
		if name == "" {
			v.report(item(field+".names", i), "must name a system call, is empty")
		}
	}
	v.seccompAction(field+".action", call.Action)
	v.seccompErrno(field+".errnoRet", call.ErrnoRet, call.Action)
	for i, arg := range call.Args {
		if arg.Index > maxSyscallArg {
			v.report(item(field+".args", i)+".index", "must be from 0 to %d, got %d", maxSyscallArg, arg.Index)
		}
		if !slices.Contains(seccompOperators, arg.Op) {
			v.report(item(field+".args", i)+".op", "unknown operator %q: must be one of %s", arg.Op, quoted(SeccompOperators(), "or"))
		}
	}
}

// seccompListener checks what concerns the agent that SCMP_ACT_NOTIFY asks.
func (v *validator) seccompListener(profile *specs.LinuxSeccomp) {
	const field = "linux.seccomp"
	path := profile.ListenerPath
	if path == "" {
		if profile.ListenerMetadata != "" {
			v.report(field+".listenerMetadata", "must not be set without listenerPath")
		}
	} else {
		v.socketPath(field+".listenerPath", path)
	}
	for i, call := range profile.Syscalls {
		if call.Action != specs.ActNotify {
			continue
		}
		if path == "" {
			v.report(item(field+".syscalls", i)+".action", "seccomp listenerPath is not set: SCMP_ACT_NOTIFY needs an agent to ask")
		}
		if slices.Contains(call.Names, "write") {
			// The init stage reports over a pipe after the filter is loaded
			// and before the agent has the descriptor.
			v.report(item(field+".syscalls", i)+".names", "SCMP_ACT_NOTIFY cannot be used for the write syscall")
		}
	}
}

func (v *validator) socketPath(field, path string) {
	switch {
	case !filepath.IsAbs(path) && !strings.HasPrefix(path, "@"):
		v.report(field, "must be an absolute path, or @NAME for an abstract socket, got %q", path)
	case len(path) > maxSocketPath:
		v.report(field, "must be at most %d bytes long, is %d", maxSocketPath, len(path))
	}
}
