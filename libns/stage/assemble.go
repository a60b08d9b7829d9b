package stage

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"

	"golang.org/x/sys/unix"

	"rt/libns/plan"
)

// Assemble gives the init stage that carries out the container side of p: the
// bytes of a static executable for this architecture, whose system call numbers
// p has. An error means that p contradicts itself (a jump to nowhere, a result
// in constant memory), which no plan made by package plan does.
func Assemble(p *plan.Plan) ([]byte, error) {
	return assemble(p, architecture{machine, text, textEntry})
}

func assemble(p *plan.Plan, arch architecture) ([]byte, error) {
	if textOffset+len(arch.text) > partAlign {
		return nil, fmt.Errorf("assemble: interpreter of %d bytes does not fit its part", len(arch.text))
	}
	if err := check(p); err != nil {
		return nil, fmt.Errorf("assemble: %w", err)
	}
	a := &assembler{plan: p}
	a.placeConstants()
	a.placeMemory()
	if a.memoryEnd > maxImage {
		return nil, fmt.Errorf("assemble: the plan needs %d bytes of memory, more than %d", a.memoryEnd, maxImage)
	}
	a.image = make([]byte, a.memoryFile+a.memorySize)
	a.writeHeaders(arch)
	copy(a.image[textOffset:], arch.text)
	a.writeHead()
	for i := range p.Calls {
		a.writeRecord(i)
	}
	a.writeEnd()
	a.writePool()
	a.writeObjects()
	return a.image, nil
}

// assembler lays a plan out. All sizes and offsets are in bytes; offsets count
// from the beginning of the file.
type assembler struct {
	plan  *plan.Plan
	image []byte

	addresses []uint32 // of each object
	offsets   []int    // of each object that is in the file; 0 = it is not

	pool       []uint64 // values too large for a record
	poolOffset int

	programSize int // of the read-only part
	memoryFile  int // offset of the writable part
	memorySize  int // what of it is in the file
	memoryEnd   int // end of it, with what is not in the file
	report      int // offset of the report
}

// placeConstants gives the read-only objects their places, behind the records.
func (a *assembler) placeConstants() {
	p := a.plan
	a.addresses = make([]uint32, len(p.Objects))
	a.offsets = make([]int, len(p.Objects))
	a.poolOffset = programOffset + headSize + (len(p.Calls)+1)*recordSize
	a.collectPool()
	end := a.poolOffset + len(a.pool)*wordSize
	for i := 1; i < len(p.Objects); i++ {
		if o := &p.Objects[i]; !o.Writable {
			end = align(end, alignment(o))
			a.offsets[i] = end
			a.addresses[i] = uint32(programAddress - programOffset + end)
			end += o.Len()
		}
	}
	a.programSize = end - programOffset
}

// placeMemory gives the writable objects their places: first those with
// contents, then the report, of which only the head has any, then the rest.
func (a *assembler) placeMemory() {
	p := a.plan
	a.memoryFile = align(programOffset+a.programSize, partAlign)
	end := a.memoryFile
	for i := 1; i < len(p.Objects); i++ {
		if o := &p.Objects[i]; o.Writable && o.Bytes != nil {
			end = align(end, alignment(o))
			a.offsets[i] = end
			a.addresses[i] = a.memoryAddress(end)
			end += len(o.Bytes)
		}
	}
	a.report = align(end, wordSize)
	a.memorySize = a.report + reportHead - a.memoryFile
	end = a.report + plan.MaxReport
	for i := 1; i < len(p.Objects); i++ {
		if o := &p.Objects[i]; o.Writable && o.Bytes == nil {
			end = align(end, alignment(o))
			a.addresses[i] = a.memoryAddress(end)
			end += o.Size
		}
	}
	a.memoryEnd = end
}

// memoryAddress is the address of what is at offset in the writable part.
func (a *assembler) memoryAddress(offset int) uint32 {
	return uint32(baseAddress + 2*addressStride + offset)
}

// collectPool finds the arguments that do not fit a record.
func (a *assembler) collectPool() {
	for i := range a.plan.Calls {
		for _, arg := range arguments(&a.plan.Calls[i]) {
			if arg.Kind == plan.Immediate && !fits(arg.Value) && a.pooled(arg.Value) < 0 {
				a.pool = append(a.pool, arg.Value)
			}
		}
	}
}

// pooled is the index of v in the pool, or -1.
func (a *assembler) pooled(v uint64) int {
	for i, have := range a.pool {
		if have == v {
			return i
		}
	}
	return -1
}

// fits reports whether v is a sign-extended 32-bit number.
func fits(v uint64) bool { return uint64(int64(int32(v))) == v }

// address is where r is in memory; 0 for nowhere.
func (a *assembler) address(r plan.Ref) uint32 {
	if r.IsZero() {
		return 0
	}
	return a.addresses[r.Object] + uint32(r.Offset)
}

func (a *assembler) writeHead() {
	head := a.image[programOffset:]
	put32(head[headReport:], a.memoryAddress(a.report))
	put32(head[headReportFD:], a.address(a.plan.ReportFD))
	put32(a.image[a.report:], uint32(plan.MessageFailure))
}

func (a *assembler) record(i int) []byte {
	return a.image[programOffset+headSize+i*recordSize:][:recordSize]
}

func (a *assembler) writeRecord(i int) {
	c := &a.plan.Calls[i]
	r := a.record(i)
	contents := byte(0)
	for n, arg := range arguments(c) {
		value, read := a.argument(arg)
		put32(r[recordArgs+4*n:], value)
		if read {
			contents |= 1 << n
		}
	}
	put32(r[recordResult:], a.address(c.Result))
	put32(r[recordLog:], a.address(c.Log))
	put32(r[recordSuccess:], target(c.Success, i))
	binary.LittleEndian.PutUint16(r[recordOp:], uint16(c.Op))
	r[recordContents] = contents
	for n, o := range c.On {
		binary.LittleEndian.PutUint16(r[recordErrors+2*n:], uint16(o.Errno))
		put32(r[recordTargets+4*n:], target(o.To, i))
	}
}

// writeEnd puts a record behind the last one, so that a plan which goes on
// after its last call fails there and does not run off.
func (a *assembler) writeEnd() {
	r := a.record(len(a.plan.Calls))
	binary.LittleEndian.PutUint16(r[recordOp:], uint16(plan.OpIs))
	for n, v := range []uint32{0, 0, 1, uint32(EndErrno)} {
		put32(r[recordArgs+4*n:], v)
	}
}

// EndErrno is what is reported when a plan goes on after its last call; the
// call reported is the one that would be next.
const EndErrno = unix.ENOEXEC

// argument is what a record has for arg, and whether it is to be read from there.
func (a *assembler) argument(arg plan.Arg) (value uint32, read bool) {
	switch {
	case arg.Kind == plan.Address:
		return a.address(arg.Ref()), false
	case arg.Kind == plan.Contents:
		return a.address(arg.Ref()), true
	case fits(arg.Value):
		return uint32(arg.Value), false
	default:
		offset := a.poolOffset + a.pooled(arg.Value)*wordSize
		return uint32(programAddress - programOffset + offset), true
	}
}

// target is a record's form of where call i goes on.
func target(to int32, i int) uint32 {
	switch to {
	case plan.Next:
		return uint32(i + 1)
	case plan.Fail:
		to = failTarget
	}
	return uint32(to)
}

func (a *assembler) writePool() {
	for i, v := range a.pool {
		put64(a.image[a.poolOffset+i*wordSize:], v)
	}
}

func (a *assembler) writeObjects() {
	for i := range a.plan.Objects {
		if a.offsets[i] == 0 {
			continue
		}
		o := &a.plan.Objects[i]
		bytes := a.image[a.offsets[i]:][:o.Len()]
		copy(bytes, o.Bytes)
		for _, pointer := range o.Pointers {
			put64(bytes[pointer.Offset:], uint64(a.address(pointer.To)))
		}
	}
}

// writeHeaders writes the ELF header and one program header per part.
func (a *assembler) writeHeaders(arch architecture) {
	h := a.image[:elfHeaderSize]
	copy(h, unix.ELFMAG)
	h[unix.EI_CLASS] = unix.ELFCLASS64
	h[unix.EI_DATA] = unix.ELFDATA2LSB
	h[unix.EI_VERSION] = unix.EV_CURRENT
	put16(h[16:], unix.ET_EXEC)
	put16(h[18:], arch.machine)
	put32(h[20:], unix.EV_CURRENT)
	put64(h[24:], uint64(textAddress+arch.entry))
	put64(h[32:], elfHeaderSize) // program headers follow
	put16(h[52:], elfHeaderSize)
	put16(h[54:], programHeaderSize)
	put16(h[56:], programHeaders)

	a.writePart(0, unix.PF_R|unix.PF_X, 0, baseAddress, textOffset+len(arch.text), 0)
	a.writePart(1, unix.PF_R, programOffset, programAddress, a.programSize, 0)
	a.writePart(2, unix.PF_R|unix.PF_W, a.memoryFile, int(a.memoryAddress(a.memoryFile)),
		a.memorySize, a.memoryEnd-a.memoryFile-a.memorySize)
	stack := a.programHeader(3)
	put32(stack, unix.PT_GNU_STACK)
	put32(stack[4:], unix.PF_R|unix.PF_W)
}

func (a *assembler) programHeader(n int) []byte {
	return a.image[elfHeaderSize+n*programHeaderSize:][:programHeaderSize]
}

// writePart writes the program header of a part with size bytes in the file and
// zeroed bytes behind them in memory.
func (a *assembler) writePart(n int, flags uint32, offset, address, size, zeroed int) {
	h := a.programHeader(n)
	put32(h, unix.PT_LOAD)
	put32(h[4:], flags)
	put64(h[8:], uint64(offset))
	put64(h[16:], uint64(address))
	put64(h[24:], uint64(address))
	put64(h[32:], uint64(size))
	put64(h[40:], uint64(size+zeroed))
	put64(h[48:], addressStride)
}

// arguments are the ones that c uses.
func arguments(c *plan.Call) []plan.Arg { return c.Args[:c.NArg] }

// alignment is 1 for texts and that of a word for all else.
func alignment(o *plan.Object) int {
	if o.Kind == plan.Text {
		return 1
	}
	return wordSize
}

// align is the first multiple of to (a power of two) that is not below n.
func align(n, to int) int { return (n + to - 1) &^ (to - 1) }

func put16(b []byte, v uint16) { binary.LittleEndian.PutUint16(b, v) }
func put32(b []byte, v uint32) { binary.LittleEndian.PutUint32(b, v) }
func put64(b []byte, v uint64) { binary.LittleEndian.PutUint64(b, v) }

// ---- is the plan in itself consistent? ----

// check finds what would make the interpreter read, write or jump out of the
// program. The interpreter itself checks nothing.
func check(p *plan.Plan) error {
	if len(p.Calls) == 0 {
		return errors.New("no calls")
	}
	if err := checkWord(p, p.ReportFD, false); err != nil {
		return fmt.Errorf("descriptor for reports: %w", err)
	}
	for i := range p.Objects {
		if err := checkObject(p, &p.Objects[i]); err != nil {
			return fmt.Errorf("object %d: %w", i, err)
		}
	}
	for i := range p.Calls {
		if err := checkCall(p, i); err != nil {
			return fmt.Errorf("call %d: %w", i, err)
		}
	}
	return nil
}

func checkObject(p *plan.Plan, o *plan.Object) error {
	if o.Len() < 0 || o.Len() > maxImage {
		return fmt.Errorf("size %d", o.Len())
	}
	for _, pointer := range o.Pointers {
		if pointer.Offset < 0 || int(pointer.Offset)+wordSize > len(o.Bytes) {
			return fmt.Errorf("pointer at %d of %d bytes", pointer.Offset, len(o.Bytes))
		}
		if err := checkPlace(p, pointer.To, 0); err != nil {
			return err
		}
	}
	return nil
}

func checkCall(p *plan.Plan, i int) error {
	c := &p.Calls[i]
	if c.Op > plan.OpSet || int(c.NArg) > len(c.Args) || len(c.On) > plan.MaxOutcomes {
		return fmt.Errorf("operation %#x with %d arguments and %d outcomes", uint16(c.Op), c.NArg, len(c.On))
	}
	for n, arg := range arguments(c) {
		if err := checkArgument(p, arg); err != nil {
			return fmt.Errorf("argument %d: %w", n, err)
		}
	}
	if !c.Result.IsZero() {
		if err := checkWord(p, c.Result, true); err != nil {
			return fmt.Errorf("result: %w", err)
		}
	}
	if !c.Log.IsZero() {
		if err := checkWord(p, c.Log, false); err != nil {
			return fmt.Errorf("log: %w", err)
		}
	}
	return checkTargets(p, c)
}

func checkTargets(p *plan.Plan, c *plan.Call) error {
	if c.Success == plan.Fail || !isTarget(p, c.Success) {
		return fmt.Errorf("goes on at call %d of %d", c.Success, len(p.Calls))
	}
	for _, o := range c.On {
		if !isTarget(p, o.To) || o.Errno == 0 || o.Errno > math.MaxUint16 {
			return fmt.Errorf("goes on at call %d of %d after errno %d", o.To, len(p.Calls), int(o.Errno))
		}
	}
	return nil
}

func isTarget(p *plan.Plan, to int32) bool {
	return to == plan.Next || to == plan.Fail || to >= 0 && int(to) < len(p.Calls)
}

func checkArgument(p *plan.Plan, arg plan.Arg) error {
	switch arg.Kind {
	case plan.Immediate:
		return nil
	case plan.Address:
		return checkPlace(p, arg.Ref(), 0)
	case plan.Contents:
		return checkWord(p, arg.Ref(), false)
	}
	return fmt.Errorf("unknown kind %d", arg.Kind)
}

// checkWord makes sure that r is the place of a word.
func checkWord(p *plan.Plan, r plan.Ref, written bool) error {
	if err := checkPlace(p, r, wordSize); err != nil {
		return err
	}
	if written && !p.Objects[r.Object].Writable {
		return fmt.Errorf("object %d is constant", r.Object)
	}
	return nil
}

// checkPlace makes sure that there are size bytes at r.
func checkPlace(p *plan.Plan, r plan.Ref, size int) error {
	if r.Object <= 0 || int(r.Object) >= len(p.Objects) {
		return fmt.Errorf("no object %d", r.Object)
	}
	if r.Offset < 0 || int(r.Offset)+size > p.Objects[r.Object].Len() {
		return fmt.Errorf("%d bytes at %d of object %d, which has %d", size, r.Offset, r.Object, p.Objects[r.Object].Len())
	}
	return nil
}
