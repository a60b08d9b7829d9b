package plan

import (
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"rt/libns/kernel"
)

// Unit is a unit of systemd, the container's own: a scope, which systemd makes
// for processes that it did not start itself (systemd.scope(5)), or a slice if
// linux.cgroupsPath names one.
type Unit struct {
	Name  string `json:"name"`
	Slice string `json:"slice"`          // the slice that it is in
	User  bool   `json:"user,omitempty"` // of the user's manager, not the system's
	// Directory is that of its cgroup in the unified hierarchy, "" if there is
	// none. The container's cgroup is there or below.
	Directory string `json:"directory,omitempty"`
}

const (
	scopeSuffix = ".scope"
	sliceSuffix = ".slice"
	rootSlice   = "-.slice"
)

// IsSlice reports whether the unit is a slice. systemd puts no process there.
func (u Unit) IsSlice() bool { return strings.HasSuffix(u.Name, sliceSuffix) }

// directory is where the unit's cgroup is below that of systemd. A slice's name
// alone says that.
func (u Unit) directory() (string, error) {
	directory, err := sliceDirectory(u.Slice)
	if err == nil && u.IsSlice() {
		return sliceDirectory(u.Name)
	}
	return filepath.Join(directory, u.Name), err
}

// unitCgroup is the cgroup of the unit that linux.cgroupsPath names in the form
// slice:prefix:name. Each part may be empty but the name.
func unitCgroup(path, id string, facts kernel.Facts) (Cgroup, error) {
	if facts.Systemd.User && facts.Cgroup != kernel.CgroupUnified {
		return Cgroup{}, errors.New("--systemd-cgroup: a user's systemd may make cgroups only in the unified hierarchy (cgroup v2), which this host does not use alone")
	}
	if path == "" {
		path = ":runc:" + id // where callers look for it
	}
	parts := strings.Split(path, ":")
	if len(parts) != 3 || parts[2] == "" {
		return Cgroup{}, fmt.Errorf(`linux.cgroupsPath: expected cgroupsPath to be of format "slice:prefix:name" for systemd cgroups, got %q instead`, path)
	}
	unit := Unit{Name: unitName(parts[1], parts[2]), Slice: parts[0], User: facts.Systemd.User}
	switch {
	case unit.Slice == "" && unit.User:
		unit.Slice = "user.slice"
	case unit.Slice == "":
		unit.Slice = "system.slice"
	case unit.Slice == "-":
		unit.Slice = rootSlice
	}
	if !validUnit(unit.Name) {
		return Cgroup{}, fmt.Errorf("linux.cgroupsPath: %q cannot be the name of a unit of systemd (systemd.unit(5))", unit.Name)
	}
	directory, err := unit.directory()
	if err != nil {
		return Cgroup{}, err
	}
	directory = filepath.Join("/", facts.Systemd.ControlGroup, directory)
	c := Cgroup{Unit: &unit}
	if facts.Unified != "" {
		unit.Directory = filepath.Join(facts.Unified, directory)
		c.Unified = unit.Directory
	}
	for _, h := range facts.Hierarchies {
		c.V1 = append(c.V1, V1Group{h.Key(), h.Controllers, filepath.Join(h.Mount, directory)})
	}
	return c, nil
}

func unitName(prefix, name string) string {
	switch {
	case strings.HasSuffix(name, sliceSuffix):
		return name
	case prefix == "":
		return name + scopeSuffix
	}
	return prefix + "-" + name + scopeSuffix
}

// validUnit knows the characters that systemd takes in names.
func validUnit(name string) bool {
	const longest = 255
	strange := func(r rune) bool {
		return (r < '0' || r > '9') && (r < 'A' || r > 'Z') && (r < 'a' || r > 'z') && !strings.ContainsRune(`:-_.\@`, r)
	}
	return len(name) <= longest && !strings.ContainsFunc(name, strange)
}

// sliceDirectory is where a slice's cgroup is: each dash in its name is one
// more slice above it (systemd.slice(5)).
func sliceDirectory(slice string) (string, error) {
	if slice == rootSlice {
		return "/", nil
	}
	stem, ok := strings.CutSuffix(slice, sliceSuffix)
	components := strings.Split(stem, "-")
	if !ok || !validUnit(slice) || slices.Contains(components, "") {
		return "", fmt.Errorf("linux.cgroupsPath: %q is not the name of a slice of systemd (systemd.slice(5))", slice)
	}
	directory := "/"
	for i := range components {
		directory = filepath.Join(directory, strings.Join(components[:i+1], "-")+sliceSuffix)
	}
	return directory, nil
}
