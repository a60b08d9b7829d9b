package seccomp

import (
	"cmp"
	"slices"
)

// span is a range of system call numbers that are decided on alike. It ends where
// the next span starts.
type span struct {
	start uint32
	node  node
}

// spans are sorted, and the first one starts with 0. No two neighbours are alike.
type spans []span

const (
	maxNumber  = 0xffffffff // -1
	allNumbers = maxNumber + 1
)

// add adds a span to the end.
func (s *spans) add(start uint64, n node) {
	if last := len(*s) - 1; last >= 0 && (*s)[last].node == n {
		return
	}
	*s = append(*s, span{uint32(start), n})
}

// addRange adds the part of other spans that begins with a number and ends before
// another.
func (s *spans) addRange(from spans, start, end uint64) {
	for i, f := range from {
		until := uint64(allNumbers)
		if i+1 < len(from) {
			until = uint64(from[i+1].start)
		}
		if begin := max(uint64(f.start), start); begin < min(until, end) {
			s.add(begin, f.node)
		}
	}
}

// overlay gives spans in which single numbers have been replaced.
func overlay(base spans, numbers []span) spans {
	slices.SortFunc(numbers, func(a, b span) int { return cmp.Compare(a.start, b.start) })
	result := make(spans, 0, len(base)+2*len(numbers))
	start := uint64(0)
	for _, number := range numbers {
		result.addRange(base, start, uint64(number.start))
		result.add(uint64(number.start), number.node)
		start = uint64(number.start) + 1
	}
	result.addRange(base, start, allNumbers)
	return result
}

// search gives the node that finds a number's span in as few steps as possible, by
// halves.
func (g *graph) search(s spans) node {
	switch {
	case len(s) == 1:
		return s[0].node
	case len(s) == 3 && s[0].node == s[2].node && s[2].start == s[1].start+1:
		// A single number among others that are alike.
		return g.test(decision{op: opEqual, offset: offsetNumber, mask: fullMask, value: s[1].start, yes: s[1].node, no: s[0].node})
	}
	half := len(s) / 2
	return g.test(decision{
		op: opGreaterOrEqual, offset: offsetNumber, mask: fullMask, value: s[half].start,
		yes: g.search(s[half:]), no: g.search(s[:half]),
	})
}
