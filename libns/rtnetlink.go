package libns

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"os"
	"syscall"

	"golang.org/x/sys/unix"
)

// rtnetlink is a conversation with the kernel about the devices and addresses of
// one network namespace, that in which the socket was made (rtnetlink(7)).
type rtnetlink struct {
	fd       int
	sequence uint32
}

// openRTNetlink begins one about the runtime's own network namespace.
func openRTNetlink() (*rtnetlink, error) {
	fd, err := unix.Socket(unix.AF_NETLINK, unix.SOCK_RAW|unix.SOCK_CLOEXEC, unix.NETLINK_ROUTE)
	if err != nil {
		return nil, os.NewSyscallError("socket", err)
	}
	return newRTNetlink(fd), nil
}

// newRTNetlink goes on with a socket that somebody else made. Where the kernel
// can, it explains an error with words.
func newRTNetlink(fd int) *rtnetlink {
	_ = unix.SetsockoptInt(fd, unix.SOL_NETLINK, unix.NETLINK_EXT_ACK, 1)
	_ = unix.SetsockoptInt(fd, unix.SOL_NETLINK, unix.NETLINK_CAP_ACK, 1)
	return &rtnetlink{fd: fd}
}

func (r *rtnetlink) close() { unix.Close(r.fd) }

// do makes a request and gives what the kernel answers: all objects that were
// asked for, or its error.
func (r *rtnetlink) do(kind, flags uint16, body []byte) ([]syscall.NetlinkMessage, error) {
	r.sequence++
	request := binary.NativeEndian.AppendUint32(nil, uint32(unix.NLMSG_HDRLEN+len(body)))
	request = binary.NativeEndian.AppendUint16(request, kind)
	request = binary.NativeEndian.AppendUint16(request, flags|unix.NLM_F_REQUEST|unix.NLM_F_ACK)
	request = binary.NativeEndian.AppendUint32(request, r.sequence)
	request = append(request, 0, 0, 0, 0) // the kernel fills the port in
	request = append(request, body...)
	if err := unix.Sendto(r.fd, request, 0, &unix.SockaddrNetlink{Family: unix.AF_NETLINK}); err != nil {
		return nil, os.NewSyscallError("sendto", err)
	}
	var answers []syscall.NetlinkMessage
	for {
		messages, err := r.receive()
		if err != nil {
			return nil, err
		}
		for _, m := range messages {
			switch {
			case m.Header.Seq != r.sequence:
				// The rest of an answer that nobody waited for.
			case m.Header.Type == unix.NLMSG_DONE:
				return answers, nil
			case m.Header.Type == unix.NLMSG_ERROR:
				return answers, acknowledgement(m.Data)
			default:
				answers = append(answers, m)
			}
		}
	}
}

// receiveSize is more than the kernel puts into one message of a list.
const receiveSize = 1 << 16

func (r *rtnetlink) receive() ([]syscall.NetlinkMessage, error) {
	buffer := make([]byte, receiveSize)
	n, err := ignoringEINTR(func() (int, error) {
		n, _, err := unix.Recvfrom(r.fd, buffer, 0)
		return n, err
	})
	if err != nil {
		return nil, os.NewSyscallError("recvfrom", err)
	}
	return syscall.ParseNetlinkMessage(buffer[:n])
}

// acknowledgement is the error in struct nlmsgerr, nil for 0, with the kernel's
// words for it if there are any.
func acknowledgement(data []byte) error {
	if len(data) < unix.SizeofNlMsgerr {
		return fmt.Errorf("netlink: an answer of %d bytes", len(data))
	}
	errno := unix.Errno(-int32(binary.NativeEndian.Uint32(data)))
	if errno == 0 {
		return nil
	}
	const words = 1 // NLMSGERR_ATTR_MSG
	for kind, value := range attributes(data[unix.SizeofNlMsgerr:]) {
		if kind == words {
			return fmt.Errorf("%w (%s)", errno, bytes.TrimRight(value, "\x00"))
		}
	}
	return errno
}

// attributes goes through a list of struct rtattr.
func attributes(data []byte) func(yield func(kind uint16, value []byte) bool) {
	return func(yield func(uint16, []byte) bool) {
		for len(data) >= unix.SizeofRtAttr {
			length := int(binary.NativeEndian.Uint16(data))
			if length < unix.SizeofRtAttr || length > len(data) {
				return
			}
			if !yield(binary.NativeEndian.Uint16(data[2:]), data[unix.SizeofRtAttr:length]) {
				return
			}
			data = data[min(aligned(length), len(data)):]
		}
	}
}

// appendAttribute adds one to such a list.
func appendAttribute(list []byte, kind uint16, value []byte) []byte {
	length := unix.SizeofRtAttr + len(value)
	list = binary.NativeEndian.AppendUint16(list, uint16(length))
	list = binary.NativeEndian.AppendUint16(list, kind)
	list = append(list, value...)
	return append(list, make([]byte, aligned(length)-length)...)
}

func aligned(length int) int { return (length + unix.NLMSG_ALIGNTO - 1) &^ (unix.NLMSG_ALIGNTO - 1) }
