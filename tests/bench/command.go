package main

import (
	"errors"
	"fmt"
	"os"
	"os/signal"
	"strings"
	"sync/atomic"
	"syscall"
	"time"
)

// commandTimeout ends a command that hangs; the slowest takes well under a second.
const commandTimeout = time.Minute

var errInterrupted = errors.New("interrupted")

// usage is what one command cost.
type usage struct {
	elapsed  time.Duration // wall clock, from before the fork until it has been waited for
	cpu      time.Duration // of the command and of the children it waited for
	faults   int64
	switches int64 // context switches, voluntary or not
}

// launcher starts commands with nothing to read, nobody listening, and what they write
// to standard error kept for the case that they fail.
type launcher struct {
	null        *os.File
	complaints  *os.File
	interrupted atomic.Bool
}

// newLauncher makes a launcher that keeps complaints in the named file. From then on
// signals that would end this process only prevent further commands, so that what was
// made can be taken away.
func newLauncher(complaints string) (*launcher, error) {
	null, err := os.OpenFile(os.DevNull, os.O_RDWR, 0)
	if err != nil {
		return nil, err
	}
	file, err := os.OpenFile(complaints, os.O_RDWR|os.O_CREATE|os.O_APPEND, 0o600)
	if err != nil {
		return nil, err
	}
	l := &launcher{null: null, complaints: file}
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP)
	go func() {
		<-signals
		l.interrupted.Store(true)
	}()
	return l, nil
}

// run runs a command to its end. A status other than 0 is an error, with the first
// line of what the command wrote to standard error.
func (l *launcher) run(argv []string) (usage, error) {
	if l.interrupted.Load() {
		return usage{}, errInterrupted
	}
	if err := l.complaints.Truncate(0); err != nil {
		return usage{}, err
	}
	attributes := syscall.ProcAttr{
		Env:   []string{"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"},
		Files: []uintptr{l.null.Fd(), l.null.Fd(), l.complaints.Fd()},
	}
	began := time.Now()
	pid, err := syscall.ForkExec(argv[0], argv, &attributes)
	if err != nil {
		return usage{}, fmt.Errorf("%s: %w", argv[0], err)
	}
	timeout := time.AfterFunc(commandTimeout, func() { _ = syscall.Kill(pid, syscall.SIGKILL) })
	status, spent, err := wait(pid)
	elapsed := time.Since(began)
	timeout.Stop()
	if err != nil {
		return usage{}, err
	}
	if status.ExitStatus() != 0 {
		return usage{}, l.failure(argv, status)
	}
	return usage{
		elapsed:  elapsed,
		cpu:      time.Duration(spent.Utime.Nano() + spent.Stime.Nano()),
		faults:   spent.Minflt + spent.Majflt,
		switches: spent.Nvcsw + spent.Nivcsw,
	}, nil
}

func wait(pid int) (syscall.WaitStatus, syscall.Rusage, error) {
	var status syscall.WaitStatus
	var spent syscall.Rusage
	for {
		_, err := syscall.Wait4(pid, &status, 0, &spent)
		if !errors.Is(err, syscall.EINTR) {
			return status, spent, err
		}
	}
}

func (l *launcher) failure(argv []string, status syscall.WaitStatus) error {
	if l.interrupted.Load() {
		return errInterrupted
	}
	how := fmt.Sprintf("exit status %d", status.ExitStatus())
	if status.Signaled() {
		how = status.Signal().String()
	}
	text := make([]byte, 500)
	n, _ := l.complaints.ReadAt(text, 0)
	line, _, _ := strings.Cut(strings.TrimSpace(string(text[:n])), "\n")
	return fmt.Errorf("%s: %s: %s", argv[0], how, line)
}
