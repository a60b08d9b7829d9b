package seccomp

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
	"unsafe"

	"github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"
)

// How the roles are told what to do.
const (
	filterVariable = "RT_TEST_FILTER" // the program in base64
	flagsVariable  = "RT_TEST_FLAGS"
	callsVariable  = "RT_TEST_CALLS" // as for the probe
)

// nativeArch is the architecture of this machine.
func nativeArch(t testing.TB) Arch {
	t.Helper()
	arch, ok := Native(runtime.GOARCH)
	if !ok {
		t.Skipf("no filters for %s", runtime.GOARCH)
	}
	return arch
}

// callNumber gives a call in the probe's notation.
func callNumber(t testing.TB, arch Arch, name string, arguments ...uint64) string {
	t.Helper()
	row, found := findSyscall(name)
	number, ok := row.number(arch.abi())
	if !found || !ok {
		t.Skipf("no %s on %s", name, arch)
	}
	call := fmt.Sprint(number)
	for _, a := range arguments {
		call += fmt.Sprintf(":%#x", a)
	}
	return call
}

// confined makes calls, under a filter, in another process.
func confined(t testing.TB, f *Filter, role string, calls ...string) (output []string, state *os.ProcessState) {
	t.Helper()
	// A filter that is wrong may leave the process unable to end itself.
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	self := exec.CommandContext(ctx, "/proc/self/exe")
	self.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	self.Env = append(os.Environ(),
		roleVariable+"="+role,
		filterVariable+"="+base64.StdEncoding.EncodeToString(f.Bytes()),
		flagsVariable+"="+fmt.Sprint(f.Flags),
		callsVariable+"="+strings.Join(calls, " "))
	var stdout, stderr strings.Builder
	self.Stdout, self.Stderr = &stdout, &stderr
	err := self.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	return append(strings.Fields(stdout.String()), strings.Fields(stderr.String())...), self.ProcessState
}

// load loads the filter that the role was given for this thread.
func load() (result int, err error) {
	program, err := base64.StdEncoding.DecodeString(os.Getenv(filterVariable))
	if err != nil {
		return 0, err
	}
	flags, err := strconv.Atoi(os.Getenv(flagsVariable))
	if err != nil {
		return 0, err
	}
	if err := unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); err != nil {
		return 0, err
	}
	fprog := unix.SockFprog{Len: uint16(len(program) / instructionSize), Filter: (*unix.SockFilter)(unsafe.Pointer(&program[0]))}
	r, _, errno := unix.RawSyscall(unix.SYS_SECCOMP, unix.SECCOMP_SET_MODE_FILTER, uintptr(flags), uintptr(unsafe.Pointer(&fprog)))
	runtime.KeepAlive(program)
	if errno != 0 {
		return 0, fmt.Errorf("seccomp: %w", errno)
	}
	return int(r), nil
}

// playConfined loads the filter for one thread, makes the calls on it and prints
// what they return. "exec:FILE" executes the probe with the remaining calls.
// Afterwards it waits for the thread's end, if the filter kills it.
func playConfined() int {
	results := make(chan string)
	var thread int
	go func() {
		runtime.LockOSThread()
		thread = unix.Gettid()
		if _, err := load(); err != nil {
			results <- err.Error()
			close(results)
			return
		}
		calls := strings.Fields(os.Getenv(callsVariable))
		for i, call := range calls {
			if file, ok := strings.CutPrefix(call, "exec:"); ok {
				results <- fmt.Sprint(unix.Exec(file, append([]string{file}, calls[i+1:]...), nil))
				break
			}
			results <- fmt.Sprint("call ", call) // before it may be the last
			results <- rawCall(call)
		}
		close(results)
	}()
	for {
		select {
		case result, more := <-results:
			if !more {
				return 0
			}
			if !strings.HasPrefix(result, "call ") {
				fmt.Println(result)
			}
		case <-time.After(100 * time.Millisecond):
			// The first thread stays behind as a zombie.
			if stat, err := os.ReadFile(fmt.Sprintf("/proc/self/task/%d/stat", thread)); err != nil || strings.Contains(string(stat), ") Z ") {
				fmt.Println("thread-killed")
				return 0
			}
		}
	}
}

// rawCall makes a call. It goes by way of the scheduler, which has to know that the
// thread may not come back.
func rawCall(call string) string {
	var words [7]uintptr
	for i, word := range strings.Split(call, ":") {
		n, _ := strconv.ParseUint(word, 0, 64)
		words[i] = uintptr(n)
	}
	r, _, errno := unix.Syscall6(words[0], words[1], words[2], words[3], words[4], words[5], words[6])
	if errno != 0 {
		return unix.ErrnoName(errno)
	}
	return fmt.Sprint(int(r))
}

// playListener loads a filter that notifies, on one thread, and answers its first
// call from another.
func playListener() int {
	const answer = 4711
	listener, result := make(chan int), make(chan string)
	go func() {
		runtime.LockOSThread()
		fd, err := load()
		if err != nil {
			result <- err.Error()
			return
		}
		listener <- fd
		result <- rawCall(os.Getenv(callsVariable))
	}()
	select {
	case err := <-result:
		fmt.Println(err)
		return 1
	case fd := <-listener:
		// struct seccomp_notif and struct seccomp_notif_resp.
		var request struct {
			id         uint64
			pid, flags uint32
			number     int32
			arch       uint32
			rest       [7]uint64
		}
		if _, _, errno := unix.Syscall(unix.SYS_IOCTL, uintptr(fd), unix.SECCOMP_IOCTL_NOTIF_RECV, uintptr(unsafe.Pointer(&request))); errno != 0 {
			fmt.Println(errno)
			return 1
		}
		response := struct {
			id           uint64
			value        int64
			error, flags uint32
		}{id: request.id, value: answer}
		if _, _, errno := unix.Syscall(unix.SYS_IOCTL, uintptr(fd), unix.SECCOMP_IOCTL_NOTIF_SEND, uintptr(unsafe.Pointer(&response))); errno != 0 {
			fmt.Println(errno)
			return 1
		}
		fmt.Println(request.number, <-result)
	}
	return 0
}

func compileForKernel(t testing.TB, profile *specs.LinuxSeccomp) *Filter {
	t.Helper()
	f, err := Compile(profile, nativeArch(t), Options{})
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// TestKernelGivesTheAnswers makes calls under each action, and looks at what the
// kernel makes of it.
func TestKernelGivesTheAnswers(t *testing.T) {
	native := nativeArch(t)
	errno := func(n uint) *uint { return &n }
	tests := []struct {
		action specs.LinuxSeccompAction
		errno  *uint
		want   string
	}{
		{specs.ActAllow, nil, "ok"},
		{specs.ActLog, nil, "ok"},
		{specs.ActErrno, nil, "EPERM"},
		{specs.ActErrno, errno(uint(unix.ENXIO)), "ENXIO"},
		{specs.ActErrno, errno(0), "0"},
		{specs.ActErrno, errno(4095), "-4095"}, // has no name
		{specs.ActTrace, errno(7), "ENOSYS"},   // there is no tracer
		{specs.ActTrap, nil, "SIGSYS:"},        // the Go runtime's last words
		{specs.ActKill, nil, "thread-killed"},
		{specs.ActKillThread, nil, "thread-killed"},
		{specs.ActKillProcess, nil, "killed by " + unix.SIGSYS.String()},
	}
	for _, test := range tests {
		t.Run(fmt.Sprintf("%s", test.action), func(t *testing.T) {
			byDefault := specs.ActAllow
			if test.action == specs.ActAllow {
				byDefault = specs.ActLog
			}
			f := compileForKernel(t, &specs.LinuxSeccomp{DefaultAction: byDefault, Flags: []specs.LinuxSeccompFlag{}, Syscalls: []specs.LinuxSyscall{
				{Names: []string{"getppid"}, Action: test.action, ErrnoRet: test.errno}}})
			output, state := confined(t, f, "confined", callNumber(t, native, "getppid"))
			got := strings.Join(output, " ")
			if status := state.Sys().(syscall.WaitStatus); status.Signaled() {
				got = "killed by " + status.Signal().String()
			}
			switch {
			case test.want == "ok" && got == fmt.Sprint(os.Getpid()):
			case test.want != "ok" && strings.HasPrefix(got, test.want):
			default:
				t.Errorf("getppid under %s: %q, want %q", test.action, got, test.want)
			}
		})
	}
}

// TestKernelUnderDockerProfile makes calls that the profile of Docker has rules of
// all kinds for.
func TestKernelUnderDockerProfile(t *testing.T) {
	native := nativeArch(t)
	profile := dockerProfile(t)
	profile.Architectures = nil
	f := compileForKernel(t, profile)
	tests := []struct {
		call string
		want string
	}{
		{callNumber(t, native, "getppid"), fmt.Sprint(os.Getpid())},
		{callNumber(t, native, "bpf", 999), "EPERM"},
		{callNumber(t, native, "unshare", unix.CLONE_NEWUTS), "EPERM"},
		{callNumber(t, native, "clone3", 0, 0), "ENOSYS"},
		{callNumber(t, native, "personality", 0xffffffff), "0"},
		{callNumber(t, native, "personality", 0x0400000), "EPERM"},
		{callNumber(t, native, "personality", 0x1_0000_0008), "EPERM"},
		{callNumber(t, native, "clone", unix.CLONE_NEWUTS|uint64(unix.SIGCHLD)), "EPERM"},
		{callNumber(t, native, "socket", unix.AF_VSOCK, unix.SOCK_STREAM, 0), "EPERM"},
		{callNumber(t, native, "socket", unix.AF_UNIX, 99, 0), "EINVAL"},
		{fmt.Sprint(3000), "ENOSYS"},
		{"0x40000027", map[bool]string{true: "", false: "ENOSYS"}[native == X86_64]},
	}
	for _, test := range tests {
		output, state := confined(t, f, "confined", test.call)
		got := strings.Join(output, " ")
		if test.want == "" { // another ABI, which kills the thread
			test.want = "thread-killed"
		}
		if got != test.want {
			t.Errorf("call %s: %q (%v), want %q", test.call, got, state, test.want)
		}
	}
}

// TestKernelTakesLongFilters loads a filter that is nearly as long as can be, whose
// jumps do not all reach their targets at once.
func TestKernelTakesLongFilters(t *testing.T) {
	native := nativeArch(t)
	profile := &specs.LinuxSeccomp{DefaultAction: specs.ActAllow}
	for i := range uint64(750) {
		errno := uint(1 + i%100)
		profile.Syscalls = append(profile.Syscalls, specs.LinuxSyscall{Names: []string{"acct"}, Action: specs.ActErrno, ErrnoRet: &errno,
			Args: []specs.LinuxSeccompArg{{Index: 0, Op: specs.OpEqualTo, Value: i<<32 | 2*i}}})
	}
	f := compileForKernel(t, profile)
	if len(f.Program) < 3000 {
		t.Errorf("only %d instructions", len(f.Program))
	}
	var calls, want []string
	for _, i := range []uint64{0, 1, 7, 36, 98, 500, 748, 749} {
		calls = append(calls, callNumber(t, native, "acct", i<<32|2*i), callNumber(t, native, "acct", i<<32|(2*i+1)))
		want = append(want, unix.ErrnoName(unix.Errno(1+i%100)), "EFAULT")
	}
	output, _ := confined(t, f, "confined", calls...)
	if fmt.Sprint(output) != fmt.Sprint(want) {
		t.Errorf("got %v, want %v", output, want)
	}
}

// TestKernelNotifies has a call answered by a listener.
func TestKernelNotifies(t *testing.T) {
	native := nativeArch(t)
	f := compileForKernel(t, &specs.LinuxSeccomp{DefaultAction: specs.ActAllow, ListenerPath: "/agent", Syscalls: []specs.LinuxSyscall{
		{Names: []string{"getpgid"}, Action: specs.ActNotify, Args: []specs.LinuxSeccompArg{{Index: 0, Op: specs.OpGreaterThan, Value: 5 << 32}}}}})
	if !f.Notify {
		t.Error("the filter does not say that it notifies")
	}
	call := callNumber(t, native, "getpgid", 6<<32)
	number, _, _ := strings.Cut(call, ":")
	output, _ := confined(t, f, "listener", call)
	if want := number + " 4711"; strings.Join(output, " ") != want {
		t.Errorf("got %q, want %q", output, want)
	}
}

// TestKernelOnAnotherArchitecture runs a 32-bit x86 program under filters made on
// x86_64.
func TestKernelOnAnotherArchitecture(t *testing.T) {
	if nativeArch(t) != X86_64 {
		t.Skip("needs an x86_64 machine")
	}
	if testing.Short() {
		t.Skip("builds a program for another architecture")
	}
	probe := filepath.Join(t.TempDir(), "probe")
	build := exec.Command("go", "build", "-o", probe, "./testdata/probe")
	build.Env = append(os.Environ(), "GOARCH=386", "CGO_ENABLED=0")
	if output, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, output)
	}
	if output, err := exec.Command(probe, callNumber(t, X86, "getuid32")).CombinedOutput(); err != nil {
		t.Skipf("this kernel runs no 32-bit programs: %v: %s", err, output)
	}
	profile := &specs.LinuxSeccomp{DefaultAction: specs.ActAllow, Architectures: []specs.Arch{specs.ArchX86}, Syscalls: []specs.LinuxSyscall{
		{Names: []string{"getpgid"}, Action: specs.ActErrno},
		{Names: []string{"socket"}, Action: specs.ActErrno, Args: []specs.LinuxSeccompArg{{Index: 0, Op: specs.OpEqualTo, Value: unix.AF_INET}}},
		{Names: []string{"lseek"}, Action: specs.ActErrno, Args: []specs.LinuxSeccompArg{{Index: 1, Op: specs.OpGreaterThan, Value: 1<<32 + 5}}},
	}}
	output, _ := confined(t, compileForKernel(t, profile), "confined", "exec:"+probe,
		callNumber(t, X86, "getpgid"), callNumber(t, X86, "socket", unix.AF_INET, 99), callNumber(t, X86, "socket", unix.AF_UNIX, 99),
		callNumber(t, X86, "socketcall", 1, 0), callNumber(t, X86, "socketcall", 2, 0),
		callNumber(t, X86, "lseek", 999, 6), callNumber(t, X86, "lseek", 999, 5))
	if want := "[EPERM EPERM EINVAL EPERM EFAULT EPERM EBADF]"; fmt.Sprint(output) != want {
		t.Errorf("got %v, want %s", output, want)
	}
	profile.Architectures = nil
	_, state := confined(t, compileForKernel(t, profile), "confined", "exec:"+probe)
	if status := state.Sys().(syscall.WaitStatus); !status.Signaled() || status.Signal() != unix.SIGSYS {
		t.Errorf("a program of an architecture that is not covered ended with %v", state)
	}
}
