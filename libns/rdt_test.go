package libns

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	specs "github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"

	"rt/libns/plan"
)

// fakeResctrl is a directory that looks like a resctrl mount, and one that makes
// and removes groups in it as the kernel does. What is written to a file is
// appended there.
func fakeResctrl(t *testing.T) (string, resctrl) {
	t.Helper()
	top := t.TempDir()
	fill := func(group string) {
		for name, text := range map[string]string{"tasks": "", "schemata": "    L3:0=7ff;1=7ff\n    MB:0=100;1=100\n"} {
			if err := os.WriteFile(filepath.Join(group, name), []byte(text), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		if err := os.MkdirAll(filepath.Join(group, "mon_groups"), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	fill(top)
	if err := os.Mkdir(filepath.Join(top, "info"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(top, "info", "last_cmd_status"), []byte("unknown resource\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	return top, resctrl{
		mkdir: func(path string) error {
			if err := os.Mkdir(path, 0o755); err != nil {
				return err
			}
			fill(path)
			return nil
		},
		rmdir: func(path string) error {
			if !exists(path) {
				return unix.ENOENT
			}
			return os.RemoveAll(path)
		},
	}
}

// joined joins what a config asks for and gives back where that is.
func joined(t *testing.T, fs resctrl, top string, config *specs.LinuxIntelRdt) (plan.RDT, []string, error) {
	t.Helper()
	a := plan.JoinRDT{RDT: plan.RDTFor(config, "box", top)}
	for _, line := range []plan.RDTLine{
		{Field: "l3CacheSchema", Text: config.L3CacheSchema, Compare: true},
		{Field: "memBwSchema", Text: config.MemBwSchema, Compare: true},
	} {
		if line.Text != "" {
			a.Lines = append(a.Lines, line)
		}
	}
	for _, text := range config.Schemata {
		a.Lines = append(a.Lines, plan.RDTLine{Field: "schemata", Text: text})
	}
	made, err := fs.join(a, 4711)
	return a.RDT, made, err
}

func contents(t *testing.T, path ...string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(path...))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func TestAGroupOfItsOwn(t *testing.T) {
	top, fs := fakeResctrl(t)
	r, made, err := joined(t, fs, top, &specs.LinuxIntelRdt{
		L3CacheSchema: "L3:0=f", MemBwSchema: "MB:0=20", Schemata: []string{"L2:0=3", "L2:1=1"}, EnableMonitoring: true,
	})
	if err != nil {
		t.Fatal(err)
	}
	group, monitor := filepath.Join(top, "box"), filepath.Join(top, "box", "mon_groups", "box")
	if !r.Own || r.Group != group || !slices.Equal(made, []string{group, monitor}) {
		t.Errorf("%+v, made %q", r, made)
	}
	if got := contents(t, group, "schemata"); !strings.HasSuffix(got, "L3:0=f\nMB:0=20\nL2:0=3\nL2:1=1\n") {
		t.Errorf("schemata: %q", got)
	}
	if a, b := contents(t, group, "tasks"), contents(t, monitor, "tasks"); a != "4711" || b != "4711" {
		t.Errorf("tasks: %q and %q", a, b)
	}
	if err := fs.remove(made); err != nil || exists(group) {
		t.Errorf("%s is left: %v", group, err)
	}
	if err := fs.remove(made); err != nil {
		t.Errorf("what is gone cannot be removed again: %v", err)
	}
}

func TestAnExistingClassIsJoinedAndStays(t *testing.T) {
	top, fs := fakeResctrl(t)
	if err := fs.mkdir(filepath.Join(top, "gold")); err != nil {
		t.Fatal(err)
	}
	r, made, err := joined(t, fs, top, &specs.LinuxIntelRdt{ClosID: "gold"})
	if err != nil || r.Own || len(made) > 0 {
		t.Fatalf("%+v, made %q: %v", r, made, err)
	}
	if got := contents(t, top, "gold", "tasks"); got != "4711" {
		t.Errorf("tasks: %q", got)
	}
	if err := removeRDT(r); err != nil || !exists(filepath.Join(top, "gold")) {
		t.Errorf("the class was removed: %v", err)
	}
}

func TestTheRootIsAClass(t *testing.T) {
	top, fs := fakeResctrl(t)
	r, _, err := joined(t, fs, top, &specs.LinuxIntelRdt{ClosID: "/", EnableMonitoring: true})
	if err != nil || r.Group != top || r.Monitor != filepath.Join(top, "mon_groups", "box") {
		t.Fatalf("%+v: %v", r, err)
	}
	if got := contents(t, top, "tasks"); got != "4711" {
		t.Errorf("tasks: %q", got)
	}
}

func TestAnExistingClassMustHaveTheSchemas(t *testing.T) {
	top, fs := fakeResctrl(t)
	if err := fs.mkdir(filepath.Join(top, "gold")); err != nil {
		t.Fatal(err)
	}
	for _, same := range []*specs.LinuxIntelRdt{
		{ClosID: "gold", L3CacheSchema: "L3:0=7ff;1=7ff"},
		{ClosID: "gold", L3CacheSchema: "L3:1=07FF", MemBwSchema: "MB:0=100"},
	} {
		if _, _, err := joined(t, fs, top, same); err != nil {
			t.Errorf("%+v: %v", same, err)
		}
	}
	for field, other := range map[string]*specs.LinuxIntelRdt{
		"l3CacheSchema": {ClosID: "gold", L3CacheSchema: "L3:0=7ff;1=1"},
		"memBwSchema":   {ClosID: "gold", L3CacheSchema: "L3:0=7ff", MemBwSchema: "MB:0=10"},
	} {
		_, made, err := joined(t, fs, top, other)
		var failed *fieldError
		if !errors.As(err, &failed) || failed.field != field || len(made) > 0 {
			t.Errorf("%+v: made %q, %v", other, made, err)
		}
	}
}

func TestAClassIsMadeIfItsSchemasAreKnown(t *testing.T) {
	top, fs := fakeResctrl(t)
	if _, _, err := joined(t, fs, top, &specs.LinuxIntelRdt{ClosID: "gold"}); !errors.Is(err, unix.ENOENT) {
		t.Errorf("a class that is not there: %v", err)
	}
	r, made, err := joined(t, fs, top, &specs.LinuxIntelRdt{ClosID: "gold", Schemata: []string{"L3:0=1"}})
	if err != nil || r.Own || len(made) != 1 {
		t.Errorf("%+v, made %q: %v", r, made, err)
	}
}

func TestWhatTheKernelRefusesIsSaidInItsWords(t *testing.T) {
	top, fs := fakeResctrl(t)
	group := filepath.Join(top, "box")
	makeGroup := fs.mkdir
	fs.mkdir = func(path string) error {
		if err := makeGroup(path); err != nil {
			return err
		}
		return os.Remove(filepath.Join(path, "schemata"))
	}
	_, made, err := joined(t, fs, top, &specs.LinuxIntelRdt{Schemata: []string{"L9:0=1"}})
	if err == nil || !slices.Equal(made, []string{group}) {
		t.Errorf("made %q: %v", made, err)
	}
	if got := lastCommandStatus(filepath.Join(group, "mon_groups", "box")); got != "unknown resource" {
		t.Errorf("status: %q", got)
	}
}

func TestUpdateOfRDT(t *testing.T) {
	top, fs := fakeResctrl(t)
	if err := fs.mkdir(filepath.Join(top, "box")); err != nil {
		t.Fatal(err)
	}
	c := &Container{RDT: plan.RDT{Group: filepath.Join(top, "box"), Own: true}}
	undo, err := c.UpdateRDT([]string{"L3:0=1", "MB:0=10"})
	if err != nil {
		t.Fatal(err)
	}
	if got := contents(t, top, "box", "schemata"); !strings.HasSuffix(got, "L3:0=1\nMB:0=10\n") {
		t.Errorf("schemata: %q", got)
	}
	if err := undo(); err != nil {
		t.Fatal(err)
	}
	if got := contents(t, top, "box", "schemata"); !strings.HasSuffix(got, "L3:0=7ff;1=7ff\n    MB:0=100;1=100\n") {
		t.Errorf("after undo: %q", got)
	}
	if _, err := new(Container).UpdateRDT([]string{"L3:0=1"}); err != errNoRDT {
		t.Errorf("a container without: %v", err)
	}
}
