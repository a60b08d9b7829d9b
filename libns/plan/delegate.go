package plan

import (
	"fmt"
	"path/filepath"
	"slices"

	specs "github.com/opencontainers/runtime-spec/specs-go"

	"rt/libns/kernel"
)

// DelegateCgroup gives the container's cgroup to the user that the program runs
// as, so that it can divide it up (cgroups(7), "Cgroups delegation").
type DelegateCgroup struct {
	Directory string
	UID       uint32 // on the host
}

// Title names the action.
func (a DelegateCgroup) Title() string {
	return fmt.Sprintf("give cgroup %s to user %d", a.Directory, a.UID)
}

// Holds is false: nothing looks at the owner before the program does.
func (DelegateCgroup) Holds() bool { return false }

// delegateCgroup gives the cgroup away where the container is meant to manage
// it: cgroup v2 is mounted to be written to, in a cgroup namespace of its own.
func (c *compiler) delegateCgroup() {
	if c.Cgroup.Unified == "" || c.Facts.Cgroup != kernel.CgroupUnified {
		return
	}
	if ns, ok := c.namespace(specs.CgroupNamespace); !ok || ns.Path != "" {
		return
	}
	if c.unprivileged() {
		return // it is the caller's own, who can give nothing away
	}
	field, ok := c.writableCgroupMount()
	uid := c.hostUID(c.Config.Process.User.UID)
	if ok && uid != 0 {
		c.host(field, DelegateCgroup{Directory: c.Cgroup.Unified, UID: uid})
	}
}

func (c *compiler) writableCgroupMount() (field string, ok bool) {
	for _, m := range c.mountEntries() {
		isCgroup := m.Type == "cgroup" || m.Type == "cgroup2" || m.Source == "cgroup"
		if isCgroup && filepath.Clean(m.Destination) == "/sys/fs/cgroup" {
			return m.field, !slices.Contains(m.Options, "ro") && !slices.Contains(m.Options, "rro")
		}
	}
	return "", false
}
