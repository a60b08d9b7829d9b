package spec

import (
	"os"
	"path/filepath"
	"testing"

	"golang.org/x/sys/unix"
)

func TestRoot(t *testing.T) {
	checkRules(t, []rule{
		{"missing", `{"root": null}`, Host{}, []string{"root: root must be specified"}},
		{"no path", `{"root": {"path": ""}}`, Host{}, []string{
			`root.path: is required: the directory of the root filesystem, such as "rootfs"`}},
		{"the bundle itself", `{"root": {"path": "."}}`, Host{}, nil},
		{"the host's root", `{"root": {"path": "/"}}`, Host{}, nil},
		{"missing directory", `{"root": {"path": "nothing"}}`, Host{}, []string{
			"root.path: invalid rootfs: lstat BUNDLE/nothing: no such file or directory"}},
		{"not a directory", `{"root": {"path": "/dev/null"}}`, Host{}, []string{
			"root.path: invalid rootfs: must be a directory, /dev/null is a device"}},
		{"read-only", `{"root": {"readonly": true}}`, Host{}, nil},
		{"read-only without mount namespace", `{"root": {"readonly": true}, "linux": null}`, Host{}, []string{
			"root.readonly: needs a mount namespace in linux.namespaces: without one it would make the host's mount read-only"}},
	})
}

func TestRootMustNotBeASymlink(t *testing.T) {
	c := configWith(t, `{"root": {"path": "link/"}}`)
	if err := os.Symlink("rootfs", filepath.Join(c.Bundle, "link")); err != nil {
		t.Fatal(err)
	}
	compareProblems(t, c, Validate(c, Host{Creating: true}), []string{
		"root.path: invalid rootfs: not an absolute path, or a symlink: BUNDLE/link is a symbolic link, name the directory it leads to"})
}

// A bundle may be named through a link, as /var/run often is.
func TestBundleMayBeASymlink(t *testing.T) {
	for _, root := range []string{".", "rootfs"} {
		c := configWith(t, `{"root": {"path": "`+root+`"}}`)
		link := filepath.Join(t.TempDir(), "link")
		if err := os.Symlink(c.Bundle, link); err != nil {
			t.Fatal(err)
		}
		c.Bundle = link
		compareProblems(t, c, Validate(c, Host{Creating: true}), nil)
	}
}

func TestRootKinds(t *testing.T) {
	for _, test := range []struct {
		kind   string
		create func(path string) error
	}{
		{"a regular file", func(path string) error { return os.WriteFile(path, nil, 0o600) }},
		{"a named pipe", func(path string) error { return unix.Mkfifo(path, 0o600) }},
		{"a socket", func(path string) error { return unix.Mknod(path, unix.S_IFSOCK|0o600, 0) }},
	} {
		c := configWith(t, `{"root": {"path": "special"}}`)
		if err := test.create(filepath.Join(c.Bundle, "special")); err != nil {
			t.Fatal(err)
		}
		compareProblems(t, c, Validate(c, Host{Creating: true}), []string{
			"root.path: invalid rootfs: must be a directory, BUNDLE/special is " + test.kind})
	}
}
