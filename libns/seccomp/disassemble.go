package seccomp

import (
	"bufio"
	"fmt"
	"io"
	"slices"
	"strings"

	"golang.org/x/sys/unix"
)

// Disassemble writes the filter's instructions for people, one on a line, with
// numbers of calls, architectures and answers by name. A test is followed by the
// lines where it goes on if it holds and if not:
//
//	 2  load  number
//	 3  if    number >= 231 (exit_group)  then 4 else 90
//	90  return allow
func Disassemble(w io.Writer, f *Filter) error {
	b := bufio.NewWriter(w)
	fmt.Fprintf(b, "# %s\n", f)
	at := f.trace()
	for pc, i := range f.Program {
		fmt.Fprintf(b, "%4d  %s\n", pc, f.instruction(pc, i, at[pc]))
	}
	return b.Flush()
}

// String gives a summary in a line.
func (f *Filter) String() string {
	var archs []string
	for _, a := range f.Archs {
		archs = append(archs, a.String())
	}
	flags := flagNames(f.Flags)
	if flags == "" {
		flags = "no flags"
	}
	return fmt.Sprintf("%d instructions, for %s, with %s", len(f.Program), strings.Join(archs, " "), flags)
}

// nowhere is the offset of what is in the accumulator if it is not a word of struct
// seccomp_data: only programs that were not compiled here calculate.
const nowhere = ^uint32(0)

// situation is what is known where an instruction begins, on all ways that lead to
// it.
type situation struct {
	offset uint32 // of the word in the accumulator
	mask   uint32
	audits []uint32 // the architectures that the call can be of; none if any
}

// trace finds out the situation at each instruction. Jumps go forward only, so
// that a single pass sees all ways to an instruction before the instruction.
func (f *Filter) trace() []situation {
	at, reached := make([]situation, len(f.Program)+1), make([]bool, len(f.Program)+1)
	merge := func(pc int, s situation) {
		if reached[pc] && (at[pc].offset != s.offset || at[pc].mask != s.mask) {
			s.offset, s.mask = nowhere, fullMask
		}
		reached[pc] = true
		at[pc].offset, at[pc].mask = s.offset, s.mask
		for _, audit := range s.audits {
			if !slices.Contains(at[pc].audits, audit) {
				at[pc].audits = append(at[pc].audits, audit)
			}
		}
	}
	for pc, i := range f.Program {
		s := at[pc]
		switch {
		case i.Code&classMask == unix.BPF_RET:
		case i.Code == codeLoad:
			merge(pc+1, situation{i.K, fullMask, s.audits})
		case i.Code == codeAnd:
			merge(pc+1, situation{s.offset, i.K, s.audits})
		case i.Code == codeJump:
			merge(pc+1+int(i.K), s)
		case i.Code&classMask == unix.BPF_JMP:
			merge(pc+1+int(i.Jf), s)
			if s.offset == offsetArch && i.Code == codeEqual {
				s.audits = []uint32{i.K}
			}
			merge(pc+1+int(i.Jt), s)
		default:
			merge(pc+1, situation{nowhere, fullMask, s.audits})
		}
	}
	return at
}

func (f *Filter) instruction(pc int, i unix.SockFilter, s situation) string {
	switch i.Code {
	case codeLoad:
		return "load  " + f.wordName(i.K)
	case codeAnd:
		return fmt.Sprintf("and   %#x", i.K)
	case codeJump:
		return fmt.Sprintf("goto  %d", pc+1+int(i.K))
	case codeReturn:
		return "return " + answer(i.K).String()
	}
	comparison, known := map[uint16]string{codeEqual: "==", codeGreater: ">", codeGreaterOrEqual: ">=", codeAnySet: "has any of"}[i.Code]
	if !known {
		return fmt.Sprintf("code  %#04x jt=%d jf=%d k=%#x", i.Code, i.Jt, i.Jf, i.K)
	}
	word := f.wordName(s.offset)
	if s.mask != fullMask {
		word = fmt.Sprintf("(%s & %#x)", word, s.mask)
	}
	return fmt.Sprintf("if    %s %s %s  then %d else %d", word, comparison, f.valueName(i.K, s), pc+1+int(i.Jt), pc+1+int(i.Jf))
}

// wordName names a word of struct seccomp_data.
func (f *Filter) wordName(offset uint32) string {
	switch {
	case offset == nowhere:
		return "accumulator"
	case offset == offsetNumber:
		return "number"
	case offset == offsetArch:
		return "arch"
	case offset < offsetArguments:
		return fmt.Sprintf("word at %d", offset)
	}
	half := "low"
	if (offset%8 != 0) != f.Archs[0].abi().big {
		half = "high"
	}
	return fmt.Sprintf("arg%d.%s", (offset-offsetArguments)/8, half)
}

// valueName names what a word is compared with.
func (f *Filter) valueName(value uint32, s situation) string {
	switch s.offset {
	case offsetArch:
		if names := f.archNames(value); len(names) > 0 {
			return strings.Join(names, "/")
		}
	case offsetNumber:
		if names := f.callNames(value, s.audits); len(names) > 0 {
			return fmt.Sprintf("%d (%s)", value, strings.Join(names, "/"))
		}
		return fmt.Sprint(value)
	}
	return fmt.Sprintf("%#x", value)
}

func (f *Filter) archNames(audit uint32) []string {
	var names []string
	for _, a := range f.Archs {
		if a.abi().audit == audit {
			names = append(names, a.String())
		}
	}
	return names
}

// callNames gives what a number means on the architectures in question.
func (f *Filter) callNames(number uint32, audits []uint32) []string {
	var names []string
	for _, a := range f.Archs {
		name := SyscallName(a, number)
		asked := len(audits) == 0 || slices.Contains(audits, a.abi().audit)
		if asked && name != "" && !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	return names
}
