package seccomp

import (
	"fmt"
	"slices"

	"github.com/opencontainers/runtime-spec/specs-go"
)

// Arch is a system call ABI: a table of numbers and a way to pass arguments. One
// machine can have several (x86_64 also runs x86 and x32 programs).
type Arch uint8

// The architectures of config-linux.md, "Seccomp".
const (
	X86 Arch = iota
	X86_64
	X32
	ARM
	AARCH64
	MIPS
	MIPS64
	MIPS64N32
	MIPSEL
	MIPSEL64
	MIPSEL64N32
	PPC
	PPC64
	PPC64LE
	S390
	S390X
	PARISC
	PARISC64
	RISCV64
	LOONGARCH64
	M68K
	SH
	SHEB
)

// Columns of the table of system calls, as generate.go writes them.
const (
	columnX86 = iota
	columnX86_64
	columnX32
	columnARM
	columnAARCH64
	columnMIPS
	columnMIPS64
	columnMIPS64N32
	columnPPC
	columnPPC64
	columnS390
	columnS390X
	columnPARISC
	columnPARISC64
	columnRISCV64
	columnLOONGARCH64
	columnM68K
	columnSH
	columns
)

// x32Bit marks the number of an x32 call, which otherwise looks to the filter
// like one of x86_64 (arch/x86/include/uapi/asm/unistd.h).
const x32Bit = 0x40000000

// abi is what the compiler has to know about an architecture.
type abi struct {
	name   specs.Arch
	audit  uint32 // AUDIT_ARCH_*: what seccomp_data.arch says
	column uint8
	wide   bool // arguments have 64 bits; otherwise only their low halves count
	big    bool // big-endian
	// socketcall and ipc are the numbers of the two calls that carry the calls
	// of multiplexed.go; 0 where there are none.
	socketcall int32
	ipc        int32
	// indirectZero says that call 0 stands for one whose number did not fit
	// into the instruction (svc 0 on s390).
	indirectZero bool
}

var abis = [...]abi{
	X86:         {name: specs.ArchX86, audit: 0x40000003, column: columnX86, socketcall: 102, ipc: 117},
	X86_64:      {name: specs.ArchX86_64, audit: 0xc000003e, column: columnX86_64, wide: true},
	X32:         {name: specs.ArchX32, audit: 0xc000003e, column: columnX32},
	ARM:         {name: specs.ArchARM, audit: 0x40000028, column: columnARM},
	AARCH64:     {name: specs.ArchAARCH64, audit: 0xc00000b7, column: columnAARCH64, wide: true},
	MIPS:        {name: specs.ArchMIPS, audit: 0x00000008, column: columnMIPS, big: true, socketcall: 4102, ipc: 4117},
	MIPS64:      {name: specs.ArchMIPS64, audit: 0x80000008, column: columnMIPS64, wide: true, big: true},
	MIPS64N32:   {name: specs.ArchMIPS64N32, audit: 0xa0000008, column: columnMIPS64N32, big: true},
	MIPSEL:      {name: specs.ArchMIPSEL, audit: 0x40000008, column: columnMIPS, socketcall: 4102, ipc: 4117},
	MIPSEL64:    {name: specs.ArchMIPSEL64, audit: 0xc0000008, column: columnMIPS64, wide: true},
	MIPSEL64N32: {name: specs.ArchMIPSEL64N32, audit: 0xe0000008, column: columnMIPS64N32},
	PPC:         {name: specs.ArchPPC, audit: 0x00000014, column: columnPPC, big: true, socketcall: 102, ipc: 117},
	PPC64:       {name: specs.ArchPPC64, audit: 0x80000015, column: columnPPC64, wide: true, big: true, socketcall: 102, ipc: 117},
	PPC64LE:     {name: specs.ArchPPC64LE, audit: 0xc0000015, column: columnPPC64, wide: true, socketcall: 102, ipc: 117},
	S390:        {name: specs.ArchS390, audit: 0x00000016, column: columnS390, big: true, socketcall: 102, ipc: 117, indirectZero: true},
	S390X:       {name: specs.ArchS390X, audit: 0x80000016, column: columnS390X, wide: true, big: true, socketcall: 102, ipc: 117, indirectZero: true},
	PARISC:      {name: specs.ArchPARISC, audit: 0x0000000f, column: columnPARISC, big: true},
	PARISC64:    {name: specs.ArchPARISC64, audit: 0x8000000f, column: columnPARISC64, wide: true, big: true},
	RISCV64:     {name: specs.ArchRISCV64, audit: 0xc00000f3, column: columnRISCV64, wide: true},
	LOONGARCH64: {name: specs.ArchLOONGARCH64, audit: 0xc0000102, column: columnLOONGARCH64, wide: true},
	M68K:        {name: specs.ArchM68K, audit: 0x00000004, column: columnM68K, big: true, socketcall: 102, ipc: 117},
	SH:          {name: specs.ArchSH, audit: 0x4000002a, column: columnSH, socketcall: 102, ipc: 117},
	SHEB:        {name: specs.ArchSHEB, audit: 0x0000002a, column: columnSH, big: true, socketcall: 102, ipc: 117},
}

// multiplexes says that an architecture has socketcall(2) and ipc(2).
func (a *abi) multiplexes() bool { return a.socketcall != 0 }

// carries says that a number is that of socketcall(2) or ipc(2).
func (a *abi) carries(number int32) bool {
	return a.multiplexes() && (number == a.socketcall || number == a.ipc)
}

func (a Arch) abi() *abi { return &abis[a] }

// String gives the name that config.json uses, such as "SCMP_ARCH_X86_64".
func (a Arch) String() string { return string(a.abi().name) }

// ParseArch gives the architecture with the name that config.json uses.
func ParseArch(name specs.Arch) (Arch, bool) {
	for a := range abis {
		if abis[a].name == name {
			return Arch(a), true
		}
	}
	return 0, false
}

// goarchs are the names that Go has for architectures.
var goarchs = [...]struct {
	name string
	arch Arch
}{
	{"amd64", X86_64}, {"arm64", AARCH64}, {"386", X86}, {"arm", ARM},
	{"loong64", LOONGARCH64}, {"mips", MIPS}, {"mips64", MIPS64}, {"mips64le", MIPSEL64}, {"mipsle", MIPSEL},
	{"ppc64", PPC64}, {"ppc64le", PPC64LE}, {"riscv64", RISCV64}, {"s390x", S390X},
}

// Native gives the architecture that Go calls goarch (runtime.GOARCH).
func Native(goarch string) (Arch, bool) {
	for _, known := range goarchs {
		if known.name == goarch {
			return known.arch, true
		}
	}
	return 0, false
}

// architectures gives the architectures that a filter of the profile covers: the
// machine's own, and those that the profile names. They have to agree on the
// order of bytes, in which the kernel gives a filter the arguments.
func architectures(profile *specs.LinuxSeccomp, native Arch) ([]Arch, error) {
	archs := []Arch{native}
	for i, name := range profile.Architectures {
		arch, ok := ParseArch(name)
		switch {
		case !ok:
			return nil, problem("architectures", i, fmt.Errorf("unknown architecture %q", name))
		case arch.abi().big != native.abi().big:
			return nil, problem("architectures", i, fmt.Errorf("%s has another byte order than this machine (%s): no filter can be for both", arch, native))
		}
		if !slices.Contains(archs, arch) {
			archs = append(archs, arch)
		}
	}
	return archs, nil
}
