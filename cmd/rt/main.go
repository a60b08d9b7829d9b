//go:debug containermaxprocs=0
//go:debug updatemaxprocs=0

// Command rt is an OCI container runtime: it makes containers out of bundles and
// looks after them. It is called like runc and crun; `rt plan` is its own.
//
// Each verb has a file of its own here, with its flags and a short script over
// the packages that do the work.
package main

// The two directives above keep Go's runtime from holding descriptors of its
// cgroup's files open, among those that the caller passes on, and from looking
// at them again and again.

import (
	"errors"
	"fmt"
	"io"
	"os"

	"rt/libns"
	"rt/state"
)

func main() {
	os.Exit(newTool(os.Stdout, os.Stderr).run(os.Args))
}

// tool is one invocation of rt.
type tool struct {
	options
	store  *state.Store
	log    *log
	trace  tracing
	stdout io.Writer
}

func newTool(stdout, stderr io.Writer) *tool {
	return &tool{log: &log{stderr: stderr, format: textFormat}, stdout: stdout}
}

// exitCode is the error of a foreground run whose program ended with another
// code than 0: nothing has to be said about it.
type exitCode int

func (e exitCode) Error() string { return fmt.Sprintf("exit code %d", int(e)) }

// errUnexecuted is said of a foreground process that ended by a signal before its
// program was executed. The exit code is that of the signal.
var errUnexecuted = errors.New("killed before its program could be executed: does the seccomp filter (linux.seccomp) forbid execve?")

// notExecutedCode is the exit code of a container's process that could not
// execute its program, and said so itself, and so that of the run.
const notExecutedCode = 255

// execFailedCode is the exit code of an exec in which rt failed: the others may
// be the program's own.
const execFailedCode = 255

// run carries out a command line and returns rt's exit code.
func (t *tool) run(args []string) int {
	app := t.appFor(args)
	err := errors.Join(app.Run(arrange(app, args)), t.endTrace())
	var code exitCode
	var notExecuted *libns.ExecError
	var execFailed execError
	switch {
	case err == nil:
		return 0
	case errors.As(err, &code):
		return int(code)
	case errors.As(err, &notExecuted) && notExecuted.Told():
		t.log.record(err)
		return notExecutedCode
	case errors.As(err, &execFailed):
		t.log.failure(err)
		return execFailedCode
	default:
		t.log.failure(err)
		return 1
	}
}
