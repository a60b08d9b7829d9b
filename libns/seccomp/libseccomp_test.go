package seccomp

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"
)

// libseccomp is a process that compiles profiles with libseccomp.
type libseccomp struct {
	in  *bufio.Writer
	out *bufio.Reader
}

// buildLibseccomp builds testdata/libseccomp.c, or skips the test where that
// cannot be done.
func buildLibseccomp(t testing.TB) (program string) {
	t.Helper()
	program = filepath.Join(t.TempDir(), "libseccomp")
	build := exec.Command("gcc", "-O1", "-o", program, "testdata/libseccomp.c", "-lseccomp")
	if output, err := build.CombinedOutput(); err != nil {
		first, _, _ := strings.Cut(string(output), "\n")
		t.Skipf("needs gcc and libseccomp-dev: %v: %s", err, first)
	}
	return program
}

func startLibseccomp(t testing.TB, program string) *libseccomp {
	t.Helper()
	process := exec.Command(program)
	in, err := process.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := process.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := process.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		in.Close()
		if err := process.Wait(); err != nil {
			t.Errorf("libseccomp: %v", err)
		}
	})
	return &libseccomp{in: bufio.NewWriter(in), out: bufio.NewReaderSize(out, 1<<16)}
}

// token is libseccomp's number for an architecture: its AUDIT_ARCH value, but for
// x32, which has none of its own.
func token(a Arch) uint32 {
	if a == X32 {
		return 0x4000003e
	}
	return a.abi().audit
}

// ambiguous is a number of a call that libseccomp mistakes for another call. The
// numbers that it invents for calls that the machine does not have are not all
// different.
const ambiguous = -1 << 31

// numbers gives what libseccomp has as a call's numbers. Negative ones are not real
// ones; -1 means that it has never heard of the call, or of the architecture.
func (l *libseccomp) numbers(name string, archs []Arch) ([]int32, error) {
	fmt.Fprintf(l.in, "name %s", name)
	for _, a := range archs {
		fmt.Fprintf(l.in, " %x", token(a))
	}
	fmt.Fprintln(l.in)
	if err := l.in.Flush(); err != nil {
		return nil, err
	}
	answer := make([]int32, 1+len(archs))
	if err := binary.Read(l.out, binary.LittleEndian, answer); err != nil {
		return nil, err
	}
	if answer[0] == 0 && slices.Max(answer[1:]) >= 0 {
		return slices.Repeat([]int32{ambiguous}, len(archs)), nil
	}
	return answer[1:], nil
}

// compiled is what libseccomp makes of a profile.
type compiled struct {
	program []unix.SockFilter
	code    pseudocode // the same for people
}

var (
	// errRefused is libseccomp's error for a rule or an architecture.
	errRefused = errors.New("libseccomp refused it")
	// errBroke says that libseccomp came to no end, or to a bad one.
	errBroke = errors.New("libseccomp broke down")
)

// compile compiles a profile, read as runc reads it, for architectures of which
// the first is the machine's own.
func (l *libseccomp) compile(profile *specs.LinuxSeccomp, archs []Arch) (*compiled, error) {
	if err := l.send(profile, archs); err != nil {
		return nil, err
	}
	program, err := l.block()
	if err != nil {
		return nil, err
	}
	text, err := l.block()
	if err != nil {
		return nil, err
	}
	big := archs[0].abi().big
	code, err := parsePseudocode(string(text), big)
	return &compiled{decodeProgram(program, big), code}, err
}

func (l *libseccomp) send(profile *specs.LinuxSeccomp, archs []Arch) error {
	byDefault := scmpAct(profile.DefaultAction, profile.DefaultErrnoRet)
	fmt.Fprintf(l.in, "profile %x", byDefault)
	for _, a := range archs {
		fmt.Fprintf(l.in, " %x", token(a))
	}
	fmt.Fprintln(l.in)
	for _, entry := range profile.Syscalls {
		action := scmpAct(entry.Action, entry.ErrnoRet)
		if action == byDefault {
			continue
		}
		for _, name := range entry.Names {
			for _, args := range ruleArgs(entry.Args) {
				l.sendRule(action, name, args)
			}
		}
	}
	fmt.Fprintln(l.in, "end")
	return l.in.Flush()
}

func (l *libseccomp) sendRule(action uint32, name string, args []specs.LinuxSeccompArg) {
	operators := map[specs.LinuxSeccompOperator]int{ // enum scmp_compare
		specs.OpNotEqual: 1, specs.OpLessThan: 2, specs.OpLessEqual: 3, specs.OpEqualTo: 4,
		specs.OpGreaterEqual: 5, specs.OpGreaterThan: 6, specs.OpMaskedEqual: 7,
	}
	fmt.Fprintf(l.in, "rule %x %s", action, name)
	for _, arg := range args {
		fmt.Fprintf(l.in, " %x %x %x %x", arg.Index, operators[arg.Op], arg.Value, arg.ValueTwo)
	}
	fmt.Fprintln(l.in)
}

// ruleArgs gives the conditions of each rule that an entry stands for: one rule for
// each condition if two are about the same argument.
func ruleArgs(args []specs.LinuxSeccompArg) [][]specs.LinuxSeccompArg {
	arguments := map[uint]bool{}
	for _, arg := range args {
		arguments[arg.Index] = true
	}
	if len(arguments) == len(args) {
		return [][]specs.LinuxSeccompArg{args}
	}
	var rules [][]specs.LinuxSeccompArg
	for i := range args {
		rules = append(rules, args[i:i+1])
	}
	return rules
}

func (l *libseccomp) block() ([]byte, error) {
	var length int32
	if err := binary.Read(l.out, binary.LittleEndian, &length); err != nil {
		return nil, err
	}
	switch {
	case length <= -1000:
		return nil, errBroke
	case length < 0:
		return nil, fmt.Errorf("%w: %w", errRefused, unix.Errno(-length))
	}
	b := make([]byte, length)
	_, err := io.ReadFull(l.out, b)
	return b, err
}

// scmpAct is seccomp.h's SCMP_ACT_.
func scmpAct(action specs.LinuxSeccompAction, errno *uint) uint32 {
	data := uint32(unix.EPERM)
	if errno != nil {
		data = uint32(*errno)
	}
	switch action {
	case specs.ActKill, specs.ActKillThread:
		return 0
	case specs.ActKillProcess:
		return 0x8000_0000
	case specs.ActTrap:
		return 0x0003_0000
	case specs.ActErrno:
		return 0x0005_0000 | data
	case specs.ActNotify:
		return 0x7fc0_0000
	case specs.ActTrace:
		return 0x7ff0_0000 | data
	case specs.ActLog:
		return 0x7ffc_0000
	case specs.ActAllow:
		return 0x7fff_0000
	}
	panic(action)
}
