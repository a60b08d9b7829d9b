package libns

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/checkpoint-restore/go-criu/v8/rpc"
	specs "github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"

	"rt/libns/plan"
)

// RestoreRequest is what a restore was asked for.
type RestoreRequest struct {
	*Request
	CRIUOptions
	LSMProfile      string // TYPE:NAME, instead of that of the images
	LSMMountContext string // SELinux label of the mounts, instead of that of the images
}

// restoreLog is the name of criu's log in the work directory.
const restoreLog = "restore.log"

// Restore makes a container out of images. Its processes run when it returns. An
// error leaves nothing behind but the state directory, and criu's log.
func Restore(r *RestoreRequest) (*NewContainer, error) {
	path, version, err := findCRIU()
	if err != nil {
		return nil, err
	}
	if version < labelsCRIU && r.LSMProfile+r.LSMMountContext != "" {
		return nil, fmt.Errorf("options --lsm-profile and --lsm-mount-context need criu %v, this is %v", labelsCRIU, version)
	}
	if err := r.learnIDMap(); err != nil {
		return nil, err
	}
	p, err := plan.ForRestore(&r.Request.Request)
	if err != nil {
		return nil, err
	}
	d := &driver{
		request: r.Request, plan: p, program: p, status: Creating,
		restorer: &restorer{request: r, path: path},
	}
	defer d.close()
	if err := d.carryOut(); err != nil {
		d.abandonRestore()
		return nil, errors.Join(err, d.undo())
	}
	return d.newContainer(), nil
}

// restorer is the part of a driver that talks to criu.
type restorer struct {
	request   *RestoreRequest
	path      string // of the program
	criu      *criu
	inherited []*rpc.InheritFd
}

// launchCRIU starts criu, which takes the child's place until there is one.
func (d *driver) launchCRIU(a plan.LaunchCRIU) error {
	files, err := d.restorer.inherit(plan.ExternalNamespaces(d.request.Config))
	defer func() {
		for _, f := range files {
			f.Close()
		}
	}()
	if err != nil {
		return err
	}
	start := criuStart{path: d.restorer.path, options: &d.restorer.request.CRIUOptions, log: restoreLog, root: a.Root, cgroup: a.IntoCgroup, files: files}
	if d.restorer.criu, err = start.start(); err != nil {
		return err
	}
	d.restorer.criu.onPTY = func(master int) error {
		return d.takeConsole(plan.TakeConsole{Socket: d.request.ConsoleSocket}, []int{master})
	}
	d.child = child{pid: d.restorer.criu.process.pid, pidfd: -1}
	return nil
}

// inherit lists the descriptors that restored processes get from outside: pipes
// and files as stdio, for which there is rt's own, and namespaces, whose
// descriptors it opens.
func (r *restorer) inherit(namespaces []specs.LinuxNamespace) ([]*os.File, error) {
	names, err := readDescriptors(r.request.Images)
	if err != nil {
		return nil, err
	}
	for fd, name := range names {
		if strings.HasPrefix(name, "pipe:[") || strings.HasPrefix(name, externalFile) {
			r.inherited = append(r.inherited, &rpc.InheritFd{Key: &name, Fd: new(int32(fd))})
		}
	}
	var files []*os.File
	for _, ns := range namespaces {
		external, ok := externalNamespaceOf(ns.Type)
		if !ok {
			continue
		}
		file, err := os.Open(ns.Path)
		if err != nil {
			return files, err
		}
		r.inherited = append(r.inherited, &rpc.InheritFd{Key: &external.key, Fd: new(int32(firstCRIUFile + len(files)))})
		files = append(files, file)
	}
	return files, nil
}

// readDescriptors reads what stdio was. Images from elsewhere may not have it.
func readDescriptors(images string) ([]string, error) {
	path := filepath.Join(images, descriptorsFile)
	data, err := os.ReadFile(path)
	if errors.Is(err, os.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var names []string
	if err := json.Unmarshal(data, &names); err != nil || len(names) > 3 {
		return nil, fmt.Errorf("%s is not a list of three names", path)
	}
	return names, nil
}

// restoreProcesses has criu make the namespaces. From then on the first restored
// process is the child.
func (d *driver) restoreProcesses(a plan.RestoreProcesses) error {
	r := d.restorer
	options := r.request.options(r.criu.opened, restoreLog)
	options.Root = new(d.request.Config.RootPath())
	options.RstSibling = new(true) // a child of this process
	options.EvasiveDevices = new(true)
	options.InheritFd = r.inherited
	for _, m := range a.Mounts {
		options.ExtMnt = append(options.ExtMnt, &rpc.ExtMountMap{Key: &m.Name, Val: &m.Source})
	}
	if err := joinNamespaces(a.Namespaces, options); err != nil {
		return err
	}
	if r.request.LSMProfile != "" {
		options.LsmProfile = &r.request.LSMProfile
	}
	if r.request.LSMMountContext != "" {
		options.LsmMountContext = &r.request.LSMMountContext
	}
	var err error
	if options.CgRoot, err = cgroupRoots(d.child.pid, d.request.Cgroup); err != nil {
		return err
	}
	if err := r.criu.request(rpc.CriuReqType_RESTORE, options); err != nil {
		return err
	}
	// Without a namespace there is no setup of them.
	pid, err := r.criu.await("setup-namespaces", "post-restore")
	if err != nil {
		return err
	}
	return d.adopt(pid)
}

// joinNamespaces has criu join the namespaces that the config names by path, but
// those that it inherits.
func joinNamespaces(namespaces []specs.LinuxNamespace, options *rpc.CriuOpts) error {
	for _, ns := range namespaces {
		if _, inherited := externalNamespaceOf(ns.Type); inherited {
			continue
		}
		kind := joinedByCRIU(ns.Type)
		if kind == "" {
			return fmt.Errorf("linux.namespaces: criu cannot restore into the %s namespace %s", ns.Type, ns.Path)
		}
		options.JoinNs = append(options.JoinNs, &rpc.JoinNamespace{Ns: &kind, NsFile: &ns.Path})
	}
	return nil
}

// joinedByCRIU is criu's name of a kind of namespace that it can join, "" of others.
func joinedByCRIU(kind specs.LinuxNamespaceType) string {
	switch kind {
	case specs.IPCNamespace, specs.UTSNamespace, specs.UserNamespace, specs.TimeNamespace:
		return string(kind)
	default:
		return ""
	}
}

// cgroupRoots says where the cgroups of the images are to be: criu is in the new
// container's already.
func cgroupRoots(pid int, cgroup plan.Cgroup) ([]*rpc.CgroupRoot, error) {
	if cgroup.IsZero() {
		return nil, nil
	}
	data, err := os.ReadFile(fmt.Sprintf("/proc/%d/cgroup", pid))
	if err != nil {
		return nil, err
	}
	var roots []*rpc.CgroupRoot
	for line := range bytes.Lines(data) {
		_, rest, _ := strings.Cut(strings.TrimSuffix(string(line), "\n"), ":")
		controllers, path, _ := strings.Cut(rest, ":")
		if controllers == "" {
			roots = append(roots, &rpc.CgroupRoot{Path: &path}) // of the unified hierarchy
			continue
		}
		for name := range strings.SplitSeq(controllers, ",") {
			roots = append(roots, &rpc.CgroupRoot{Ctrl: &name, Path: &path})
		}
	}
	return roots, nil
}

// adopt makes a restored process, which is a child of this one, the driver's.
func (d *driver) adopt(pid int) error {
	pidfd, err := unix.PidfdOpen(pid, 0)
	if err != nil {
		return os.NewSyscallError("pidfd_open", err)
	}
	d.child = child{pid: pid, pidfd: pidfd}
	return nil
}

// awaitRestored lets criu restore everything, up to where the processes would go on.
func (d *driver) awaitRestored() error {
	criu := d.restorer.criu
	if criu.at("post-restore") {
		return nil
	}
	_, err := criu.await("post-restore")
	return err
}

// resumeRestored lets the processes go on, and waits for criu's end.
func (d *driver) resumeRestored() error {
	if _, err := d.restorer.criu.await(); err != nil {
		return err
	}
	d.restorer.criu.close()
	return nil
}

// abandonRestore has criu take back what it did. What is the child then is a
// restored process, if there is one.
func (d *driver) abandonRestore() {
	criu := d.restorer.criu
	if criu == nil {
		return
	}
	if d.child.pid == criu.process.pid {
		d.child.pid = 0
	}
	criu.close()
}

// makeRestorePoint makes a mount point, looked up below a directory as the
// container would.
func makeRestorePoint(a plan.MakeRestorePoint) error {
	directory := true
	if a.Like != "" {
		info, err := os.Stat(a.Like)
		if err != nil {
			return err
		}
		directory = info.IsDir()
	}
	root, err := unix.Open(a.Root, unix.O_PATH|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	if err != nil {
		return &os.PathError{Op: "open", Path: a.Root, Err: err}
	}
	defer unix.Close(root)
	return makeMountPoint(root, a.Path, directory, a.Owner)
}
