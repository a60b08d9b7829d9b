package main

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

// patience is how long a step waits for what it expects. Tests run on busy machines.
const patience = 20 * time.Second

// session is the master side of a terminal, and what has been read from it.
type session struct {
	master *os.File

	mu      sync.Mutex
	arrived *sync.Cond
	pending []byte // read, and not yet passed by an expect step
	ended   bool   // the last process let go of the terminal
}

func newSession(master *os.File) *session {
	s := &session{master: master}
	s.arrived = sync.NewCond(&s.mu)
	go s.read()
	return s
}

// read copies the terminal to standard output until nobody holds its other end (EIO on Linux).
func (s *session) read() {
	buffer := make([]byte, 4096)
	for {
		n, err := s.master.Read(buffer)
		s.mu.Lock()
		os.Stdout.Write(buffer[:n])
		s.pending = append(s.pending, buffer[:n]...)
		s.ended = err != nil
		s.arrived.Broadcast()
		s.mu.Unlock()
		if err != nil {
			return
		}
	}
}

// play carries out the steps of a script, one a line, until its end or the step "close":
//
//	expect TEXT       wait until the terminal has shown TEXT, after what the last expect saw
//	send TEXT         type TEXT and the return key
//	type "GO STRING"  type exactly these bytes
//	resize ROWS COLS  change the size of the window
//	size              remark "size ROWS COLS"
//	mode              remark "mode raw" or "mode cooked"
//	run COMMAND       run a shell command beside the terminal
//	end               wait until the last process has let go of the terminal
//	close             hang up
func (s *session) play(script io.Reader) error {
	steps := bufio.NewScanner(script)
	for steps.Scan() {
		line := strings.TrimSpace(steps.Text())
		if line == "" {
			continue
		}
		verb, rest, _ := strings.Cut(line, " ")
		if verb == "close" {
			return s.master.Close()
		}
		if err := s.step(verb, rest); err != nil {
			return fmt.Errorf("%s: %w", line, err)
		}
	}
	return steps.Err()
}

func (s *session) step(verb, rest string) error {
	switch verb {
	case "expect":
		return s.expect(rest)
	case "send":
		return s.write(rest + "\r")
	case "type":
		keys, err := strconv.Unquote(rest)
		if err != nil {
			return err
		}
		return s.write(keys)
	case "resize":
		return s.resize(rest)
	case "size":
		size, err := unix.IoctlGetWinsize(s.descriptor(), unix.TIOCGWINSZ)
		if err == nil {
			remark("size %d %d", size.Row, size.Col)
		}
		return err
	case "mode":
		return s.mode()
	case "run":
		command := exec.Command("sh", "-c", rest)
		command.Stdout, command.Stderr = os.Stdout, os.Stderr
		return command.Run()
	case "end":
		return s.end()
	}
	return fmt.Errorf("unknown step")
}

func (s *session) write(keys string) error {
	_, err := s.master.WriteString(keys)
	return err
}

func (s *session) expect(text string) error {
	found := s.wait(func() bool {
		_, after, ok := bytes.Cut(s.pending, []byte(text))
		if ok {
			s.pending = after
		}
		return ok
	})
	if !found {
		return fmt.Errorf("not seen; the terminal shows %q", s.pending)
	}
	return nil
}

func (s *session) end() error {
	if !s.wait(func() bool { return s.ended }) {
		return fmt.Errorf("the terminal is still in use")
	}
	return nil
}

// wait returns whether the condition came true, within patience and before the terminal ended.
func (s *session) wait(condition func() bool) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	late := false
	timer := time.AfterFunc(patience, func() {
		s.mu.Lock()
		late = true
		s.arrived.Broadcast()
		s.mu.Unlock()
	})
	defer timer.Stop()
	for !condition() {
		if late || s.ended {
			return false
		}
		s.arrived.Wait()
	}
	return true
}

// descriptor is for ioctls. Unlike Fd, it leaves the file as it is: not blocking.
func (s *session) descriptor() int {
	number := -1
	if raw, err := s.master.SyscallConn(); err == nil {
		_ = raw.Control(func(fd uintptr) { number = int(fd) })
	}
	return number
}

func (s *session) resize(size string) error {
	var window unix.Winsize
	if _, err := fmt.Sscan(size, &window.Row, &window.Col); err != nil {
		return err
	}
	return unix.IoctlSetWinsize(s.descriptor(), unix.TIOCSWINSZ, &window)
}

// mode says whether whoever uses the terminal has switched off line editing and echo. Both ends of
// a pseudo-terminal share one termios.
func (s *session) mode() error {
	termios, err := unix.IoctlGetTermios(s.descriptor(), unix.TCGETS)
	if err != nil {
		return err
	}
	if termios.Lflag&(unix.ICANON|unix.ECHO) == 0 {
		remark("mode raw")
	} else {
		remark("mode cooked")
	}
	return nil
}
