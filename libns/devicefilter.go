package libns

import (
	"encoding/binary"

	"golang.org/x/sys/unix"

	"rt/libns/plan"
)

// deviceFilter compiles device rules into a program for the kernel to ask about
// every access to a device (BPF_PROG_TYPE_CGROUP_DEVICE). It gives 1 for yes
// and 0 for no, which is also what the end of the rules means.
//
// The last rule that matches decides, so the program looks at them from the
// last to the first. Reading, writing and making nodes may be asked for at
// once and decided about by different rules: a register holds what is not
// decided yet. A rule that forbids any of that ends the program, and so does
// one that allows the rest of it.
//
// Every rule loads anew what it compares. The verifier then finds the same
// state before each of them, and its work grows with their number and not with
// the number of ways through them.
func deviceFilter(rules []plan.DeviceRule) []instruction {
	var p filterProgram
	p.load16(undecided, offsetAccess)
	for i := len(rules) - 1; i >= 0; i-- {
		if !canMatch(rules[i]) {
			continue
		}
		p.rule(rules[i])
		if rules[i].Type == plan.AllDevices {
			return p // the kernel refuses programs with parts that cannot be reached
		}
	}
	p.decide(false)
	return p
}

// The members of struct bpf_cgroup_dev_ctx, whose first one is two values in
// the two halves of 32 bits. All machines that rt knows are little-endian.
const (
	offsetType   = 0
	offsetAccess = 2
	offsetMajor  = 4
	offsetMinor  = 8
)

// The registers: the program's result and its argument, by the convention of
// BPF, and two of our own.
const (
	verdict   = 0
	access    = 1
	undecided = 2
	scratch   = 3
)

// canMatch says whether there can be a device that the rule is about: the
// kernel's numbers have 32 bits.
func canMatch(r plan.DeviceRule) bool {
	return r.Major <= 0xffffffff && r.Minor <= 0xffffffff
}

// filterProgram is a program that is being laid down.
type filterProgram []instruction

// rule lays down one rule: comparisons that jump to the next rule, and what
// follows if none of them did.
func (p *filterProgram) rule(r plan.DeviceRule) {
	var next []int // the jumps
	compare := func(load func(register, offset uint8), offset uint8, want int64) {
		load(scratch, offset)
		next = append(next, p.jumpIfNot(scratch, uint32(want)))
	}
	switch r.Type {
	case plan.BlockDevices:
		compare(p.load16, offsetType, unix.BPF_DEVCG_DEV_BLOCK)
	case plan.CharDevices:
		compare(p.load16, offsetType, unix.BPF_DEVCG_DEV_CHAR)
	}
	if r.Major != plan.AnyNumber {
		compare(p.load32, offsetMajor, r.Major)
	}
	if r.Minor != plan.AnyNumber {
		compare(p.load32, offsetMinor, r.Minor)
	}
	switch bits := accessBits(r.Access); {
	case bits == allAccess:
	case r.Allow:
		p.and(undecided, ^bits)
		next = append(next, p.jumpIfNot(undecided, 0))
	default:
		p.copy(scratch, undecided)
		p.and(scratch, bits)
		next = append(next, p.jumpIf(scratch, 0))
	}
	p.decide(r.Allow)
	for _, jump := range next {
		(*p)[jump].offset = int16(len(*p) - jump - 1)
	}
}

const allAccess = unix.BPF_DEVCG_ACC_MKNOD | unix.BPF_DEVCG_ACC_READ | unix.BPF_DEVCG_ACC_WRITE

// accessBits are the kernel's bits for the config's letters.
func accessBits(letters string) uint32 {
	var bits uint32
	for _, letter := range letters {
		switch letter {
		case 'r':
			bits |= unix.BPF_DEVCG_ACC_READ
		case 'w':
			bits |= unix.BPF_DEVCG_ACC_WRITE
		case 'm':
			bits |= unix.BPF_DEVCG_ACC_MKNOD
		}
	}
	return bits
}

// instruction is one instruction of BPF (the kernel's bpf/standardization/
// instruction-set.rst).
type instruction struct {
	code        uint8
	destination uint8 // register
	source      uint8 // register
	offset      int16 // of memory, or of a jump in instructions
	immediate   uint32
}

// The instructions that a filter is made of. Comparisons are those of 32 bits
// (Linux 5.1): the others would extend the sign of a number.
const (
	codeLoad16     = unix.BPF_LDX | unix.BPF_H | unix.BPF_MEM
	codeLoad32     = unix.BPF_LDX | unix.BPF_W | unix.BPF_MEM
	codeCopy       = unix.BPF_ALU | unix.BPF_MOV | unix.BPF_X
	codeSet        = unix.BPF_ALU | unix.BPF_MOV | unix.BPF_K
	codeAnd        = unix.BPF_ALU | unix.BPF_AND | unix.BPF_K
	codeJumpEquals = unix.BPF_JMP32 | unix.BPF_JEQ | unix.BPF_K
	codeJumpDiffer = unix.BPF_JMP32 | unix.BPF_JNE | unix.BPF_K
	codeExit       = unix.BPF_JMP | unix.BPF_EXIT
)

func (p *filterProgram) add(i instruction) int {
	*p = append(*p, i)
	return len(*p) - 1
}

func (p *filterProgram) load16(register, offset uint8) {
	p.add(instruction{codeLoad16, register, access, int16(offset), 0})
}

func (p *filterProgram) load32(register, offset uint8) {
	p.add(instruction{codeLoad32, register, access, int16(offset), 0})
}

func (p *filterProgram) copy(to, from uint8) {
	p.add(instruction{codeCopy, to, from, 0, 0})
}

func (p *filterProgram) and(register uint8, bits uint32) {
	p.add(instruction{codeAnd, register, 0, 0, bits})
}

// jumpIf and jumpIfNot jump to where their offset is set to later. They give
// the index of the instruction.
func (p *filterProgram) jumpIf(register uint8, value uint32) int {
	return p.add(instruction{codeJumpEquals, register, 0, 0, value})
}

func (p *filterProgram) jumpIfNot(register uint8, value uint32) int {
	return p.add(instruction{codeJumpDiffer, register, 0, 0, value})
}

// decide ends the program.
func (p *filterProgram) decide(allow bool) {
	var answer uint32
	if allow {
		answer = 1
	}
	p.add(instruction{codeSet, verdict, 0, 0, answer})
	p.add(instruction{codeExit, 0, 0, 0, 0})
}

// encode gives the bytes of a program (struct bpf_insn).
func encode(program []instruction) []byte {
	bytes := make([]byte, 0, 8*len(program))
	for _, i := range program {
		bytes = append(bytes, i.code, i.source<<4|i.destination)
		bytes = binary.LittleEndian.AppendUint16(bytes, uint16(i.offset))
		bytes = binary.LittleEndian.AppendUint32(bytes, i.immediate)
	}
	return bytes
}
