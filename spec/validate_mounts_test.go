package spec

import (
	"testing"

	"github.com/opencontainers/runtime-spec/specs-go"
)

func TestMounts(t *testing.T) {
	checkRules(t, []rule{
		{"file systems and binds", `{"mounts": [
			{"destination": "/proc", "type": "proc"},
			{"destination": "/dev", "type": "tmpfs", "options": ["nosuid", "mode=755", "tmpcopyup"]},
			{"destination": "/data", "source": "data", "options": ["rbind", "ro", "rslave", "defaults"]}]}`, Host{}, nil},
		{"without mount namespace", `{"mounts": [{"destination": "/a", "type": "tmpfs"}], "linux": null}`, Host{}, []string{
			"mounts: need a mount namespace in linux.namespaces: without one they would be made on the host"}},

		{"no destination", `{"mounts": [{"type": "tmpfs"}]}`, Host{}, []string{
			"mounts[0].destination: is required: the path inside the container to mount on"}},
		{"relative destination", `{"mounts": [{"destination": "/a", "type": "tmpfs"}, {"destination": "data", "type": "tmpfs"}]}`, Host{}, []string{
			`mounts[1].destination: must be absolute, got "data"`}},
		{"on the root", `{"mounts": [{"destination": "/a/..", "type": "tmpfs"}]}`, Host{}, []string{
			`mounts[0].destination: "/a/.." is on the top of rootfs: the root filesystem is given by root.path`}},

		{"no type", `{"mounts": [{"destination": "/a"}]}`, Host{}, []string{
			`mounts[0].type: is required unless options has "bind" or "rbind"`}},
		{"remount without type", `{"mounts": [{"destination": "/a", "options": ["remount", "ro"]}]}`, Host{}, nil},
		{"bind as type only", `{"mounts": [{"destination": "/a", "type": "bind", "source": "/b", "options": ["ro"]}]}`, Host{}, []string{
			`mounts[0].type: a bind mount needs the option "bind" or "rbind"; the type alone does not make it one`}},
		{"bind without source", `{"mounts": [{"destination": "/a", "options": ["bind"]}]}`, Host{}, []string{
			"mounts[0].source: is required for a bind mount"}},
		{"bind remount without source", `{"mounts": [{"destination": "/a", "options": ["bind", "remount", "ro"]}]}`, Host{}, nil},
		{"bind with data", `{"mounts": [{"destination": "/a", "source": "/b", "options": ["bind", "size=1m", "ro", "acl"]}]}`, Host{}, []string{
			`mounts[0].options: bind mounts cannot have any filesystem-specific options applied: remove "size=1m" and "acl"`}},
		{"copy-up of a tmpfs only", `{"mounts": [{"destination": "/a", "type": "ext4", "options": ["tmpcopyup"]}, {"destination": "/a", "type": "tmpfs", "source": "/b", "options": ["bind", "tmpcopyup"]}]}`, Host{}, []string{
			`mounts[0].options: tmpcopyup is only for mounts of type "tmpfs"`,
			`mounts[1].options: tmpcopyup is only for mounts of type "tmpfs"`}},
	})
}

func TestMountsOnProc(t *testing.T) {
	const files = "cpuinfo, diskstats, loadavg, meminfo, slabinfo, stat, swaps, sys/crypto/fips_enabled, sys/kernel/ns_last_pid, uptime"
	const notProc = "cannot be mounted because it is not of type proc: only a proc filesystem, or a bind mount of one, may be on /proc"
	checkRules(t, []rule{
		{"fresh proc", `{"mounts": [{"destination": "/proc/", "type": "proc"}]}`, Host{}, nil},
		{"the host's proc", `{"mounts": [{"destination": "/proc", "source": "/proc", "options": ["rbind"]}]}`, Host{}, nil},
		{"proc from within the root filesystem", `{"mounts": [{"destination": "/proc", "source": "rootfs/p", "options": ["rbind"]}]}`, Host{}, nil},
		{"every file that may be covered", `{"mounts": [
			{"destination": "/proc/cpuinfo", "source": "/a", "options": ["bind"]},
			{"destination": "/proc/diskstats", "source": "/a", "options": ["bind"]},
			{"destination": "/proc/loadavg", "source": "/a", "options": ["bind"]},
			{"destination": "/proc/meminfo", "source": "/a", "options": ["bind"]},
			{"destination": "/proc/slabinfo", "source": "/a", "options": ["bind"]},
			{"destination": "/proc/stat", "source": "/a", "options": ["bind"]},
			{"destination": "/proc/swaps", "source": "/a", "options": ["bind"]},
			{"destination": "/proc/sys/crypto/fips_enabled", "source": "/a", "options": ["bind"]},
			{"destination": "/proc/sys/kernel/ns_last_pid", "source": "/a", "options": ["bind"]},
			{"destination": "/proc/uptime", "source": "/a", "options": ["bind"]}]}`, Host{}, nil},
		{"a name that begins with proc", `{"mounts": [{"destination": "/process", "type": "tmpfs"}]}`, Host{}, nil},

		{"tmpfs on proc", `{"mounts": [{"destination": "/proc", "type": "tmpfs"}]}`, Host{}, []string{
			`mounts[0]: "/proc" ` + notProc}},
		{"a directory on proc", `{"mounts": [{"destination": "/x/../proc", "source": "/tmp", "options": ["bind"]}]}`, Host{}, []string{
			`mounts[0]: "/x/../proc" ` + notProc}},
		{"a missing directory on proc", `{"mounts": [{"destination": "/proc", "source": "missing", "options": ["bind"]}]}`, Host{}, []string{
			`mounts[0]: "/proc" ` + notProc}},
		{"proc as a word only", `{"mounts": [{"destination": "/proc", "type": "proc", "source": "/tmp", "options": ["bind"]}]}`, Host{}, []string{
			`mounts[0]: "/proc" ` + notProc}},
		{"below proc", `{"mounts": [{"destination": "/proc/net/dev", "source": "/a", "options": ["bind"]}]}`, Host{}, []string{
			`mounts[0].destination: "/proc/net/dev" cannot be mounted because it is inside /proc: only bind mounts on ` + files + ` are allowed there`}},
		{"below proc, spelled otherwise", `{"mounts": [{"destination": "//proc/./self/attr", "type": "tmpfs"}]}`, Host{}, []string{
			`mounts[0].destination: "//proc/./self/attr" cannot be mounted because it is inside /proc: only bind mounts on ` + files + ` are allowed there`}},
		{"another file system on a file that may be covered", `{"mounts": [{"destination": "/proc/meminfo", "type": "tmpfs"}]}`, Host{}, []string{
			`mounts[0].destination: "/proc/meminfo" cannot be mounted because it is inside /proc: only bind mounts on ` + files + ` are allowed there`}},
	})
}

func TestIDMappedMounts(t *testing.T) {
	const map1 = `[{"containerID": 0, "hostID": 5, "size": 1}]`
	const rootless = `"linux": {"namespaces": [{"type": "mount"}, {"type": "user"}], "uidMappings": ` + map1 + `, "gidMappings": ` + map1 + `}`
	checkRules(t, []rule{
		{"own mappings", `{"mounts": [{"destination": "/a", "source": "/b", "options": ["bind", "idmap"], "uidMappings": ` + map1 + `, "gidMappings": ` + map1 + `}]}`, Host{}, nil},
		{"without the option", `{"mounts": [{"destination": "/a", "source": "/b", "options": ["bind"], "uidMappings": ` + map1 + `, "gidMappings": ` + map1 + `}]}`, Host{}, nil},
		{"the user namespace's", `{"mounts": [{"destination": "/a", "source": "/b", "options": ["rbind", "ridmap"]}], ` + rootless + `}`, Host{}, nil},
		{"no mappings at all", `{"mounts": [{"destination": "/a", "source": "/b", "options": ["bind", "idmap"]}]}`, Host{}, []string{
			"mounts[0].options: idmap needs uidMappings and gidMappings here, or a user namespace in linux.namespaces"}},
		{"uids only", `{"mounts": [{"destination": "/a", "source": "/b", "options": ["bind"], "uidMappings": ` + map1 + `}]}`, Host{}, []string{
			"mounts[0].gidMappings: must be given together with uidMappings"}},
		{"gids only", `{"mounts": [{"destination": "/a", "source": "/b", "options": ["bind"], "gidMappings": ` + map1 + `}]}`, Host{}, []string{
			"mounts[0].uidMappings: must be given together with gidMappings"}},
		{"not a bind", `{"mounts": [{"destination": "/a", "type": "tmpfs", "uidMappings": ` + map1 + `, "gidMappings": ` + map1 + `}]}`, Host{}, []string{
			`mounts[0]: id-mapped mounts must be bind mounts: add the option "bind" or "rbind"`}},
		{"empty range", `{"mounts": [{"destination": "/a", "source": "/b", "options": ["bind"], "uidMappings": [{"size": 0}], "gidMappings": ` + map1 + `}]}`, Host{}, []string{
			"mounts[0].uidMappings[0].size: must be greater than 0"}},
		{"rootless", `{"mounts": [{"destination": "/a", "source": "/b", "options": ["bind", "idmap"]}], ` + rootless + `}`, Host{EUID: 1000}, []string{
			"mounts[0]: id-mapped mounts are not supported for rootless containers"}},
		{"owners of a rootless mount", `{"mounts": [{"destination": "/a", "type": "tmpfs", "options": ["uid=0,gid=1", "uid=2"]}], ` + rootless + `}`, Host{EUID: 1000}, []string{
			"mounts[0].options: cannot specify gid=1 mount option for unmapped gid in rootless container",
			"mounts[0].options: cannot specify uid=2 mount option for unmapped uid in rootless container"}},
	})
}

func TestMountDestination(t *testing.T) {
	for _, test := range []struct{ root, destination, want string }{
		{"/b/rootfs", "/data", "/data"},
		{"/b/rootfs", "/data/../x//y/", "/x/y"},
		{"/b/rootfs", "../../x", "/x"},
		{"/b/rootfs", "data", "/data"},
		{"/b/rootfs", "/b/rootfs/data", "/data"},
		{"/b/rootfs", "/b/rootfs", "/"},
		{"/b/rootfs", "/b/rootfs2/data", "/b/rootfs2/data"},
		{"/", "/data", "/data"},
		{"", "/data", "/data"},
		{"/b/rootfs", "", "/"},
	} {
		c := &Config{Spec: &specs.Spec{Root: &specs.Root{Path: test.root}}, Bundle: "/b"}
		if got := c.MountDestination(specs.Mount{Destination: test.destination}); got != test.want {
			t.Errorf("%q in %q: got %q, want %q", test.destination, test.root, got, test.want)
		}
	}
}

func TestBindSource(t *testing.T) {
	c := &Config{Bundle: "/b"}
	for source, want := range map[string]string{"/a/../c": "/c", "data": "/b/data", "../x": "/x", ".": "/b"} {
		if got := c.BindSource(specs.Mount{Source: source}); got != want {
			t.Errorf("%q: got %q, want %q", source, got, want)
		}
	}
}
