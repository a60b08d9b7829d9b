package seccomp

// test compares one 32-bit word of the arguments, under a mask, with a value.
type test struct {
	word  uint8 // argument*2, plus 1 for its high half
	op    opcode
	mask  uint32
	value uint32
	// The condition that the test is part of: its operator and value.
	operator operator
	whole    uint64
}

// high says that the word is the high half of an argument.
func (t *test) high() bool { return t.word&1 != 0 }

// same says that two tests are one: they compare the same in the same way. A mask
// of all ones, for libseccomp, is another way.
func (t *test) same(other *test) bool {
	return t.word == other.word && t.op == other.op && t.mask == other.mask && t.value == other.value &&
		(t.operator == maskedEqual) == (other.operator == maskedEqual)
}

// after says that a test is made later than another one on its level: the last
// argument comes first, its high half before the low one; then equality, then less
// from the smallest number up, then greater from the greatest down.
func (t *test) after(other *test) bool {
	if t.word != other.word {
		return t.word < other.word
	}
	if a, b := t.operator.order(), other.operator.order(); a != b {
		return a > b
	}
	if t.operator == less || t.operator == lessOrEqual {
		return t.value > other.value
	}
	return t.value < other.value
}

func (o operator) order() int {
	switch o {
	case less, lessOrEqual:
		return 1
	case greater, greaterOrEqual:
		return 2
	}
	return 0
}

// path gives the tests of a rule on an architecture of some width, from the first
// argument to the last. It is nil if every call passes them. The tests of one
// condition that lead on to the next condition lead to the very same choices.
func (r *rule) path(wide bool) *choice {
	var root *choice
	var ends []*branch // that lead on from the tests so far
	for argument := range uint8(maxArgument + 1) {
		for i := range r.conditions {
			c := &r.conditions[i]
			if c.argument != argument || c.passes(wide) {
				continue
			}
			tests, next := c.tests(wide)
			for _, end := range ends {
				end.next = tests
			}
			if root == nil {
				root = tests
			}
			ends = next
		}
	}
	for _, end := range ends {
		*end = branch{answered: true, answer: r.answer}
	}
	return root
}

// passes says that a condition holds for every argument, as nothing of it is left
// under the mask. On a 32-bit architecture there is no high half.
func (c *condition) passes(wide bool) bool {
	return c.mask == 0 || !wide && uint32(c.mask) == 0
}

// tests gives the first of the tests that a condition consists of, and the branches
// that are taken if it holds.
func (c *condition) tests(wide bool) (first *choice, ends []*branch) {
	if !wide {
		low := c.test(false, c.operator.narrow())
		if c.operator.negative() {
			return low, []*branch{&low.when[fails]}
		}
		return low, []*branch{&low.when[holds]}
	}
	switch c.operator {
	case equal, maskedEqual, notEqual:
		return c.bothHalves()
	}
	return c.eitherHalf()
}

// bothHalves gives the tests of equality: high half, then low half.
func (c *condition) bothHalves() (first *choice, ends []*branch) {
	high, low := c.test(true, opEqual), c.test(false, opEqual)
	high.when[holds].next = low
	if c.operator.negative() {
		return high, []*branch{&high.when[fails], &low.when[fails]}
	}
	return high, []*branch{&low.when[holds]}
}

// eitherHalf gives the tests of order: the high half is greater; or it is equal
// and the low half decides.
func (c *condition) eitherHalf() (first *choice, ends []*branch) {
	greater, same, low := c.test(true, opGreater), c.test(true, opEqual), c.test(false, c.operator.narrow())
	greater.when[fails].next = same
	same.when[holds].next = low
	if c.operator.negative() {
		return greater, []*branch{&same.when[fails], &low.when[fails]}
	}
	return greater, []*branch{&greater.when[holds], &low.when[holds]}
}

// narrow gives the test of a single word, negated if the operator is negative.
func (o operator) narrow() opcode {
	switch o {
	case greater, lessOrEqual:
		return opGreater
	case greaterOrEqual, less:
		return opGreaterOrEqual
	}
	return opEqual
}

// negative says that a condition holds if its tests fail: a filter cannot test for
// less, nor for difference.
func (o operator) negative() bool { return o == notEqual || o == less || o == lessOrEqual }

// test gives a test of one half of the argument.
func (c *condition) test(high bool, op opcode) *choice {
	t := test{word: 2 * c.argument, op: op, mask: uint32(c.mask), value: uint32(c.value), operator: c.operator, whole: c.value}
	if high {
		t.word, t.mask, t.value = t.word+1, uint32(c.mask>>32), uint32(c.value>>32)
	}
	t.value &= t.mask
	return &choice{test: t}
}
