package libns

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"syscall"

	"golang.org/x/sys/unix"

	"rt/libns/plan"
	"rt/libns/stage"
)

// child is the init stage as its parent knows it.
type child struct {
	pid   int
	pidfd int
}

// launch assembles the image and clones the init stage, into its cgroup where
// the kernel can do that.
func (d *driver) launch(l plan.Launch) error {
	assembled := d.request.Recorder.Span("assemble the init stage", "")
	image, err := stage.Assemble(d.program)
	if err != nil {
		return err
	}
	assembled()
	file, err := stage.Seal(image, d.request.Dir)
	if err != nil {
		return err
	}
	defer file.Close()
	if err := d.shareTimes(); err != nil {
		return err
	}
	talking, theirs, err := talk()
	if err != nil {
		return err
	}
	defer theirs.Close()
	d.conversation = talking
	if err := d.awaitNetwork(); err != nil {
		return err
	}

	inherited := d.inherited(theirs)
	executed, err := outOfTheWay(file, inherited)
	if err != nil {
		return err
	}
	defer unix.Close(executed)
	path := "/proc/self/fd/" + strconv.Itoa(executed)
	err = d.clone(path, inherited, l.CloneFlags, l.IntoCgroup)
	if errors.Is(err, unix.EBUSY) && l.OrCgroup != "" {
		err = d.clone(path, inherited, l.CloneFlags, l.OrCgroup)
	}
	if err != nil {
		return fmt.Errorf("clone: %w", err)
	}
	d.closeGate()
	d.network.close()
	return nil
}

// outOfTheWay gives another descriptor of a file, which is still that of the file
// when it is executed. Before, the child puts the descriptors that it inherits in
// their places, and those that are in the way of others above the highest of them.
func outOfTheWay(file *os.File, inherited []uintptr) (int, error) {
	highest := max(uintptr(len(inherited)), slices.Max(inherited))
	fd, err := unix.FcntlInt(file.Fd(), unix.F_DUPFD_CLOEXEC, int(highest)+len(inherited)+2)
	if err != nil {
		return -1, os.NewSyscallError("fcntl", err)
	}
	return fd, nil
}

// clone starts the image, born in a cgroup v2 (CLONE_INTO_CGROUP of clone(2)):
// a process that is moved there later makes everybody wait for RCU.
func (d *driver) clone(path string, inherited []uintptr, flags uint64, cgroup string) error {
	d.child.pidfd = -1
	attributes := &syscall.ProcAttr{
		Files: inherited,
		Sys:   &syscall.SysProcAttr{Cloneflags: uintptr(flags), PidFD: &d.child.pidfd},
	}
	if cgroup != "" {
		fd, err := unix.Open(cgroup, unix.O_PATH|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
		if err != nil {
			return &os.PathError{Op: "open", Path: cgroup, Err: err}
		}
		defer unix.Close(fd)
		attributes.Sys.UseCgroupFD, attributes.Sys.CgroupFD = true, fd
	}
	var err error
	d.child.pid, err = syscall.ForkExec(path, []string{stage.Name}, attributes)
	d.launched = d.child.pid
	return err
}

// inherited lists the init stage's descriptors: stdio, those that the program
// keeps, and those of [plan.Plan.Passed].
func (d *driver) inherited(control *os.File) []uintptr {
	var fds []uintptr
	for fd := range uintptr(3 + d.plan.Extra) {
		fds = append(fds, fd)
	}
	for i, f := range d.stdio {
		fds[i] = f.Fd()
	}
	for _, p := range d.plan.Passed {
		switch p {
		case plan.Control:
			fds = append(fds, control.Fd())
		case plan.Gate:
			fds = append(fds, d.gate.Fd())
		case plan.Result:
			fds = append(fds, d.result.Fd())
		case plan.Target:
			fds = append(fds, uintptr(d.target))
		case plan.Network:
			fds = append(fds, uintptr(d.network.fd))
		case plan.Trace:
			fds = append(fds, d.times.Fd())
		}
	}
	return fds
}

// forked takes over the process that the init stage went on in, and lets go of
// the one that was only there to fork it.
func (d *driver) forked(pid int) error {
	d.forker = d.child.pid
	d.child.close()
	d.child.pid = pid
	pidfd, err := unix.PidfdOpen(pid, 0)
	if err != nil {
		return os.NewSyscallError("pidfd_open", err)
	}
	d.child.pidfd = pidfd
	return nil
}

// kill ends the init stage and reaps it.
func (c *child) kill() {
	if c.pid == 0 {
		return
	}
	if c.pidfd < 0 || unix.PidfdSendSignal(c.pidfd, unix.SIGKILL, nil, 0) != nil {
		_ = unix.Kill(c.pid, unix.SIGKILL) // unreaped: the pid is still ours
	}
	_, _ = reap(c.pid)
	c.pid = 0
	c.close()
}

func (c *child) close() {
	if c.pidfd >= 0 {
		unix.Close(c.pidfd)
		c.pidfd = -1
	}
}

// reap waits for the end of one child.
func reap(pid int) (unix.WaitStatus, error) {
	var status unix.WaitStatus
	_, err := ignoringEINTR(func() (int, error) { return unix.Wait4(pid, &status, 0, nil) })
	if err != nil {
		return 0, os.NewSyscallError("wait4", err)
	}
	return status, nil
}

// notifyDir is the directory that is shown to the container for sd_notify(3).
func notifyDir(dir string) string { return filepath.Join(dir, "notify") }
