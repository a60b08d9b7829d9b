package plan

import (
	"fmt"

	"golang.org/x/sys/unix"

	"rt/spec"
)

// attach puts a detached mount on the place that at refers to. Both are
// descriptors: no string is resolved again that somebody could have changed.
func (b *builder) attach(mount, at Ref) callBuilder {
	return b.call(unix.SYS_MOVE_MOUNT, load(mount), b.str(""), load(at), b.str(""),
		imm(unix.MOVE_MOUNT_F_EMPTY_PATH|unix.MOVE_MOUNT_T_EMPTY_PATH))
}

// clone makes a detached bind mount of the file or tree that fd refers to.
func (b *builder) clone(fd Ref, recursive bool) callBuilder {
	flags := unix.AT_EMPTY_PATH | unix.OPEN_TREE_CLONE | unix.OPEN_TREE_CLOEXEC
	if recursive {
		flags |= unix.AT_RECURSIVE
	}
	return b.call(unix.SYS_OPEN_TREE, load(fd), b.str(""), imm(flags))
}

// needs notes that the current step takes something which this kernel does not
// have: the plan is refused.
func (c *compiler) needs(what, version string) {
	step := &c.p.Steps[len(c.p.Steps)-1]
	place := step.Title
	if step.Field != "" {
		place = step.Field + ": " + place
	}
	c.missing = append(c.missing, fmt.Errorf("%s takes %s, Linux %s", place, what, version))
}

// newFilesystem is a detached mount of a new superblock (fsopen(2)).
type newFilesystem struct {
	kind   string
	source string   // "" = none
	flags  []string // of the superblock: ro, sync, …
	data   []string // options of the filesystem, as in mounts[].options
	attrs  uint64   // MOUNT_ATTR_* of the mount
	// otherwise, when not zero, is where to go on when the kernel refuses
	// with EPERM or EBUSY, as it does for some filesystems in some namespaces.
	otherwise label
}

// noLabel in newFilesystem.otherwise: a refusal is an error.
const noLabel = fail

// mount lays down the calls that make f, and leaves it in the word m. Each
// names the fs context, so that a failure comes with the kernel's own words.
func (b *builder) mount(f newFilesystem, m Ref) {
	fs := b.word("fs")
	open := b.call(unix.SYS_FSOPEN, b.str(f.kind), imm(unix.FSOPEN_CLOEXEC)).to(fs)
	if f.source != "" {
		b.configure(fs, "source", f.source, true)
	}
	for _, flag := range f.flags {
		b.configure(fs, flag, "", false)
	}
	for _, option := range f.data {
		key, value, hasValue := spec.CutData(option)
		b.configure(fs, key, value, hasValue)
	}
	create := b.call(unix.SYS_FSCONFIG, load(fs), imm(unix.FSCONFIG_CMD_CREATE), null, null, imm(0)).log(fs)
	mount := b.call(unix.SYS_FSMOUNT, load(fs), imm(unix.FSMOUNT_CLOEXEC), imm(f.attrs)).to(m).log(fs)
	if f.otherwise != noLabel {
		open.on(unix.EPERM, f.otherwise)
		create.on(unix.EPERM, f.otherwise).on(unix.EBUSY, f.otherwise)
		mount.on(unix.EPERM, f.otherwise).on(unix.EBUSY, f.otherwise)
	}
	b.close(fs)
}

// configure sets one option of a filesystem: a string, or a flag.
func (b *builder) configure(fs Ref, key, value string, hasValue bool) {
	if hasValue {
		b.call(unix.SYS_FSCONFIG, load(fs), imm(unix.FSCONFIG_SET_STRING), b.str(key), b.str(value), imm(0)).log(fs)
		return
	}
	b.call(unix.SYS_FSCONFIG, load(fs), imm(unix.FSCONFIG_SET_FLAG), b.str(key), null, imm(0)).log(fs)
}
