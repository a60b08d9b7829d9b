package spec

import (
	"path/filepath"
	"strings"

	"github.com/opencontainers/runtime-spec/specs-go"
)

// A device number of the kernel is 12 bits of major and 20 bits of minor.
const (
	maxMajor = 1<<12 - 1
	maxMinor = 1<<20 - 1
)

// devices checks config-linux.md, "Devices".
func (v *validator) devices() {
	if len(v.linux.Devices) > 0 && !v.has(specs.MountNamespace) {
		v.report("linux.devices", "need a mount namespace in linux.namespaces: without one they would be made on the host")
	}
	seen := make(map[string]int, len(v.linux.Devices))
	for i, device := range v.linux.Devices {
		field := item("linux.devices", i)
		v.devicePath(field+".path", device.Path)
		v.deviceNumbers(field, device)
		if device.UID != nil && *device.UID == noID {
			v.report(field+".uid", "must be below %d, which means no id to the kernel", uint32(noID))
		}
		if device.GID != nil && *device.GID == noID {
			v.report(field+".gid", "must be below %d, which means no id to the kernel", uint32(noID))
		}
		path := filepath.Clean(device.Path)
		if first, found := seen[path]; found && !sameDevice(device, v.linux.Devices[first]) {
			v.report(field+".path", "%q is another device in linux.devices[%d]", device.Path, first)
		}
		seen[path] = i
	}
}

func (v *validator) devicePath(field, path string) {
	switch {
	case path == "":
		v.report(field, "is required: the path inside the container")
	case !filepath.IsAbs(path):
		v.report(field, "must be absolute, got %q", path)
	case filepath.Clean(path) == "/":
		v.report(field, "must name a file, got %q", path)
	}
}

func (v *validator) deviceNumbers(field string, device specs.LinuxDevice) {
	switch device.Type {
	case "p":
		return
	case "c", "u", "b":
		v.deviceNumber(field+".major", device.Major, maxMajor)
		v.deviceNumber(field+".minor", device.Minor, maxMinor)
	default:
		v.report(field+".type", "invalid device type %q: must be \"c\", \"u\", \"b\" or \"p\"", device.Type)
	}
}

// deviceNumber checks a number that is required. 0 is a value like others, so
// whether it is meant can only be seen in the file.
func (v *validator) deviceNumber(field string, number, limit int64) {
	switch {
	case number < 0 || number > limit:
		v.report(field, "must be from 0 to %d, got %d", limit, number)
	case number == 0 && v.config.source != nil && !v.config.states(field):
		v.report(field, "is required unless type is \"p\"")
	}
}

// sameDevice compares what mknod(2) would make.
func sameDevice(a, b specs.LinuxDevice) bool {
	if kindOfDevice(a) != kindOfDevice(b) {
		return false
	}
	return a.Type == "p" || a.Major == b.Major && a.Minor == b.Minor
}

// kindOfDevice makes "u", an unbuffered character device, what it is: "c".
func kindOfDevice(device specs.LinuxDevice) string {
	if device.Type == "u" {
		return "c"
	}
	return device.Type
}

// maxInterfaceName is IFNAMSIZ without the terminating NUL (netdevice(7)).
const maxInterfaceName = 15

// netDevices checks config-linux.md, "Network Devices".
func (v *validator) netDevices() {
	const field = "linux.netDevices"
	if len(v.linux.NetDevices) == 0 {
		return
	}
	switch {
	case !v.has(specs.NetworkNamespace):
		v.report(field, "unable to move network devices without a network namespace in linux.namespaces")
	case !v.hasOwnNetwork():
		v.report(field, "unable to move network devices: linux.namespaces joins the network namespace that they are in")
	}
	if v.rootless() {
		v.report(field, "network devices are not supported for rootless containers")
	}
	names := map[string]string{}
	for _, name := range sortedKeys(v.linux.NetDevices) {
		v.interfaceName(element(field, name), name)
		inside := v.linux.NetDevices[name].Name
		if inside == "" {
			inside = name
		} else {
			v.interfaceName(element(field, name)+".name", inside)
			v.nameTemplate(element(field, name)+".name", inside)
		}
		if other, found := names[inside]; found && !strings.Contains(inside, "%") {
			v.report(element(field, name), "invalid network device name %q: it is that of %q in the container, too", inside, other)
		}
		names[inside] = name
	}
}

func (v *validator) interfaceName(field, name string) {
	switch {
	case name == "":
		v.report(field, "invalid network device name: must not be empty")
	case len(name) > maxInterfaceName:
		v.report(field, "invalid network device name %q: at most %d bytes are allowed", name, maxInterfaceName)
	case name == "." || name == "..":
		v.report(field, "invalid network device name %q", name)
	case strings.ContainsAny(name, "/: \t\n\v\f\r"):
		v.report(field, "invalid network device name %q: must not contain \"/\", \":\" or white space", name)
	}
}

// nameTemplate checks that a number can be put into a name for the container at
// one place at most.
func (v *validator) nameTemplate(field, name string) {
	if rest := strings.Replace(name, "%d", "", 1); strings.Contains(rest, "%") {
		v.report(field, "invalid network device name %q: may have %%d once, and no other %%", name)
	}
}
