package libns

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// TestMain plays the runtime that is killed while it has a holder.
func TestMain(m *testing.M) {
	if os.Getenv("RT_TEST_ROLE") != "holding" {
		os.Exit(m.Run())
	}
	holder, pipe, err := startHolder(os.TempDir())
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	fmt.Println(holder.pid)
	held = pipe
	_ = unix.Pause() // with select, Go's runtime would end it: nothing could ever go on
}

// held keeps the collector from closing the pipe.
var held *os.File

func TestAHolderEndsWhenTheRuntimeIsKilled(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("a host may keep user namespaces to root")
	}
	runtime := exec.Command("/proc/self/exe")
	runtime.Env = append(os.Environ(), "RT_TEST_ROLE=holding")
	output, err := runtime.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := runtime.Start(); err != nil {
		t.Fatal(err)
	}
	line, _ := bufio.NewReader(output).ReadString('\n')
	pid, err := strconv.Atoi(strings.TrimSpace(line))
	if err != nil {
		t.Fatalf("the runtime said %q", line)
	}
	holder, err := identify(pid)
	if err != nil || !holder.Alive() {
		t.Fatalf("the holder %d is not there: %v", pid, err)
	}
	if err := runtime.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = runtime.Wait()
	if err := holder.waitGone(time.Now().Add(5 * time.Second)); err != nil {
		_ = holder.signal(unix.SIGKILL)
		t.Errorf("the holder is left: %v", err)
	}
}
