package plan

import (
	"slices"
	"strings"
	"testing"

	specs "github.com/opencontainers/runtime-spec/specs-go"

	"rt/libns/kernel"
)

func userFacts() kernel.Facts {
	f := unifiedFacts()
	f.Systemd = &kernel.Systemd{Version: 257, User: true, ControlGroup: "/user.slice/user-7.slice/user@7.service"}
	return f
}

func TestCgroupForIsWhereSystemdPutsTheUnit(t *testing.T) {
	const root, user = "/sys/fs/cgroup", "/sys/fs/cgroup/user.slice/user-7.slice/user@7.service"
	for _, test := range []struct {
		path, unit, slice, want string
		facts                   kernel.Facts
	}{
		{"system.slice:rt:box", "rt-box.scope", "system.slice", root + "/system.slice/rt-box.scope", systemdFacts()},
		{":rt:box", "rt-box.scope", "system.slice", root + "/system.slice/rt-box.scope", systemdFacts()},
		{"", "runc-box.scope", "system.slice", root + "/system.slice/runc-box.scope", systemdFacts()},
		{"-.slice::box", "box.scope", "-.slice", root + "/box.scope", systemdFacts()},
		{"-::box", "box.scope", "-.slice", root + "/box.scope", systemdFacts()},
		{"a-b.slice:rt:box", "rt-box.scope", "a-b.slice", root + "/a.slice/a-b.slice/rt-box.scope", systemdFacts()},
		{"a.slice:rt:a-c.slice", "a-c.slice", "a.slice", root + "/a.slice/a-c.slice", systemdFacts()},
		{":rt:box", "rt-box.scope", "user.slice", user + "/user.slice/rt-box.scope", userFacts()},
		{"", "runc-box.scope", "user.slice", user + "/user.slice/runc-box.scope", userFacts()},
	} {
		got, err := CgroupFor(test.path, "box", test.facts)
		if err != nil {
			t.Errorf("%q: %v", test.path, err)
			continue
		}
		want := Unit{test.unit, test.slice, test.facts.Systemd.User, test.want}
		if *got.Unit != want || got.Unified != test.want {
			t.Errorf("%q: got %+v in %s, want %+v", test.path, *got.Unit, got.Unified, want)
		}
	}
}

func TestCgroupForRefusesWhatSystemdCannotName(t *testing.T) {
	for _, path := range []string{
		"/a/b", "a:b", "a:b:c:d", "::", "a.slice:rt:", "a:rt:box", "a/b.slice:rt:box", "a--b.slice:rt:box", "-a.slice:rt:box",
		".slice:rt:box", "a.slice:rt:bo x", "a.slice:rt:../box", "a.slice:rt:" + strings.Repeat("x", 250), "a.slice:rt:-.slice:",
	} {
		if got, err := CgroupFor(path, "box", systemdFacts()); err == nil || !strings.Contains(err.Error(), "linux.cgroupsPath") {
			t.Errorf("%q: got %+v, %v", path, got, err)
		}
	}
	hybrid := userFacts()
	hybrid.Cgroup = kernel.CgroupHybrid
	if got, err := CgroupFor("", "box", hybrid); err == nil {
		t.Errorf("a user's systemd on a hybrid host: got %+v", got)
	}
}

func TestUnitLimitsAreTheProperties(t *testing.T) {
	v2, v1, old := systemdFacts(), v1Facts(), systemdFacts()
	v1.Systemd = v2.Systemd
	old.Systemd = &kernel.Systemd{Version: 251}
	for _, test := range []struct {
		name  string
		facts kernel.Facts
		r     specs.LinuxResources
		want  string
	}{
		{"nothing", v2, specs.LinuxResources{}, ""},
		{"memory", v2, specs.LinuxResources{Memory: &specs.LinuxMemory{Limit: pointer(100), Reservation: pointer(50), Swap: pointer(150)}},
			"MemoryMax=100 MemoryLow=50 MemorySwapMax=50"},
		{"no swap", v2, specs.LinuxResources{Memory: &specs.LinuxMemory{Limit: pointer(100), Swap: pointer(100)}}, "MemoryMax=100 MemorySwapMax=0"},
		{"no limit", v2, specs.LinuxResources{Memory: &specs.LinuxMemory{Limit: pointer(-1)}}, "MemoryMax=infinity MemorySwapMax=infinity"},
		{"memory, v1", v1, specs.LinuxResources{Memory: &specs.LinuxMemory{Limit: pointer(100), Swap: pointer(150)}}, "MemoryLimit=100"},
		{"shares", v2, specs.LinuxResources{CPU: &specs.LinuxCPU{Shares: new(uint64(1024))}}, "CPUWeight=100"},
		{"shares, v1", v1, specs.LinuxResources{CPU: &specs.LinuxCPU{Shares: new(uint64(1024))}}, "CPUShares=1024"},
		{"idle", v2, specs.LinuxResources{CPU: &specs.LinuxCPU{Shares: new(uint64(1024)), Idle: pointer(1)}}, "CPUWeight=0"},
		{"no longer idle", v2, specs.LinuxResources{CPU: &specs.LinuxCPU{Idle: pointer(0)}}, "CPUWeight=infinity"},
		{"idle no longer, with shares", v2, specs.LinuxResources{CPU: &specs.LinuxCPU{Shares: new(uint64(1024)), Idle: pointer(0)}}, "CPUWeight=100"},
		{"files that say the same", v2, specs.LinuxResources{Unified: map[string]string{"cpu.idle": "0", "cpu.weight": "7"}}, "CPUWeight=7"},
		{"idle before 252", old, specs.LinuxResources{CPU: &specs.LinuxCPU{Idle: pointer(1)}}, ""},
		{"quota", v2, specs.LinuxResources{CPU: &specs.LinuxCPU{Quota: pointer(50000)}}, "CPUQuotaPerSecUSec=500000"},
		{"quota in a period", v2, specs.LinuxResources{CPU: &specs.LinuxCPU{Quota: pointer(10000), Period: new(uint64(30000))}},
			"CPUQuotaPeriodUSec=30000 CPUQuotaPerSecUSec=340000"},
		{"no quota", v2, specs.LinuxResources{CPU: &specs.LinuxCPU{Quota: pointer(-1), Period: new(uint64(30000))}},
			"CPUQuotaPeriodUSec=30000 CPUQuotaPerSecUSec=infinity"},
		{"sets", v2, specs.LinuxResources{CPU: &specs.LinuxCPU{Cpus: "0-2, 9", Mems: "0"}}, "AllowedCPUs=0x0702 AllowedMemoryNodes=0x01"},
		{"pids", v2, specs.LinuxResources{Pids: &specs.LinuxPids{Limit: pointer(7)}}, "TasksMax=7"},
		{"no pids", v2, specs.LinuxResources{Pids: &specs.LinuxPids{Limit: pointer(0)}}, "TasksMax=1"},
		{"any pids", v2, specs.LinuxResources{Pids: &specs.LinuxPids{Limit: pointer(-1)}}, "TasksMax=infinity"},
		{"weight", v2, specs.LinuxResources{BlockIO: &specs.LinuxBlockIO{Weight: new(uint16(750))}}, "IOWeight=7475"},
		{"weight, v1", v1, specs.LinuxResources{BlockIO: &specs.LinuxBlockIO{Weight: new(uint16(750))}}, "BlockIOWeight=750"},
		{"files", v2, specs.LinuxResources{Unified: map[string]string{
			"cpu.idle": "1", "cpu.weight": "7", "cpu.max": "max 50000", "cpuset.cpus": "1", "cpuset.mems": "0", "pids.max": "max",
			"memory.high": " 9 ", "memory.low": "8", "memory.min": "7", "memory.max": "max", "memory.swap.max": "0", "misc.max": "a 1",
		}}, "CPUWeight=0 CPUQuotaPeriodUSec=50000 CPUQuotaPerSecUSec=infinity AllowedCPUs=0x02 AllowedMemoryNodes=0x01 " +
			"MemoryHigh=9 MemoryLow=8 MemoryMax=infinity MemoryMin=7 MemorySwapMax=0 TasksMax=infinity"},
		{"files win", v2, specs.LinuxResources{Memory: &specs.LinuxMemory{Limit: pointer(100)}, Unified: map[string]string{"memory.max": "200"}},
			"MemoryMax=200"},
	} {
		got, problems := UnitLimits(&test.r, test.facts)
		if titles(got) != test.want || len(problems) > 0 {
			t.Errorf("%s: got %q, %v, want %q", test.name, titles(got), problems, test.want)
		}
	}
}

func pointer(n int64) *int64 { return &n }

func TestUnitLimitsNamesTheFieldThatIsWrong(t *testing.T) {
	r := &specs.LinuxResources{
		Memory: &specs.LinuxMemory{Swap: pointer(100)},
		CPU:    &specs.LinuxCPU{Cpus: "3-1", Mems: "0-4294967295"},
		Unified: map[string]string{
			"cpu.max": "1 2 3", "cpu.weight": "heavy", "cpuset.cpus": "x", "memory.low": "-1", "pids.max": "",
		},
	}
	_, problems := UnitLimits(r, systemdFacts())
	var fields []string
	for _, p := range problems {
		fields = append(fields, strings.TrimPrefix(p.Field, "linux.resources."))
	}
	want := []string{
		"memory.swap", "cpu.cpus", "cpu.mems",
		`unified["cpu.max"]`, `unified["cpu.weight"]`, `unified["cpuset.cpus"]`, `unified["memory.low"]`, `unified["pids.max"]`,
	}
	if !slices.Equal(fields, want) {
		t.Errorf("got %q, want %q", fields, want)
	}
}

func TestRoundQuotaIsWhatSystemdMakesOfIt(t *testing.T) {
	for _, test := range []struct{ quota, period, want int64 }{
		{50000, 100000, 50000}, {33333, 100000, 34000}, {33333, 0, 34000}, {1, 100000, 1000}, {10000, 30000, 10200}, {-1, 30000, -1}, {0, 30000, 0},
	} {
		r := &specs.LinuxResources{CPU: &specs.LinuxCPU{Quota: &test.quota, Period: new(uint64(test.period))}}
		if got := *RoundQuota(r).CPU.Quota; got != test.want || *r.CPU.Quota != test.quota {
			t.Errorf("%d of %d: got %d, want %d", test.quota, test.period, got, test.want)
		}
	}
}

func TestAnnotationsAreProperties(t *testing.T) {
	got, problems := annotatedProperties(map[string]string{
		"org.systemd.property.TimeoutStopSec":  "1.5",
		"org.systemd.property.RuntimeMaxSec":   "uint64 7",
		"org.systemd.property.ExecSec":         "3",
		"org.systemd.property.SEC":             "1",
		"org.systemd.property.CollectMode":     `"inactive-or-failed"`,
		"org.systemd.property.After":           "['a.service', 'b.service']",
		"org.systemd.property.SendSIGHUP":      "true",
		"org.systemd.property.TimeoutStopUSec": "uint64 9",
		"other":                                "x",
	})
	const want = `After=["a.service", "b.service"] CollectMode=inactive-or-failed ExecUSec=3000000 RuntimeMaxUSec=7000000 ` +
		`SEC=1 SendSIGHUP=true TimeoutStopUSec=1500000 TimeoutStopUSec=9`
	if titles(got) != want || len(problems) > 0 {
		t.Errorf("got %q, %v\nwant %q", titles(got), problems, want)
	}
}

func TestAnnotationsThatCannotBePropertiesAreProblems(t *testing.T) {
	for key, value := range map[string]string{
		"": "true", "Ab": "true", "Has1": "true", "Has.Dot": "true", "Ünit": "true",
		"Empty": "", "Words": "two words", "Open": "['a'", "Panic": "signature [] 1", "Rest": "true[", "More": "1, 2", "Type": "uint99 1",
		"StopSec": "'5'", "WaitSec": "-5", "LongSec": "uint64 18446744073709551615", "FlagSec": "true",
	} {
		got, problems := annotatedProperties(map[string]string{propertyAnnotation + key: value})
		if len(problems) != 1 || problems[0].Field != `annotations["org.systemd.property.`+key+`"]` {
			t.Errorf("%q: %q gives %v, %v", key, value, got, problems)
		}
	}
}

func TestDeviceRulesAreAListOfWhatIsAllowed(t *testing.T) {
	all := DeviceRule{true, AllDevices, AnyNumber, AnyNumber, fullAccess}
	none := DeviceRule{false, AllDevices, AnyNumber, AnyNumber, fullAccess}
	rule := func(allow bool, kind DeviceType, major, minor int64, access string) DeviceRule {
		return DeviceRule{allow, kind, major, minor, access}
	}
	const auto = "DevicePolicy=auto"
	for _, test := range []struct {
		name  string
		rules []DeviceRule
		want  string // the entries of the list, or the policy that leaves it to others
	}{
		{"nothing", nil, "[]"},
		{"everything", []DeviceRule{none, all}, auto},
		{"kinds of numbers", []DeviceRule{rule(true, CharDevices, 1, 3, "rwm"), rule(true, BlockDevices, 8, AnyNumber, "r"), rule(true, CharDevices, AnyNumber, AnyNumber, "m")},
			"[/dev/char/1:3 rwm, block-8 r, char-* m]"},
		{"one minor number of all drivers", []DeviceRule{rule(true, CharDevices, AnyNumber, 3, "r")}, auto},
		{"what is forgotten", []DeviceRule{rule(true, CharDevices, 1, 3, "rwm"), none, rule(true, CharDevices, 1, 5, "r")}, "[/dev/char/1:5 r]"},
		{"more access", []DeviceRule{rule(true, CharDevices, 1, 3, "m"), rule(true, CharDevices, 1, 3, "r")}, "[/dev/char/1:3 rm]"},
		{"less access", []DeviceRule{rule(true, CharDevices, 1, 3, "rwm"), rule(false, CharDevices, 1, AnyNumber, "w")}, "[/dev/char/1:3 rm]"},
		{"no access", []DeviceRule{rule(true, CharDevices, 1, 3, "r"), rule(false, CharDevices, AnyNumber, AnyNumber, "rwm")}, "[]"},
		{"other devices", []DeviceRule{rule(true, CharDevices, 1, 3, "r"), rule(false, BlockDevices, 1, 3, "rwm")}, "[/dev/char/1:3 r]"},
		{"other access", []DeviceRule{rule(true, CharDevices, 1, AnyNumber, "r"), rule(false, CharDevices, 1, 3, "w")}, "[char-1 r]"},
		{"a part of what is allowed", []DeviceRule{rule(true, CharDevices, 1, AnyNumber, "rw"), rule(false, CharDevices, 1, 3, "w")}, auto},
	} {
		properties := deviceProperties(test.rules)
		got := properties[2].text()
		if properties[1].String() == auto {
			got = auto
		}
		if got != test.want {
			t.Errorf("%s: got %s, want %s", test.name, got, test.want)
		}
	}
}
