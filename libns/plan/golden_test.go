package plan

import (
	"bytes"
	"encoding/binary"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"rt/libns/kernel"
	"rt/spec"
)

var update = flag.Bool("update", false, "write the golden files instead of comparing with them")

// hybridFacts are those of a host with two v1 hierarchies, one of which has two
// controllers, and a unified one beside them.
func hybridFacts() kernel.Facts {
	return kernel.Facts{
		Arch: "amd64", SeccompFlags: unix.SECCOMP_FILTER_FLAG_SPEC_ALLOW, LastCap: 40,
		Capabilities: 1<<41 - 1, MountSetattr: true, NoSymfollow: true, KCore: true,
		Cgroup: kernel.CgroupHybrid, Unified: "/sys/fs/cgroup/unified", UnifiedSelf: "/user",
		Hierarchies: []kernel.Hierarchy{
			{Mount: "/sys/fs/cgroup/cpu,cpuacct", Controllers: []string{"cpu", "cpuacct"}, Aliases: []string{"cpu", "cpuacct"}, Self: "/user"},
			{Mount: "/sys/fs/cgroup/systemd", Name: "systemd", Self: "/user"},
		},
	}
}

func unifiedFacts() kernel.Facts {
	f := hybridFacts()
	f.Cgroup, f.Unified, f.Hierarchies = kernel.CgroupUnified, "/sys/fs/cgroup", nil
	f.UnifiedControllers = []string{"cpuset", "cpu", "io", "memory", "hugetlb", "pids", "rdma"}
	return f
}

func v1Facts() kernel.Facts {
	f := hybridFacts()
	f.Cgroup, f.Unified = kernel.CgroupV1, ""
	return f
}

// systemdFacts are those of a host whose systemd makes the cgroups.
func systemdFacts() kernel.Facts {
	f := unifiedFacts()
	f.Systemd = &kernel.Systemd{Version: 257}
	return f
}

// rootlessFacts are those of an ordinary user.
func rootlessFacts() kernel.Facts {
	f := unifiedFacts()
	f.EUID, f.EGID, f.Capabilities = 1000, 1000, 0
	return f
}

// goldens are the cases of testdata, each with what its plan depends on besides
// the config.
var goldens = map[string]func(*Request){
	"attributes":      func(r *Request) { r.Facts = unifiedFacts() },
	"binds":           nil,
	"cgroup-mounts":   nil,
	"default":         nil,
	"default-unified": func(r *Request) { r.Facts = unifiedFacts() },
	"default-v1":      func(r *Request) { r.Facts = v1Facts() },
	"descriptors": func(r *Request) {
		r.ExtraFDs, r.ListenFDs, r.NotifySocket, r.PidfdSocket = 3, 1, true, "/run/pidfd.sock"
	},
	"devices":           nil,
	"gated":             func(r *Request) { r.Gated, r.PidFile, r.NoNewKeyring = true, "/run/box.pid", true },
	"host-root":         func(r *Request) { r.Facts = unifiedFacts() },
	"idmap":             nil,
	"idmap-userns":      func(r *Request) { r.Facts = unifiedFacts() },
	"joined-namespaces": func(r *Request) { r.Facts = unifiedFacts() },
	"labels":            nil,
	"long-options":      nil,
	"masks":             nil,
	"linux-5.10":        func(r *Request) { r.Facts.MountSetattr, r.Facts.NoSymfollow = false, false },
	"linux-5.13":        func(r *Request) { r.Facts = unifiedFacts(); r.Facts.NoSymfollow = false },
	"no-namespaces":     func(r *Request) { r.Facts = unifiedFacts() },
	"no-pivot":          func(r *Request) { r.NoPivot = true },
	"one-namespace":     func(r *Request) { r.Facts = unifiedFacts() },
	"resources":         func(r *Request) { r.Facts = unifiedFacts() },
	"resources-later":   nil,
	"rootless":          func(r *Request) { r.Facts = rootlessFacts() },
	"rootless-range":    func(r *Request) { r.Facts, r.Gated = rootlessFacts(), true },
	"seccomp-notify":    func(r *Request) { r.Gated = true },
	"shared-root":       func(r *Request) { r.Facts = unifiedFacts() },
	"systemd":           func(r *Request) { r.Facts = systemdFacts() },
	"systemd-later":     func(r *Request) { r.Facts = systemdFacts() },
	"systemd-v1":        func(r *Request) { r.Facts = hybridFacts(); r.Facts.Systemd = systemdFacts().Systemd },
	"terminal":          func(r *Request) { r.ConsoleSocket = "/run/console.sock" },
	"tmpfs":             nil,
	"traced":            func(r *Request) { r.Facts, r.Trace = unifiedFacts(), true },
	"user":              func(r *Request) { r.Facts = unifiedFacts() },
	"userns":            func(r *Request) { r.Facts = unifiedFacts() },
	"userns-joined":     func(r *Request) { r.Facts = unifiedFacts() },
}

// request is the request of a golden case.
func request(t testing.TB, name string) *Request {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("testdata", name, "config.json"))
	if err != nil {
		t.Fatal(err)
	}
	config, err := spec.Parse(data, "/bundles/box", "config.json")
	if err != nil {
		t.Fatal(err)
	}
	r := &Request{Config: config, ID: "box", Dir: "/run/rt/box", Facts: hybridFacts()}
	if change := goldens[name]; change != nil {
		change(r)
	}
	r.RDT = RDTFor(config.Linux.IntelRdt, r.ID, kernel.ResctrlMount)
	if r.Cgroup, err = CgroupFor(config.Linux.CgroupsPath, r.ID, r.Facts); err != nil {
		t.Fatal(err)
	}
	if r.Cgroup, err = WithSubGroup(r.Cgroup, config.Annotations, r.Facts); err != nil {
		t.Fatal(err)
	}
	return r
}

func compile(t testing.TB, name string) *Plan {
	t.Helper()
	p, err := ForCreate(request(t, name))
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func printed(t testing.TB, p *Plan) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := p.Print(&b, PrintOptions{Calls: true}); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func TestPlansAreThoseOfTheGoldenFiles(t *testing.T) {
	directories, err := os.ReadDir("testdata")
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range directories {
		if _, ok := goldens[d.Name()]; d.IsDir() && !ok && d.Name() != "fuzz" {
			t.Errorf("testdata/%s belongs to no case", d.Name())
		}
	}
	for name := range goldens {
		t.Run(name, func(t *testing.T) {
			compareGolden(t, compile(t, name), filepath.Join("testdata", name, "plan.txt"))
		})
	}
}

// compareGolden holds a plan, as it is printed, to a file, or writes the file.
func compareGolden(t *testing.T, p *Plan, file string) {
	t.Helper()
	got := printed(t, p)
	if *update {
		if err := os.WriteFile(file, got, 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("the plan is not that of %s; if it should be, run `make golden` and read the difference", file)
	}
}

func TestSameRequestGivesTheSamePlan(t *testing.T) {
	for name := range goldens {
		first, second := compile(t, name), compile(t, name)
		if !bytes.Equal(printed(t, first), printed(t, second)) {
			t.Errorf("%s: two compilations print differently", name)
		}
		a, err := first.MarshalJSON()
		if err != nil {
			t.Fatal(err)
		}
		if b, _ := second.MarshalJSON(); !bytes.Equal(a, b) {
			t.Errorf("%s: two compilations differ as JSON", name)
		}
	}
}

func TestAPlanThatTheKernelCannotCarryOutIsRefused(t *testing.T) {
	r := request(t, "binds")
	r.Facts.MountSetattr = false
	_, err := ForCreate(r)
	const want = "mounts[2]: bind /srv/tree on /deep/er/tree takes mount_setattr(2) for recursive flags, Linux 5.12"
	if err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("got %v, want %q", err, want)
	}
	r = request(t, "idmap")
	r.Facts.MountSetattr = false
	_, err = ForCreate(r)
	const mapped = "mounts[0]: clone /srv/data to map its ids takes mount_setattr(2), Linux 5.12"
	if err == nil || !strings.Contains(err.Error(), mapped) {
		t.Errorf("got %v, want %q", err, mapped)
	}
}

// Between entering the mount namespace and the change of root, names are looked
// up from descriptors. The exceptions name what the config says about the host.
func TestNoPathOfTheRootIsLookedUpFromTheHostsRoot(t *testing.T) {
	hostSide := map[string]bool{"root.path": true, "linux.rootfsPropagation": true}
	for name := range goldens {
		if request(t, name).Config.RootPath() == "/" {
			continue // the host's root is the container's
		}
		p := compile(t, name)
		for _, s := range p.Steps {
			if s.Side == Container && entersRoot(p, &s) {
				break
			}
			if s.Side != Container || hostSide[s.Field] {
				continue
			}
			for i := s.First; i < s.First+s.Count; i++ {
				c := &p.Calls[i]
				if fromCwd(c) && c.Op != unix.SYS_OPEN_TREE && !isNamespaceOrProc(p, c) {
					t.Errorf("%s: %q looks a path up from the host's root: %s", name, s.Title, p.CallString(i))
				}
			}
		}
	}
}

// A look-up that the kernel does not confine would follow the image's symbolic
// links to the host.
func TestEveryLookUpBelowTheRootIsConfined(t *testing.T) {
	const confined = unix.RESOLVE_IN_ROOT | unix.RESOLVE_BENEATH
	for name := range goldens {
		p := compile(t, name)
		for i, c := range p.Calls {
			if c.Op != unix.SYS_OPENAT2 {
				continue
			}
			how := p.Objects[c.Args[2].Ref().Object].Bytes
			if binary.LittleEndian.Uint64(how[16:])&confined == 0 {
				t.Errorf("%s: %s", name, p.CallString(i))
			}
		}
	}
}

func entersRoot(p *Plan, s *Step) bool {
	for _, c := range p.Calls[s.First : s.First+s.Count] {
		if c.Op == unix.SYS_PIVOT_ROOT || c.Op == unix.SYS_CHROOT {
			return true
		}
	}
	return false
}

// fromCwd says that a call takes a path relative to nothing but the process.
func fromCwd(c *Call) bool {
	switch c.Op {
	case unix.SYS_OPENAT, unix.SYS_OPENAT2, unix.SYS_MKDIRAT, unix.SYS_MKNODAT, unix.SYS_SYMLINKAT,
		unix.SYS_UNLINKAT, unix.SYS_FCHOWNAT, unix.SYS_FCHMODAT, unix.SYS_STATX, unix.SYS_OPEN_TREE:
		directory := c.Args[0]
		if c.Op == unix.SYS_SYMLINKAT {
			directory = c.Args[1]
		}
		return directory.Kind == Immediate && int32(directory.Value) == unix.AT_FDCWD
	case unix.SYS_MOVE_MOUNT:
		return c.Args[2].Kind == Immediate
	case unix.SYS_MOUNT, unix.SYS_UMOUNT2, unix.SYS_CHDIR:
		return true
	}
	return false
}

func isNamespaceOrProc(p *Plan, c *Call) bool {
	path := string(p.Objects[c.Args[1].Ref().Object].Bytes)
	if c.Op == unix.SYS_MOUNT {
		return path == "/\x00" || strings.HasPrefix(path, "self/fd/") // of the host's procfs
	}
	return c.Op == unix.SYS_OPENAT
}

func BenchmarkForCreate(b *testing.B) {
	r := request(b, "default")
	for b.Loop() {
		if _, err := ForCreate(r); err != nil {
			b.Fatal(err)
		}
	}
}
