package seccomp

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"
)

// profileOf makes a profile of rules.
func profileOf(byDefault specs.LinuxSeccompAction, rules ...specs.LinuxSyscall) *specs.LinuxSeccomp {
	return &specs.LinuxSeccomp{DefaultAction: byDefault, Syscalls: rules}
}

func ruleFor(names string, action specs.LinuxSeccompAction, args ...specs.LinuxSeccompArg) specs.LinuxSyscall {
	return specs.LinuxSyscall{Names: strings.Fields(names), Action: action, Args: args}
}

func mustCompile(t testing.TB, profile *specs.LinuxSeccomp, native Arch) *Filter {
	t.Helper()
	f, err := Compile(profile, native, everyFlag)
	if err != nil {
		t.Fatal(err)
	}
	if err := check(f.Program, f.Archs); err != nil {
		t.Fatal(err)
	}
	return f
}

// ask gives the answer to a call by name.
func ask(t testing.TB, f *Filter, arch Arch, name string, arguments ...uint64) answer {
	t.Helper()
	row, found := findSyscall(name)
	number, ok := row.number(arch.abi())
	if !found || !ok {
		t.Fatalf("no %s on %s", name, arch)
	}
	return askNumber(f, arch, uint32(number), arguments...)
}

func askNumber(f *Filter, arch Arch, number uint32, arguments ...uint64) answer {
	var all [6]uint64
	copy(all[:], arguments)
	m := machine{big: f.Archs[0].abi().big}
	m.set(arch.abi().audit, number, &all)
	result, _ := m.run(f.Program)
	return result
}

// TestConditions compares rules for a call each with what their conditions say,
// worked out with whole numbers.
func TestConditions(t *testing.T) {
	g := &generator{Rand: rand.New(rand.NewPCG(3, 3))}
	for range 2000 {
		archs := one(g, archSets)
		var rule specs.LinuxSyscall
		for _, index := range g.Perm(6)[:1+g.IntN(6)] {
			rule.Args = append(rule.Args, specs.LinuxSeccompArg{Index: uint(index), Op: one(g, anyOperator), Value: g.constant(), ValueTwo: g.constant()})
		}
		rule.Names, rule.Action = []string{"lseek"}, specs.ActTrap
		profile := profileOf(specs.ActAllow, rule)
		for _, a := range archs {
			profile.Architectures = append(profile.Architectures, specs.Arch(a.String()))
		}
		f := mustCompile(t, profile, archs[0])
		for range 50 {
			var arguments [6]uint64
			for i := range arguments {
				arguments[i] = g.constant()
			}
			for _, arg := range rule.Args {
				arguments[arg.Index] = one(g, around(arg))
			}
			for _, a := range archs {
				row, _ := findSyscall("lseek")
				if _, ok := row.number(a.abi()); !ok {
					continue
				}
				want := answer(unix.SECCOMP_RET_ALLOW)
				if !slices.ContainsFunc(rule.Args, func(arg specs.LinuxSeccompArg) bool { return !meets(arg, arguments[arg.Index], a.abi().wide) }) {
					want = unix.SECCOMP_RET_TRAP
				}
				if got := ask(t, f, a, "lseek", arguments[:]...); got != want {
					t.Fatalf("lseek%#x on %s: %v, want %v under\n%s", arguments, a, got, want, indented(profile))
				}
			}
		}
	}
}

// meets says whether an argument meets a condition. On a 32-bit architecture only
// the low half of everything counts.
func meets(arg specs.LinuxSeccompArg, argument uint64, wide bool) bool {
	one, two := arg.Value, arg.ValueTwo
	if !wide {
		argument, one, two = argument&fullMask, one&fullMask, two&fullMask
	}
	switch arg.Op {
	case specs.OpEqualTo:
		return argument == one
	case specs.OpNotEqual:
		return argument != one
	case specs.OpLessThan:
		return argument < one
	case specs.OpLessEqual:
		return argument <= one
	case specs.OpGreaterThan:
		return argument > one
	case specs.OpGreaterEqual:
		return argument >= one
	case specs.OpMaskedEqual:
		return argument&one == two&one
	}
	panic(arg.Op)
}

func TestConditionsOnOneArgumentAreAlternatives(t *testing.T) {
	f := mustCompile(t, profileOf(specs.ActAllow, ruleFor("chown", specs.ActKill,
		specs.LinuxSeccompArg{Index: 1, Op: specs.OpEqualTo, Value: 3},
		specs.LinuxSeccompArg{Index: 1, Op: specs.OpEqualTo, Value: 5},
		specs.LinuxSeccompArg{Index: 2, Op: specs.OpEqualTo, Value: 7})), X86_64)
	for _, test := range []struct {
		arguments []uint64
		want      answer
	}{
		{[]uint64{0, 3, 0}, unix.SECCOMP_RET_KILL_THREAD}, {[]uint64{0, 5, 0}, unix.SECCOMP_RET_KILL_THREAD},
		{[]uint64{0, 0, 7}, unix.SECCOMP_RET_KILL_THREAD}, {[]uint64{3, 7, 5}, unix.SECCOMP_RET_ALLOW},
	} {
		if got := ask(t, f, X86_64, "chown", test.arguments...); got != test.want {
			t.Errorf("chown(%v): %v, want %v", test.arguments, got, test.want)
		}
	}
}

// TestNewerCallsGetENOSYS looks at the numbers on both sides of the newest named.
func TestNewerCallsGetENOSYS(t *testing.T) {
	const enosys, eperm, allow = answerENOSYS, answer(unix.SECCOMP_RET_ERRNO | 1), answer(unix.SECCOMP_RET_ALLOW)
	all := []specs.Arch{specs.ArchX86_64, specs.ArchX86, specs.ArchX32}
	tests := []struct {
		name   string
		action specs.LinuxSeccompAction
		archs  []specs.Arch
		native Arch
		names  string // allowed; openat2 is 437 everywhere
		arch   Arch
		number uint32
		want   answer
	}{
		{"the newest", specs.ActErrno, all, X86_64, "read openat2", X86_64, 437, allow},
		{"one more", specs.ActErrno, all, X86_64, "read openat2", X86_64, 438, enosys},
		{"one less", specs.ActErrno, all, X86_64, "read openat2", X86_64, 436, eperm},
		{"x86", specs.ActErrno, all, X86_64, "read openat2", X86, 438, enosys},
		{"x32", specs.ActErrno, all, X86_64, "read openat2", X86_64, x32Bit + 438, enosys},
		{"x32, one less", specs.ActErrno, all, X86_64, "read openat2", X86_64, x32Bit + 436, eperm},
		{"x32 not covered", specs.ActErrno, nil, X86_64, "read openat2", X86_64, x32Bit + 438, answerBadArch},
		{"no architecture named", specs.ActErrno, nil, X86_64, "read openat2", X86_64, 438, enosys},
		{"-1", specs.ActErrno, all, X86_64, "read openat2", X86_64, maxNumber, enosys},
		{"-1 without x32", specs.ActErrno, nil, X86_64, "read openat2", X86_64, maxNumber, eperm},
		{"per architecture", specs.ActErrno, all, X86_64, "read uselib vm86", X86_64, 135, enosys},
		{"per architecture: x86", specs.ActErrno, all, X86_64, "read uselib vm86", X86, 135, eperm},
		{"kill", specs.ActKill, all, X86_64, "read openat2", X86_64, 438, enosys},
		{"kill process", specs.ActKillProcess, all, X86_64, "read openat2", X86_64, 438, enosys},
		{"trap", specs.ActTrap, all, X86_64, "read openat2", X86_64, 438, enosys},
		{"allow", specs.ActAllow, all, X86_64, "openat2", X86_64, 438, allow},
		{"log", specs.ActLog, all, X86_64, "openat2", X86_64, 438, unix.SECCOMP_RET_LOG},
		{"trace", specs.ActTrace, all, X86_64, "openat2", X86_64, 438, unix.SECCOMP_RET_TRACE | 1},
		{"only number 0", specs.ActErrno, nil, X86_64, "read", X86_64, 438, eperm},
		{"no known call", specs.ActErrno, nil, X86_64, "some_call", X86_64, 438, eperm},
		{"carried calls do not count", specs.ActErrno, all, X86_64, "write socket", X86, 359, enosys},
		{"setup on s390x", specs.ActErrno, nil, S390X, "read openat2", S390X, 0, enosys},
		{"setup on s390x, permissive", specs.ActAllow, nil, S390X, "openat2", S390X, 0, allow},
		{"number 0 elsewhere", specs.ActErrno, nil, AARCH64, "read openat2", AARCH64, 0, eperm},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			profile := profileOf(test.action, ruleFor(test.names, specs.ActAllow))
			profile.Architectures = test.archs
			if got := askNumber(mustCompile(t, profile, test.native), test.arch, test.number); got != test.want {
				t.Errorf("%v, want %v", got, test.want)
			}
		})
	}
}

func TestNamesOfRedundantRulesCount(t *testing.T) {
	f := mustCompile(t, profileOf(specs.ActErrno, ruleFor("read", specs.ActAllow), ruleFor("openat2", specs.ActErrno)), X86_64)
	if got := ask(t, f, X86_64, "openat2"); got != unix.SECCOMP_RET_ERRNO|1 {
		t.Errorf("openat2: %v", got)
	}
	if got := ask(t, f, X86_64, "pidfd_getfd"); got != answerENOSYS {
		t.Errorf("pidfd_getfd, which is newer: %v", got)
	}
}

func TestForeignArchitecturesAreKilled(t *testing.T) {
	f := mustCompile(t, &specs.LinuxSeccomp{DefaultAction: specs.ActAllow, Architectures: []specs.Arch{specs.ArchX86}}, X86_64)
	for a := range abis {
		want := answerBadArch
		if Arch(a) == X86_64 || Arch(a) == X86 {
			want = unix.SECCOMP_RET_ALLOW
		}
		number := uint32(3)
		if Arch(a) == X32 {
			number |= x32Bit
		}
		if got := askNumber(f, Arch(a), number); got != want {
			t.Errorf("%s: %v, want %v", Arch(a), got, want)
		}
	}
}

func TestProblems(t *testing.T) {
	equal := func(index uint, value uint64) specs.LinuxSeccompArg {
		return specs.LinuxSeccompArg{Index: index, Op: specs.OpEqualTo, Value: value}
	}
	manyArgs := profileOf(specs.ActAllow)
	for i := range uint64(1500) {
		manyArgs.Syscalls = append(manyArgs.Syscalls, ruleFor("ioctl", specs.ActKill, equal(1, i<<32|i)))
	}
	tests := []struct {
		name    string
		profile *specs.LinuxSeccomp
		options Options
		want    []string
	}{
		{"none", profileOf(specs.ActAllow), everyFlag, nil},
		{"default action", profileOf("SCMP_ACT_MAYBE"), everyFlag, []string{`linux.seccomp.defaultAction: unknown action "SCMP_ACT_MAYBE"`}},
		{"action", profileOf(specs.ActAllow, ruleFor("read", specs.ActKill), ruleFor("read", "KILL")), everyFlag,
			[]string{`linux.seccomp.syscalls[1]: unknown action "KILL"`}},
		{"operator", profileOf(specs.ActAllow, ruleFor("read", specs.ActKill, equal(0, 1), specs.LinuxSeccompArg{Op: "EQ"})), everyFlag,
			[]string{`linux.seccomp.syscalls[0]: args[1]: unknown operator "EQ"`}},
		{"index", profileOf(specs.ActAllow, ruleFor("read", specs.ActKill, equal(6, 1))), everyFlag,
			[]string{`linux.seccomp.syscalls[0]: args[0]: index must be from 0 to 5, got 6`}},
		{"architectures", &specs.LinuxSeccomp{DefaultAction: specs.ActAllow, Architectures: []specs.Arch{"SCMP_ARCH_VAX"}}, everyFlag,
			[]string{`linux.seccomp.architectures[0]: unknown architecture "SCMP_ARCH_VAX"`}},
		{"byte order", &specs.LinuxSeccomp{DefaultAction: specs.ActAllow, Architectures: []specs.Arch{specs.ArchX86, specs.ArchS390}}, everyFlag,
			[]string{`linux.seccomp.architectures[1]: SCMP_ARCH_S390 has another byte order than this machine (SCMP_ARCH_X86_64): no filter can be for both`}},
		{"flags", &specs.LinuxSeccomp{DefaultAction: specs.ActAllow, Flags: []specs.LinuxSeccompFlag{specs.LinuxSeccompFlagLog, specs.LinuxSeccompFlagWaitKillableRecv}},
			Options{KernelFlags: unix.SECCOMP_FILTER_FLAG_LOG},
			[]string{`linux.seccomp.flags[1]: SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV is not supported by this kernel: it needs Linux 5.19`}},
		{"unknown flag", &specs.LinuxSeccomp{DefaultAction: specs.ActAllow, Flags: []specs.LinuxSeccompFlag{"FAST"}}, everyFlag,
			[]string{`linux.seccomp.flags[0]: unknown flag "FAST"`}},
		{"contradiction", profileOf(specs.ActAllow, ruleFor("read", specs.ActKill, equal(0, 1)), ruleFor("write read", specs.ActTrap, equal(0, 1))), everyFlag,
			[]string{`linux.seccomp.syscalls[1]: read: an earlier rule has the same conditions and another action`}},
		{"contradiction on an architecture without the call", profileOf(specs.ActAllow, ruleFor("socketcall", specs.ActKill, equal(0, 1)), ruleFor("socketcall", specs.ActTrap, equal(0, 1))), everyFlag,
			[]string{`linux.seccomp.syscalls[1]: socketcall: an earlier rule has the same conditions and another action`}},
		{"too long", manyArgs, everyFlag, []string{`linux.seccomp: the filter would have 6034 instructions, the kernel takes at most 4096`}},
		{"several", &specs.LinuxSeccomp{DefaultAction: "A", Architectures: []specs.Arch{"B"}, Flags: []specs.LinuxSeccompFlag{"C"}}, everyFlag, []string{
			`linux.seccomp.architectures[0]: unknown architecture "B"`, `linux.seccomp.flags[0]: unknown flag "C"`, `linux.seccomp.defaultAction: unknown action "A"`}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			var got []string
			for _, p := range Check(test.profile, X86_64, test.options) {
				got = append(got, p.Error())
			}
			if !slices.Equal(got, test.want) {
				t.Errorf("Check gives %q, want %q", got, test.want)
			}
			_, err := Compile(test.profile, X86_64, test.options)
			var p Problem
			if (err != nil) != (test.want != nil) || err != nil && (!errors.As(err, &p) || !slices.Contains(test.want, p.Error())) {
				t.Errorf("Compile gives %v, want one of %q", err, test.want)
			}
		})
	}
}

// TestRulesThatLibseccompHangsOn compares rules that it does not come back from, so
// that there is no verdict of it, with what they say.
func TestRulesThatLibseccompHangsOn(t *testing.T) {
	g := &generator{Rand: rand.New(rand.NewPCG(4, 4))}
	found := 0
	for found < 200 {
		profile := profileOf(specs.ActAllow)
		values := []uint64{g.constant(), g.constant(), g.constant()}
		for range 2 + g.IntN(4) {
			rule := ruleFor("lseek", specs.ActKill)
			for _, index := range g.Perm(3)[:2] {
				rule.Args = append(rule.Args, specs.LinuxSeccompArg{Index: uint(index), Op: one(g, anyOperator[:6]), Value: one(g, values)})
			}
			profile.Syscalls = append(profile.Syscalls, rule)
		}
		if !hangs(t, profile) {
			continue
		}
		found++
		f := mustCompile(t, profile, X86_64)
		for range 200 {
			var arguments [3]uint64
			for i := range arguments {
				arguments[i] = one(g, values) + g.Uint64N(3) - 1
			}
			want := answer(unix.SECCOMP_RET_ALLOW)
			for _, rule := range profile.Syscalls {
				if !slices.ContainsFunc(rule.Args, func(arg specs.LinuxSeccompArg) bool { return !meets(arg, arguments[arg.Index], true) }) {
					want = unix.SECCOMP_RET_KILL_THREAD
				}
			}
			if got := ask(t, f, X86_64, "lseek", arguments[:]...); got != want {
				t.Fatalf("lseek%#x: %v, want %v under\n%s", arguments, got, want, indented(profile))
			}
		}
	}
}

// hangs says whether a profile's rules, which are all for one call, make a tree
// endless.
func hangs(t testing.TB, profile *specs.LinuxSeccomp) bool {
	t.Helper()
	p, err := newPolicy(profile)
	if err != nil {
		t.Fatal(err)
	}
	c := combination{wide: true}
	for i := range p.rules {
		if err := c.add(&p.rules[i]); err != nil {
			t.Fatal(err)
		}
	}
	return c.inOrder
}

func TestFlags(t *testing.T) {
	const log, spec, wait, listener = unix.SECCOMP_FILTER_FLAG_LOG, unix.SECCOMP_FILTER_FLAG_SPEC_ALLOW,
		unix.SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV, unix.SECCOMP_FILTER_FLAG_NEW_LISTENER
	tests := []struct {
		name   string
		flags  []specs.LinuxSeccompFlag
		kernel uint
		notify bool
		want   uint
	}{
		{"absent", nil, 0x3f, false, spec},
		{"absent, old kernel", nil, 0, false, 0},
		{"empty", []specs.LinuxSeccompFlag{}, 0x3f, false, 0},
		{"log", []specs.LinuxSeccompFlag{specs.LinuxSeccompFlagLog}, 0x3f, false, log},
		{"tsync", []specs.LinuxSeccompFlag{"SECCOMP_FILTER_FLAG_TSYNC"}, 0x3f, false, 0},
		{"all", []specs.LinuxSeccompFlag{"SECCOMP_FILTER_FLAG_TSYNC", specs.LinuxSeccompFlagLog, specs.LinuxSeccompFlagSpecAllow, specs.LinuxSeccompFlagWaitKillableRecv}, 0x3f, true, log | spec | wait | listener},
		{"nobody to wait for", []specs.LinuxSeccompFlag{specs.LinuxSeccompFlagWaitKillableRecv}, 0x3f, false, 0},
		{"listener", []specs.LinuxSeccompFlag{}, 0x3f, true, listener},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			profile := profileOf(specs.ActAllow)
			profile.Flags = test.flags
			if test.notify {
				profile.Syscalls = []specs.LinuxSyscall{ruleFor("a_call_that_does_not_exist", specs.ActNotify)}
			}
			f, err := Compile(profile, X86_64, Options{KernelFlags: test.kernel})
			if err != nil {
				t.Fatal(err)
			}
			if f.Flags != test.want || f.Notify != test.notify {
				t.Errorf("flags %#x, notify %v, want %#x and %v", f.Flags, f.Notify, test.want, test.notify)
			}
		})
	}
}

// TestEqualRulesAreThereOnce compiles the same conditions for many calls.
func TestEqualRulesAreThereOnce(t *testing.T) {
	condition := specs.LinuxSeccompArg{Index: 0, Op: specs.OpMaskedEqual, Value: 0xf00, ValueTwo: 0x300}
	loads := func(names string) int {
		f := mustCompile(t, profileOf(specs.ActAllow, ruleFor(names, specs.ActKill, condition)), X86_64)
		return len(slices.DeleteFunc(f.Program, func(i unix.SockFilter) bool { return i.Code != codeLoad || i.K < offsetArguments }))
	}
	if one, many := loads("chdir"), loads("chdir close dup dup2 fchdir fchmod read write lseek umask"); one != many {
		t.Errorf("%d loads of arguments for one call, %d for ten", one, many)
	}
}

// TestPathsAreShort holds the search for a call to a few steps, however long the
// profile.
func TestPathsAreShort(t *testing.T) {
	f := mustCompile(t, dockerProfile(t), X86_64)
	longest, name := 0, ""
	var m machine
	for _, call := range syscalls {
		if number := call.numbers[columnX86_64]; number >= 0 {
			m.set(X86_64.abi().audit, uint32(number), &[6]uint64{})
			if _, steps := m.run(f.Program); steps > longest {
				longest, name = steps, call.name
			}
		}
	}
	t.Logf("at most %d steps, for %s, in %d instructions", longest, name, len(f.Program))
	if longest > 20 {
		t.Errorf("%d steps for %s", longest, name)
	}
}

func TestCompileIsRepeatable(t *testing.T) {
	for _, test := range readProfiles(t) {
		first, second := mustCompile(t, test.profile, test.native), mustCompile(t, test.profile, test.native)
		if !bytes.Equal(first.Bytes(), second.Bytes()) {
			t.Errorf("%s: another filter at the second time", test.name)
		}
	}
}

func TestBytesAreInTheMachinesOrder(t *testing.T) {
	for _, test := range []struct {
		native Arch
		want   []byte
	}{
		{X86_64, []byte{0x06, 0, 0, 0, 0, 0, 0xff, 0x7f}},
		{S390X, []byte{0, 0x06, 0, 0, 0x7f, 0xff, 0, 0}},
	} {
		f := mustCompile(t, profileOf(specs.ActAllow), test.native)
		b := f.Bytes()
		i := slices.IndexFunc(f.Program, func(i unix.SockFilter) bool { return i.K == unix.SECCOMP_RET_ALLOW })
		if got := b[8*i : 8*i+8]; !bytes.Equal(got, test.want) {
			t.Errorf("%s: allow is % x, want % x", test.native, got, test.want)
		}
	}
}

// TestTableIsSound holds the table of calls to what the code assumes of it.
func TestTableIsSound(t *testing.T) {
	for i := 1; i < len(syscalls); i++ {
		if syscalls[i-1].name >= syscalls[i].name {
			t.Errorf("%s comes after %s", syscalls[i].name, syscalls[i-1].name)
		}
	}
	for a := range abis {
		b := &abis[a]
		names := map[int32]string{}
		for _, call := range syscalls {
			number := call.numbers[b.column]
			if number < 0 {
				continue
			}
			if other := names[number]; other != "" {
				t.Errorf("%s: %s and %s are both %d", Arch(a), other, call.name, number)
			}
			names[number] = call.name
			if (Arch(a) == X32) != (number&x32Bit != 0) {
				t.Errorf("%s: %s is %#x", Arch(a), call.name, number)
			}
		}
		if len(names) < 300 || b.multiplexes() && (names[b.socketcall] != "socketcall" || names[b.ipc] != "ipc") {
			t.Errorf("%s: %d calls, socketcall is %q, ipc is %q", Arch(a), len(names), names[b.socketcall], names[b.ipc])
		}
		if arch, ok := ParseArch(specs.Arch(Arch(a).String())); !ok || arch != Arch(a) {
			t.Errorf("%s is not found by its name", Arch(a))
		}
	}
}

// TestTableIsGenerated generates the table again.
func TestTableIsGenerated(t *testing.T) {
	if testing.Short() {
		t.Skip("compiles the generator")
	}
	file := filepath.Join(t.TempDir(), "syscalls.go")
	if output, err := exec.Command("go", "run", "generate.go", "-o", file).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, output)
	}
	got, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	want, err := os.ReadFile("syscalls.go")
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Error("syscalls.go is not what generate.go makes: run go generate")
	}
}

// TestImportCostsNothing looks at what the package does before main.
func TestImportCostsNothing(t *testing.T) {
	if testing.Short() {
		t.Skip("compiles a program")
	}
	program := filepath.Join(t.TempDir(), "import")
	if output, err := exec.Command("go", "build", "-o", program, "./testdata/import").CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, output)
	}
	run := exec.Command(program)
	run.Env = append(os.Environ(), "GODEBUG=inittrace=1")
	output, err := run.CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %s", err, output)
	}
	for line := range strings.Lines(string(output)) {
		var clock float64
		if rest, ok := strings.CutPrefix(line, "init rt/libns/seccomp @"); ok {
			var at float64
			if _, err := fmt.Sscanf(rest, "%g ms, %g ms clock", &at, &clock); err != nil || clock > 0.05 {
				t.Errorf("%s (%v)", strings.TrimSpace(line), err)
			}
			t.Log(strings.TrimSpace(line))
		}
	}
}

func TestNativeKnowsThisMachine(t *testing.T) {
	if _, ok := Native(runtime.GOARCH); !ok {
		t.Errorf("no architecture for %s", runtime.GOARCH)
	}
	if _, ok := Native("pdp11"); ok {
		t.Error("an architecture for pdp11")
	}
}

func TestSummary(t *testing.T) {
	f := mustCompile(t, profileOf(specs.ActAllow, ruleFor("openat", specs.ActNotify)), AARCH64)
	want := fmt.Sprintf("%d instructions, for SCMP_ARCH_AARCH64, with SECCOMP_FILTER_FLAG_SPEC_ALLOW SECCOMP_FILTER_FLAG_NEW_LISTENER", len(f.Program))
	if got := f.String(); got != want {
		t.Errorf("%q, want %q", got, want)
	}
}

func TestKnownSyscall(t *testing.T) {
	if !KnownSyscall("read") || !KnownSyscall("s390_sthyi") || KnownSyscall("reed") {
		t.Error("read and s390_sthyi are calls, reed is none")
	}
	if got := []string{SyscallName(X86_64, 0), SyscallName(X86, 3), SyscallName(ARM, 0xf0005), SyscallName(X86_64, 9999)}; !reflect.DeepEqual(got, []string{"read", "read", "set_tls", ""}) {
		t.Errorf("names %q", got)
	}
}
