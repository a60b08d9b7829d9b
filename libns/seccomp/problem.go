package seccomp

import (
	"errors"
	"fmt"

	"github.com/opencontainers/runtime-spec/specs-go"
)

// Problem is something about a profile that makes it impossible to compile.
type Problem struct {
	Field string // such as "linux.seccomp.syscalls[3]"
	Text  string
}

// Error gives the field and what is wrong with it.
func (p Problem) Error() string { return p.Field + ": " + p.Text }

// problem makes a problem of an error that concerns an element of an array of
// linux.seccomp.
func problem(array string, index int, err error) error {
	return Problem{fmt.Sprintf("linux.seccomp.%s[%d]", array, index), err.Error()}
}

// Check gives everything that keeps a profile from being compiled. A caller that
// compiles it anyway need not check it before: the error of [Compile] is the first
// of these.
func Check(profile *specs.LinuxSeccomp, native Arch, options Options) []Problem {
	var problems []Problem
	note := func(err error) bool {
		var p Problem
		if errors.As(err, &p) {
			problems = append(problems, p)
		}
		return err == nil
	}
	archs, err := architectures(profile, native)
	sound := note(err)
	_, err = filterFlags(profile, false, options)
	note(err)
	policy, err := newPolicy(profile)
	if note(err) && sound {
		_, err = compile(policy, archs)
		note(err)
	}
	return problems
}
