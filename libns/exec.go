package libns

import (
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"

	"rt/libns/kernel"
	"rt/libns/plan"
	"rt/libns/trace"
	"rt/spec"
)

// ExecRequest is everything that one more process in a container was asked for.
// Request.Config.Process is that process; what the Request says about the
// container (ID, Dir, Cgroup) is taken from Container.
type ExecRequest struct {
	plan.Request
	Container    *Container
	IgnorePaused bool // let it wait in a paused container for the resume
	// Foreground says that the runtime stays until the program exits. Signals are caught
	// while the program is executed, when there is time for that.
	Foreground bool
	// SubCgroups are where it is to be born instead of the container's cgroup.
	SubCgroups []SubCgroup
	// Recorder, if not nil, is told what is done and when.
	Recorder *trace.Recorder
}

var errStopped = errors.New("cannot exec in a stopped container")

// Exec starts a process in a container. It returns when the program was
// executed, or with the reason why not; then nothing is left of it.
func Exec(r *ExecRequest) (*Process, error) {
	target, err := r.Container.Init.open()
	if err != nil {
		return nil, errStopped
	}
	defer unix.Close(target)
	status := r.Container.statusAlive()
	if status == Paused && !r.IgnorePaused {
		return nil, errors.New("cannot exec in a paused container (use --ignore-paused to override)")
	}

	request, err := r.complete()
	if err != nil {
		return nil, err
	}
	p, err := plan.ForExec(request)
	if err != nil {
		return nil, err
	}
	d := &driver{
		request: &Request{Request: request.Request, Foreground: r.Foreground, Recorder: r.Recorder}, plan: p, program: p, target: target,
		status: status, first: r.Container.Init.PID,
	}
	defer d.close()
	if err := d.carryOut(); err != nil {
		return nil, errors.Join(err, d.undo())
	}
	return &Process{child: d.child, terminal: d.terminal, filtered: p.Filtered, signals: d.signals}, nil
}

// complete adds to the request what the kernel says about the container.
func (r *ExecRequest) complete() (*plan.ExecRequest, error) {
	c := r.Container
	request := &plan.ExecRequest{Request: r.Request, Init: c.Init.PID}
	request.ID, request.Dir, request.Trace = c.ID, c.Dir, r.Recorder != nil
	request.RDT = c.RDT
	var err error
	if request.Cgroup, err = below(c.Cgroup, r.SubCgroups); err != nil {
		return nil, err
	}
	if len(r.SubCgroups) == 0 {
		request.OrCgroup = unifiedCgroupOf(c.Init.PID, r.Facts.Unified)
	}
	if request.Join, err = foreignNamespaces(c.Init.PID); err != nil || request.Join&unix.CLONE_NEWUSER == 0 {
		return request, err
	}
	request.IDMap, err = idMapOf(c.Init.PID)
	return request, err
}

// foreignNamespaces gives the CLONE_NEW* flags of the namespaces in which a
// process is and this one is not. What the process really is in counts, not
// what the config asked for.
func foreignNamespaces(pid int) (uint64, error) {
	ownDir, err := openNamespaces("self")
	if err != nil {
		return 0, err
	}
	defer unix.Close(ownDir)
	theirDir, err := openNamespaces(strconv.Itoa(pid))
	if errors.Is(err, os.ErrNotExist) {
		return 0, errStopped
	}
	if err != nil {
		return 0, err
	}
	defer unix.Close(theirDir)
	var flags uint64
	for _, ns := range spec.Namespaces() {
		own, err := namespaceID(ownDir, ns.File)
		if err == unix.ENOENT {
			continue // a kernel without this type
		}
		if err != nil {
			return 0, &os.PathError{Op: "stat", Path: "/proc/self/ns/" + ns.File, Err: err}
		}
		theirs, err := namespaceID(theirDir, ns.File)
		if err == unix.ENOENT || err == unix.ESRCH {
			return 0, errStopped // a zombie has no namespaces
		}
		if err != nil {
			return 0, &os.PathError{Op: "stat", Path: "/proc/" + strconv.Itoa(pid) + "/ns/" + ns.File, Err: err}
		}
		if own != theirs {
			flags |= ns.Flag
		}
	}
	return flags, nil
}

// openNamespaces opens the directory with a process's namespaces: to look up each of
// their paths would take twice as long.
func openNamespaces(process string) (int, error) {
	path := "/proc/" + process + "/ns"
	dir, err := unix.Open(path, unix.O_PATH|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	if err != nil {
		return -1, &os.PathError{Op: "open", Path: path, Err: err}
	}
	return dir, nil
}

// namespaceID identifies a namespace by its file, in a directory that is open
// (namespaces(7)).
func namespaceID(dir int, file string) ([2]uint64, error) {
	var st unix.Stat_t
	err := unix.Fstatat(dir, file, &st, 0)
	return [2]uint64{st.Dev, st.Ino}, err
}

// unifiedCgroupOf is the directory of the unified cgroup that a process is in,
// or "" if that cannot be told.
func unifiedCgroupOf(pid int, mount string) string {
	data, err := kernel.ReadFile("/proc/" + strconv.Itoa(pid) + "/cgroup")
	if err != nil || mount == "" {
		return ""
	}
	for line := range strings.Lines(string(data)) {
		if path, ok := strings.CutPrefix(strings.TrimSuffix(line, "\n"), "0::"); ok {
			return filepath.Join(mount, path)
		}
	}
	return ""
}
