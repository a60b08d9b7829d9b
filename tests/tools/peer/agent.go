package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strconv"
	"strings"
	"unsafe"

	"golang.org/x/sys/unix"
)

// playAgent listens for the seccomp listeners that a container runtime sends, and
// answers what is asked on them, until somebody ends it. An answer is errno:N,
// value:N or continue, which is also what calls get that are not named.
func playAgent(path string, rules []string) error {
	answers := map[int32]answer{}
	for _, rule := range rules {
		number, text, _ := strings.Cut(rule, "=")
		n, err := strconv.Atoi(number)
		if err != nil {
			return err
		}
		if answers[int32(n)], err = parseAnswer(text); err != nil {
			return err
		}
	}
	socket, err := net.ListenUnix("unix", &net.UnixAddr{Name: path, Net: "unix"})
	if err != nil {
		return err
	}
	remark("listening")
	for {
		connection, err := socket.AcceptUnix()
		if err != nil {
			return err
		}
		listener, err := acceptListener(connection)
		if err != nil {
			return err
		}
		go answerCalls(listener, answers)
	}
}

// acceptListener takes one connection: JSON with one descriptor, then the end.
func acceptListener(connection *net.UnixConn) (int, error) {
	defer connection.Close()
	state, descriptors, err := receive(connection)
	if err != nil {
		return -1, err
	}
	rest, err := io.ReadAll(connection)
	if err != nil {
		return -1, err
	}
	state = append(state, rest...)
	if len(descriptors) != 1 {
		return -1, fmt.Errorf("%d descriptors instead of one", len(descriptors))
	}
	target, err := os.Readlink("/proc/self/fd/" + strconv.Itoa(descriptors[0]))
	if err != nil || target != "anon_inode:seccomp notify" {
		return -1, fmt.Errorf("the descriptor is %q (%v)", target, err)
	}
	if !json.Valid(state) {
		return -1, fmt.Errorf("no JSON: %q", state)
	}
	remark("process %s", strings.TrimSpace(string(state)))
	return descriptors[0], nil
}

// answer is what the agent says to a call.
type answer struct {
	value int64
	errno unix.Errno
	flags uint32
}

var continued = answer{flags: unix.SECCOMP_USER_NOTIF_FLAG_CONTINUE}

func parseAnswer(text string) (answer, error) {
	if text == "continue" {
		return continued, nil
	}
	kind, number, _ := strings.Cut(text, ":")
	n, err := strconv.Atoi(number)
	switch {
	case err != nil:
		return answer{}, err
	case kind == "errno":
		return answer{errno: unix.Errno(n)}, nil
	case kind == "value":
		return answer{value: int64(n)}, nil
	}
	return answer{}, fmt.Errorf("unknown answer %q", text)
}

// request and response are struct seccomp_notif and struct seccomp_notif_resp
// (linux/seccomp.h).
type request struct {
	id          uint64
	pid, flags  uint32
	number      int32
	arch        uint32
	instruction uint64
	arguments   [6]uint64
}

type response struct {
	id    uint64
	value int64
	errno int32
	flags uint32
}

// answerCalls answers until nobody is left to ask.
func answerCalls(listener int, answers map[int32]answer) {
	defer unix.Close(listener)
	for {
		fds := []unix.PollFd{{Fd: int32(listener), Events: unix.POLLIN}}
		if _, err := unix.Poll(fds, -1); errors.Is(err, unix.EINTR) {
			continue
		}
		if fds[0].Revents&unix.POLLIN == 0 {
			return
		}
		var asked request
		if ioctl(listener, unix.SECCOMP_IOCTL_NOTIF_RECV, unsafe.Pointer(&asked)) != 0 {
			continue // whoever asked is dead
		}
		said, ruled := answers[asked.number]
		if !ruled {
			said = continued
		}
		remark("asked about %d", asked.number)
		ioctl(listener, unix.SECCOMP_IOCTL_NOTIF_SEND, unsafe.Pointer(&response{asked.id, said.value, -int32(said.errno), said.flags}))
	}
}

func ioctl(fd int, request uintptr, argument unsafe.Pointer) unix.Errno {
	_, _, errno := unix.Syscall(unix.SYS_IOCTL, uintptr(fd), request, uintptr(argument))
	return errno
}
