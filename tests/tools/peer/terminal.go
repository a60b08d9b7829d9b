package main

import (
	"errors"
	"os"
	"os/exec"
	"syscall"

	"github.com/containerd/console"
	"golang.org/x/sys/unix"
)

// playTerminal runs a command on a terminal of 24 rows and 80 columns, plays the script, and returns
// the command's exit code, 128+n if signal n ended it.
func playTerminal(arguments []string) (int, error) {
	master, name, err := newTerminal()
	if err != nil {
		return 0, err
	}
	command, err := startOn(name, arguments)
	if err != nil {
		return 0, err
	}
	s := newSession(master)
	if err := s.play(os.Stdin); err != nil {
		_ = command.Process.Kill()
		_ = command.Wait()
		return 0, err
	}
	return exitCode(command.Wait())
}

// newTerminal returns the master of a new pseudo-terminal and the name of its other side.
func newTerminal() (*os.File, string, error) {
	pty, name, err := console.NewPty()
	if err != nil {
		return nil, "", err
	}
	defer pty.Close()
	if err := pty.Resize(console.WinSize{Height: 24, Width: 80}); err != nil {
		return nil, "", err
	}
	master, err := unix.FcntlInt(pty.Fd(), unix.F_DUPFD_CLOEXEC, 3)
	if err != nil {
		return nil, "", err
	}
	return masterFile(master), name, nil
}

// masterFile makes a file of a descriptor that is not blocking, so that closing it ends a read of it.
func masterFile(descriptor int) *os.File {
	_ = unix.SetNonblock(descriptor, true)
	return os.NewFile(uintptr(descriptor), "terminal")
}

// startOn starts a command as the leader of a new session whose controlling terminal is the named one.
func startOn(terminal string, arguments []string) (*exec.Cmd, error) {
	slave, err := os.OpenFile(terminal, os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		return nil, err
	}
	defer slave.Close()
	command := exec.Command(arguments[0], arguments[1:]...)
	command.Stdin, command.Stdout, command.Stderr = slave, slave, slave
	command.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true}
	return command, command.Start()
}

func exitCode(err error) (int, error) {
	var exit *exec.ExitError
	if !errors.As(err, &exit) {
		return 0, err
	}
	status := exit.Sys().(syscall.WaitStatus)
	if status.Signaled() {
		return 128 + int(status.Signal()), nil
	}
	return status.ExitStatus(), nil
}
