package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// contenderNames are the columns of the tables, in order. The first is the subject:
// ratios are its figures divided by those of the others.
var contenderNames = []string{"rt", "crun", "runc", "floor"}

const (
	subject   = "rt"
	floorName = "floor"
)

// contender is a program that runs containers: an OCI runtime, or the floor, which
// knows only one container and no configuration.
type contender struct {
	name string
	path string
	root string // directory for its state
}

// command is the command line of one of the runtime's commands.
func (c *contender) command(arguments ...string) []string {
	return append([]string{c.path, "--root", c.root}, arguments...)
}

// run is the command line that runs the bundle's container to its end.
func (c *contender) run(b *bundle) []string {
	if c.name == floorName {
		return append([]string{c.path, b.rootfs, filepath.Join(cgroupRoot, b.parent)}, b.args...)
	}
	return c.command("run", "--bundle", b.dir, b.id)
}

// version is what the program says about itself in one line.
func (c *contender) version() string {
	if c.name == floorName {
		return "tests/bench/floor.c"
	}
	output, err := exec.Command(c.path, "--version").Output()
	if err != nil {
		return fmt.Sprintf("unknown (%v)", err)
	}
	line, _, _ := strings.Cut(string(output), "\n")
	return line
}

// contenders finds out who takes part. Programs that are not there are left out.
func contenders(o options) ([]*contender, error) {
	var found []*contender
	for _, name := range contenderNames {
		path := *o.programs[name]
		if path == "" {
			continue
		}
		c := &contender{name: name, path: path, root: filepath.Join(o.work, "run", name)}
		if err := os.MkdirAll(c.root, 0o711); err != nil {
			return nil, err
		}
		found = append(found, c)
	}
	if len(found) == 0 {
		return nil, fmt.Errorf("no runtime to measure")
	}
	return found, nil
}
