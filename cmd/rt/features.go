package main

import (
	"encoding/json"

	"github.com/opencontainers/runtime-spec/specs-go"
	"github.com/opencontainers/runtime-spec/specs-go/features"
	"github.com/urfave/cli/v2"

	"rt/spec"
)

func (t *tool) featuresCommand() *cli.Command {
	return &cli.Command{
		Name:  "features",
		Usage: "print what rt can do, for engines to read",
		Action: func(c *cli.Context) error {
			if err := exactly(c, 0); err != nil {
				return err
			}
			return t.printFeatures()
		},
	}
}

func (t *tool) printFeatures() error {
	encoder := json.NewEncoder(t.stdout)
	encoder.SetIndent("", "    ")
	return encoder.Encode(supportedFeatures())
}

// supportedFeatures describes rt itself, not the machine it runs on (OCI runtime
// specification, features.md).
func supportedFeatures() *features.Features {
	yes := true
	return &features.Features{
		OCIVersionMin: "1.0.0",
		OCIVersionMax: specs.Version,
		Hooks:         []string{"prestart", "createRuntime", "createContainer", "startContainer", "poststart", "poststop"},
		MountOptions:  spec.MountOptionNames(),
		Linux: &features.Linux{
			Namespaces:   namespaceNames(),
			Capabilities: spec.CapabilityNames(),
			Cgroup: &features.Cgroup{
				V1: &yes, V2: &yes, Systemd: &yes, SystemdUser: &yes, Rdma: &yes,
			},
			Seccomp: &features.Seccomp{
				Enabled:        &yes,
				Actions:        spec.SeccompActions(),
				Operators:      spec.SeccompOperators(),
				Archs:          spec.SeccompArchs(),
				KnownFlags:     spec.SeccompFlags(),
				SupportedFlags: spec.SeccompFlags(),
			},
			Apparmor:        &features.Apparmor{Enabled: &yes},
			Selinux:         &features.Selinux{Enabled: &yes},
			IntelRdt:        &features.IntelRdt{Enabled: &yes, Schemata: &yes, Monitoring: &yes},
			MountExtensions: &features.MountExtensions{IDMap: &features.IDMap{Enabled: &yes}},
			MemoryPolicy:    &features.MemoryPolicy{Modes: spec.MemoryPolicyModes(), Flags: spec.MemoryPolicyFlags()},
			NetDevices:      &features.NetDevices{Enabled: &yes},
		},
		Annotations: map[string]string{
			"rt.version": buildVersion(),
			"rt.commit":  buildCommit(),
			// Callers of runc look for this one.
			"org.opencontainers.runc.checkpoint.enabled": "true",
		},
		PotentiallyUnsafeConfigAnnotations: spec.UnsafeAnnotations(),
	}
}

func namespaceNames() []string {
	var names []string
	for _, namespace := range spec.Namespaces() {
		names = append(names, string(namespace.Type))
	}
	return names
}
