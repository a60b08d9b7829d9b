package seccomp

import (
	"encoding/binary"

	"golang.org/x/sys/unix"
)

// Filter is a compiled profile.
type Filter struct {
	// Program is the classic BPF program for SECCOMP_SET_MODE_FILTER.
	Program []unix.SockFilter
	// Flags are the SECCOMP_FILTER_FLAG_* to load it with.
	Flags uint
	// Notify says that a rule has SCMP_ACT_NOTIFY: loading the filter gives a
	// descriptor, which the agent at linux.seccomp.listenerPath is to have.
	Notify bool
	// Archs are the architectures covered, the machine's own first.
	Archs []Arch
}

// Bytes gives the program as the kernel reads it: an array of struct sock_filter
// in the machine's byte order.
func (f *Filter) Bytes() []byte {
	return appendProgram(make([]byte, 0, instructionSize*len(f.Program)), f.Archs[0].abi().byteOrder(), f.Program)
}

// instructionSize is the size of struct sock_filter in bytes.
const instructionSize = 8

// byteOrder is that of an architecture's numbers in memory.
type byteOrder interface {
	binary.ByteOrder
	binary.AppendByteOrder
}

func (a *abi) byteOrder() byteOrder {
	if a.big {
		return binary.BigEndian
	}
	return binary.LittleEndian
}

func appendProgram(b []byte, order binary.AppendByteOrder, program []unix.SockFilter) []byte {
	for _, i := range program {
		b = order.AppendUint16(b, i.Code)
		b = append(b, i.Jt, i.Jf)
		b = order.AppendUint32(b, i.K)
	}
	return b
}
