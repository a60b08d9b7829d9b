package stage

import (
	"bytes"
	"debug/elf"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"rt/libns/plan"
)

// numbers are the system calls of random programs, on one architecture.
type numbers struct{ read, write, close, lseek, umask, getppid, exitGroup plan.Op }

var (
	numbersAMD64 = numbers{read: 0, write: 1, close: 3, lseek: 8, umask: 95, getppid: 110, exitGroup: 231}
	numbersARM64 = numbers{read: 63, write: 64, close: 57, lseek: 62, umask: 166, getppid: 173, exitGroup: 94}
)

func numbersHere() numbers {
	if elf.Machine(machine) == elf.EM_AARCH64 {
		return numbersARM64
	}
	return numbersAMD64
}

// The pipe that random programs read and write, which does not block.
const (
	pipeReadFD  = 5
	pipeWriteFD = 6
)

// TestInterpreterAndSimulatorAgree runs random programs through both. Seeds are
// fixed: a program that they disagree about can be run again.
func TestInterpreterAndSimulatorAgree(t *testing.T) {
	compare(t, 250, numbersHere(), architecture{machine, text, textEntry})
}

func TestInterpreterAndSimulatorAgreeOnARM64(t *testing.T) {
	const emulator = "qemu-aarch64-static"
	path, err := exec.LookPath(emulator)
	if err != nil {
		t.Skipf("no %s here to run the arm64 interpreter", emulator)
	}
	if elf.Machine(machine) == elf.EM_AARCH64 {
		t.Skip("this is arm64: TestInterpreterAndSimulatorAgree runs that interpreter")
	}
	compare(t, 60, numbersARM64, generatedArchitecture(t, "arm64"), path)
}

func compare(t *testing.T, programs int, n numbers, arch architecture, emulator ...string) {
	failed, finished := 0, 0
	for seed := uint64(1); finished+failed < programs; seed++ {
		p := randomProgram(rand.New(rand.NewPCG(seed, 0)), n)
		want, err := simulate(p, n)
		if err == errTooLong {
			continue
		}
		image, err := assemble(&p.Plan, arch)
		if err != nil {
			t.Fatalf("seed %d: %v", seed, err)
		}
		got := runWithPipe(t, image, emulator...)
		if !bytes.Equal(got.report, want.report) || !bytes.Equal(got.dump, want.dump) || got.status.ExitStatus() != want.code {
			t.Fatalf("seed %d: interpreter: %v; simulator: exit %d, report %x, wrote %x\n%s",
				seed, got, want.code, want.report, want.dump, listing(p))
		}
		if len(want.report) > 0 {
			failed++
		} else {
			finished++
		}
	}
	if failed < programs/10 || finished < programs/10 {
		t.Errorf("%d programs failed and %d finished: too few of one kind to say much", failed, finished)
	}
}

// simulated is what the simulator says about a program.
type simulated struct {
	code         int
	report, dump []byte
}

// simulate plays the kernel for a random program.
func simulate(p *program, n numbers) (simulated, error) {
	k := &fakeKernel{number: n, mask: currentUmask()}
	m := newSimulator(&p.Plan)
	m.kernel = k.call
	end, err := m.run(300)
	if end.report == nil {
		return simulated{k.code, nil, k.dump}, err
	}
	switch end.fd {
	case reportFD:
		return simulated{1, end.report, k.dump}, err
	case dumpFD:
		return simulated{1, nil, append(k.dump, end.report...)}, err
	}
	return simulated{1, nil, k.dump}, err // the program changed where it goes to
}

func currentUmask() int {
	mask := unix.Umask(0)
	unix.Umask(mask)
	return mask
}

// fakeKernel knows as much of Linux as random programs need.
type fakeKernel struct {
	number numbers
	mask   int
	pipe   []byte
	dump   []byte
	code   int
}

func (k *fakeKernel) call(m *simulator, op plan.Op, args [6]uint64) (int64, bool) {
	switch op {
	case k.number.exitGroup:
		k.code = int(args[0] & 0xff)
		return 0, true
	case k.number.getppid:
		return int64(os.Getpid()), false
	case k.number.umask:
		old := k.mask
		k.mask = int(args[0] & 0o777)
		return int64(old), false
	case k.number.lseek:
		return -int64(unix.ESPIPE), false
	case k.number.close:
		return -int64(unix.EBADF), false
	case k.number.read:
		return k.read(m, args), false
	case k.number.write:
		return k.write(m, args), false
	}
	panic(fmt.Sprintf("random program makes call %d", op))
}

func (k *fakeKernel) write(m *simulator, args [6]uint64) int64 {
	if args[0] != pipeWriteFD && args[0] != dumpFD {
		return -int64(unix.EBADF)
	}
	b := m.bytes(args[1], int(args[2]))
	if args[0] == dumpFD {
		k.dump = append(k.dump, b...)
	} else {
		k.pipe = append(k.pipe, b...)
	}
	return int64(len(b))
}

func (k *fakeKernel) read(m *simulator, args [6]uint64) int64 {
	switch size := min(int(args[2]), len(k.pipe)); {
	case args[0] != pipeReadFD:
		return -int64(unix.EBADF)
	case args[2] == 0:
		return 0
	case size == 0:
		return -int64(unix.EAGAIN)
	default:
		copy(m.bytes(args[1], size), k.pipe)
		k.pipe = k.pipe[size:]
		return int64(size)
	}
}

// ---- random programs ----

// generator makes a program that ends by showing all of its writable memory.
type generator struct {
	*rand.Rand
	*program
	numbers
	count    int        // of random calls
	words    []plan.Ref // that results may be stored in
	readable []plan.Ref // where there are 8 bytes
}

func randomProgram(r *rand.Rand, n numbers) *program {
	g := &generator{Rand: r, program: newProgram(), numbers: n, count: 3 + r.IntN(30)}
	g.memory()
	for range g.count {
		c := g.randomCall()
		c.Success = g.target()
		if c.Success == plan.Fail || g.IntN(4) > 0 {
			c.Success = plan.Next
		}
		for range g.IntN(plan.MaxOutcomes + 1) {
			c.On = append(c.On, on(g.errno(), g.target()))
		}
		if len(c.On) < plan.MaxOutcomes && g.IntN(8) > 0 {
			c.On = append(c.On, on(plan.AnyErrno, plan.Next))
		}
		if g.IntN(2) == 0 {
			c.Result = pick(g, g.words)
		}
	}
	for i := range g.Objects {
		if g.Objects[i].Writable {
			g.call(g.write, imm(dumpFD), addr(plan.Ref{Object: int32(i)}), imm(uint64(g.Objects[i].Len())))
		}
	}
	g.call(g.exitGroup, imm(uint64(g.IntN(256))))
	return g.program
}

func pick[T any](g *generator, from []T) T { return from[g.IntN(len(from))] }

// memory makes words and buffers, zeroed and not, constant and not, with
// results at odd places too.
func (g *generator) memory() {
	for i := range 2 + g.IntN(4) {
		g.words = append(g.words, g.word(fmt.Sprintf("w%d", i)), g.preset(fmt.Sprintf("p%d", i), g.value()))
	}
	text := g.text("some text that is constant")
	buffer := g.buffer("buffer", 16+g.IntN(5000))
	list := g.object(plan.Object{Kind: plan.Struct, Bytes: make([]byte, 24), Pointers: []plan.Pointer{{Offset: 8, To: text.At(3)}}})
	structure := g.object(plan.Object{Kind: plan.Struct, Bytes: []byte("thirteen bytes and more"), Writable: true})
	g.words = append(g.words, buffer.At(g.IntN(8)), structure.At(g.IntN(15)))
	pipe := g.object(plan.Object{Kind: plan.Word, Bytes: word(pipeWriteFD)})
	g.readable = append(append(g.readable, g.words...), text.At(5), list.At(8), list.At(4), pipe)
}

// values are those at which something changes in a record.
var values = []uint64{
	0, 1, 2, 8, 0xff, 1 << 30, 1<<31 - 1, 1 << 31, 1<<32 - 1, 1 << 32, 1 << 63,
	^uint64(0), ^uint64(0) - 4095, ^uint64(0) - 4094, ^uint64(1<<31 - 1), ^uint64(1 << 31),
}

func (g *generator) value() uint64 {
	if g.IntN(4) == 0 {
		return g.Uint64()
	}
	return pick(g, values)
}

func (g *generator) errno() unix.Errno {
	return pick(g, []unix.Errno{unix.EBADF, unix.EAGAIN, unix.EFAULT, unix.ESPIPE, unix.ENOENT, unix.EINTR, plan.AnyErrno})
}

func (g *generator) target() int32 {
	switch g.IntN(6) {
	case 0:
		return plan.Fail
	case 1, 2, 3:
		return plan.Next
	}
	return int32(g.IntN(g.count + 1))
}

func (g *generator) anyArg() plan.Arg {
	switch g.IntN(3) {
	case 0:
		return imm(g.value())
	case 1:
		return load(pick(g, g.readable))
	}
	return addr(pick(g, g.readable))
}

// place is an address and how many bytes are there. An emulator looks at
// memory before descriptors, so what is read always goes to writable memory:
// then there is only one error.
func (g *generator) place(writable bool) (plan.Arg, plan.Arg) {
	r := plan.Ref{Object: int32(1 + g.IntN(len(g.Objects)-1))}
	for writable && !g.Objects[r.Object].Writable {
		r.Object = int32(1 + g.IntN(len(g.Objects)-1))
	}
	return addr(r), imm(uint64(g.IntN(min(200, g.Objects[r.Object].Len()) + 1)))
}

func (g *generator) randomCall() *plan.Call {
	switch g.IntN(12) {
	case 0, 1, 2:
		return g.call(plan.OpSet, g.anyArg())
	case 3, 4:
		return g.comparison()
	case 5, 6:
		address, size := g.place(false)
		return g.call(g.write, pick(g, []plan.Arg{imm(pipeWriteFD), negative(-1), load(g.pipeWord())}), address, size)
	case 7, 8:
		address, size := g.place(true)
		return g.call(g.read, pick(g, []plan.Arg{imm(pipeReadFD), imm(pipeReadFD), imm(999)}), address, size)
	case 9:
		return g.call(g.close, pick(g, []plan.Arg{negative(-1), imm(999)}))
	case 10:
		return g.call(g.lseek, imm(pipeReadFD), g.anyArg(), imm(0))
	}
	if g.IntN(2) == 0 {
		return g.call(g.umask, g.anyArg())
	}
	return g.call(g.getppid, g.anyArg())
}

// pipeWord is the word with the pipe's descriptor, the last that memory made. It
// is constant: programs must not write to other descriptors.
func (g *generator) pipeWord() plan.Ref { return g.readable[len(g.readable)-1] }

func (g *generator) comparison() *plan.Call {
	errno := imm(uint64(pick(g, []unix.Errno{unix.EBADF, unix.ENOENT, unix.EPERM})))
	args := []plan.Arg{g.anyArg(), imm(g.value()), imm(pick(g, []uint64{0, 0, 1, ^uint64(0)})), errno}
	if g.IntN(3) == 0 {
		args = []plan.Arg{args[0], negative(-1), args[0], errno}
	}
	return g.call(pick(g, []plan.Op{plan.OpIs, plan.OpIsNot}), args...)
}

// runWithPipe runs an image that has the pipe of random programs.
func runWithPipe(t *testing.T, image []byte, emulator ...string) outcome {
	t.Helper()
	var fds [2]int
	if err := unix.Pipe2(fds[:], unix.O_NONBLOCK|unix.O_CLOEXEC); err != nil {
		t.Fatal(err)
	}
	defer unix.Close(fds[0])
	defer unix.Close(fds[1])
	file, err := Seal(image, t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	return startFile(t, file, []uintptr{uintptr(fds[0]), uintptr(fds[1])}, emulator...).wait(t)
}

// listing shows a program that something went wrong with.
func listing(p *program) string {
	var b strings.Builder
	for i, c := range p.Calls {
		fmt.Fprintf(&b, "%d: %+v\n", i, c)
	}
	return b.String()
}
