package spec

import (
	"slices"
	"strings"

	"github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"
)

// defaultDeviceMode is the permission of a device that states none.
const defaultDeviceMode = 0o666

// DefaultDevices returns the devices that every container gets beside those of
// linux.devices (OCI runtime-spec, config-linux.md, "Default Devices"). An
// entry of linux.devices with the same path takes their place. /dev/console
// and /dev/ptmx are missing here: they are a bind mount and a symbolic link.
func DefaultDevices() []specs.LinuxDevice {
	return []specs.LinuxDevice{
		{Path: "/dev/null", Type: "c", Major: 1, Minor: 3},
		{Path: "/dev/zero", Type: "c", Major: 1, Minor: 5},
		{Path: "/dev/full", Type: "c", Major: 1, Minor: 7},
		{Path: "/dev/random", Type: "c", Major: 1, Minor: 8},
		{Path: "/dev/urandom", Type: "c", Major: 1, Minor: 9},
		{Path: "/dev/tty", Type: "c", Major: 5, Minor: 0},
	}
}

// DeviceMode returns the mode argument of mknod(2) for a device: its type, and
// its permissions or the default ones. Type bits that engines leave in fileMode
// do not count.
func DeviceMode(device specs.LinuxDevice) uint32 {
	permissions := uint32(defaultDeviceMode)
	if device.FileMode != nil {
		permissions = uint32(*device.FileMode) & 0o7777
	}
	switch device.Type {
	case "b":
		return unix.S_IFBLK | permissions
	case "p":
		return unix.S_IFIFO | permissions
	default:
		return unix.S_IFCHR | permissions
	}
}

// Symlink is a symbolic link inside the container.
type Symlink struct {
	Path, Target string
}

// DefaultSymlinks returns the links that are made in /dev where the image has
// no such name (OCI runtime-spec, runtime-linux.md, "Dev symbolic links"). A
// /dev/core without /proc/kcore would dangle: the caller leaves it out then.
func DefaultSymlinks() []Symlink {
	return []Symlink{
		{"/dev/fd", "/proc/self/fd"},
		{"/dev/stdin", "/proc/self/fd/0"},
		{"/dev/stdout", "/proc/self/fd/1"},
		{"/dev/stderr", "/proc/self/fd/2"},
		{"/dev/core", "/proc/kcore"},
	}
}

// ProcessEnv returns the environment that the program gets from process.env,
// and whether HOME is in it: if not, it has to be added from the container's
// user database. Of several entries for one name the last one stays. An empty
// HOME counts as none. PATH is not added, nobody asked for it.
func ProcessEnv(env []string) (list []string, hasHome bool) {
	seen := make(map[string]bool, len(env))
	for _, entry := range slices.Backward(env) {
		name, value, _ := strings.Cut(entry, "=")
		if seen[name] {
			continue
		}
		seen[name] = true
		if name == "HOME" && value == "" {
			continue
		}
		hasHome = hasHome || name == "HOME"
		list = append(list, entry)
	}
	slices.Reverse(list)
	return list, hasHome
}

// LookupEnv returns the value of an environment variable, the last one if it is
// there several times.
func LookupEnv(env []string, name string) (value string, ok bool) {
	for _, entry := range slices.Backward(env) {
		if key, value, _ := strings.Cut(entry, "="); key == name {
			return value, true
		}
	}
	return "", false
}
