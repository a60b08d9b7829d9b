package spec

import (
	"github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"
)

// The tables below are the only place where a name of the specification meets
// its kernel value. They are short enough to be searched from the front, and
// cost nothing at program start because the compiler lays them out.

// named is a name and the kernel's number for it.
type named struct {
	name  string
	value uint64
}

func lookup(table []named, name string) (uint64, bool) {
	for _, entry := range table {
		if entry.name == name {
			return entry.value, true
		}
	}
	return 0, false
}

func namesOf(table []named) []string {
	names := make([]string, len(table))
	for i, entry := range table {
		names[i] = entry.name
	}
	return names
}

// Namespace is a namespace type: what config.json calls it, what clone(2) and
// setns(2) call it, and what it is called in /proc/PID/ns.
type Namespace struct {
	Type specs.LinuxNamespaceType
	Flag uint64
	File string
}

var namespaces = [...]Namespace{
	{specs.CgroupNamespace, unix.CLONE_NEWCGROUP, "cgroup"},
	{specs.IPCNamespace, unix.CLONE_NEWIPC, "ipc"},
	{specs.MountNamespace, unix.CLONE_NEWNS, "mnt"},
	{specs.NetworkNamespace, unix.CLONE_NEWNET, "net"},
	{specs.PIDNamespace, unix.CLONE_NEWPID, "pid"},
	{specs.TimeNamespace, unix.CLONE_NEWTIME, "time"},
	{specs.UserNamespace, unix.CLONE_NEWUSER, "user"},
	{specs.UTSNamespace, unix.CLONE_NEWUTS, "uts"},
}

// Namespaces returns all namespace types, sorted by name.
func Namespaces() []Namespace {
	return append([]Namespace(nil), namespaces[:]...)
}

// LookupNamespace returns the namespace type with the given name.
func LookupNamespace(name specs.LinuxNamespaceType) (Namespace, bool) {
	for _, namespace := range namespaces {
		if namespace.Type == name {
			return namespace, true
		}
	}
	return Namespace{}, false
}

// capabilities is indexed by number (capabilities(7)).
var capabilities = [...]string{
	unix.CAP_CHOWN:              "CAP_CHOWN",
	unix.CAP_DAC_OVERRIDE:       "CAP_DAC_OVERRIDE",
	unix.CAP_DAC_READ_SEARCH:    "CAP_DAC_READ_SEARCH",
	unix.CAP_FOWNER:             "CAP_FOWNER",
	unix.CAP_FSETID:             "CAP_FSETID",
	unix.CAP_KILL:               "CAP_KILL",
	unix.CAP_SETGID:             "CAP_SETGID",
	unix.CAP_SETUID:             "CAP_SETUID",
	unix.CAP_SETPCAP:            "CAP_SETPCAP",
	unix.CAP_LINUX_IMMUTABLE:    "CAP_LINUX_IMMUTABLE",
	unix.CAP_NET_BIND_SERVICE:   "CAP_NET_BIND_SERVICE",
	unix.CAP_NET_BROADCAST:      "CAP_NET_BROADCAST",
	unix.CAP_NET_ADMIN:          "CAP_NET_ADMIN",
	unix.CAP_NET_RAW:            "CAP_NET_RAW",
	unix.CAP_IPC_LOCK:           "CAP_IPC_LOCK",
	unix.CAP_IPC_OWNER:          "CAP_IPC_OWNER",
	unix.CAP_SYS_MODULE:         "CAP_SYS_MODULE",
	unix.CAP_SYS_RAWIO:          "CAP_SYS_RAWIO",
	unix.CAP_SYS_CHROOT:         "CAP_SYS_CHROOT",
	unix.CAP_SYS_PTRACE:         "CAP_SYS_PTRACE",
	unix.CAP_SYS_PACCT:          "CAP_SYS_PACCT",
	unix.CAP_SYS_ADMIN:          "CAP_SYS_ADMIN",
	unix.CAP_SYS_BOOT:           "CAP_SYS_BOOT",
	unix.CAP_SYS_NICE:           "CAP_SYS_NICE",
	unix.CAP_SYS_RESOURCE:       "CAP_SYS_RESOURCE",
	unix.CAP_SYS_TIME:           "CAP_SYS_TIME",
	unix.CAP_SYS_TTY_CONFIG:     "CAP_SYS_TTY_CONFIG",
	unix.CAP_MKNOD:              "CAP_MKNOD",
	unix.CAP_LEASE:              "CAP_LEASE",
	unix.CAP_AUDIT_WRITE:        "CAP_AUDIT_WRITE",
	unix.CAP_AUDIT_CONTROL:      "CAP_AUDIT_CONTROL",
	unix.CAP_SETFCAP:            "CAP_SETFCAP",
	unix.CAP_MAC_OVERRIDE:       "CAP_MAC_OVERRIDE",
	unix.CAP_MAC_ADMIN:          "CAP_MAC_ADMIN",
	unix.CAP_SYSLOG:             "CAP_SYSLOG",
	unix.CAP_WAKE_ALARM:         "CAP_WAKE_ALARM",
	unix.CAP_BLOCK_SUSPEND:      "CAP_BLOCK_SUSPEND",
	unix.CAP_AUDIT_READ:         "CAP_AUDIT_READ",
	unix.CAP_PERFMON:            "CAP_PERFMON",
	unix.CAP_BPF:                "CAP_BPF",
	unix.CAP_CHECKPOINT_RESTORE: "CAP_CHECKPOINT_RESTORE",
}

// Capability returns the number of a capability such as "CAP_CHOWN".
func Capability(name string) (number int, ok bool) {
	for number, known := range capabilities {
		if known == name {
			return number, true
		}
	}
	return 0, false
}

// CapabilityNames returns all capabilities; the index is the number.
func CapabilityNames() []string {
	return append([]string(nil), capabilities[:]...)
}

var rlimits = []named{
	{"RLIMIT_AS", unix.RLIMIT_AS},
	{"RLIMIT_CORE", unix.RLIMIT_CORE},
	{"RLIMIT_CPU", unix.RLIMIT_CPU},
	{"RLIMIT_DATA", unix.RLIMIT_DATA},
	{"RLIMIT_FSIZE", unix.RLIMIT_FSIZE},
	{"RLIMIT_LOCKS", unix.RLIMIT_LOCKS},
	{"RLIMIT_MEMLOCK", unix.RLIMIT_MEMLOCK},
	{"RLIMIT_MSGQUEUE", unix.RLIMIT_MSGQUEUE},
	{"RLIMIT_NICE", unix.RLIMIT_NICE},
	{"RLIMIT_NOFILE", unix.RLIMIT_NOFILE},
	{"RLIMIT_NPROC", unix.RLIMIT_NPROC},
	{"RLIMIT_RSS", unix.RLIMIT_RSS},
	{"RLIMIT_RTPRIO", unix.RLIMIT_RTPRIO},
	{"RLIMIT_RTTIME", unix.RLIMIT_RTTIME},
	{"RLIMIT_SIGPENDING", unix.RLIMIT_SIGPENDING},
	{"RLIMIT_STACK", unix.RLIMIT_STACK},
}

// Rlimit returns the number of a resource such as "RLIMIT_NOFILE" (prlimit(2)).
func Rlimit(name string) (resource uint64, ok bool) {
	return lookup(rlimits, name)
}

// Execution domains of personality(2) that the specification names.
const (
	perLinux   = 0x0000
	perLinux32 = 0x0008
)

// PersonalityDomain returns the argument of personality(2) for a domain.
func PersonalityDomain(domain specs.LinuxPersonalityDomain) (persona uint64, ok bool) {
	switch domain {
	case specs.PerLinux:
		return perLinux, true
	case specs.PerLinux32:
		return perLinux32, true
	default:
		return 0, false
	}
}

// schedISO is reserved by the kernel, which has no such policy.
const schedISO = 4

var schedulerPolicies = []named{
	{string(specs.SchedOther), unix.SCHED_NORMAL},
	{string(specs.SchedFIFO), unix.SCHED_FIFO},
	{string(specs.SchedRR), unix.SCHED_RR},
	{string(specs.SchedBatch), unix.SCHED_BATCH},
	{string(specs.SchedISO), schedISO},
	{string(specs.SchedIdle), unix.SCHED_IDLE},
	{string(specs.SchedDeadline), unix.SCHED_DEADLINE},
}

var schedulerFlags = []named{
	{string(specs.SchedFlagResetOnFork), unix.SCHED_FLAG_RESET_ON_FORK},
	{string(specs.SchedFlagReclaim), unix.SCHED_FLAG_RECLAIM},
	{string(specs.SchedFlagDLOverrun), unix.SCHED_FLAG_DL_OVERRUN},
	{string(specs.SchedFlagKeepPolicy), unix.SCHED_FLAG_KEEP_POLICY},
	{string(specs.SchedFlagKeepParams), unix.SCHED_FLAG_KEEP_PARAMS},
	{string(specs.SchedFlagUtilClampMin), unix.SCHED_FLAG_UTIL_CLAMP_MIN},
	{string(specs.SchedFlagUtilClampMax), unix.SCHED_FLAG_UTIL_CLAMP_MAX},
}

// SchedulerPolicy returns the policy number of sched_setattr(2).
func SchedulerPolicy(policy specs.LinuxSchedulerPolicy) (number uint64, ok bool) {
	return lookup(schedulerPolicies, string(policy))
}

// SchedulerFlag returns the flag bit of sched_setattr(2).
func SchedulerFlag(flag specs.LinuxSchedulerFlag) (bit uint64, ok bool) {
	return lookup(schedulerFlags, string(flag))
}

// ioClasses are the scheduling classes of ioprio_set(2); the class occupies the
// bits of the value above ioPriorityShift.
var ioClasses = []named{
	{string(specs.IOPRIO_CLASS_RT), 1},
	{string(specs.IOPRIO_CLASS_BE), 2},
	{string(specs.IOPRIO_CLASS_IDLE), 3},
}

const ioPriorityShift = 13

// IOPriority returns the value that ioprio_set(2) takes for a class and a level.
func IOPriority(class specs.IOPriorityClass, level int) (value uint64, ok bool) {
	number, ok := lookup(ioClasses, string(class))
	return number<<ioPriorityShift | uint64(level), ok
}

var memoryPolicyModes = []named{
	{string(specs.MpolDefault), unix.MPOL_DEFAULT},
	{string(specs.MpolPreferred), unix.MPOL_PREFERRED},
	{string(specs.MpolBind), unix.MPOL_BIND},
	{string(specs.MpolInterleave), unix.MPOL_INTERLEAVE},
	{string(specs.MpolLocal), unix.MPOL_LOCAL},
	{string(specs.MpolPreferredMany), unix.MPOL_PREFERRED_MANY},
	{string(specs.MpolWeightedInterleave), unix.MPOL_WEIGHTED_INTERLEAVE},
}

var memoryPolicyFlags = []named{
	{string(specs.MpolFStaticNodes), unix.MPOL_F_STATIC_NODES},
	{string(specs.MpolFRelativeNodes), unix.MPOL_F_RELATIVE_NODES},
	{string(specs.MpolFNumaBalancing), unix.MPOL_F_NUMA_BALANCING},
}

// MemoryPolicyMode returns the mode of set_mempolicy(2).
func MemoryPolicyMode(mode specs.MemoryPolicyModeType) (number uint64, ok bool) {
	return lookup(memoryPolicyModes, string(mode))
}

// MemoryPolicyFlag returns the bit that is or-ed into the mode of set_mempolicy(2).
func MemoryPolicyFlag(flag specs.MemoryPolicyFlagType) (bit uint64, ok bool) {
	return lookup(memoryPolicyFlags, string(flag))
}

// MemoryPolicyModes returns the names of all modes.
func MemoryPolicyModes() []string { return namesOf(memoryPolicyModes) }

// MemoryPolicyFlags returns the names of all flags.
func MemoryPolicyFlags() []string { return namesOf(memoryPolicyFlags) }

var rootfsPropagations = []named{
	{"private", unix.MS_PRIVATE},
	{"rprivate", unix.MS_PRIVATE | unix.MS_REC},
	{"rshared", unix.MS_SHARED | unix.MS_REC},
	{"rslave", unix.MS_SLAVE | unix.MS_REC},
	{"runbindable", unix.MS_UNBINDABLE | unix.MS_REC},
	{"shared", unix.MS_SHARED},
	{"slave", unix.MS_SLAVE},
	{"unbindable", unix.MS_UNBINDABLE},
}

// RootfsPropagation returns the MS_* flags (mount(2), "Changing the propagation
// type") for a value of linux.rootfsPropagation.
func RootfsPropagation(name string) (flags uint64, ok bool) {
	return lookup(rootfsPropagations, name)
}
