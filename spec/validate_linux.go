package spec

import (
	"path/filepath"
	"strings"

	"github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"
)

// propagation checks config-linux.md, "Rootfs Mount Propagation".
func (v *validator) propagation() {
	const field = "linux.rootfsPropagation"
	name := v.linux.RootfsPropagation
	if name == "" {
		return
	}
	flags, known := RootfsPropagation(name)
	switch {
	case !known:
		v.report(field, "must be one of %s, got %q", quoted(namesOf(rootfsPropagations), "or"), name)
	case !v.has(specs.MountNamespace):
		v.report(field, "needs a mount namespace in linux.namespaces: without one it would change the host's mounts")
	case flags&unix.MS_PRIVATE != 0 && v.host.NoPivot:
		v.report(field, "%q is not safe without pivot_root: drop --no-pivot, or use \"slave\"", name)
	}
}

// hiddenPaths checks config-linux.md, "Masked Paths" and "Readonly Paths".
func (v *validator) hiddenPaths() {
	v.pathList("linux.maskedPaths", v.linux.MaskedPaths)
	v.pathList("linux.readonlyPaths", v.linux.ReadonlyPaths)
}

func (v *validator) pathList(field string, paths []string) {
	if len(paths) > 0 && !v.has(specs.MountNamespace) {
		v.report(field, "unable to restrict sys entries without a private MNT namespace")
	}
	for i, path := range paths {
		if !filepath.IsAbs(path) {
			v.report(item(field, i), "must be absolute, got %q", path)
		}
	}
}

func (v *validator) mountLabel() {
	if v.linux.MountLabel != "" && v.host.Creating && !v.host.SELinux {
		v.report("linux.mountLabel", "label %q is set, but SELinux is not enabled on this host", v.linux.MountLabel)
	}
}

// personality checks config-linux.md, "Personality".
func (v *validator) personality() {
	personality := v.linux.Personality
	if personality == nil {
		return
	}
	if _, known := PersonalityDomain(personality.Domain); !known {
		v.report("linux.personality.domain", "must be %q or %q, got %q", specs.PerLinux, specs.PerLinux32, personality.Domain)
	}
}

// personalityFlags warns of flags: the specification defines the array, but none.
func (v *validator) personalityFlags() {
	if v.linux.Personality != nil && len(v.linux.Personality.Flags) > 0 {
		v.report("linux.personality.flags", "ignoring personality flags: none is supported")
	}
}

// SysctlPath returns the path below /proc/sys of a key. As with sysctl(8), the
// separator that comes first decides: "net.ipv4.conf.eth0/1.rp_filter" and
// "net/ipv4/conf/eth0.1/rp_filter" are the same.
func SysctlPath(key string) string {
	first := strings.IndexAny(key, "./")
	if first < 0 || key[first] == '/' {
		return key
	}
	return strings.Map(func(r rune) rune {
		switch r {
		case '.':
			return '/'
		case '/':
			return '.'
		default:
			return r
		}
	}, key)
}

// sysctl checks config-linux.md, "Sysctl": only what belongs to a namespace of
// the container may be set, everything else would change the host.
func (v *validator) sysctl() {
	const field = "linux.sysctl"
	keys := make(map[string]string, len(v.linux.Sysctl))
	for _, key := range sortedKeys(v.linux.Sysctl) {
		path := SysctlPath(key)
		if filepath.Clean("/"+path) != "/"+path || path == "" {
			v.report(element(field, key), "invalid sysctl key %q: must be names separated by \".\" or \"/\"", key)
			continue
		}
		if other, found := keys[path]; found {
			v.report(element(field, key), "is the same key as %q", other)
		}
		keys[path] = key
		v.sysctlNamespace(element(field, key), key, path)
	}
}

func (v *validator) sysctlNamespace(field, key, path string) {
	switch {
	case isIPCSysctl(path):
		if !v.has(specs.IPCNamespace) {
			v.report(field, "sysctl %q is not allowed in the hosts ipc namespace: add an ipc namespace to linux.namespaces", key)
		}
	case strings.HasPrefix(path, "net/"):
		if !v.hasOwnNetwork() {
			v.report(field, "sysctl %q not allowed in host network namespace: add a network namespace to linux.namespaces", key)
		}
	case path == "kernel/domainname":
		if !v.has(specs.UTSNamespace) {
			v.report(field, "sysctl %q is not allowed in the hosts uts namespace: add a uts namespace to linux.namespaces", key)
		}
	case path == "kernel/hostname":
		v.report(field, "sysctl %q is not allowed as it conflicts with the OCI \"hostname\" field: use that", key)
	case strings.HasPrefix(path, "user/"):
		if !v.has(specs.UserNamespace) {
			v.report(field, "sysctl %q is not allowed in the hosts user namespace: add a user namespace to linux.namespaces", key)
		}
	default:
		v.report(field, "sysctl %q is not in a separate kernel namespace: it would change the host", key)
	}
}

func isIPCSysctl(path string) bool {
	switch path {
	case "kernel/msgmax", "kernel/msgmnb", "kernel/msgmni", "kernel/sem", "kernel/shmall",
		"kernel/shmmax", "kernel/shmmni", "kernel/shm_rmid_forced":
		return true
	default:
		return strings.HasPrefix(path, "fs/mqueue/")
	}
}

// hasOwnNetwork reports whether the container's network namespace is another
// than the runtime's: a path may lead back to it.
func (v *validator) hasOwnNetwork() bool {
	namespace := v.namespace(specs.NetworkNamespace)
	if namespace == nil {
		return false
	}
	return namespace.Path == "" || !v.host.Creating || !isOwnNamespace(namespace.Path, specs.NetworkNamespace)
}

// intelRDT checks config-linux.md, "IntelRdt".
func (v *validator) intelRDT() {
	rdt := v.linux.IntelRdt
	if rdt == nil {
		return
	}
	const field = "linux.intelRdt"
	if v.host.Creating && !v.host.IntelRDT {
		v.report(field, "intelRdt is specified in config, but no resctrl filesystem is mounted on /sys/fs/resctrl")
	}
	if id := rdt.ClosID; id != "/" && (id == "." || id == ".." || strings.Contains(id, "/")) {
		v.report(field+".closID", "must be the name of one directory of resctrl, or \"/\" for its root, got %q", id)
	}
	v.schema(field+".l3CacheSchema", rdt.L3CacheSchema)
	v.schema(field+".memBwSchema", rdt.MemBwSchema)
	if rdt.MemBwSchema != "" && !strings.HasPrefix(rdt.MemBwSchema, "MB:") {
		v.report(field+".memBwSchema", "must begin with \"MB:\", got %q", rdt.MemBwSchema)
	}
	for i, line := range rdt.Schemata {
		v.schema(item(field+".schemata", i), line)
	}
}

func (v *validator) schema(field, line string) {
	if strings.Contains(line, "\n") {
		v.report(field, "must be a single line, got %q", line)
	}
}
