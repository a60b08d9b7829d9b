package plan

import (
	"encoding/json"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// small is a plan with one of everything that is printed.
func small() *Plan {
	b := newBuilder(64)
	b.control = b.preset("control", 3)
	b.p.ReportFD = b.control
	root := b.word("root")
	b.host("", Launch{CloneFlags: unix.CLONE_NEWPID})
	b.host("", SaveState{})
	b.step("root.path", "open the root filesystem /bundle/rootfs")
	b.call(unix.SYS_OPENAT, cwdFD, b.str("/bundle/rootfs"), imm(unix.O_PATH|unix.O_DIRECTORY), imm(0)).to(root)
	b.step("mounts[0]", "make \x1b[31mdata")
	there := b.label()
	b.call(unix.SYS_MKDIRAT, load(root), b.str("data"), imm(0o755)).then(there).ignore(unix.EEXIST)
	b.assist(MakeMountPoint{Path: "data"}, root)
	b.bind(there)
	b.host("process.rlimits", SetRlimits{[]Rlimit{{Name: "RLIMIT_CORE", Soft: 0, Hard: unix.RLIM_INFINITY}}})
	b.host("process.env", FindHome{UID: 7}, root)
	b.host("", WritePidFile{Path: "/run/pid"})
	b.step("", "end, with a title that is much too long for the column that titles have in a plan")
	b.call(unix.SYS_EXIT_GROUP, imm(0))
	return b.build()
}

const smallSteps = `
   1  host       clone the init stage with CLONE_NEWPID
   2  host       save the container's state
   3  container  open the root filesystem /bundle/rootfs                           root.path
   4  container  make \x1b[31mdata                                                 mounts[0]
  assist 0  asks host, if need be: make the missing directory data
   ═  barrier 1  container waits until steps 5 to 7 are done, and sends root
   5  host       set resource limits CORE=0:unlimited                              process.rlimits
   6  host       find the home directory of user 7 in the container's /etc/passwd  process.env
   7  host       write the pid to /run/pid
   8  container  end, with a title that is much too long for the column that titles have in a plan
`

const smallCalls = `
   1  host       clone the init stage with CLONE_NEWPID
   2  host       save the container's state
   3  container  open the root filesystem /bundle/rootfs                           root.path
         0  openat(AT_FDCWD, "/bundle/rootfs", O_PATH|O_DIRECTORY) → root
   4  container  make \x1b[31mdata                                                 mounts[0]
         1  mkdirat(root, "data", 0755); then call 6; EEXIST ok
         2  set(root) → rights+16
         3  sendmsg(control, message assist 0 with root, 0)
         4  read(control, answer, 8) → n
         5  is(n != 0); else fail with EPIPE
  assist 0  asks host, if need be: make the missing directory data
   ═  barrier 1  container waits until steps 5 to 7 are done, and sends root
         6  set(root) → rights+16
         7  sendmsg(control, message barrier 1 with root, 0)
         8  read(control, answer, 8) → n
         9  is(n != 0); else fail with EPIPE
   5  host       set resource limits CORE=0:unlimited                              process.rlimits
   6  host       find the home directory of user 7 in the container's /etc/passwd  process.env
   7  host       write the pid to /run/pid
   8  container  end, with a title that is much too long for the column that titles have in a plan
        10  exit_group(0)
`

func TestPlanIsPrintedInColumns(t *testing.T) {
	for _, c := range []struct {
		options PrintOptions
		want    string
	}{{PrintOptions{}, smallSteps}, {PrintOptions{Calls: true}, smallCalls}} {
		var out strings.Builder
		if err := small().Print(&out, c.options); err != nil {
			t.Fatal(err)
		}
		if got := "\n" + out.String(); got != c.want {
			t.Errorf("%+v: got%swant%s", c.options, got, c.want)
		}
	}
}

func TestPrintingReportsThatItCouldNotWrite(t *testing.T) {
	if err := small().Print(brokenWriter{}, PrintOptions{}); err != unix.EPIPE {
		t.Errorf("got %v", err)
	}
}

type brokenWriter struct{}

func (brokenWriter) Write([]byte) (int, error) { return 0, unix.EPIPE }

func TestPlanAsJSON(t *testing.T) {
	p := small()
	data, err := json.Marshal(p)
	if err != nil {
		t.Fatal(err)
	}
	var plan struct {
		Steps []struct {
			Index              int
			Side, Title, Field string
			Action             *struct {
				Type, Title string
				Data        map[string]any
			}
			Barrier *struct {
				Number, Holds int
				Sends         []string
			}
			Calls []struct {
				Index        int
				Call, Result string
				On           []string
			}
			Asks []struct{ Type, Title string }
		}
	}
	if err := json.Unmarshal(data, &plan); err != nil {
		t.Fatal(err)
	}
	if len(plan.Steps) != len(p.Steps) {
		t.Fatalf("%d steps, want %d", len(plan.Steps), len(p.Steps))
	}
	if s := plan.Steps[0]; s.Index != 1 || s.Side != "host" || s.Action.Type != "Launch" || s.Action.Data["CloneFlags"] != float64(unix.CLONE_NEWPID) {
		t.Errorf("host step is %+v with %+v", s, s.Action)
	}
	if s := plan.Steps[3]; s.Index != 4 || s.Field != "mounts[0]" || s.Title != "make \x1b[31mdata" || len(s.Calls) != 5 || len(s.Asks) != 1 || s.Asks[0].Type != "MakeMountPoint" {
		t.Errorf("container step is %+v", s)
	}
	if c := plan.Steps[3].Calls[0]; c.Index != 1 || c.Call != `mkdirat(root, "data", 0755)` || strings.Join(c.On, ",") != "then call 6,EEXIST ok" {
		t.Errorf("call is %+v", c)
	}
	if c := plan.Steps[2].Calls[0]; c.Result != "root" {
		t.Errorf("result is %q", c.Result)
	}
	if s := plan.Steps[4]; s.Index != 0 || s.Barrier == nil || s.Barrier.Number != 1 || s.Barrier.Holds != 3 || s.Barrier.Sends[0] != "root" {
		t.Errorf("barrier is %+v with %+v", s, s.Barrier)
	}
}

func TestPrintingIsDeterministic(t *testing.T) {
	first, err := json.Marshal(small())
	if err != nil {
		t.Fatal(err)
	}
	for range 10 {
		if again, _ := json.Marshal(small()); string(again) != string(first) {
			t.Fatal("two prints of one plan differ")
		}
	}
}
