package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
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

func (t *tool) updateCommand() *cli.Command {
	return &cli.Command{
		Name:      "update",
		Usage:     "change the limits of a container",
		ArgsUsage: "ID",
		Description: `What is not given stays as it is. The memory options take bytes, or a number
with K, M, G or T for powers of 1024; -1 is no limit. If one limit cannot be
set, none is changed.`,
		Flags:  updateFlags(),
		Action: forContainer(t.update),
	}
}

// limitFlag is an option of update that sets one limit.
type limitFlag struct {
	name  string
	usage string
	set   func(to *specs.LinuxResources, value string) error
}

// limitFlags have the names that runc gave them.
var limitFlags = []limitFlag{
	{"blkio-weight", "relative weight of block I/O, 10 to `1000`", func(to *specs.LinuxResources, value string) error {
		return setUint(&to.BlockIO.Weight, value, 16)
	}},
	{"cpu-burst", "`MICROSECONDS` that may be saved up for a period", func(to *specs.LinuxResources, value string) error {
		return setUint(&to.CPU.Burst, value, 64)
	}},
	{"cpu-idle", "`1` to run only when nothing else does, 0 not to", func(to *specs.LinuxResources, value string) error {
		return setInt(&to.CPU.Idle, value)
	}},
	{"cpu-period", "length in `MICROSECONDS` of the periods that the quota is for", func(to *specs.LinuxResources, value string) error {
		return setUint(&to.CPU.Period, value, 64)
	}},
	{"cpu-quota", "`MICROSECONDS` of processor time in each period, -1 for no limit", func(to *specs.LinuxResources, value string) error {
		return setInt(&to.CPU.Quota, value)
	}},
	{"cpu-rt-period", "length in `MICROSECONDS` of the periods of real-time scheduling", func(to *specs.LinuxResources, value string) error {
		return setUint(&to.CPU.RealtimePeriod, value, 64)
	}},
	{"cpu-rt-runtime", "`MICROSECONDS` of real-time scheduling in each of its periods", func(to *specs.LinuxResources, value string) error {
		return setInt(&to.CPU.RealtimeRuntime, value)
	}},
	{"cpu-share", "relative weight of processor `SHARES`, 2 to 262144", func(to *specs.LinuxResources, value string) error {
		return setUint(&to.CPU.Shares, value, 64)
	}},
	{"cpuset-cpus", "`LIST` of processors to run on", func(to *specs.LinuxResources, value string) error {
		to.CPU.Cpus = value
		return nil
	}},
	{"cpuset-mems", "`LIST` of memory nodes to use", func(to *specs.LinuxResources, value string) error {
		to.CPU.Mems = value
		return nil
	}},
	{"memory", "limit of memory in `BYTES`", func(to *specs.LinuxResources, value string) error {
		return setSize(&to.Memory.Limit, value)
	}},
	{"memory-reservation", "`BYTES` of memory to leave the container if others need it too", func(to *specs.LinuxResources, value string) error {
		return setSize(&to.Memory.Reservation, value)
	}},
	{"memory-swap", "limit of memory and swap space together in `BYTES`", func(to *specs.LinuxResources, value string) error {
		return setSize(&to.Memory.Swap, value)
	}},
	{"pids-limit", "limit of the `NUMBER` of processes and threads, -1 for none", func(to *specs.LinuxResources, value string) error {
		return setInt(&to.Pids.Limit, value)
	}},
}

func updateFlags() []cli.Flag {
	flags := []cli.Flag{
		&cli.StringFlag{Name: "resources", Aliases: []string{"r"}, Usage: "take the limits from a `FILE` with JSON like linux.resources, or from stdin (-), and no others"},
	}
	for _, f := range limitFlags {
		flags = append(flags, &cli.StringFlag{Name: f.name, Usage: f.usage})
	}
	return append(flags,
		&cli.StringFlag{Name: "kernel-memory", Usage: "no effect", Hidden: true},
		&cli.StringFlag{Name: "kernel-memory-tcp", Usage: "no effect", Hidden: true},
		&cli.StringFlag{Name: "l3-cache-schema", Usage: "`SCHEMA` of the processors' cache (Intel RDT)"},
		&cli.StringFlag{Name: "mem-bw-schema", Usage: "`SCHEMA` of memory bandwidth (Intel RDT)"},
	)
}

func (t *tool) update(c *cli.Context, id string) error {
	schemas, err := readSchemas(c)
	if err != nil {
		return err
	}
	change, err := t.readChange(c)
	if err != nil {
		return err
	}
	return t.holding(id, func(held *state.Held, record *state.Record, container *libns.Container) error {
		undo := func() error { return nil }
		if len(schemas) > 0 {
			if undo, err = container.UpdateRDT(schemas); err != nil {
				return err
			}
		}
		if err := t.updateRecorded(held, record, container, change); err != nil {
			return errors.Join(err, undo())
		}
		return nil
	})
}

// schemaFlags are the options for resctrl, in the order in which they are
// written.
var schemaFlags = []struct{ name, prefix, example string }{
	{"l3-cache-schema", "L3", "L3:0=7f0;1=1f"},
	{"mem-bw-schema", "MB:", "MB:0=20;1=70"},
}

// readSchemas gives the lines for resctrl.
func readSchemas(c *cli.Context) ([]string, error) {
	var lines []string
	for _, f := range schemaFlags {
		line := c.String(f.name)
		if line == "" {
			continue
		}
		if !strings.HasPrefix(line, f.prefix) || strings.Contains(line, "\n") {
			return nil, fmt.Errorf("invalid value for %s: %q: must be one line such as %q", f.name, line, f.example)
		}
		lines = append(lines, line)
	}
	return lines, nil
}

// updateRecorded changes the limits of a container and what is remembered of
// them, or neither.
func (t *tool) updateRecorded(held *state.Held, record *state.Record, container *libns.Container, change *specs.LinuxResources) error {
	old := new(specs.LinuxResources)
	if len(record.Resources) > 0 {
		if err := json.Unmarshal(record.Resources, old); err != nil {
			return fmt.Errorf("%w: resources: %w", state.ErrDamaged, err)
		}
	}
	facts, err := kernel.Probe()
	if err != nil {
		return err
	}
	update := libns.NewUpdate(old, change)
	if err := checkUpdate(update, facts); err != nil {
		return err
	}
	return container.Update(update, facts, func() (err error) {
		if record.Resources, err = json.Marshal(update.Result); err != nil {
			return err
		}
		return held.Save(record)
	})
}

// checkUpdate finds out before anything is changed what cannot be.
func checkUpdate(update *libns.Update, facts kernel.Facts) error {
	v1 := facts.Cgroup == kernel.CgroupV1 || facts.Cgroup == kernel.CgroupHybrid
	if err := spec.ValidateResources(update.Result, spec.Host{Creating: true, CgroupV1: v1}); err != nil {
		return err
	}
	if problems := plan.MissingControllers(update.Set, facts); len(problems) > 0 {
		return spec.Problems(problems)
	}
	return nil
}

// readChange reads the limits that are to change: from a file, or from the
// flags if there is none.
func (t *tool) readChange(c *cli.Context) (*specs.LinuxResources, error) {
	if file := c.String("resources"); file != "" {
		return readResources(file)
	}
	to := &specs.LinuxResources{
		Memory:  new(specs.LinuxMemory),
		CPU:     new(specs.LinuxCPU),
		Pids:    new(specs.LinuxPids),
		BlockIO: new(specs.LinuxBlockIO),
	}
	for _, f := range limitFlags {
		if !c.IsSet(f.name) {
			continue
		}
		if err := f.set(to, c.String(f.name)); err != nil {
			return nil, fmt.Errorf("invalid value for %s: %w", f.name, err)
		}
	}
	t.warnAboutKernelMemory(c)
	return to, nil
}

func (t *tool) warnAboutKernelMemory(c *cli.Context) {
	for _, name := range []string{"kernel-memory", "kernel-memory-tcp"} {
		if c.IsSet(name) {
			t.log.warnings([]spec.Problem{{Text: "--" + name + " has no effect: the kernel has no such limit any more"}}, false)
		}
	}
}

// maxResources bounds what is read from a file.
const maxResources = 16 << 20

func readResources(name string) (*specs.LinuxResources, error) {
	file := os.Stdin
	if name != "-" {
		var err error
		if file, err = os.Open(name); err != nil {
			return nil, err
		}
		defer file.Close()
	}
	data, err := io.ReadAll(io.LimitReader(file, maxResources))
	if err != nil {
		return nil, err
	}
	// Names match in any case, as callers expect who write Go's.
	resources := new(specs.LinuxResources)
	if err := json.Unmarshal(data, resources); err != nil {
		return nil, fmt.Errorf("resources in %s: %w", file.Name(), err)
	}
	return resources, nil
}

func setInt(to **int64, value string) error {
	n, err := strconv.ParseInt(value, 10, 64)
	*to = &n
	return numberError(err)
}

func setUint[T uint16 | uint64](to **T, value string, bits int) error {
	n, err := strconv.ParseUint(value, 10, bits)
	converted := T(n)
	*to = &converted
	return numberError(err)
}

// setSize reads bytes: a number, a unit of 1024 if there is one, and perhaps the
// word for bytes.
func setSize(to **int64, value string) error {
	const units = "kmgtp"
	number := strings.ToLower(value)
	number = strings.TrimSuffix(number, "b")
	number = strings.TrimSuffix(number, "i")
	shift := 0
	if number != "" {
		if unit := strings.IndexByte(units, number[len(number)-1]); unit >= 0 {
			number, shift = strings.TrimSpace(number[:len(number)-1]), 10*(unit+1)
		}
	}
	n, err := strconv.ParseInt(number, 10, 64)
	if err != nil {
		return numberError(err)
	}
	bytes := n << shift
	if bytes>>shift != n || n < -1 || n < 0 && shift > 0 {
		return fmt.Errorf("%q is not a size", value)
	}
	*to = &bytes
	return nil
}

// numberError leaves the name of the function out, which says nothing to people.
func numberError(err error) error {
	var number *strconv.NumError
	if errors.As(err, &number) {
		return fmt.Errorf("%q: %w", number.Num, number.Err)
	}
	return err
}
