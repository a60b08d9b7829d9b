package plan

import (
	"strings"
	"testing"

	specs "github.com/opencontainers/runtime-spec/specs-go"
)

func TestExternalMountsAreThoseWithASourceOutside(t *testing.T) {
	r := request(t, "default")
	r.Facts = unifiedFacts()
	r.Config.Mounts = []specs.Mount{
		{Destination: "/proc", Type: "proc"},
		{Destination: "/data/", Type: "bind", Source: "/hidden", Options: []string{"bind"}},
		{Destination: "/data", Type: "none", Source: "data", Options: []string{"rbind"}},
		{Destination: "/sys/fs/cgroup", Type: "cgroup", Source: "cgroup"},
	}
	namespaces := r.Config.Linux.Namespaces
	for _, c := range []struct {
		what       string
		namespaces []specs.LinuxNamespace
		want       string
	}{
		{"cgroup namespace", append(namespaces, specs.LinuxNamespace{Type: specs.CgroupNamespace}),
			"/data=/bundles/box/data /run/notify=/run/rt/box/notify"},
		{"no cgroup namespace", []specs.LinuxNamespace{{Type: specs.MountNamespace}},
			"/data=/bundles/box/data /sys/fs/cgroup=/sys/fs/cgroup /run/notify=/run/rt/box/notify"},
	} {
		r.Config.Linux.Namespaces = c.namespaces
		mounts, err := ExternalMounts(r)
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, m := range mounts {
			got = append(got, m.Name+"="+m.Source)
		}
		if strings.Join(got, " ") != c.want {
			t.Errorf("%s: got %q, want %q", c.what, got, c.want)
		}
	}
}

func TestExternalMountsMustNotNameAnotherSource(t *testing.T) {
	r := request(t, "default")
	for destination, refused := range map[string]bool{
		"/a]:/etc": true, "/]:": true, "/a]": false, "/a:b": false, "/[a]": false,
	} {
		r.Config.Mounts = []specs.Mount{{Destination: destination, Type: "bind", Source: "/data", Options: []string{"bind"}}}
		if _, err := ExternalMounts(r); (err != nil) != refused {
			t.Errorf("%s: %v", destination, err)
		}
	}
}
