package stage

import (
	"encoding/binary"
	"testing"

	"golang.org/x/sys/unix"

	"rt/libns/plan"
)

func TestProgramExitsWithItsCode(t *testing.T) {
	p := newProgram()
	p.exit(7)
	p.run(t).wantExit(t, 7)
}

func TestFailureNamesCallAndErrno(t *testing.T) {
	p := newProgram()
	p.call(plan.OpSet, imm(1))
	p.call(unix.SYS_CLOSE, negative(-1))
	p.exit(0)
	if text := p.run(t).wantFailure(t, 1, unix.EBADF); text != "" {
		t.Errorf("report has text %q, want none", text)
	}
}

func TestWriteConstantText(t *testing.T) {
	p := newProgram()
	p.dump(p.text("hello"), 5)
	p.exit(0)
	o := p.run(t)
	o.wantExit(t, 0)
	o.wantDump(t, []byte("hello"))
}

func TestResultsAreArgumentsOfLaterCalls(t *testing.T) {
	p := newProgram()
	pid, session, again := p.word("pid"), p.word("session"), p.word("again")
	p.call(unix.SYS_GETPID).Result = pid
	p.call(unix.SYS_SETSID).Result = session
	p.call(unix.SYS_GETPGID, load(pid)).Result = again
	for _, r := range []plan.Ref{pid, session, again} {
		p.dump(r, 8)
	}
	p.exit(0)
	image := p.assemble(t)
	proc := start(t, image)
	o := proc.wait(t)
	o.wantExit(t, 0)
	want := binary.LittleEndian.AppendUint64(nil, uint64(proc.pid))
	o.wantDump(t, append(append(want, want...), want...))
}
