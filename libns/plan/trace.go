package plan

import (
	"golang.org/x/sys/unix"
)

// A traced plan stores the time at which each container step began in a page
// that the init stage shares with the parent: slot i, a struct timespec, is that
// of Steps[i]. A step that is jumped over leaves its slot zero, and a step has
// ended when the next one that was not begins.
const (
	// TraceAddress is where the page is in the init stage's memory, away from
	// its image and from where the kernel puts things.
	TraceAddress = 0x10_0000_0000
	// TraceSlot is the size of a slot in bytes.
	TraceSlot = 16
)

// TraceSize is how many bytes the slots of a plan take.
func (p *Plan) TraceSize() int { return TraceSlot * len(p.Steps) }

// shareTrace is the first thing that the init stage of a traced plan does.
func (c *compiler) shareTrace() {
	if !c.Trace {
		return
	}
	c.step("", "share a page of times with the runtime")
	c.call(unix.SYS_MMAP, imm(uint64(TraceAddress)), imm(TraceSlot*maxTracedSteps), imm(unix.PROT_READ|unix.PROT_WRITE),
		imm(unix.MAP_SHARED|unix.MAP_FIXED_NOREPLACE), imm(c.p.FD(Trace)), imm(0))
	c.traced = true
}

// maxTracedSteps bounds the mapping, whose size has to be known before the
// number of steps is. What lies behind the file's end is not touched.
const maxTracedSteps = 1 << 20

// beginTraced stores the time of the step just begun.
func (b *builder) beginTraced() {
	if b.traced {
		slot := uint64(TraceAddress + TraceSlot*(len(b.p.Steps)-1))
		b.call(unix.SYS_CLOCK_GETTIME, imm(unix.CLOCK_TAI), imm(slot))
	}
}
