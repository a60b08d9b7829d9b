package libns

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/sys/unix"

	"rt/libns/plan"
)

// The two FIFOs of a created container. The init stage holds both open: it
// reads the gate, and says on the result pipe why the program could not be
// executed. execve closes them, which tells the rest.
const (
	gateName   = "gate"
	resultName = "result"
)

func gatePath(dir string) string   { return filepath.Join(dir, gateName) }
func resultPath(dir string) string { return filepath.Join(dir, resultName) }

// makeGate makes both FIFOs and opens them, for the init stage to inherit.
func makeGate(dir string) (gate, result *os.File, err error) {
	open := func(path string) *os.File {
		if err != nil {
			return nil
		}
		if err = unix.Mkfifo(path, 0o600); err != nil {
			err = &os.PathError{Op: "mkfifo", Path: path, Err: err}
			return nil
		}
		var f *os.File
		f, err = os.OpenFile(path, os.O_RDWR|unix.O_CLOEXEC, 0)
		return f
	}
	gate, result = open(gatePath(dir)), open(resultPath(dir))
	if err != nil && gate != nil {
		gate.Close()
	}
	return gate, result, err
}

// gateHeld reports whether an init stage waits at the gate: only with a reader
// can a FIFO be opened for writing at once.
func gateHeld(dir string) bool {
	gate, err := unix.Open(gatePath(dir), unix.O_WRONLY|unix.O_NONBLOCK|unix.O_CLOEXEC, 0)
	if err != nil {
		return false
	}
	unix.Close(gate)
	return true
}

// Start lets a created container execute its program. It returns when that has
// happened, or with the reason why it could not. hooks, if not nil, are run
// before and after: a container whose hooks fail does not go on living.
func (c *Container) Start(hooks *Hooks) error {
	switch status := c.Status(); status {
	case Created:
	case Stopped:
		return errors.New("cannot start a container that has stopped")
	case Running:
		return errors.New("cannot start an already running container")
	default:
		return fmt.Errorf("cannot start a container in the %s state", status)
	}
	if err := c.runOrKill(hooks, plan.StartContainer); err != nil {
		return err
	}
	if err := c.passGate(); err != nil {
		return err
	}
	return c.runOrKill(hooks, plan.Poststart)
}

// runOrKill runs the hooks of one kind, and ends the container if one fails.
func (c *Container) runOrKill(hooks *Hooks, kind plan.HookKind) error {
	if hooks == nil {
		return nil
	}
	err := c.RunHooks(kind, hooks)
	if err == nil {
		return nil
	}
	if killErr := c.Init.signal(unix.SIGKILL); !errors.Is(killErr, errGone) {
		err = errors.Join(err, killErr)
	}
	return errors.Join(err, c.Init.waitGone(time.Now().Add(killDeadline)))
}

// passGate opens the gate and waits for what comes of it.
func (c *Container) passGate() error {
	// The result pipe is opened first: what is written to it before anybody
	// reads would be lost.
	result, err := unix.Open(resultPath(c.Dir), unix.O_RDONLY|unix.O_NONBLOCK|unix.O_CLOEXEC, 0)
	if err != nil {
		return &os.PathError{Op: "open", Path: resultPath(c.Dir), Err: err}
	}
	defer unix.Close(result)
	if err := openGate(c.Dir); err != nil {
		return err
	}
	if err := c.awaitExec(result); err != nil {
		return err
	}
	return removeGate(c.Dir)
}

func openGate(dir string) error {
	gate, err := unix.Open(gatePath(dir), unix.O_WRONLY|unix.O_NONBLOCK|unix.O_CLOEXEC, 0)
	if err == unix.ENXIO {
		return errors.New("cannot start a container that has stopped")
	}
	if err != nil {
		return &os.PathError{Op: "open", Path: gatePath(dir), Err: err}
	}
	defer unix.Close(gate)
	if _, err := unix.Write(gate, []byte{1}); err != nil {
		return &os.PathError{Op: "write", Path: gatePath(dir), Err: err}
	}
	return nil
}

// awaitExec reads the result pipe: its end means that execve closed it.
func (c *Container) awaitExec(result int) error {
	if err := unix.SetNonblock(result, false); err != nil {
		return err
	}
	report := make([]byte, plan.MaxReport)
	n, err := ignoringEINTR(func() (int, error) { return unix.Read(result, report) })
	if err != nil {
		return fmt.Errorf("read the result of start: %w", err)
	}
	if n == 0 {
		return nil
	}
	m, _, ok := plan.ParseMessage(report[:n])
	if !ok || m.Kind != plan.MessageFailure {
		return errors.New("the init stage sent something that is no report")
	}
	return fmt.Errorf("exec %s: %w", c.Program, m.Errno)
}

// removeGate takes the FIFOs away, once nobody waits at them.
func removeGate(dir string) error {
	for _, path := range []string{gatePath(dir), resultPath(dir)} {
		if err := unix.Unlink(path); err != nil && err != unix.ENOENT {
			return &os.PathError{Op: "unlink", Path: path, Err: err}
		}
	}
	return nil
}

func ignoringEINTR(f func() (int, error)) (int, error) {
	for {
		n, err := f()
		if err != unix.EINTR {
			return n, err
		}
	}
}
