package plan

import (
	"fmt"
	"strings"

	"golang.org/x/sys/unix"
)

// StepError says what was being done, for which part of the config, and what
// the kernel answered.
type StepError struct {
	Step    *Step  // what was being done; nil if the init stage named a call that the plan has not
	Field   string // the config's field and, in parentheses, its place: "mounts[3] (config.json:61)"; or ""
	Call    string // `fsconfig(fs, "size", "64x")`
	Op      Op     // the system call alone
	Err     error  // a unix.Errno, so that errors.Is(err, unix.EINVAL) holds although it happened in another process
	Kernel  string // the kernel's own words, if any: "tmpfs: Bad value for 'size'"
	Meaning string // what this failure means, when the errno alone would mislead
	Hint    string // what a person can do about it, if we know
}

// Error is one line:
//
//	mounts[3] (config.json:61): mount tmpfs on /dev/shm: fsconfig(fs, "size", "64x"): invalid argument (tmpfs: Bad value for 'size')
//
// A meaning stands in it word for word, instead of the call's arguments. One
// that ends with a colon is completed by the error: `exec: "/bin/sh":` becomes
// `exec: "/bin/sh": permission denied`.
func (e *StepError) Error() string {
	parts := []string{e.title(), e.what()}
	if e.Field != "" {
		parts = append([]string{e.Field}, parts...)
	}
	text := strings.Join(parts, ": ")
	if e.Kernel != "" {
		text += " (" + e.Kernel + ")"
	}
	if e.Hint != "" {
		text += "; " + e.Hint
	}
	return printable(text)
}

func (e *StepError) title() string {
	if e.Step == nil {
		return "init stage"
	}
	return e.Step.Title
}

// what says which call failed, and how.
func (e *StepError) what() string {
	switch {
	case e.Meaning == "":
		return fmt.Sprintf("%s: %v", e.Call, e.Err)
	case e.Op == OpIs || e.Op == OpIsNot:
		return e.Meaning // the errno is our own choice, not the kernel's word
	case strings.HasSuffix(e.Meaning, ":"):
		return fmt.Sprintf("%s %v (%v)", e.Meaning, e.Err, e.Op)
	}
	return fmt.Sprintf("%s (%v: %v)", e.Meaning, e.Op, e.Err)
}

// Unwrap gives the errno.
func (e *StepError) Unwrap() error { return e.Err }

// Explain turns the failure that the init stage reported into an error. m is
// the message's head and kernelText what came behind it. locate gives the place
// of a config field ("config.json:61"), or "" if it does not know; it may be nil.
func (p *Plan) Explain(m Message, kernelText string, locate func(field string) string) *StepError {
	call := int(m.Index)
	e := &StepError{Err: m.Errno, Kernel: kernelWords(kernelText)}
	if call < 0 || call >= len(p.Calls) {
		e.Call = fmt.Sprintf("call %d of %d", call, len(p.Calls))
		return e
	}
	e.Call = p.CallString(call)
	e.Op = p.Calls[call].Op
	e.Meaning = p.Calls[call].Meaning
	e.Hint = p.hint(call, m.Errno)
	if e.Step = p.stepOfCall(call); e.Step != nil {
		e.Field = located(e.Step.Field, locate)
	}
	return e
}

// CallFailed is the error of a system call that the parent made for a host step:
// call is how strace(1) would show it. For locate see [Plan.Explain].
func CallFailed(s *Step, op Op, call string, errno unix.Errno, locate func(field string) string) *StepError {
	return &StepError{
		Step: s, Field: located(s.Field, locate), Call: call, Op: op, Err: errno,
		Hint: hintFor(op, errno, func(hint) bool { return false }),
	}
}

// stepOfCall is the container step that a call belongs to.
func (p *Plan) stepOfCall(call int) *Step {
	for i := range p.Steps {
		s := &p.Steps[i]
		if s.Side == Container && call >= s.First && call < s.First+s.Count {
			return s
		}
	}
	return nil
}

// located is a field with its place.
func located(field string, locate func(string) string) string {
	if field == "" || locate == nil {
		return field
	}
	if place := locate(field); place != "" {
		return field + " (" + place + ")"
	}
	return field
}

// kernelWords makes one line of the messages of an fs context. Each begins with
// its kind: "e " is an error, "w " a warning, "i " for information. Where there
// are errors, only they are about the failure.
func kernelWords(text string) string {
	var errors, all []string
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		words := line
		if len(line) > 2 && line[1] == ' ' && strings.Contains("ewi", line[:1]) {
			words = line[2:]
		}
		if words == "" {
			continue
		}
		all = append(all, words)
		if strings.HasPrefix(line, "e ") {
			errors = append(errors, words)
		}
	}
	if len(errors) > 0 {
		all = errors
	}
	return strings.Join(all, "; ")
}
