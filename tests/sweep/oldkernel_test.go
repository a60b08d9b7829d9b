package sweep

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	specs "github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"

	"rt/libns"
	"rt/libns/kernel"
	"rt/libns/plan"
	"rt/spec"
)

// kernels are what older ones lack, for plans that are carried out here as they
// would be there.
var kernels = map[string]func(*kernel.Facts){
	"5.10": func(f *kernel.Facts) { f.MountSetattr, f.NoSymfollow = false, false },
	"5.13": func(f *kernel.Facts) { f.NoSymfollow = false },
}

func TestMountsAreTheSameWithTheCallsOfOlderKernels(t *testing.T) {
	for name, change := range variants {
		t.Run(name, func(t *testing.T) {
			want := mountsInside(t, change, nil)
			for version, facts := range kernels {
				got := mountsInside(t, change, facts)
				if !slices.Equal(got, want) {
					t.Errorf("Linux %s:\n%s\nhere:\n%s", version, strings.Join(got, "\n"), strings.Join(want, "\n"))
				}
			}
		})
	}
}

// variants are configs that change flags and propagation in all ways.
var variants = map[string]func(t *testing.T, c *spec.Config){
	"default": func(*testing.T, *spec.Config) {},
	"binds": func(t *testing.T, c *spec.Config) {
		c.Root.Readonly = false
		source := t.TempDir()
		flagged := filepath.Join(source, "flagged")
		mountFlagged(t, flagged)
		bind := func(destination, source string, options ...string) {
			c.Mounts = append(c.Mounts, specs.Mount{Destination: destination, Source: source, Options: options})
		}
		bind("/plain", flagged, "bind")
		bind("/private", flagged, "rbind", "rprivate")
		bind("/ro", flagged, "rbind", "ro", "nosymfollow", "private")
		bind("/clear", flagged, "bind", "suid", "shared")
		bind("/atime", flagged, "bind", "noatime", "nodiratime", "unbindable")
		bind("/strict", flagged, "bind", "strictatime")
		bind("/relatime", flagged, "bind", "relatime", "slave")
		bind("/file", "/proc/version", "bind", "ro", "nodev", "rslave")
		bind("/ro", "", "remount", "noexec")
	},
	"filesystems": func(_ *testing.T, c *spec.Config) {
		mount := func(destination, kind string, options ...string) {
			c.Mounts = append(c.Mounts, specs.Mount{Destination: destination, Type: kind, Source: kind, Options: options})
		}
		mount("/a", "tmpfs", "ro", "nosuid", "nosymfollow", "rshared")
		mount("/b", "tmpfs", "noexec", "noatime", "private")
		mount("/b", "tmpfs", "remount", "ro")
		mount("/sys/fs/cgroup", "cgroup", "ro", "nosuid", "nodev", "noexec", "relatime", "nosymfollow")
	},
	"cgroups without a namespace": func(_ *testing.T, c *spec.Config) {
		c.Mounts = append(c.Mounts, specs.Mount{
			Destination: "/sys/fs/cgroup", Type: "cgroup", Source: "cgroup", Options: []string{"ro", "nosuid", "rprivate"},
		})
		c.Linux.Namespaces = slices.DeleteFunc(c.Linux.Namespaces, func(n specs.LinuxNamespace) bool { return n.Type == specs.CgroupNamespace })
	},
	"recursive propagation": func(_ *testing.T, c *spec.Config) {
		c.Linux.RootfsPropagation = "rshared"
		c.Mounts = append(c.Mounts,
			specs.Mount{Destination: "/own", Type: "tmpfs", Source: "tmpfs", Options: []string{"private"}},
			specs.Mount{Destination: "/file", Source: "/proc/version", Options: []string{"bind", "private"}})
	},
}

// mountFlagged mounts a tmpfs with flags of its own until the test is over.
func mountFlagged(t *testing.T, directory string) {
	t.Helper()
	if err := os.Mkdir(directory, 0o755); err != nil {
		t.Fatal(err)
	}
	const flags = unix.MS_NOSUID | unix.MS_NODEV | unix.MS_NOATIME
	if err := unix.Mount("tmpfs", directory, "tmpfs", flags, ""); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := unix.Unmount(directory, unix.MNT_DETACH); err != nil {
			t.Error(err)
		}
	})
}

// mountsInside runs a container and gives its mounts: place, flags, propagation
// and type of each.
func mountsInside(t *testing.T, change func(*testing.T, *spec.Config), facts func(*kernel.Facts)) []string {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("making a container takes root")
	}
	bundle := makeBundle(t)
	request := newRequest(t, bundle)
	request.Config.Process.Args = []string{"/bin/busybox", "cp", "/proc/self/mountinfo", "/output"}
	output := filepath.Join(bundle, "output")
	if err := os.WriteFile(output, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	request.Config.Mounts = slices.DeleteFunc(request.Config.Mounts, func(m specs.Mount) bool { return slices.Contains(m.Options, "rnosuid") })
	request.Config.Mounts = append(request.Config.Mounts, specs.Mount{Destination: "/output", Source: output, Options: []string{"bind"}})
	change(t, request.Config)
	if facts != nil {
		facts(&request.Facts)
	}
	var err error
	if request.Cgroup, err = plan.CgroupFor(request.Config.Linux.CgroupsPath, request.ID, request.Facts); err != nil {
		t.Fatal(err)
	}
	container, err := libns.Create(request)
	if err != nil {
		t.Fatal(err)
	}
	end(t, container)
	mountinfo, err := os.ReadFile(output)
	if err != nil {
		t.Fatal(err)
	}
	return summary(string(mountinfo))
}

// summary takes from each line of mountinfo what does not differ between two
// runs of the same (proc_pid_mountinfo(5)).
func summary(mountinfo string) []string {
	var lines []string
	for line := range strings.Lines(mountinfo) {
		before, after, _ := strings.Cut(line, " - ")
		fields := strings.Fields(before)
		kind, _, _ := strings.Cut(after, " ")
		text := []string{fields[4], fields[5], kind}
		for _, peers := range fields[6:] {
			name, _, _ := strings.Cut(peers, ":")
			text = append(text, name)
		}
		lines = append(lines, strings.Join(text, " "))
	}
	return lines
}
