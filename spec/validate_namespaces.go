package spec

import (
	"fmt"
	"path/filepath"

	"github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"
)

const maxNanosecond = 999_999_999

// namespaces checks config-linux.md, "Namespaces".
func (v *validator) namespaces() {
	seen := make(map[specs.LinuxNamespaceType]int, len(v.linux.Namespaces))
	for i, entry := range v.linux.Namespaces {
		field := item("linux.namespaces", i)
		namespace, known := LookupNamespace(entry.Type)
		if !known {
			v.report(field+".type", "namespace %q does not exist: must be one of %s", entry.Type, quoted(namespaceNames(), "or"))
			continue
		}
		if first, found := seen[entry.Type]; found {
			v.report(field+".type", "malformed spec file: duplicated ns: %q is in linux.namespaces[%d] already", entry.Type, first)
			continue
		}
		seen[entry.Type] = i
		switch {
		case entry.Path != "":
			v.namespacePath(field+".path", entry.Path, namespace)
		case entry.Type == specs.TimeNamespace && v.host.Creating && unix.Access("/proc/self/ns/time", unix.F_OK) != nil:
			v.report(field+".type", "this kernel has no time namespaces: that takes Linux 5.6, built with CONFIG_TIME_NS")
		}
	}
}

func namespaceNames() []string {
	names := make([]string, len(namespaces))
	for i, namespace := range namespaces {
		names[i] = string(namespace.Type)
	}
	return names
}

func (v *validator) namespacePath(field, path string, want Namespace) {
	if !filepath.IsAbs(path) {
		v.report(field, "invalid namespace path: must be absolute, got %q", path)
		return
	}
	if !v.host.Creating {
		return
	}
	found, err := namespaceTypeOf(path)
	switch {
	case err != nil:
		v.report(field, "invalid namespace path: %v", err)
	case found.Flag != want.Flag:
		v.report(field, "invalid namespace path: %s is a %s namespace, must be a %s namespace", path, found.Type, want.Type)
	}
}

// namespaceTypeOf finds out what kind of namespace a file stands for
// (ioctl_nsfs(2)). The file system is checked before the file is opened, so that
// a FIFO or a device in its place is not touched.
func namespaceTypeOf(path string) (Namespace, error) {
	var filesystem unix.Statfs_t
	if err := unix.Statfs(path, &filesystem); err != nil {
		return Namespace{}, fmt.Errorf("%s: %w", path, err)
	}
	if filesystem.Type != unix.NSFS_MAGIC {
		return Namespace{}, fmt.Errorf("%s is not a namespace file", path)
	}
	fd, err := unix.Open(path, unix.O_RDONLY|unix.O_CLOEXEC|unix.O_NONBLOCK, 0)
	if err != nil {
		return Namespace{}, fmt.Errorf("%s: %w", path, err)
	}
	defer unix.Close(fd)
	flag, err := unix.IoctlRetInt(fd, unix.NS_GET_NSTYPE)
	if err != nil {
		return Namespace{}, fmt.Errorf("%s is not a namespace file: %w", path, err)
	}
	for _, namespace := range namespaces {
		if namespace.Flag == uint64(flag) {
			return namespace, nil
		}
	}
	return Namespace{}, fmt.Errorf("%s is a namespace of unknown type %#x", path, flag)
}

// isOwnNamespace reports whether a namespace file is the runtime's own
// namespace of that type: two files are the same namespace when device and inode
// agree (namespaces(7)).
func isOwnNamespace(path string, kind specs.LinuxNamespaceType) bool {
	namespace, _ := LookupNamespace(kind)
	var theirs, ours unix.Stat_t
	return unix.Stat(path, &theirs) == nil &&
		unix.Stat("/proc/self/ns/"+namespace.File, &ours) == nil &&
		theirs.Dev == ours.Dev && theirs.Ino == ours.Ino
}

// timeOffsets checks config-linux.md, "Offset for Time Namespace"
// (time_namespaces(7)).
func (v *validator) timeOffsets() {
	const field = "linux.timeOffsets"
	if len(v.linux.TimeOffsets) == 0 {
		return
	}
	namespace := v.namespace(specs.TimeNamespace)
	switch {
	case namespace == nil:
		v.report(field, "time offsets need a time namespace in linux.namespaces")
	case namespace.Path != "":
		v.report(field, "time offsets can only be set in a new time namespace, but linux.namespaces joins %s", namespace.Path)
	}
	for _, clock := range sortedKeys(v.linux.TimeOffsets) {
		if clock != "monotonic" && clock != "boottime" {
			v.report(element(field, clock), "unknown clock: must be \"monotonic\" or \"boottime\"")
		}
		if v.linux.TimeOffsets[clock].Nanosecs > maxNanosecond {
			v.report(element(field, clock)+".nanosecs", "must be at most %d, got %d", maxNanosecond, v.linux.TimeOffsets[clock].Nanosecs)
		}
	}
}
