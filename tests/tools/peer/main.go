// Command peer plays, for the bats tests, the programs at the other end of a container runtime.
//
//	peer terminal COMMAND [ARGUMENT...]   a person's terminal: runs COMMAND on a pseudo-terminal
//	peer console SOCKET                   an engine that waits for a terminal on a console socket
//	peer notify SOCKET                    a service manager that listens for readiness
//	peer send SOCKET MESSAGE...           a service that reports it
//	peer syscall NUMBER...                a program with system calls of its own
//	peer agent SOCKET [NUMBER=ANSWER]...  an agent that answers for a seccomp filter
//	peer systemd BUS FILE                 systemd, see systemd.go
//
// terminal and console play the script on standard input, see script.go; what the terminal shows
// goes to standard output, and remarks of peer itself are lines that begin with "peer: ".
package main

import (
	"fmt"
	"os"
)

func main() {
	if len(os.Args) < 3 {
		fail("usage: peer terminal COMMAND [ARGUMENT...] | console SOCKET | notify SOCKET | send SOCKET MESSAGE... | syscall NUMBER... | agent SOCKET [NUMBER=ANSWER]... | systemd BUS FILE")
	}
	var err error
	code := 0
	switch role, arguments := os.Args[1], os.Args[2:]; role {
	case "terminal":
		code, err = playTerminal(arguments)
	case "console":
		err = playConsole(arguments[0])
	case "notify":
		err = playNotify(arguments[0])
	case "send":
		err = playSend(arguments[0], arguments[1:])
	case "syscall":
		err = playSyscall(arguments)
	case "agent":
		err = playAgent(arguments[0], arguments[1:])
	case "systemd":
		err = playSystemd(arguments[0], arguments[1])
	default:
		err = fmt.Errorf("unknown role %q", role)
	}
	if err != nil {
		fail(err)
	}
	os.Exit(code)
}

func fail(reason any) {
	fmt.Fprintln(os.Stderr, "peer:", reason)
	os.Exit(125)
}

// remark prints a line about what peer saw, for a test to look for.
func remark(format string, arguments ...any) {
	fmt.Printf("peer: "+format+"\n", arguments...)
}
