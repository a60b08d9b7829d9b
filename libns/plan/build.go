package plan

import (
	"encoding/binary"
	"fmt"

	"golang.org/x/sys/unix"
)

// builder lays down a plan step by step. It numbers calls, resolves labels and
// inserts the barriers, so that the compiler's functions read as the story of
// what happens and none of them counts an index.
type builder struct {
	p        *Plan
	interned map[string]Ref // texts
	structs  map[string]Ref
	hows     map[[2]uint64]Arg // flags and resolve of openat2 → its structure
	words    map[string]Ref
	labels   []int32 // label → index of its call; unbound = -1
	fixups   []fixup
	pending  []hostStep // host steps not yet laid down
	running  bool       // the init stage is there to be held
	barriers int
	awaited  *Ref      // where the answer goes to a barrier that the container did not wait at; nil if there is none
	outcomes []Outcome // room for the outcomes of further calls
	unmet    bool      // since the launch there was a host step, or a fork, without a barrier behind it
	traced   bool      // steps store when they began
	control  Ref       // word: the control socket
}

type hostStep struct {
	step  Step
	sends []Ref
	reply Ref
}

// label names a call to jump to before it is laid down.
type label int

type fixup struct {
	call    int
	outcome int // index in Call.On, or -1 for Call.Success
	label   label
}

// newBuilder makes room for about as many calls as the plan will have: growing
// a list of thousands by copying would cost more than making it.
func newBuilder(calls int) *builder {
	return &builder{
		p: &Plan{
			Steps:   make([]Step, 0, calls/6),
			Calls:   make([]Call, 0, calls),
			Objects: make([]Object, 1, calls/2),
		},
		interned: make(map[string]Ref, calls/2),
		structs:  make(map[string]Ref, calls/8),
		hows:     map[[2]uint64]Arg{},
		words:    map[string]Ref{},
		labels:   make([]int32, 0, calls/2),
		fixups:   make([]fixup, 0, calls/2),
	}
}

// ---- memory ----

func (b *builder) object(o Object) Ref {
	b.p.Objects = append(b.p.Objects, o)
	return Ref{Object: int32(len(b.p.Objects) - 1)}
}

// str is the address of a NUL-terminated constant.
func (b *builder) str(s string) Arg { return AddressOf(b.text(s)) }

// text is the place of a NUL-terminated constant; equal texts share one.
func (b *builder) text(s string) Ref {
	if r, ok := b.interned[s]; ok {
		return r
	}
	bytes := make([]byte, len(s)+1)
	copy(bytes, s)
	r := b.object(Object{Kind: Text, Bytes: bytes})
	b.interned[s] = r
	return r
}

// constant is the address of a read-only structure; equal ones share one.
func (b *builder) constant(bytes []byte) Arg {
	r, ok := b.structs[string(bytes)]
	if !ok {
		r = b.object(Object{Kind: Struct, Bytes: bytes})
		b.structs[string(bytes)] = r
	}
	return AddressOf(r)
}

// word is the 64-bit result called name; the same name is the same word.
func (b *builder) word(name string) Ref {
	if r, ok := b.words[name]; ok {
		return r
	}
	r := b.object(Object{Kind: Word, Name: name, Size: 8, Writable: true})
	b.words[name] = r
	return r
}

// preset is a word that holds value from the beginning.
func (b *builder) preset(name string, value uint64) Ref {
	r := b.object(Object{Kind: Word, Name: name, Bytes: le64(value), Writable: true})
	b.words[name] = r
	return r
}

// buffer is room for size bytes, shared under its name.
func (b *builder) buffer(name string, size int) Ref {
	if r, ok := b.words[name]; ok {
		return r
	}
	r := b.object(Object{Kind: Buffer, Name: name, Size: size, Writable: true})
	b.words[name] = r
	return r
}

// pointers is a structure of addresses (argv, envp), ended by a null one.
func (b *builder) pointers(to []Ref) Ref {
	o := Object{Kind: Struct, Bytes: make([]byte, 8*(len(to)+1))}
	for i, r := range to {
		o.Pointers = append(o.Pointers, Pointer{Offset: int32(8 * i), To: r})
	}
	return b.object(o)
}

// ---- arguments ----

func imm[T ~int | ~int32 | ~int64 | ~uint | ~uint32 | ~uint64 | ~uintptr | ~uint8 | ~uint16](v T) Arg {
	return Arg{Kind: Immediate, Value: uint64(v)}
}

func addr(r Ref) Arg { return AddressOf(r) }

func load(r Ref) Arg { return ContentsOf(r) }

// null is the null pointer.
var null = Arg{}

// cwdFD is AT_FDCWD as an argument.
var cwdFD = imm(unix.AT_FDCWD)

// ---- steps and calls ----

// step begins a container step.
func (b *builder) step(field, title string) {
	b.flush()
	b.p.Steps = append(b.p.Steps, Step{Title: title, Field: field, Side: Container, First: len(b.p.Calls)})
	b.beginTraced()
}

// host adds a host step. sends are the words whose descriptors the action
// needs; they travel with the barrier that the step is put behind.
func (b *builder) host(field string, a Action, sends ...Ref) {
	b.pending = append(b.pending, hostStep{
		step:  Step{Title: a.Title(), Field: field, Side: Host, Action: a},
		sends: sends,
	})
}

// hostAnswers is host for an action whose answer (at most len(reply) bytes) is
// put in the container's memory.
func (b *builder) hostAnswers(field string, a Action, reply Ref, sends ...Ref) {
	b.host(field, a, sends...)
	b.pending[len(b.pending)-1].reply = reply
}

// flush lays down the pending host steps, behind a barrier when one of them
// needs the container to stand still.
func (b *builder) flush() {
	if len(b.pending) == 0 {
		return
	}
	pending, sends, reply := b.takePending()
	holds := 0
	for i, h := range pending {
		switch h.step.Action.(type) {
		case Launch:
			b.running = true
		case AwaitExec:
			b.running = false
		default:
			if b.running && h.step.Action.Holds() {
				holds = i + 1
			}
		}
	}
	if holds > 0 {
		b.barrier(&Barrier{Holds: holds, Sends: sends, Payload: reply}, "barrier: container waits for host")
		b.answer(reply)
		b.unmet = false
	}
	for i, h := range pending {
		b.unmet = b.unmet || b.running && i >= holds
		b.p.Steps = append(b.p.Steps, h.step)
	}
}

// takePending gives the pending host steps, with the words of all descriptors that
// they need and where an answer to one of them goes.
func (b *builder) takePending() (pending []hostStep, sends []Ref, reply Ref) {
	pending = b.pending
	b.pending = nil
	for _, h := range pending {
		sends = append(sends, h.sends...)
		if !h.reply.IsZero() {
			reply = h.reply
		}
	}
	return pending, sends, reply
}

// meetAhead lays down the pending host steps behind a barrier that the container
// only announces. It goes on, and waits in await.
func (b *builder) meetAhead() {
	if len(b.pending) == 0 {
		return
	}
	pending, sends, reply := b.takePending()
	b.barrier(&Barrier{Holds: len(pending), Sends: sends, Payload: reply, Ahead: true}, "barrier: container goes on")
	for _, h := range pending {
		b.p.Steps = append(b.p.Steps, h.step)
	}
	b.awaited, b.unmet = &reply, false
}

// await waits for the host to have done what it was told ahead, if it was.
func (b *builder) await() {
	if b.awaited == nil {
		return
	}
	reply := *b.awaited
	b.awaited = nil
	b.step("", "wait for the host")
	b.answer(reply)
}

// barrier lays down the container's side of a meeting, but for the answer.
func (b *builder) barrier(bar *Barrier, title string) {
	b.await()
	b.barriers++
	bar.Number = b.barriers
	b.p.Steps = append(b.p.Steps, Step{Title: title, Side: Container, First: len(b.p.Calls), Barrier: bar})
	b.beginTraced()
	b.announce(MessageBarrier, bar.Number, bar.Sends)
}

// announce sends one message, with descriptors, to the parent.
func (b *builder) announce(kind MessageKind, index int, fds []Ref) {
	message := b.constant(messageHeader(kind, index))
	if len(fds) == 0 {
		b.call(unix.SYS_WRITE, load(b.control), message, imm(MessageSize))
		return
	}
	iov := b.object(Object{Kind: Struct, Bytes: make([]byte, 16), Pointers: []Pointer{{0, message.Ref()}}})
	binary.LittleEndian.PutUint64(b.p.Objects[iov.Object].Bytes[8:], MessageSize)
	rights := b.object(Object{Kind: Struct, Name: "rights", Bytes: rightsHeader(len(fds)), Writable: true})
	header := b.object(Object{Kind: Struct, Bytes: make([]byte, unix.SizeofMsghdr), Pointers: []Pointer{{16, iov}, {32, rights}}})
	bytes := b.p.Objects[header.Object].Bytes
	binary.LittleEndian.PutUint64(bytes[24:], 1)
	binary.LittleEndian.PutUint64(bytes[40:], uint64(unix.CmsgLen(4*len(fds))))
	for i, fd := range fds {
		// Results are stored as 64 bits: each one's upper half is
		// overwritten by the next, and the last has padding behind it.
		b.call(OpSet, load(fd)).to(rights.At(unix.CmsgLen(0) + 4*i))
	}
	b.call(unix.SYS_SENDMSG, load(b.control), addr(header), imm(0))
}

// answer waits for the parent's answer; its end of file means that the parent
// is gone, and with it the reason to go on.
func (b *builder) answer(reply Ref) {
	n := b.word("n")
	into, size := b.buffer("answer", AnswerSize), AnswerSize
	if !reply.IsZero() {
		into, size = reply, b.p.Objects[reply.Object].Len()
	}
	b.call(unix.SYS_READ, load(b.control), addr(into), imm(size)).to(n)
	b.call(OpIsNot, load(n), imm(^uint64(0)), imm(0), imm(unix.EPIPE)).means("the runtime went away")
}

// assist lays down a request to the parent: do a for the step that is being
// laid down, with the descriptors in fds.
func (b *builder) assist(a Action, fds ...Ref) {
	b.p.Assists = append(b.p.Assists, Assist{Action: a, Step: len(b.p.Steps) - 1})
	b.announce(MessageAssist, len(b.p.Assists)-1, fds)
	b.answer(Ref{})
}

// call appends one call to the current step.
func (b *builder) call(op Op, args ...Arg) callBuilder {
	c := Call{Op: op, NArg: uint8(len(args)), Success: Next}
	copy(c.Args[:], args)
	for i := range args {
		b.markWritable(op, i, args[i])
	}
	b.p.Calls = append(b.p.Calls, c)
	b.p.Steps[len(b.p.Steps)-1].Count++
	return callBuilder{b, len(b.p.Calls) - 1}
}

// markWritable is here so that an object which the kernel writes to never ends
// up in the image's read-only part.
func (b *builder) markWritable(op Op, arg int, a Arg) {
	if a.Kind == Address && !b.p.Objects[a.Ref().Object].Writable && writes(op, arg) {
		panic(fmt.Sprintf("plan: argument %d of %v must be writable", arg, op))
	}
}

// callBuilder refines the call just laid down.
type callBuilder struct {
	b     *builder
	index int
}

func (c callBuilder) get() *Call { return &c.b.p.Calls[c.index] }

// to stores the result.
func (c callBuilder) to(r Ref) callBuilder {
	c.get().Result = r
	return c
}

// on says where to go on after errno.
func (c callBuilder) on(errno unix.Errno, l label) callBuilder {
	c.outcome(errno, Next)
	c.b.jump(c.index, len(c.get().On)-1, l)
	return c
}

func (c callBuilder) outcome(errno unix.Errno, to int32) {
	call := c.get()
	switch len(call.On) {
	case 0:
		call.On = c.b.roomForOutcomes()
	case MaxOutcomes:
		panic("plan: too many outcomes for one call")
	}
	call.On = append(call.On, Outcome{Errno: errno, To: to})
}

// roomForOutcomes gives the room of one call, cut from a piece that is made for
// many.
func (b *builder) roomForOutcomes() []Outcome {
	if len(b.outcomes) < MaxOutcomes {
		b.outcomes = make([]Outcome, 256*MaxOutcomes)
	}
	room := b.outcomes[:0:MaxOutcomes]
	b.outcomes = b.outcomes[MaxOutcomes:]
	return room
}

// ignore goes on with the next call after any of errnos.
func (c callBuilder) ignore(errnos ...unix.Errno) callBuilder {
	for _, e := range errnos {
		c.on(e, next)
	}
	return c
}

// retry makes the call again after errno.
func (c callBuilder) retry(errno unix.Errno) callBuilder {
	c.outcome(errno, int32(c.index))
	return c
}

// then says where to go on after success.
func (c callBuilder) then(l label) callBuilder {
	c.b.jump(c.index, -1, l)
	return c
}

// log names the fs-context descriptor that explains a failure.
func (c callBuilder) log(fs Ref) callBuilder {
	c.get().Log = fs
	return c
}

// means says what a failure is to a person.
func (c callBuilder) means(text string) callBuilder {
	c.get().Meaning = text
	return c
}

// ---- labels ----

const (
	next label = -1 // the call after this one
	fail label = -2 // report and exit
)

// label makes a name for a call that is not laid down yet.
func (b *builder) label() label {
	b.labels = append(b.labels, -1)
	return label(len(b.labels) - 1)
}

// bind gives the name to the call that comes next.
func (b *builder) bind(l label) {
	b.flush()
	b.labels[l] = int32(len(b.p.Calls))
}

// here is a label on the call that comes next.
func (b *builder) here() label {
	l := b.label()
	b.bind(l)
	return l
}

func (b *builder) jump(call, outcome int, l label) {
	if l < 0 {
		b.setTarget(call, outcome, int32(l))
		return
	}
	b.fixups = append(b.fixups, fixup{call, outcome, l})
}

func (b *builder) setTarget(call, outcome int, to int32) {
	if outcome < 0 {
		b.p.Calls[call].Success = to
		return
	}
	b.p.Calls[call].On[outcome].To = to
}

// build resolves the labels and gives the finished plan.
func (b *builder) build() *Plan {
	b.flush()
	for _, f := range b.fixups {
		to := b.labels[f.label]
		if to < 0 || int(to) >= len(b.p.Calls) {
			panic(fmt.Sprintf("plan: call %d jumps to a label that is not bound to a call", f.call))
		}
		b.setTarget(f.call, f.outcome, to)
	}
	return b.p
}
