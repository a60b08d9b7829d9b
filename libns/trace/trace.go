// Package trace records what rt does and when, for people who look for the
// time that a container takes. It writes the Trace Event Format ("JSON Object
// Format", complete events), which Perfetto and chrome://tracing show.
//
// A nil [*Recorder] records nothing and costs nothing.
package trace

import (
	"encoding/json"
	"io"
	"os"
	"sync"

	"golang.org/x/sys/unix"
)

// Clock is the clock of all times. Both sides of a plan have to read the same
// one: a container in a time namespace of its own has another CLOCK_MONOTONIC,
// while that of atomic time is everybody's (time_namespaces(7)).
const Clock = unix.CLOCK_TAI

// Recorder collects spans. It may be used by several goroutines.
type Recorder struct {
	begun  int64 // when times begin, in nanoseconds of Clock
	mutex  sync.Mutex
	events []event
}

// event is one entry of the file. Times are in microseconds since the
// recording began.
type event struct {
	Name     string         `json:"name"`
	Phase    string         `json:"ph"`
	Time     float64        `json:"ts"`
	Duration float64        `json:"dur,omitempty"`
	PID      int            `json:"pid"`
	TID      int            `json:"tid"`
	Args     map[string]any `json:"args,omitempty"`
}

// New is a recorder for this process.
func New() *Recorder {
	r := &Recorder{begun: Now()}
	r.Process(os.Getpid(), "rt")
	return r
}

// Process names a process that spans belong to.
func (r *Recorder) Process(pid int, name string) {
	r.add(event{Name: "process_name", Phase: "M", PID: pid, TID: pid, Args: map[string]any{"name": name}})
}

// Span begins something that this process does, for field of config.json or
// "". What it returns ends it.
func (r *Recorder) Span(name, field string) (end func()) {
	if r == nil {
		return func() {}
	}
	begin := Now()
	return func() { r.Add(os.Getpid(), name, field, begin, Now()) }
}

// ThreadSpan is Span for what another thread of this process does meanwhile.
func (r *Recorder) ThreadSpan(tid int, name, field string) (end func()) {
	if r == nil {
		return func() {}
	}
	begin := Now()
	return func() { r.addOn(tid, os.Getpid(), name, field, begin, Now()) }
}

// Add records something that a process did from begin to end, in nanoseconds of
// [Clock].
func (r *Recorder) Add(pid int, name, field string, begin, end int64) {
	r.addOn(pid, pid, name, field, begin, end)
}

func (r *Recorder) addOn(tid, pid int, name, field string, begin, end int64) {
	if r == nil {
		return
	}
	e := event{Name: name, Phase: "X", Time: float64(begin-r.begun) / 1e3, Duration: float64(end-begin) / 1e3, PID: pid, TID: tid}
	if field != "" {
		e.Args = map[string]any{"config": field}
	}
	r.add(e)
}

func (r *Recorder) add(e event) {
	if r == nil {
		return
	}
	r.mutex.Lock()
	defer r.mutex.Unlock()
	r.events = append(r.events, e)
}

// Write writes everything recorded so far.
func (r *Recorder) Write(w io.Writer) error {
	if r == nil {
		return nil
	}
	r.mutex.Lock()
	defer r.mutex.Unlock()
	return json.NewEncoder(w).Encode(map[string]any{"displayTimeUnit": "ns", "traceEvents": r.events})
}

// Now is the time, in nanoseconds of [Clock].
func Now() int64 {
	var now unix.Timespec
	_ = unix.ClockGettime(Clock, &now) // fails for clocks that do not exist
	return now.Nano()
}
