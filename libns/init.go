package libns

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"strconv"
	"time"

	"golang.org/x/sys/unix"
)

// Init identifies a container's first process. Process ids are used again:
// this one is believed only together with the time at which it started.
type Init struct {
	PID       int    `json:"pid"`
	StartTime uint64 `json:"startTime"` // clock ticks after boot (proc_pid_stat(5), field 22)
}

// errGone says that the process does not exist (any more).
var errGone = errors.New("os: process already finished")

// identify gives the identity of a live process of this pid.
func identify(pid int) (Init, error) {
	_, start, err := processStat(pid)
	if err != nil {
		return Init{}, err
	}
	return Init{PID: pid, StartTime: start}, nil
}

// Alive reports whether the process exists and has not exited.
func (i Init) Alive() bool {
	if i.PID <= 0 {
		return false
	}
	state, start, err := processStat(i.PID)
	return err == nil && start == i.StartTime && state != 'Z' && state != 'X'
}

// open gives a pidfd of the process. The identity is checked after the
// descriptor pins the pid, so that what is checked is what is signalled.
func (i Init) open() (int, error) {
	if i.PID <= 0 {
		return -1, errGone
	}
	fd, err := unix.PidfdOpen(i.PID, 0)
	if err != nil {
		return -1, errGone
	}
	if !i.Alive() {
		unix.Close(fd)
		return -1, errGone
	}
	return fd, nil
}

// signal sends a signal to the process, and to no other that got its pid.
func (i Init) signal(sig unix.Signal) error {
	fd, err := i.open()
	if err != nil {
		return err
	}
	defer unix.Close(fd)
	if err := unix.PidfdSendSignal(fd, sig, nil, 0); err != nil {
		if err == unix.ESRCH {
			return errGone
		}
		return fmt.Errorf("pidfd_send_signal: %w", err)
	}
	return nil
}

// waitGone waits until the process has exited, at most until the deadline.
// A zombie counts: it is its parent's to reap.
func (i Init) waitGone(deadline time.Time) error {
	fd, err := i.open()
	if err != nil {
		return nil
	}
	defer unix.Close(fd)
	ready, err := poll(fd, unix.POLLIN, deadline)
	if err != nil {
		return err
	}
	if !ready {
		return errors.New("container init still running")
	}
	return nil
}

// poll waits for events on one descriptor until the deadline.
func poll(fd int, events int16, deadline time.Time) (bool, error) {
	return pollAll([]unix.PollFd{{Fd: int32(fd), Events: events}}, deadline)
}

// pollAll waits for events on any of the descriptors until the deadline.
func pollAll(fds []unix.PollFd, deadline time.Time) (bool, error) {
	for {
		left := max(time.Until(deadline), 0)
		n, err := unix.Poll(fds, int((left+time.Millisecond-1)/time.Millisecond))
		if err == unix.EINTR {
			continue
		}
		if err != nil {
			return false, os.NewSyscallError("poll", err)
		}
		return n > 0, nil
	}
}

// processStat reads the state and start time from /proc/PID/stat.
func processStat(pid int) (state byte, start uint64, err error) {
	data, err := readSmallFile("/proc/" + strconv.Itoa(pid) + "/stat")
	if err != nil {
		return 0, 0, errGone
	}
	return parseStat(data)
}

// parseStat takes the fields after the command name, which may itself contain
// spaces and parentheses, but not after the last closing one.
func parseStat(data []byte) (state byte, start uint64, err error) {
	end := bytes.LastIndexByte(data, ')')
	if end < 0 {
		return 0, 0, errors.New("unexpected contents of /proc/PID/stat")
	}
	fields := bytes.Fields(data[end+1:])
	const startField = 22 - 3 // the first one here is field 3
	if len(fields) <= startField {
		return 0, 0, errors.New("unexpected contents of /proc/PID/stat")
	}
	start, err = strconv.ParseUint(string(fields[startField]), 10, 64)
	return fields[0][0], start, err
}
