package libns

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"

	"rt/libns/plan"
)

// signalCgroup sends a signal to every process of the container. An absent
// cgroup has none.
func signalCgroup(c plan.Cgroup, sig unix.Signal) error {
	if sig == unix.SIGKILL {
		return killCgroup(c)
	}
	_, err := signalOnce(c, sig)
	return err
}

// killCgroup kills every process of the container, whatever they do against it.
// The kernel can do that at once; where it cannot, nothing forks while the
// cgroup is frozen, so that what is found there is all. A cgroup that does not
// freeze is gone through until it is empty.
func killCgroup(c plan.Cgroup) error {
	killed, err := killUnified(c.Unified)
	if err != nil {
		return err
	}
	if killed {
		return thaw(c) // on cgroup v1 nothing dies frozen
	}
	const rounds = 100 // a fork bomb loses this race long before
	for range rounds {
		stopped := freeze(c) == nil
		n, err := signalOnce(c, unix.SIGKILL)
		if err := errors.Join(err, thaw(c)); err != nil || n == 0 || stopped {
			return err
		}
	}
	return nil
}

// killUnified has the kernel kill all of a cgroup (cgroup.kill, Linux 5.14), if
// it can.
func killUnified(directory string) (killed bool, err error) {
	if directory == "" {
		return false, nil
	}
	err = os.WriteFile(filepath.Join(directory, "cgroup.kill"), []byte("1"), 0)
	if errors.Is(err, os.ErrNotExist) || errors.Is(err, unix.ENODEV) {
		return false, nil
	}
	return err == nil, err
}

// signalOnce signals each process that is now in one of the cgroup's
// directories, and says how many took it.
func signalOnce(c plan.Cgroup, sig unix.Signal) (int, error) {
	signalled := map[int]bool{}
	for _, directory := range c.Directories() {
		pids, err := allPids(directory)
		if err != nil {
			return 0, err
		}
		for _, pid := range pids {
			if signalled[pid] {
				continue
			}
			switch err := unix.Kill(pid, sig); err {
			case nil:
				signalled[pid] = true
			case unix.ESRCH:
			default:
				return 0, fmt.Errorf("kill %d: %w", pid, err)
			}
		}
	}
	return len(signalled), nil
}
