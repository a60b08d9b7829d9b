package stage

import (
	"bytes"
	"debug/elf"
	"fmt"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"rt/libns/plan"
)

// sample is a plan with objects of every kind.
func sample() *program {
	p := newProgram()
	p.buffer("large", 1<<20)
	text := p.text("text")
	p.object(plan.Object{Kind: plan.Struct, Bytes: make([]byte, 16), Pointers: []plan.Pointer{{Offset: 8, To: text}}})
	p.call(plan.OpSet, imm(1<<40)).Result = p.word("w")
	p.exit(0)
	return p
}

// Every loader (and every page size up to 64 KiB) must find what layout.go says.
func TestImageIsAStaticExecutable(t *testing.T) {
	image := sample().assemble(t)
	f, err := elf.NewFile(bytes.NewReader(image))
	if err != nil {
		t.Fatal(err)
	}
	if f.Type != elf.ET_EXEC || f.Machine != elf.Machine(machine) || f.Class != elf.ELFCLASS64 {
		t.Errorf("image is %v %v %v", f.Type, f.Machine, f.Class)
	}
	want := []struct {
		kind  elf.ProgType
		flags elf.ProgFlag
	}{{elf.PT_LOAD, elf.PF_R | elf.PF_X}, {elf.PT_LOAD, elf.PF_R}, {elf.PT_LOAD, elf.PF_R | elf.PF_W}, {elf.PT_GNU_STACK, elf.PF_R | elf.PF_W}}
	if len(f.Progs) != len(want) {
		t.Fatalf("image has %d parts, want %d", len(f.Progs), len(want))
	}
	const page = 1 << 16
	end := uint64(0)
	for i, part := range f.Progs {
		if part.Type != want[i].kind || part.Flags != want[i].flags {
			t.Errorf("part %d is %v %v", i, part.Type, part.Flags)
		}
		if part.Type != elf.PT_LOAD {
			continue
		}
		if part.Vaddr%page != part.Off%page || part.Off%4096 != 0 && i > 0 {
			t.Errorf("part %d is at %#x in the file and %#x in memory", i, part.Off, part.Vaddr)
		}
		if part.Vaddr/page*page < end {
			t.Errorf("part %d shares a page of %d bytes with the one before it", i, page)
		}
		end = part.Vaddr + part.Memsz
	}
	if text := f.Progs[0]; f.Entry != textAddress+textEntry || f.Entry >= text.Vaddr+text.Memsz {
		t.Errorf("entry is %#x", f.Entry)
	}
}

func TestZeroedMemoryIsNotInTheImage(t *testing.T) {
	if image := sample().assemble(t); len(image) > 16<<10 {
		t.Errorf("image has %d bytes", len(image))
	}
}

func TestSamePlanGivesTheSameImage(t *testing.T) {
	if !bytes.Equal(sample().assemble(t), sample().assemble(t)) {
		t.Error("two images of one plan differ")
	}
}

func TestContradictoryPlansAreRefused(t *testing.T) {
	cases := []struct {
		name   string
		change func(p *program)
		want   string
	}{
		{"no calls", func(p *program) { p.Calls = nil }, "no calls"},
		{"no report", func(p *program) { p.ReportFD = plan.Ref{} }, "descriptor for reports: no object 0"},
		{"success out of range", func(p *program) { p.Calls[0].Success = 2 }, "call 0: goes on at call 2 of 2"},
		{"success is failure", func(p *program) { p.Calls[0].Success = plan.Fail }, "call 0: goes on at call -2 of 2"},
		{"outcome out of range", func(p *program) { p.Calls[1].On = []plan.Outcome{on(unix.EPERM, 9)} }, "call 1: goes on at call 9 of 2 after errno 1"},
		{"outcome of no error", func(p *program) { p.Calls[1].On = []plan.Outcome{on(0, 1)} }, "after errno 0"},
		{"too many outcomes", func(p *program) { p.Calls[1].On = make([]plan.Outcome, 5) }, "5 outcomes"},
		{"too many arguments", func(p *program) { p.Calls[1].NArg = 7 }, "7 arguments"},
		{"unknown operation", func(p *program) { p.Calls[1].Op = plan.OpSet + 1 }, "operation 0xfff3"},
		{"unknown argument", func(p *program) { p.Calls[1].Args[0].Kind = 9 }, "argument 0: unknown kind 9"},
		{"address of no object", func(p *program) { p.Calls[1].Args[0] = addr(plan.Ref{Object: 99}) }, "no object 99"},
		{"address behind an object", func(p *program) { p.Calls[1].Args[0] = addr(plan.Ref{Object: 3, Offset: 6}) }, "0 bytes at 6 of object 3, which has 5"},
		{"contents of less than a word", func(p *program) { p.Calls[1].Args[0] = load(plan.Ref{Object: 3}) }, "8 bytes at 0 of object 3, which has 5"},
		{"result in constant memory", func(p *program) { p.Calls[0].Result = plan.Ref{Object: 4} }, "result: object 4 is constant"},
		{"log of no object", func(p *program) { p.Calls[0].Log = plan.Ref{Object: -1} }, "log: no object -1"},
		{"pointer behind an object", func(p *program) { p.Objects[4].Pointers[0].Offset = 9 }, "object 4: pointer at 9 of 16 bytes"},
		{"pointer to no object", func(p *program) { p.Objects[4].Pointers[0].To = plan.Ref{} }, "object 4: no object 0"},
		{"too much memory", func(p *program) { p.buffer("huge", 1<<30) }, "bytes of memory, more than"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			p := sample()
			c.change(p)
			image, err := Assemble(&p.Plan)
			if image != nil || err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %d bytes and error %v, want %q", len(image), err, c.want)
			}
		})
	}
}

func large(calls int) *program {
	p := newProgram()
	for i := range calls {
		c := p.call(unix.SYS_OPENAT, negative(unix.AT_FDCWD), addr(p.text(fmt.Sprintf("/some/path/%d", i))), imm(unix.O_PATH), imm(0))
		c.On = []plan.Outcome{on(unix.ENOENT, plan.Next), on(unix.EAGAIN, int32(i))}
	}
	p.exit(0)
	return p
}

func TestLargePlanIsCarriedOut(t *testing.T) {
	p := large(10_000)
	p.run(t).wantExit(t, 0)
}

func BenchmarkAssemble(b *testing.B) {
	for _, calls := range []int{500, 10_000} {
		p := large(calls)
		b.Run(fmt.Sprint(calls), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := Assemble(&p.Plan); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkSeal(b *testing.B) {
	image, err := Assemble(&large(500).Plan)
	if err != nil {
		b.Fatal(err)
	}
	dir := b.TempDir()
	for b.Loop() {
		file, err := Seal(image, dir)
		if err != nil {
			b.Fatal(err)
		}
		file.Close()
	}
}
