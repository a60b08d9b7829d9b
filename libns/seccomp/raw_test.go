package seccomp

import (
	"bytes"
	"slices"
	"strings"
	"testing"

	"github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"
)

// TestRawProgramsAreTakenAsTheyAre gives the filters of the profiles' programs.
func TestRawProgramsAreTakenAsTheyAre(t *testing.T) {
	for _, test := range readProfiles(t) {
		want := mustCompile(t, test.profile, test.native)
		got, err := Raw(want.Bytes(), test.profile, test.native, everyFlag)
		if err != nil || !slices.Equal(got.Program, want.Program) || got.Flags != want.Flags || got.Notify != want.Notify {
			t.Errorf("%s: %v, %v", test.name, got, err)
		}
	}
}

func TestRawProgramsThatLeadNowhereAreRefused(t *testing.T) {
	allow := unix.SockFilter{Code: codeReturn, K: unix.SECCOMP_RET_ALLOW}
	for name, program := range map[string][]unix.SockFilter{
		"nothing":              {},
		"no end":               {{Code: codeLoad}},
		"no end after a test":  {{Code: codeEqual}},
		"a jump too far":       {{Code: codeJump, K: 1}, allow},
		"a jump around itself": {{Code: codeJump, K: 1<<32 - 1}, allow},
		"a test too far":       {{Code: codeEqual, Jt: 1}, allow},
		"a failed test":        {{Code: codeEqual, Jf: 1}, allow},
		"too long":             slices.Repeat([]unix.SockFilter{allow}, maxProgram+1),
	} {
		f := &Filter{Program: program, Archs: []Arch{X86_64}}
		if got, err := Raw(f.Bytes(), nil, X86_64, everyFlag); err == nil {
			t.Errorf("%s: got %v", name, got)
		}
	}
	if got, err := Raw([]byte{1, 2, 3}, nil, X86_64, everyFlag); err == nil {
		t.Errorf("three bytes: got %v", got)
	}
}

func TestRawProgramThatNotifiesNeedsAListener(t *testing.T) {
	program := &Filter{Program: []unix.SockFilter{{Code: codeReturn, K: unix.SECCOMP_RET_USER_NOTIF}}, Archs: []Arch{X86_64}}
	f, err := Raw(program.Bytes(), &specs.LinuxSeccomp{Flags: []specs.LinuxSeccompFlag{}}, X86_64, everyFlag)
	if err != nil || !f.Notify || f.Flags != unix.SECCOMP_FILTER_FLAG_NEW_LISTENER {
		t.Errorf("%v, %v", f, err)
	}
}

// TestAnyProgramCanBePrinted has instructions that no profile compiles to.
func TestAnyProgramCanBePrinted(t *testing.T) {
	f := &Filter{Archs: []Arch{X86_64}, Program: []unix.SockFilter{
		{Code: codeLoad, K: offsetNumber},
		{Code: unix.BPF_ALU | unix.BPF_ADD | unix.BPF_K, K: 7},
		{Code: codeEqual, K: 9, Jt: 0, Jf: 1},
		{Code: unix.BPF_RET | unix.BPF_A},
		{Code: codeReturn, K: unix.SECCOMP_RET_ALLOW},
	}}
	var b bytes.Buffer
	if err := Disassemble(&b, f); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"code  0x0004 jt=0 jf=0 k=0x7", "if    accumulator == 0x9  then 3 else 4", "code  0x0016"} {
		if !strings.Contains(b.String(), want) {
			t.Errorf("no %q in\n%s", want, &b)
		}
	}
}

// FuzzRaw prints whatever is taken.
func FuzzRaw(f *testing.F) {
	f.Add([]byte{6, 0, 0, 0, 0, 0, 0xff, 0x7f})
	f.Fuzz(func(t *testing.T, program []byte) {
		filter, err := Raw(program, nil, X86_64, Options{})
		if err != nil {
			return
		}
		if err := Disassemble(&bytes.Buffer{}, filter); err != nil {
			t.Error(err)
		}
	})
}
