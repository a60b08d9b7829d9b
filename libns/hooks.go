package libns

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"time"

	specs "github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"

	"rt/libns/kernel"
	"rt/libns/plan"
	"rt/libns/seccomp"
	"rt/spec"
)

// hookRun is one hook about to run for a container.
type hookRun struct {
	plan.RunHook
	config *spec.Config
	id     string
	status Status
	pid    int // the container's first process, 0 when there is none any more
}

// state is what a hook reads on its standard input (runtime.md, "State").
func (h *hookRun) state(pid int) ([]byte, error) {
	return encodeState(ociState(h.config, h.id, h.status, pid))
}

// ociState is what others are told about a container (runtime.md, "State").
func ociState(config *spec.Config, id string, status Status, pid int) specs.State {
	return specs.State{
		Version:     specs.Version,
		ID:          id,
		Status:      specs.ContainerState(status),
		Pid:         pid,
		Bundle:      config.Bundle,
		Annotations: config.Annotations,
	}
}

// encodeState gives a state as JSON on one line, with slashes and angle brackets
// as they are.
func encodeState(state any) ([]byte, error) {
	var b bytes.Buffer
	encoder := json.NewEncoder(&b)
	encoder.SetEscapeHTML(false)
	err := encoder.Encode(state)
	return b.Bytes(), err
}

// timeout is how long the hook may take, 0 for as long as it likes.
func (h *hookRun) timeout() time.Duration {
	if h.Hook.Timeout == nil {
		return 0
	}
	return time.Duration(*h.Hook.Timeout) * time.Second
}

// outputs are what the hook's stdout and stderr go to.
func (h *hookRun) outputs() (stdout, stderr *record, err error) {
	if stdout, err = newRecord(h.Stdout); err != nil {
		return nil, nil, fmt.Errorf("stdout of hooks: %w", err)
	}
	if stderr, err = newRecord(h.Stderr); err != nil {
		stdout.close()
		return nil, nil, fmt.Errorf("stderr of hooks: %w", err)
	}
	return stdout, stderr, nil
}

// failed explains how a hook ended, with what it said.
func (h *hookRun) failed(err error, stdout, stderr fmt.Stringer) error {
	return fmt.Errorf("error running %s hook #%d: %w, stdout: %s, stderr: %s", h.Kind, h.Index, err,
		strings.TrimSpace(stdout.String()), strings.TrimSpace(stderr.String()))
}

// onHost runs a hook in the runtime's namespaces, in the bundle's directory.
// Without an environment of its own it has the runtime's.
func (h *hookRun) onHost() error {
	state, err := h.state(h.pid)
	if err != nil {
		return err
	}
	// Nothing that the caller lent to rt, perhaps to pass it on to the
	// container, is the hook's.
	if err := unix.CloseRange(3, ^uint(0), unix.CLOSE_RANGE_CLOEXEC); err != nil && err != unix.EINVAL && err != unix.ENOSYS {
		return os.NewSyscallError("close_range", err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	stdout, stderr, err := h.outputs()
	if err != nil {
		return err
	}
	defer stdout.close()
	defer stderr.close()
	command := exec.CommandContext(ctx, h.Hook.Path)
	if limit := h.timeout(); limit > 0 {
		// What the hook has started ends with it: a hook is often a shell, which
		// waits for the program that hangs.
		command.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
		command.Cancel = func() error { return unix.Kill(-command.Process.Pid, unix.SIGKILL) }
		timer := time.AfterFunc(limit, cancel)
		defer timer.Stop()
	}
	command.Args = hookArgs(h.Hook)
	command.Dir = h.config.Bundle
	command.Stdin = bytes.NewReader(state)
	command.Stdout, command.Stderr = stdout, stderr
	if h.Hook.Env != nil {
		command.Env = h.Hook.Env
	}
	// A process that the hook left behind may hold the pipes open.
	command.WaitDelay = outputDelay
	err = command.Run()
	switch {
	case errors.Is(err, exec.ErrWaitDelay):
		return nil
	case err == nil:
		return nil
	case ctx.Err() != nil:
		err = h.tooLong()
	}
	return h.failed(err, stdout, stderr)
}

// outputDelay is how long a hook's output is waited for after its end.
const outputDelay = 100 * time.Millisecond

func (h *hookRun) tooLong() error {
	return fmt.Errorf("hook ran past specified timeout of %.1fs", h.timeout().Seconds())
}

func hookArgs(hook specs.Hook) []string {
	if len(hook.Args) == 0 {
		return []string{hook.Path}
	}
	return hook.Args
}

// inside runs a hook in the namespaces of the container's first process, which
// stands still meanwhile. container is the request that the container was made of,
// as far as it is not the hook's own.
func (h *hookRun) inside(container plan.Request) error {
	init, err := identify(h.pid)
	if err != nil {
		return err
	}
	target, err := init.open()
	if err != nil {
		return err
	}
	defer unix.Close(target)
	request := &plan.HookRequest{RunHook: h.RunHook}
	request.Config, request.ID, request.Dir = h.config, h.id, container.Dir
	request.Facts, request.Cgroup, request.Filter = container.Facts, container.Cgroup, container.Filter
	request.Init = h.pid
	if request.Join, err = foreignNamespaces(h.pid); err != nil {
		return err
	}
	if request.Join&unix.CLONE_NEWUSER != 0 {
		if request.IDMap, err = idMapOf(h.pid); err != nil {
			return err
		}
	}
	state, err := h.state(pidInside(h.pid))
	if err != nil {
		return err
	}
	p, err := plan.ForHook(request)
	if err != nil {
		return err
	}
	return h.carryOut(&driver{
		request: &Request{Request: request.Request}, plan: p, program: p, target: target, status: h.status, first: h.pid,
	}, state)
}

// carryOut starts the hook's init stage with pipes for stdio and waits for its
// program.
func (h *hookRun) carryOut(d *driver, state []byte) error {
	defer d.close()
	stdout, stderr, err := h.outputs()
	if err != nil {
		return err
	}
	defer stdout.close()
	defer stderr.close()
	pipes, err := newPipes(state, stdout, stderr)
	if err != nil {
		return err
	}
	d.stdio = pipes.files()
	if err := d.carryOut(); err != nil {
		pipes.close()
		return errors.Join(h.failed(err, stdout, stderr), d.undo())
	}
	pipes.started()
	err = h.await(&d.child)
	pipes.drain()
	if err != nil {
		return h.failed(err, stdout, stderr)
	}
	return nil
}

// await waits for the hook's end, at most until its timeout.
func (h *hookRun) await(c *child) error {
	if limit := h.timeout(); limit > 0 {
		ended, err := poll(c.pidfd, unix.POLLIN, time.Now().Add(limit))
		if err != nil || !ended {
			c.kill()
			return errors.Join(err, h.tooLong())
		}
	}
	status, err := reap(c.pid)
	c.close()
	switch {
	case err != nil:
		return err
	case status.Signaled():
		return fmt.Errorf("signal: %v", status.Signal())
	case status.ExitStatus() != 0:
		return fmt.Errorf("exit status %d", status.ExitStatus())
	}
	return nil
}

// pidInside is the number of a process in its own pid namespace (NSpid of
// proc_pid_status(5)).
func pidInside(pid int) int {
	status, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/status")
	if err != nil {
		return pid
	}
	for line := range strings.Lines(string(status)) {
		if list, ok := strings.CutPrefix(line, "NSpid:"); ok {
			numbers := strings.Fields(list)
			if inner, err := strconv.Atoi(numbers[len(numbers)-1]); err == nil {
				return inner
			}
		}
	}
	return pid
}

// runHook carries out a hook's step of the plan.
func (d *driver) runHook(a plan.RunHook) error {
	h := &hookRun{RunHook: a, config: d.request.Config, id: d.request.ID, pid: d.child.pid, status: hookStatus(a.Kind)}
	if a.Kind.Inside() {
		return h.inside(d.request.Request)
	}
	return h.onHost()
}

// hookStatus is the container's status as a hook of each kind is told.
func hookStatus(kind plan.HookKind) Status {
	switch kind {
	case plan.StartContainer:
		return Created
	case plan.Poststart:
		return Running
	case plan.Poststop:
		return Stopped
	default: // before the container is made up
		return Creating
	}
}

// Hooks is where a container's hooks are written down, for a process that did
// not make the container.
type Hooks struct {
	Config *spec.Config
	Facts  kernel.Facts
	Filter *seccomp.Filter // as in [plan.Request]
}

// RunHooks runs all hooks of one kind for a container that exists or, for
// poststop, existed. The first failure ends it, except for poststop: those are
// all run, and what failed is returned together (runtime.md, "Lifecycle").
func (c *Container) RunHooks(kind plan.HookKind, hooks *Hooks) error {
	var errs []error
	for _, hook := range plan.HooksOf(hooks.Config, kind) {
		h := &hookRun{
			RunHook: hook,
			config:  hooks.Config, id: c.ID, pid: c.Init.PID, status: hookStatus(kind),
		}
		if kind == plan.Poststop {
			h.pid = 0
		}
		var err error
		if kind.Inside() {
			err = h.inside(plan.Request{Dir: c.Dir, Cgroup: c.Cgroup, Facts: hooks.Facts, Filter: hooks.Filter})
		} else {
			err = h.onHost()
		}
		if err != nil && kind != plan.Poststop {
			return err
		}
		errs = append(errs, err)
	}
	return errors.Join(errs...)
}
