package main

import (
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/urfave/cli/v2"
	"golang.org/x/sys/unix"

	"rt/libns"
	"rt/libns/kernel"
	"rt/spec"
	"rt/state"
)

// criuFlags are the flags that checkpoint and restore have in common.
func criuFlags() []cli.Flag {
	return []cli.Flag{
		&cli.StringFlag{Name: "image-path", Usage: "the images are in `DIR`", Value: "./checkpoint", DefaultText: "./checkpoint"},
		&cli.StringFlag{Name: "work-path", Usage: "criu's log and other files go to `DIR`", DefaultText: "that of the images"},
		boolFlag("tcp-established", "TCP connections are part of the images"),
		boolFlag("tcp-close", "TCP connections are not restored, but closed"),
		boolFlag("ext-unix-sk", "UNIX sockets may be connected to the outside"),
		boolFlag("shell-job", "the terminal is the caller's, not the container's own"),
		boolFlag("lazy-pages", "memory follows when it is needed (userfaultfd)"),
		boolFlag("file-locks", "file locks are part of the images"),
		choice("manage-cgroups-mode", "how criu handles cgroups inside the container:", "soft", "full", "strict", "ignore"),
		&cli.StringFlag{Name: "empty-ns", Usage: "leave what is in the namespace `NAME` out: network"},
		boolFlag("auto-dedup", "free the memory in the images that is not needed any more"),
		&cli.StringFlag{Name: "network-lock", Usage: "keep connections still by `METHOD`: iptables, nftables or skip", DefaultText: "criu's choice"},
	}
}

func (t *tool) checkpointCommand() *cli.Command {
	return &cli.Command{
		Name:      "checkpoint",
		Usage:     "save the processes of a running container, with criu",
		ArgsUsage: "ID",
		Description: `The processes are saved as images, from which restore makes a container again,
and the container is deleted. The criu program (https://criu.org) does the work.`,
		Flags: append(criuFlags(),
			&cli.StringFlag{Name: "parent-path", Usage: "save what has changed since the images in `DIR`, which is relative to the new ones"},
			boolFlag("leave-running", "leave the container running"),
			boolFlag("pre-dump", "save the memory only, and leave the container running"),
			boolFlag("tcp-skip-in-flight", "leave out TCP connections that are not yet established"),
			boolFlag("link-remap", "files that were removed and are open may be linked again meanwhile"),
			&cli.IntFlag{Name: "status-fd", Usage: "criu writes a byte to descriptor `N` when it is ready for lazy pages", Value: -1, DefaultText: "none"},
			&cli.StringFlag{Name: "page-server", Usage: "memory goes to the page server at `ADDRESS:PORT`"}),
		Action: forContainer(t.checkpoint),
	}
}

func (t *tool) checkpoint(c *cli.Context, id string) error {
	request, err := readCheckpoint(c)
	if err != nil {
		return err
	}
	return t.holding(id, func(held *state.Held, record *state.Record, container *libns.Container) error {
		return t.checkpointHeld(request, held, record, container)
	})
}

func (t *tool) checkpointHeld(request *libns.CheckpointRequest, held *state.Held, record *state.Record, container *libns.Container) error {
	if status := container.Status(); status == libns.Created || status == libns.Stopped {
		return libns.UnfitError{Status: status}
	}
	config, err := t.configOf(record)
	if err != nil {
		return err
	}
	request.ConfigFile = criuConfigFile(config)
	if request.Plan.Facts, err = kernel.Probe(); err != nil {
		return err
	}
	request.Plan.Config, request.Plan.ID, request.Plan.Dir, request.Plan.Cgroup = config, container.ID, container.Dir, container.Cgroup
	if err := checkParent(request.Images, request.Parent); err != nil {
		return err
	}
	if err := container.Checkpoint(request); err != nil {
		return err
	}
	if request.LeaveRunning || request.PreDump {
		return nil
	}
	return t.destroy(held, record, container, false)
}

// readCheckpoint reads the flags of checkpoint.
func readCheckpoint(c *cli.Context) (*libns.CheckpointRequest, error) {
	options, err := readCRIUOptions(c)
	if err != nil {
		return nil, err
	}
	r := &libns.CheckpointRequest{
		CRIUOptions:     options,
		Parent:          c.String("parent-path"),
		PreDump:         c.Bool("pre-dump"),
		LeaveRunning:    c.Bool("leave-running"),
		LinkRemap:       c.Bool("link-remap"),
		TCPSkipInFlight: c.Bool("tcp-skip-in-flight"),
		StatusFD:        c.Int("status-fd"),
	}
	if filepath.IsAbs(r.Parent) {
		return nil, errors.New("--parent-path must be relative")
	}
	if err := checkStatusFD(r.StatusFD); err != nil {
		return nil, err
	}
	r.PageServer, err = pageServer(c.String("page-server"))
	return r, err
}

// readCRIUOptions reads the flags that checkpoint and restore have in common.
func readCRIUOptions(c *cli.Context) (libns.CRIUOptions, error) {
	o := libns.CRIUOptions{
		TCPEstablished: c.Bool("tcp-established"),
		TCPClose:       c.Bool("tcp-close"),
		ExtUnixSockets: c.Bool("ext-unix-sk"),
		ShellJob:       c.Bool("shell-job"),
		LazyPages:      c.Bool("lazy-pages"),
		FileLocks:      c.Bool("file-locks"),
		AutoDedup:      c.Bool("auto-dedup"),
		ManageCgroups:  c.String("manage-cgroups-mode"),
		NetworkLock:    c.String("network-lock"),
	}
	switch namespace := c.String("empty-ns"); namespace {
	case "":
	case "network":
		o.EmptyNetwork = true
	default:
		return o, fmt.Errorf("namespace %q is not supported", namespace)
	}
	if err := o.Check(); err != nil {
		return o, err
	}
	var err error
	if o.Images, err = filepath.Abs(c.String("image-path")); err != nil {
		return o, err
	}
	o.Work, err = absolute(c.String("work-path"))
	if o.Work == "" {
		o.Work = o.Images
	}
	return o, err
}

// checkParent makes sure that there are images that the new ones can build upon.
func checkParent(images, parent string) error {
	if parent == "" {
		return nil
	}
	if info, err := os.Stat(filepath.Join(images, parent)); err != nil {
		return fmt.Errorf("invalid --parent-path: %w", err)
	} else if !info.IsDir() {
		return fmt.Errorf("invalid --parent-path: %s is not a directory", parent)
	}
	return nil
}

// checkStatusFD makes sure that criu can write to the caller's descriptor.
func checkStatusFD(fd int) error {
	if fd < 0 {
		return nil
	}
	if err := wasPassed(fd); err != nil {
		return fmt.Errorf("option --status-fd: %w", err)
	}
	flags, err := unix.FcntlInt(uintptr(fd), unix.F_GETFL, 0)
	if err == nil && flags&unix.O_ACCMODE == unix.O_RDONLY {
		err = errors.New("not open for writing")
	}
	if err != nil {
		return fmt.Errorf("option --status-fd: descriptor %d: %w", fd, err)
	}
	return nil
}

// pageServer reads ADDRESS:PORT.
func pageServer(text string) (libns.PageServer, error) {
	if text == "" {
		return libns.PageServer{}, nil
	}
	at := strings.LastIndexByte(text, ':')
	if at <= 0 {
		return libns.PageServer{}, errors.New("Use --page-server ADDRESS:PORT to specify it") //nolint:revive,staticcheck // callers know this text
	}
	port, err := strconv.Atoi(text[at+1:])
	if err != nil || port < 1 || port > math.MaxUint16 {
		return libns.PageServer{}, errors.New("Invalid port number") //nolint:revive,staticcheck // callers know this text
	}
	return libns.PageServer{Address: strings.Trim(text[:at], "[]"), Port: port}, nil
}

// criuConfigFile is the file with further options for criu: the one that the
// configuration names, or what the administrator has written for rt or for runc.
func criuConfigFile(config *spec.Config) string {
	if path, given := config.CRIUConfig(); given {
		return path
	}
	for _, path := range []string{"/etc/criu/rt.conf", "/etc/criu/runc.conf"} {
		if _, err := os.Stat(path); err == nil {
			return path
		}
	}
	return ""
}
