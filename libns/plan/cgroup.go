package plan

import (
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"rt/libns/kernel"
	"rt/spec"
)

// Cgroup is where the container's processes are: one directory in the unified
// hierarchy, and on cgroup v1 and hybrid hosts one in each v1 hierarchy, in
// the order of [kernel.Facts.Hierarchies]. Paths are absolute in the host's
// file system.
type Cgroup struct {
	Unified string    `json:"unified,omitempty"`
	V1      []V1Group `json:"v1,omitempty"`
	// Unit is the unit of systemd that the directories belong to, nil if they
	// belong to nobody but rt.
	Unit *Unit `json:"unit,omitempty"`
}

// IsZero reports whether the container stays in the caller's cgroup.
func (c Cgroup) IsZero() bool { return c.Unified == "" && len(c.V1) == 0 }

// Directories lists all of the cgroup's directories.
func (c Cgroup) Directories() []string {
	var list []string
	if c.Unified != "" {
		list = append(list, c.Unified)
	}
	for _, g := range c.V1 {
		list = append(list, g.Directory)
	}
	return list
}

// Controller gives the directory in the v1 hierarchy that has a controller.
func (c Cgroup) Controller(name string) (directory string, ok bool) {
	for _, g := range c.V1 {
		if slices.Contains(g.Controllers, name) {
			return g.Directory, true
		}
	}
	return "", false
}

// CgroupFor chooses the container's cgroup from linux.cgroupsPath
// (config-linux.md, "Cgroups Path"). An absolute path starts at the root of
// each hierarchy. A relative one, and the id if there is none, goes beside the
// runtime's own cgroup, which has processes and therefore cannot have children
// with controllers (cgroups(7), "no internal processes").
//
// With facts.Systemd the path is slice:prefix:name, and the cgroup that of a
// unit of systemd ([Unit]).
func CgroupFor(path, id string, facts kernel.Facts) (Cgroup, error) {
	parts := strings.Split(path, ":")
	switch {
	case facts.Cgroup == kernel.CgroupNone && path == "":
		return Cgroup{}, nil
	case facts.Cgroup == kernel.CgroupNone:
		return Cgroup{}, errors.New("linux.cgroupsPath: no cgroup hierarchy is mounted on /sys/fs/cgroup")
	case facts.Systemd != nil:
		return unitCgroup(path, id, facts)
	case len(parts) == 3 && !strings.Contains(path, "/"):
		return Cgroup{}, fmt.Errorf("linux.cgroupsPath: %q is in the form slice:prefix:name of the systemd driver; without --systemd-cgroup it has to be a path", path)
	case path == "":
		path = id
	}
	var c Cgroup
	if facts.Unified != "" {
		c.Unified = cgroupBelow(facts.Unified, facts.UnifiedSelf, path, true)
	}
	for _, h := range facts.Hierarchies {
		c.V1 = append(c.V1, V1Group{h.Key(), h.Controllers, cgroupBelow(h.Mount, h.Self, path, false)})
	}
	return c, nil
}

// cgroupBelow cleans path before it is joined, so that ".." cannot leave the
// hierarchy.
func cgroupBelow(mount, self, path string, beside bool) string {
	clean := filepath.Clean("/" + path)
	if filepath.IsAbs(path) {
		return filepath.Join(mount, clean)
	}
	if beside {
		self = filepath.Dir(self)
	}
	return filepath.Join(mount, self, clean)
}

// NeedsCgroup is the field of the config that asks for a cgroup which is not
// among those that there are to be, "" if none does.
func NeedsCgroup(config *spec.Config, c Cgroup, facts kernel.Facts) string {
	if config.Linux == nil {
		return ""
	}
	if config.Linux.CgroupsPath != "" {
		return "linux.cgroupsPath"
	}
	for _, l := range limitsIn(config.Linux.Resources) {
		there := c.Unified != ""
		if facts.Cgroup != kernel.CgroupUnified {
			_, there = c.Controller(l.controller.v1)
		}
		if !there {
			return "linux.resources." + l.field
		}
	}
	return ""
}
