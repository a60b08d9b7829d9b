package libns

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/checkpoint-restore/go-criu/v8/rpc"
	specs "github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"

	"rt/libns/plan"
)

// CheckpointRequest is what a checkpoint was asked for.
type CheckpointRequest struct {
	CRIUOptions
	// Plan is what the container was made from: Config, ID, Dir, Facts and Cgroup.
	Plan plan.Request

	Parent          string // of the images, relative to them, for those that say only what has changed
	PreDump         bool   // only the memory, of a container that goes on running
	LeaveRunning    bool
	LinkRemap       bool
	TCPSkipInFlight bool
	StatusFD        int // where criu says that it is ready for lazy pages, -1 = nowhere
	// PageServer is where the memory goes instead of the images, zero = nowhere.
	PageServer PageServer
}

// PageServer is the address of a running `criu page-server`.
type PageServer struct {
	Address string
	Port    int
}

// dumpLog is the name of criu's log in the work directory.
const dumpLog = "dump.log"

// descriptorsFile, beside the images, says what the first process had as stdin,
// stdout and stderr: JSON, a list of three strings.
const descriptorsFile = "descriptors.json"

// UnfitError says that a container is in no state to be checkpointed.
type UnfitError struct{ Status Status }

func (e UnfitError) Error() string {
	return fmt.Sprintf("Container cannot be checkpointed in %s state", e.Status)
}

// Checkpoint has criu save the container's processes. They are gone when it
// returns, unless they were to be left running; what else there is of the
// container is the caller's to destroy. On failure they go on as before.
func (c *Container) Checkpoint(r *CheckpointRequest) error {
	if status := c.Status(); status == Created || status == Stopped {
		return UnfitError{status}
	}
	path, _, err := findCRIU()
	if err != nil {
		return err
	}
	mounts, err := plan.ExternalMounts(&r.Plan)
	if err != nil {
		return err
	}
	target, err := c.Init.open()
	if err != nil {
		return UnfitError{Stopped}
	}
	defer unix.Close(target)
	if err := r.makeDirectories(); err != nil {
		return err
	}
	return c.dump(path, r, mounts)
}

// dump carries the request out.
func (c *Container) dump(path string, r *CheckpointRequest, mounts []plan.ExternalMount) error {
	criu, err := (&criuStart{path: path, options: &r.CRIUOptions, log: dumpLog}).start()
	if err != nil {
		return err
	}
	defer criu.close()
	options := r.options(criu.opened, dumpLog)
	if err := c.describe(r, mounts, options); err != nil {
		return err
	}
	kind := rpc.CriuReqType_DUMP
	if r.PreDump {
		kind = rpc.CriuReqType_PRE_DUMP
	}
	if err := criu.request(kind, options); err != nil {
		return err
	}
	_, err = criu.await()
	return err
}

// describe completes the options for a container.
func (c *Container) describe(r *CheckpointRequest, mounts []plan.ExternalMount, options *rpc.CriuOpts) error {
	options.Pid = new(int32(c.Init.PID))
	options.Root = new(r.Plan.Config.RootPath())
	options.LeaveRunning = &r.LeaveRunning
	options.LinkRemap = &r.LinkRemap
	options.TcpSkipInFlight = &r.TCPSkipInFlight
	if r.Parent != "" {
		options.ParentImg, options.TrackMem = &r.Parent, new(true)
	}
	if r.PreDump {
		options.TrackMem = new(true)
	}
	if r.StatusFD >= 0 {
		options.StatusFd = new(int32(r.StatusFD))
	}
	if r.PageServer.Port != 0 {
		options.Ps = &rpc.CriuPageServerInfo{Address: &r.PageServer.Address, Port: new(int32(r.PageServer.Port))}
	}
	if directory := freezerOf(c.Cgroup); directory != "" {
		options.FreezeCgroup = &directory
	}
	if err := c.describeMounts(mounts, options); err != nil {
		return err
	}
	if err := c.describeNamespaces(r, options); err != nil || r.PreDump {
		return err
	}
	return c.describeStdio(r, options)
}

// freezerOf is the cgroup whose freezer stops all of the container's processes,
// "" if there is none.
func freezerOf(c plan.Cgroup) string {
	if directory, ok := c.Controller("freezer"); ok {
		return directory
	}
	return c.Unified
}

// describeMounts names the mounts whose source is outside. criu knows them by
// where they really are, to which symbolic links may have led.
func (c *Container) describeMounts(mounts []plan.ExternalMount, options *rpc.CriuOpts) error {
	proc := "/proc/" + strconv.Itoa(c.Init.PID)
	root, err := os.Open(proc + "/root")
	if err != nil {
		return err
	}
	defer root.Close()
	points, err := mountPoints(proc + "/mountinfo")
	if err != nil {
		return err
	}
	for _, m := range mounts {
		fd, err := openInRoot(int(root.Fd()), strings.TrimPrefix(m.Name, "/"), unix.O_PATH)
		if err != nil {
			continue // unmounted by the container
		}
		point, mounted := points[mountID(fd)]
		unix.Close(fd)
		if !mounted || point == "/" {
			continue
		}
		if err := plan.CheckExternalName(point); err != nil {
			return fmt.Errorf("%s.destination: %w", m.Field, err)
		}
		options.ExtMnt = append(options.ExtMnt, &rpc.ExtMountMap{Key: &point, Val: &m.Name})
	}
	return nil
}

// mountPoints gives the mount points of a mount namespace by the number of their
// mount (proc_pid_mountinfo(5)).
func mountPoints(path string) (map[int]string, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	points := map[int]string{}
	for line := range strings.Lines(string(data)) {
		fields := strings.Fields(line)
		const place = 4
		if len(fields) <= place {
			continue
		}
		if id, err := strconv.Atoi(fields[0]); err == nil {
			points[id] = unescape(fields[place])
		}
	}
	return points, nil
}

// unescape undoes what the kernel does to white space in paths.
func unescape(path string) string {
	if !strings.Contains(path, `\`) {
		return path
	}
	return strings.NewReplacer(`\040`, " ", `\011`, "\t", `\012`, "\n", `\134`, `\`).Replace(path)
}

// mountID is the number of the mount that a descriptor is on, -1 if unknown.
func mountID(fd int) int { return mountIDIn("/proc/self/fdinfo/" + strconv.Itoa(fd)) }

func mountIDIn(fdinfo string) int {
	data, err := os.ReadFile(fdinfo)
	if err != nil {
		return -1
	}
	for line := range strings.Lines(string(data)) {
		if text, ok := strings.CutPrefix(line, "mnt_id:"); ok {
			if id, err := strconv.Atoi(strings.TrimSpace(text)); err == nil {
				return id
			}
		}
	}
	return -1
}

// externalNamespace is how criu calls a namespace that it takes as external: one
// more process is put there by a descriptor at restore.
type externalNamespace struct{ kind, key string }

func externalNamespaceOf(kind specs.LinuxNamespaceType) (external externalNamespace, ok bool) {
	switch kind {
	case specs.NetworkNamespace:
		return externalNamespace{"net", "extRootNetNS"}, true
	case specs.PIDNamespace:
		return externalNamespace{"pid", "extRootPidNS"}, true
	default:
		return externalNamespace{}, false
	}
}

func (c *Container) describeNamespaces(r *CheckpointRequest, options *rpc.CriuOpts) error {
	for _, ns := range plan.ExternalNamespaces(r.Plan.Config) {
		external, ok := externalNamespaceOf(ns.Type)
		if !ok {
			continue
		}
		path := fmt.Sprintf("/proc/%d/ns/%s", c.Init.PID, external.kind)
		id, err := namespaceID(unix.AT_FDCWD, path)
		if err != nil {
			return &os.PathError{Op: "stat", Path: path, Err: err}
		}
		options.External = append(options.External, fmt.Sprintf("%s[%d]:%s", external.kind, id[1], external.key))
	}
	return nil
}

// describeStdio names the files of the host that the first process has as stdio,
// and notes what restore has to put in their place.
func (c *Container) describeStdio(r *CheckpointRequest, options *rpc.CriuOpts) error {
	points, err := mountPoints(fmt.Sprintf("/proc/%d/mountinfo", c.Init.PID))
	if err != nil {
		return err
	}
	names := make([]string, 3)
	for fd := range names {
		path := fmt.Sprintf("/proc/%d/fd/%d", c.Init.PID, fd)
		if names[fd], err = os.Readlink(path); errors.Is(err, os.ErrNotExist) {
			continue // closed
		}
		if err != nil {
			return err
		}
		var st unix.Stat_t
		mount := mountIDIn(fmt.Sprintf("/proc/%d/fdinfo/%d", c.Init.PID, fd))
		_, inside := points[mount]
		if unix.Stat(path, &st) == nil && st.Mode&unix.S_IFMT == unix.S_IFREG && !inside {
			names[fd] = fmt.Sprintf("%s%x:%x]", externalFile, mount, st.Ino)
			options.External = append(options.External, names[fd])
		}
	}
	data, err := json.Marshal(names)
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(r.Images, descriptorsFile), data, 0o600)
}

// externalFile begins criu's name of a file that is not in the container:
// file[MOUNT:INODE].
const externalFile = "file["
