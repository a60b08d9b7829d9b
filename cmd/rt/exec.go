package main

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/opencontainers/runtime-spec/specs-go"
	"github.com/urfave/cli/v2"

	"rt/libns"
	"rt/libns/kernel"
	"rt/libns/plan"
	"rt/spec"
	"rt/state"
)

const execName = "exec"

func (t *tool) execCommand() *cli.Command {
	return &cli.Command{
		Name:      execName,
		Usage:     "execute one more program in a container",
		ArgsUsage: "ID COMMAND [ARGUMENT...]",
		Description: `The process is that of the bundle's config.json, with another program, without
its terminal and as the flags say; or that of the file which --process names,
and then the flags that describe a process have no effect.

Flags come before the ID. The exit code is the program's, 128 and the signal
that ended it, or 255 if rt failed.`,
		Flags: append(processFlags(),
			&cli.StringFlag{Name: "process", Aliases: []string{"p"}, Usage: "read the process from a `FILE` with JSON like process of config.json"},
			boolFlag("detach", "return once the program is executed", "d"),
			&cli.StringFlag{Name: "console-socket", Usage: "send the terminal's master to the socket at `PATH`"},
			&cli.StringFlag{Name: "pidfd-socket", Usage: "send a pidfd of the process to the socket at `PATH`"},
			&cli.StringFlag{Name: "pid-file", Usage: "write the pid of the process to `FILE`"},
			&cli.IntFlag{Name: "preserve-fds", Usage: "pass `N` more descriptors to the program, after stdio"},
			&cli.StringSliceFlag{Name: "cgroup", Usage: "put the process into the existing cgroup `[CONTROLLER[,CONTROLLER]:]PATH` below the container's"},
			boolFlag("ignore-paused", "accept a paused container: the program runs once that is resumed")),
		Action: func(c *cli.Context) error {
			if err := atLeast(c, 1); err != nil {
				return err
			}
			return asExecError(onContainer(c, t.exec))
		},
	}
}

// processFlags are those that describe the process.
func processFlags() []cli.Flag {
	return []cli.Flag{
		boolFlag("tty", "give the program a terminal", "t"),
		&cli.StringFlag{Name: "cwd", Usage: "working directory `DIR`, an absolute path in the container"},
		&cli.StringSliceFlag{Name: "env", Aliases: []string{"e"}, Usage: "add `NAME=VALUE` to the environment, or replace it there"},
		&cli.StringFlag{Name: "user", Aliases: []string{"u"}, Usage: "become user (and group) `UID[:GID]`, in numbers"},
		&cli.StringSliceFlag{Name: "additional-gids", Aliases: []string{"g"}, Usage: "add the group `GID`"},
		&cli.StringSliceFlag{Name: "cap", Aliases: []string{"c"}, Usage: "add the capability `CAP_NAME`"},
		boolFlag("no-new-privs", "never let the program gain privileges; =false lets it"),
		&cli.StringFlag{Name: "apparmor", Usage: "confine the program with the AppArmor `PROFILE`"},
		&cli.StringFlag{Name: "process-label", Usage: "run the program with the SELinux `LABEL`"},
	}
}

// execError is a failure of rt in exec, which callers tell from one of the
// program by its exit code.
type execError struct{ error }

func (e execError) Unwrap() error { return e.error }

// asExecError leaves alone what is the program's own exit code.
func asExecError(err error) error {
	var code exitCode
	if err == nil || errors.As(err, &code) {
		return err
	}
	return execError{err}
}

// exec takes no lock: a program in a container does not change the container,
// and hooks of a start that is going on may want one.
func (t *tool) exec(c *cli.Context, id string) error {
	creating := t.store.Creating(id)
	record, err := t.store.Load(id)
	if err != nil {
		return err
	}
	if creating {
		return errors.New("cannot exec in a container that is being created")
	}
	request, warnings, err := t.readExec(c, record)
	if err != nil {
		return err
	}
	process, err := libns.Exec(request)
	if err != nil {
		return err
	}
	// Stderr is the program's by now.
	t.log.warnings(warnings, false)
	if c.Bool("detach") {
		process.Release()
		return nil
	}
	code, err := process.Wait()
	if !process.Executed() {
		t.log.failure(about("exec", id, errUnexecuted))
	}
	if err == nil && code != 0 {
		return exitCode(code)
	}
	return err
}

// readExec reads what exec is asked for. Problems are found here as far as they
// can be.
func (t *tool) readExec(c *cli.Context, record *state.Record) (*libns.ExecRequest, []spec.Problem, error) {
	r := &libns.ExecRequest{IgnorePaused: c.Bool("ignore-paused"), Foreground: !c.Bool("detach"), Recorder: t.trace.Recorder}
	r.ExtraFDs = c.Int("preserve-fds")
	if err := preserved(3, r.ExtraFDs); err != nil {
		return nil, nil, err
	}
	var err error
	for flag, path := range map[string]*string{
		"console-socket": &r.ConsoleSocket,
		"pidfd-socket":   &r.PidfdSocket,
		"pid-file":       &r.PidFile,
	} {
		if *path, err = absolute(c.String(flag)); err != nil {
			return nil, nil, err
		}
	}
	if r.SubCgroups, err = libns.ParseSubCgroups(listed(c, "cgroup")); err != nil {
		return nil, nil, err
	}
	if r.Container, err = t.container(record); err != nil {
		return nil, nil, err
	}
	config, err := t.configOf(record)
	if err != nil {
		return nil, nil, err
	}
	if r.Config, err = execConfig(c, record, config); err != nil {
		return nil, nil, err
	}
	if r.Facts, err = probeProcess(r.Config); err != nil {
		return nil, nil, err
	}
	host := spec.Host{
		Creating: true, Detached: c.Bool("detach"), ConsoleSocket: r.ConsoleSocket != "",
		EUID: r.Facts.EUID, LastCap: r.Facts.LastCap, Capabilities: r.Facts.Capabilities,
		AppArmor: r.Facts.AppArmor, SELinux: r.Facts.SELinux,
	}
	if err := spec.ValidateProcess(r.Config, host); err != nil {
		return nil, nil, err
	}
	r.Filter, err = t.filter(r.Config, r.Facts)
	return r, spec.Warnings(r.Config, host), err
}

// probeProcess asks the kernel for what one more process in a container depends on.
func probeProcess(config *spec.Config) (kernel.Facts, error) {
	facts, err := kernel.ProbeProcess()
	if err != nil {
		return facts, err
	}
	if plan.HasFilter(config) {
		facts.ProbeSeccomp()
	}
	if config.HasLabels() {
		facts.ProbeSecurity()
	}
	return facts, nil
}

// execConfig is config, which the container was created from, with the process
// to be executed. What confines the container does not follow the
// bundle; its process, which the flags change, is that of the bundle as it is now.
func execConfig(c *cli.Context, record *state.Record, config *spec.Config) (*spec.Config, error) {
	if path := c.String("process"); path != "" {
		return config.LoadProcess(path)
	}
	args := c.Args().Tail()
	if len(args) > 0 && args[0] == "--" {
		args = args[1:]
	}
	if len(args) == 0 {
		return nil, errors.New("exec args cannot be empty")
	}
	bundle, err := config.LoadAgain(record.Bundle, record.Config)
	if err != nil {
		return nil, err
	}
	if bundle.Process == nil {
		return nil, fmt.Errorf("%s has no process any more", record.Config)
	}
	process := *bundle.Process
	process.Args = args
	if err := describe(&process, c); err != nil {
		return nil, err
	}
	return config.WithProcess(&process, ""), nil
}

// describe changes a process as the flags say.
func describe(p *specs.Process, c *cli.Context) error {
	p.Terminal = c.Bool("tty")
	p.Env = slices.Concat(p.Env, listed(c, "env"))
	if c.IsSet("cwd") {
		p.Cwd = c.String("cwd")
	}
	if c.IsSet("no-new-privs") {
		p.NoNewPrivileges = c.Bool("no-new-privs")
	}
	if c.IsSet("apparmor") {
		p.ApparmorProfile = c.String("apparmor")
	}
	if c.IsSet("process-label") {
		p.SelinuxLabel = c.String("process-label")
	}
	if err := describeUser(&p.User, c); err != nil {
		return err
	}
	return addCapabilities(p, listed(c, "cap"))
}

// describeUser changes the ids. Those that are not named stay.
func describeUser(user *specs.User, c *cli.Context) error {
	if c.IsSet("user") {
		uid, gid, hasGroup := strings.Cut(c.String("user"), ":")
		if err := parseID(uid, "bad uid", &user.UID); err != nil {
			return err
		}
		if hasGroup {
			if err := parseID(gid, "bad gid", &user.GID); err != nil {
				return err
			}
		}
	}
	user.AdditionalGids = slices.Clone(user.AdditionalGids)
	for _, text := range listed(c, "additional-gids") {
		gid, err := strconv.ParseUint(text, 0, 32)
		if err != nil {
			return fmt.Errorf("additional-gids must be a positive number and fit into 32 bits, got %s", text)
		}
		user.AdditionalGids = append(user.AdditionalGids, uint32(gid))
	}
	return nil
}

func parseID(text, complaint string, id *uint32) error {
	number, err := strconv.ParseUint(text, 10, 32)
	if err != nil {
		return fmt.Errorf("%s %q: must be a number; names are not looked up", complaint, text)
	}
	*id = uint32(number)
	return nil
}

// addCapabilities never adds to the inheritable set, from which a program's file
// capabilities would take them (CVE-2022-29162), and without that set there are
// no ambient ones. A process without capabilities in its configuration has lost
// none that could be added.
func addCapabilities(p *specs.Process, names []string) error {
	for _, name := range names {
		if _, ok := spec.Capability(name); !ok {
			return fmt.Errorf("unknown capability %q, names are like CAP_NET_ADMIN", name)
		}
	}
	if p.Capabilities == nil {
		return nil
	}
	sets := *p.Capabilities
	sets.Bounding = slices.Concat(sets.Bounding, names)
	sets.Effective = slices.Concat(sets.Effective, names)
	sets.Permitted = slices.Concat(sets.Permitted, names)
	if len(sets.Inheritable) > 0 {
		sets.Ambient = slices.Concat(sets.Ambient, names)
	}
	p.Capabilities = &sets
	return nil
}
