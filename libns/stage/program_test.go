package stage

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
	"os"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"rt/libns/plan"
)

// The descriptors that test programs start with, besides standard input,
// output and error.
const (
	reportFD = 3 // failures are reported here
	dumpFD   = 4 // and the program writes what it has to say here
)

// program makes small plans by hand.
type program struct{ plan.Plan }

func newProgram() *program {
	p := &program{plan.Plan{Objects: make([]plan.Object, 1)}}
	p.ReportFD = p.preset("report", reportFD)
	return p
}

func (p *program) object(o plan.Object) plan.Ref {
	p.Objects = append(p.Objects, o)
	return plan.Ref{Object: int32(len(p.Objects) - 1)}
}

func (p *program) word(name string) plan.Ref {
	return p.object(plan.Object{Kind: plan.Word, Name: name, Size: 8, Writable: true})
}

func (p *program) preset(name string, v uint64) plan.Ref {
	return p.object(plan.Object{Kind: plan.Word, Name: name, Bytes: binary.LittleEndian.AppendUint64(nil, v), Writable: true})
}

func (p *program) buffer(name string, size int) plan.Ref {
	return p.object(plan.Object{Kind: plan.Buffer, Name: name, Size: size, Writable: true})
}

func (p *program) text(s string) plan.Ref {
	return p.object(plan.Object{Kind: plan.Text, Bytes: append([]byte(s), 0)})
}

// call appends a call and gives it for changes.
func (p *program) call(op plan.Op, args ...plan.Arg) *plan.Call {
	c := plan.Call{Op: op, NArg: uint8(len(args)), Success: plan.Next}
	copy(c.Args[:], args)
	p.Calls = append(p.Calls, c)
	return &p.Calls[len(p.Calls)-1]
}

// exit ends the program.
func (p *program) exit(code uint64) { p.call(unix.SYS_EXIT_GROUP, imm(code)) }

// dump writes n bytes of memory to the test.
func (p *program) dump(r plan.Ref, n int) {
	p.call(unix.SYS_WRITE, imm(dumpFD), addr(r), imm(uint64(n)))
}

func imm(v uint64) plan.Arg                  { return plan.Arg{Kind: plan.Immediate, Value: v} }
func addr(r plan.Ref) plan.Arg               { return plan.AddressOf(r) }
func load(r plan.Ref) plan.Arg               { return plan.ContentsOf(r) }
func negative(v int64) plan.Arg              { return imm(uint64(v)) }
func on(e unix.Errno, to int32) plan.Outcome { return plan.Outcome{Errno: e, To: to} }

// outcome is how a program ended.
type outcome struct {
	status unix.WaitStatus
	report []byte
	dump   []byte
}

func (o outcome) String() string {
	return fmt.Sprintf("exit %d, signal %v, report %x, wrote %x", o.status.ExitStatus(), o.status.Signal(), o.report, o.dump)
}

// process is a program that has been started.
type process struct {
	pid          int
	report, dump *os.File
}

// start executes an image, as the argument of an emulator if there is one.
func start(t *testing.T, image []byte, emulator ...string) *process {
	t.Helper()
	file, err := Seal(image, t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	return startFile(t, file, nil, emulator...)
}

// startFile executes a file; extra are its descriptors after dumpFD.
func startFile(t *testing.T, file *os.File, extra []uintptr, emulator ...string) *process {
	t.Helper()
	reportRead, reportWrite := pipe(t)
	dumpRead, dumpWrite := pipe(t)
	defer reportWrite.Close()
	defer dumpWrite.Close()
	path := fmt.Sprintf("/proc/self/fd/%d", file.Fd())
	argv := []string{"init"}
	null, err := os.OpenFile(os.DevNull, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer null.Close()
	files := append([]uintptr{null.Fd(), null.Fd(), 2, reportWrite.Fd(), dumpWrite.Fd()}, extra...)
	if len(emulator) > 0 {
		argv = append(emulator, fmt.Sprintf("/proc/self/fd/%d", len(files)))
		path = emulator[0]
		files = append(files, file.Fd())
	}
	pid, err := syscall.ForkExec(path, argv, &syscall.ProcAttr{Files: files})
	if err != nil {
		t.Fatalf("execute the image: %v", err)
	}
	return &process{pid, reportRead, dumpRead}
}

func pipe(t *testing.T) (r, w *os.File) {
	t.Helper()
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	return r, w
}

// wait collects what the process has to say and its end, for ten seconds at most.
func (p *process) wait(t *testing.T) outcome {
	t.Helper()
	timer := time.AfterFunc(10*time.Second, func() { unix.Kill(p.pid, unix.SIGKILL) })
	defer timer.Stop()
	var o outcome
	o.dump = readAll(t, p.dump)
	o.report = readAll(t, p.report)
	if _, err := unix.Wait4(p.pid, &o.status, 0, nil); err != nil {
		t.Fatal(err)
	}
	return o
}

func readAll(t *testing.T, f *os.File) []byte {
	t.Helper()
	defer f.Close()
	b, err := io.ReadAll(f)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// run assembles, executes and waits.
func (p *program) run(t *testing.T) outcome {
	t.Helper()
	return start(t, p.assemble(t)).wait(t)
}

func (p *program) assemble(t *testing.T) []byte {
	t.Helper()
	image, err := Assemble(&p.Plan)
	if err != nil {
		t.Fatal(err)
	}
	return image
}

// wantExit asserts an end without failure.
func (o outcome) wantExit(t *testing.T, code int) {
	t.Helper()
	if !o.status.Exited() || o.status.ExitStatus() != code || len(o.report) > 0 {
		t.Fatalf("got %v, want exit %d without report", o, code)
	}
}

// wantFailure asserts a report about a call, and gives the kernel's text in it.
func (o outcome) wantFailure(t *testing.T, call int, errno unix.Errno) string {
	t.Helper()
	m, text, ok := plan.ParseMessage(o.report)
	if !ok || m != (plan.Message{Kind: plan.MessageFailure, Index: int32(call), Errno: errno}) {
		t.Fatalf("got %v, want a report of call %d and errno %d", o, call, int(errno))
	}
	if !o.status.Exited() || o.status.ExitStatus() != 1 {
		t.Fatalf("got %v, want exit 1", o)
	}
	return text
}

// wantDump asserts what the program wrote.
func (o outcome) wantDump(t *testing.T, want []byte) {
	t.Helper()
	if !bytes.Equal(o.dump, want) {
		t.Fatalf("program wrote %q, want %q", o.dump, want)
	}
}
