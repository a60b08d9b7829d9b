package seccomp

import (
	"math"
	"slices"

	"github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"
)

// Options are facts about the running kernel.
type Options struct {
	// KernelFlags are the SECCOMP_FILTER_FLAG_* that the kernel knows.
	KernelFlags uint
}

// Compile gives the filter for a profile on a machine whose programs are those of
// the native architecture. The profile must have passed the validation of
// config.json. An error is of type [Problem].
//
// The filter covers the native architecture and those that the profile names, and
// kills threads that make calls of others. Names of calls that are not known, and
// rules whose answer is the default, have no effect. Unless the default lets
// unknown calls pass, calls newer than all that the profile names, on each
// architecture, get ENOSYS, so that a program falls back to an older one. In all
// this it follows runc, and libseccomp where rules overlap.
func Compile(profile *specs.LinuxSeccomp, native Arch, options Options) (*Filter, error) {
	archs, err := architectures(profile, native)
	if err != nil {
		return nil, err
	}
	policy, err := newPolicy(profile)
	if err != nil {
		return nil, err
	}
	flags, err := filterFlags(profile, policy.notify, options)
	if err != nil {
		return nil, err
	}
	program, err := compile(policy, archs)
	if err != nil {
		return nil, err
	}
	return &Filter{Program: program, Flags: flags, Notify: policy.notify, Archs: archs}, nil
}

// compile gives the program for the architectures, the first of which is native.
func compile(policy *policy, archs []Arch) ([]unix.SockFilter, error) {
	c := &compiler{policy: policy, graph: newGraph(), big: archs[0].abi().big}
	for width := range c.outcomes {
		c.outcomes[width] = slices.Repeat([]node{unknown}, len(policy.calls))
	}
	root, err := c.root(archs)
	if err != nil {
		return nil, err
	}
	return c.graph.assemble(root)
}

// Offsets in struct seccomp_data (include/uapi/linux/seccomp.h).
const (
	offsetNumber    = 0
	offsetArch      = 4
	offsetArguments = 16
)

// compiler turns the rules into a graph.
type compiler struct {
	policy   *policy
	graph    *graph
	big      bool
	outcomes [2][]node // what becomes of each call, on 32-bit and 64-bit architectures
}

// unknown is an outcome that has not been found out yet.
const unknown node = -1

// root gives the node that decides on every call.
func (c *compiler) root(archs []Arch) (node, error) {
	root := c.graph.answer(answerBadArch)
	for _, s := range slices.Backward(c.sections(archs)) {
		n, err := c.section(s)
		if err != nil {
			return 0, err
		}
		root = c.graph.test(decision{op: opEqual, offset: offsetArch, mask: fullMask, value: s.archs[0].abi().audit, yes: n, no: root})
	}
	return root, nil
}

// section gives the node that decides on the calls of a section.
func (c *compiler) section(s *section) (node, error) {
	var numbers []span
	for _, arch := range s.archs {
		var err error
		if numbers, err = c.numbers(numbers, arch.abi()); err != nil {
			return 0, err
		}
	}
	numbers = slices.DeleteFunc(numbers, func(n span) bool { return s.tooNew(n.start) })
	return c.graph.search(overlay(c.withoutRules(s), numbers)), nil
}

// numbers adds the numbers that have rules on an architecture.
func (c *compiler) numbers(to []span, a *abi) ([]span, error) {
	for i := range c.policy.calls {
		call := &c.policy.calls[i]
		number, exists := call.row.number(a)
		switch {
		case call.first == none, exists && a.carries(number), !exists && a.multiplexes():
			continue
		}
		// Without a number the rules are of no use, but they can still
		// contradict each other.
		n, err := c.outcome(int32(i), a.wide)
		if err != nil {
			return nil, err
		}
		if exists {
			to = append(to, span{uint32(number), n})
		}
	}
	if !a.multiplexes() {
		return to, nil
	}
	for _, number := range [...]int32{a.socketcall, a.ipc} {
		n, ruled, err := c.carrier(number, a)
		if err != nil {
			return nil, err
		}
		if ruled {
			to = append(to, span{uint32(number), n})
		}
	}
	return to, nil
}

// outcome gives the node that decides on a call once its number is known.
func (c *compiler) outcome(call int32, wide bool) (node, error) {
	width := 0
	if wide {
		width = 1
	}
	known := &c.outcomes[width][call]
	if *known != unknown {
		return *known, nil
	}
	rules := combination{wide: wide}
	for i := c.policy.calls[call].first; i != none; i = c.policy.rules[i].next {
		if err := rules.add(&c.policy.rules[i]); err != nil {
			return 0, c.policy.problem(i, err)
		}
	}
	*known = c.combined(&rules)
	return *known, nil
}

// carrier gives the node that decides on socketcall(2) or ipc(2), and whether
// there are rules for it: its own, and those of the calls that it carries, which
// get the operation as their condition on the first argument. A condition that
// they have on it themselves is about something else and dropped.
func (c *compiler) carrier(number int32, a *abi) (n node, ruled bool, err error) {
	rules := combination{wide: a.wide}
	for i := range c.policy.rules {
		r := c.policy.rules[i]
		call := &c.policy.calls[r.call]
		if by, ok := call.family.carrier(a); ok && by == number {
			r.conditions = append([]condition{{argument: 0, operator: equal, mask: math.MaxUint64, value: call.operation}},
				slices.DeleteFunc(slices.Clone(r.conditions), func(c condition) bool { return c.argument == 0 })...)
		} else if own, ok := call.row.number(a); !ok || own != number {
			continue
		}
		if err := rules.add(&r); err != nil {
			return 0, false, c.policy.problem(int32(i), err)
		}
		ruled = true
	}
	return c.combined(&rules), ruled, nil
}

// combined gives the node for all rules of a call.
func (c *compiler) combined(rules *combination) node {
	onwards := c.graph.answer(c.policy.defaultAnswer)
	switch {
	case rules.decided:
		return c.graph.answer(rules.answer)
	case rules.inOrder:
		for _, r := range slices.Backward(rules.rules) {
			onwards = c.level(r.path(rules.wide), onwards)
		}
		return onwards
	}
	return c.level(rules.tree.root, onwards)
}

// level gives the node that tries the tests of a level and then goes on.
func (c *compiler) level(level *choice, onwards node) node {
	if level == nil {
		return onwards
	}
	for _, x := range slices.Backward(level.all()) {
		onwards = c.graph.test(decision{
			op: x.op, offset: c.offset(&x.test), mask: x.mask, value: x.value,
			yes: c.branch(&x.when[holds], onwards), no: c.branch(&x.when[fails], onwards),
		})
	}
	return onwards
}

func (c *compiler) branch(b *branch, onwards node) node {
	if b.answered {
		return c.graph.answer(b.answer)
	}
	return c.level(b.next, onwards)
}

// offset gives where a word is in struct seccomp_data.
func (c *compiler) offset(t *test) uint8 {
	offset := offsetArguments + t.word/2*8
	if t.high() != c.big {
		offset += 4
	}
	return offset
}
