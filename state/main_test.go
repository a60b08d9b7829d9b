package state

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// The test binary plays the other commands: with a role in its environment it
// does what that role's function says and exits.
const roleVariable = "RT_STATE_TEST_ROLE"

var roles = map[string]func(args []string) error{
	"claim":        playClaim,
	"churn":        playChurn,
	"default-root": playDefaultRoot,
	"full-disk":    playFullDisk,
}

func TestMain(m *testing.M) {
	role := os.Getenv(roleVariable)
	if role == "" {
		os.Exit(m.Run())
	}
	if err := roles[role](os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	os.Exit(0)
}

// process is another process that plays a role. It is told things through its
// stdin and answers in lines.
type process struct {
	t     *testing.T
	cmd   *exec.Cmd
	stdin io.WriteCloser
	lines *bufio.Scanner
}

func start(t *testing.T, role string, args ...string) *process {
	t.Helper()
	return startCommand(t, command(t, role, args...))
}

func command(t *testing.T, role string, args ...string) *exec.Cmd {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(self, args...)
	cmd.Env = append(os.Environ(), roleVariable+"="+role)
	cmd.Stderr = os.Stderr
	return cmd
}

func startCommand(t *testing.T, cmd *exec.Cmd) *process {
	t.Helper()
	stdin, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	p := &process{t: t, cmd: cmd, stdin: stdin, lines: bufio.NewScanner(stdout)}
	t.Cleanup(p.kill)
	return p
}

// line waits for the next line that the process writes.
func (p *process) line() string {
	p.t.Helper()
	if !p.lines.Scan() {
		p.t.Fatalf("process ended instead of writing a line: %v", p.lines.Err())
	}
	return p.lines.Text()
}

// release lets a process go on that waits for the end of its stdin.
func (p *process) release() { p.stdin.Close() }

func (p *process) kill() {
	p.cmd.Process.Kill()
	p.cmd.Wait()
}

func (p *process) finish() {
	p.t.Helper()
	p.release()
	if err := p.cmd.Wait(); err != nil {
		p.t.Errorf("%s: %v", strings.Join(p.cmd.Args[1:], " "), err)
	}
}

func waitForRelease() { io.Copy(io.Discard, os.Stdin) }

// playClaim waits for the signal to begin, claims an id once, says how that
// went, and keeps the claim until it is killed.
func playClaim(args []string) error {
	store, id := Open(args[0]), args[1]
	fmt.Println("ready")
	waitForRelease()
	_, err := store.Claim(&Record{ID: id})
	switch {
	case err == nil:
		fmt.Println("won")
	case errors.Is(err, ErrExist):
		fmt.Println("exists")
	default:
		return err
	}
	return unix.Pause()
}

func playDefaultRoot([]string) error {
	fmt.Println(DefaultRoot())
	return nil
}

// reachable has the command run a copy of the test binary that other users may
// execute: the go command builds it in a private directory.
func reachable(t *testing.T, cmd *exec.Cmd) *exec.Cmd {
	t.Helper()
	data, err := os.ReadFile(cmd.Path)
	if err != nil {
		t.Fatal(err)
	}
	directory, err := os.MkdirTemp("", "rt-state-test-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(directory) })
	if err := os.Chmod(directory, 0o755); err != nil {
		t.Fatal(err)
	}
	cmd.Path = directory + "/state.test"
	if err := os.WriteFile(cmd.Path, data, 0o755); err != nil {
		t.Fatal(err)
	}
	return cmd
}
