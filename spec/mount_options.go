package spec

import (
	"slices"
	"strings"

	"golang.org/x/sys/unix"
)

// MountOptions is the meaning of mounts[].options. Bits are those of the new
// mount API: MOUNT_ATTR_* of mount_setattr(2).
type MountOptions struct {
	// Bind is set by "bind" and "rbind", Recursive by the latter. The mount's
	// type is then meaningless.
	Bind, Recursive bool

	// AttrSet and AttrClear are for this mount alone, to be given to
	// mount_setattr(2) as attr_set and attr_clr. When any access time option was
	// given, AttrClear has all of MOUNT_ATTR__ATIME, as the call demands.
	AttrSet, AttrClear uint64

	// AttrsGiven tells that a per-mount flag was set or cleared explicitly. A
	// bind mount without any keeps the flags of its source.
	AttrsGiven bool

	// RecSet and RecClear are the same for the mount and all mounts below it
	// (rro, rnosuid, ...; Linux 5.12).
	RecSet, RecClear uint64

	// SuperFlags are flags of the superblock by the names that
	// fsconfig(FSCONFIG_SET_FLAG) knows, in the order given. "ro" is here and
	// in AttrSet.
	SuperFlags []string

	// Silent and IVersion are the superblock flags that only mount(2) can set:
	// MS_SILENT and MS_I_VERSION.
	Silent, IVersion bool

	// Propagation is applied to the finished mount, one change after the other.
	Propagation []Propagation

	// Data is what the filesystem itself gets, in order: "size=64m",
	// "newinstance". An entry has no further options in it.
	Data []string

	// CopyUp asks that a tmpfs begins with a copy of what it hides.
	CopyUp bool

	// IDMap asks for an id-mapped mount ("idmap", "ridmap"), IDMapRecursive for
	// the mounts below it as well.
	IDMap, IDMapRecursive bool

	// Remount changes what is mounted already.
	Remount bool
}

// Propagation is one change of propagation type (mount_namespaces(7)).
type Propagation struct {
	Flag      uint64 // MS_SHARED, MS_PRIVATE, MS_SLAVE or MS_UNBINDABLE
	Recursive bool
}

// mountOption is one word of the specification's table of Linux mount options.
type mountOption struct {
	name  string
	apply func(*MountOptions, mountOption)
	bits  uint64 // MOUNT_ATTR_* or MS_*
	super string // name of the superblock flag
}

// mountOptions is sorted by name.
var mountOptions = [...]mountOption{
	{name: "async", apply: clearSuper, super: "sync"},
	{name: "atime", apply: clearAttr, bits: unix.MOUNT_ATTR_NOATIME},
	{name: "bind", apply: setBind},
	{name: "defaults", apply: setNothing},
	{name: "dev", apply: clearAttr, bits: unix.MOUNT_ATTR_NODEV},
	{name: "diratime", apply: clearAttr, bits: unix.MOUNT_ATTR_NODIRATIME},
	{name: "dirsync", apply: setSuper, super: "dirsync"},
	{name: "exec", apply: clearAttr, bits: unix.MOUNT_ATTR_NOEXEC},
	{name: "idmap", apply: setIDMap},
	{name: "iversion", apply: setIVersion, bits: 1},
	{name: "lazytime", apply: setSuper, super: "lazytime"},
	{name: "loud", apply: setSilent},
	{name: "mand", apply: setSuper, super: "mand"},
	{name: "noatime", apply: setAttr, bits: unix.MOUNT_ATTR_NOATIME},
	{name: "nodev", apply: setAttr, bits: unix.MOUNT_ATTR_NODEV},
	{name: "nodiratime", apply: setAttr, bits: unix.MOUNT_ATTR_NODIRATIME},
	{name: "noexec", apply: setAttr, bits: unix.MOUNT_ATTR_NOEXEC},
	{name: "noiversion", apply: setIVersion},
	{name: "nolazytime", apply: clearSuper, super: "lazytime"},
	{name: "nomand", apply: clearSuper, super: "mand"},
	{name: "norelatime", apply: clearAttr, bits: unix.MOUNT_ATTR_RELATIME},
	{name: "nostrictatime", apply: clearAttr, bits: unix.MOUNT_ATTR_STRICTATIME},
	{name: "nosuid", apply: setAttr, bits: unix.MOUNT_ATTR_NOSUID},
	{name: "nosymfollow", apply: setAttr, bits: unix.MOUNT_ATTR_NOSYMFOLLOW},
	{name: "private", apply: addPropagation, bits: unix.MS_PRIVATE},
	{name: "ratime", apply: clearRec, bits: unix.MOUNT_ATTR_NOATIME},
	{name: "rbind", apply: setRecursiveBind},
	{name: "rdev", apply: clearRec, bits: unix.MOUNT_ATTR_NODEV},
	{name: "rdiratime", apply: clearRec, bits: unix.MOUNT_ATTR_NODIRATIME},
	{name: "relatime", apply: setAttr, bits: unix.MOUNT_ATTR_RELATIME},
	{name: "remount", apply: setRemount},
	{name: "rexec", apply: clearRec, bits: unix.MOUNT_ATTR_NOEXEC},
	{name: "ridmap", apply: setRecursiveIDMap},
	{name: "rnoatime", apply: setRec, bits: unix.MOUNT_ATTR_NOATIME},
	{name: "rnodev", apply: setRec, bits: unix.MOUNT_ATTR_NODEV},
	{name: "rnodiratime", apply: setRec, bits: unix.MOUNT_ATTR_NODIRATIME},
	{name: "rnoexec", apply: setRec, bits: unix.MOUNT_ATTR_NOEXEC},
	{name: "rnorelatime", apply: clearRec, bits: unix.MOUNT_ATTR_RELATIME},
	{name: "rnostrictatime", apply: clearRec, bits: unix.MOUNT_ATTR_STRICTATIME},
	{name: "rnosuid", apply: setRec, bits: unix.MOUNT_ATTR_NOSUID},
	{name: "rnosymfollow", apply: setRec, bits: unix.MOUNT_ATTR_NOSYMFOLLOW},
	{name: "ro", apply: setReadonly, bits: unix.MOUNT_ATTR_RDONLY, super: "ro"},
	{name: "rprivate", apply: addRecursivePropagation, bits: unix.MS_PRIVATE},
	{name: "rrelatime", apply: setRec, bits: unix.MOUNT_ATTR_RELATIME},
	{name: "rro", apply: setRec, bits: unix.MOUNT_ATTR_RDONLY},
	{name: "rrw", apply: clearRec, bits: unix.MOUNT_ATTR_RDONLY},
	{name: "rshared", apply: addRecursivePropagation, bits: unix.MS_SHARED},
	{name: "rslave", apply: addRecursivePropagation, bits: unix.MS_SLAVE},
	{name: "rstrictatime", apply: setRec, bits: unix.MOUNT_ATTR_STRICTATIME},
	{name: "rsuid", apply: clearRec, bits: unix.MOUNT_ATTR_NOSUID},
	{name: "rsymfollow", apply: clearRec, bits: unix.MOUNT_ATTR_NOSYMFOLLOW},
	{name: "runbindable", apply: addRecursivePropagation, bits: unix.MS_UNBINDABLE},
	{name: "rw", apply: clearReadonly, bits: unix.MOUNT_ATTR_RDONLY, super: "ro"},
	{name: "shared", apply: addPropagation, bits: unix.MS_SHARED},
	{name: "silent", apply: setSilent, bits: 1},
	{name: "slave", apply: addPropagation, bits: unix.MS_SLAVE},
	{name: "strictatime", apply: setAttr, bits: unix.MOUNT_ATTR_STRICTATIME},
	{name: "suid", apply: clearAttr, bits: unix.MOUNT_ATTR_NOSUID},
	{name: "symfollow", apply: clearAttr, bits: unix.MOUNT_ATTR_NOSYMFOLLOW},
	{name: "sync", apply: setSuper, super: "sync"},
	{name: "tmpcopyup", apply: setCopyUp},
	{name: "unbindable", apply: addPropagation, bits: unix.MS_UNBINDABLE},
}

// MountOptionNames returns every option that has a meaning of its own, sorted.
func MountOptionNames() []string {
	names := make([]string, len(mountOptions))
	for i, option := range mountOptions {
		names[i] = option.name
	}
	return names
}

// ParseMountOptions sorts the options of a mount by what they act on. Of
// contradicting options the last one wins. It cannot fail: what is not in the
// specification's table is for the filesystem to judge.
func ParseMountOptions(options []string) MountOptions {
	var parsed MountOptions
	for _, text := range options {
		option, ok := lookupMountOption(text)
		if !ok {
			parsed.Data = appendData(parsed.Data, text)
			continue
		}
		option.apply(&parsed, option)
	}
	return parsed
}

func lookupMountOption(name string) (mountOption, bool) {
	i, found := slices.BinarySearchFunc(mountOptions[:], name, func(option mountOption, name string) int {
		return strings.Compare(option.name, name)
	})
	if !found {
		return mountOption{}, false
	}
	return mountOptions[i], true
}

func setNothing(*MountOptions, mountOption) {}

func setBind(m *MountOptions, _ mountOption) { m.Bind = true }

func setRecursiveBind(m *MountOptions, _ mountOption) { m.Bind, m.Recursive = true, true }

func setRemount(m *MountOptions, _ mountOption) { m.Remount = true }

func setCopyUp(m *MountOptions, _ mountOption) { m.CopyUp = true }

func setIDMap(m *MountOptions, _ mountOption) { m.IDMap, m.IDMapRecursive = true, false }

func setRecursiveIDMap(m *MountOptions, _ mountOption) { m.IDMap, m.IDMapRecursive = true, true }

func setSilent(m *MountOptions, o mountOption) { m.Silent = o.bits != 0 }

func setIVersion(m *MountOptions, o mountOption) { m.IVersion = o.bits != 0 }

func setAttr(m *MountOptions, o mountOption) {
	m.AttrsGiven = true
	setBits(&m.AttrSet, &m.AttrClear, o.bits)
}

func clearAttr(m *MountOptions, o mountOption) {
	m.AttrsGiven = true
	clearBits(&m.AttrSet, &m.AttrClear, o.bits)
}

func setRec(m *MountOptions, o mountOption) { setBits(&m.RecSet, &m.RecClear, o.bits) }

func clearRec(m *MountOptions, o mountOption) { clearBits(&m.RecSet, &m.RecClear, o.bits) }

// setBits notes that an attribute is wanted. The access time is not a set of
// bits but one number within MOUNT_ATTR__ATIME (relatime is 0): a new value
// replaces the old one, and the kernel wants the whole field cleared for it.
func setBits(set, clear *uint64, bits uint64) {
	if isAccessTime(bits) {
		*set = *set&^unix.MOUNT_ATTR__ATIME | bits
		*clear |= unix.MOUNT_ATTR__ATIME
		return
	}
	*set |= bits
	*clear &^= bits
}

// clearBits notes that an attribute is unwanted. Without the access time value
// that it had, a mount falls back to the kernel's default, relatime.
func clearBits(set, clear *uint64, bits uint64) {
	*set &^= bits
	if isAccessTime(bits) {
		bits = unix.MOUNT_ATTR__ATIME
	}
	*clear |= bits
}

func isAccessTime(bits uint64) bool {
	return bits&^unix.MOUNT_ATTR__ATIME == 0
}

func setReadonly(m *MountOptions, o mountOption) {
	setAttr(m, o)
	setSuper(m, o)
}

func clearReadonly(m *MountOptions, o mountOption) {
	clearAttr(m, o)
	clearSuper(m, o)
}

func setSuper(m *MountOptions, o mountOption) {
	clearSuper(m, o)
	m.SuperFlags = append(m.SuperFlags, o.super)
}

func clearSuper(m *MountOptions, o mountOption) {
	m.SuperFlags = slices.DeleteFunc(m.SuperFlags, func(flag string) bool { return flag == o.super })
}

func addPropagation(m *MountOptions, o mountOption) {
	m.Propagation = append(m.Propagation, Propagation{Flag: o.bits})
}

func addRecursivePropagation(m *MountOptions, o mountOption) {
	m.Propagation = append(m.Propagation, Propagation{Flag: o.bits, Recursive: true})
}

// appendData takes a string of comma-separated filesystem options apart, because
// fsconfig(2) takes them one by one where mount(2) took them all. A comma
// belongs to the value within double quotes (SELinux contexts) and after a
// backslash (overlay directories).
func appendData(data []string, options string) []string {
	start, quoted := 0, false
	for i := 0; i < len(options); i++ {
		switch options[i] {
		case '\\':
			i++
		case '"':
			quoted = !quoted
		case ',':
			if !quoted {
				data = appendNonEmpty(data, options[start:i])
				start = i + 1
			}
		}
	}
	return appendNonEmpty(data, options[start:])
}

func appendNonEmpty(list []string, text string) []string {
	if text == "" {
		return list
	}
	return append(list, text)
}

// CutData splits an entry of MountOptions.Data for fsconfig(2): a flag is a key
// alone, everything else has a value. Double quotes around the value, which
// mount(2) needs to tell the commas of an SELinux context from its own, are
// taken off.
func CutData(option string) (key, value string, hasValue bool) {
	key, value, hasValue = strings.Cut(option, "=")
	if len(value) >= 2 && value[0] == '"' && value[len(value)-1] == '"' {
		value = value[1 : len(value)-1]
	}
	return key, value, hasValue
}
