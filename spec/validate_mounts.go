package spec

import (
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"
)

// mounts checks config.md, "Mounts". Sources are not looked at: a bind source
// may come into being with an earlier entry, or be opened by someone else.
func (v *validator) mounts() {
	if len(v.config.Mounts) > 0 && !v.has(specs.MountNamespace) {
		v.report("mounts", "need a mount namespace in linux.namespaces: without one they would be made on the host")
	}
	for i, mount := range v.config.Mounts {
		field := item("mounts", i)
		options := ParseMountOptions(mount.Options)
		v.mountDestination(field+".destination", mount.Destination)
		v.mountType(field, mount, options)
		v.mountBelowProc(field, mount, options)
		v.mountData(field, options)
		v.mountMappings(field, mount, options)
	}
}

// MountDestination returns where inside the container a mount goes: an absolute,
// clean path. A destination that begins with the path of the root filesystem on
// the host means the same place inside.
func (c *Config) MountDestination(mount specs.Mount) string {
	destination := mount.Destination
	if !strings.HasPrefix(destination, "/") {
		destination = "/" + destination
	}
	destination = filepath.Clean(destination)
	root := c.RootPath()
	if root == "" || root == "/" {
		return destination
	}
	inside, found := strings.CutPrefix(destination, root)
	switch {
	case !found:
		return destination
	case inside == "":
		return "/"
	case inside[0] == '/':
		return inside
	default:
		return destination
	}
}

func (v *validator) mountDestination(field, destination string) {
	switch {
	case destination == "":
		v.report(field, "is required: the path inside the container to mount on")
	case !filepath.IsAbs(destination):
		v.report(field, "must be absolute, got %q", destination)
	case v.config.MountDestination(specs.Mount{Destination: destination}) == "/":
		v.report(field, "%q is on the top of rootfs: the root filesystem is given by root.path", destination)
	}
}

func (v *validator) mountType(field string, mount specs.Mount, options MountOptions) {
	switch {
	case options.Bind:
		if mount.Source == "" && !options.Remount {
			v.report(field+".source", "is required for a bind mount")
		}
	case mount.Type == "bind":
		v.report(field+".type", "a bind mount needs the option \"bind\" or \"rbind\"; the type alone does not make it one")
	case mount.Type == "" && !options.Remount:
		v.report(field+".type", "is required unless options has \"bind\" or \"rbind\"")
	}
	if options.CopyUp && (options.Bind || mount.Type != "tmpfs") {
		v.report(field+".options", "tmpcopyup is only for mounts of type \"tmpfs\"")
	}
}

// procFiles are the files of /proc that may be covered, as LXCFS and container
// engines do it. Covering anything else would let a container's configuration
// redirect what the runtime itself, or a security module, reads and writes there
// (CVE-2019-16884, CVE-2025-52881).
var procFiles = []string{
	"cpuinfo",
	"diskstats",
	"loadavg",
	"meminfo",
	"slabinfo",
	"stat",
	"swaps",
	"sys/crypto/fips_enabled",
	"sys/kernel/ns_last_pid",
	"uptime",
}

// mountBelowProc keeps /proc the kernel's: a proc file system may be mounted on
// it, and a few files below may be covered by bind mounts.
func (v *validator) mountBelowProc(field string, mount specs.Mount, options MountOptions) {
	destination := v.config.MountDestination(mount)
	file, below := strings.CutPrefix(destination, "/proc/")
	switch {
	case destination == "/proc":
		if !v.isProc(mount, options) {
			v.report(field, "%q cannot be mounted because it is not of type proc: only a proc filesystem, or a bind mount of one, may be on /proc", mount.Destination)
		}
	case below && !(options.Bind && slices.Contains(procFiles, file)):
		v.report(field+".destination", "%q cannot be mounted because it is inside /proc: only bind mounts on %s are allowed there",
			mount.Destination, strings.Join(procFiles, ", "))
	}
}

// isProc reports whether a mount shows a proc filesystem. A bind source inside
// the root filesystem is believed: an earlier mount may put it there.
func (v *validator) isProc(mount specs.Mount, options MountOptions) bool {
	if !options.Bind {
		return mount.Type == "proc"
	}
	if !v.host.Creating || isBelow(v.config.BindSource(mount), v.config.RootPath()) {
		return true
	}
	var filesystem unix.Statfs_t
	err := unix.Statfs(v.config.BindSource(mount), &filesystem)
	return err == nil && filesystem.Type == unix.PROC_SUPER_MAGIC
}

// BindSource returns the absolute, clean path on the host of a bind mount's source.
func (c *Config) BindSource(mount specs.Mount) string {
	if filepath.IsAbs(mount.Source) {
		return filepath.Clean(mount.Source)
	}
	return filepath.Join(c.Bundle, mount.Source)
}

func isBelow(path, directory string) bool {
	return directory != "/" && strings.HasPrefix(path, directory+"/")
}

func (v *validator) mountData(field string, options MountOptions) {
	if options.Bind && len(options.Data) > 0 {
		v.report(field+".options", "bind mounts cannot have any filesystem-specific options applied: remove %s", quoted(options.Data, "and"))
		return
	}
	if !v.rootless() {
		return
	}
	for _, option := range options.Data {
		switch key, value, _ := CutData(option); key {
		case "uid":
			v.mountOwner(field, key, value, v.linux.UIDMappings)
		case "gid":
			v.mountOwner(field, key, value, v.linux.GIDMappings)
		}
	}
}

// mountOwner checks an owner given as a mount option: the kernel refuses ids
// that the user namespace of the mount does not have.
func (v *validator) mountOwner(field, key, value string, mappings []specs.LinuxIDMapping) {
	id, err := strconv.ParseUint(value, 10, 32)
	if err == nil && len(mappings) > 0 && !isMapped(mappings, uint32(id)) {
		v.report(field+".options", "cannot specify %s=%d mount option for unmapped %s in rootless container", key, id, key)
	}
}

// mountMappings checks id-mapped mounts (config.md, "POSIX-platform Mounts").
func (v *validator) mountMappings(field string, mount specs.Mount, options MountOptions) {
	uids, gids := len(mount.UIDMappings) > 0, len(mount.GIDMappings) > 0
	switch {
	case !uids && !gids && !options.IDMap:
		return
	case uids && !gids:
		v.report(field+".gidMappings", "must be given together with uidMappings")
	case gids && !uids:
		v.report(field+".uidMappings", "must be given together with gidMappings")
	case options.IDMap && !uids && !v.has(specs.UserNamespace):
		v.report(field+".options", "idmap needs uidMappings and gidMappings here, or a user namespace in linux.namespaces")
	}
	if !options.Bind {
		v.report(field, "id-mapped mounts must be bind mounts: add the option \"bind\" or \"rbind\"")
	}
	if v.rootless() {
		v.report(field, "id-mapped mounts are not supported for rootless containers")
	}
	v.mappingList(field+".uidMappings", mount.UIDMappings, "uid_map")
	v.mappingList(field+".gidMappings", mount.GIDMappings, "gid_map")
}
