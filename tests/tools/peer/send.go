package main

import "net"

// playSend sends each message as one datagram, as sd_notify(3) does.
func playSend(path string, messages []string) error {
	socket, err := net.Dial("unixgram", path)
	if err != nil {
		return err
	}
	defer socket.Close()
	for _, message := range messages {
		if _, err := socket.Write([]byte(message)); err != nil {
			return err
		}
	}
	return nil
}
