package seccomp

import (
	"fmt"

	"github.com/opencontainers/runtime-spec/specs-go"
)

// policy is a profile with names resolved and its rules sorted by system call.
type policy struct {
	defaultAnswer answer
	// enosys says that calls newer than those named get ENOSYS.
	enosys bool
	notify bool
	calls  []call               // in the order in which the profile first names them
	index  [len(syscalls)]int32 // of a call in calls, by its row; none if it is not there
	rules  []rule               // in the order of the profile
}

// call is a system call that the profile names. Its rules are a list in the
// order of the profile: each has the index of the next.
type call struct {
	row         row
	family      family // with its operation there: see multiplexed
	operation   uint64
	first, last int32 // into policy.rules; none if it has no rules
}

// none is the index of no rule and no call.
const none = -1

// rule is an answer for a system call if all conditions hold. There is at most
// one condition on each argument.
type rule struct {
	answer     answer
	conditions []condition
	call       int32 // into policy.calls
	next       int32 // the call's next rule, or none
	source     int32 // index in linux.seccomp.syscalls
}

// newPolicy reads a profile the way runc does.
func newPolicy(profile *specs.LinuxSeccomp) (*policy, error) {
	byDefault, err := newAnswer(profile.DefaultAction, profile.DefaultErrnoRet)
	if err != nil {
		return nil, Problem{"linux.seccomp.defaultAction", err.Error()}
	}
	p := &policy{
		defaultAnswer: byDefault,
		enosys:        !permissive(profile.DefaultAction),
	}
	names := 0
	for i := range profile.Syscalls {
		names += len(profile.Syscalls[i].Names)
	}
	p.calls, p.rules = make([]call, 0, min(names, len(syscalls))), make([]rule, 0, names)
	for row := range p.index {
		p.index[row] = none
	}
	for i := range profile.Syscalls {
		if err := p.add(&profile.Syscalls[i], int32(i)); err != nil {
			return nil, problem("syscalls", i, err)
		}
	}
	return p, nil
}

// add adds what one entry of linux.seccomp.syscalls says. An entry whose action
// is the default has no rules, but its names count as known.
func (p *policy) add(entry *specs.LinuxSyscall, source int32) error {
	entryAnswer, err := newAnswer(entry.Action, entry.ErrnoRet)
	if err != nil {
		return err
	}
	p.notify = p.notify || entry.Action == specs.ActNotify
	alternatives, err := newConditions(entry.Args)
	if err != nil {
		return err
	}
	for _, name := range entry.Names {
		row, found := findSyscall(name)
		if !found {
			continue
		}
		call := p.call(row)
		if entryAnswer == p.defaultAnswer {
			continue
		}
		for _, conditions := range alternatives {
			p.append(rule{answer: entryAnswer, conditions: conditions, call: call, source: source})
		}
	}
	return nil
}

// call gives the index of a system call, new or old.
func (p *policy) call(row row) int32 {
	i := p.index[row]
	if i == none {
		i = int32(len(p.calls))
		family, operation := multiplexed(syscalls[row].name)
		p.calls = append(p.calls, call{row: row, family: family, operation: operation, first: none, last: none})
		p.index[row] = i
	}
	return i
}

func (p *policy) append(r rule) {
	i := int32(len(p.rules))
	r.next = none
	p.rules = append(p.rules, r)
	call := &p.calls[r.call]
	if call.first == none {
		call.first = i
	} else {
		p.rules[call.last].next = i
	}
	call.last = i
}

// problem says what an error of combining a rule with earlier ones is about.
func (p *policy) problem(index int32, err error) error {
	r := &p.rules[index]
	return problem("syscalls", int(r.source), fmt.Errorf("%s: %w", syscalls[p.calls[r.call].row].name, err))
}
