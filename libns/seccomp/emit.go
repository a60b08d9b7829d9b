package seccomp

import (
	"fmt"
	"slices"

	"golang.org/x/sys/unix"
)

const (
	// maxJump is as far as a conditional jump reaches: its offsets have 8 bits.
	maxJump = 255
	// maxProgram is BPF_MAXINSNS, the longest filter that the kernel takes.
	maxProgram = 4096
)

// The instructions that filters are made of.
const (
	codeLoad           = unix.BPF_LD | unix.BPF_W | unix.BPF_ABS
	codeAnd            = unix.BPF_ALU | unix.BPF_AND | unix.BPF_K
	codeJump           = unix.BPF_JMP | unix.BPF_JA
	codeEqual          = unix.BPF_JMP | unix.BPF_JEQ | unix.BPF_K
	codeGreater        = unix.BPF_JMP | unix.BPF_JGT | unix.BPF_K
	codeGreaterOrEqual = unix.BPF_JMP | unix.BPF_JGE | unix.BPF_K
	codeAnySet         = unix.BPF_JMP | unix.BPF_JSET | unix.BPF_K
	codeReturn         = unix.BPF_RET | unix.BPF_K
)

var codes = [...]uint16{opEqual: codeEqual, opGreater: codeGreater, opGreaterOrEqual: codeGreaterOrEqual, opAnySet: codeAnySet}

// entry is where a node's code can be entered, depending on what the accumulator
// holds already.
type entry uint8

const (
	entryLoad entry = iota // nothing of use: load the word
	entryAnd               // the word: cut it to the mask
	entryTest              // just what the test needs
	entries
)

// unplaced marks an entry that has no code.
const unplaced = -1

// emitter writes a graph from its end to its beginning, as jumps go forward only
// and a jump's distance has to be known. The index of an instruction counts from
// the program's end.
type emitter struct {
	nodes   []decision
	needed  [][entries]bool
	places  [][entries]int32 // the nearest copy of each entry
	program []unix.SockFilter
}

// assemble gives the program that starts with a node.
func (g *graph) assemble(root node) ([]unix.SockFilter, error) {
	e := &emitter{nodes: g.nodes, needed: make([][entries]bool, len(g.nodes)), places: make([][entries]int32, len(g.nodes))}
	for i := range e.places {
		e.places[i] = [entries]int32{unplaced, unplaced, unplaced}
	}
	e.need(root, entryLoad)
	e.place(root)
	if len(e.program) > maxProgram {
		return nil, Problem{"linux.seccomp", fmt.Sprintf("the filter would have %d instructions, the kernel takes at most %d", len(e.program), maxProgram)}
	}
	slices.Reverse(e.program)
	return e.program, nil
}

// need finds out by which entries each node is entered.
func (e *emitter) need(n node, at entry) {
	d := &e.nodes[n]
	if d.op == opReturn {
		at = entryTest
	}
	visited := e.needed[n] != [entries]bool{}
	e.needed[n][at] = true
	if visited || d.op == opReturn {
		return
	}
	e.need(d.yes, e.entry(d, d.yes))
	e.need(d.no, e.entry(d, d.no))
}

// entry says where to enter a node that follows a test.
func (e *emitter) entry(from *decision, to node) entry {
	d := &e.nodes[to]
	switch {
	case d.op == opReturn:
		return entryTest
	case d.offset != from.offset || from.mask != fullMask && from.mask != d.mask:
		return entryLoad
	case d.mask != from.mask:
		return entryAnd
	}
	return entryTest
}

// place writes a node, after all that follows it.
func (e *emitter) place(n node) {
	if e.places[n] != [entries]int32{unplaced, unplaced, unplaced} {
		return
	}
	d := &e.nodes[n]
	if d.op == opReturn {
		e.mark(n, entryTest)
		e.write(unix.SockFilter{Code: codeReturn, K: d.value})
		return
	}
	e.place(d.yes)
	e.place(d.no)
	yes, no := e.entry(d, d.yes), e.entry(d, d.no)
	for {
		switch {
		case e.distance(d.yes, yes) > maxJump:
			e.repeat(d.yes, yes)
		case e.distance(d.no, no) > maxJump:
			e.repeat(d.no, no)
		default:
			e.writeTest(n, uint8(e.distance(d.yes, yes)), uint8(e.distance(d.no, no)))
			return
		}
	}
}

func (e *emitter) writeTest(n node, yes, no uint8) {
	d := &e.nodes[n]
	e.mark(n, entryTest)
	e.write(unix.SockFilter{Code: codes[d.op], Jt: yes, Jf: no, K: d.value})
	masked := d.mask != fullMask
	if !e.needed[n][entryLoad] && !(masked && e.needed[n][entryAnd]) {
		return
	}
	if masked {
		e.mark(n, entryAnd)
		e.write(unix.SockFilter{Code: codeAnd, K: d.mask})
	}
	if e.needed[n][entryLoad] {
		e.mark(n, entryLoad)
		e.write(unix.SockFilter{Code: codeLoad, K: uint32(d.offset)})
	}
}

// distance gives the offset of a jump from the next instruction to be written.
func (e *emitter) distance(n node, at entry) int {
	return len(e.program) - int(e.places[n][at]) - 1
}

// repeat brings an entry that is out of reach near: a copy if it is an answer, a
// jump, whose offset has 32 bits, if it is not.
func (e *emitter) repeat(n node, at entry) {
	d := &e.nodes[n]
	instruction := unix.SockFilter{Code: codeJump, K: uint32(e.distance(n, at))}
	if d.op == opReturn {
		instruction = unix.SockFilter{Code: codeReturn, K: d.value}
	}
	e.mark(n, at)
	e.write(instruction)
}

func (e *emitter) mark(n node, at entry) { e.places[n][at] = int32(len(e.program)) }

func (e *emitter) write(i unix.SockFilter) { e.program = append(e.program, i) }
