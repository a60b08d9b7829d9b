package seccomp

// combination is what the rules for one call come to.
//
// The first rule without conditions decides, wherever it stands. Rules with
// conditions have a say only where there is none without.
type combination struct {
	decided bool
	answer  answer
	tree    tree
}

// add adds a rule on an architecture of some width.
func (c *combination) add(r *rule, wide bool) error {
	if c.decided {
		return nil
	}
	path := newPath(r, wide)
	if path == nil {
		*c = combination{decided: true, answer: r.answer}
		return nil
	}
	return c.tree.add(path, r.answer)
}
