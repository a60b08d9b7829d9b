package seccomp

import "slices"

// section is the part of a filter that decides on the calls with one AUDIT_ARCH
// value. It is for one architecture, or for x86_64 and x32, which share theirs
// and are told apart by a bit in the number.
type section struct {
	archs []Arch
	// limits are the newest calls that the profile names on each
	// architecture, where anything newer gets ENOSYS.
	limits []limit
}

type limit struct {
	arch   Arch
	newest uint32
}

// sections gives the sections for the architectures, in their order.
func (c *compiler) sections(archs []Arch) []*section {
	var sections []*section
	for _, arch := range archs {
		i := slices.IndexFunc(sections, func(s *section) bool { return s.archs[0].abi().audit == arch.abi().audit })
		if i < 0 {
			i = len(sections)
			sections = append(sections, &section{})
		}
		s := sections[i]
		s.archs = append(s.archs, arch)
		// 0 is runc's "none": a profile that names no call but number 0
		// has no limit either.
		if newest := c.policy.newest(arch.abi()); c.policy.enosys && newest > 0 {
			s.limits = append(s.limits, limit{arch, uint32(newest)})
		}
	}
	return sections
}

// newest gives the highest number of a call that the profile names, or 0. Calls
// that another one can carry do not count, as runc asks libseccomp for their
// numbers and is not told the ones that they have themselves.
func (p *policy) newest(a *abi) int32 {
	newest := int32(0)
	for i := range p.calls {
		call := &p.calls[i]
		if _, carried := call.family.carrier(a); carried {
			continue
		}
		if number, ok := call.row.number(a); ok {
			newest = max(newest, number)
		}
	}
	return newest
}

// withoutRule gives the answer to a number that the profile has no rule for.
func (s *section) withoutRule(number uint32, otherwise answer) answer {
	switch {
	case s.tooNew(number):
		return answerENOSYS
	case s.foreign(number):
		return answerBadArch
	}
	return otherwise
}

// tooNew says that a number belongs to a call that the author of the profile
// cannot have known. Such a call gets ENOSYS even if there is a rule for it, which
// there can be if another call can carry it.
func (s *section) tooNew(number uint32) bool {
	for _, l := range s.limits {
		switch {
		case l.arch == X86_64 && number&x32Bit != 0, l.arch == X32 && number&x32Bit == 0:
		case number > l.newest, number == 0 && l.arch.abi().indirectZero:
			return true
		}
	}
	return false
}

// foreign says that a number belongs to the one of x86_64 and x32 that the filter
// does not cover. -1 belongs to both: a tracer sets it to have a call skipped.
func (s *section) foreign(number uint32) bool {
	switch {
	case len(s.archs) > 1:
		return false
	case s.archs[0] == X86_64:
		return number >= x32Bit && number != maxNumber
	case s.archs[0] == X32:
		return number < x32Bit
	}
	return false
}

// withoutRules gives the spans of all numbers, as if there were no rules.
func (c *compiler) withoutRules(s *section) []span {
	// Wherever withoutRule may change: it looks at single numbers and at the
	// bit of x32.
	starts := []uint32{0, 1, x32Bit, 2 * x32Bit, 3 * x32Bit, maxNumber}
	for _, l := range s.limits {
		starts = append(starts, l.newest+1)
	}
	slices.Sort(starts)
	var spans spans
	for _, start := range starts {
		spans.add(uint64(start), c.graph.answer(s.withoutRule(start, c.policy.defaultAnswer)))
	}
	return spans
}
