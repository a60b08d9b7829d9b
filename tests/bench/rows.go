package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"time"
)

// maxBinds is the largest number of bind mounts in a row.
const maxBinds = 1000

// rows are the lines of the table, in order.
func (b *bench) rows() []row {
	laps, few := b.options.laps, max(b.options.laps/5, 1)
	return []row{
		{
			key: "run", laps: laps, floor: true,
			series:  milliseconds("run of true, default configuration"),
			prepare: b.prepareRun(nil),
		},
		{
			key: "lifecycle", laps: laps,
			series:  milliseconds("create + start + delete of true", "– create", "– start", "– delete"),
			prepare: b.prepareLifecycle,
		},
		{
			key: "exec", laps: laps,
			series:  milliseconds("exec of true in a running container"),
			prepare: b.prepareExec,
		},
		b.fleetRow(laps),
		{
			key: "seccomp", laps: laps,
			series:  milliseconds("run with a seccomp profile and 20 bind mounts"),
			prepare: b.prepareSeccomp,
		},
		{
			key: "binds-20", laps: laps,
			series:  milliseconds("run with 20 bind mounts"),
			prepare: b.prepareRun(func(made *bundle) { made.binds = 20 }),
		},
		{
			key: "binds-1000", laps: few,
			series:  milliseconds("run with 1,000 bind mounts"),
			prepare: b.prepareRun(func(made *bundle) { made.binds = maxBinds }),
		},
		{
			key: "host-mounts", laps: few, floor: true,
			series:  milliseconds(fmt.Sprintf("run with %d mounts on the host", b.options.hostMounts)),
			around:  b.mountOnHost,
			prepare: b.prepareRun(nil),
		},
		{
			key: "throughput", laps: max(laps/throughputContainers, 1), floor: true,
			series: []series{{
				title: "containers run, 2 at a time", unit: "per second", higher: true,
			}},
			prepare: b.prepareThroughput,
		},
		{
			key: "memory", laps: 3,
			series: []series{
				{title: "memory of a created container's process, Rss", unit: "KiB"},
				{title: "– Pss", unit: "KiB"},
			},
			prepare: b.prepareMemory,
		},
		{
			key: "size", laps: 1,
			series:  []series{{title: "size of the program", unit: "KiB"}},
			prepare: b.prepareSize,
		},
	}
}

func milliseconds(titles ...string) []series {
	var all []series
	for _, title := range titles {
		all = append(all, series{title: title, unit: "ms"})
	}
	return all
}

func inMilliseconds(d time.Duration) float64 {
	return float64(d) / float64(time.Millisecond)
}

// timed is a lap of one command.
func (b *bench) timed(argv []string) func() ([]float64, error) {
	return func() ([]float64, error) {
		spent, err := b.launcher.run(argv)
		return []float64{inMilliseconds(spent.elapsed)}, err
	}
}

// prepareRun prepares `run` of a container that ends at once.
func (b *bench) prepareRun(with func(*bundle)) func(*contender) (lap, error) {
	return func(c *contender) (lap, error) {
		made, err := b.bundle(c, "run", argsTrue, with)
		if err != nil {
			return lap{}, err
		}
		return lap{do: b.timed(c.run(made)), undo: b.container(c, made).remove}, nil
	}
}

// prepareSeccomp prepares `run` with a filter, having seen that it is in force: a
// runtime that ignores the field would be fast.
func (b *bench) prepareSeccomp(c *contender) (lap, error) {
	with := func(made *bundle) { made.seccomp, made.binds = true, 20 }
	look := []string{"/bin/grep", "-q", "Seccomp:.2", "/proc/self/status"}
	probe, err := b.bundle(c, "filtered", look, with)
	if err != nil {
		return lap{}, err
	}
	if _, err := b.launcher.run(c.run(probe)); err != nil {
		b.container(c, probe).remove()
		return lap{}, fmt.Errorf("no seccomp filter in the container: %w", err)
	}
	return b.prepareRun(with)(c)
}

// prepareLifecycle prepares what a caller does that watches the container itself:
// create, start, wait for the end, delete. The wait is in the total only.
func (b *bench) prepareLifecycle(c *contender) (lap, error) {
	made, err := b.bundle(c, "lifecycle", argsTrue, nil)
	if err != nil {
		return lap{}, err
	}
	one := b.container(c, made)
	do := func() ([]float64, error) {
		began := time.Now()
		create, err := one.create()
		if err != nil {
			return nil, err
		}
		start, err := one.start()
		if err != nil {
			return nil, err
		}
		if err := one.reap(); err != nil {
			return nil, err
		}
		remove, err := one.delete()
		total := time.Since(began)
		return []float64{
			inMilliseconds(total), inMilliseconds(create.elapsed),
			inMilliseconds(start.elapsed), inMilliseconds(remove.elapsed),
		}, err
	}
	return lap{do: do, undo: one.remove}, nil
}

func (b *bench) prepareExec(c *contender) (lap, error) {
	made, err := b.bundle(c, "exec", argsSleep, nil)
	if err != nil {
		return lap{}, err
	}
	one := b.container(c, made)
	return lap{
		do:   b.timed(c.command("exec", made.id, "/bin/true")),
		undo: one.remove,
	}, one.bring(running)
}

// fleetRow measures the commands whose work may grow with the number of containers.
func (b *bench) fleetRow(laps int) row {
	count := b.options.containers
	return row{
		key: "containers", laps: laps,
		series: milliseconds(
			fmt.Sprintf("state, with %d containers running", count),
			"– kill 0", "– list", "– run of true"),
		prepare: b.prepareFleet,
	}
}

func (b *bench) prepareFleet(c *contender) (lap, error) {
	var fleet []*container
	undo := func() {
		for _, one := range fleet {
			one.remove()
		}
	}
	for i := range max(b.options.containers, 1) {
		made, err := b.bundle(c, fmt.Sprintf("fleet-%d", i), argsSleep, nil)
		if err != nil {
			return lap{undo: undo}, err
		}
		one := b.container(c, made)
		fleet = append(fleet, one)
		if err := one.bring(running); err != nil {
			return lap{undo: undo}, err
		}
	}
	passing, err := b.prepareRun(nil)(c)
	if err != nil {
		return lap{undo: undo}, err
	}
	chosen := fleet[len(fleet)/2].bundle.id
	commands := [][]string{
		c.command("state", chosen), c.command("kill", chosen, "0"), c.command("list"),
	}
	do := func() ([]float64, error) {
		var figures []float64
		for _, argv := range commands {
			spent, err := b.launcher.run(argv)
			if err != nil {
				return nil, err
			}
			figures = append(figures, inMilliseconds(spent.elapsed))
		}
		last, err := passing.do()
		return append(figures, last...), err
	}
	return lap{do: do, undo: undo}, nil
}

// mountOnHost fills the mount namespace that the runtimes are called in.
func (b *bench) mountOnHost() (undo func(), err error) {
	base := filepath.Join(b.options.work, "host-mounts")
	if err := os.Mkdir(base, 0o755); err != nil {
		return nil, err
	}
	if err := syscall.Mount("tmpfs", base, "tmpfs", 0, ""); err != nil {
		return nil, err
	}
	undo = func() { _ = syscall.Unmount(base, syscall.MNT_DETACH) }
	for i := range b.options.hostMounts {
		target := filepath.Join(base, fmt.Sprint(i))
		err := errors.Join(os.Mkdir(target, 0o755), syscall.Mount(target, target, "", syscall.MS_BIND, ""))
		if err != nil {
			undo()
			return nil, err
		}
	}
	return undo, nil
}

// throughputContainers is how many containers a lap of that row runs.
const throughputContainers = 20

// prepareThroughput prepares two workers that run one container after the other.
func (b *bench) prepareThroughput(c *contender) (lap, error) {
	var workers [2][]string
	for i := range workers {
		made, err := b.bundle(c, fmt.Sprintf("worker-%d", i), argsTrue, nil)
		if err != nil {
			return lap{}, err
		}
		workers[i] = c.run(made)
	}
	do := func() ([]float64, error) {
		var group sync.WaitGroup
		var failures [len(workers)]error
		began := time.Now()
		for i, argv := range workers {
			group.Go(func() {
				for range throughputContainers / len(workers) {
					if _, err := b.launcher.run(argv); err != nil {
						failures[i] = err
						return
					}
				}
			})
		}
		group.Wait()
		return []float64{throughputContainers / time.Since(began).Seconds()}, errors.Join(failures[:]...)
	}
	return lap{do: do}, nil
}

// prepareMemory prepares a look at the process that waits for `start`.
func (b *bench) prepareMemory(c *contender) (lap, error) {
	made, err := b.bundle(c, "memory", argsTrue, nil)
	if err != nil {
		return lap{}, err
	}
	do := func() ([]float64, error) {
		one := b.container(c, made)
		defer one.remove()
		if err := one.bring(created); err != nil {
			return nil, err
		}
		return residentMemory(one.pid)
	}
	return lap{do: do}, nil
}

// residentMemory is Rss and Pss of a process in KiB (proc_pid_smaps(5)).
func residentMemory(pid int) ([]float64, error) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/smaps_rollup", pid))
	if err != nil {
		return nil, err
	}
	figures := make([]float64, 2)
	for line := range strings.Lines(string(text)) {
		for i, field := range []string{"Rss:", "Pss:"} {
			if rest, ok := strings.CutPrefix(line, field); ok {
				if _, err := fmt.Sscan(rest, &figures[i]); err != nil {
					return nil, fmt.Errorf("smaps_rollup: %q: %w", line, err)
				}
			}
		}
	}
	return figures, nil
}

func (b *bench) prepareSize(c *contender) (lap, error) {
	return lap{do: func() ([]float64, error) {
		info, err := os.Stat(c.path)
		if err != nil {
			return nil, err
		}
		return []float64{float64(info.Size()) / 1024}, nil
	}}, nil
}
