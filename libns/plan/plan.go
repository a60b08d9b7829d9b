// Package plan compiles a validated config.json into a plan: the explicit,
// ordered list of everything that will be done to make one container.
//
// The package is pure. It reads no file and asks the kernel nothing: what it
// must know about the machine comes in as [kernel.Facts]. The same spec and the
// same facts give the same plan, byte for byte, which is what makes `rt plan`,
// golden files and error reports possible: they all show the data that is
// carried out, never a parallel description of it.
//
// A plan has two sides. Host steps are actions that the parent carries out in
// Go, in the caller's namespaces. Container steps are system calls that the
// init stage (package stage) makes inside the new namespaces. Both run at the
// same time and meet only at barriers.
package plan

import (
	"slices"

	"golang.org/x/sys/unix"
)

// Side says who carries out a step.
type Side uint8

const (
	Host      Side = iota // the parent, in the caller's namespaces
	Container             // the init stage, in the container's namespaces
)

func (s Side) String() string {
	if s == Host {
		return "host"
	}
	return "container"
}

// Plan is all that will be done for one container, in order.
type Plan struct {
	Steps   []Step
	Calls   []Call   // the container side's program; each container step owns a range of it
	Objects []Object // the memory that calls refer to
	Assists []Assist // what the parent does when the init stage asks for help

	// Extra is the number of descriptors above stdio that the program keeps
	// (--preserve-fds and LISTEN_FDS). Those of Passed follow.
	Extra int
	// Passed are the descriptors that the parent lends to the init stage.
	Passed []Passed
	// Filtered says that a seccomp filter is loaded before the program is
	// executed.
	Filtered bool
	// Fork is the call after which the init stage goes on in a child, 0 if there
	// is none.
	Fork int
	// ReportFD is the word that holds the descriptor which failures are
	// reported to: the control socket first, the result pipe after the gate.
	ReportFD Ref
}

// Passed is a descriptor that the parent lends to the init stage. None of them
// survives execve.
type Passed uint8

const (
	// Control is the init stage's end of the conversation with the parent.
	Control Passed = iota
	// Gate is the FIFO that a created container waits on.
	Gate
	// Result is the FIFO on which a started container tells why its program
	// could not be executed; a successful execve closes it.
	Result
	// Target is a pidfd of the process whose namespaces are joined.
	Target
	// Network is the network namespace that the parent has made.
	Network
	// Trace is a file for the times of a traced plan.
	Trace
)

// FD is the number that a passed descriptor has in the init stage.
func (p *Plan) FD(d Passed) int { return 3 + p.Extra + slices.Index(p.Passed, d) }

// FirstFreeFD is the lowest descriptor that the init stage does not inherit.
func (p *Plan) FirstFreeFD() int { return 3 + p.Extra + len(p.Passed) }

// Step is one thing that a person would name.
type Step struct {
	Title string // "mount tmpfs on /dev/shm"
	Field string // the place in config.json that asked for it ("mounts[3]"), or ""
	Side  Side

	Action Action // host side: what the parent does
	First  int    // container side: the range of Plan.Calls
	Count  int

	// Barrier, when not nil, makes this container step the point at which
	// the container stops until the host steps that follow are done, or
	// from which on they are done while it goes on.
	Barrier *Barrier
}

// Barrier is a meeting point of the two sides. The init stage announces its
// number on the control socket, with the descriptors that the host steps need,
// and waits for the answer, there or in a later step.
type Barrier struct {
	Number  int
	Holds   int   // how many host steps right after it are done before the container goes on
	Sends   []Ref // words with the descriptors sent along, in the order the host steps take them
	Payload Ref   // where the answer's bytes go, after its status word
	Ahead   bool  // the container goes on, and waits in a later step
}

// Assist is a host action that is carried out only when the init stage asks for
// it: the rare case that needs more than straight-line system calls. The init
// stage sends the root's descriptor (or what else the action needs) along and
// waits for the answer.
type Assist struct {
	Action Action
	Step   int // index of the step that may ask
}

// Op is the number of a system call on the architecture that the plan is for,
// or one of the three operations that the interpreter carries out itself.
type Op uint16

const (
	// OpIs compares: is(word, mask, want, errno) gives 0 when word&mask
	// equals want and fails with errno otherwise.
	OpIs Op = 0xfff0
	// OpIsNot is the opposite: it fails with errno when word&mask equals want.
	OpIsNot Op = 0xfff1
	// OpSet copies: set(value) gives value. It never fails.
	OpSet Op = 0xfff2
)

// Ref is a place in the plan's memory: a byte offset in an object.
// The zero Ref is nowhere: object 0 is never used.
type Ref struct {
	Object int32
	Offset int32
}

// IsZero reports whether r points nowhere.
func (r Ref) IsZero() bool { return r == Ref{} }

// At is the place off bytes behind r.
func (r Ref) At(off int) Ref { return Ref{r.Object, r.Offset + int32(off)} }

// ArgKind says how an argument is made when the call is.
type ArgKind uint8

const (
	Immediate ArgKind = iota // the value itself
	Address                  // the address of a place in the plan's memory
	Contents                 // the 64-bit word that is in that place by then
)

// Arg is one argument of a call. A plan has thousands: it is two words large.
type Arg struct {
	Kind  ArgKind
	Value uint64 // of an Immediate; of the others, what Ref gives
}

// AddressOf is the address of a place as an argument.
func AddressOf(r Ref) Arg { return Arg{Address, r.pack()} }

// ContentsOf is what a word holds when the call is made.
func ContentsOf(r Ref) Arg { return Arg{Contents, r.pack()} }

// Ref is the place that an Address or Contents is of.
func (a Arg) Ref() Ref { return Ref{Object: int32(a.Value >> 32), Offset: int32(a.Value)} }

func (r Ref) pack() uint64 { return uint64(uint32(r.Object))<<32 | uint64(uint32(r.Offset)) }

// Jump targets that are not the index of a call.
const (
	Next int32 = -1 // the call after this one
	Fail int32 = -2 // report {call, errno} and exit
)

// Outcome says where to go on when a call fails with an errno.
type Outcome struct {
	Errno unix.Errno // AnyErrno for whichever
	To    int32      // index of a call, Next or Fail
}

// AnyErrno in an [Outcome] stands for every error that no earlier one names.
const AnyErrno unix.Errno = 0xffff

// MaxOutcomes is how many outcomes one call can tell apart.
const MaxOutcomes = 4

// Call is one operation of the container side's program.
type Call struct {
	Op      Op
	NArg    uint8
	Args    [6]Arg
	Result  Ref       // where the result is stored (64 bits) on success; zero = nowhere
	Success int32     // where to go on after success: index, or Next
	On      []Outcome // where to go on after an error; otherwise Fail
	Log     Ref       // word with an fs-context descriptor that explains a failure; zero = none
	Meaning string    // what a failure of this call means to a person, when the errno alone would mislead
}

// Object is a piece of the init stage's memory.
type Object struct {
	Kind     ObjectKind
	Name     string    // of a word or buffer: how it is printed
	Bytes    []byte    // initial contents
	Size     int       // of a buffer: its size in bytes, initially zero
	Pointers []Pointer // addresses stored in Bytes when the image is laid out
	Writable bool      // the kernel or a result may be written to it
}

// Len is the object's size in bytes.
func (o *Object) Len() int {
	if o.Bytes != nil {
		return len(o.Bytes)
	}
	return o.Size
}

// ObjectKind says what an object is, for laying it out and printing it.
type ObjectKind uint8

const (
	Text   ObjectKind = iota // a NUL-terminated string
	Struct                   // bytes in the layout of a C structure
	Word                     // one 64-bit result
	Buffer                   // room that the kernel or the parent fills
)

// Pointer is an address inside an object: 8 bytes at Offset hold the address of To.
type Pointer struct {
	Offset int32
	To     Ref
}

// Action is something that the parent does. Actions are plain data, carried out
// by one type switch in package libns: a closure could be neither printed nor
// compared.
type Action interface {
	// Title names the action the way a person would.
	Title() string
	// Holds reports whether the container must stand still meanwhile.
	Holds() bool
}
