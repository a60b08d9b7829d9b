package libns

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/opencontainers/cgroups"
	cgroups1 "github.com/opencontainers/cgroups/fs"
	cgroups2 "github.com/opencontainers/cgroups/fs2"
	specs "github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"

	"rt/libns/plan"
)

// makeCgroup makes a cgroup in the unified hierarchy. One that exists must be
// empty: its processes would be killed with the container. It reports what it
// made, for the undo. The resources matter to a cgroup below a threaded one,
// which some controllers cannot limit (cgroups(7), "Cgroups v2 thread mode").
func makeCgroup(directory string, r *specs.LinuxResources) (made bool, err error) {
	if _, err := os.Stat(directory); err == nil {
		return false, refuseOccupied(directory)
	}
	if cgroups.IsCgroup2UnifiedMode() {
		return true, cgroups2.CreateCgroupPath(directory, &cgroups.Cgroup{Resources: convertResources(r)})
	}
	return true, os.MkdirAll(directory, 0o755)
}

// delegateCgroup gives a cgroup and those of its files that do not limit it to a
// user. The kernel lists these files since Linux 4.15; not every kernel has
// each of them.
func delegateCgroup(directory string, uid int) error {
	files := []string{"cgroup.procs", "cgroup.subtree_control", "cgroup.threads"}
	if list, err := os.ReadFile("/sys/kernel/cgroup/delegate"); err == nil {
		files = strings.Fields(string(list))
	}
	if err := os.Chown(directory, uid, -1); err != nil {
		return err
	}
	for _, file := range files {
		err := os.Chown(filepath.Join(directory, file), uid, -1)
		if err != nil && !errors.Is(err, os.ErrNotExist) {
			return err
		}
	}
	return nil
}

// CheckCgroup reports why no container may be made in a cgroup that exists
// already: there are processes in it, which would be killed with the container,
// or it is frozen, so that nothing in it could run.
func CheckCgroup(c plan.Cgroup) error {
	for _, directory := range c.Directories() {
		if _, err := os.Stat(directory); err != nil {
			continue
		}
		if err := refuseOccupied(directory); err != nil {
			return err
		}
	}
	if frozen(c) {
		return errors.New("container's cgroup unexpectedly frozen")
	}
	return nil
}

func refuseOccupied(directory string) error {
	pids, err := cgroups.GetAllPids(directory)
	if err != nil {
		return err
	}
	if len(pids) > 0 {
		return fmt.Errorf("container's cgroup is not empty: %d process(es) found in %s", len(pids), directory)
	}
	return nil
}

// joinCgroups makes the v1 cgroups and moves a process into them.
func joinCgroups(groups []plan.V1Group, pid int) error {
	paths := make(map[string]string, len(groups))
	for _, g := range groups {
		if _, err := os.Stat(g.Directory); err == nil {
			if err := refuseOccupied(g.Directory); err != nil {
				return err
			}
		}
		paths[g.Hierarchy] = g.Directory
	}
	manager, err := cgroups1.NewManager(&cgroups.Cgroup{Resources: &cgroups.Resources{}}, paths)
	if err != nil {
		return err
	}
	return manager.Apply(pid)
}

// enterCgroups moves a process into v1 cgroups that exist.
func enterCgroups(groups []plan.V1Group, pid int) error {
	for _, g := range groups {
		if err := cgroups.WriteCgroupProc(g.Directory, pid); err != nil {
			return err
		}
	}
	return nil
}

// frozen reports whether the container is paused.
func frozen(c plan.Cgroup) bool {
	if directory, ok := c.Controller("freezer"); ok {
		state, err := cgroups.ReadFile(directory, "freezer.state")
		return err == nil && strings.TrimSpace(state) != "THAWED"
	}
	if c.Unified == "" {
		return false
	}
	events, err := cgroups.ReadFile(c.Unified, "cgroup.events")
	return err == nil && strings.Contains(events, "frozen 1")
}

// thaw lets a frozen cgroup run again, so that signals are delivered in it.
func thaw(c plan.Cgroup) error {
	if !frozen(c) {
		return nil
	}
	if directory, ok := c.Controller("freezer"); ok {
		return cgroups.WriteFile(directory, "freezer.state", "THAWED")
	}
	return cgroups.WriteFile(c.Unified, "cgroup.freeze", "0")
}

// signalCgroup sends a signal to every process of the container. SIGKILL leaves
// no way out: the kernel kills the unified cgroup as a whole (cgroup.kill,
// Linux 5.14), and where it cannot, the signal is repeated for as long as
// there are processes. An absent cgroup has none.
func signalCgroup(c plan.Cgroup, sig unix.Signal) error {
	if sig != unix.SIGKILL {
		_, err := signalOnce(c, sig)
		return err
	}
	if err := killUnified(c.Unified); err != nil {
		return err
	}
	const rounds = 100 // a fork bomb loses this race long before
	for range rounds {
		n, err := signalOnce(c, sig)
		if err != nil || n == 0 {
			return err
		}
		if err := thaw(c); err != nil {
			return err
		}
	}
	return nil
}

func killUnified(directory string) error {
	if directory == "" {
		return nil
	}
	err := os.WriteFile(filepath.Join(directory, "cgroup.kill"), []byte("1"), 0)
	if errors.Is(err, os.ErrNotExist) || errors.Is(err, unix.ENODEV) {
		return nil // no such cgroup, or a kernel before 5.14
	}
	return err
}

// signalOnce signals each process that is now in one of the cgroup's
// directories, and says how many took it.
func signalOnce(c plan.Cgroup, sig unix.Signal) (int, error) {
	signalled := map[int]bool{}
	for _, directory := range c.Directories() {
		pids, err := cgroups.GetAllPids(directory)
		if err != nil && !errors.Is(err, os.ErrNotExist) && !errors.Is(err, unix.ENODEV) {
			return 0, err
		}
		for _, pid := range pids {
			if signalled[pid] {
				continue
			}
			if err := unix.Kill(pid, sig); err == nil {
				signalled[pid] = true
			} else if err != unix.ESRCH {
				return 0, fmt.Errorf("kill %d: %w", pid, err)
			}
		}
	}
	return len(signalled), nil
}

// oomKills counts the processes of a cgroup that were killed because its memory
// had come to an end. Where nobody counts, there are none.
func oomKills(c plan.Cgroup) uint64 {
	count := cgroups2.OOMKillCount
	directory, ok := c.Controller("memory")
	if ok {
		count = cgroups1.OOMKillCount
	} else {
		directory = c.Unified
	}
	n, err := count(directory)
	if err != nil {
		return 0
	}
	return n
}

// removeCgroup kills what is left in the cgroup, waits for its end and removes
// the directories. A cgroup that was never made is no error.
func removeCgroup(c plan.Cgroup, deadline time.Time) error {
	if c.IsZero() || removeEmpty(c) {
		return nil
	}
	if err := signalCgroup(c, unix.SIGKILL); err != nil {
		return fmt.Errorf("kill the container's processes: %w", err)
	}
	if err := waitEmpty(c.Unified, deadline); err != nil {
		return err
	}
	for _, directory := range c.Directories() {
		if err := cgroups.RemovePath(directory); err != nil {
			return fmt.Errorf("remove the container's cgroup: %w", err)
		}
	}
	return nil
}

// removeEmpty is the usual end: the container is gone and nothing was left.
func removeEmpty(c plan.Cgroup) bool {
	for _, directory := range c.Directories() {
		if err := unix.Rmdir(directory); err != nil && err != unix.ENOENT {
			return false
		}
	}
	return true
}

// waitEmpty waits for the kernel to say that no process is left in the unified
// cgroup: cgroup.events is readable with POLLPRI when it changes.
func waitEmpty(directory string, deadline time.Time) error {
	if directory == "" {
		return nil
	}
	file, err := cgroups.OpenFile(directory, "cgroup.events", os.O_RDONLY)
	if err != nil {
		if errors.Is(err, os.ErrNotExist) {
			return nil
		}
		return err
	}
	defer file.Close()
	buffer := make([]byte, 256)
	for {
		n, err := file.ReadAt(buffer, 0)
		if n == 0 && err != nil {
			return nil // removed meanwhile
		}
		if !strings.Contains(string(buffer[:n]), "populated 1") {
			return nil
		}
		changed, err := poll(int(file.Fd()), unix.POLLPRI, deadline)
		if err != nil {
			return err
		}
		if !changed {
			return fmt.Errorf("processes are left in %s", directory)
		}
	}
}
