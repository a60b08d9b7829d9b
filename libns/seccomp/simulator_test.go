package seccomp

import (
	"encoding/binary"
	"fmt"
	"slices"

	"golang.org/x/sys/unix"
)

// machine is a simulated kernel that runs filters on system calls.
type machine struct {
	words [16]uint32 // struct seccomp_data
	big   bool
}

// set makes a system call, with its arguments in the machine's byte order.
func (m *machine) set(audit, number uint32, arguments *[6]uint64) {
	m.words[0], m.words[1] = number, audit
	m.words[2], m.words[3] = 0x5555_5555, 0xaaaa_aaaa // the instruction pointer
	for i, argument := range arguments {
		low, high := 4+2*i, 5+2*i
		if m.big {
			low, high = high, low
		}
		m.words[low], m.words[high] = uint32(argument), uint32(argument>>32)
	}
}

// run gives what a filter answers, with the meaning that the kernel gives to its
// instructions (kernel/seccomp.c, net/core/filter.c), and how many it took.
func (m *machine) run(program []unix.SockFilter) (result answer, steps int) {
	var accumulator uint32
	for pc := 0; ; {
		i := &program[pc]
		pc++
		steps++
		var jump bool
		switch i.Code {
		case codeLoad:
			accumulator = m.words[i.K/4]
			continue
		case codeAnd:
			accumulator &= i.K
			continue
		case codeJump:
			pc += int(i.K)
			continue
		case codeReturn:
			return answer(i.K), steps
		case codeEqual:
			jump = accumulator == i.K
		case codeGreater:
			jump = accumulator > i.K
		case codeGreaterOrEqual:
			jump = accumulator >= i.K
		case codeAnySet:
			jump = accumulator&i.K != 0
		default:
			panic(fmt.Sprintf("instruction %d has code %#x", pc-1, i.Code))
		}
		if jump {
			pc += int(i.Jt)
		} else {
			pc += int(i.Jf)
		}
	}
}

// verify holds a program to the kernel's rules (bpf_check_classic,
// seccomp_check_filter).
func verify(program []unix.SockFilter) error {
	if len(program) == 0 || len(program) > 4096 {
		return fmt.Errorf("%d instructions", len(program))
	}
	for pc, i := range program {
		next := pc + 1
		switch i.Code {
		case codeLoad:
			if i.K%4 != 0 || i.K >= 64 {
				return fmt.Errorf("instruction %d loads from %d", pc, i.K)
			}
		case codeAnd:
		case codeReturn:
			continue
		case codeJump:
			next += int(i.K)
		case codeEqual, codeGreater, codeGreaterOrEqual, codeAnySet:
			next += int(max(i.Jt, i.Jf))
		default:
			return fmt.Errorf("instruction %d has code %#x", pc, i.Code)
		}
		if next >= len(program) {
			return fmt.Errorf("instruction %d leads out of the program", pc)
		}
	}
	return nil
}

// content is what an accumulator holds: a word of seccomp_data under a mask.
type content struct{ offset, mask uint32 }

// defect finds a test that is made while the accumulator does not hold what it is
// about: one that is reached with different contents, or one that takes the number
// of the architecture for that of a call.
func defect(program []unix.SockFilter, audits []uint32) error {
	reached := make([]map[content]bool, len(program)+1)
	reach := func(pc int, c content) {
		if reached[pc] == nil {
			reached[pc] = map[content]bool{}
		}
		reached[pc][c] = true
	}
	reach(0, content{mask: 0})
	for pc, i := range program {
		for c := range reached[pc] {
			switch i.Code {
			case codeLoad:
				reach(pc+1, content{i.K, fullMask})
			case codeAnd:
				reach(pc+1, content{c.offset, c.mask & i.K})
			case codeJump:
				reach(pc+1+int(i.K), c)
			case codeReturn:
			default:
				if len(reached[pc]) > 1 {
					return fmt.Errorf("instruction %d is reached with different words in the accumulator", pc)
				}
				if c.offset == offsetArch && !slices.Contains(audits, i.K) {
					return fmt.Errorf("instruction %d tests the architecture, not the call", pc)
				}
				reach(pc+1+int(i.Jt), c)
				reach(pc+1+int(i.Jf), c)
			}
		}
	}
	return nil
}

// decodeProgram gives the program that bytes hold, in the byte order of the machine.
func decodeProgram(b []byte, big bool) []unix.SockFilter {
	var order binary.ByteOrder = binary.LittleEndian
	if big {
		order = binary.BigEndian
	}
	program := make([]unix.SockFilter, len(b)/8)
	for i := range program {
		at := b[8*i:]
		program[i] = unix.SockFilter{Code: order.Uint16(at), Jt: at[2], Jf: at[3], K: order.Uint32(at[4:])}
	}
	return program
}
