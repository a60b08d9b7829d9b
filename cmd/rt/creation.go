package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"

	"github.com/urfave/cli/v2"
	"golang.org/x/sys/unix"

	"rt/libns"
	"rt/libns/kernel"
	"rt/libns/plan"
	"rt/spec"
	"rt/state"
)

const targetDescription = `BUNDLE/ is a directory with a config.json, the current one if none is given. It
is told from an ID by its slash. Without an ID one is made from its name.`

// creationFlags are the flags that create and run have in common.
func creationFlags() []cli.Flag {
	return []cli.Flag{
		&cli.StringFlag{Name: "bundle", Aliases: []string{"b"}, Usage: "take the bundle in `DIR`", DefaultText: "the current directory"},
		configFlag(),
		&cli.StringFlag{Name: "console-socket", Usage: "send the terminal's master to the socket at `PATH`"},
		&cli.StringFlag{Name: "pidfd-socket", Usage: "send a pidfd of the first process to the socket at `PATH`"},
		&cli.StringFlag{Name: "pid-file", Usage: "write the pid of the first process to `FILE`"},
		noPivotFlag(),
		boolFlag("no-new-keyring", "leave the program in the caller's session keyring"),
		&cli.IntFlag{Name: "preserve-fds", Usage: "pass `N` more descriptors to the program, after stdio and LISTEN_FDS"},
		boolFlag("no-subreaper", "do not adopt the orphans of a foreground container"),
	}
}

func configFlag() cli.Flag {
	return &cli.StringFlag{Name: "config", Aliases: []string{"f"}, Usage: "read `FILE` instead of config.json", DefaultText: "config.json"}
}

func noPivotFlag() cli.Flag {
	return boolFlag("no-pivot", "move the root file system over / instead of pivot_root; for a root on a ramdisk")
}

// creation is a container that is about to be made: everything has been read
// and found right, and nothing has been done yet.
type creation struct {
	target
	config        *spec.Config
	cgroupManager string
	rootless      bool // missing permissions on cgroups are no error
	planning      bool // nothing will be done: no permission is needed
	configPath    string
	warnings      []spec.Problem
	request       libns.Request
	restore       *libns.RestoreRequest // the container is restored, not created
	record        *state.Record         // once the id is claimed
}

// readCreation reads what create and run are asked for. Problems are found here
// as far as they can be.
func (t *tool) readCreation(c *cli.Context, to target, detached bool) (*creation, error) {
	listen, extra, err := passedDescriptors(c.Int("preserve-fds"))
	if err != nil {
		return nil, err
	}
	r := &creation{target: to, configPath: configPath(to.bundle, c.String("config"))}
	request := &r.request
	request.ListenFDs, request.ExtraFDs = listen, extra
	request.Gated = c.Command.Name == "create"
	request.Foreground = !detached
	request.Recorder = t.trace.Recorder
	request.NotifySocket = os.Getenv("NOTIFY_SOCKET") != ""
	request.NoPivot = c.Bool("no-pivot")
	request.NoNewKeyring = c.Bool("no-new-keyring")
	for flag, path := range map[string]*string{
		"console-socket": &request.ConsoleSocket,
		"pidfd-socket":   &request.PidfdSocket,
		"pid-file":       &request.PidFile,
	} {
		if *path, err = absolute(c.String(flag)); err != nil {
			return nil, err
		}
	}
	err = t.readConfig(r, c.String("config"), spec.Host{
		Creating:      true,
		Detached:      detached,
		ConsoleSocket: request.ConsoleSocket != "",
		NoPivot:       request.NoPivot,
	})
	if err != nil {
		return nil, err
	}
	request.Filter, err = t.filter(request.Config, request.Facts)
	return r, err
}

// begin begins to make the container, whose id is about to be claimed.
func (r *creation) begin() {
	if r.restore == nil {
		r.request.Begin()
	}
}

// make makes the container, of which only the id is claimed.
func (r *creation) make() (*libns.NewContainer, error) {
	if r.restore == nil {
		return libns.Create(&r.request)
	}
	r.restore.Request = &r.request
	return libns.Restore(r.restore)
}

// readConfig loads and validates the configuration for what host says about the
// caller; the rest of it is found out here.
func (t *tool) readConfig(r *creation, file string, host spec.Host) error {
	loaded := t.trace.Span("load "+r.configPath, "")
	config, err := spec.Load(r.bundle, file)
	if err != nil {
		return err
	}
	useSeccompReceiver(config)
	loaded()
	spareCollector(config)
	probed := t.trace.Span("ask the kernel what it can do", "")
	facts, err := probe(config)
	if err != nil {
		return err
	}
	probed()
	defer t.trace.Span("validate the configuration", "")()
	host.EUID = facts.EUID
	host.LastCap = facts.LastCap
	host.Capabilities = facts.Capabilities
	host.SystemdCgroup = t.cgroupManager == managerSystemd
	host.AppArmor, host.SELinux = facts.AppArmor, facts.SELinux
	host.IntelRDT = facts.Resctrl
	host.CgroupV1 = facts.Cgroup == kernel.CgroupV1 || facts.Cgroup == kernel.CgroupHybrid
	if err := spec.Validate(config, host); err != nil {
		return err
	}
	if host.SystemdCgroup {
		if r.request.Manager, facts.Systemd, err = t.connectManager(facts.EUID); err != nil {
			return fmt.Errorf("--systemd-cgroup: %w", err)
		}
	}
	r.cgroupManager = t.cgroupManager
	r.rootless = t.isRootless(facts)
	r.config, r.request.Config, r.request.Facts = config, config, facts
	if r.request.PidfdSocket == "" {
		r.request.PidfdSocket = config.PidfdReceiver()
	}
	r.warnings = spec.Warnings(config, host)
	return nil
}

// probe asks the kernel for what the configuration depends on.
func probe(config *spec.Config) (kernel.Facts, error) {
	facts, err := kernel.Probe()
	if err == nil && config.HasLabels() {
		facts.ProbeSecurity()
	}
	if err == nil && config.Linux != nil && config.Linux.IntelRdt != nil {
		facts.ProbeResctrl()
	}
	return facts, err
}

// identify completes the request with the container's id and what follows from
// it.
func (r *creation) identify(id, dir string) error {
	r.request.ID, r.request.Dir = id, dir
	if r.config.Linux != nil {
		r.request.RDT = libns.RDTFor(r.config.Linux.IntelRdt, id)
	}
	if r.cgroupManager == managerDisabled {
		return nil
	}
	var path string
	if r.config.Linux != nil {
		path = r.config.Linux.CgroupsPath
	}
	cgroup, err := plan.CgroupFor(path, id, r.request.Facts)
	if err != nil {
		return err
	}
	if r.request.Cgroup, err = plan.WithSubGroup(cgroup, r.config.Annotations, r.request.Facts); err != nil {
		return err
	}
	if r.rootless && r.cgroupManager == managerCgroupfs {
		if err := r.withoutUndelegated(); err != nil {
			return err
		}
	}
	if libns.LosesProcesses(r.config, r.request.Cgroup) {
		const field = "linux.namespaces"
		r.warnings = append(r.warnings, spec.Problem{
			File: r.config.File, Field: field, Line: r.config.Line(field),
			Text: "without a pid namespace and a cgroup of its own, the container leaves running what its first process leaves running",
		})
	}
	return nil
}

// withoutUndelegated does without the cgroups that the caller may not make, if
// the config asks for none: neither for their place nor for what they limit.
func (r *creation) withoutUndelegated() error {
	delegated, refused := libns.Delegated(r.request.Cgroup, r.request.Facts)
	if refused != nil {
		field := plan.NeedsCgroup(r.config, delegated, r.request.Facts)
		if field != "" && r.planning {
			return nil // the plan is that of a caller who may
		}
		if field != "" {
			return spec.Problems{{
				File: r.config.File, Field: field, Line: r.config.Line(field),
				Text: fmt.Sprintf("unable to apply cgroup configuration: %v; rootless needs no limits + no cgrouppath when no permission is granted for cgroups: have one delegated (cgroups(7)), or try --systemd-cgroup", refused),
			}}
		}
	}
	r.request.Cgroup = delegated
	return nil
}

// configPath is where the configuration is, as spec.Load finds it.
func configPath(bundle, file string) string {
	switch {
	case file == "":
		return filepath.Join(bundle, spec.DefaultFile)
	case filepath.IsAbs(file):
		return filepath.Clean(file)
	default:
		return filepath.Join(bundle, file)
	}
}

// passedDescriptors counts the descriptors, from 3 on, that go on to the
// program: those of socket activation (sd_listen_fds(3)), and behind them the
// preserved ones. All must exist, or the program would get rt's own.
func passedDescriptors(preserve int) (listen, all int, err error) {
	listen = listenDescriptors()
	for i := range listen {
		if err := wasPassed(3 + i); err != nil {
			return 0, 0, fmt.Errorf("LISTEN_FDS is %d: %w", listen, err)
		}
	}
	return listen, listen + preserve, preserved(3+listen, preserve)
}

// preserved checks the descriptors of --preserve-fds.
func preserved(first, count int) error {
	if count < 0 {
		return fmt.Errorf("option --preserve-fds must not be negative, got %d", count)
	}
	for i := range count {
		if err := wasPassed(first + i); err != nil {
			return fmt.Errorf("unable to stat preserved-fd %d (of %d): %w", i, count, err)
		}
	}
	return nil
}

// listenDescriptors is LISTEN_FDS, if it was meant for this process.
func listenDescriptors() int {
	pid, err := strconv.Atoi(os.Getenv("LISTEN_PID"))
	if err != nil || pid != os.Getpid() {
		return 0
	}
	count, err := strconv.Atoi(os.Getenv("LISTEN_FDS"))
	if err != nil || count < 0 {
		return 0
	}
	return count
}

// wasPassed checks that the caller left a descriptor open for this process.
// One that is closed on execution cannot be the caller's.
func wasPassed(fd int) error {
	flags, err := unix.FcntlInt(uintptr(fd), unix.F_GETFD, 0)
	if err == nil && flags&unix.FD_CLOEXEC != 0 {
		err = unix.EBADF
	}
	if err != nil {
		return fmt.Errorf("descriptor %d: %w", fd, err)
	}
	return nil
}
