package libns

import (
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"

	"rt/libns/kernel"
	"rt/libns/plan"
)

// Delegated is the part of a container's cgroup that the caller may make and put
// a process into (cgroups(7), "Cgroups delegation"). refused says why another
// part is missing, nil if none is. Nothing is made.
func Delegated(c plan.Cgroup, facts kernel.Facts) (delegated plan.Cgroup, refused error) {
	delegated = c
	if c.Unified != "" {
		self := filepath.Join(facts.Unified, facts.UnifiedSelf)
		if refused = mayEnter(c.Unified, commonAncestor(self, c.Unified)); refused != nil {
			delegated.Unified = ""
		}
	}
	delegated.V1 = nil
	for _, group := range c.V1 {
		err := mayMake(group.Directory)
		if err == nil {
			delegated.V1 = append(delegated.V1, group)
		} else if refused == nil {
			refused = err
		}
	}
	return delegated, refused
}

// mayEnter checks the rules of cgroup v2: whoever moves a process, or clones one
// into a cgroup, writes to cgroup.procs of the nearest cgroup that both where it
// comes from and where it goes are below.
func mayEnter(directory, above string) error {
	if err := mayMake(directory); err != nil {
		return err
	}
	return mayWrite(filepath.Join(above, "cgroup.procs"), unix.W_OK)
}

// mayMake checks that a cgroup can be made, or be used if it is there.
func mayMake(directory string) error {
	if _, err := os.Stat(directory); err == nil {
		return mayWrite(filepath.Join(directory, "cgroup.procs"), unix.W_OK)
	}
	existing := filepath.Dir(directory)
	for existing != "/" {
		if _, err := os.Stat(existing); err == nil {
			break
		}
		existing = filepath.Dir(existing)
	}
	return mayWrite(existing, unix.W_OK|unix.X_OK)
}

func mayWrite(path string, mode uint32) error {
	if err := unix.Faccessat(unix.AT_FDCWD, path, mode, unix.AT_EACCESS); err != nil {
		return &os.PathError{Op: "write to", Path: path, Err: err}
	}
	return nil
}

// commonAncestor is the deepest directory that both clean paths are in or below.
func commonAncestor(a, b string) string {
	for a != "/" && a != b && !strings.HasPrefix(b, a+"/") {
		a = filepath.Dir(a)
	}
	return a
}
