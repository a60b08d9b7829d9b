package main

import (
	"bufio"
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"syscall"
)

// fact is something a reader has to know about the machine to judge the figures.
type fact struct {
	Name string `json:"name"`
	Text string `json:"text"`
}

// facts describes the machine and the programs.
func (b *bench) facts() []fact {
	all := []fact{
		{"kernel", firstLine("/proc/sys/kernel/osrelease") + " " + runtime.GOARCH},
		{"processor", processor()},
		{"cores", strconv.Itoa(runtime.NumCPU())},
		{"cgroup view", "unified, cgroup2 on " + cgroupRoot + " in a mount namespace of the benchmark's own (the machine itself: " + b.options.machine + ")"},
		{"rcu mode", "rcu_expedited=" + firstLine("/sys/kernel/rcu_expedited") + " rcu_normal=" + firstLine("/sys/kernel/rcu_normal")},
		{"file systems", "root file system on " + filesystem(b.options.work) + ", bundles and the runtimes' state on " + filesystem(b.contenders[0].root)},
		{"laps", fmt.Sprintf("%d after %d to warm up, the contenders in turn", b.options.laps, b.options.warmup)},
	}
	for _, c := range b.contenders {
		all = append(all, fact{c.name, c.version()})
	}
	return append(all, fact{"load before", loadAverage()})
}

func loadAverage() string {
	return firstLine("/proc/loadavg")
}

// firstLine is the first line of a file of the kernel, "unknown" if it is not there.
func firstLine(file string) string {
	text, err := os.ReadFile(file)
	if err != nil {
		return "unknown"
	}
	line, _, _ := strings.Cut(string(text), "\n")
	return line
}

func processor() string {
	text, err := os.ReadFile("/proc/cpuinfo")
	if err != nil {
		return "unknown"
	}
	for line := range strings.Lines(string(text)) {
		if name, value, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(name) == "model name" {
			return strings.TrimSpace(value)
		}
	}
	return "unknown"
}

// filesystem names the type of the file system that a directory is on (statfs(2)).
func filesystem(directory string) string {
	var about syscall.Statfs_t
	if err := syscall.Statfs(directory, &about); err != nil {
		return "unknown"
	}
	names := map[int64]string{
		0xef53: "ext4", 0x01021994: "tmpfs", 0x9123683e: "btrfs", 0x58465342: "xfs", 0x794c7630: "overlay",
	}
	kind := int64(about.Type)
	if name, known := names[kind]; known {
		return name
	}
	return fmt.Sprintf("type %#x", kind)
}

// step is what one step of the floor takes.
type step struct {
	Name         string  `json:"name"`
	Times        float64 `json:"times"` // in one run
	Microseconds float64 `json:"us"`    // all times together, median of the runs
}

// timeFloorSteps runs the floor that was built to time its steps.
func (b *bench) timeFloorSteps() ([]step, error) {
	if skip, err := b.skipped(row{key: "floor-steps"}); skip || err != nil || b.options.floorSteps == "" {
		return nil, err
	}
	fmt.Fprintln(os.Stderr, "bench: floor-steps")
	made, err := b.bundle(&contender{name: floorName}, "steps", argsTrue, nil)
	if err != nil {
		return nil, err
	}
	argv := (&contender{name: floorName, path: b.options.floorSteps}).run(made)
	var order []string
	sums, times := map[string][]float64{}, map[string]int{}
	for range b.options.laps {
		var output bytes.Buffer
		command := exec.Command(argv[0], argv[1:]...)
		command.Stderr = &output
		if err := command.Run(); err != nil {
			return nil, fmt.Errorf("%w: %s", err, output.String())
		}
		lap := map[string]float64{}
		lines := bufio.NewScanner(&output)
		for lines.Scan() {
			name, text, _ := strings.Cut(lines.Text(), "\t")
			nanoseconds, err := strconv.ParseFloat(text, 64)
			if err != nil {
				return nil, fmt.Errorf("floor: %q: %w", lines.Text(), err)
			}
			if !slices.Contains(order, name) {
				order = append(order, name)
			}
			lap[name] += nanoseconds / 1000
			times[name]++
		}
		for name, sum := range lap {
			sums[name] = append(sums[name], sum)
		}
	}
	var steps []step
	for _, name := range order {
		steps = append(steps, step{
			Name:         name,
			Times:        float64(times[name]) / float64(b.options.laps),
			Microseconds: summarize(sums[name]).P50,
		})
	}
	return steps, nil
}
