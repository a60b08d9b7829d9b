package plan

import "golang.org/x/sys/unix"

// hint is advice for one way in which a call fails. It must not contain words
// that callers take for the error itself, such as "permission denied".
type hint struct {
	op    Op
	errno unix.Errno
	when  func(p *Plan, c *Call) bool // nil = always
	text  string
}

// hints has what an errno does not say. The first that fits is given.
var hints = []hint{
	{unix.SYS_MOVE_MOUNT, unix.ENOSPC, nil, "the mount namespace has as many mounts as sysctl fs.mount-max allows"},
	{unix.SYS_MOVE_MOUNT, unix.EINVAL, nil, "the target is not in this mount namespace, or the parent of the mount that is moved is shared"},
	{unix.SYS_MOVE_MOUNT, unix.ENOTDIR, nil, "a file can only be mounted on a file, and a directory on a directory"},
	{unix.SYS_MOVE_MOUNT, unix.ELOOP, nil, "the mount would contain itself"},
	{unix.SYS_MOUNT, unix.ENOSPC, nil, "the mount namespace has as many mounts as sysctl fs.mount-max allows"},
	{unix.SYS_MOUNT, unix.ENOTDIR, nil, "a file can only be mounted on a file, and a directory on a directory"},
	{unix.SYS_MOUNT, unix.ENODEV, nil, "the kernel does not have this filesystem; its module may not be loaded"},
	{unix.SYS_OPEN_TREE, unix.EINVAL, nil, "a mount that is unbindable or of another mount namespace cannot be bound, nor one with locked mounts below it, unless by rbind"},
	{unix.SYS_FSOPEN, unix.ENODEV, nil, "the kernel does not have this filesystem; its module may not be loaded"},
	{unix.SYS_FSCONFIG, unix.EBUSY, nil, "the device or filesystem is in use with other settings"},
	{unix.SYS_FSCONFIG, unix.EPERM, nil, "a new mount of this filesystem needs CAP_SYS_ADMIN over the user namespace that owns what it shows, for most filesystems the host's"},
	{unix.SYS_FSMOUNT, unix.EPERM, nil, "in a user namespace a new proc or sysfs needs one already there that nothing is mounted over"},
	{unix.SYS_MOUNT_SETATTR, unix.EPERM, nil, "flags of a mount that came from another user namespace are locked: ro, nosuid, nodev, noexec and the atime setting cannot be taken away"},

	{unix.SYS_OPENAT2, unix.ELOOP, nil, "the path has a symbolic link where none is allowed, or too many of them"},
	{unix.SYS_OPENAT2, unix.EXDEV, nil, "the path leaves the directory or the mount that it must stay in"},
	{unix.SYS_OPENAT2, unix.EAGAIN, nil, "something on the path was being renamed all the time"},
	{unix.SYS_OPENAT2, unix.ENOSYS, nil, "openat2(2) is there since Linux 5.6, unless a seccomp filter around the runtime hides it"},
	{unix.SYS_FSOPEN, unix.ENOSYS, nil, "fsopen(2) is there since Linux 5.2, unless a seccomp filter around the runtime hides it"},
	{unix.SYS_OPEN_TREE, unix.ENOSYS, nil, "open_tree(2) is there since Linux 5.2, unless a seccomp filter around the runtime hides it"},
	{unix.SYS_MOUNT_SETATTR, unix.ENOSYS, nil, "mount_setattr(2) is there since Linux 5.12, unless a seccomp filter around the runtime hides it"},
	{unix.SYS_FACCESSAT2, unix.ENOSYS, nil, "faccessat2(2) is there since Linux 5.8, unless a seccomp filter around the runtime hides it"},
	{unix.SYS_CLOSE_RANGE, unix.ENOSYS, nil, "close_range(2) is there since Linux 5.9, unless a seccomp filter around the runtime hides it"},

	{unix.SYS_PIVOT_ROOT, unix.EINVAL, nil, "the host's root may be an initial ramdisk, which cannot be pivoted away from: try --no-pivot"},
	{unix.SYS_PIVOT_ROOT, unix.EPERM, nil, "changing the root needs CAP_SYS_ADMIN over the mount namespace"},

	{unix.SYS_UNSHARE, unix.ENOSPC, nil, "a limit on namespaces is reached: see /proc/sys/user/max_*_namespaces"},
	{unix.SYS_UNSHARE, unix.EPERM, nil, "new namespaces need CAP_SYS_ADMIN, or a user namespace, which the host may restrict to root"},
	{unix.SYS_UNSHARE, unix.EINVAL, nil, "the kernel was built without one of these namespaces"},
	{unix.SYS_SETNS, unix.ESRCH, nil, "the container has stopped"},
	{unix.SYS_SETNS, unix.EINVAL, nil, "the path is a namespace of another type, or the user namespace that the runtime is in already"},
	{unix.SYS_SETNS, unix.EPERM, nil, "joining a namespace needs CAP_SYS_ADMIN over it and over one's own user namespace"},
	{unix.SYS_CLONE, unix.EAGAIN, nil, "a limit on processes is reached: pids.max of the cgroup, RLIMIT_NPROC or sysctl kernel.pid_max"},
	{unix.SYS_CLONE, unix.ENOMEM, nil, "the pid namespace has no init process any more, or memory is short"},

	{unix.SYS_SETRESUID, unix.EINVAL, nil, "the user id is not mapped in the container's user namespace"},
	{unix.SYS_SETRESUID, unix.EAGAIN, nil, "the user has as many processes as RLIMIT_NPROC allows"},
	{unix.SYS_SETRESGID, unix.EINVAL, nil, "the group id is not mapped in the container's user namespace"},
	{unix.SYS_SETGROUPS, unix.EINVAL, nil, "a group id is not mapped in the container's user namespace"},
	{unix.SYS_SETGROUPS, unix.EPERM, nil, "setgroups is denied in this user namespace, see user_namespaces(7)"},
	{unix.SYS_WRITE, unix.ERANGE, nil, "no clock may show a time before 0, or one after 146 years"},
	{unix.SYS_FCHOWN, unix.EINVAL, nil, "the user or group id is not mapped in the container's user namespace"},
	{unix.SYS_CAPSET, unix.EPERM, nil, "a process cannot gain capabilities that its runtime does not have"},
	{unix.SYS_PRCTL, unix.EPERM, raisesAmbient, "an ambient capability must also be permitted and inheritable"},
	{unix.SYS_SCHED_SETATTR, unix.EPERM, nil, "the policy needs CAP_SYS_NICE, a cgroup with real-time runtime on v1 (cpu.rt_runtime_us) and, for SCHED_DEADLINE, all CPUs: no cpuset may take some away"},
	{unix.SYS_SCHED_SETATTR, unix.EBUSY, nil, "the CPUs have promised others so much time that this runtime and period cannot be kept"},
	{unix.SYS_SCHED_SETATTR, unix.EOPNOTSUPP, nil, "the kernel was built without utilisation clamping (CONFIG_UCLAMP_TASK)"},
	{unix.SYS_SCHED_SETATTR, unix.EINVAL, nil, "the kernel does not have this policy, or not with these flags and numbers"},
	{unix.SYS_IOPRIO_SET, unix.EPERM, nil, "IOPRIO_CLASS_RT needs CAP_SYS_NICE or CAP_SYS_ADMIN"},
	{unix.SYS_SET_MEMPOLICY, unix.EINVAL, nil, "the machine or the cpuset has none of these memory nodes, or the kernel not this mode with these flags"},
	{unix.SYS_SET_MEMPOLICY, unix.ENOSYS, nil, "the kernel was built without NUMA"},
	{unix.SYS_SECCOMP, unix.EINVAL, nil, "the kernel refuses the filter: it may be too long, or know an action that this kernel does not"},

	{unix.SYS_MKNODAT, unix.EPERM, nil, "making a device needs CAP_MKNOD in the host's user namespace, and the cgroup's device rules may refuse it"},
	{unix.SYS_KEYCTL, unix.EDQUOT, nil, "the user has as many keys as sysctl kernel.keys.maxkeys allows: try --no-new-keyring"},
	{unix.SYS_EXECVE, unix.ENOENT, nil, "where the file is there, the interpreter it names (#! line or ELF) is not"},
	{unix.SYS_EXECVE, unix.ENOEXEC, nil, "the file is for another architecture, or is a script without a #! line"},
	{unix.SYS_EXECVE, unix.E2BIG, nil, "arguments and environment together are too long, see RLIMIT_STACK"},
}

// hint is the advice for errno of call i, or "".
func (p *Plan) hint(i int, errno unix.Errno) string {
	c := &p.Calls[i]
	return hintFor(c.Op, errno, func(h hint) bool { return h.when(p, c) })
}

// hintFor is the advice for an errno of a system call. fits decides about advice
// that is not always good.
func hintFor(op Op, errno unix.Errno, fits func(hint) bool) string {
	for _, h := range hints {
		if h.op == op && h.errno == errno && (h.when == nil || fits(h)) {
			return h.text
		}
	}
	return ""
}

// raisesAmbient reports whether a prctl call raises an ambient capability.
func raisesAmbient(_ *Plan, c *Call) bool {
	return c.Args[0].Value == unix.PR_CAP_AMBIENT && c.Args[1].Value == unix.PR_CAP_AMBIENT_RAISE
}
