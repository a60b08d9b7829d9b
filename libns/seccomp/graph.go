package seccomp

// node identifies a node of a graph.
type node int32

// opcode is what a node does.
type opcode uint8

const (
	opReturn         opcode = iota // give the answer in value
	opEqual                        // word & mask == value
	opGreater                      // word > value
	opGreaterOrEqual               // word >= value
	opAnySet                       // word & value != 0
)

// fullMask means that a whole word is compared.
const fullMask = 0xffffffff

// decision is one node: a test of a 32-bit word of struct seccomp_data and where
// to go on, or an answer. A mask other than fullMask goes with opEqual only.
type decision struct {
	op      opcode
	offset  uint8 // of the word in seccomp_data
	mask    uint32
	value   uint32
	yes, no node
}

// graph is a program in the making: decisions without cycles, in which a node's
// successors are older than the node. No two nodes are equal, so what is the
// same for several calls or architectures is there once.
type graph struct {
	nodes []decision
	known map[decision]node
}

func newGraph() *graph {
	return &graph{nodes: make([]decision, 0, 512), known: make(map[decision]node, 512)}
}

// answer gives the node that ends with an answer.
func (g *graph) answer(a answer) node {
	return g.intern(decision{op: opReturn, value: uint32(a)})
}

// test gives a node that makes a test, or simply its successor where the test
// decides nothing.
func (g *graph) test(d decision) node {
	always, never := foregone(d)
	switch {
	case d.yes == d.no || always:
		return d.yes
	case never:
		return d.no
	case d.op == opEqual && d.mask != fullMask:
		d = withoutMask(d)
	}
	return g.intern(d)
}

// foregone says whether a test comes out the same for every word.
func foregone(d decision) (always, never bool) {
	switch d.op {
	case opEqual:
		return d.mask == 0 && d.value == 0, d.value&^d.mask != 0
	case opGreaterOrEqual:
		return d.value == 0, false
	case opGreater:
		return false, d.value == fullMask
	}
	return false, false
}

// withoutMask expresses a masked comparison as one that leaves the accumulator
// alone, if it can: the next test of the same word then need not load it again.
func withoutMask(d decision) decision {
	switch {
	case d.value == 0:
		d.op, d.value, d.yes, d.no = opAnySet, d.mask, d.no, d.yes
	case d.value == d.mask && d.mask&(d.mask-1) == 0:
		d.op = opAnySet
	default:
		return d
	}
	d.mask = fullMask
	return d
}

func (g *graph) intern(d decision) node {
	if n, ok := g.known[d]; ok {
		return n
	}
	n := node(len(g.nodes))
	g.nodes = append(g.nodes, d)
	g.known[d] = n
	return n
}
