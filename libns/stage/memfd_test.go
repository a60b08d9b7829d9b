package stage

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

// roleVariable asks the test binary to play another process.
const roleVariable = "RT_TEST_ROLE"

func TestMain(m *testing.M) {
	switch role := os.Getenv(roleVariable); role {
	case "":
		os.Exit(m.Run())
	case "forbid executable memory":
		os.Exit(forbidExecutableMemory())
	default:
		fmt.Fprintln(os.Stderr, "unknown role", role)
		os.Exit(2)
	}
}

func sealed(t *testing.T) *os.File {
	t.Helper()
	p := newProgram()
	p.exit(7)
	file, err := Seal(p.assemble(t), t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { file.Close() })
	return file
}

func TestSealedImageCannotBeChanged(t *testing.T) {
	file := sealed(t)
	if _, err := file.WriteAt([]byte("x"), 0); err == nil {
		t.Error("it can be written to")
	}
	if err := file.Truncate(0); err == nil {
		t.Error("it can be truncated")
	}
	if err := file.Truncate(1 << 20); err == nil {
		t.Error("it can be extended")
	}
	if _, err := unix.FcntlInt(file.Fd(), unix.F_ADD_SEALS, unix.F_SEAL_FUTURE_WRITE); err != unix.EPERM {
		t.Errorf("the set of seals is not sealed: %v", err)
	}
	again, err := os.OpenFile(fmt.Sprintf("/proc/self/fd/%d", file.Fd()), os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := again.Write([]byte("x")); err == nil {
		t.Error("it can be written to after it was opened again")
	}
	again.Close() // what is open for writing cannot be executed
	startFile(t, file, nil).wait(t).wantExit(t, 7)
}

func TestSealedImageIsClosedOnExec(t *testing.T) {
	flags, err := unix.FcntlInt(sealed(t).Fd(), unix.F_GETFD, 0)
	if err != nil || flags&unix.FD_CLOEXEC == 0 {
		t.Errorf("descriptor flags %#x, %v", flags, err)
	}
}

func TestNamelessFileStandsIn(t *testing.T) {
	p := newProgram()
	p.exit(7)
	dir := t.TempDir()
	file, err := namelessFile(p.assemble(t), dir)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	if _, err := file.WriteAt([]byte("x"), 0); err == nil {
		t.Error("it can be written to")
	}
	if info, err := file.Stat(); err != nil || info.Mode() != 0o500 {
		t.Errorf("mode is %v, %v", info.Mode(), err)
	}
	if names, _ := os.ReadDir(dir); len(names) > 0 {
		t.Errorf("the directory has %v", names)
	}
	if flags, _ := unix.FcntlInt(file.Fd(), unix.F_GETFD, 0); flags&unix.FD_CLOEXEC == 0 {
		t.Error("it is not closed on exec")
	}
	startFile(t, file, nil).wait(t).wantExit(t, 7)
}

func TestNamelessFileAvoidsNoexecDirectories(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("mounting needs root")
	}
	dir := t.TempDir()
	if err := unix.Mount("tmpfs", dir, "tmpfs", unix.MS_NOEXEC, ""); err != nil {
		t.Fatal(err)
	}
	defer unix.Unmount(dir, unix.MNT_DETACH)
	p := newProgram()
	p.exit(7)
	file, err := namelessFile(p.assemble(t), dir)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	startFile(t, file, nil).wait(t).wantExit(t, 7)
}

// The setting is one of a pid namespace and can only become stricter in it: the
// host's is left alone.
func TestSealWhereExecutableMemoryIsForbidden(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("a pid namespace needs root")
	}
	if _, err := os.Stat(noexecSetting); err != nil {
		t.Skipf("the kernel is older than Linux 6.3: %v", err)
	}
	before, _ := os.ReadFile(noexecSetting)
	cmd := exec.Command("/proc/self/exe")
	cmd.Env = append(os.Environ(), roleVariable+"=forbid executable memory", "TMPDIR="+t.TempDir())
	cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: unix.CLONE_NEWPID}
	output, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %s", err, output)
	}
	if got := strings.TrimSpace(string(output)); got != "exit 7, memory: operation refused" {
		t.Errorf("got %q", got)
	}
	if after, _ := os.ReadFile(noexecSetting); string(after) != string(before) {
		t.Errorf("the host's %s was %s and is %s", noexecSetting, before, after)
	}
}

const noexecSetting = "/proc/sys/vm/memfd_noexec"

// forbidExecutableMemory is the role of a process in a new pid namespace that
// seals an image and runs it.
func forbidExecutableMemory() int {
	p := newProgram()
	p.exit(7)
	image, err := Assemble(&p.Plan)
	if err == nil {
		err = os.WriteFile(noexecSetting, []byte("2"), 0)
	}
	if err != nil {
		fmt.Println(err)
		return 1
	}
	refused := "operation refused"
	if _, err := sealedMemory(image); err == nil {
		refused = "made all the same"
	}
	file, err := Seal(image, filepath.Clean(os.TempDir()))
	if err != nil {
		fmt.Println(err)
		return 1
	}
	cmd := exec.Command(fmt.Sprintf("/proc/self/fd/%d", file.Fd()))
	cmd.Run()
	fmt.Printf("exit %d, memory: %s\n", cmd.ProcessState.ExitCode(), refused)
	return 0
}
