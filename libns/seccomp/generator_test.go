package seccomp

import (
	"math/rand/v2"

	"github.com/opencontainers/runtime-spec/specs-go"
)

// archSets are the architectures of generated profiles. The first of a set is the
// machine's own, and all have one byte order, as a filter cannot do otherwise.
var archSets = [][]Arch{
	{X86_64}, {X86_64, X86}, {X86_64, X86, X32}, {X86_64, X32}, {X86_64, X32, X86},
	{AARCH64}, {AARCH64, ARM}, {ARM}, {X86}, {RISCV64}, {PPC64LE}, {MIPSEL64, MIPSEL, MIPSEL64N32},
	{X86, X86_64}, {AARCH64, X32, X86_64}, {X86_64, AARCH64, ARM, MIPSEL64, MIPSEL, MIPSEL64N32},
	{S390X, S390}, {S390}, {PPC64, PPC}, {MIPS64, MIPS, MIPS64N32}, {PARISC64, PARISC},
	{LOONGARCH64}, {SH}, {M68K}, {SHEB, M68K},
}

var (
	anyAction = []specs.LinuxSeccompAction{
		specs.ActKill, specs.ActKillProcess, specs.ActTrap, specs.ActErrno, specs.ActTrace, specs.ActAllow, specs.ActLog, specs.ActNotify,
	}
	anyOperator = []specs.LinuxSeccompOperator{
		specs.OpNotEqual, specs.OpLessThan, specs.OpLessEqual, specs.OpEqualTo, specs.OpGreaterEqual, specs.OpGreaterThan, specs.OpMaskedEqual,
	}
	multiplexedNames = []string{"socketcall", "ipc", "socket", "accept", "semop", "shmget", "sendmmsg", "recv"}
)

// generator makes random profiles. They name few calls and few constants, so that
// rules collide.
type generator struct {
	*rand.Rand
	names []string // to choose from

	// Of the profile in the making.
	calls     []string
	actions   []specs.LinuxSeccompAction
	operators []specs.LinuxSeccompOperator
	constants []uint64
	arguments int
}

func one[T any](g *generator, from []T) T { return from[g.IntN(len(from))] }

// some gives a few random elements.
func some[T any](g *generator, most int, from []T) []T {
	list := make([]T, 1+g.IntN(most))
	for i := range list {
		list[i] = one(g, from)
	}
	return list
}

func (g *generator) profile(archs []Arch) *specs.LinuxSeccomp {
	p := &specs.LinuxSeccomp{DefaultAction: one(g, anyAction[:7]), Architectures: []specs.Arch{}}
	if g.IntN(4) == 0 {
		p.DefaultErrnoRet = g.errno()
	}
	for i, a := range archs {
		if i > 0 || g.IntN(2) == 0 {
			p.Architectures = append(p.Architectures, specs.Arch(a.String()))
		}
	}
	g.choose()
	for range 1 + g.IntN(8) {
		p.Syscalls = append(p.Syscalls, g.entry())
	}
	if g.IntN(4) == 0 {
		p.Syscalls = append(p.Syscalls, specs.LinuxSyscall{Action: one(g, anyAction), Names: some(g, 200, g.names)})
	}
	return p
}

// choose decides what the rules of a profile are made of.
func (g *generator) choose() {
	// Half of the profiles have hardly more than a rule for each call.
	g.calls = some(g, 5, g.names)
	if g.IntN(2) == 0 {
		g.calls = some(g, 40, g.names)
	}
	if g.IntN(4) == 0 {
		g.calls = append(g.calls, some(g, 2, multiplexedNames)...)
	}
	g.actions = some(g, 3, anyAction)
	g.operators = anyOperator
	if g.IntN(3) == 0 {
		g.operators = some(g, 2, anyOperator)
	}
	g.constants = g.constants[:0]
	for range 1 + g.IntN(4) {
		g.constants = append(g.constants, g.constant())
	}
	g.arguments = 1 + g.IntN(6)
}

func (g *generator) entry() specs.LinuxSyscall {
	entry := specs.LinuxSyscall{Action: one(g, g.actions), Names: some(g, 3, g.calls)}
	if g.IntN(6) == 0 {
		entry.ErrnoRet = g.errno()
	}
	if g.IntN(8) == 0 {
		return entry
	}
	order := g.Perm(6)
	for i := range min(1+g.IntN(3), g.arguments) {
		entry.Args = append(entry.Args, specs.LinuxSeccompArg{
			Index: uint(order[i] % g.arguments), Op: one(g, g.operators), Value: one(g, g.constants), ValueTwo: one(g, g.constants),
		})
	}
	return entry
}

// errno gives a number that libseccomp takes: it refuses 4095.
func (g *generator) errno() *uint {
	errno := one(g, []uint{0, 1, 2, 38, 4094})
	return &errno
}

// constant gives a number with something in its low half, its high half or both.
func (g *generator) constant() uint64 {
	switch g.IntN(8) {
	case 0:
		return 0
	case 1:
		return 1<<64 - 1
	case 2:
		return g.Uint64N(8)
	case 3:
		return g.Uint64N(8) << 32
	case 4:
		return g.Uint64N(3)<<32 | g.Uint64N(3)
	case 5:
		return 1 << g.IntN(64)
	case 6:
		return uint64(g.Uint32())
	}
	return g.Uint64()
}
