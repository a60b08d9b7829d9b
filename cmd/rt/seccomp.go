package main

import (
	"os"

	"rt/libns/kernel"
	"rt/libns/plan"
	"rt/libns/seccomp"
	"rt/spec"
	"rt/state"
)

// receiverVariable names the seccomp agent's socket for configurations without
// one, as crun has it.
const receiverVariable = "RUN_OCI_SECCOMP_RECEIVER"

// filter compiles the seccomp filter of a container that is about to get a
// process, or finds it where an earlier container has left it.
func (t *tool) filter(config *spec.Config, facts kernel.Facts) (*seccomp.Filter, error) {
	cache := seccomp.Cache{Dir: state.CacheDir()}
	filter, err := plan.FilterFor(config, facts, cache.Compile)
	if filter != nil {
		t.log.debug("seccomp filter flags: %d", filter.Flags)
	}
	return filter, err
}

// useSeccompReceiver completes a configuration with the agent's socket, if that is
// named elsewhere.
func useSeccompReceiver(config *spec.Config) { config.UseSeccompReceiver(os.Getenv(receiverVariable)) }
