package seccomp

import (
	"encoding/binary"
	"fmt"

	"github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"
)

// Raw gives the filter for a program that somebody else has compiled: an array of
// struct sock_filter in the machine's byte order (seccomp(2)). Of the profile,
// which may be nil, only the flags count.
//
// The program is checked as far as it takes to print it. The kernel checks the
// rest when it is loaded.
func Raw(program []byte, profile *specs.LinuxSeccomp, native Arch, options Options) (*Filter, error) {
	if len(program) == 0 || len(program)%instructionSize != 0 {
		return nil, fmt.Errorf("a program is made of instructions of %d bytes, got %d bytes", instructionSize, len(program))
	}
	f := &Filter{Archs: []Arch{native}, Program: make([]unix.SockFilter, len(program)/instructionSize)}
	if len(f.Program) > maxProgram {
		return nil, fmt.Errorf("the program has %d instructions, the kernel takes at most %d", len(f.Program), maxProgram)
	}
	for i := range f.Program {
		f.Program[i] = instructionAt(native.abi().byteOrder(), program[i*instructionSize:])
	}
	for pc := range f.Program {
		if err := f.checkReach(pc); err != nil {
			return nil, err
		}
	}
	if profile == nil {
		profile = &specs.LinuxSeccomp{}
	}
	f.Notify = f.notifies()
	var err error
	f.Flags, err = filterFlags(profile, f.Notify, options)
	return f, err
}

// checkReach makes sure that the program goes on, or ends, behind an instruction.
func (f *Filter) checkReach(pc int) error {
	left := uint32(len(f.Program) - pc - 1)
	i := f.Program[pc]
	needed := uint32(1)
	switch {
	case i.Code&classMask == unix.BPF_RET:
		return nil
	case i.Code == codeJump && i.K < left:
		return nil
	case i.Code == codeJump:
		needed = left + 1
	case i.Code&classMask == unix.BPF_JMP:
		needed = uint32(max(i.Jt, i.Jf)) + 1
	}
	if needed > left {
		return fmt.Errorf("instruction %d leads behind the end of the program", pc)
	}
	return nil
}

// notifies says that an instruction leaves a call to an agent.
func (f *Filter) notifies() bool {
	for _, i := range f.Program {
		if i.Code == codeReturn && i.K&unix.SECCOMP_RET_ACTION_FULL == unix.SECCOMP_RET_USER_NOTIF {
			return true
		}
	}
	return false
}

// classMask are the bits of an instruction's code that say of which kind it is
// (BPF_CLASS of linux/bpf_common.h).
const classMask = 0x07

func instructionAt(order binary.ByteOrder, b []byte) unix.SockFilter {
	return unix.SockFilter{Code: order.Uint16(b), Jt: b[2], Jf: b[3], K: order.Uint32(b[4:])}
}
