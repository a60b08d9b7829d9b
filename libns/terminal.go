package libns

import (
	"errors"
	"io"
	"os"
	"os/signal"
	"time"

	"github.com/containerd/console"
	"golang.org/x/sys/unix"

	"rt/libns/plan"
)

// takeConsole hands the master of the container's terminal over: to the
// caller's socket, or to the terminal that the runtime itself runs in.
func (d *driver) takeConsole(a plan.TakeConsole, fds []int) error {
	if len(fds) != 1 {
		return errors.New("the terminal's master did not come along")
	}
	if a.Socket != "" {
		return sendDescriptor(a.Socket, "/dev/ptmx", fds[0])
	}
	master, err := unix.FcntlInt(uintptr(fds[0]), unix.F_DUPFD_CLOEXEC, 3)
	if err != nil {
		return err
	}
	d.terminal = &terminal{master: os.NewFile(uintptr(master), "/dev/ptmx")}
	return d.terminal.prepare()
}

// terminal connects a container's terminal with the one that the runtime was
// started from.
type terminal struct {
	master  *os.File
	inner   console.Console // the master
	outer   console.Console // the runtime's own terminal, nil without one
	resized chan os.Signal
	drained chan struct{} // closed when all output was copied
}

// prepare gives the container's terminal its size before the program starts.
// The outer terminal goes on turning newlines into what it needs, so that the
// inner one must not.
func (t *terminal) prepare() error {
	inner, err := console.ConsoleFromFile(t.master)
	if err != nil {
		return err
	}
	t.inner = inner
	if err := console.ClearONLCR(inner.Fd()); err != nil {
		return err
	}
	if t.outer = ownTerminal(); t.outer == nil {
		return nil
	}
	size, err := t.outer.Size()
	if err != nil || size.Height == 0 && size.Width == 0 {
		// Nobody has told the outer terminal its size: that of
		// process.consoleSize, if there is one, is better.
		return err
	}
	return t.inner.Resize(size)
}

// connect puts the outer terminal into raw mode, so that every key reaches the
// program, and copies both ways until the container's side is closed.
func (t *terminal) connect() error {
	if t.outer != nil {
		if err := t.outer.SetRaw(); err != nil {
			return err
		}
		t.followSize()
	}
	t.drained = make(chan struct{})
	go func() {
		_, _ = io.Copy(t.master, os.Stdin)
	}()
	go func() {
		// Ends with EIO when the last process closes its side.
		_, _ = io.Copy(os.Stdout, t.master)
		close(t.drained)
	}()
	return nil
}

// followSize passes changes of the window's size on.
func (t *terminal) followSize() {
	t.resized = make(chan os.Signal, 1)
	signal.Notify(t.resized, unix.SIGWINCH)
	go func() {
		for range t.resized {
			_ = t.inner.ResizeFrom(t.outer)
		}
	}()
}

// drainDeadline is how long output may still come after the container's end.
const drainDeadline = time.Second

// disconnect copies what is left of the output and restores the outer terminal.
func (t *terminal) disconnect() error {
	select {
	case <-t.drained:
	case <-time.After(drainDeadline):
	}
	if t.resized != nil {
		signal.Stop(t.resized)
	}
	var err error
	if t.outer != nil {
		// A terminal that was hung up needs no restoring.
		if err = t.outer.Reset(); errors.Is(err, unix.EIO) {
			err = nil
		}
	}
	t.close()
	return err
}

func (t *terminal) close() { t.master.Close() }

// ownTerminal is the terminal that the runtime was started from: that of its
// stdio, else its controlling one.
func ownTerminal() console.Console {
	for _, f := range []*os.File{os.Stdin, os.Stdout, os.Stderr} {
		if c, err := console.ConsoleFromFile(f); err == nil {
			return c
		}
	}
	if tty, err := os.OpenFile("/dev/tty", os.O_RDWR, 0); err == nil {
		if c, err := console.ConsoleFromFile(tty); err == nil {
			return c
		}
		tty.Close()
	}
	return nil
}
