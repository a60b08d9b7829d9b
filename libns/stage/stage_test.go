package stage

import (
	"encoding/binary"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"rt/libns/plan"
)

func TestProgramExitsWithItsCode(t *testing.T) {
	p := newProgram()
	p.exit(7)
	p.run(t).wantExit(t, 7)
}

func TestFailureNamesCallAndErrno(t *testing.T) {
	p := newProgram()
	p.call(plan.OpSet, imm(1))
	p.call(unix.SYS_CLOSE, negative(-1))
	p.exit(0)
	if text := p.run(t).wantFailure(t, 1, unix.EBADF); text != "" {
		t.Errorf("report has text %q, want none", text)
	}
}

func TestEndOfProgramIsAFailure(t *testing.T) {
	p := newProgram()
	p.call(plan.OpSet, imm(1))
	p.run(t).wantFailure(t, 1, EndErrno)
}

func TestReportGoesWhereTheWordSaysByThen(t *testing.T) {
	p := newProgram()
	p.call(plan.OpSet, imm(dumpFD)).Result = p.ReportFD
	p.call(unix.SYS_CLOSE, negative(-1))
	p.exit(0)
	o := p.run(t)
	if len(o.report) > 0 {
		t.Errorf("the old descriptor got %x", o.report)
	}
	o.wantDump(t, report(1, unix.EBADF))
}

func TestResultsAreArgumentsOfLaterCalls(t *testing.T) {
	p := newProgram()
	pid, session, again := p.word("pid"), p.word("session"), p.word("again")
	p.call(unix.SYS_GETPID).Result = pid
	p.call(unix.SYS_SETSID).Result = session
	p.call(unix.SYS_GETPGID, load(pid)).Result = again
	for _, r := range []plan.Ref{pid, session, again} {
		p.dump(r, 8)
	}
	p.exit(0)
	proc := start(t, p.assemble(t))
	o := proc.wait(t)
	o.wantExit(t, 0)
	want := word(uint64(proc.pid))
	o.wantDump(t, append(append(want, want...), want...))
}

func word(v uint64) []byte { return binary.LittleEndian.AppendUint64(nil, v) }

func TestAllSixArgumentsArrive(t *testing.T) {
	p := newProgram()
	area := p.word("area")
	// The offset, the sixth argument, must be a multiple of the page size.
	p.call(unix.SYS_MMAP, imm(0), imm(1<<16), imm(unix.PROT_READ|unix.PROT_WRITE),
		imm(unix.MAP_PRIVATE|unix.MAP_ANONYMOUS), negative(-1), imm(0)).Result = area
	p.call(unix.SYS_WRITE, imm(dumpFD), load(area), imm(4))
	p.call(unix.SYS_MMAP, imm(0), imm(1<<16), imm(unix.PROT_READ),
		imm(unix.MAP_PRIVATE|unix.MAP_ANONYMOUS), negative(-1), imm(1))
	o := p.run(t)
	o.wantFailure(t, 2, unix.EINVAL)
	o.wantDump(t, make([]byte, 4))
}

func TestPointersInStructuresAreAddresses(t *testing.T) {
	p := newProgram()
	argv := p.object(plan.Object{Kind: plan.Struct, Bytes: make([]byte, 24), Pointers: []plan.Pointer{
		{Offset: 0, To: p.text("echo")}, {Offset: 8, To: p.text("it works")},
	}})
	p.call(unix.SYS_DUP3, imm(dumpFD), imm(1), imm(0))
	p.call(unix.SYS_EXECVE, addr(p.text("/bin/echo")), addr(argv), imm(0))
	o := p.run(t)
	o.wantExit(t, 0)
	o.wantDump(t, []byte("it works\n"))
}

// A loop of jumps, in which a word at an odd place is counted down.
func TestOutcomesChooseWhereToGoOn(t *testing.T) {
	p := newProgram()
	c := p.call(unix.SYS_CLOSE, negative(-1))
	c.On = []plan.Outcome{on(unix.EPERM, plan.Fail), on(unix.EBADF, 3), on(plan.AnyErrno, plan.Fail)}
	p.exit(1)
	p.exit(2)
	c = p.call(unix.SYS_LSEEK, imm(dumpFD), imm(0), imm(0))
	c.On = []plan.Outcome{on(plan.AnyErrno, plan.Next)}
	c = p.call(plan.OpIs, imm(6), imm(3), imm(1), imm(uint64(unix.ENOENT)))
	c.On = []plan.Outcome{on(unix.ENOENT, 6)}
	p.exit(3)
	p.call(plan.OpIsNot, imm(6), imm(3), imm(1), imm(uint64(unix.ENOENT))).Success = 8
	p.exit(4)
	p.call(unix.SYS_CLOSE, negative(-1)).On = []plan.Outcome{on(plan.AnyErrno, plan.Next), on(unix.EBADF, plan.Fail)}
	p.call(unix.SYS_CLOSE, negative(-1)).On = []plan.Outcome{on(unix.EBADF, plan.Fail), on(plan.AnyErrno, plan.Next)}
	p.run(t).wantFailure(t, 9, unix.EBADF)
}

// CLONE_PARENT makes the child ours too. It goes on at the next call, with
// memory of its own.
func TestBothSidesOfACloneGoOn(t *testing.T) {
	p := newProgram()
	pid, both := p.word("pid"), p.preset("both", 1)
	p.call(unix.SYS_CLONE, imm(unix.CLONE_PARENT|uint64(unix.SIGCHLD)), imm(0), imm(0), imm(0), imm(0)).Result = pid
	p.call(plan.OpIs, load(pid), negative(-1), imm(0), imm(uint64(unix.EEXIST))).On = []plan.Outcome{on(unix.EEXIST, 5)}
	p.call(plan.OpSet, imm(2)).Result = both
	p.call(unix.SYS_CLOSE, negative(-1)) // the child fails with a report
	p.exit(0)
	p.dump(pid, 8)
	p.dump(both, 8)
	p.exit(4)

	o := start(t, p.assemble(t)).wait(t)
	if o.status.ExitStatus() != 4 || len(o.dump) != 16 {
		t.Fatalf("parent: %v", o)
	}
	child := int(binary.LittleEndian.Uint64(o.dump))
	var status unix.WaitStatus
	if _, err := unix.Wait4(child, &status, 0, nil); err != nil {
		t.Fatalf("wait for the child %d: %v", child, err)
	}
	outcome{status: status, report: o.report}.wantFailure(t, 3, unix.EBADF)
	if both := binary.LittleEndian.Uint64(o.dump[8:]); both != 1 {
		t.Errorf("the child's memory is the parent's: %d", both)
	}
}

// interrupted runs a program whose first call is interrupted by a stop signal,
// which makes epoll_pwait fail with EINTR although nothing handles it.
func interrupted(t *testing.T, outcomes ...plan.Outcome) outcome {
	t.Helper()
	p := newProgram()
	epoll := p.word("epoll")
	p.call(unix.SYS_EPOLL_CREATE1, imm(0)).Result = epoll
	p.call(unix.SYS_EPOLL_PWAIT, load(epoll), addr(p.buffer("event", 16)), imm(1), imm(500), imm(0), imm(8)).On = outcomes
	p.exit(0)
	p.exit(9)
	proc := start(t, p.assemble(t))
	waitFor(t, "epoll_pwait", func() bool {
		call, _ := os.ReadFile(fmt.Sprintf("/proc/%d/syscall", proc.pid))
		return strings.HasPrefix(string(call), fmt.Sprint(unix.SYS_EPOLL_PWAIT)+" ")
	})
	unix.Kill(proc.pid, unix.SIGSTOP)
	var status unix.WaitStatus
	if _, err := unix.Wait4(proc.pid, &status, unix.WUNTRACED, nil); err != nil || !status.Stopped() {
		t.Fatalf("wait for the stop: %v, %v", status, err)
	}
	unix.Kill(proc.pid, unix.SIGCONT)
	return proc.wait(t)
}

func waitFor(t *testing.T, what string, true_ func() bool) {
	t.Helper()
	for deadline := time.Now().Add(5 * time.Second); !true_(); time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("no %s", what)
		}
	}
}

func TestInterruptedCallIsMadeAgain(t *testing.T) {
	interrupted(t).wantExit(t, 0)
	interrupted(t, on(plan.AnyErrno, 3)).wantExit(t, 0)
}

func TestInterruptionCanBeAnOutcome(t *testing.T) {
	interrupted(t, on(plan.AnyErrno, plan.Next), on(unix.EINTR, 3)).wantExit(t, 9)
}

// badMount is a program that fails with as many explanations of the kernel as
// there are options.
func badMount(t *testing.T, options ...string) (o outcome, failed int) {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("fsopen(2) needs root")
	}
	p := newProgram()
	fs := p.word("fs")
	p.call(unix.SYS_FSOPEN, addr(p.text("tmpfs")), imm(unix.FSOPEN_CLOEXEC)).Result = fs
	for i, option := range options {
		key, value, _ := strings.Cut(option, "=")
		c := p.call(unix.SYS_FSCONFIG, load(fs), imm(unix.FSCONFIG_SET_STRING), addr(p.text(key)), addr(p.text(value)), imm(0))
		c.Log = fs
		if i < len(options)-1 {
			c.On = []plan.Outcome{on(unix.EINVAL, plan.Next)}
		}
	}
	p.exit(0)
	return p.run(t), len(options)
}

func TestReportHasTheKernelsOwnWords(t *testing.T) {
	o, call := badMount(t, "size=abc")
	if text := o.wantFailure(t, call, unix.EINVAL); text != "e tmpfs: Bad value for 'size'\n" {
		t.Errorf("report has text %q", text)
	}
}

// The kernel keeps up to eight messages. Those that fit are reported.
func TestReportIsNeverTooLong(t *testing.T) {
	var options []string
	for i := range 8 {
		options = append(options, fmt.Sprintf("%d%s=1", i, strings.Repeat("x", 100)))
	}
	o, call := badMount(t, options...)
	text := o.wantFailure(t, call, unix.EINVAL)
	if n := strings.Count(text, "Unknown parameter '"); n < 2 || n > 4 || len(o.report) > plan.MaxReport || !strings.HasSuffix(text, "\n") {
		t.Errorf("report of %d bytes has %d messages: %q", len(o.report), n, text)
	}
}

// waiting starts a program like that of a container: many calls, then a wait
// on a descriptor that nothing is written to until the test ends.
func waiting(t *testing.T) *process {
	t.Helper()
	p := newProgram()
	for i := range 450 {
		p.call(unix.SYS_CLOSE, imm(uint64(1000+i)), addr(p.text(fmt.Sprintf("constant number %d", i)))).
			On = []plan.Outcome{on(unix.EBADF, plan.Next)}
	}
	answer := p.buffer("answer", 4096)
	p.dump(answer, 1)
	p.call(unix.SYS_READ, imm(5), addr(answer), imm(8))
	p.exit(0)
	r, w := pipe(t)
	file, err := Seal(p.assemble(t), t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	proc := startFile(t, file, []uintptr{r.Fd()})
	file.Close()
	r.Close()
	t.Cleanup(func() {
		w.Close()
		proc.wait(t).wantExit(t, 0)
	})
	if _, err := proc.dump.Read(make([]byte, 1)); err != nil {
		t.Fatal(err)
	}
	return proc
}

func TestWaitingStageIsSmall(t *testing.T) {
	proc := waiting(t)
	rollup, err := os.ReadFile(fmt.Sprintf("/proc/%d/smaps_rollup", proc.pid))
	if err != nil {
		t.Fatal(err)
	}
	memory := map[string]int{}
	for line := range strings.Lines(string(rollup)) {
		var name string
		var kib int
		if n, _ := fmt.Sscanf(line, "%s %d kB", &name, &kib); n == 2 {
			memory[strings.TrimSuffix(name, ":")] = kib
		}
	}
	t.Logf("resident %d KiB, of which its own %d KiB", memory["Rss"], memory["Private_Dirty"])
	if memory["Rss"] == 0 || memory["Rss"] >= 200 {
		t.Errorf("waiting init stage has %d KiB resident, want fewer than 200", memory["Rss"])
	}
}

func TestProcessIsTheSealedMemory(t *testing.T) {
	proc := waiting(t)
	exe := fmt.Sprintf("/proc/%d/exe", proc.pid)
	link, err := os.Readlink(exe)
	if err != nil || link != "/memfd:"+Name+" (deleted)" {
		t.Errorf("exe is %q, %v", link, err)
	}
	if file, err := os.OpenFile(exe, os.O_WRONLY, 0); err == nil {
		if _, err := file.Write([]byte("x")); err == nil {
			t.Error("the program could be overwritten through its exe link")
		}
		file.Close()
	}
}

func TestNoMemoryIsWritableAndExecutable(t *testing.T) {
	proc := waiting(t)
	maps, err := os.ReadFile(fmt.Sprintf("/proc/%d/maps", proc.pid))
	if err != nil {
		t.Fatal(err)
	}
	var parts []string
	for line := range strings.Lines(string(maps)) {
		fields := strings.Fields(line)
		if strings.Contains(fields[1], "w") && strings.Contains(fields[1], "x") {
			t.Errorf("writable and executable: %s", line)
		}
		if strings.Contains(line, Name) {
			parts = append(parts, fields[1])
		}
	}
	if got := strings.Join(parts, " "); got != "r-xp r--p rw-p" {
		t.Errorf("the image is mapped as %q", got)
	}
}
