package libns

import (
	"runtime"
	"unsafe"

	"golang.org/x/sys/unix"

	"rt/libns/plan"
	"rt/libns/trace"
)

// network is a network namespace that is made while its container's plan is
// compiled and begun.
type network struct {
	step *plan.Step    // that it is made for
	done chan struct{} // is closed when the following is known
	fd   int           // of the namespace, -1 if there is none
	op   plan.Op       // the call that failed
	call string
	err  unix.Errno
}

// beginNetwork makes the namespace on a thread that nothing else ever runs on.
func beginNetwork(recorder *trace.Recorder) *network {
	n := &network{done: make(chan struct{}), fd: -1}
	onThreadOfItsOwn(func() {
		defer close(n.done)
		defer recorder.ThreadSpan(unix.Gettid(), plan.MakeNetwork{}.Title(), "")()
		n.make()
	})
	return n
}

// onThreadOfItsOwn calls f on a thread that ends with it. It does not wait for f.
//
// A thread ends if the goroutine that it is locked to does. The process's first one
// would stay, and with it what /proc shows of the process: while a goroutine keeps
// it, the next one gets another.
func onThreadOfItsOwn(f func()) {
	go func() {
		runtime.LockOSThread()
		if unix.Gettid() != unix.Getpid() {
			f()
			return
		}
		defer runtime.UnlockOSThread()
		begun := make(chan struct{})
		onThreadOfItsOwn(func() {
			close(begun)
			f()
		})
		<-begun
	}()
}

// make makes the namespace that the calling thread is in from then on.
func (n *network) make() {
	if err := unix.Unshare(unix.CLONE_NEWNET); err != nil {
		n.failed(unix.SYS_UNSHARE, "unshare(CLONE_NEWNET)", err)
		return
	}
	if !n.raiseLoopback() {
		return
	}
	const path = "/proc/thread-self/ns/net"
	fd, err := unix.Open(path, unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		n.failed(unix.SYS_OPENAT, `openat(AT_FDCWD, "`+path+`", O_RDONLY|O_CLOEXEC)`, err)
		return
	}
	n.fd = fd
}

func (n *network) raiseLoopback() bool {
	socket, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		n.failed(unix.SYS_SOCKET, "socket(AF_INET, SOCK_DGRAM|SOCK_CLOEXEC, 0)", err)
		return false
	}
	defer unix.Close(socket)
	request := plan.InterfaceUp("lo")
	if _, _, errno := unix.Syscall(unix.SYS_IOCTL, uintptr(socket), unix.SIOCSIFFLAGS, uintptr(unsafe.Pointer(&request))); errno != 0 {
		n.failed(unix.SYS_IOCTL, `ioctl(socket, SIOCSIFFLAGS, {"lo", IFF_UP|IFF_RUNNING})`, errno)
		return false
	}
	return true
}

func (n *network) failed(op plan.Op, call string, err error) {
	n.op, n.call = op, call
	n.err, _ = err.(unix.Errno)
}

// close lets go of the namespace. There may be none.
func (n *network) close() {
	if n == nil {
		return
	}
	<-n.done
	if n.fd >= 0 {
		unix.Close(n.fd)
		n.fd = -1
	}
}

// awaitNetwork waits until the network namespace is complete, if one is made.
func (d *driver) awaitNetwork() error {
	n := d.network
	if n == nil {
		return nil
	}
	<-n.done
	if n.err != 0 {
		return plan.CallFailed(n.step, n.op, n.call, n.err, d.locate)
	}
	return nil
}
