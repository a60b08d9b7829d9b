package stage

import (
	"encoding/binary"
	"errors"

	"golang.org/x/sys/unix"

	"rt/libns/plan"
)

// simulator carries a plan's calls out against a kernel that a test plays. It
// is written from package plan's description of what calls mean, without a
// look at records: what it has in common with the interpreter is only the
// addresses of objects.
type simulator struct {
	plan    *plan.Plan
	layout  *assembler
	objects [][]byte
	// kernel makes a system call. Errors are small negative numbers; done
	// ends the process.
	kernel func(m *simulator, op plan.Op, args [6]uint64) (result int64, done bool)
}

// ending is how a simulated program ended: with a report, which is sent to a
// descriptor, or otherwise by leaving it to the kernel.
type ending struct {
	report []byte
	fd     int32
}

var errTooLong = errors.New("the program takes too many steps")

func newSimulator(p *plan.Plan) *simulator {
	m := &simulator{plan: p, layout: &assembler{plan: p}}
	m.layout.placeConstants()
	m.layout.placeMemory()
	for i := range p.Objects {
		o := &p.Objects[i]
		memory := make([]byte, o.Len())
		copy(memory, o.Bytes)
		m.objects = append(m.objects, memory)
	}
	for i := range p.Objects {
		for _, pointer := range p.Objects[i].Pointers {
			binary.LittleEndian.PutUint64(m.objects[i][pointer.Offset:], m.address(pointer.To))
		}
	}
	return m
}

func (m *simulator) address(r plan.Ref) uint64 { return uint64(m.layout.address(r)) }

func (m *simulator) word(r plan.Ref) []byte { return m.objects[r.Object][r.Offset:][:8] }

func (m *simulator) argument(a plan.Arg) uint64 {
	switch a.Kind {
	case plan.Address:
		return m.address(a.Ref())
	case plan.Contents:
		return binary.LittleEndian.Uint64(m.word(a.Ref()))
	}
	return a.Value
}

// bytes are the size bytes of one object that are at an address.
func (m *simulator) bytes(address uint64, size int) []byte {
	for i := 1; i < len(m.objects); i++ {
		start := m.address(plan.Ref{Object: int32(i)})
		if address >= start && address+uint64(size) <= start+uint64(len(m.objects[i])) {
			return m.objects[i][address-start:][:size]
		}
	}
	panic("the program names memory that it does not have")
}

// run carries the program out, in at most limit steps.
func (m *simulator) run(limit int) (ending, error) {
	next := 0
	for range limit {
		c := &m.plan.Calls[next]
		var args [6]uint64
		for i, a := range c.Args {
			args[i] = m.argument(a)
		}
		result, done := m.carryOut(c.Op, args)
		if done {
			return ending{}, nil
		}
		if c.Op != plan.OpSet && result < 0 && result > -4096 {
			errno := unix.Errno(-result)
			to, ok := afterError(c, next, errno)
			if !ok {
				fd := int32(binary.LittleEndian.Uint32(m.word(m.plan.ReportFD)))
				return ending{report(next, errno), fd}, nil
			}
			next = to
			continue
		}
		if !c.Result.IsZero() {
			binary.LittleEndian.PutUint64(m.word(c.Result), uint64(result))
		}
		next = resolve(c.Success, next)
	}
	return ending{}, errTooLong
}

func (m *simulator) carryOut(op plan.Op, args [6]uint64) (int64, bool) {
	switch op {
	case plan.OpSet:
		return int64(args[0]), false
	case plan.OpIs, plan.OpIsNot:
		if (args[0]&args[1] == args[2]) == (op == plan.OpIs) {
			return 0, false
		}
		return -int64(args[3]), false
	}
	return m.kernel(m, op, args)
}

// afterError says where a failed call goes on.
func afterError(c *plan.Call, call int, errno unix.Errno) (to int, ok bool) {
	for _, o := range c.On {
		any := o.Errno == plan.AnyErrno && errno != unix.EINTR
		if o.Errno == errno || any {
			return resolve(o.To, call), o.To != plan.Fail
		}
	}
	return call, errno == unix.EINTR
}

func resolve(to int32, call int) int {
	if to == plan.Next {
		return call + 1
	}
	return int(to)
}

func report(call int, errno unix.Errno) []byte {
	b := make([]byte, plan.MessageSize)
	binary.LittleEndian.PutUint32(b, uint32(plan.MessageFailure))
	binary.LittleEndian.PutUint32(b[4:], uint32(call))
	binary.LittleEndian.PutUint32(b[8:], uint32(errno))
	return b
}
