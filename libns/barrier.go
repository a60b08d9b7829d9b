package libns

import (
	"errors"
	"fmt"
	"os"
	"time"

	"golang.org/x/sys/unix"

	"rt/libns/plan"
)

// conversation is the parent's end of the socket to the init stage.
type conversation struct {
	socket int
	// unheard says that the other end was closed before it had read all answers.
	unheard bool
}

// setupDeadline bounds how long the init stage may be silent. It is generous:
// a mount may have to wait for a server.
const setupDeadline = 2 * time.Minute

// errEnded says that the other end of the conversation was closed: by execve,
// or because the init stage died.
var errEnded = errors.New("the init stage closed the conversation")

// talk makes the socket pair: the parent's end of the conversation, and the
// file that the init stage inherits.
func talk() (*conversation, *os.File, error) {
	pair, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_SEQPACKET|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, nil, os.NewSyscallError("socketpair", err)
	}
	timeout := unix.NsecToTimeval(int64(setupDeadline))
	if err := unix.SetsockoptTimeval(pair[0], unix.SOL_SOCKET, unix.SO_RCVTIMEO, &timeout); err != nil {
		return nil, nil, os.NewSyscallError("setsockopt", err)
	}
	return &conversation{socket: pair[0]}, os.NewFile(uintptr(pair[1]), "control"), nil
}

// message is what the init stage said.
type message struct {
	plan.Message
	text string
	fds  []int // owned by the receiver
}

// maxDescriptors is how many a message may bring.
const maxDescriptors = 4

// listen waits for the next message.
func (c *conversation) listen() (*message, error) {
	buffer := make([]byte, plan.MaxReport)
	control := make([]byte, unix.CmsgSpace(4*maxDescriptors))
	var n, controlLen int
	receive := func() (_ int, err error) {
		n, controlLen, _, _, err = unix.Recvmsg(c.socket, buffer, control, unix.MSG_CMSG_CLOEXEC)
		return 0, err
	}
	_, err := ignoringEINTR(receive)
	if err == unix.ECONNRESET {
		// The kernel says so once, before what was sent until then.
		c.unheard = true
		_, err = ignoringEINTR(receive)
	}
	switch {
	case err == unix.EAGAIN:
		return nil, fmt.Errorf("the init stage was silent for %v", setupDeadline)
	case err == nil && n == 0:
		return nil, errEnded
	case err != nil:
		return nil, os.NewSyscallError("recvmsg", err)
	}
	m := &message{}
	var ok bool
	if m.Message, m.text, ok = plan.ParseMessage(buffer[:n]); !ok {
		return nil, errors.New("the init stage sent something that is no message")
	}
	m.fds, err = descriptors(control[:controlLen])
	return m, err
}

// answer lets the init stage go on, with descriptors where it asked for some. An
// answer without payload is one byte: an empty packet would be the end of the
// conversation.
func (c *conversation) answer(payload []byte, fds ...int) error {
	if len(payload) == 0 {
		payload = []byte{1}
	}
	var rights []byte
	if len(fds) > 0 {
		rights = unix.UnixRights(fds...)
	}
	if err := unix.Sendmsg(c.socket, payload, rights, nil, unix.MSG_NOSIGNAL); err != nil {
		return os.NewSyscallError("sendmsg", err)
	}
	return nil
}

// close ends the conversation, and with it an init stage that still listens.
func (c *conversation) close() {
	if c.socket >= 0 {
		unix.Close(c.socket)
		c.socket = -1
	}
}

func descriptors(control []byte) ([]int, error) {
	messages, err := unix.ParseSocketControlMessage(control)
	if err != nil {
		return nil, err
	}
	var fds []int
	for _, m := range messages {
		rights, err := unix.ParseUnixRights(&m)
		if err != nil {
			return nil, err
		}
		fds = append(fds, rights...)
	}
	return fds, nil
}

func (m *message) close() {
	for _, fd := range m.fds {
		unix.Close(fd)
	}
	m.fds = nil
}
