package spec

import (
	"fmt"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// Real-time signals as users count them: the kernel's begin at 32, but the C
// libraries keep the first two for themselves, so that "RTMIN+3" means 37 to
// everybody who writes it (signal(7), systemd(1)).
const (
	signalRTMin = 34
	signalRTMax = 64
)

var signals = []named{
	{"HUP", uint64(unix.SIGHUP)},
	{"INT", uint64(unix.SIGINT)},
	{"QUIT", uint64(unix.SIGQUIT)},
	{"ILL", uint64(unix.SIGILL)},
	{"TRAP", uint64(unix.SIGTRAP)},
	{"ABRT", uint64(unix.SIGABRT)},
	{"IOT", uint64(unix.SIGIOT)},
	{"BUS", uint64(unix.SIGBUS)},
	{"FPE", uint64(unix.SIGFPE)},
	{"KILL", uint64(unix.SIGKILL)},
	{"USR1", uint64(unix.SIGUSR1)},
	{"SEGV", uint64(unix.SIGSEGV)},
	{"USR2", uint64(unix.SIGUSR2)},
	{"PIPE", uint64(unix.SIGPIPE)},
	{"ALRM", uint64(unix.SIGALRM)},
	{"TERM", uint64(unix.SIGTERM)},
	{"STKFLT", uint64(unix.SIGSTKFLT)},
	{"CHLD", uint64(unix.SIGCHLD)},
	{"CLD", uint64(unix.SIGCLD)},
	{"CONT", uint64(unix.SIGCONT)},
	{"STOP", uint64(unix.SIGSTOP)},
	{"TSTP", uint64(unix.SIGTSTP)},
	{"TTIN", uint64(unix.SIGTTIN)},
	{"TTOU", uint64(unix.SIGTTOU)},
	{"URG", uint64(unix.SIGURG)},
	{"XCPU", uint64(unix.SIGXCPU)},
	{"XFSZ", uint64(unix.SIGXFSZ)},
	{"VTALRM", uint64(unix.SIGVTALRM)},
	{"PROF", uint64(unix.SIGPROF)},
	{"WINCH", uint64(unix.SIGWINCH)},
	{"IO", uint64(unix.SIGIO)},
	{"POLL", uint64(unix.SIGPOLL)},
	{"PWR", uint64(unix.SIGPWR)},
	{"SYS", uint64(unix.SIGSYS)},
}

// ParseSignal converts what a person or an engine writes for a signal: a number
// from 0 to 64, a name with or without "SIG" in either case, or a real-time
// signal such as "RTMIN+3" or "SIGRTMAX-1".
func ParseSignal(text string) (unix.Signal, error) {
	number, ok := signalNumber(text)
	if !ok {
		return 0, fmt.Errorf("unknown signal %q", text)
	}
	return unix.Signal(number), nil
}

func signalNumber(text string) (number uint64, ok bool) {
	if number, err := strconv.ParseUint(text, 10, 8); err == nil {
		return number, number <= signalRTMax
	}
	name := strings.TrimPrefix(strings.ToUpper(text), "SIG")
	if number, ok := lookup(signals, name); ok {
		return number, true
	}
	return realTimeSignal(name)
}

// realTimeSignal understands RTMIN, RTMIN+n, RTMAX and RTMAX-n.
func realTimeSignal(name string) (number uint64, ok bool) {
	var base, sign int
	switch {
	case strings.HasPrefix(name, "RTMIN"):
		base, sign = signalRTMin, +1
	case strings.HasPrefix(name, "RTMAX"):
		base, sign = signalRTMax, -1
	default:
		return 0, false
	}
	offset := name[len("RTMIN"):]
	if offset == "" {
		return uint64(base), true
	}
	if (offset[0] == '+') != (sign > 0) || (offset[0] == '-') != (sign < 0) {
		return 0, false
	}
	distance, err := strconv.ParseUint(offset[1:], 10, 8)
	if err != nil || distance > signalRTMax-signalRTMin {
		return 0, false
	}
	return uint64(base + sign*int(distance)), true
}

// SignalNames lists the names of signals that [ParseSignal] knows, without
// "SIG" and without the real-time signals.
func SignalNames() []string {
	names := make([]string, len(signals))
	for i, signal := range signals {
		names[i] = signal.name
	}
	return names
}
