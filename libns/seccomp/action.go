package seccomp

import (
	"fmt"

	"github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"
)

// answer is what a filter returns to the kernel: an action and 16 bits of data
// for it (SECCOMP_RET_*, seccomp(2)).
type answer uint32

// answerENOSYS is the answer to calls that the profile is too old to know.
const answerENOSYS = answer(unix.SECCOMP_RET_ERRNO | uint32(unix.ENOSYS))

// answerBadArch is the answer to calls of an architecture that the filter does
// not cover. libseccomp kills the thread.
const answerBadArch = answer(unix.SECCOMP_RET_KILL_THREAD)

// newAnswer gives the answer for an action of config.json. The errno (EPERM if
// it is nil) is for SCMP_ACT_ERRNO and SCMP_ACT_TRACE, and ignored by the others.
func newAnswer(action specs.LinuxSeccompAction, errno *uint) (answer, error) {
	data := uint32(unix.EPERM)
	if errno != nil {
		data = uint32(*errno) & unix.SECCOMP_RET_DATA
	}
	switch action {
	case specs.ActKill, specs.ActKillThread:
		return unix.SECCOMP_RET_KILL_THREAD, nil
	case specs.ActKillProcess:
		return unix.SECCOMP_RET_KILL_PROCESS, nil
	case specs.ActTrap:
		return unix.SECCOMP_RET_TRAP, nil
	case specs.ActErrno:
		return answer(unix.SECCOMP_RET_ERRNO | data), nil
	case specs.ActTrace:
		return answer(unix.SECCOMP_RET_TRACE | data), nil
	case specs.ActAllow:
		return unix.SECCOMP_RET_ALLOW, nil
	case specs.ActLog:
		return unix.SECCOMP_RET_LOG, nil
	case specs.ActNotify:
		return unix.SECCOMP_RET_USER_NOTIF, nil
	}
	return 0, fmt.Errorf("unknown action %q", action)
}

// permissive says that a call nobody thought of is let through, one way or
// another. Other defaults would break a libc that tries a new call first.
func permissive(action specs.LinuxSeccompAction) bool {
	return action == specs.ActAllow || action == specs.ActLog || action == specs.ActTrace
}

// String gives the answer as a person would write it, such as "errno ENOSYS".
func (a answer) String() string {
	data := uint32(a) & unix.SECCOMP_RET_DATA
	switch uint32(a) & unix.SECCOMP_RET_ACTION_FULL {
	case unix.SECCOMP_RET_KILL_THREAD:
		return "kill thread"
	case unix.SECCOMP_RET_KILL_PROCESS:
		return "kill process"
	case unix.SECCOMP_RET_TRAP:
		return "trap"
	case unix.SECCOMP_RET_ERRNO:
		return "errno " + errnoName(data)
	case unix.SECCOMP_RET_TRACE:
		return fmt.Sprintf("trace %d", data)
	case unix.SECCOMP_RET_ALLOW:
		return "allow"
	case unix.SECCOMP_RET_LOG:
		return "log"
	case unix.SECCOMP_RET_USER_NOTIF:
		return "notify"
	}
	return fmt.Sprintf("%#x", uint32(a))
}

func errnoName(errno uint32) string {
	if name := unix.ErrnoName(unix.Errno(errno)); name != "" {
		return name
	}
	return fmt.Sprint(errno)
}
