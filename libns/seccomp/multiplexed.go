package seccomp

// family says which call may carry another one.
type family uint8

const (
	alone family = iota
	bySocketcall
	byIPC
)

// multiplexed says whether socketcall(2) or ipc(2) can carry a call, and by
// which value of their first argument (include/uapi/linux/net.h and ipc.h). Where
// an architecture has both this way and a number for the call itself, as x86 and
// s390 since Linux 4.3, a rule has to cover both.
func multiplexed(name string) (family, uint64) {
	switch name {
	case "socket":
		return bySocketcall, 1
	case "bind":
		return bySocketcall, 2
	case "connect":
		return bySocketcall, 3
	case "listen":
		return bySocketcall, 4
	case "accept":
		return bySocketcall, 5
	case "getsockname":
		return bySocketcall, 6
	case "getpeername":
		return bySocketcall, 7
	case "socketpair":
		return bySocketcall, 8
	case "send":
		return bySocketcall, 9
	case "recv":
		return bySocketcall, 10
	case "sendto":
		return bySocketcall, 11
	case "recvfrom":
		return bySocketcall, 12
	case "shutdown":
		return bySocketcall, 13
	case "setsockopt":
		return bySocketcall, 14
	case "getsockopt":
		return bySocketcall, 15
	case "sendmsg":
		return bySocketcall, 16
	case "recvmsg":
		return bySocketcall, 17
	case "accept4":
		return bySocketcall, 18
	case "recvmmsg":
		return bySocketcall, 19
	case "sendmmsg":
		return bySocketcall, 20
	case "semop":
		return byIPC, 1
	case "semget":
		return byIPC, 2
	case "semctl":
		return byIPC, 3
	case "semtimedop":
		return byIPC, 4
	case "msgsnd":
		return byIPC, 11
	case "msgrcv":
		return byIPC, 12
	case "msgget":
		return byIPC, 13
	case "msgctl":
		return byIPC, 14
	case "shmat":
		return byIPC, 21
	case "shmdt":
		return byIPC, 22
	case "shmget":
		return byIPC, 23
	case "shmctl":
		return byIPC, 24
	}
	return alone, 0
}

// carrier gives the number of the call that carries a family on an architecture,
// and false where the calls of the family come by themselves only.
func (f family) carrier(a *abi) (number int32, ok bool) {
	switch f {
	case bySocketcall:
		return a.socketcall, a.socketcall != 0
	case byIPC:
		return a.ipc, a.ipc != 0
	}
	return 0, false
}
