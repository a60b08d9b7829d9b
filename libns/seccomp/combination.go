package seccomp

import "errors"

// combination is what the rules for one call come to.
//
// The first rule without conditions decides, wherever it stands. Rules with
// conditions have a say only where there is none without.
type combination struct {
	wide    bool // 64-bit arguments
	decided bool
	answer  answer
	rules   []*rule // with conditions
	tree    tree    // of their paths
	// inOrder says that the rules are tried one after the other instead. It is
	// for those that make the tree endless, from which libseccomp never comes
	// back, though they may be as clear as two that demand that one argument
	// be less than a number and differ in another argument.
	inOrder bool
}

// add adds a rule.
func (c *combination) add(r *rule) error {
	if c.decided {
		return nil
	}
	path := r.path(c.wide)
	if path == nil {
		*c = combination{decided: true, answer: r.answer}
		return nil
	}
	c.rules = append(c.rules, r)
	if c.inOrder {
		return nil
	}
	err := c.tree.add(path, r.answer)
	if errors.Is(err, errEndless) {
		c.inOrder = true
		return nil
	}
	return err
}
