package plan

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	specs "github.com/opencontainers/runtime-spec/specs-go"

	"rt/libns/kernel"
	"rt/spec"
)

// withResources is the request of a container with these linux.resources.
func withResources(t *testing.T, resources string, facts kernel.Facts) *Request {
	t.Helper()
	config, err := spec.Parse(fmt.Appendf(nil, `{
		"ociVersion": "1.3.0", "root": {"path": "rootfs"},
		"process": {"args": ["sh"], "cwd": "/", "user": {}},
		"linux": {"namespaces": [{"type": "mount"}], "resources": %s}
	}`, resources), "/bundles/box", "config.json")
	if err != nil {
		t.Fatal(err)
	}
	r := &Request{Config: config, ID: "box", Dir: "/run/rt/box", Facts: facts}
	if r.Cgroup, err = CgroupFor("", r.ID, facts); err != nil {
		t.Fatal(err)
	}
	return r
}

func setResourcesStep(t *testing.T, r *Request) (index int, action SetResources) {
	t.Helper()
	p, err := ForCreate(r)
	if err != nil {
		t.Fatal(err)
	}
	for i, s := range p.Steps {
		if a, ok := s.Action.(SetResources); ok {
			return i, a
		}
	}
	t.Fatal("no step sets resources")
	return 0, SetResources{}
}

// Whatever the config says about devices, and also if it says nothing, the
// rules begin with nothing allowed: a container without a list is not one
// without limits.
func TestDeviceRules(t *testing.T) {
	defaults := make([]string, len(alwaysAllowed))
	for i, r := range alwaysAllowed {
		defaults[i] = r.String()
	}
	for _, test := range []struct {
		resources string
		want      []string // before the default ones
		title     string
	}{
		{`null`, nil, "allow the default devices"},
		{`{}`, nil, "allow the default devices"},
		{`{"devices": [{"allow": false, "access": "rwm"}]}`, []string{"deny a *:* rwm"}, "allow the default devices"},
		{`{"devices": [{"allow": true, "access": "rwm"}]}`, []string{"allow a *:* rwm"}, "allow all devices"},
		{`{"devices": [{"allow": true, "type": "c", "major": 1, "minor": 3, "access": "wr"}]}`,
			[]string{"allow c 1:3 rw"}, "allow c 1:3 rw, allow the default devices"},
		// The numbers of an entry for both kinds of device count, which the
		// kernel's lists would not look at.
		{`{"devices": [{"allow": true, "major": 1, "minor": 3, "access": "rw"}]}`,
			[]string{"allow c 1:3 rw", "allow b 1:3 rw"}, "allow c 1:3 rw, allow b 1:3 rw, allow the default devices"},
		{`{"devices": [{"allow": true, "type": "a", "access": "r"}]}`,
			[]string{"allow c *:* r", "allow b *:* r"}, "allow c *:* r, allow b *:* r, allow the default devices"},
		{`{"devices": [{"allow": true, "type": "b", "major": -1, "minor": 0, "access": "rwm"}, {"allow": true, "type": "a", "access": "rwm"},
			{"allow": false, "type": "b", "major": 8, "access": "w"}]}`,
			[]string{"allow b *:0 rwm", "allow a *:* rwm", "deny b 8:* w"}, "allow all devices, deny b 8:* w, allow the default devices"},
	} {
		_, a := setResourcesStep(t, withResources(t, test.resources, hybridFacts()))
		var got []string
		for _, r := range a.Devices {
			got = append(got, r.String())
		}
		if want := append(slices.Clone(test.want), defaults...); !slices.Equal(got, want) {
			t.Errorf("%s:\n%q, want\n%q", test.resources, got, want)
		}
		if a.Title() != test.title {
			t.Errorf("%s: title %q, want %q", test.resources, a.Title(), test.title)
		}
	}
}

func TestLimitsNeedTheirController(t *testing.T) {
	none := hybridFacts()
	none.Hierarchies = none.Hierarchies[1:] // name=systemd
	bare := unifiedFacts()
	bare.UnifiedControllers = nil
	for _, test := range []struct{ resources, v1, v2 string }{
		{`{"memory": {"limit": 4096}}`, "memory.limit: needs the memory controller", "memory.limit: needs the memory controller"},
		{`{"memory": {"limit": 0, "swap": 0}}`, "", ""},
		{`{"memory": {"checkBeforeUpdate": true, "kernel": 4096, "useHierarchy": true}}`, "", ""},
		{`{"memory": {"swappiness": 0}}`, "memory.swappiness: needs the memory controller", ""},
		{`{"memory": {"disableOOMKiller": false}}`, "", ""},
		{`{"cpu": {"shares": 512}}`, "cpu.shares: needs the cpu controller", "cpu.shares: needs the cpu controller"},
		{`{"cpu": {"idle": 0}}`, "cpu.idle: needs the cpu controller", "cpu.idle: needs the cpu controller"},
		{`{"cpu": {"realtimeRuntime": 1000}}`, "cpu.realtimeRuntime: needs the cpu controller", ""},
		{`{"cpu": {"cpus": "0"}}`, "cpu.cpus: needs the cpuset controller", "cpu.cpus: needs the cpuset controller"},
		{`{"pids": {"limit": 0}}`, "pids.limit: needs the pids controller", "pids.limit: needs the pids controller"},
		{`{"blockIO": {"weight": 100}}`, "blockIO.weight: needs the blkio controller", "blockIO.weight: needs the io controller"},
		{`{"blockIO": {"leafWeight": 100}}`, "blockIO.leafWeight: needs the blkio controller", ""},
		{`{"hugepageLimits": [{"pageSize": "2MB", "limit": 0}]}`,
			"hugepageLimits[0]: needs the hugetlb controller", "hugepageLimits[0]: needs the hugetlb controller"},
		{`{"network": {"classID": 1}}`, "network.classID: needs the net_cls controller", ""},
		{`{"network": {"priorities": [{"name": "eth0", "priority": 1}]}}`, "network.priorities[0]: needs the net_prio controller", ""},
		{`{"rdma": {"mlx": {"hcaHandles": 1}}}`, `rdma["mlx"]: needs the rdma controller`, `rdma["mlx"]: needs the rdma controller`},
		{`{"unified": {"memory.high": "1"}}`, "", `unified["memory.high"]: needs the memory controller`},
		{`{"unified": {"cgroup.max.depth": "1"}}`, "", ""},
	} {
		for version, facts := range map[string]kernel.Facts{"v1": none, "v2": bare} {
			want := test.v1
			if version == "v2" {
				want = test.v2
			}
			_, err := ForCreate(withResources(t, test.resources, facts))
			var problems spec.Problems
			switch {
			case want == "" && err != nil:
				t.Errorf("%s, %s: %v", version, test.resources, err)
			case want == "":
			case !errors.As(err, &problems) || len(problems) != 1:
				t.Errorf("%s, %s: got %v, want one problem", version, test.resources, err)
			case !strings.HasPrefix(err.Error(), "config.json:4: linux.resources."+want):
				t.Errorf("%s, %s: got %q, want %q", version, test.resources, err, want)
			}
		}
		all := hybridFacts()
		all.Hierarchies[0].Controllers = []string{"cpu", "cpuset", "memory", "pids", "blkio", "hugetlb", "net_cls", "net_prio", "rdma"}
		if _, err := ForCreate(withResources(t, test.resources, all)); err != nil {
			t.Errorf("%s with all controllers: %v", test.resources, err)
		}
	}
}

func TestTitleNamesTheLimits(t *testing.T) {
	limit, idle, shares := int64(-1), int64(1), uint64(0)
	a := SetResources{
		Resources: &specs.LinuxResources{
			Memory: &specs.LinuxMemory{Limit: &limit},
			CPU:    &specs.LinuxCPU{Idle: &idle, Shares: &shares, Cpus: "0-3"},
		},
		Devices: deviceRules(nil),
	}
	const want = "set limits memory.limit=-1 cpu.idle=1 cpu.cpus=0-3, and allow the default devices"
	if got := a.Title(); got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

// Limits are set at once, except where they would forbid the init stage what
// the mounts take.
func TestLimitsWaitForMountsThatNeedMore(t *testing.T) {
	for _, test := range []struct {
		mount specs.Mount
		later bool
	}{
		{specs.Mount{Destination: "/x", Type: "tmpfs", Source: "tmpfs"}, false},
		{specs.Mount{Destination: "/x", Type: "bind", Source: "/dev/sda"}, false},
		{specs.Mount{Destination: "/x", Source: "/home", Options: []string{"bind"}}, false},
		{specs.Mount{Destination: "/x", Type: "ext4", Source: "/dev/sda"}, true},
	} {
		r := withResources(t, `{"pids": {"limit": 1}}`, unifiedFacts())
		r.Config.Mounts = []specs.Mount{test.mount}
		index, action := setResourcesStep(t, r)
		p, err := ForCreate(r)
		if err != nil {
			t.Fatal(err)
		}
		mounted := slices.IndexFunc(p.Steps, func(s Step) bool { return s.Field == "mounts[0]" })
		if held := p.Steps[index-1].Barrier != nil; index > mounted != test.later || held != test.later || action.Holds() != test.later {
			t.Errorf("%v: limits are step %d, behind a barrier: %v; the mount is step %d", test.mount, index, held, mounted)
		}
	}
}

// The program must not run before its limits are in force: the two sides meet
// after the step that sets them, also if there is nothing else to meet for.
func TestProgramRunsWithinItsLimits(t *testing.T) {
	for _, facts := range []kernel.Facts{v1Facts(), hybridFacts(), unifiedFacts()} {
		r := withResources(t, `{"pids": {"limit": 1}}`, facts)
		r.Facts.Hierarchies = slices.Clone(facts.Hierarchies)
		for i := range r.Facts.Hierarchies {
			r.Facts.Hierarchies[i].Controllers = []string{"pids"}
		}
		r.Config.Process.Env = []string{"HOME=/"}
		index, _ := setResourcesStep(t, r)
		p, err := ForCreate(r)
		if err != nil {
			t.Fatal(err)
		}
		waits := false
		for i, s := range p.Steps {
			waits = waits || s.Barrier != nil && i+s.Barrier.Holds >= index
		}
		if !waits {
			t.Errorf("%s: the container never waits for step %d", facts.Cgroup, index)
		}
	}
}
