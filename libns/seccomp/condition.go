package seccomp

import (
	"fmt"
	"math"

	"github.com/opencontainers/runtime-spec/specs-go"
)

// operator compares an argument with a value.
type operator uint8

const (
	equal operator = iota
	notEqual
	less
	lessOrEqual
	greater
	greaterOrEqual
	maskedEqual
)

// condition is a comparison of one argument of a call: argument & mask, operator,
// value. The mask is all ones but for maskedEqual.
type condition struct {
	argument uint8
	operator operator
	mask     uint64
	value    uint64
}

// maxArgument is the index of the last argument of a system call.
const maxArgument = 5

// newConditions gives the conditions of the rules that an entry stands for: each
// element is a rule, whose conditions must all hold. An entry that has two
// conditions on one argument stands for as many rules as it has conditions
// (a filter has no other way to say "or", and libseccomp refuses such a rule).
func newConditions(args []specs.LinuxSeccompArg) ([][]condition, error) {
	var conditions []condition
	var seen [maxArgument + 1]bool
	repeated := false
	for i, arg := range args {
		c, err := newCondition(arg)
		if err != nil {
			return nil, fmt.Errorf("args[%d]: %w", i, err)
		}
		repeated = repeated || seen[c.argument]
		seen[c.argument] = true
		conditions = append(conditions, c)
	}
	if !repeated {
		return [][]condition{conditions}, nil
	}
	var alternatives [][]condition
	for i := range conditions {
		alternatives = append(alternatives, conditions[i:i+1])
	}
	return alternatives, nil
}

func newCondition(arg specs.LinuxSeccompArg) (condition, error) {
	if arg.Index > maxArgument {
		return condition{}, fmt.Errorf("index must be from 0 to %d, got %d", maxArgument, arg.Index)
	}
	c := condition{argument: uint8(arg.Index), mask: math.MaxUint64, value: arg.Value}
	switch arg.Op {
	case specs.OpEqualTo:
		c.operator = equal
	case specs.OpNotEqual:
		c.operator = notEqual
	case specs.OpLessThan:
		c.operator = less
	case specs.OpLessEqual:
		c.operator = lessOrEqual
	case specs.OpGreaterThan:
		c.operator = greater
	case specs.OpGreaterEqual:
		c.operator = greaterOrEqual
	case specs.OpMaskedEqual:
		c.operator, c.mask, c.value = maskedEqual, arg.Value, arg.ValueTwo
	default:
		return condition{}, fmt.Errorf("unknown operator %q", arg.Op)
	}
	return c, nil
}
