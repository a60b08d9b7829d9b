package sweep

import (
	"encoding/json"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// snapshot is everything of the host that the containers of bundle could leave
// behind or change: mounts in the bundle, the propagation of the host's root,
// descriptors and children of this process, cgroups. Other mounts belong to
// tests that run at the same time.
func snapshot(t *testing.T, bundle string) string {
	t.Helper()
	var b strings.Builder
	mounts, err := os.ReadFile("/proc/self/mountinfo")
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(mounts)) {
		if strings.Contains(line, bundle) || strings.Contains(line, " / / ") {
			b.WriteString(line)
		}
	}
	descriptors, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range descriptors {
		target, _ := os.Readlink("/proc/self/fd/" + d.Name())
		if !strings.HasPrefix(target, "anon_inode:[event") { // the Go runtime's own
			fmt.Fprintf(&b, "descriptor %s\n", target)
		}
	}
	tasks, _ := filepath.Glob("/proc/self/task/*/children")
	for _, task := range tasks {
		children, _ := os.ReadFile(task)
		if len(children) > 0 {
			fmt.Fprintf(&b, "children: %s\n", children)
		}
	}
	_ = filepath.WalkDir("/sys/fs/cgroup", func(path string, d fs.DirEntry, err error) error {
		if err == nil && d.IsDir() && strings.Contains(path, "sweep-") {
			fmt.Fprintln(&b, path)
		}
		return nil
	})
	return b.String()
}

// difference lists the lines that only one of two snapshots has.
func difference(before, after string) string {
	count := map[string]int{}
	for line := range strings.Lines(before) {
		count[line]--
	}
	for line := range strings.Lines(after) {
		count[line]++
	}
	var b strings.Builder
	for line, n := range count {
		if n != 0 {
			fmt.Fprintf(&b, "%+d %s", n, line)
		}
	}
	return b.String()
}

func marshal(v any) ([]byte, error) { return json.MarshalIndent(v, "", "  ") }
