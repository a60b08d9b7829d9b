package plan

import (
	"encoding/binary"

	"golang.org/x/sys/unix"
)

// The conversation between the init stage and the parent, over a
// SOCK_SEQPACKET socket: the container side sends messages of one header, with
// descriptors where a barrier or assist needs them; the parent answers with one
// packet (an answer's payload, or a single byte), or closes the socket, which
// ends the init stage.

// MessageKind says what a message of the init stage is about.
type MessageKind uint32

const (
	MessageBarrier MessageKind = 1 + iota // Index: the barrier's number
	MessageAssist                         // Index: index in Plan.Assists
	MessageFailure                        // Index: the call that failed; Errno; then the kernel's own text, if any
	MessageForked                         // Index: the pid of the process that goes on
)

// Message is the fixed head of every message.
type Message struct {
	Kind  MessageKind
	Index int32
	Errno unix.Errno
}

// AfterFork reports whether a message is from the child that the init stage has
// forked, and goes on in.
func (p *Plan) AfterFork(m Message) bool {
	if p.Fork == 0 {
		return false
	}
	switch m.Kind {
	case MessageFailure:
		return int(m.Index) > p.Fork
	case MessageAssist:
		return int(m.Index) < len(p.Assists) && p.Steps[p.Assists[m.Index].Step].First > p.Fork
	case MessageBarrier:
		for i := range p.Steps {
			if b := p.Steps[i].Barrier; b != nil && b.Number == int(m.Index) {
				return p.Steps[i].First > p.Fork
			}
		}
	}
	return false
}

const (
	// MessageSize is the size in bytes of a message's head.
	MessageSize = 16
	// MaxReport is the size in bytes of the longest message: a failure with
	// what the kernel said about it.
	MaxReport = MessageSize + 496
	// AnswerSize is how much of an answer without payload is read.
	AnswerSize = 8
)

// messageHeader is the head of a message as the init stage sends it:
// kind, index, errno, zero; 32 bits each, little endian.
func messageHeader(kind MessageKind, index int) []byte {
	b := make([]byte, MessageSize)
	binary.LittleEndian.PutUint32(b, uint32(kind))
	binary.LittleEndian.PutUint32(b[4:], uint32(index))
	return b
}

// ParseMessage splits a received message into its head and the text behind it.
func ParseMessage(b []byte) (Message, string, bool) {
	if len(b) < MessageSize {
		return Message{}, "", false
	}
	m := Message{
		Kind:  MessageKind(binary.LittleEndian.Uint32(b)),
		Index: int32(binary.LittleEndian.Uint32(b[4:])),
		Errno: unix.Errno(binary.LittleEndian.Uint32(b[8:])),
	}
	return m, string(b[MessageSize:]), true
}

// rightsHeader is a control message with room for n descriptors (cmsg(3)),
// padded so that each can be stored as a 64-bit result.
func rightsHeader(n int) []byte {
	b := make([]byte, unix.CmsgSpace(4*n)+8)
	binary.LittleEndian.PutUint64(b, uint64(unix.CmsgLen(4*n)))
	binary.LittleEndian.PutUint32(b[8:], unix.SOL_SOCKET)
	binary.LittleEndian.PutUint32(b[12:], unix.SCM_RIGHTS)
	return b
}

func le64(v uint64) []byte { return binary.LittleEndian.AppendUint64(nil, v) }
