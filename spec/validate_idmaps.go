package spec

import (
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"

	"github.com/opencontainers/runtime-spec/specs-go"
)

// maxIDMappings is how many lines uid_map takes (user_namespaces(7)).
const maxIDMappings = 340

// idMappings checks config-linux.md, "User namespace mappings". With a path
// they may be given too, engines repeat those of the namespace to be joined.
func (v *validator) idMappings() {
	uids, gids := v.linux.UIDMappings, v.linux.GIDMappings
	given := len(uids) > 0 || len(gids) > 0
	namespace := v.namespace(specs.UserNamespace)
	switch {
	case namespace == nil && given:
		field := "linux.uidMappings"
		if len(uids) == 0 {
			field = "linux.gidMappings"
		}
		v.report(field, "user namespace mappings specified, but there is no user namespace in linux.namespaces")
	case namespace == nil:
		if v.rootless() {
			v.report("linux.namespaces", "rootless container requires user namespaces: add {\"type\": \"user\"}")
		}
	case namespace.Path == "" && !given:
		v.report("linux.uidMappings", "user namespaces enabled, but no namespace path to join nor mappings to apply specified")
	case len(uids) == 0 && given:
		v.report("linux.uidMappings", "must be given together with linux.gidMappings")
	case len(gids) == 0 && given:
		v.report("linux.gidMappings", "must be given together with linux.uidMappings")
	}
	v.mappingList("linux.uidMappings", uids, "uid_map")
	v.mappingList("linux.gidMappings", gids, "gid_map")
	if namespace != nil && namespace.Path == "" {
		v.rootMapping("linux.uidMappings", uids)
		v.rootMapping("linux.gidMappings", gids)
	}
}

// rootMapping checks that the user namespace has a root: the container is made
// by it.
func (v *validator) rootMapping(field string, mappings []specs.LinuxIDMapping) {
	if len(mappings) > 0 && !isMapped(mappings, 0) {
		v.report(field, "id 0 of the container must be mapped: its root makes the container")
	}
}

// repeatedMappings warns of mappings beside the path of a user namespace. What
// they are compared with is known only when that is joined.
func (v *validator) repeatedMappings() {
	namespace := v.namespace(specs.UserNamespace)
	if namespace != nil && namespace.Path != "" && len(v.linux.UIDMappings)+len(v.linux.GIDMappings) > 0 {
		v.note("linux.uidMappings", "user namespace mappings are ignored beside the namespace's path: those of %s apply", namespace.Path)
	}
}

// mappingList checks the entries by the rules of user_namespaces(7), "Defining
// user and group ID mappings". file is uid_map or gid_map.
func (v *validator) mappingList(field string, mappings []specs.LinuxIDMapping, file string) {
	if len(mappings) > maxIDMappings {
		v.report(field, "must have at most %d entries, has %d", maxIDMappings, len(mappings))
		return
	}
	if v.host.Creating && len(mappings) > 0 {
		v.mappingOnHost(field, mappings, file)
	}
	for i, mapping := range mappings {
		switch {
		case mapping.Size == 0:
			v.report(item(field, i)+".size", "must be greater than 0")
		case !fitsID(mapping.ContainerID, mapping.Size) || !fitsID(mapping.HostID, mapping.Size):
			v.report(item(field, i)+".size", "range of %d ids must end below %d", mapping.Size, uint32(noID))
		default:
			v.mappingOverlap(field, mappings, i)
		}
	}
}

// mappingOnHost checks what depends on the machine and the caller: how much text
// the kernel takes, and which ids there are. A range must be inside of one range
// of the user namespace that the runtime is in.
func (v *validator) mappingOnHost(field string, mappings []specs.LinuxIDMapping, file string) {
	if size, page := len(IDMapText(mappings)), os.Getpagesize(); size >= page {
		v.report(field, "%d entries make %d bytes of text, and the kernel takes less than a page, %d bytes", len(mappings), size, page)
	}
	own := ownMapping(file)
	for i, mapping := range mappings {
		if fitsID(mapping.HostID, mapping.Size) && mapping.Size > 0 && !withinOne(mapping, own) {
			v.report(item(field, i)+".hostID", "ids %d to %d are not all in one range of those that rt's own user namespace has (/proc/self/%s)",
				mapping.HostID, mapping.HostID+mapping.Size-1, file)
		}
	}
}

func withinOne(mapping specs.LinuxIDMapping, own []specs.LinuxIDMapping) bool {
	for _, o := range own {
		if mapping.HostID >= o.ContainerID && uint64(mapping.HostID)+uint64(mapping.Size) <= uint64(o.ContainerID)+uint64(o.Size) {
			return true
		}
	}
	return false
}

// IDMapText is what is written to uid_map and gid_map (user_namespaces(7)).
func IDMapText(mappings []specs.LinuxIDMapping) string {
	var text strings.Builder
	for _, m := range mappings {
		fmt.Fprintln(&text, m.ContainerID, m.HostID, m.Size)
	}
	return text.String()
}

// ownMapping is the mapping of the runtime's own user namespace. One that cannot
// be read has all ids: the kernel will say more.
func ownMapping(file string) []specs.LinuxIDMapping {
	mappings, err := ReadIDMap("self", file)
	if err != nil {
		return []specs.LinuxIDMapping{{Size: noID}}
	}
	return mappings
}

// ReadIDMap reads uid_map or gid_map (file) of a process in /proc: what its ids
// are in the user namespace of the reader (user_namespaces(7)).
func ReadIDMap(process, file string) ([]specs.LinuxIDMapping, error) {
	path := filepath.Join("/proc", process, file)
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	var list []specs.LinuxIDMapping
	for line := range strings.Lines(string(data)) {
		var m specs.LinuxIDMapping
		if _, err := fmt.Sscan(line, &m.ContainerID, &m.HostID, &m.Size); err != nil {
			return nil, fmt.Errorf("%s: %w", path, err)
		}
		list = append(list, m)
	}
	return list, nil
}

// fitsID reports whether a range of ids ends before the id that means "none".
func fitsID(first, size uint32) bool {
	return uint64(first)+uint64(size) <= math.MaxUint32
}

func (v *validator) mappingOverlap(field string, mappings []specs.LinuxIDMapping, index int) {
	entry := mappings[index]
	for i, earlier := range mappings[:index] {
		if overlap(entry.ContainerID, entry.Size, earlier.ContainerID, earlier.Size) {
			v.report(item(field, index)+".containerID", "overlaps with %s", item(field, i))
			return
		}
		if overlap(entry.HostID, entry.Size, earlier.HostID, earlier.Size) {
			v.report(item(field, index)+".hostID", "overlaps with %s", item(field, i))
			return
		}
	}
}

func overlap(first, size, otherFirst, otherSize uint32) bool {
	return uint64(first) < uint64(otherFirst)+uint64(otherSize) &&
		uint64(otherFirst) < uint64(first)+uint64(size)
}

// isMapped reports whether an id of the container has a mapping.
func isMapped(mappings []specs.LinuxIDMapping, id uint32) bool {
	for _, mapping := range mappings {
		if id >= mapping.ContainerID && uint64(id) < uint64(mapping.ContainerID)+uint64(mapping.Size) {
			return true
		}
	}
	return false
}
