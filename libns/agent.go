package libns

import (
	"fmt"
	"net"
	"os"
	"time"

	specs "github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"

	"rt/libns/plan"
)

// agentDeadline is how long a seccomp agent may take to accept a connection and
// what is sent over it.
const agentDeadline = 10 * time.Second

// passListener gives the listener of a seccomp filter to the agent (config-linux.md,
// "Seccomp", "The Container Process State"). From then on it is the agent's alone:
// a copy that stayed here would keep calls waiting that the agent has given up.
func (d *driver) passListener(a plan.PassListener) error {
	listener, err := unix.PidfdGetfd(d.child.pidfd, a.FD, 0)
	if err == unix.EPERM {
		return fmt.Errorf("pidfd_getfd: %w; the runtime needs CAP_SYS_PTRACE, because the init stage lets nobody else look at its descriptors", err)
	}
	if err != nil {
		return os.NewSyscallError("pidfd_getfd", err)
	}
	defer unix.Close(listener)
	state, err := encodeState(d.processState(a.Metadata))
	if err != nil {
		return err
	}
	return tellAgent(a.Socket, state, listener)
}

// processState describes the process that is being started.
func (d *driver) processState(metadata string) *specs.ContainerProcessState {
	first, status := d.first, d.status
	if first == 0 {
		first = d.child.pid
	}
	if status == Paused { // is none that the specification knows
		status = Running
	}
	return &specs.ContainerProcessState{
		Version:  specs.Version,
		Fds:      []string{specs.SeccompFdName},
		Pid:      d.child.pid,
		Metadata: metadata,
		State:    ociState(d.request.Config, d.request.ID, status, first),
	}
}

// tellAgent sends the state and the descriptor over a connection of their own.
func tellAgent(path string, state []byte, fd int) error {
	dialer := net.Dialer{Timeout: agentDeadline}
	connection, err := dialer.Dial("unix", path)
	if err != nil {
		return fmt.Errorf("failed to connect with seccomp agent specified in the seccomp profile: %w", err)
	}
	defer connection.Close()
	if err := connection.SetDeadline(time.Now().Add(agentDeadline)); err != nil {
		return err
	}
	// The descriptor goes with the first byte; a long state may take more
	// than one write.
	socket := connection.(*net.UnixConn)
	n, _, err := socket.WriteMsgUnix(state, unix.UnixRights(fd), nil)
	if err == nil && n < len(state) {
		_, err = socket.Write(state[n:])
	}
	if err != nil {
		return fmt.Errorf("send the seccomp listener to the agent: %w", err)
	}
	return nil
}
