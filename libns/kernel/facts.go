// Package kernel says what the running kernel and machine can do.
//
// Facts is plain data, so that a plan can be compiled for a kernel that is not
// there; [Probe] finds out about the one that is.
package kernel

import "slices"

// CgroupMode says which cgroup hierarchies are mounted.
type CgroupMode string

const (
	CgroupNone    CgroupMode = "none"
	CgroupV1      CgroupMode = "v1"
	CgroupHybrid  CgroupMode = "hybrid"  // v1 hierarchies, and the unified one without controllers
	CgroupUnified CgroupMode = "unified" // cgroup v2 on /sys/fs/cgroup
)

// Facts is what a plan depends on besides the spec.
type Facts struct {
	EUID int // effective user id of the runtime
	EGID int // effective group id of the runtime
	// UserNamespace says that the runtime is in a user namespace which is not
	// the host's.
	UserNamespace bool
	LastCap       int // highest capability number that the kernel knows
	// Capabilities has a bit for each capability that the runtime may use and
	// give on: its permitted set.
	Capabilities uint64

	Cgroup      CgroupMode
	Unified     string      // mount point of the cgroup v2 hierarchy, or ""
	UnifiedSelf string      // the runtime's own cgroup in it ("/" or "/a/b")
	Hierarchies []Hierarchy // cgroup v1 hierarchies, sorted by mount point
	// UnifiedControllers are those of the cgroup v2 hierarchy. Only a
	// CgroupUnified host uses them.
	UnifiedControllers []string
	// Systemd is the manager that cgroups are left to, nil if they are not.
	// [Probe] does not ask for it.
	Systemd *Systemd

	Arch         string // the machine's, as Go names it: "amd64"
	SeccompFlags uint   // SECCOMP_FILTER_FLAG_* that the kernel knows
	MountSetattr bool   // mount_setattr(2), Linux 5.12
	NoSymfollow  bool   // MOUNT_ATTR_NOSYMFOLLOW of mount_setattr(2) and fsmount(2), Linux 5.14
	KCore        bool   // /proc/kcore exists

	// What few configurations ask for is found out for those only.
	AppArmor bool // is active, says ProbeSecurity
	SELinux  bool // is active and has a policy, says ProbeSecurity
	Resctrl  bool // is mounted on ResctrlMount, says ProbeResctrl
}

// Rootless says that the runtime has no privileges on the host: its user is an
// ordinary one, or root of no more than a user namespace.
func (f Facts) Rootless() bool { return f.EUID != 0 || f.UserNamespace }

// Controllers lists the controllers that can limit a container: those of the v1
// hierarchies if there are any, otherwise those of the unified one.
func (f Facts) Controllers() []string {
	if f.Cgroup == CgroupUnified {
		return f.UnifiedControllers
	}
	var names []string
	for _, h := range f.Hierarchies {
		names = append(names, h.Controllers...)
	}
	return names
}

// Hierarchy is one mounted cgroup v1 hierarchy.
type Hierarchy struct {
	Mount       string   // mount point: /sys/fs/cgroup/cpu,cpuacct
	Controllers []string // cpu, cpuacct; empty for a named hierarchy
	Name        string   // systemd, for name=systemd
	Aliases     []string // other names in /sys/fs/cgroup that are links to it
	Self        string   // the runtime's own cgroup in it
}

// Key is how the hierarchy is named in /proc/PID/cgroup, by one of its
// controllers or its name. cpuset comes first: a new cgroup of it needs its
// parent's values before a process can be in it.
func (h Hierarchy) Key() string {
	switch {
	case h.Name != "":
		return "name=" + h.Name
	case slices.Contains(h.Controllers, "cpuset"):
		return "cpuset"
	default:
		return h.Controllers[0]
	}
}

// Systemd is a running systemd whose units containers are in.
type Systemd struct {
	Version int
	User    bool // a user's manager, not the system's
	// ControlGroup is the cgroup that those of all its units are below: "" or
	// "/" for the system's manager of a host.
	ControlGroup string
}
