package plan

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"

	"rt/spec"
)

// fsconfig(2) takes strings of up to 255 bytes, and the layers of an overlay
// are soon more: such a filesystem is mounted by mount(2), which takes all
// options as one string.
const (
	maxOption  = 255
	maxOptions = 4095 // mount(2) cuts the rest off without a word
)

// isLong says that the mount has a source or an option that fsconfig(2) does
// not take.
func (m mountEntry) isLong() bool {
	if m.options.Bind || m.options.Remount {
		return false
	}
	return len(m.Source) > maxOption || slices.ContainsFunc(m.options.Data, func(option string) bool {
		_, value, _ := spec.CutData(option)
		return len(value) > maxOption
	})
}

func (c *compiler) hasLongMounts() bool {
	return slices.ContainsFunc(c.mountEntries(), mountEntry.isLong)
}

// longMount mounts a new superblock with one call, on the descriptor of its
// mount point.
func (c *compiler) longMount(m mountEntry, f newFilesystem) {
	data := joinOptions(f.data)
	if len(data) > maxOptions {
		c.missing = append(c.missing, fmt.Errorf("%s.options: the filesystem's options are %d bytes long, the kernel takes %d", m.field, len(data), maxOptions))
	}
	at := c.openMountPoint(mountPoint{path: m.path})
	c.refuseProc(m, at)
	c.nameMount(at)
	c.call(unix.SYS_MOUNT, c.optional(f.source), c.str("self/fd/"+strconv.Itoa(c.namedFD())), c.str(f.kind),
		imm(oldFlags(attributes{set: f.attrs})|superFlags(f.flags)), c.optional(data))
	c.close(at)
	if len(m.options.Propagation) == 0 && m.options.RecSet|m.options.RecClear == 0 {
		return
	}
	mount := c.word("m")
	c.open(c.root, m.path, unix.O_PATH|unix.O_DIRECTORY, inRoot).to(mount)
	c.treeAttributes(m, mount)
	for _, p := range m.options.Propagation {
		c.setPropagation(mount, p.Recursive, p.Flag)
	}
	c.close(mount)
}

// joinOptions gives options the form of mount(2). Only a label has commas in it,
// and is put in quotes for SELinux (mount(8)).
func joinOptions(options []string) string {
	quoted := slices.Clone(options)
	for i, option := range options {
		if key, value, _ := spec.CutData(option); strings.Contains(value, ",") {
			quoted[i] = fmt.Sprintf("%s=%q", key, value)
		}
	}
	return strings.Join(quoted, ",")
}

// optional is a string, or no string if it is empty.
func (c *compiler) optional(text string) Arg {
	if text == "" {
		return null
	}
	return c.str(text)
}

// superFlags are the MS_* flags of a superblock by the names that fsconfig(2)
// has for them.
func superFlags(names []string) uint64 {
	numbers := map[string]uint64{
		"ro": unix.MS_RDONLY, "sync": unix.MS_SYNCHRONOUS, "dirsync": unix.MS_DIRSYNC,
		"mand": unix.MS_MANDLOCK, "lazytime": unix.MS_LAZYTIME,
	}
	var flags uint64
	for _, name := range names {
		flags |= numbers[name]
	}
	return flags
}
