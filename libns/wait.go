package libns

import (
	"errors"
	"os"
	"os/signal"
	"syscall"

	"golang.org/x/sys/unix"
)

// Wait stays with a foreground container until its program exits: signals are
// passed on, a terminal is connected, orphaned processes that the kernel hands
// to this process are reaped. It gives the program's exit code, or 128 plus the
// number of the signal that ended it.
func (c *NewContainer) Wait() (code int, err error) {
	stop := c.forwardSignals()
	defer stop()
	if c.terminal != nil {
		if err := c.terminal.connect(); err != nil {
			return 0, err
		}
		defer func() { err = errors.Join(err, c.terminal.disconnect()) }()
	}
	status, err := c.reapUntilEnd()
	if err != nil {
		return 0, err
	}
	if status.Signaled() {
		return 128 + int(status.Signal()), nil
	}
	return status.ExitStatus(), nil
}

// Release gives a detached container up: it goes on without this process.
func (c *NewContainer) Release() {
	c.child.close()
	if c.terminal != nil {
		c.terminal.close()
	}
}

func (c *NewContainer) reapUntilEnd() (unix.WaitStatus, error) {
	defer c.child.close()
	for {
		var status unix.WaitStatus
		pid, err := ignoringEINTR(func() (int, error) { return unix.Wait4(-1, &status, 0, nil) })
		if err != nil {
			return 0, os.NewSyscallError("wait4", err)
		}
		if pid == c.child.pid {
			return status, nil
		}
	}
}

// forwardSignals passes on what other processes send to the runtime. Not passed
// on are SIGCHLD (reaping), SIGWINCH (the terminal's), SIGURG (the Go runtime's
// own), and what cannot be caught.
func (c *NewContainer) forwardSignals() (stop func()) {
	received := make(chan os.Signal, 32)
	signal.Notify(received, forwarded()...)
	done := make(chan struct{})
	go func() {
		defer close(done)
		for s := range received {
			if number, ok := s.(syscall.Signal); ok {
				_ = unix.PidfdSendSignal(c.child.pidfd, number, nil, 0)
			}
		}
	}()
	return func() {
		signal.Stop(received)
		close(received)
		<-done
	}
}

func forwarded() []os.Signal {
	const last = 64 // SIGRTMAX
	var signals []os.Signal
	for s := unix.Signal(1); s <= last; s++ {
		switch s {
		case unix.SIGKILL, unix.SIGSTOP, unix.SIGCHLD, unix.SIGWINCH, unix.SIGURG:
		default:
			signals = append(signals, s)
		}
	}
	return signals
}
