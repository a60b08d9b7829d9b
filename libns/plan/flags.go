package plan

import (
	"fmt"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// flagSet names the bits of one kernel flag word, for printing. What several
// bits mean together comes before what one of them means alone.
type flagSet []struct {
	bits uint64
	name string
}

// format gives the names joined by "|"; bits without a name come last, in hex.
func (set flagSet) format(v uint64) string {
	if v == 0 {
		return "0"
	}
	var names []string
	for _, f := range set {
		if v&f.bits == f.bits {
			names = append(names, f.name)
			v &^= f.bits
		}
	}
	if v != 0 {
		names = append(names, fmt.Sprintf("%#x", v))
	}
	return strings.Join(names, "|")
}

// enum names the values of one kernel number.
type enum []struct {
	value uint64
	name  string
}

// format gives the name, or the number if it has none.
func (e enum) format(v uint64) string {
	if name, ok := e.name(v); ok {
		return name
	}
	return formatNumber(v)
}

func (e enum) name(v uint64) (string, bool) {
	for _, entry := range e {
		if entry.value == v {
			return entry.name, true
		}
	}
	return "", false
}

// formatNumber gives v as the signed number that it is to the kernel.
func formatNumber(v uint64) string { return strconv.FormatInt(int64(v), 10) }

// formatHex gives v in hex, if it is not so small that it makes no difference,
// and what is all ones as -1.
func formatHex(v uint64) string {
	switch {
	case v < 10:
		return strconv.FormatUint(v, 10)
	case v == ^uint64(0):
		return "-1"
	}
	return fmt.Sprintf("%#x", v)
}

// formatMode gives permission bits in octal.
func formatMode(v uint64) string { return fmt.Sprintf("%#o", v) }

// formatFD gives a descriptor number.
func formatFD(v uint64) string {
	const cwd = unix.AT_FDCWD
	if int32(v) == cwd {
		return "AT_FDCWD"
	}
	return formatNumber(uint64(int64(int32(v))))
}

// formatLastFD gives the upper end of a range of descriptors.
func formatLastFD(v uint64) string {
	if uint32(v) == ^uint32(0) {
		return "~0"
	}
	return formatFD(v)
}

// formatID gives a user or group id; all ones is "leave it as it is".
func formatID(v uint64) string {
	if uint32(v) == ^uint32(0) {
		return "-1"
	}
	return strconv.FormatUint(v, 10)
}

// formatFileMode gives a file's type and permissions (inode(7)).
func formatFileMode(v uint64) string {
	if name, ok := fileTypes.name(v & unix.S_IFMT); ok {
		return name + "|" + formatMode(v&^unix.S_IFMT)
	}
	return formatMode(v)
}

// formatDevice gives a device number as makedev(3) would be asked for it.
func formatDevice(v uint64) string {
	if v == 0 {
		return "0"
	}
	return fmt.Sprintf("makedev(%d, %d)", unix.Major(v), unix.Minor(v))
}

// formatOpenFlags gives the flags of open(2), whose lowest two bits are a number.
func formatOpenFlags(v uint64) string {
	access := enum{{unix.O_RDONLY, "O_RDONLY"}, {unix.O_WRONLY, "O_WRONLY"}, {unix.O_RDWR, "O_RDWR"}}.format(v & unix.O_ACCMODE)
	rest := v &^ unix.O_ACCMODE
	switch {
	case rest == 0:
		return access
	case v&(unix.O_ACCMODE|unix.O_PATH) == unix.O_PATH:
		return openFlags.format(rest)
	}
	return access + "|" + openFlags.format(rest)
}

// formatClone gives the flags of clone(2), whose lowest byte is a signal.
func formatClone(v uint64) string {
	flags, signal := cloneFlags.format(v&^0xff), formatSignal(v&0xff)
	switch {
	case v&0xff == 0:
		return flags
	case v&^0xff == 0:
		return signal
	}
	return flags + "|" + signal
}

// formatSignal gives a signal's name.
func formatSignal(v uint64) string {
	if name := unix.SignalName(unix.Signal(v)); name != "" {
		return name
	}
	return formatNumber(v)
}

// formatErrno gives an errno's name.
func formatErrno(e unix.Errno) string {
	if e == AnyErrno {
		return "any error"
	}
	if name := unix.ErrnoName(e); name != "" {
		return name
	}
	return fmt.Sprintf("errno %d", int(e))
}

var cloneFlags = flagSet{
	{unix.CLONE_NEWUSER, "CLONE_NEWUSER"},
	{unix.CLONE_NEWNS, "CLONE_NEWNS"},
	{unix.CLONE_NEWPID, "CLONE_NEWPID"},
	{unix.CLONE_NEWNET, "CLONE_NEWNET"},
	{unix.CLONE_NEWUTS, "CLONE_NEWUTS"},
	{unix.CLONE_NEWIPC, "CLONE_NEWIPC"},
	{unix.CLONE_NEWCGROUP, "CLONE_NEWCGROUP"},
	{unix.CLONE_NEWTIME, "CLONE_NEWTIME"},
	{unix.CLONE_PARENT, "CLONE_PARENT"},
}

var protections = flagSet{{unix.PROT_READ, "PROT_READ"}, {unix.PROT_WRITE, "PROT_WRITE"}}

var mapFlags = flagSet{{unix.MAP_SHARED, "MAP_SHARED"}, {unix.MAP_FIXED_NOREPLACE, "MAP_FIXED_NOREPLACE"}}

var openFlags = flagSet{
	{unix.O_TMPFILE, "O_TMPFILE"},
	{unix.O_PATH, "O_PATH"},
	{unix.O_CREAT, "O_CREAT"},
	{unix.O_EXCL, "O_EXCL"},
	{unix.O_TRUNC, "O_TRUNC"},
	{unix.O_APPEND, "O_APPEND"},
	{unix.O_DIRECTORY, "O_DIRECTORY"},
	{unix.O_NOFOLLOW, "O_NOFOLLOW"},
	{unix.O_NONBLOCK, "O_NONBLOCK"},
	{unix.O_NOCTTY, "O_NOCTTY"},
	{unix.O_CLOEXEC, "O_CLOEXEC"},
}

var resolveFlags = flagSet{
	{unix.RESOLVE_IN_ROOT, "RESOLVE_IN_ROOT"},
	{unix.RESOLVE_BENEATH, "RESOLVE_BENEATH"},
	{unix.RESOLVE_NO_XDEV, "RESOLVE_NO_XDEV"},
	{unix.RESOLVE_NO_SYMLINKS, "RESOLVE_NO_SYMLINKS"},
	{unix.RESOLVE_NO_MAGICLINKS, "RESOLVE_NO_MAGICLINKS"},
}

// atFlags are the AT_* flags whose meaning does not depend on the call.
var atFlags = flagSet{
	{unix.AT_EMPTY_PATH, "AT_EMPTY_PATH"},
	{unix.AT_SYMLINK_NOFOLLOW, "AT_SYMLINK_NOFOLLOW"},
	{unix.AT_SYMLINK_FOLLOW, "AT_SYMLINK_FOLLOW"},
	{unix.AT_NO_AUTOMOUNT, "AT_NO_AUTOMOUNT"},
	{unix.AT_RECURSIVE, "AT_RECURSIVE"},
}

var unlinkFlags = flagSet{{unix.AT_REMOVEDIR, "AT_REMOVEDIR"}}

var accessFlags = flagSet{
	{unix.AT_EACCESS, "AT_EACCESS"},
	{unix.AT_EMPTY_PATH, "AT_EMPTY_PATH"},
	{unix.AT_SYMLINK_NOFOLLOW, "AT_SYMLINK_NOFOLLOW"},
}

var accessModes = flagSet{{unix.R_OK, "R_OK"}, {unix.W_OK, "W_OK"}, {unix.X_OK, "X_OK"}}

var statxMasks = flagSet{
	{unix.STATX_BASIC_STATS, "STATX_BASIC_STATS"},
	{unix.STATX_TYPE, "STATX_TYPE"},
	{unix.STATX_MODE, "STATX_MODE"},
	{unix.STATX_UID, "STATX_UID"},
	{unix.STATX_GID, "STATX_GID"},
	{unix.STATX_INO, "STATX_INO"},
	{unix.STATX_MNT_ID, "STATX_MNT_ID"},
}

var mountFlags = flagSet{
	{unix.MS_BIND, "MS_BIND"},
	{unix.MS_MOVE, "MS_MOVE"},
	{unix.MS_REMOUNT, "MS_REMOUNT"},
	{unix.MS_SHARED, "MS_SHARED"},
	{unix.MS_SLAVE, "MS_SLAVE"},
	{unix.MS_PRIVATE, "MS_PRIVATE"},
	{unix.MS_UNBINDABLE, "MS_UNBINDABLE"},
	{unix.MS_REC, "MS_REC"},
	{unix.MS_RDONLY, "MS_RDONLY"},
	{unix.MS_NOSUID, "MS_NOSUID"},
	{unix.MS_NODEV, "MS_NODEV"},
	{unix.MS_NOEXEC, "MS_NOEXEC"},
	{unix.MS_NOATIME, "MS_NOATIME"},
	{unix.MS_NODIRATIME, "MS_NODIRATIME"},
	{unix.MS_RELATIME, "MS_RELATIME"},
	{unix.MS_STRICTATIME, "MS_STRICTATIME"},
	{unix.MS_LAZYTIME, "MS_LAZYTIME"},
	{unix.MS_SYNCHRONOUS, "MS_SYNCHRONOUS"},
	{unix.MS_DIRSYNC, "MS_DIRSYNC"},
	{unix.MS_MANDLOCK, "MS_MANDLOCK"},
	{unix.MS_NOSYMFOLLOW, "MS_NOSYMFOLLOW"},
	{unix.MS_I_VERSION, "MS_I_VERSION"},
	{unix.MS_SILENT, "MS_SILENT"},
}

var statfsFlagNames = flagSet{
	{unix.ST_RDONLY, "ST_RDONLY"},
	{unix.ST_NOSUID, "ST_NOSUID"},
	{unix.ST_NODEV, "ST_NODEV"},
	{unix.ST_NOEXEC, "ST_NOEXEC"},
	{statfsNoSymfollow, "ST_NOSYMFOLLOW"},
}

var umountFlags = flagSet{
	{unix.MNT_DETACH, "MNT_DETACH"},
	{unix.MNT_FORCE, "MNT_FORCE"},
	{unix.MNT_EXPIRE, "MNT_EXPIRE"},
	{unix.UMOUNT_NOFOLLOW, "UMOUNT_NOFOLLOW"},
}

// mountAttributes has the access-time settings as what they are, a number of
// three bits: the whole of it, which only clearing uses, comes first.
var mountAttributes = flagSet{
	{unix.MOUNT_ATTR_RDONLY, "MOUNT_ATTR_RDONLY"},
	{unix.MOUNT_ATTR_NOSUID, "MOUNT_ATTR_NOSUID"},
	{unix.MOUNT_ATTR_NODEV, "MOUNT_ATTR_NODEV"},
	{unix.MOUNT_ATTR_NOEXEC, "MOUNT_ATTR_NOEXEC"},
	{unix.MOUNT_ATTR__ATIME, "MOUNT_ATTR__ATIME"},
	{unix.MOUNT_ATTR_NOATIME, "MOUNT_ATTR_NOATIME"},
	{unix.MOUNT_ATTR_STRICTATIME, "MOUNT_ATTR_STRICTATIME"},
	{unix.MOUNT_ATTR_NODIRATIME, "MOUNT_ATTR_NODIRATIME"},
	{unix.MOUNT_ATTR_IDMAP, "MOUNT_ATTR_IDMAP"},
	{unix.MOUNT_ATTR_NOSYMFOLLOW, "MOUNT_ATTR_NOSYMFOLLOW"},
}

var openTreeFlags = flagSet{
	{unix.OPEN_TREE_CLONE, "OPEN_TREE_CLONE"},
	{unix.OPEN_TREE_CLOEXEC, "OPEN_TREE_CLOEXEC"},
	{unix.AT_EMPTY_PATH, "AT_EMPTY_PATH"},
	{unix.AT_RECURSIVE, "AT_RECURSIVE"},
	{unix.AT_SYMLINK_NOFOLLOW, "AT_SYMLINK_NOFOLLOW"},
	{unix.AT_NO_AUTOMOUNT, "AT_NO_AUTOMOUNT"},
}

var moveMountFlags = flagSet{
	{unix.MOVE_MOUNT_F_EMPTY_PATH, "MOVE_MOUNT_F_EMPTY_PATH"},
	{unix.MOVE_MOUNT_T_EMPTY_PATH, "MOVE_MOUNT_T_EMPTY_PATH"},
	{unix.MOVE_MOUNT_F_SYMLINKS, "MOVE_MOUNT_F_SYMLINKS"},
	{unix.MOVE_MOUNT_T_SYMLINKS, "MOVE_MOUNT_T_SYMLINKS"},
	{unix.MOVE_MOUNT_F_AUTOMOUNTS, "MOVE_MOUNT_F_AUTOMOUNTS"},
	{unix.MOVE_MOUNT_T_AUTOMOUNTS, "MOVE_MOUNT_T_AUTOMOUNTS"},
	{unix.MOVE_MOUNT_SET_GROUP, "MOVE_MOUNT_SET_GROUP"},
}

var (
	fsopenFlags  = flagSet{{unix.FSOPEN_CLOEXEC, "FSOPEN_CLOEXEC"}}
	fsmountFlags = flagSet{{unix.FSMOUNT_CLOEXEC, "FSMOUNT_CLOEXEC"}}
	keyctlOps    = enum{{unix.KEYCTL_JOIN_SESSION_KEYRING, "KEYCTL_JOIN_SESSION_KEYRING"}}
)

var fspickFlags = flagSet{
	{unix.FSPICK_CLOEXEC, "FSPICK_CLOEXEC"},
	{unix.FSPICK_EMPTY_PATH, "FSPICK_EMPTY_PATH"},
	{unix.FSPICK_SYMLINK_NOFOLLOW, "FSPICK_SYMLINK_NOFOLLOW"},
	{unix.FSPICK_NO_AUTOMOUNT, "FSPICK_NO_AUTOMOUNT"},
}

var fsconfigCommands = enum{
	{unix.FSCONFIG_SET_FLAG, "FSCONFIG_SET_FLAG"},
	{unix.FSCONFIG_SET_STRING, "FSCONFIG_SET_STRING"},
	{unix.FSCONFIG_SET_BINARY, "FSCONFIG_SET_BINARY"},
	{unix.FSCONFIG_SET_PATH, "FSCONFIG_SET_PATH"},
	{unix.FSCONFIG_SET_PATH_EMPTY, "FSCONFIG_SET_PATH_EMPTY"},
	{unix.FSCONFIG_SET_FD, "FSCONFIG_SET_FD"},
	{unix.FSCONFIG_CMD_CREATE, "FSCONFIG_CMD_CREATE"},
	{unix.FSCONFIG_CMD_RECONFIGURE, "FSCONFIG_CMD_RECONFIGURE"},
	{7, "FSCONFIG_CMD_CREATE_EXCL"}, // Linux 6.6
}

var closeRangeFlags = flagSet{
	{unix.CLOSE_RANGE_CLOEXEC, "CLOSE_RANGE_CLOEXEC"},
	{unix.CLOSE_RANGE_UNSHARE, "CLOSE_RANGE_UNSHARE"},
}

var prctlOptions = enum{
	{unix.PR_SET_DUMPABLE, "PR_SET_DUMPABLE"},
	{unix.PR_SET_KEEPCAPS, "PR_SET_KEEPCAPS"},
	{unix.PR_SET_NAME, "PR_SET_NAME"},
	{unix.PR_SET_PDEATHSIG, "PR_SET_PDEATHSIG"},
	{unix.PR_SET_SECUREBITS, "PR_SET_SECUREBITS"},
	{unix.PR_SET_NO_NEW_PRIVS, "PR_SET_NO_NEW_PRIVS"},
	{unix.PR_SET_CHILD_SUBREAPER, "PR_SET_CHILD_SUBREAPER"},
	{unix.PR_SET_THP_DISABLE, "PR_SET_THP_DISABLE"},
	{unix.PR_SET_TIMERSLACK, "PR_SET_TIMERSLACK"},
	{unix.PR_SET_PTRACER, "PR_SET_PTRACER"},
	{unix.PR_SET_MDWE, "PR_SET_MDWE"},
	{unix.PR_CAPBSET_READ, "PR_CAPBSET_READ"},
	{unix.PR_CAPBSET_DROP, "PR_CAPBSET_DROP"},
	{unix.PR_CAP_AMBIENT, "PR_CAP_AMBIENT"},
}

var ambientCommands = enum{
	{unix.PR_CAP_AMBIENT_IS_SET, "PR_CAP_AMBIENT_IS_SET"},
	{unix.PR_CAP_AMBIENT_RAISE, "PR_CAP_AMBIENT_RAISE"},
	{unix.PR_CAP_AMBIENT_LOWER, "PR_CAP_AMBIENT_LOWER"},
	{unix.PR_CAP_AMBIENT_CLEAR_ALL, "PR_CAP_AMBIENT_CLEAR_ALL"},
}

var ioctlRequests = enum{
	{unix.SIOCGIFFLAGS, "SIOCGIFFLAGS"},
	{unix.SIOCSIFFLAGS, "SIOCSIFFLAGS"},
	{unix.TIOCSCTTY, "TIOCSCTTY"},
	{unix.TIOCNOTTY, "TIOCNOTTY"},
	{unix.TIOCSWINSZ, "TIOCSWINSZ"},
	{unix.TIOCSPTLCK, "TIOCSPTLCK"},
	{unix.TIOCGPTN, "TIOCGPTN"},
	{unix.TIOCGPTPEER, "TIOCGPTPEER"},
}

var interfaceFlags = flagSet{{unix.IFF_UP, "IFF_UP"}, {unix.IFF_RUNNING, "IFF_RUNNING"}}

var socketDomains = enum{
	{unix.AF_UNIX, "AF_UNIX"},
	{unix.AF_INET, "AF_INET"},
	{unix.AF_INET6, "AF_INET6"},
	{unix.AF_NETLINK, "AF_NETLINK"},
}

var socketFlags = flagSet{{unix.SOCK_CLOEXEC, "SOCK_CLOEXEC"}, {unix.SOCK_NONBLOCK, "SOCK_NONBLOCK"}}

var socketTypes = enum{
	{unix.SOCK_STREAM, "SOCK_STREAM"},
	{unix.SOCK_DGRAM, "SOCK_DGRAM"},
	{unix.SOCK_RAW, "SOCK_RAW"},
	{unix.SOCK_SEQPACKET, "SOCK_SEQPACKET"},
}

// formatSocketType gives the type of socket(2), which has flags above it.
func formatSocketType(v uint64) string {
	const flags = unix.SOCK_CLOEXEC | unix.SOCK_NONBLOCK
	name := socketTypes.format(v &^ flags)
	if v&flags == 0 {
		return name
	}
	return name + "|" + socketFlags.format(v&flags)
}

var messageFlags = flagSet{
	{unix.MSG_NOSIGNAL, "MSG_NOSIGNAL"},
	{unix.MSG_DONTWAIT, "MSG_DONTWAIT"},
	{unix.MSG_PEEK, "MSG_PEEK"},
	{unix.MSG_CMSG_CLOEXEC, "MSG_CMSG_CLOEXEC"},
}

var fcntlCommands = enum{
	{unix.F_DUPFD, "F_DUPFD"},
	{unix.F_DUPFD_CLOEXEC, "F_DUPFD_CLOEXEC"},
	{unix.F_GETFD, "F_GETFD"},
	{unix.F_SETFD, "F_SETFD"},
	{unix.F_GETFL, "F_GETFL"},
	{unix.F_SETFL, "F_SETFL"},
	{unix.F_ADD_SEALS, "F_ADD_SEALS"},
	{unix.F_GET_SEALS, "F_GET_SEALS"},
}

var seccompOperations = enum{
	{unix.SECCOMP_SET_MODE_FILTER, "SECCOMP_SET_MODE_FILTER"},
	{unix.SECCOMP_GET_ACTION_AVAIL, "SECCOMP_GET_ACTION_AVAIL"},
}

var seccompFlags = flagSet{
	{unix.SECCOMP_FILTER_FLAG_TSYNC, "SECCOMP_FILTER_FLAG_TSYNC"},
	{unix.SECCOMP_FILTER_FLAG_LOG, "SECCOMP_FILTER_FLAG_LOG"},
	{unix.SECCOMP_FILTER_FLAG_SPEC_ALLOW, "SECCOMP_FILTER_FLAG_SPEC_ALLOW"},
	{unix.SECCOMP_FILTER_FLAG_NEW_LISTENER, "SECCOMP_FILTER_FLAG_NEW_LISTENER"},
	{0x20, "SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV"}, // Linux 5.19
}

var clocks = enum{
	{unix.CLOCK_REALTIME, "CLOCK_REALTIME"},
	{unix.CLOCK_MONOTONIC, "CLOCK_MONOTONIC"},
	{unix.CLOCK_BOOTTIME, "CLOCK_BOOTTIME"},
	{unix.CLOCK_TAI, "CLOCK_TAI"},
}

var rlimitNames = enum{
	{unix.RLIMIT_AS, "RLIMIT_AS"},
	{unix.RLIMIT_CORE, "RLIMIT_CORE"},
	{unix.RLIMIT_CPU, "RLIMIT_CPU"},
	{unix.RLIMIT_DATA, "RLIMIT_DATA"},
	{unix.RLIMIT_FSIZE, "RLIMIT_FSIZE"},
	{unix.RLIMIT_LOCKS, "RLIMIT_LOCKS"},
	{unix.RLIMIT_MEMLOCK, "RLIMIT_MEMLOCK"},
	{unix.RLIMIT_MSGQUEUE, "RLIMIT_MSGQUEUE"},
	{unix.RLIMIT_NICE, "RLIMIT_NICE"},
	{unix.RLIMIT_NOFILE, "RLIMIT_NOFILE"},
	{unix.RLIMIT_NPROC, "RLIMIT_NPROC"},
	{unix.RLIMIT_RSS, "RLIMIT_RSS"},
	{unix.RLIMIT_RTPRIO, "RLIMIT_RTPRIO"},
	{unix.RLIMIT_RTTIME, "RLIMIT_RTTIME"},
	{unix.RLIMIT_SIGPENDING, "RLIMIT_SIGPENDING"},
	{unix.RLIMIT_STACK, "RLIMIT_STACK"},
}

var personalities = enum{
	{0x0000, "PER_LINUX"},
	{0x0008, "PER_LINUX32"},
}

var schedulerPolicies = enum{
	{unix.SCHED_NORMAL, "SCHED_OTHER"},
	{unix.SCHED_FIFO, "SCHED_FIFO"},
	{unix.SCHED_RR, "SCHED_RR"},
	{unix.SCHED_BATCH, "SCHED_BATCH"},
	{unix.SCHED_IDLE, "SCHED_IDLE"},
	{unix.SCHED_DEADLINE, "SCHED_DEADLINE"},
}

var schedulerFlags = flagSet{
	{unix.SCHED_FLAG_RESET_ON_FORK, "SCHED_FLAG_RESET_ON_FORK"},
	{unix.SCHED_FLAG_RECLAIM, "SCHED_FLAG_RECLAIM"},
	{unix.SCHED_FLAG_DL_OVERRUN, "SCHED_FLAG_DL_OVERRUN"},
	{unix.SCHED_FLAG_KEEP_POLICY, "SCHED_FLAG_KEEP_POLICY"},
	{unix.SCHED_FLAG_KEEP_PARAMS, "SCHED_FLAG_KEEP_PARAMS"},
	{unix.SCHED_FLAG_UTIL_CLAMP_MIN, "SCHED_FLAG_UTIL_CLAMP_MIN"},
	{unix.SCHED_FLAG_UTIL_CLAMP_MAX, "SCHED_FLAG_UTIL_CLAMP_MAX"},
}

var ioTargets = enum{
	{1, "IOPRIO_WHO_PROCESS"},
	{2, "IOPRIO_WHO_PGRP"},
	{3, "IOPRIO_WHO_USER"},
}

var ioClasses = enum{
	{1, "IOPRIO_CLASS_RT"},
	{2, "IOPRIO_CLASS_BE"},
	{3, "IOPRIO_CLASS_IDLE"},
}

var memoryPolicyModes = enum{
	{unix.MPOL_DEFAULT, "MPOL_DEFAULT"},
	{unix.MPOL_PREFERRED, "MPOL_PREFERRED"},
	{unix.MPOL_BIND, "MPOL_BIND"},
	{unix.MPOL_INTERLEAVE, "MPOL_INTERLEAVE"},
	{unix.MPOL_LOCAL, "MPOL_LOCAL"},
	{unix.MPOL_PREFERRED_MANY, "MPOL_PREFERRED_MANY"},
	{unix.MPOL_WEIGHTED_INTERLEAVE, "MPOL_WEIGHTED_INTERLEAVE"},
}

var memoryPolicyFlags = flagSet{
	{unix.MPOL_F_STATIC_NODES, "MPOL_F_STATIC_NODES"},
	{unix.MPOL_F_RELATIVE_NODES, "MPOL_F_RELATIVE_NODES"},
	{unix.MPOL_F_NUMA_BALANCING, "MPOL_F_NUMA_BALANCING"},
}

var fileTypes = enum{
	{unix.S_IFREG, "S_IFREG"},
	{unix.S_IFDIR, "S_IFDIR"},
	{unix.S_IFLNK, "S_IFLNK"},
	{unix.S_IFCHR, "S_IFCHR"},
	{unix.S_IFBLK, "S_IFBLK"},
	{unix.S_IFIFO, "S_IFIFO"},
	{unix.S_IFSOCK, "S_IFSOCK"},
}

var filesystems = enum{
	{unix.PROC_SUPER_MAGIC, "PROC_SUPER_MAGIC"},
	{unix.SYSFS_MAGIC, "SYSFS_MAGIC"},
	{unix.TMPFS_MAGIC, "TMPFS_MAGIC"},
	{unix.DEVPTS_SUPER_MAGIC, "DEVPTS_SUPER_MAGIC"},
	{unix.CGROUP_SUPER_MAGIC, "CGROUP_SUPER_MAGIC"},
	{unix.CGROUP2_SUPER_MAGIC, "CGROUP2_SUPER_MAGIC"},
	{unix.NSFS_MAGIC, "NSFS_MAGIC"},
}
