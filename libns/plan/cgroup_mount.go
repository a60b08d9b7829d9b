package plan

import (
	"path/filepath"

	specs "github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"

	"rt/libns/kernel"
)

// cgroupMount shows the container the cgroup hierarchies that the host has. The
// type cgroup stands for all of them; cgroup2 is the filesystem of that name,
// which a hybrid host has beside the others.
func (c *compiler) cgroupMount(m mountEntry) {
	switch {
	case c.Facts.Cgroup == kernel.CgroupUnified, m.Type == "cgroup2" && c.Facts.Cgroup == kernel.CgroupHybrid:
		c.unifiedMount(m)
	case m.Type == "cgroup2":
		c.filesystemMount(m)
	case c.Facts.Cgroup != kernel.CgroupNone:
		c.hierarchyMounts(m)
	}
}

func (c *compiler) hasCgroupNamespace() bool {
	_, ok := c.namespace(specs.CgroupNamespace)
	return ok
}

// unifiedMount mounts cgroup v2. Within a cgroup namespace that is a mount of
// the container's own part. Outside of one, mounting it would reset the flags
// of the host's superblock and wait for an RCU grace period: a bind of what is
// mounted there shows the same.
func (c *compiler) unifiedMount(m mountEntry) {
	c.step(m.field, "mount cgroup v2 on "+m.Destination)
	mount := c.word("m")
	c.cgroup2(mount, m.options.AttrSet)
	c.treeAttributes(m, mount)
	at := c.openMountPoint(mountPoint{path: m.path})
	c.refuseProc(m, at)
	c.attach(mount, at)
	c.setAttached(mount, c.exactly(m.options.AttrSet, 0))
	c.finishMount(m, mount, at)
}

// cgroup2 leaves a detached cgroup v2 mount in the word mount.
func (c *compiler) cgroup2(mount Ref, attrs uint64) {
	if !c.hasCgroupNamespace() {
		c.bindCgroup(mount, c.Facts.Unified, attrs)
		return
	}
	refused, done := c.label(), c.label()
	c.mount(newFilesystem{kind: "cgroup2", source: "cgroup", attrs: c.atFsmount(attrs), otherwise: refused}, mount)
	c.goTo(done)
	c.bind(refused)
	c.bindCgroup(mount, c.unifiedDirectory(), attrs)
	c.bind(done)
}

func (c *compiler) bindCgroup(mount Ref, directory string, attrs uint64) {
	c.cloneHost(directory, false, mount)
	c.setDetached(mount, c.exactly(attrs, 0))
}

// hierarchyMounts lays a tmpfs out like the host's /sys/fs/cgroup: a directory
// for each hierarchy, and links for the controllers that share one.
func (c *compiler) hierarchyMounts(m mountEntry) {
	tree := c.word("cgroups")
	attrs := m.options.AttrSet
	c.step(m.field, "mount a tmpfs for the cgroup hierarchies on "+m.Destination)
	c.mount(newFilesystem{
		kind: "tmpfs", source: "tmpfs", data: c.labelled("tmpfs", []string{"mode=755"}),
		attrs: c.atFsmount(attrs &^ unix.MOUNT_ATTR_RDONLY), otherwise: noLabel,
	}, tree)
	at := c.openMountPoint(mountPoint{path: m.path})
	c.refuseProc(m, at)
	c.attach(tree, at)
	c.completeFsmount(tree, attrs&^unix.MOUNT_ATTR_RDONLY)
	c.close(at)

	for i, h := range c.Facts.Hierarchies {
		name := filepath.Base(h.Mount)
		c.step(m.field, "mount cgroup v1 hierarchy "+name+" below it")
		mount := c.word("m")
		if c.hasCgroupNamespace() {
			c.mount(newFilesystem{kind: "cgroup", source: "cgroup", data: hierarchyOptions(h), attrs: c.atFsmount(attrs), otherwise: noLabel}, mount)
		} else {
			c.bindCgroup(mount, c.hierarchyDirectory(i), attrs)
		}
		c.mountBelow(tree, name, mount, attrs)
		for _, alias := range h.Aliases {
			c.call(unix.SYS_SYMLINKAT, c.str(name), load(tree), c.str(alias))
		}
	}
	if c.Facts.Cgroup == kernel.CgroupHybrid {
		name := filepath.Base(c.Facts.Unified)
		c.step(m.field, "mount cgroup v2 below it as "+name)
		mount := c.word("m")
		if c.hasCgroupNamespace() {
			c.cgroup2(mount, attrs)
		} else {
			c.bindCgroup(mount, c.unifiedDirectory(), attrs)
		}
		c.mountBelow(tree, name, mount, attrs)
	}
	c.step(m.field, "finish "+m.Destination)
	if attrs&unix.MOUNT_ATTR_RDONLY != 0 {
		c.setAttributes(tree, readonly)
	}
	for _, p := range m.options.Propagation {
		c.setPropagation(tree, p.Recursive, p.Flag)
	}
	c.close(tree)
}

// hierarchyDirectory is what a container without a cgroup namespace sees of a v1
// hierarchy: its own cgroup, or everything if it has none.
func (c *compiler) hierarchyDirectory(i int) string {
	if i < len(c.Cgroup.V1) {
		return c.Cgroup.V1[i].Directory
	}
	return c.Facts.Hierarchies[i].Mount
}

// unifiedDirectory is the same for the unified hierarchy.
func (c *compiler) unifiedDirectory() string {
	if c.Cgroup.Unified != "" {
		return c.Cgroup.Unified
	}
	return c.Facts.Unified
}

// mountBelow attaches a mount, which is to have exactly these flags, to a new
// directory of a filesystem that nobody else has touched yet.
func (c *compiler) mountBelow(directory Ref, name string, mount Ref, attrs uint64) {
	at := c.word("t")
	c.call(unix.SYS_MKDIRAT, load(directory), c.str(name), imm(0o755))
	c.open(directory, name, unix.O_PATH|unix.O_DIRECTORY, noSymlinks).to(at)
	c.attach(mount, at)
	c.setAttached(mount, c.exactly(attrs, 0))
	c.close(at)
	c.close(mount)
}

// hierarchyOptions selects a v1 hierarchy by its controllers or its name
// (cgroups(7), "Mounting v1 controllers").
func hierarchyOptions(h kernel.Hierarchy) []string {
	if h.Name != "" {
		return []string{"none", "name=" + h.Name}
	}
	return h.Controllers
}
