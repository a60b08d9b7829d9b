package main

import (
	"fmt"
	"net"
	"os"
	"time"

	"golang.org/x/sys/unix"
)

// playConsole listens on a console socket, takes the one message with the one terminal that a
// runtime sends, and plays the script on it.
func playConsole(path string) error {
	listener, err := net.ListenUnix("unix", &net.UnixAddr{Name: path, Net: "unix"})
	if err != nil {
		return err
	}
	defer listener.Close()
	if err := listener.SetDeadline(time.Now().Add(patience)); err != nil {
		return err
	}
	connection, err := listener.AcceptUnix()
	if err != nil {
		return err
	}
	defer connection.Close()
	master, err := receiveTerminal(connection)
	if err != nil {
		return err
	}
	return newSession(master).play(os.Stdin)
}

// receiveTerminal reads everything the runtime sends until it closes the connection, so that a
// second message or a second descriptor does not go unseen.
func receiveTerminal(connection *net.UnixConn) (*os.File, error) {
	if err := connection.SetDeadline(time.Now().Add(patience)); err != nil {
		return nil, err
	}
	var descriptors []int
	for messages := 1; ; messages++ {
		payload, received, err := receive(connection)
		if err != nil {
			return nil, err
		}
		if len(payload) == 0 && len(received) == 0 {
			break
		}
		remark("message %d with %d bytes and %d descriptors", messages, len(payload), len(received))
		descriptors = append(descriptors, received...)
	}
	if len(descriptors) != 1 {
		return nil, fmt.Errorf("%d descriptors received", len(descriptors))
	}
	return masterFile(descriptors[0]), nil
}

// receive reads one message with the descriptors that came along with it.
func receive(connection *net.UnixConn) ([]byte, []int, error) {
	payload, control := make([]byte, 8192), make([]byte, 256)
	n, controlLength, _, _, err := connection.ReadMsgUnix(payload, control)
	if err != nil && n == 0 && controlLength == 0 {
		return nil, nil, ignoreEnd(err)
	}
	messages, err := unix.ParseSocketControlMessage(control[:controlLength])
	if err != nil {
		return nil, nil, err
	}
	var descriptors []int
	for i := range messages {
		if rights, err := unix.ParseUnixRights(&messages[i]); err == nil {
			descriptors = append(descriptors, rights...)
		}
	}
	return payload[:n], descriptors, nil
}
