package libns

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"time"

	specs "github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"

	"rt/libns/plan"
	"rt/spec"
)

// members tells the processes of a container without a cgroup from all others:
// by a namespace of its own, which they can leave for none but one below it. That
// is its pid namespace; or else its user namespace.
type members struct {
	kind      string   // of the namespace, in /proc/PID/ns
	namespace *os.File // keeps it, so that no other one gets its number; nil if only the id is known
	id        uint64   // which no other namespace ever has; 0 before Linux 6.18
}

// usernsFile is the name, in a container's state directory, of the file with the
// id of its user namespace. It is there if that is what tells its processes.
const usernsFile = "userns"

// keepUserNamespace notes the user namespace of the init stage.
func (d *driver) keepUserNamespace() error {
	namespace, err := os.Open("/proc/" + strconv.Itoa(d.child.pid) + "/ns/user")
	if err != nil {
		return err
	}
	defer namespace.Close()
	id, _ := namespaceNumber(namespace)
	return os.WriteFile(filepath.Join(d.request.Dir, usernsFile), strconv.AppendUint(nil, id, 10), 0o600)
}

// namespaceNumber is the id of a namespace that is used for no other, ever. The
// kernel tells it since Linux 6.18.
func namespaceNumber(namespace *os.File) (uint64, error) {
	id, err := unix.IoctlGetInt(int(namespace.Fd()), unix.NS_GET_ID)
	return uint64(id), os.NewSyscallError("ioctl NS_GET_ID", err)
}

// LosesProcesses reports whether what a container leaves running when its first
// process ends may be found by no later command: it has no cgroup, shares its pid
// namespace, and has no user namespace of its own that can be known again.
func LosesProcesses(config *spec.Config, cgroup plan.Cgroup) bool {
	if !cgroup.IsZero() || !SharedPID(config) {
		return false
	}
	if config.Linux == nil || !slices.ContainsFunc(config.Linux.Namespaces, func(ns specs.LinuxNamespace) bool {
		return ns.Type == specs.UserNamespace && ns.Path == ""
	}) {
		return true
	}
	own, err := os.Open("/proc/self/ns/user")
	if err != nil {
		return true
	}
	defer own.Close()
	_, err = namespaceNumber(own)
	return err != nil
}

// members is nil if the container's processes cannot be told from others.
func (c *Container) members() *members {
	if !c.Cgroup.IsZero() {
		return nil
	}
	if !c.SharedPID {
		return c.membersOf("pid")
	}
	text, err := os.ReadFile(filepath.Join(c.Dir, usernsFile))
	if err != nil {
		return nil
	}
	if m := c.membersOf("user"); m != nil {
		return m
	}
	if id, err := strconv.ParseUint(string(text), 10, 64); err == nil && id != 0 {
		return &members{kind: "user", id: id}
	}
	return nil
}

// membersOf looks the namespace up at the first process, if that lives.
func (c *Container) membersOf(kind string) *members {
	namespace, err := os.Open("/proc/" + strconv.Itoa(c.Init.PID) + "/ns/" + kind)
	if err != nil {
		return nil
	}
	if !c.Init.Alive() { // it was that of another process
		namespace.Close()
		return nil
	}
	return &members{kind: kind, namespace: namespace}
}

func (m *members) close() {
	if m != nil && m.namespace != nil {
		m.namespace.Close()
	}
}

// list gives the processes that there are now.
func (m *members) list() ([]int, error) {
	proc, err := os.Open("/proc")
	if err != nil {
		return nil, err
	}
	defer proc.Close()
	names, err := proc.Readdirnames(-1)
	if err != nil {
		return nil, err
	}
	var pids []int
	for _, name := range names {
		if pid, err := strconv.Atoi(name); err == nil && m.has(pid) {
			pids = append(pids, pid)
		}
	}
	return pids, nil
}

// has says whether a process is a member that has not ended. What others do not
// let this one look at is none.
func (m *members) has(pid int) bool {
	state, _, err := processStat(pid)
	if err != nil || state == 'Z' || state == 'X' {
		return false
	}
	namespace, err := os.Open("/proc/" + strconv.Itoa(pid) + "/ns/" + m.kind)
	for err == nil {
		if m.is(namespace) {
			namespace.Close()
			return true
		}
		namespace, err = parentNamespace(namespace)
	}
	return false
}

// is says whether this is the namespace.
func (m *members) is(namespace *os.File) bool {
	if m.namespace == nil {
		id, err := namespaceNumber(namespace)
		return err == nil && id == m.id
	}
	own, err := m.namespace.Stat()
	if err != nil {
		return false
	}
	other, err := namespace.Stat()
	return err == nil && os.SameFile(own, other)
}

// parentNamespace gives the namespace above one, in place of that. There is none
// above the caller's own.
func parentNamespace(namespace *os.File) (*os.File, error) {
	defer namespace.Close()
	fd, err := unix.IoctlRetInt(int(namespace.Fd()), unix.NS_GET_PARENT)
	if err != nil {
		return nil, os.NewSyscallError("ioctl NS_GET_PARENT", err)
	}
	return os.NewFile(uintptr(fd), "namespace"), nil
}

// signal sends a signal to each of the processes that there are now. It gives a
// pidfd of the last one, or -1 if there was none.
func (m *members) signal(sig unix.Signal) (last int, err error) {
	pids, err := m.list()
	last = -1
	for _, pid := range pids {
		fd, err := unix.PidfdOpen(pid, 0)
		if err != nil {
			continue // it has ended
		}
		// The pid may have become another process's before it was pinned.
		if !m.has(pid) {
			unix.Close(fd)
			continue
		}
		unix.Close(last)
		last = fd
		if err := unix.PidfdSendSignal(fd, sig, nil, 0); err != nil && err != unix.ESRCH {
			return last, fmt.Errorf("kill %d: %w", pid, err)
		}
	}
	return last, err
}

// signalAll is signal, of which SIGKILL reaches all of them.
func (m *members) signalAll(sig unix.Signal) error {
	if sig == unix.SIGKILL {
		return m.kill(time.Now().Add(killDeadline))
	}
	last, err := m.signal(sig)
	unix.Close(last)
	return err
}

// kill ends them all, with those that they make meanwhile, and waits for it, at
// most until the deadline.
func (m *members) kill(deadline time.Time) error {
	for {
		last, err := m.signal(unix.SIGKILL)
		if last < 0 || err != nil {
			unix.Close(last)
			return err
		}
		gone, err := poll(last, unix.POLLIN, deadline)
		unix.Close(last)
		if err != nil {
			return err
		}
		if !gone {
			return errors.New("processes of the container are left")
		}
	}
}
