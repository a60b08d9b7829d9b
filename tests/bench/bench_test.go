package main

import (
	"fmt"
	"strings"
	"testing"
)

// A call that another process interrupted is listed twice but counted once, and what
// it read is counted from the line that has its result.
func TestReadTraceSumsUpAListing(t *testing.T) {
	listing := `100 execve("/bin/rt", ["rt"], 0x7ffd /* 3 vars */) = 0
100 read(3, ""..., 4096)  = 120
101 read(4,  <unfinished ...>
100 openat(AT_FDCWD, "a) = 7", O_RDONLY) = -1 ENOENT (No such file or directory)
101 <... read resumed>""..., 64) = 30
101 execve("/nowhere", [], NULL) = -1 ENOENT (No such file or directory)
101 execveat(3, "", ["true"], NULL, AT_EMPTY_PATH <unfinished ...>
101 <... execveat resumed>) = 0
101 exit_group(0)                           = ?
100 --- SIGCHLD {si_signo=SIGCHLD} ---
100 +++ exited with 0 +++
`
	seen, err := readTrace(strings.NewReader(listing))
	if err != nil {
		t.Fatal(err)
	}
	if want := (trace{calls: 7, executions: 2, bytesRead: 150}); seen != want {
		t.Errorf("got %+v, want %+v", seen, want)
	}
}

func TestSummarizeTakesTheMedianAndTheNearestRank(t *testing.T) {
	var measured []float64
	for i := 200; i > 0; i-- {
		measured = append(measured, float64(i))
	}
	if got, want := summarize(measured), (figures{Laps: 200, Min: 1, P50: 100.5, P99: 198}); got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
	if got := summarize([]float64{3}); got.P50 != 3 || got.P99 != 3 {
		t.Errorf("one figure is its own median and percentile, got %+v", got)
	}
}

// A contender without figures has a reason below the table, and nobody has a ratio to
// it.
func TestMarkdownSaysWhyAFigureIsMissing(t *testing.T) {
	s := newSamples(row{key: "exec", series: milliseconds("exec of true")})
	s.add("rt", []float64{2})
	s.add("runc", []float64{8})
	s.reasons["crun"] = "exit status 1: no such command"
	r := report{Rows: s.results()}
	text := r.markdown()
	for _, want := range []string{
		"| exec of true | ms | 2.00 | - | 8.00 | - | 0.25 |",
		`crun has no figures in "exec": exit status 1: no such command`,
	} {
		if !strings.Contains(text, want) {
			t.Errorf("no %q in\n%s", want, text)
		}
	}
}

func TestChartHasABarForEveryFigure(t *testing.T) {
	s := newSamples(row{key: "run", series: milliseconds("run <of> true", "– a part")})
	s.add("rt", []float64{2, 1})
	s.add("runc", []float64{8, 1})
	r := report{Rows: s.results()}
	svg := r.svg()
	if bars := strings.Count(svg, "<rect x="); bars != 2 {
		t.Errorf("%d bars for two figures and a part that is left out", bars)
	}
	if !strings.Contains(svg, "run &lt;of&gt; true") {
		t.Errorf("title not escaped:\n%s", svg)
	}
}

// Every contender has to be given the same container: same configuration but for the
// cgroup.
func TestBundlesDifferInTheirCgroupOnly(t *testing.T) {
	b := &bench{options: options{work: t.TempDir(), cgroup: "parent"}}
	first, err := b.bundle(&contender{name: "rt"}, "run", argsTrue, nil)
	if err != nil {
		t.Fatal(err)
	}
	second, err := b.bundle(&contender{name: "runc"}, "run", argsTrue, nil)
	if err != nil {
		t.Fatal(err)
	}
	one, other := first.config("/work"), second.config("/work")
	if one["linux"].(object)["cgroupsPath"] == other["linux"].(object)["cgroupsPath"] {
		t.Error("two containers in one cgroup")
	}
	delete(one["linux"].(object), "cgroupsPath")
	delete(other["linux"].(object), "cgroupsPath")
	if got, want := printed(one), printed(other); got != want {
		t.Errorf("configurations differ:\n%s\n%s", got, want)
	}
}

func printed(value any) string {
	return fmt.Sprintf("%v", value)
}
