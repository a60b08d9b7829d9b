package libns

import (
	"bytes"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"rt/libns/plan"
)

// NotifySocket is where the container's program says that it is ready
// (sd_notify(3)). What it says is passed on to the service manager that started
// the runtime, which would not accept it from the program: it is not the
// process that the manager started.
type NotifySocket struct {
	connection *net.UnixConn
}

func (d *driver) makeNotifySocket(a plan.MakeNotifySocket) error {
	if err := os.Mkdir(notifyDir(d.request.Dir), 0o755); err != nil {
		return err
	}
	if !a.Listen {
		return nil
	}
	var err error
	d.notify, err = ListenNotify(d.request.Dir)
	return err
}

// ListenNotify binds the socket in a container's state directory, before its
// program starts.
func ListenNotify(dir string) (*NotifySocket, error) {
	path := filepath.Join(notifyDir(dir), "notify.sock")
	connection, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: path, Net: "unixgram"})
	if err != nil {
		return nil, err
	}
	// Whatever user the program runs as may be ready.
	if err := os.Chmod(path, 0o777); err != nil {
		connection.Close()
		return nil, err
	}
	return &NotifySocket{connection}, nil
}

// Close ends listening.
func (n *NotifySocket) Close() { n.connection.Close() }

// alivePoll is how often Relay looks whether the container still lives.
const alivePoll = 100 * time.Millisecond

// Relay waits until the program says READY=1 or the container ends, and tells
// the host's service manager, which listens on the socket at host.
func (n *NotifySocket) Relay(c *Container, host string) error {
	buffer := make([]byte, 4096)
	for {
		if err := n.connection.SetReadDeadline(time.Now().Add(alivePoll)); err != nil {
			return err
		}
		size, err := n.connection.Read(buffer)
		switch {
		case errors.Is(err, os.ErrDeadlineExceeded):
			if !c.Init.Alive() {
				return nil
			}
		case err != nil:
			return err
		default:
			if ready := readyLine(buffer[:size]); ready != "" {
				return tellManager(host, ready, c.Init.PID)
			}
		}
	}
}

// readyLine is the READY= assignment among the lines of a message.
func readyLine(message []byte) string {
	for line := range bytes.Lines(message) {
		if bytes.HasPrefix(line, []byte("READY=")) {
			return strings.TrimSuffix(string(line), "\n")
		}
	}
	return ""
}

// barrierDeadline is how long the manager may take to have read the message.
const barrierDeadline = 30 * time.Second

// tellManager says which process is ready, and waits until the manager has read
// it: with this process gone, it could not tell who said it (sd_notify_barrier(3)).
func tellManager(host, ready string, pid int) error {
	connection, err := net.DialUnix("unixgram", nil, &net.UnixAddr{Name: host, Net: "unixgram"})
	if err != nil {
		return err
	}
	defer connection.Close()
	if _, err := fmt.Fprintf(connection, "%s\nMAINPID=%d", ready, pid); err != nil {
		return err
	}
	var pipe [2]int
	if err := unix.Pipe2(pipe[:], unix.O_CLOEXEC); err != nil {
		return os.NewSyscallError("pipe2", err)
	}
	defer unix.Close(pipe[0])
	err = sendOn(connection, "BARRIER=1", pipe[1])
	unix.Close(pipe[1])
	if err != nil {
		return err
	}
	read, err := poll(pipe[0], unix.POLLHUP, time.Now().Add(barrierDeadline))
	if err == nil && !read {
		err = errors.New("the service manager did not take the readiness message")
	}
	return err
}

// sendOn sends a message with a descriptor. The net package does that
// only on datagram sockets that are not connected.
func sendOn(connection *net.UnixConn, message string, descriptor int) error {
	raw, err := connection.SyscallConn()
	if err != nil {
		return err
	}
	var sendErr error
	err = raw.Write(func(fd uintptr) bool {
		sendErr = unix.Sendmsg(int(fd), []byte(message), unix.UnixRights(descriptor), nil, 0)
		return sendErr != unix.EAGAIN
	})
	return errors.Join(err, os.NewSyscallError("sendmsg", sendErr))
}
