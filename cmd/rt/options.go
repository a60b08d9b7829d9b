package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"

	"github.com/urfave/cli/v2"

	"rt/state"
)

// options are the global flags.
type options struct {
	rootGiven bool // --root was given: it then has to exist
	// cgroupManager is who makes cgroups: cgroupfs, systemd or disabled.
	cgroupManager string
	rootless      string // auto, true or false
}

const (
	managerCgroupfs = "cgroupfs"
	managerSystemd  = "systemd"
	managerDisabled = "disabled"
)

func globalFlags() []cli.Flag {
	return []cli.Flag{
		&cli.StringFlag{Name: "root", Usage: "keep the state of containers in `DIR`", DefaultText: "/run/rt, or $XDG_RUNTIME_DIR/rt for ordinary users"},
		&cli.StringFlag{Name: "log", Usage: "append errors and warnings to `FILE` too"},
		choice("log-format", "`FORMAT` of the log:", textFormat, jsonFormat),
		choice("log-level", "lowest `LEVEL` that is logged:", "warning", "error", "debug"),
		boolFlag("debug", "log what rt does, and where in its code"),
		&cli.StringFlag{Name: "trace", Usage: "record when everything began and ended in `FILE`, for Perfetto"},
		boolFlag("systemd-cgroup", "have systemd make cgroups; cgroupsPath is then slice:prefix:name"),
		choice("cgroup-manager", "`MANAGER` of cgroups:", managerCgroupfs, managerSystemd, managerDisabled),
		boolFlag("version", "print the version", "v"),
		choice("rootless", "ignore missing permissions on cgroups: `WHEN` is", "auto", "true", "false"),
	}
}

// readOptions makes sense of the global flags before any command runs.
func (t *tool) readOptions(c *cli.Context) error {
	if err := t.log.open(c); err != nil {
		return err
	}
	if err := t.beginTrace(c); err != nil {
		return err
	}
	root, err := stateRoot(c)
	if err != nil {
		return err
	}
	t.store = state.Open(root)
	t.rootGiven = c.IsSet("root")
	if t.cgroupManager, err = cgroupManager(c); err != nil {
		return err
	}
	t.rootless, err = rootless(c.String("rootless"))
	return err
}

func stateRoot(c *cli.Context) (string, error) {
	if !c.IsSet("root") {
		return state.DefaultRoot(), nil
	}
	root := c.String("root")
	if root == "" {
		return "", errors.New("option --root must not be empty")
	}
	root, err := filepath.Abs(root)
	if err == nil && root == "/" {
		err = errors.New("Option --root argument should not be set to /") //nolint:revive,staticcheck // callers know this text
	}
	return root, err
}

func cgroupManager(c *cli.Context) (string, error) {
	if c.Bool("systemd-cgroup") {
		return managerSystemd, nil
	}
	switch manager := c.String("cgroup-manager"); manager {
	case managerCgroupfs, managerSystemd, managerDisabled:
		return manager, nil
	default:
		return "", fmt.Errorf("option --cgroup-manager must be %s, %s or %s, got %q", managerCgroupfs, managerSystemd, managerDisabled, manager)
	}
}

func rootless(value string) (string, error) {
	if value == "auto" || value == "" {
		return "auto", nil
	}
	yes, err := strconv.ParseBool(value)
	if err != nil {
		return "", fmt.Errorf("option --rootless must be true, false or auto, got %q", value)
	}
	return strconv.FormatBool(yes), nil
}

// absolute makes a path that the caller gave independent of the bundle, which
// other relative paths are relative to. An empty one stays empty.
func absolute(path string) (string, error) {
	if path == "" {
		return "", nil
	}
	return filepath.Abs(path)
}

// requireRoot refuses a state root that was given but is not there.
func (t *tool) requireRoot(err error) error {
	if !t.rootGiven && errors.Is(err, os.ErrNotExist) {
		return nil
	}
	return err
}
