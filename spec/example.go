package spec

import (
	"github.com/opencontainers/runtime-spec/specs-go"
)

// Example returns the configuration that `rt spec` writes: a shell on a terminal
// in namespaces of its own, with a read-only root filesystem. cgroupV2 tells
// that the host has the unified cgroup hierarchy: only there is a cgroup
// namespace of use.
func Example(cgroupV2 bool) *specs.Spec {
	capabilities := []string{"CAP_AUDIT_WRITE", "CAP_KILL", "CAP_NET_BIND_SERVICE"}
	return &specs.Spec{
		Version: specs.Version,
		Root:    &specs.Root{Path: "rootfs", Readonly: true},
		Process: &specs.Process{
			Terminal: true,
			Args:     []string{"sh"},
			Env: []string{
				"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
				"TERM=xterm",
			},
			Cwd:             "/",
			NoNewPrivileges: true,
			Capabilities: &specs.LinuxCapabilities{
				Bounding:  capabilities,
				Permitted: capabilities,
				Effective: capabilities,
			},
			Rlimits: []specs.POSIXRlimit{{Type: "RLIMIT_NOFILE", Hard: 1024, Soft: 1024}},
		},
		Hostname: "rt",
		Mounts:   exampleMounts(),
		Linux: &specs.Linux{
			Namespaces: exampleNamespaces(cgroupV2),
			Resources: &specs.LinuxResources{
				Devices: []specs.LinuxDeviceCgroup{{Allow: false, Access: "rwm"}},
			},
			MaskedPaths: []string{
				"/proc/acpi",
				"/proc/asound",
				"/proc/interrupts",
				"/proc/kcore",
				"/proc/keys",
				"/proc/latency_stats",
				"/proc/sched_debug",
				"/proc/scsi",
				"/proc/timer_list",
				"/proc/timer_stats",
				"/sys/devices/virtual/powercap",
				"/sys/firmware",
			},
			ReadonlyPaths: []string{
				"/proc/bus",
				"/proc/fs",
				"/proc/irq",
				"/proc/sys",
				"/proc/sysrq-trigger",
			},
		},
	}
}

func exampleMounts() []specs.Mount {
	return []specs.Mount{
		{Destination: "/proc", Type: "proc", Source: "proc"},
		{
			Destination: "/dev", Type: "tmpfs", Source: "tmpfs",
			Options: []string{"nosuid", "strictatime", "mode=755", "size=65536k"},
		},
		{
			Destination: "/dev/pts", Type: "devpts", Source: "devpts",
			Options: []string{"nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620", "gid=5"},
		},
		{
			Destination: "/dev/shm", Type: "tmpfs", Source: "shm",
			Options: []string{"nosuid", "noexec", "nodev", "mode=1777", "size=65536k"},
		},
		{
			Destination: "/dev/mqueue", Type: "mqueue", Source: "mqueue",
			Options: []string{"nosuid", "noexec", "nodev"},
		},
		{
			Destination: "/sys", Type: "sysfs", Source: "sysfs",
			Options: []string{"nosuid", "noexec", "nodev", "ro"},
		},
		{
			Destination: "/sys/fs/cgroup", Type: "cgroup", Source: "cgroup",
			Options: []string{"nosuid", "noexec", "nodev", "relatime", "ro"},
		},
	}
}

func exampleNamespaces(cgroupV2 bool) []specs.LinuxNamespace {
	list := []specs.LinuxNamespace{
		{Type: specs.PIDNamespace},
		{Type: specs.NetworkNamespace},
		{Type: specs.IPCNamespace},
		{Type: specs.UTSNamespace},
		{Type: specs.MountNamespace},
	}
	if cgroupV2 {
		list = append(list, specs.LinuxNamespace{Type: specs.CgroupNamespace})
	}
	return list
}

// ExampleRootless returns the example for a caller without privileges: uid and
// gid, the caller's own, become root in a user namespace.
func ExampleRootless(uid, gid int, cgroupV2 bool) *specs.Spec {
	example := Example(cgroupV2)
	linux := example.Linux
	linux.Resources = nil
	linux.Namespaces = []specs.LinuxNamespace{{Type: specs.UserNamespace}}
	for _, namespace := range exampleNamespaces(cgroupV2) {
		// Without privileges on the host nothing could be connected to it.
		if namespace.Type != specs.NetworkNamespace {
			linux.Namespaces = append(linux.Namespaces, namespace)
		}
	}
	linux.UIDMappings = []specs.LinuxIDMapping{{ContainerID: 0, HostID: uint32(uid), Size: 1}}
	linux.GIDMappings = []specs.LinuxIDMapping{{ContainerID: 0, HostID: uint32(gid), Size: 1}}
	for i := range example.Mounts {
		rootlessMount(&example.Mounts[i])
	}
	return example
}

// rootlessMount changes what the kernel refuses to a user namespace: a sysfs
// that belongs to a network namespace of someone else, and ids without mapping.
func rootlessMount(mount *specs.Mount) {
	if mount.Type == "sysfs" {
		*mount = specs.Mount{
			Destination: mount.Destination, Type: "none", Source: "/sys",
			Options: []string{"rbind", "nosuid", "noexec", "nodev", "ro"},
		}
		return
	}
	var options []string
	for _, option := range mount.Options {
		if key, _, _ := CutData(option); key != "uid" && key != "gid" {
			options = append(options, option)
		}
	}
	mount.Options = options
}
