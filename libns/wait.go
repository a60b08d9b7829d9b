package libns

import (
	"errors"
	"fmt"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"rt/libns/plan"
)

// Process is a process in a container, started by this one, its parent.
type Process struct {
	child      child
	terminal   *terminal      // of a foreground process that has one
	filtered   bool           // by seccomp
	unexecuted bool           // it was killed before it executed its program
	signals    chan os.Signal // what was sent to the runtime since the program may run, if that was caught
}

// Wait stays with a foreground process until it exits: signals are
// passed on, a terminal is connected, orphaned processes that the kernel hands
// to this process are reaped. It gives the program's exit code, or 128 plus the
// number of the signal that ended it.
func (p *Process) Wait() (code int, err error) {
	p.forwardSignals()
	if p.terminal != nil {
		if err := p.terminal.connect(); err != nil {
			return 0, err
		}
		defer func() { err = errors.Join(err, p.terminal.disconnect()) }()
	}
	status, err := p.reapUntilEnd()
	if err != nil {
		return 0, err
	}
	if status.Signaled() {
		return 128 + int(status.Signal()), nil
	}
	return status.ExitStatus(), nil
}

// Executed reports whether the process lived to execute its program, after
// [Process.Wait]. A seccomp filter may kill it before: execve(2), too, is a
// system call that it decides about.
func (p *Process) Executed() bool { return !p.unexecuted }

// Release gives a detached process up: it goes on without its parent.
func (p *Process) Release() {
	p.child.close()
	if p.terminal != nil {
		p.terminal.close()
	}
}

func (p *Process) reapUntilEnd() (unix.WaitStatus, error) {
	for {
		if err := p.lookBeforeReaping(); err != nil {
			return 0, err
		}
		var status unix.WaitStatus
		pid, err := ignoringEINTR(func() (int, error) { return unix.Wait4(-1, &status, 0, nil) })
		if err != nil {
			return 0, os.NewSyscallError("wait4", err)
		}
		if pid == p.child.pid {
			return status, nil
		}
	}
}

// lookBeforeReaping waits until some child has ended. If it is this process, and
// something killed it, its name still says whether it was the init stage then.
func (p *Process) lookBeforeReaping() error {
	if !p.filtered {
		return nil
	}
	if _, err := ended(unix.P_ALL, 0, 0); err != nil {
		return err
	}
	info, err := ended(unix.P_PIDFD, p.child.pidfd, unix.WNOHANG)
	if err != nil || info.Signo == 0 {
		return err
	}
	const exited = 1 // CLD_EXITED, sigaction(2)
	if info.Code != exited {
		name, _ := os.ReadFile(fmt.Sprintf("/proc/%d/comm", p.child.pid))
		p.unexecuted = strings.TrimSuffix(string(name), "\n") == plan.StageName
	}
	return nil
}

// ended waits for the end of a child, and leaves it to be reaped.
func ended(idType, id, options int) (*unix.Siginfo, error) {
	var info unix.Siginfo
	_, err := ignoringEINTR(func() (int, error) {
		return 0, unix.Waitid(idType, id, &info, unix.WEXITED|unix.WNOWAIT|options, nil)
	})
	return &info, os.NewSyscallError("waitid", err)
}

// forwardSignals passes on what other processes send to the runtime, for as long
// as that lives. Not passed on are SIGCHLD (reaping), SIGWINCH (the terminal's),
// SIGURG (the Go runtime's own), and what cannot be caught.
//
// To catch one signal takes the Go runtime two switches between threads, and
// there are sixty of them, which is more than some programs take to run: the
// usual ones are caught first, and the others a moment later.
func (p *Process) forwardSignals() {
	received := p.signals
	if received == nil {
		received = catchSignals()
	}
	time.AfterFunc(unusualSignals, func() { signal.Notify(received, forwarded()...) })
	go func() {
		for s := range received {
			if number, ok := s.(syscall.Signal); ok {
				_ = unix.PidfdSendSignal(p.child.pidfd, number, nil, 0)
			}
		}
	}()
}

// catchSignals begins to catch the usual signals.
func catchSignals() chan os.Signal {
	received := make(chan os.Signal, 32)
	signal.Notify(received, unix.SIGTERM, unix.SIGINT, unix.SIGHUP, unix.SIGQUIT, unix.SIGUSR1, unix.SIGUSR2)
	return received
}

// unusualSignals is how long a program has run before signals are caught that
// nobody sends to one that has just begun.
const unusualSignals = 3 * time.Millisecond

// forwarded lists all signals that are passed on.
func forwarded() []os.Signal {
	const last = 64 // SIGRTMAX
	signals := make([]os.Signal, 0, last)
	for s := unix.Signal(1); s <= last; s++ {
		switch s {
		case unix.SIGKILL, unix.SIGSTOP, unix.SIGCHLD, unix.SIGWINCH, unix.SIGURG:
		default:
			signals = append(signals, s)
		}
	}
	return signals
}
