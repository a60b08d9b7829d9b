package libns

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"

	specs "github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"

	"rt/libns/plan"
	"rt/spec"
)

// host carries out one host step. fds are the descriptors that came with the
// barrier for it; the answer, if any, goes back to the init stage.
func (d *driver) host(s *plan.Step, fds []int) (answer []byte, err error) {
	switch a := s.Action.(type) {
	case plan.MakeNetwork:
		d.network.step = s
	case plan.MakeCgroup:
		d.madeCgroup, err = makeCgroup(a.Directory, d.resources())
	case plan.DelegateCgroup:
		err = delegateCgroup(a.Directory, int(a.UID))
	case plan.MakeGate:
		d.gate, d.result, err = makeGate(d.request.Dir)
	case plan.MakeNotifySocket:
		err = d.makeNotifySocket(a)
	case plan.Launch:
		err = d.launch(a)
	case plan.SaveState:
		err = d.saveState()
	case plan.MakeIDMapping:
		err = d.makeIDMapping(a)
	case plan.MapMount:
		err = d.mapMount(a, fds)
	case plan.StartUnit:
		err = d.startUnit(a)
	case plan.SetUnitProperties:
		err = d.setUnitProperties(a)
	case plan.AttachToUnit:
		err = d.attachToUnit(a)
	case plan.EnterCgroup2:
		d.madeCgroup = true
		err = enterCgroup2(a.Directory, d.child.pid, d.resources())
	case plan.ReadIDMap:
		d.request.IDMap, err = idMapOf(d.child.pid)
	case plan.WriteIDMap:
		err = d.writeIDMap(a)
	case plan.JoinCgroup:
		d.joinedV1 = true
		err = joinCgroups(a.Groups, d.child.pid)
	case plan.EnterCgroup:
		err = enterCgroups(a.Groups, d.child.pid)
	case plan.SetResources:
		err = d.setResources(a)
	case plan.JoinRDT:
		err = d.joinRDT(a)
	case plan.EnterRDT:
		err = enterRDT(a.RDT, d.child.pid)
	case plan.SetTimeOffsets:
		err = setTimeOffsets(d.child.pid, a)
	case plan.MoveNetDevices:
		err = d.moveNetDevices(a, fds)
	case plan.TakeConsole:
		err = d.takeConsole(a, fds)
	case plan.SetRlimits:
		err = setRlimits(d.child.pid, a.Limits)
	case plan.FindHome:
		answer, err = findHome(fds, a.UID)
	case plan.SendPidfd:
		err = sendDescriptor(a.Socket, a.Word, d.child.pidfd)
	case plan.WritePidFile:
		if err = writePidFile(a.Path, d.child.pid); err == nil {
			d.wrotePid = a.Path
		}
	case plan.PassListener:
		err = d.passListener(a)
	case plan.RunHook:
		err = d.runHook(a)
	case plan.AwaitExec:
		return nil, d.awaitExec()
	case plan.Release:
	case plan.MakeRestorePoint:
		err = makeRestorePoint(a)
	case plan.LaunchCRIU:
		err = d.launchCRIU(a)
	case plan.RestoreProcesses:
		err = d.restoreProcesses(a)
	case plan.AwaitRestored:
		err = d.awaitRestored()
	case plan.ResumeRestored:
		err = d.resumeRestored()
	default:
		err = fmt.Errorf("no code carries out %T", a)
	}
	if err != nil {
		return nil, d.stepError(s, s.Action, err)
	}
	return answer, nil
}

// descriptorsFor says how many of a barrier's descriptors an action takes.
func descriptorsFor(a plan.Action) int {
	switch a.(type) {
	case plan.TakeConsole, plan.FindHome, plan.MapMount, plan.MoveNetDevices:
		return 1
	}
	return 0
}

// help carries out an assist. The answer, if it is a descriptor and not nil, is
// the caller's to close.
func (d *driver) help(a plan.Action, fds []int) (answer *os.File, err error) {
	switch a := a.(type) {
	case plan.OpenPath:
		return d.openPath(a.Path)
	case plan.MakeMountPoint:
		return nil, helpMount(a, fds)
	case plan.CopyUp:
		if len(fds) == 2 {
			return nil, copyUp(fds[0], fds[1], a.Owner)
		}
	}
	return nil, fmt.Errorf("no code helps with %T and %d descriptors", a, len(fds))
}

// helpMount makes a mount point.
func helpMount(a plan.MakeMountPoint, fds []int) error {
	switch {
	case !a.LikeSource && len(fds) == 1:
		return makeMountPoint(fds[0], a.Path, true, a.Owner)
	case a.LikeSource && len(fds) == 2:
		directory, err := isDirectory(fds[1])
		if err != nil {
			return err
		}
		return makeMountPoint(fds[0], a.Path, directory, a.Owner)
	}
	return fmt.Errorf("%d descriptors came for a mount point", len(fds))
}

// stepError names the step and the place in the config that it came from.
// An error that is one already says more than this could.
func (d *driver) stepError(s *plan.Step, a plan.Action, err error) error {
	if _, ok := err.(*plan.StepError); ok {
		return err
	}
	place := s.Field
	var special *fieldError
	if errors.As(err, &special) {
		place, err = special.field, special.err
	}
	if at := d.locate(place); at != "" && place != "" {
		place += " (" + at + ")"
	}
	if place != "" {
		place += ": "
	}
	return fmt.Errorf("%s%s: %w", place, a.Title(), err)
}

// saveState records the container's process. Where the plan forks into a pid
// namespace, the process to be recorded is the one that goes on.
func (d *driver) saveState() error {
	init, err := identify(d.child.pid)
	if err != nil {
		return err
	}
	d.init = init
	return d.request.Save(init)
}

// setRlimits sets limits from outside: the runtime may raise what the program's
// user may not (prlimit(2)).
func setRlimits(pid int, limits []plan.Rlimit) error {
	for _, l := range limits {
		limit := unix.Rlimit{Cur: l.Soft, Max: l.Hard}
		if err := unix.Prlimit(pid, l.Resource, &limit, nil); err != nil {
			return fmt.Errorf("%s: set %s to soft %d, hard %d: %w", l.Field, l.Name, l.Soft, l.Hard, err)
		}
	}
	return nil
}

// writePidFile makes the pid file appear at once and whole: callers poll for it.
func writePidFile(path string, pid int) (err error) {
	temporary := filepath.Join(filepath.Dir(path), fmt.Sprintf(".%s.%d", filepath.Base(path), os.Getpid()))
	if err := os.WriteFile(temporary, []byte(strconv.Itoa(pid)), 0o666); err != nil {
		return err
	}
	if err := os.Rename(temporary, path); err != nil {
		os.Remove(temporary)
		return err
	}
	return nil
}

// SharedPID reports whether a container's processes outlive its init: its pid
// namespace is the host's, or another container's.
func SharedPID(c *spec.Config) bool {
	if c.Linux == nil {
		return true
	}
	for _, ns := range c.Linux.Namespaces {
		if ns.Type == specs.PIDNamespace {
			return ns.Path != ""
		}
	}
	return true
}
