package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
)

// count is what one command of one contender asks of the kernel. Times vary with the
// machine; these hardly do. All figures are medians.
type count struct {
	Command         string  `json:"command"`
	Contender       string  `json:"contender"`
	SystemCalls     float64 `json:"system_calls"`
	Executions      float64 `json:"executions"`
	BytesRead       float64 `json:"bytes_read"`
	PageFaults      float64 `json:"page_faults"`
	ContextSwitches float64 `json:"context_switches"`
	CPUMilliseconds float64 `json:"cpu_ms"`
	Missing         string  `json:"missing,omitempty"`
}

// counted is a command to count, and the phase its container has to be in.
type counted struct {
	command string
	needs   phase
	program []string
	argv    func(c *container) []string
}

// countedCommands leaves create out: a traced create ends only with its container.
// What create does is what run does less start and delete.
func countedCommands() []counted {
	on := func(before []string, after ...string) func(*container) []string {
		return func(c *container) []string {
			return c.maker.command(slices.Concat(before, []string{c.bundle.id}, after)...)
		}
	}
	return []counted{
		{"run", absent, argsTrue, func(c *container) []string { return c.maker.run(c.bundle) }},
		{"start", created, argsTrue, on([]string{"start"})},
		{"state", running, argsSleep, on([]string{"state"})},
		{"kill 0", running, argsSleep, on([]string{"kill"}, "0")},
		{"list", running, argsSleep, func(c *container) []string { return c.maker.command("list") }},
		{"exec", running, argsSleep, on([]string{"exec"}, "/bin/true")},
		{"delete", stopped, argsTrue, on([]string{"delete"})},
	}
}

// Each command is run plain and under strace this many times.
const (
	plainRuns  = 5
	tracedRuns = 3
)

// countAll counts every command for every contender.
func (b *bench) countAll() ([]count, error) {
	if skip, err := b.skipped(row{key: "counts"}); skip || err != nil {
		return nil, err
	}
	fmt.Fprintln(os.Stderr, "bench: counts")
	strace, err := exec.LookPath("strace")
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench: no counts:", err)
		return nil, nil
	}
	var all []count
	for _, command := range countedCommands() {
		for _, c := range b.contenders {
			if c.name == floorName && command.needs != absent {
				continue
			}
			counted := count{Command: command.command, Contender: c.name}
			err := b.count(strace, command, c, &counted)
			if errors.Is(err, errInterrupted) {
				return nil, err
			}
			if err != nil {
				counted.Missing = err.Error()
			}
			all = append(all, counted)
		}
	}
	return all, nil
}

// count fills in the figures of one command of one contender.
func (b *bench) count(strace string, command counted, c *contender, into *count) error {
	made, err := b.bundle(c, "count", command.program, nil)
	if err != nil {
		return err
	}
	var faults, switches, cpu []float64
	for range plainRuns {
		spent, err := b.inPhase(c, made, command, nil)
		if err != nil {
			return err
		}
		faults = append(faults, float64(spent.faults))
		switches = append(switches, float64(spent.switches))
		cpu = append(cpu, inMilliseconds(spent.cpu))
	}
	into.PageFaults, into.ContextSwitches, into.CPUMilliseconds =
		summarize(faults).P50, summarize(switches).P50, summarize(cpu).P50

	file := filepath.Join(b.options.work, "strace")
	var calls, executions, read []float64
	for range tracedRuns {
		tracer := []string{strace, "-f", "-qq", "-s", "0", "-e", "signal=none", "-o", file}
		if _, err := b.inPhase(c, made, command, tracer); err != nil {
			return err
		}
		seen, err := traceFile(file)
		if err != nil {
			return err
		}
		calls = append(calls, float64(seen.calls))
		executions = append(executions, float64(seen.executions))
		read = append(read, float64(seen.bytesRead))
	}
	into.SystemCalls, into.Executions, into.BytesRead =
		summarize(calls).P50, summarize(executions).P50, summarize(read).P50
	return nil
}

// inPhase runs the command, with a prefix to its command line, on a new container in
// the phase that the command needs, and takes the container away.
func (b *bench) inPhase(c *contender, made *bundle, command counted, prefix []string) (usage, error) {
	one := b.container(c, made)
	defer one.remove()
	if err := one.bring(command.needs); err != nil {
		return usage{}, err
	}
	return b.launcher.run(append(slices.Clone(prefix), command.argv(one)...))
}

// trace is what a listing of strace -f says.
type trace struct {
	calls      int
	executions int
	bytesRead  int
}

func traceFile(name string) (trace, error) {
	file, err := os.Open(name)
	if err != nil {
		return trace{}, err
	}
	defer file.Close()
	return readTrace(file)
}

// A call that another process interrupted takes two lines, "read(3, <unfinished ...>"
// and "<... read resumed>...) = 5": it is counted at the first, its result is in the
// second.
var (
	traceCall   = regexp.MustCompile(`^(?:\d+ +)?(?:<\.\.\. (\w+) resumed>|(\w+)\()`)
	traceResult = regexp.MustCompile(`\) += (-?\d+)`)
)

// readTrace sums up a listing of strace.
func readTrace(listing io.Reader) (trace, error) {
	var seen trace
	lines := bufio.NewScanner(listing)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		call := traceCall.FindStringSubmatch(lines.Text())
		if call == nil {
			continue
		}
		if call[2] != "" {
			seen.calls++
		}
		results := traceResult.FindAllStringSubmatch(lines.Text(), -1)
		if results == nil {
			continue
		}
		result, err := strconv.Atoi(results[len(results)-1][1])
		if err != nil || result < 0 {
			continue
		}
		switch call[1] + call[2] {
		case "execve", "execveat":
			seen.executions++
		case "read", "pread64", "readv", "preadv":
			seen.bytesRead += result
		}
	}
	return seen, lines.Err()
}
