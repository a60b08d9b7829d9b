package libns

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// What runs on the thread that makes a network namespace would be in that one.
func TestNoThreadStaysInANewNetworkNamespace(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("a network namespace takes root")
	}
	own, err := os.Readlink("/proc/self/ns/net")
	if err != nil {
		t.Fatal(err)
	}
	for range 20 {
		n := beginNetwork(nil)
		<-n.done
		if n.err != 0 {
			t.Fatalf("%s: %v", n.call, n.err)
		}
		if made := namespaceOf(t, n.fd); made == namespaceAt(t, "/proc/self/ns/net") {
			t.Fatal("the namespace is that of the process")
		}
		n.close()
	}
	// A thread is there for a moment after its goroutine.
	deadline := time.Now().Add(10 * time.Second)
	for elsewhere(t, own) > 0 {
		if time.Now().After(deadline) {
			t.Fatalf("%d threads are in another network namespace", elsewhere(t, own))
		}
		time.Sleep(time.Millisecond)
	}
}

// elsewhere counts the threads that are not in a network namespace.
func elsewhere(t *testing.T, own string) int {
	t.Helper()
	links, err := filepath.Glob("/proc/self/task/*/ns/net")
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for _, link := range links {
		if namespace, err := os.Readlink(link); err == nil && namespace != own {
			n++
		}
	}
	return n
}

func namespaceOf(t *testing.T, fd int) uint64 {
	t.Helper()
	var st unix.Stat_t
	if err := unix.Fstat(fd, &st); err != nil {
		t.Fatal(err)
	}
	return st.Ino
}

func namespaceAt(t *testing.T, path string) uint64 {
	t.Helper()
	var st unix.Stat_t
	if err := unix.Stat(path, &st); err != nil {
		t.Fatal(err)
	}
	return st.Ino
}
