package seccomp

// overlap is how a new path compares with the paths of a tree, on the way from the
// root to where the comparison is.
type overlap struct {
	matched   bool // they make the same test here
	touched   bool // they did so above
	oldEnds   bool // the tree makes no test after it
	newEnds   bool // the path makes none
	oldLonger bool // the tree makes tests before it that the path does not make
	newLonger bool // the path makes tests before it that the tree does not make
}

func (o *overlap) merge(other overlap) {
	o.matched = o.matched || other.matched
	o.touched = o.touched || other.touched
	o.oldEnds = o.oldEnds || other.oldEnds
	o.newEnds = o.newEnds || other.newEnds
	o.oldLonger = o.oldLonger || other.oldLonger
	o.newLonger = o.newLonger || other.newLonger
}

// pruning is one search for what a new path makes superfluous: paths that come to
// the same answer by the same tests, but only after others.
type pruning struct {
	tree   *tree
	answer answer
	pruned bool
}

// prune takes the paths that a new one makes superfluous out of a level of the
// tree. It says whether there were any, and how the rest compares.
func (t *tree) prune(level, path *choice, answer answer, found *overlap) bool {
	p := pruning{tree: t, answer: answer}
	p.level(level, path, found)
	return p.pruned
}

func (p *pruning) level(level, path *choice, found *overlap) {
	now := *found
	p.choices(level, path, *found, &now)
	if now.matched {
		found.merge(now)
	} else {
		found.matched = false
	}
}

// choices compares a path with the choices of a level until it is clear what the
// level has to do with it.
func (p *pruning) choices(level, path *choice, above overlap, now *overlap) {
	if level == nil || path == nil || above.touched && !above.matched {
		return
	}
	var right *choice
	for x := level.first(); x != nil; x = right {
		right = x.right // before x is taken out
		var done bool
		switch {
		case x.same(&path.test):
			done = p.same(x, path, above, now)
		case x.after(&path.test):
			done = above.newLonger || p.skipOld(x, path, above, now)
		default:
			done = above.oldLonger || p.skipNew(x, path, above, now)
		}
		if done {
			return
		}
	}
	now.matched = false
}

// skipOld compares a path with what follows a choice, as if the choice were not
// there.
func (p *pruning) skipOld(x, path *choice, above overlap, now *overlap) (done bool) {
	for _, w := range outcomes {
		if next := x.when[w].next; next != nil && !x.gone && !done {
			deeper := above
			deeper.matched, deeper.oldLonger = false, true
			done = p.deeper(next, path, deeper, now)
		}
	}
	return done
}

// skipNew compares the rest of a path with a level, as if its first test were not
// there.
func (p *pruning) skipNew(x, path *choice, above overlap, now *overlap) (done bool) {
	for _, w := range outcomes {
		if next := path.when[w].next; next != nil && !x.gone && !done {
			deeper := above
			deeper.matched, deeper.newLonger = false, true
			done = p.deeper(x, next, deeper, now)
		}
	}
	return done
}

func (p *pruning) deeper(level, path *choice, found overlap, now *overlap) (matched bool) {
	p.level(level, path, &found)
	if found.matched {
		now.merge(found)
	}
	return found.matched
}

// same compares a path with a choice that makes its first test.
func (p *pruning) same(x, path *choice, above overlap, now *overlap) (done bool) {
	now.merge(overlap{matched: true, touched: true, oldEnds: x.leaf(), newEnds: path.leaf()})
	if !comparable(x, path, now) {
		return true
	}
	for _, w := range outcomes {
		if path.when[w].next == nil {
			continue
		}
		deeper := above
		deeper.matched, deeper.touched = true, true
		p.deeper(x.when[w].next, path.when[w].next, deeper, now)
		if x.gone {
			return false
		}
	}
	switch {
	case !now.matched || !onlyAnswer(x, p.answer):
		return false
	case now.newEnds && now.oldLonger:
		p.pruned = remove(&p.tree.root, x) || p.pruned
		return p.tree.root == nil
	}
	return now.oldEnds && now.newLonger
}

// comparable says that a choice leads nowhere that the path does not, and, where
// both have come to an end, to the same answers.
func comparable(x, path *choice, now *overlap) bool {
	for w := range x.when {
		old, new := &x.when[w], &path.when[w]
		switch {
		case old.leads() && !new.leads():
			return false
		case now.newEnds && now.oldEnds && (old.answered != new.answered || old.answer != new.answer):
			return false
		}
	}
	return true
}

// remove takes a choice out of a level and those below it, and with it the choices
// that lose all that followed them. It ends with the first that was alone on its
// level, which is gone, and says whether there was one: a choice that follows
// several tests is taken out of one place after the other.
func remove(level **choice, x *choice) (gone bool) {
	if *level == nil {
		return false
	}
	for c := (*level).first(); c != nil && !gone; c = c.right {
		if c != x {
			for _, w := range outcomes {
				gone = remove(&c.when[w].next, x) || gone
			}
		}
		if c == x || c.dead() {
			return c.unlink(level) || gone
		}
	}
	return gone
}

func (c *choice) unlink(level **choice) (gone bool) {
	c.gone = c.left == nil && c.right == nil
	if *level == c {
		*level = c.left
		if c.left == nil {
			*level = c.right
		}
	}
	if c.left != nil {
		c.left.right = c.right
	}
	if c.right != nil {
		c.right.left = c.left
	}
	c.left, c.right = nil, nil
	return c.gone
}
