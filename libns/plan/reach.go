package plan

import (
	specs "github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"
)

// The root of a user namespace is an ordinary user to the host's files: it may
// be unable to reach the root filesystem, or what is to be mounted. For these
// the config is an order of the caller, so that the parent opens them, with the
// caller's rights.

// OpenPath opens a path of the host, as it is seen in the container's mount
// namespace, and answers with a descriptor (O_PATH).
type OpenPath struct{ Path string }

// Title names the action.
func (a OpenPath) Title() string { return "open " + a.Path + " with the caller's rights" }

// Holds is true: the init stage waits for the descriptor.
func (OpenPath) Holds() bool { return true }

// openHost opens a path of the host (O_PATH) and leaves its descriptor in fd.
func (c *compiler) openHost(path string, flags int, fd Ref) {
	c.reach(c.call(unix.SYS_OPENAT, cwdFD, c.str(path), imm(unix.O_PATH|unix.O_CLOEXEC|flags), imm(0)).to(fd), path, fd)
}

// cloneHost makes a detached bind mount of a path of the host, and leaves it in
// the word mount.
func (c *compiler) cloneHost(path string, recursive bool, mount Ref) callBuilder {
	flags := unix.OPEN_TREE_CLONE | unix.OPEN_TREE_CLOEXEC
	if recursive {
		flags |= unix.AT_RECURSIVE
	}
	call := c.call(unix.SYS_OPEN_TREE, cwdFD, c.str(path), imm(flags)).to(mount)
	at := c.word("source")
	c.reach(call, path, at, func() {
		c.clone(at, recursive).to(mount)
		c.close(at)
	})
	return call
}

// reach lays down what happens when a call may not reach a path: the parent's
// descriptor of it goes into fd, and then comes what use makes of it.
func (c *compiler) reach(call callBuilder, path string, fd Ref, use ...func()) {
	if !c.mapped {
		return
	}
	denied, done := c.label(), c.label()
	call.then(done).on(unix.EACCES, denied)
	c.bind(denied)
	c.fetch(OpenPath{path}, fd)
	for _, f := range use {
		f()
	}
	c.bind(done)
}

// fetch lays down a request to the parent for a descriptor, which is left in fd.
func (b *builder) fetch(a Action, fd Ref) {
	b.p.Assists = append(b.p.Assists, Assist{Action: a, Step: len(b.p.Steps) - 1})
	b.announce(MessageAssist, len(b.p.Assists)-1, nil)
	header, received, n := b.envelope(), b.buffer("received", unix.CmsgSpace(4)), b.word("n")
	// The kernel puts the length there that came last time.
	b.call(OpSet, imm(unix.CmsgSpace(4))).to(header.At(40))
	b.call(unix.SYS_RECVMSG, load(b.control), addr(header), imm(unix.MSG_CMSG_CLOEXEC)).to(n)
	b.call(OpIsNot, load(n), imm(^uint64(0)), imm(0), imm(unix.EPIPE)).means("the runtime went away")
	b.call(OpSet, load(received.At(unix.CmsgLen(0)))).to(fd)
}

// envelope is a struct msghdr for an answer that brings a descriptor.
func (b *builder) envelope() Ref {
	if r, ok := b.words["envelope"]; ok {
		return r
	}
	iov := b.object(Object{Kind: Struct, Bytes: append(make([]byte, 8), le64(AnswerSize)...),
		Pointers: []Pointer{{0, b.buffer("answer", AnswerSize)}}})
	header := make([]byte, unix.SizeofMsghdr)
	copy(header[24:], le64(1))
	b.words["envelope"] = b.object(Object{Kind: Struct, Name: "envelope", Bytes: header, Writable: true,
		Pointers: []Pointer{{16, iov}, {32, b.buffer("received", unix.CmsgSpace(4))}}})
	return b.words["envelope"]
}

// substitute is the directory of the host that shows what a filesystem would
// show, for a user namespace that may not mount it: that takes owning the
// namespace which it shows. "" means that there is none.
func (c *compiler) substitute(kind string) string {
	if !c.inUserNamespace() || !c.Facts.MountSetattr {
		return ""
	}
	switch kind {
	case "proc":
		if _, ok := c.namespace(specs.PIDNamespace); !ok {
			return "/proc"
		}
	case "mqueue":
		if _, ok := c.namespace(specs.IPCNamespace); !ok {
			return "/dev/mqueue"
		}
	case "sysfs":
		return "/sys"
	}
	return ""
}

// mountOrBind leaves a new filesystem in the word mount or, where the kernel
// refuses, a bind of the host's directory, with all that is mounted below it.
// Of these the cgroup hierarchies might be the caller's own: a sysfs is never
// writable then (CVE-2023-25809). Flags of the host's mounts stay.
func (c *compiler) mountOrBind(f newFilesystem, directory string, mount Ref) {
	refused, done := c.label(), c.label()
	f.otherwise = refused
	c.mount(f, mount)
	c.goTo(done)
	c.bind(refused)
	c.cloneHost(directory, true, mount)
	const safe = unix.MOUNT_ATTR_NOSUID | unix.MOUNT_ATTR_NODEV | unix.MOUNT_ATTR_NOEXEC
	set := f.attrs & (unix.MOUNT_ATTR_RDONLY | safe)
	if f.kind == "sysfs" {
		set |= unix.MOUNT_ATTR_RDONLY | safe
	}
	if set != 0 {
		c.setTreeAttributes(mount, attributes{set: set})
	}
	c.bind(done)
}
