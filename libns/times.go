package libns

import (
	"encoding/binary"
	"io"
	"os"

	"golang.org/x/sys/unix"

	"rt/libns/plan"
	"rt/libns/trace"
)

// timedHost is host, and records how long it took.
func (d *driver) timedHost(s *plan.Step, fds []int) ([]byte, error) {
	defer d.request.Recorder.Span(s.Title, s.Field)()
	return d.host(s, fds)
}

// shareTimes makes the file in which the init stage of a traced plan stores
// when its steps began.
func (d *driver) shareTimes() error {
	if !d.request.Trace {
		return nil
	}
	fd, err := unix.MemfdCreate("rt-times", unix.MFD_CLOEXEC)
	if err != nil {
		return os.NewSyscallError("memfd_create", err)
	}
	d.times = os.NewFile(uintptr(fd), "rt-times")
	return d.times.Truncate(int64(d.plan.TraceSize()))
}

// takeTimes records the steps of the container side, as far as they have come.
func (d *driver) takeTimes() {
	if d.times == nil {
		return
	}
	defer d.times.Close()
	slots := make([]byte, d.plan.TraceSize())
	if _, err := io.ReadFull(d.times, slots); err != nil {
		return // nothing depends on it
	}
	recorder := d.request.Recorder
	recorder.Process(d.launched, "init stage")
	var running *plan.Step
	var since int64
	end := func(at int64) {
		if running != nil {
			recorder.Add(d.launched, running.Title, running.Field, since, at)
		}
	}
	for i := range d.plan.Steps {
		if begun := slotTime(slots[plan.TraceSlot*i:]); begun != 0 {
			end(begun)
			running, since = &d.plan.Steps[i], begun
		}
	}
	if !d.request.Gated { // otherwise it waits, for longer than this
		end(trace.Now())
	}
}

// slotTime reads a struct timespec, in nanoseconds.
func slotTime(slot []byte) int64 {
	seconds, nanoseconds := binary.LittleEndian.Uint64(slot), binary.LittleEndian.Uint64(slot[8:])
	return int64(seconds)*1e9 + int64(nanoseconds)
}
