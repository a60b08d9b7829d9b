// Command bench measures OCI runtimes against each other: the same containers, run by
// each runtime in turn, on one machine in one sitting.
//
//	bench -rt FILE -crun FILE -runc FILE -floor FILE -work DIR -cgroup NAME -out DIR
//	bench chart REPORT.json CHART.svg
//
// The first form measures and writes bench.json, bench.md and a chart, bench.svg; the
// second draws the chart of an older report again. Nothing passes or fails: a runtime that cannot do what a row
// measures gets a "-" there, and a note saying why.
//
// It expects to be root in a mount namespace of its own, with cgroup2 mounted on
// /sys/fs/cgroup, as the script "run" beside it arranges. Everything it makes is below
// the directory -work, the cgroup -cgroup, or the mount namespace.
package main

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
)

// options says what to measure, with which programs, and how often.
type options struct {
	programs   map[string]*string // contender name → path of its program, empty if absent
	work       string             // directory for the root file system; its "run" holds bundles and state
	cgroup     string             // existing cgroup, relative to cgroupRoot
	out        string             // directory for the report
	floorSteps string             // the floor built to time its steps, empty for none
	machine    string             // the machine's own cgroup view, for the report
	laps       int
	warmup     int
	containers int
	hostMounts int
	only       string
}

func main() {
	if len(os.Args) == 4 && os.Args[1] == "chart" {
		exit(chart(os.Args[2], os.Args[3]))
	}
	exit(measureAll(parseOptions()))
}

// exit ends the process; interrupted measuring is not an error of the program.
func exit(err error) {
	switch {
	case errors.Is(err, errInterrupted):
		os.Exit(130)
	case err != nil:
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
	os.Exit(0)
}

func parseOptions() options {
	o := options{programs: map[string]*string{}}
	for _, name := range contenderNames {
		o.programs[name] = flag.String(name, "", "program of "+name)
	}
	flag.StringVar(&o.work, "work", "", "directory to work in, with a directory \"run\" for bundles and state")
	flag.StringVar(&o.cgroup, "cgroup", "", "cgroup to work in, relative to the root of cgroup2")
	flag.StringVar(&o.out, "out", ".", "directory for bench.json, bench.md and bench.svg")
	flag.StringVar(&o.floorSteps, "floor-steps", "", "floor built with -DFLOOR_STEPS")
	flag.StringVar(&o.machine, "machine-cgroups", "unknown", "cgroup view of the machine itself")
	flag.IntVar(&o.laps, "laps", 100, "measured laps of an ordinary row")
	flag.IntVar(&o.warmup, "warmup", 5, "laps before the measured ones")
	flag.IntVar(&o.containers, "containers", 20, "containers present for state, kill and list")
	flag.IntVar(&o.hostMounts, "host-mounts", 5000, "mounts on the host for the row of that name")
	flag.StringVar(&o.only, "only", "", "measure only rows whose key matches this pattern (path.Match)")
	flag.Parse()
	return o
}

// measureAll measures every row and writes the report.
func measureAll(o options) error {
	b, err := newBench(o)
	if err != nil {
		return err
	}
	report := report{Facts: b.facts()}
	for _, r := range b.rows() {
		results, err := b.measureRow(r)
		if err != nil {
			return err
		}
		report.Rows = append(report.Rows, results...)
	}
	if report.Counts, err = b.countAll(); err != nil {
		return err
	}
	if report.FloorSteps, err = b.timeFloorSteps(); err != nil {
		return err
	}
	report.Facts = append(report.Facts, fact{"load after", loadAverage()})
	return report.write(o.out)
}

// write writes the report as bench.json, bench.md and bench.svg, and prints it.
func (r *report) write(directory string) error {
	if err := os.MkdirAll(directory, 0o755); err != nil {
		return err
	}
	encoded, err := r.json()
	if err != nil {
		return err
	}
	files := map[string]string{
		"bench.json": string(encoded), "bench.md": r.markdown(), "bench.svg": r.svg(),
	}
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(directory, name), []byte(text), 0o644); err != nil {
			return err
		}
	}
	fmt.Print(files["bench.md"])
	return nil
}
