package seccomp

import "errors"

// tree holds the conditional rules of one call, merged.
//
// A rule is a path: its conditions in the order of their arguments, each cut into
// tests of single words, as a filter compares 32 bits at a time. Paths share the
// tests that they begin with. Where they part, their tests stand side by side as a
// level and are tried one after the other, in an order that comes from what they
// compare and not from the order of the rules. A test that leads to no answer
// leads on to the next of its level, and the last one to what comes next on the
// level above.
//
// So where two rules with different answers match one and the same call, the
// order of the tests decides. It is libseccomp's, and so is everything here and in
// prune.go by which a rule goes under because another one seems to make it
// superfluous, down to the oddities: a profile means what it has always meant.
type tree struct {
	root *choice
}

var (
	errConflict = errors.New("an earlier rule has the same conditions and another action")
	errEndless  = errors.New("trying the rules has no end")
)

// choice is a test in a tree, with what follows if it fails and if it holds.
type choice struct {
	test
	when        [2]branch
	left, right *choice // on the level
	gone        bool    // from the tree
}

// branch is what follows a test: an answer, or another level, or nothing.
type branch struct {
	answered bool
	answer   answer
	next     *choice // any choice of the level
}

// leads says that something follows.
func (b *branch) leads() bool { return b.answered || b.next != nil }

// Indexes of choice.when.
const (
	fails = iota
	holds
)

// outcomes are the two, in the order in which libseccomp looks at them.
var outcomes = [...]int{holds, fails}

// first gives the first choice of the level.
func (c *choice) first() *choice {
	for c.left != nil {
		c = c.left
	}
	return c
}

// all gives the choices of the level, in the order in which they are tried.
func (c *choice) all() []*choice {
	var all []*choice
	for x := c.first(); x != nil; x = x.right {
		all = append(all, x)
	}
	return all
}

// leaf says that no further test follows.
func (c *choice) leaf() bool { return c.when[fails].next == nil && c.when[holds].next == nil }

// dead says that nothing at all follows.
func (c *choice) dead() bool { return !c.when[fails].leads() && !c.when[holds].leads() }

// add adds a rule. After an error the tree is of no more use.
func (t *tree) add(path *choice, answer answer) error {
	if t.root == nil {
		t.root = path
		return nil
	}
	var found overlap
	switch pruned := t.prune(t.root, path, answer, &found); {
	case t.root == nil:
		t.root = path
		return nil
	case !pruned && found.matched && found.oldEnds && found.newLonger:
		return nil // a shorter rule says it already
	}
	return insert(&t.root, path)
}

// insert puts a path on a level: before the first test that comes after its own,
// or into the choice that makes the same test.
func insert(level **choice, path *choice) error {
	x := *level
	for !x.same(&path.test) {
		switch {
		case x.after(&path.test):
			return insertBefore(level, x, path)
		case x.right == nil:
			path.left, x.right = x, path
			return endless(path)
		}
		x = x.right
	}
	if err := mergeAnswers(x, path); err != nil {
		return err
	}
	return mergeNext(x, path)
}

func insertBefore(level **choice, x, path *choice) error {
	if x.left != nil {
		x.left.right, path.left = path, x.left
	}
	x.left, path.right = path, x
	if *level == x {
		*level = path
	}
	return endless(path)
}

// endless finds out whether trying the choices of a level has no end. A choice
// that follows two tests can be put on two levels, which thereby become one.
func endless(c *choice) error {
	for x := c.left; x != nil; x = x.left {
		if x == c {
			return errEndless
		}
	}
	for x := c.right; x != nil; x = x.right {
		if x == c {
			return errEndless
		}
	}
	return nil
}

// mergeAnswers gives a choice the answers of a path that begins with its test.
func mergeAnswers(x, path *choice) error {
	for _, w := range outcomes {
		old, now := &x.when[w], &path.when[w]
		switch {
		case !now.answered:
		case !old.answered:
			if !onlyAnswer(old.next, now.answer) {
				return errConflict
			}
			*old = branch{answered: true, answer: now.answer}
		case old.answer != now.answer:
			// The high half is greater than that of two numbers, which
			// may differ in the low half.
			if w == holds && x.high() && path.whole > x.whole {
				old.answer = now.answer
			}
			if x.leaf() || path.leaf() {
				return errConflict
			}
		}
	}
	return nil
}

// mergeNext merges what follows a choice with what follows a path that begins with
// its test.
func mergeNext(x, path *choice) error {
	for _, w := range outcomes {
		old, now := &x.when[w], &path.when[w]
		switch {
		case now.next == nil:
		case old.next != nil:
			if err := insert(&old.next, now.next); err != nil {
				return err
			}
		case old.answered:
			return nil // the older rule is shorter
		default:
			old.next = now.next
		}
	}
	return nil
}

// onlyAnswer says that a level leads to no other answer.
func onlyAnswer(level *choice, answer answer) bool {
	if level == nil {
		return true
	}
	for x := level.first(); x != nil; x = x.right {
		for _, w := range outcomes {
			b := &x.when[w]
			if b.answered && b.answer != answer || !onlyAnswer(b.next, answer) {
				return false
			}
		}
	}
	return true
}
