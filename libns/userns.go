package libns

import (
	"cmp"
	"errors"
	"fmt"
	"os"
	"runtime"
	"slices"
	"strconv"

	specs "github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"

	"rt/libns/plan"
	"rt/spec"
)

// writeIDMap maps the ids of the user namespace that the init stage has made.
func (d *driver) writeIDMap(a plan.WriteIDMap) error {
	if a.Keep {
		if err := d.keepUserNamespace(); err != nil {
			return err
		}
	}
	if a.Helpers {
		return d.mapByHelpers(a)
	}
	if a.DenySetgroups {
		if err := os.WriteFile(fmt.Sprintf("/proc/%d/setgroups", d.child.pid), []byte("deny"), 0); err != nil {
			return err
		}
	}
	if err := writeIDMap(d.child.pid, "uid_map", a.UIDs); err != nil {
		return &fieldError{"linux.uidMappings", err}
	}
	if err := writeIDMap(d.child.pid, "gid_map", a.GIDs); err != nil {
		return &fieldError{"linux.gidMappings", err}
	}
	return nil
}

// idMapOf reads the mapping of the user namespace that a process is in.
func idMapOf(pid int) (*plan.IDMap, error) {
	process := strconv.Itoa(pid)
	uids, err := spec.ReadIDMap(process, "uid_map")
	if err != nil {
		return nil, err
	}
	gids, err := spec.ReadIDMap(process, "gid_map")
	return &plan.IDMap{UIDs: uids, GIDs: gids}, err
}

// learnIDMap completes the request with the mapping of a user namespace that is
// joined. Engines repeat it in the config: any other there is an error.
func (r *Request) learnIDMap() error {
	p := plan.ForIDMap(&r.Request)
	if p == nil {
		return nil
	}
	lookup := &Request{Request: plan.Request{Config: r.Config, Dir: r.Dir}}
	d := &driver{request: lookup, plan: p, program: p}
	defer d.close()
	if err := errors.Join(d.carryOut(), d.undo()); err != nil {
		return err
	}
	r.IDMap = lookup.IDMap
	return errors.Join(
		r.checkIDMap("linux.uidMappings", r.Config.Linux.UIDMappings, r.IDMap.UIDs),
		r.checkIDMap("linux.gidMappings", r.Config.Linux.GIDMappings, r.IDMap.GIDs))
}

// checkIDMap compares what the config says with what is. The order of ranges,
// which the kernel changes, means nothing.
func (r *Request) checkIDMap(field string, config, joined []specs.LinuxIDMapping) error {
	if len(config) == 0 || slices.Equal(sortedIDMap(config), sortedIDMap(joined)) {
		return nil
	}
	return spec.Problems{{
		File: r.Config.File, Field: field, Line: r.Config.Line(field),
		Text: "both namespace path and non-matching mapping specified: the namespace maps " + plan.FormatIDMap(joined),
	}}
}

func sortedIDMap(mappings []specs.LinuxIDMapping) []specs.LinuxIDMapping {
	return slices.SortedFunc(slices.Values(mappings), func(a, b specs.LinuxIDMapping) int {
		return cmp.Compare(a.ContainerID, b.ContainerID)
	})
}

// openPath opens a path as the init stage sees it, but with this process's
// rights: in the mount namespace of the init stage.
func (d *driver) openPath(path string) (file *os.File, err error) {
	onOwnThread(func() {
		// The threads of a process share their root directory, which comes
		// with the mount namespace.
		if err = unix.Unshare(unix.CLONE_FS); err != nil {
			err = os.NewSyscallError("unshare", err)
			return
		}
		if err = unix.Setns(d.child.pidfd, unix.CLONE_NEWNS); err != nil {
			err = os.NewSyscallError("setns", err)
			return
		}
		file, err = os.OpenFile(path, unix.O_PATH, 0)
	})
	return file, err
}

// onOwnThread calls f on a thread that ends with it, so that f may change what a
// thread has of its own. It is never the main thread, which would not end, and
// whose namespaces pass for the process's in /proc/self.
func onOwnThread(f func()) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		runtime.LockOSThread()
		if unix.Gettid() == unix.Getpid() {
			onOwnThread(f)
			runtime.UnlockOSThread()
			return
		}
		f()
	}()
	<-done
}

// asOwner makes a file that is to belong to owner: as if owner did it, who may be
// the only one that can on a filesystem of the container's user namespace; or,
// where owner has no right to, for owner.
func asOwner(owner plan.Owner, make func() error, give func() error) (err error) {
	if owner == (plan.Owner{}) {
		return make()
	}
	onOwnThread(func() {
		// Both are of the thread alone, and end with it. The capabilities
		// over files go away with user id 0 (capabilities(7)).
		_ = unix.Setfsgid(int(owner.GID))
		_ = unix.Setfsuid(int(owner.UID))
		err = make()
	})
	if err != unix.EACCES && err != unix.EPERM {
		return err
	}
	if err := make(); err != nil {
		return err
	}
	return give()
}
