package main

import (
	"encoding/json"
	"slices"
	"testing"

	"github.com/opencontainers/runtime-spec/specs-go"
	"github.com/opencontainers/runtime-spec/specs-go/features"

	"rt/libns"
	"rt/libns/kernel"
	"rt/libns/plan"
	"rt/spec"
)

func TestFeatures(t *testing.T) {
	got := rt("features").wantCode(t, 0).wantStdout(t, "{\n    \"ociVersionMin\": \"1.0.0\",\n")
	if got.stderr != "" {
		t.Errorf("stderr: %s", got.stderr)
	}
	var f features.Features
	if err := json.Unmarshal([]byte(got.stdout), &f); err != nil {
		t.Fatal(err)
	}
	if f.OCIVersionMax != specs.Version || f.Linux == nil || f.Linux.MountExtensions.IDMap.Enabled == nil {
		t.Errorf("what engines need is missing:\n%s", got.stdout)
	}
	if !slices.Contains(f.MountOptions, "rro") || !slices.IsSorted(f.MountOptions) {
		t.Errorf("mount options: %v", f.MountOptions)
	}
	if len(f.Linux.Capabilities) != 41 {
		t.Errorf("%d capabilities", len(f.Linux.Capabilities))
	}
}

// What features says must be what the compiler does: a config that uses a
// feature is refused exactly if it is not listed.
func TestFeaturesAreTrue(t *testing.T) {
	listed := supportedFeatures()
	for _, namespace := range spec.Namespaces() {
		claim(t, "namespace "+string(namespace.Type), slices.Contains(listed.Linux.Namespaces, string(namespace.Type)), func(c *specs.Spec) {
			add := specs.LinuxNamespace{Type: namespace.Type}
			if !slices.Contains(c.Linux.Namespaces, add) {
				c.Linux.Namespaces = append(c.Linux.Namespaces, add)
			}
		})
	}
	claim(t, "hooks", len(listed.Hooks) == 6, func(c *specs.Spec) {
		c.Hooks = &specs.Hooks{Poststop: []specs.Hook{{Path: "/bin/true"}}}
	})
	claim(t, "seccomp", *listed.Linux.Seccomp.Enabled, func(c *specs.Spec) {
		c.Linux.Seccomp = &specs.LinuxSeccomp{DefaultAction: specs.ActAllow}
	})
	for _, action := range listed.Linux.Seccomp.Actions {
		claimRule(t, action, func(p *specs.LinuxSeccomp) { p.Syscalls[0].Action = specs.LinuxSeccompAction(action) })
	}
	for _, operator := range listed.Linux.Seccomp.Operators {
		claimRule(t, operator, func(p *specs.LinuxSeccomp) {
			p.Syscalls[0].Args = []specs.LinuxSeccompArg{{Op: specs.LinuxSeccompOperator(operator)}}
		})
	}
	for _, flag := range listed.Linux.Seccomp.SupportedFlags {
		claimRule(t, flag, func(p *specs.LinuxSeccomp) { p.Flags = []specs.LinuxSeccompFlag{specs.LinuxSeccompFlag(flag)} })
	}
	claim(t, "apparmor", *listed.Linux.Apparmor.Enabled, func(c *specs.Spec) { c.Process.ApparmorProfile = "x" })
	claim(t, "selinux", *listed.Linux.Selinux.Enabled, func(c *specs.Spec) { c.Process.SelinuxLabel = "x" })
	claim(t, "intelRdt", *listed.Linux.IntelRdt.Enabled, func(c *specs.Spec) { c.Linux.IntelRdt = &specs.LinuxIntelRdt{ClosID: "x"} })
	claim(t, "memoryPolicy", listed.Linux.MemoryPolicy != nil, func(c *specs.Spec) {
		c.Linux.MemoryPolicy = &specs.LinuxMemoryPolicy{Mode: "MPOL_LOCAL"}
	})
	claim(t, "netDevices", *listed.Linux.NetDevices.Enabled, func(c *specs.Spec) {
		c.Linux.NetDevices = map[string]specs.LinuxNetDevice{"eth0": {}}
	})
	claim(t, "idmap", *listed.Linux.MountExtensions.IDMap.Enabled, func(c *specs.Spec) {
		ids := []specs.LinuxIDMapping{{Size: 1}}
		c.Mounts = append(c.Mounts, specs.Mount{Destination: "/x", Source: "/", Options: []string{"bind"}, UIDMappings: ids, GIDMappings: ids})
	})
}

// claimRule says that a profile can have something that is listed.
func claimRule(t *testing.T, name string, use func(*specs.LinuxSeccomp)) {
	t.Helper()
	claim(t, "seccomp "+name, true, func(c *specs.Spec) {
		c.Linux.Seccomp = &specs.LinuxSeccomp{DefaultAction: specs.ActAllow, ListenerPath: "/agent", Syscalls: []specs.LinuxSyscall{
			{Names: []string{"mkdir"}, Action: specs.ActErrno},
		}}
		use(c.Linux.Seccomp)
	})
}

func claim(t *testing.T, name string, listed bool, use func(*specs.Spec)) {
	t.Helper()
	config := &spec.Config{Spec: spec.Example(true), Bundle: "/bundle", File: "config.json"}
	config.Process.Terminal = false
	use(config.Spec)
	request := libns.Request{Request: plan.Request{
		Config: config, ID: "web", Dir: "/run/rt/web", Cgroup: plan.Cgroup{Unified: "/sys/fs/cgroup/web"},
		Facts: kernel.Facts{Arch: "amd64", LastCap: 40, Cgroup: kernel.CgroupUnified, Unified: "/sys/fs/cgroup", UnifiedSelf: "/", MountSetattr: true, NoSymfollow: true, SeccompFlags: ^uint(0)},
	}}
	_, err := plan.ForCreate(&request.Request)
	if (err == nil) != listed {
		t.Errorf("%s: listed %v, but compiling a config with it gives %v", name, listed, err)
	}
}
