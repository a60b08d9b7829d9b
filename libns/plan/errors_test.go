package plan

import (
	"errors"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// failing is a plan whose calls fail in interesting ways.
func failing() *Plan {
	b := newBuilder(64)
	b.control = b.preset("control", 3)
	b.step("mounts[3]", "mount tmpfs on /dev/shm")
	b.configure(b.word("fs"), "size", "64x", true)
	b.call(unix.SYS_MOVE_MOUNT, load(b.word("m")), b.str(""), load(b.word("t")), b.str(""), imm(unix.MOVE_MOUNT_F_EMPTY_PATH|unix.MOVE_MOUNT_T_EMPTY_PATH))
	b.step("process.args[0]", "find the program foo")
	b.fail(unix.ENOENT, `exec: "foo": executable file not found in $PATH`)
	b.step("process.args", "execute /bin/sh")
	b.call(unix.SYS_EXECVE, b.str("/bin/sh"), null, null).means(`exec: "/bin/sh":`)
	b.open(b.word("root"), "dev/console", unix.O_PATH, noSymlinks).means("/dev/console is a symbolic link")
	b.step("", "close the caller's\nother descriptors")
	b.call(unix.SYS_CLOSE, imm(3))
	return b.build()
}

func failure(call int, errno unix.Errno) Message {
	return Message{Kind: MessageFailure, Index: int32(call), Errno: errno}
}

// lines locates fields like package spec does.
func lines(field string) string {
	return map[string]string{"mounts[3]": "config.json:61", "process.args": "config.json:9"}[field]
}

func TestFailuresAreExplained(t *testing.T) {
	cases := []struct {
		message Message
		kernel  string
		want    string
	}{
		{failure(0, unix.EINVAL), "e tmpfs: Bad value for 'size'\n",
			`mounts[3] (config.json:61): mount tmpfs on /dev/shm: fsconfig(fs, "size", "64x"): invalid argument (tmpfs: Bad value for 'size')`},
		{failure(1, unix.ENOSPC), "",
			`mounts[3] (config.json:61): mount tmpfs on /dev/shm: move_mount(m, "", t, "", MOVE_MOUNT_F_EMPTY_PATH|MOVE_MOUNT_T_EMPTY_PATH): no space left on device; the mount namespace has as many mounts as sysctl fs.mount-max allows`},
		{failure(2, unix.ENOENT), "",
			`process.args[0]: find the program foo: exec: "foo": executable file not found in $PATH`},
		{failure(3, unix.EACCES), "",
			`process.args (config.json:9): execute /bin/sh: exec: "/bin/sh": permission denied (execve)`},
		{failure(4, unix.ELOOP), "",
			`process.args (config.json:9): execute /bin/sh: /dev/console is a symbolic link (openat2: too many levels of symbolic links); the path has a symbolic link where none is allowed, or too many of them`},
		{failure(5, unix.EIO), "",
			`close the caller's\nother descriptors: close(3): input/output error`},
		{failure(99, unix.EIO), "", `init stage: call 99 of 6: input/output error`},
		{failure(-1, unix.EIO), "", `init stage: call -1 of 6: input/output error`},
	}
	for _, c := range cases {
		e := failing().Explain(c.message, c.kernel, lines)
		if got := e.Error(); got != c.want {
			t.Errorf("got  %s\nwant %s", got, c.want)
		}
		if !errors.Is(e, c.message.Errno) {
			t.Errorf("%v is not %v", e, c.message.Errno)
		}
	}
}

func TestExplanationHasItsParts(t *testing.T) {
	e := failing().Explain(failure(0, unix.EINVAL), "e tmpfs: Bad value for 'size'\n", nil)
	if e.Step == nil || e.Step.Title != "mount tmpfs on /dev/shm" || e.Field != "mounts[3]" || e.Op != unix.SYS_FSCONFIG ||
		e.Call != `fsconfig(fs, "size", "64x")` || e.Kernel != "tmpfs: Bad value for 'size'" {
		t.Errorf("got %+v", e)
	}
	var step *StepError
	if !errors.As(error(e), &step) {
		t.Error("it is no StepError")
	}
}

func TestKernelsWordsBecomeOneLine(t *testing.T) {
	cases := []struct{ text, want string }{
		{"", ""},
		{"e tmpfs: Bad value for 'size'\n", "tmpfs: Bad value for 'size'"},
		{"e a\ne b\n", "a; b"},
		{"w careful\ne broken\ni by the way\n", "broken"},
		{"w careful\n\ni by the way", "careful; by the way"},
		{"plain", "plain"},
		{"exact words", "exact words"},
	}
	for _, c := range cases {
		if got := kernelWords(c.text); got != c.want {
			t.Errorf("%q became %q, want %q", c.text, got, c.want)
		}
	}
}

// Callers find out what kind of failure it was by these words (an exit code of
// 126 or 127 hangs on them): advice must not contain them.
func TestHintsAreNotTakenForErrors(t *testing.T) {
	for _, h := range hints {
		for _, words := range []string{
			"permission denied", "operation not permitted", "no such file or directory", "not a directory", "is a directory",
			"executable file not found", "no such process", "does not exist",
		} {
			if strings.Contains(strings.ToLower(h.text), words) {
				t.Errorf("hint for %v %v contains %q", h.op, formatErrno(h.errno), words)
			}
		}
		if _, known := signatureOf(h.op); !known || unix.ErrnoName(h.errno) == "" {
			t.Errorf("hint for unknown call %v or error %v", h.op, h.errno)
		}
	}
}

func TestHintsHaveConditions(t *testing.T) {
	b := printer()
	b.call(unix.SYS_PRCTL, imm(unix.PR_CAP_AMBIENT), imm(unix.PR_CAP_AMBIENT_RAISE), imm(0))
	b.call(unix.SYS_PRCTL, imm(unix.PR_CAPBSET_DROP), imm(0))
	p := b.build()
	for call, want := range []struct {
		errno unix.Errno
		some  bool
	}{{unix.EPERM, true}, {unix.EPERM, false}} {
		if got := p.hint(call, want.errno); (got != "") != want.some {
			t.Errorf("%s: hint %q", p.CallString(call), got)
		}
	}
}
