package main

import (
	"errors"
	"fmt"
	"math"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
)

const cgroupRoot = "/sys/fs/cgroup"

// bench is one sitting.
type bench struct {
	options    options
	contenders []*contender
	launcher   *launcher
}

// row is something to measure, with one or more figures from each lap.
type row struct {
	key    string
	series []series
	laps   int
	floor  bool // the floor can do it, too

	// around arranges what all contenders share; it returns how to undo that.
	around func() (undo func(), err error)
	// prepare arranges what c needs and returns one lap: what it does, and how to undo
	// the preparation.
	prepare func(c *contender) (lap, error)
}

// series is one line of the table.
type series struct {
	title  string
	unit   string
	higher bool // higher is better
}

// lap measures once. The figures are those of the row's series, in their units.
type lap struct {
	do   func() ([]float64, error)
	undo func()
}

// prctlSetChildSubreaper is PR_SET_CHILD_SUBREAPER of prctl(2).
const prctlSetChildSubreaper = 36

// newBench prepares a sitting. The process adopts the containers' processes, as the
// callers of a runtime do, to learn of their end.
func newBench(o options) (*bench, error) {
	found, err := contenders(o)
	if err != nil {
		return nil, err
	}
	if _, _, errno := syscall.RawSyscall(syscall.SYS_PRCTL, prctlSetChildSubreaper, 1, 0); errno != 0 {
		return nil, fmt.Errorf("become a subreaper: %w", errno)
	}
	if err := makeRootfs(o.work); err != nil {
		return nil, err
	}
	l, err := newLauncher(filepath.Join(o.work, "stderr"))
	if err != nil {
		return nil, err
	}
	return &bench{options: o, contenders: found, launcher: l}, nil
}

// measureRow takes the contenders in turn, lap by lap, so that whatever else the
// machine does meets all of them; who begins moves on with every lap. A contender that
// fails is out of the row, with its error as the reason.
func (b *bench) measureRow(r row) ([]result, error) {
	if skip, err := b.skipped(r); skip || err != nil {
		return nil, err
	}
	fmt.Fprintf(os.Stderr, "bench: %s\n", r.key)
	if r.around != nil {
		undo, err := r.around()
		if err != nil {
			return nil, fmt.Errorf("%s: %w", r.key, err)
		}
		defer undo()
	}
	samples := newSamples(r)
	laps := make([]lap, len(b.contenders))
	for i, c := range b.contenders {
		if c.name == floorName && !r.floor {
			samples.giveUp(c.name, errors.New("not part of what the floor does"))
			continue
		}
		prepared, err := r.prepare(c)
		if prepared.undo != nil {
			defer prepared.undo()
		}
		if err != nil {
			samples.giveUp(c.name, err)
			continue
		}
		laps[i] = prepared
	}
	for number := -b.options.warmup; number < r.laps; number++ {
		for i := range b.contenders {
			turn := (i + number + b.options.warmup) % len(b.contenders)
			name := b.contenders[turn].name
			if samples.gaveUp(name) {
				continue
			}
			figures, err := laps[turn].do()
			switch {
			case errors.Is(err, errInterrupted):
				return nil, err
			case err != nil:
				samples.giveUp(name, err)
			case number >= 0:
				samples.add(name, figures)
			}
		}
	}
	return samples.results(), nil
}

func (b *bench) skipped(r row) (bool, error) {
	if b.launcher.interrupted.Load() {
		return false, errInterrupted
	}
	if b.options.only == "" {
		return false, nil
	}
	match, err := path.Match(b.options.only, r.key)
	return !match, err
}

// samples gathers the figures of one row.
type samples struct {
	row     row
	figures map[string][][]float64 // contender → series → figures
	reasons map[string]string      // contender → why it has none
}

func newSamples(r row) *samples {
	return &samples{row: r, figures: map[string][][]float64{}, reasons: map[string]string{}}
}

// giveUp keeps the first line of the reason; two workers may have the same one.
func (s *samples) giveUp(name string, err error) {
	s.reasons[name], _, _ = strings.Cut(err.Error(), "\n")
}

func (s *samples) gaveUp(name string) bool {
	return s.reasons[name] != ""
}

func (s *samples) add(name string, figures []float64) {
	if s.figures[name] == nil {
		s.figures[name] = make([][]float64, len(s.row.series))
	}
	for i, figure := range figures {
		s.figures[name][i] = append(s.figures[name][i], figure)
	}
}

// results has one result for each series.
func (s *samples) results() []result {
	var all []result
	for i, line := range s.row.series {
		r := result{
			Key: s.row.key, Title: line.title, Unit: line.unit, HigherIsBetter: line.higher,
			Contenders: map[string]figures{}, Ratios: map[string]float64{},
		}
		for name, reason := range s.reasons {
			r.Contenders[name] = figures{Missing: reason}
		}
		for name, measured := range s.figures {
			if !s.gaveUp(name) {
				r.Contenders[name] = summarize(measured[i])
			}
		}
		r.compare()
		all = append(all, r)
	}
	return all
}

// summarize reduces measured figures, of which there is at least one, to those that
// are reported.
func summarize(measured []float64) figures {
	sorted := slices.Sorted(slices.Values(measured))
	return figures{
		Laps: len(sorted),
		Min:  sorted[0],
		P50:  median(sorted),
		P99:  sorted[int(math.Ceil(0.99*float64(len(sorted))))-1],
	}
}

// median is that of sorted figures.
func median(sorted []float64) float64 {
	middle := len(sorted) / 2
	if len(sorted)%2 == 1 {
		return sorted[middle]
	}
	return (sorted[middle-1] + sorted[middle]) / 2
}
