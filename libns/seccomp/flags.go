package seccomp

import (
	"fmt"
	"strings"

	"github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"
)

// flags are the flags that config.json knows, with the first kernel to have them.
var flags = [...]struct {
	name   specs.LinuxSeccompFlag
	value  uint
	kernel string
}{
	{"SECCOMP_FILTER_FLAG_TSYNC", unix.SECCOMP_FILTER_FLAG_TSYNC, "3.17"},
	{specs.LinuxSeccompFlagLog, unix.SECCOMP_FILTER_FLAG_LOG, "4.14"},
	{specs.LinuxSeccompFlagSpecAllow, unix.SECCOMP_FILTER_FLAG_SPEC_ALLOW, "4.17"},
	{specs.LinuxSeccompFlagWaitKillableRecv, unix.SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV, "5.19"},
}

// filterFlags gives the flags with which a filter is loaded.
//
// A profile without flags asks for SPEC_ALLOW where the kernel knows it; one with
// an empty list does not. TSYNC is taken out, as there is only one thread when the
// filter is loaded, and so is WAIT_KILLABLE_RECV unless there is a listener to wait
// for, as the kernel would refuse it. A rule with SCMP_ACT_NOTIFY asks for a
// listener.
func filterFlags(profile *specs.LinuxSeccomp, notify bool, options Options) (uint, error) {
	value := uint(0)
	if profile.Flags == nil {
		value = unix.SECCOMP_FILTER_FLAG_SPEC_ALLOW & options.KernelFlags
	}
	for i, name := range profile.Flags {
		flag, err := parseFlag(name, options)
		if err != nil {
			return 0, problem("flags", i, err)
		}
		value |= flag
	}
	value &^= unix.SECCOMP_FILTER_FLAG_TSYNC
	if notify {
		return value | unix.SECCOMP_FILTER_FLAG_NEW_LISTENER, nil
	}
	return value &^ unix.SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV, nil
}

func parseFlag(name specs.LinuxSeccompFlag, options Options) (uint, error) {
	for _, flag := range flags {
		if flag.name != name {
			continue
		}
		if flag.value&options.KernelFlags == 0 {
			return 0, fmt.Errorf("%s is not supported by this kernel: it needs Linux %s", name, flag.kernel)
		}
		return flag.value, nil
	}
	return 0, fmt.Errorf("unknown flag %q", name)
}

// flagNames gives the names of flags for printing.
func flagNames(value uint) string {
	names := []string{}
	for _, flag := range flags {
		if value&flag.value != 0 {
			names = append(names, string(flag.name))
		}
	}
	if value&unix.SECCOMP_FILTER_FLAG_NEW_LISTENER != 0 {
		names = append(names, "SECCOMP_FILTER_FLAG_NEW_LISTENER")
	}
	return strings.Join(names, " ")
}
