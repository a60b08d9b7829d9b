package main

import (
	"os"

	"github.com/opencontainers/runtime-spec/specs-go"

	"rt/libns/kernel"
	"rt/libns/plan"
	"rt/libns/seccomp"
	"rt/spec"
	"rt/state"
)

// receiverVariable names the seccomp agent's socket for configurations without
// one, as crun has it.
const receiverVariable = "RUN_OCI_SECCOMP_RECEIVER"

// useSeccompReceiver completes a configuration with the agent's socket, if that is
// named elsewhere.
func useSeccompReceiver(config *spec.Config) { config.UseSeccompReceiver(os.Getenv(receiverVariable)) }

// filter compiles the seccomp filter of a container that is about to get a
// process, or finds it where an earlier container has left it.
func (t *tool) filter(config *spec.Config, facts kernel.Facts) (*seccomp.Filter, error) {
	filter, err := plan.FilterFor(config, facts, compileCached)
	if filter != nil {
		t.log.debug("seccomp filter flags: %d", filter.Flags)
	}
	return filter, err
}

func compileCached(profile *specs.LinuxSeccomp, native seccomp.Arch, options seccomp.Options) (*seccomp.Filter, error) {
	return seccomp.Cache{Dir: state.CacheDir()}.Compile(profile, native, options)
}
