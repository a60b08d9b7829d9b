package main

import (
	"errors"
	"io"
	"net"
	"os"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// playNotify remarks every line of every datagram that arrives at the socket, until a barrier
// (sd_notify(3), BARRIER=1) or the end of its patience. The sender of a barrier waits until the
// descriptor that came with it is closed everywhere.
func playNotify(path string) error {
	socket, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: path, Net: "unixgram"})
	if err != nil {
		return err
	}
	defer socket.Close()
	if err := socket.SetDeadline(time.Now().Add(patience)); err != nil {
		return err
	}
	for {
		payload, descriptors, err := receive(socket)
		if errors.Is(err, os.ErrDeadlineExceeded) {
			return nil
		}
		if err != nil {
			return err
		}
		for _, line := range strings.Split(strings.TrimSpace(string(payload)), "\n") {
			remark("%s", line)
		}
		for _, descriptor := range descriptors {
			unix.Close(descriptor)
		}
		if strings.Contains(string(payload), "BARRIER=1") {
			return nil
		}
	}
}

// ignoreEnd takes the orderly end of a connection for no error.
func ignoreEnd(err error) error {
	if errors.Is(err, io.EOF) {
		return nil
	}
	return err
}
