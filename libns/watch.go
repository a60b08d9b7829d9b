package libns

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/opencontainers/cgroups"
	"golang.org/x/sys/unix"

	"rt/libns/plan"
)

// Watch tells what happens in a container's cgroup.
type Watch struct {
	cgroup   plan.Cgroup
	watched  string // the directory whose removal is the end
	inotify  int
	oom      int // eventfd of the v1 memory controller, -1 where there is none
	oomKills uint64
}

// Happening is what a Watch has seen.
type Happening int

const (
	Nothing      Happening = iota
	OutOfMemory            // the kernel killed something because memory had come to an end
	CgroupIsGone           // nothing can happen any more
)

// Watch begins to watch a container. The caller closes it.
func (c *Container) Watch() (*Watch, error) {
	directories := c.Cgroup.Directories()
	if len(directories) == 0 {
		return nil, errNoCgroup
	}
	fd, err := unix.InotifyInit1(unix.IN_CLOEXEC | unix.IN_NONBLOCK)
	if err != nil {
		return nil, os.NewSyscallError("inotify_init1", err)
	}
	w := &Watch{cgroup: c.Cgroup, watched: directories[0], inotify: fd, oom: -1}
	if err := w.watch(); err != nil {
		w.Close()
		return nil, err
	}
	return w, nil
}

// watch asks to be told. The removal of a directory is only certain to be told
// to those who watch the one above.
func (w *Watch) watch() error {
	above := filepath.Dir(w.watched)
	if _, err := unix.InotifyAddWatch(w.inotify, above, unix.IN_DELETE|unix.IN_ONLYDIR); err != nil {
		return &os.PathError{Op: "inotify_add_watch", Path: above, Err: err}
	}
	w.oomKills = oomKills(w.cgroup)
	if directory, ok := w.cgroup.Controller("memory"); ok {
		return w.watchV1(directory)
	}
	events := filepath.Join(w.cgroup.Unified, "memory.events")
	_, err := unix.InotifyAddWatch(w.inotify, events, unix.IN_MODIFY)
	if err != nil && !errors.Is(err, unix.ENOENT) { // not there without the controller
		return &os.PathError{Op: "inotify_add_watch", Path: events, Err: err}
	}
	return nil
}

// watchV1 registers an eventfd for the want of memory (the kernel's
// cgroup-v1/memory.rst, "OOM Control"). Where memory is not looked after in
// that way, there is nothing to be told.
func (w *Watch) watchV1(directory string) error {
	control, err := cgroups.OpenFile(directory, "memory.oom_control", os.O_RDONLY)
	if err != nil {
		return err
	}
	defer control.Close()
	if w.oom, err = unix.Eventfd(0, unix.EFD_CLOEXEC|unix.EFD_NONBLOCK); err != nil {
		return os.NewSyscallError("eventfd", err)
	}
	return cgroups.WriteFile(directory, "cgroup.event_control", fmt.Sprintf("%d %d", w.oom, control.Fd()))
}

// Next waits for something to happen, at most until the deadline.
func (w *Watch) Next(deadline time.Time) (Happening, error) {
	for {
		if _, err := os.Stat(w.watched); err != nil {
			return CgroupIsGone, nil
		}
		if w.outOfMemory() {
			return OutOfMemory, nil
		}
		told, err := w.wait(deadline)
		if err != nil || !told {
			return Nothing, err
		}
	}
}

// Ends reports whether the cgroup is gone, waiting for that at most this long.
func (w *Watch) Ends(within time.Duration) bool {
	deadline := time.Now().Add(within)
	for {
		if happened, err := w.Next(deadline); err != nil || happened != OutOfMemory {
			return happened == CgroupIsGone
		}
	}
}

// outOfMemory reports whether memory has come to an end since it was asked last.
func (w *Watch) outOfMemory() bool {
	if w.oom >= 0 {
		_, err := unix.Read(w.oom, make([]byte, 8))
		return err == nil
	}
	before := w.oomKills
	w.oomKills = oomKills(w.cgroup)
	return w.oomKills > before
}

// wait waits to be told something. What it was is looked up.
func (w *Watch) wait(deadline time.Time) (told bool, err error) {
	fds := []unix.PollFd{{Fd: int32(w.inotify), Events: unix.POLLIN}}
	if w.oom >= 0 {
		fds = append(fds, unix.PollFd{Fd: int32(w.oom), Events: unix.POLLIN})
	}
	told, err = pollAll(fds, deadline)
	if fds[0].Revents != 0 {
		_, _ = unix.Read(w.inotify, make([]byte, 4096))
	}
	return told, err
}

// Close ends the watch.
func (w *Watch) Close() {
	unix.Close(w.inotify)
	if w.oom >= 0 {
		unix.Close(w.oom)
	}
}
