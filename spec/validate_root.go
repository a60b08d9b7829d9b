package spec

import (
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/opencontainers/runtime-spec/specs-go"
)

// maxHostname is the kernel's limit for both names (uname(2), __NEW_UTS_LEN).
const maxHostname = 64

// rootFilesystem checks config.md, "Root".
func (v *validator) rootFilesystem() {
	root := v.config.Root
	if root == nil {
		v.report("root", "root must be specified")
		return
	}
	if root.Path == "" {
		v.report("root.path", "is required: the directory of the root filesystem, such as \"rootfs\"")
		return
	}
	if root.Readonly && !v.has(specs.MountNamespace) {
		v.report("root.readonly", "needs a mount namespace in linux.namespaces: without one it would make the host's mount read-only")
	}
	if v.host.Creating {
		v.rootDirectory()
	}
}

// rootDirectory looks at the directory itself. A symbolic link on the way there
// is refused, because whoever can write to the bundle could point it elsewhere
// between this look and the mount. Links in the bundle's own path are the
// administrator's.
func (v *validator) rootDirectory() {
	const field = "root.path"
	path := v.config.RootPath()
	look := os.Lstat
	if path == v.config.Bundle || path == filepath.Dir(path) {
		// "." and "/" name no component that could be a link of the bundle's.
		look = os.Stat
	}
	info, err := look(path)
	switch {
	case err != nil:
		v.report(field, "invalid rootfs: %v", err)
	case v.leadsThroughLink(path):
		v.report(field, "invalid rootfs: not an absolute path, or a symlink: there is a symbolic link in %s, name the directory it leads to", path)
	case info.Mode().Type() == fs.ModeSymlink:
		v.report(field, "invalid rootfs: not an absolute path, or a symlink: %s is a symbolic link, name the directory it leads to", path)
	case !info.IsDir():
		v.report(field, "invalid rootfs: must be a directory, %s is %s", path, fileKind(info.Mode()))
	}
}

// leadsThroughLink reports whether a part of root.path, above its last one, is a
// symbolic link.
func (v *validator) leadsThroughLink(path string) bool {
	above := filepath.Dir(path)
	resolved, err := filepath.EvalSymlinks(above)
	if err != nil {
		return false // the look at the directory says what is wrong
	}
	if rest, ok := strings.CutPrefix(path, v.config.Bundle+"/"); ok {
		bundle, err := filepath.EvalSymlinks(v.config.Bundle)
		if err != nil {
			return false
		}
		above = filepath.Join(bundle, filepath.Dir(rest))
	}
	return resolved != above
}

// hostname checks config.md, "Hostname" and "Domainname".
func (v *validator) hostname() {
	v.utsName("hostname", v.config.Hostname)
	v.utsName("domainname", v.config.Domainname)
}

func (v *validator) utsName(field, name string) {
	if name == "" {
		return
	}
	if !v.has(specs.UTSNamespace) {
		v.report(field, "needs a uts namespace in linux.namespaces: without one it would rename the host")
	}
	if len(name) > maxHostname {
		v.report(field, "must be at most %d bytes long, is %d", maxHostname, len(name))
	}
}
