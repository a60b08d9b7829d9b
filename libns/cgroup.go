package libns

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/opencontainers/cgroups"
	cgroups1 "github.com/opencontainers/cgroups/fs"
	cgroups2 "github.com/opencontainers/cgroups/fs2"
	specs "github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"

	"rt/libns/plan"
)

// errNoCgroup is what commands say about a container that was made without a
// cgroup, and need one.
var errNoCgroup = errors.New("the container has no cgroup: it was made with --cgroup-manager=disabled, or by a user to whom none is delegated (cgroups(7))")

// makeCgroup makes a cgroup in the unified hierarchy, with the controllers that
// the cgroups above it have to give. One that exists must be empty: its
// processes would be killed with the container. It reports whether it is new,
// for the undo. The resources matter to a cgroup below a threaded one, which
// some controllers cannot limit (cgroups(7), "Cgroups v2 thread mode").
func makeCgroup(directory string, r *specs.LinuxResources) (made bool, err error) {
	_, err = os.Stat(directory)
	made = err != nil
	if !made {
		if err := refuseOccupied(directory); err != nil {
			return false, err
		}
	}
	if cgroups.IsCgroup2UnifiedMode() {
		return made, enableControllers(directory, r)
	}
	return made, os.MkdirAll(directory, 0o755)
}

// enableControllers has the cgroups above one of cgroup v2 give it the
// controllers that they have. It makes those that are missing.
func enableControllers(directory string, r *specs.LinuxResources) error {
	return cgroups2.CreateCgroupPath(directory, &cgroups.Cgroup{Resources: convertResources(r)})
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

// refuseOccupied gives an error for a cgroup with processes, other than those
// that may be there.
func refuseOccupied(directory string, except ...int) error {
	pids, err := cgroups.GetAllPids(directory)
	if err != nil {
		return err
	}
	pids = slices.DeleteFunc(pids, func(pid int) bool { return slices.Contains(except, pid) })
	if len(pids) > 0 {
		return fmt.Errorf("container's cgroup is not empty: %d process(es) found in %s", len(pids), directory)
	}
	return nil
}

// joinCgroups makes the v1 cgroups and moves a process into them. systemd may
// have moved it into some of them.
func joinCgroups(groups []plan.V1Group, pid int) error {
	paths := make(map[string]string, len(groups))
	for _, g := range groups {
		if _, err := os.Stat(g.Directory); err == nil {
			if err := refuseOccupied(g.Directory, pid); err != nil {
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
// the directories, with the unit that they belong to. A cgroup that was never
// made is no error.
func removeCgroup(c plan.Cgroup, deadline time.Time) error {
	if c.IsZero() || c.Unit == nil && removeEmpty(c) {
		return nil
	}
	if err := killCgroup(c); err != nil {
		return fmt.Errorf("kill the container's processes: %w", err)
	}
	if err := waitEmpty(c, deadline); err != nil {
		return err
	}
	directories := c.Directories()
	if c.Unit != nil {
		if err := removeUnit(*c.Unit); err != nil {
			return fmt.Errorf("remove %s: %w", c.Unit.Name, err)
		}
		directories = append(directories, c.Unit.Directory) // systemd leaves it if others made cgroups below
	}
	for _, directory := range directories {
		if err := removeDirectory(directory); err != nil {
			return fmt.Errorf("remove the container's cgroup: %w", err)
		}
	}
	return nil
}

// removeDirectory removes an empty cgroup with those below it, if it is there.
func removeDirectory(directory string) error {
	if directory == "" {
		return nil
	}
	return cgroups.RemovePath(directory)
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

// waitEmpty waits until the killed processes have left the cgroup. The unified
// hierarchy tells; in the others, which usually have the same processes, what
// is left is waited for one by one.
func waitEmpty(c plan.Cgroup, deadline time.Time) error {
	if c.Unified != "" {
		empty, err := waitForEvent(c.Unified, "populated 0", deadline)
		if err != nil {
			return err
		}
		if !empty {
			return fmt.Errorf("processes are left in %s", c.Unified)
		}
	}
	for _, g := range c.V1 {
		if err := waitForProcesses(g.Directory, deadline); err != nil {
			return err
		}
	}
	return nil
}

// waitForProcesses kills each process in a cgroup and waits for its end, until
// there is none.
func waitForProcesses(directory string, deadline time.Time) error {
	for {
		pids, err := allPids(directory)
		if err != nil || len(pids) == 0 {
			return err
		}
		for _, pid := range pids {
			gone, err := killAndWait(pid, deadline)
			if err != nil {
				return err
			}
			if !gone {
				return fmt.Errorf("processes are left in %s", directory)
			}
		}
	}
}

// killAndWait kills one process and waits for its end, at most until the deadline.
func killAndWait(pid int, deadline time.Time) (gone bool, err error) {
	fd, err := unix.PidfdOpen(pid, 0)
	if errors.Is(err, unix.ESRCH) {
		return time.Now().Before(deadline), nil
	}
	if err != nil {
		return false, os.NewSyscallError("pidfd_open", err)
	}
	defer unix.Close(fd)
	if err := unix.PidfdSendSignal(fd, unix.SIGKILL, nil, 0); err != nil && !errors.Is(err, unix.ESRCH) {
		return false, os.NewSyscallError("pidfd_send_signal", err)
	}
	return poll(fd, unix.POLLIN, deadline)
}

// allPids lists the processes in a cgroup and those below it: none, if it does
// not exist.
func allPids(directory string) ([]int, error) {
	pids, err := cgroups.GetAllPids(directory)
	if errors.Is(err, os.ErrNotExist) || errors.Is(err, unix.ENODEV) {
		return nil, nil
	}
	return pids, err
}

// waitForEvent waits until cgroup.events of a cgroup in the unified hierarchy
// says so, at most until the deadline. The file is readable with POLLPRI when
// it has changed. In a cgroup that does not exist, everything has happened.
func waitForEvent(directory, event string, deadline time.Time) (happened bool, err error) {
	file, err := cgroups.OpenFile(directory, "cgroup.events", os.O_RDONLY)
	if errors.Is(err, os.ErrNotExist) {
		return true, nil
	}
	if err != nil {
		return false, err
	}
	defer file.Close()
	buffer := make([]byte, 256)
	for {
		n, err := file.ReadAt(buffer, 0)
		if n == 0 && err != nil {
			return true, nil // removed meanwhile
		}
		if strings.Contains(string(buffer[:n]), event) {
			return true, nil
		}
		changed, err := poll(int(file.Fd()), unix.POLLPRI, deadline)
		if err != nil || !changed {
			return false, err
		}
	}
}
