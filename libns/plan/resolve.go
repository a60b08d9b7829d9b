package plan

import (
	"path"
	"strings"

	"golang.org/x/sys/unix"
)

// Everything below the root is reached from the root's descriptor, never by a
// string that starts at the host's root: the image may hold any symbolic link,
// and another container may exchange a directory for one at any moment.
const (
	inRoot     = unix.RESOLVE_IN_ROOT | unix.RESOLVE_NO_MAGICLINKS
	noSymlinks = inRoot | unix.RESOLVE_NO_SYMLINKS
)

// relative is a container path as it is looked up from the root's descriptor.
func relative(p string) string {
	if !strings.HasPrefix(p, "/") {
		p = "/" + p
	}
	return strings.TrimPrefix(path.Clean(p), "/")
}

// open looks a path up below dir. openat2(2) gives EAGAIN when something was
// renamed meanwhile and it cannot be sure: then again. The parent's deadline
// ends an attack that never lets go.
func (b *builder) open(dir Ref, p string, flags, resolve uint64) callBuilder {
	if p == "" {
		p = "."
	}
	how, ok := b.hows[[2]uint64{flags, resolve}]
	if !ok {
		how = b.constant(openHow(flags|unix.O_CLOEXEC, 0, resolve))
		b.hows[[2]uint64{flags, resolve}] = how
	}
	return b.call(unix.SYS_OPENAT2, load(dir), b.str(p), how, imm(sizeofOpenHow)).retry(unix.EAGAIN)
}

func (b *builder) close(fd Ref) callBuilder { return b.call(unix.SYS_CLOSE, load(fd)) }

// jump goes on elsewhere.
func (b *builder) goTo(l label) { b.call(OpSet, imm(0)).then(l) }

// mountPoint opens the place that something is about to be mounted on, made if
// it is missing, and leaves its descriptor in the word "t". whenThere, if not
// nil, lays down calls for a mount point that existed already.
type mountPoint struct {
	path      string
	strict    bool   // no symbolic link may lead there
	meaning   string // what a failed look-up means, or ""
	source    Ref    // word with a bind mount's source, which says whether a directory or a file is made; zero = a directory
	whenThere func(target Ref)
}

// openMountPoint lays down the look-up. The common case is one call. A missing
// last component of a directory costs two more; anything harder (several missing
// components, a dangling symbolic link, a file) is left to the parent, which
// works on the root's descriptor.
func (c *compiler) openMountPoint(m mountPoint) Ref {
	target := c.word("t")
	missing, retry, found, done := c.label(), c.label(), c.label(), c.label()
	flags, resolve := uint64(unix.O_PATH), uint64(inRoot)
	if m.source.IsZero() {
		flags |= unix.O_DIRECTORY
	}
	if m.strict {
		resolve = noSymlinks
	}
	c.open(c.root, m.path, flags, resolve).to(target).on(unix.ENOENT, missing).then(found).means(m.meaning)
	c.bind(missing)
	if m.source.IsZero() {
		c.makeDirectory(m.path, retry)
		c.assist(MakeMountPoint{Path: m.path, Owner: c.mappedRoot()}, c.root)
	} else {
		c.assist(MakeMountPoint{Path: m.path, LikeSource: true, Owner: c.mappedRoot()}, c.root, m.source)
	}
	c.bind(retry)
	again := c.open(c.root, m.path, flags, resolve).to(target).means(m.meaning)
	if m.whenThere == nil {
		c.bind(found)
		return target
	}
	again.then(done)
	c.bind(found)
	m.whenThere(target)
	c.bind(done)
	return target
}

// makeDirectory makes the last component of p and goes on at made; whatever
// stands in the way, it goes on with the next call.
func (c *compiler) makeDirectory(p string, made label) {
	directory, base := path.Split(p)
	parent, otherwise := c.word("p"), c.label()
	c.open(c.root, relative(directory), unix.O_PATH|unix.O_DIRECTORY, inRoot).to(parent).on(AnyErrno, otherwise)
	c.call(unix.SYS_MKDIRAT, load(parent), c.str(base), imm(0o755)).on(AnyErrno, otherwise)
	c.close(parent).then(made)
	c.bind(otherwise)
}
