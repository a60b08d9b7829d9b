package spec

import (
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"
)

// The kernel's own files say whether flag and file name belong together.
func TestNamespacesAgreeWithTheKernel(t *testing.T) {
	list := Namespaces()
	if len(list) != 8 {
		t.Errorf("got %d types, want 8", len(list))
	}
	if !slices.IsSortedFunc(list, func(a, b Namespace) int { return strings.Compare(string(a.Type), string(b.Type)) }) {
		t.Error("not sorted by name")
	}
	for _, namespace := range list {
		got, err := namespaceTypeOf("/proc/self/ns/" + namespace.File)
		if err != nil {
			t.Error(err)
			continue
		}
		if got != namespace {
			t.Errorf("%s: the kernel says %s", namespace.Type, got.Type)
		}
		if found, ok := LookupNamespace(namespace.Type); !ok || found != namespace {
			t.Errorf("%s: look-up gives %v, %v", namespace.Type, found, ok)
		}
	}
	if _, ok := LookupNamespace("mnt"); ok {
		t.Error("the kernel's name is taken for the specification's")
	}
	list[0].File = "changed"
	if namespaces[0].File == "changed" {
		t.Error("callers can change the table")
	}
}

func TestCapabilities(t *testing.T) {
	names := CapabilityNames()
	if len(names) != 41 {
		t.Errorf("got %d, want 41", len(names))
	}
	for want, name := range names {
		if number, ok := Capability(name); !ok || number != want {
			t.Errorf("%s: got %d, %v, want %d", name, number, ok, want)
		}
	}
	for name, want := range map[string]int{"CAP_CHOWN": 0, "CAP_SYS_ADMIN": 21, "CAP_AUDIT_READ": 37, "CAP_CHECKPOINT_RESTORE": 40} {
		if number, _ := Capability(name); number != want {
			t.Errorf("%s: got %d, want %d (capabilities(7))", name, number, want)
		}
	}
	for _, name := range []string{"", "CHOWN", "cap_chown"} {
		if _, ok := Capability(name); ok {
			t.Errorf("%q is known", name)
		}
	}
}

// A kernel that has more capabilities than this table calls for an update.
func TestCapabilitiesOfThisKernel(t *testing.T) {
	text, err := os.ReadFile("/proc/sys/kernel/cap_last_cap")
	if err != nil {
		t.Skip("no /proc/sys/kernel/cap_last_cap to compare with: ", err)
	}
	last, err := strconv.Atoi(strings.TrimSpace(string(text)))
	if err != nil {
		t.Fatal(err)
	}
	if last >= len(CapabilityNames()) {
		t.Errorf("the kernel has capability %d, the table ends at %d", last, len(CapabilityNames())-1)
	}
}

func TestNumbers(t *testing.T) {
	for _, test := range []struct {
		name string
		got  func() (uint64, bool)
		want uint64
	}{
		{"RLIMIT_CPU", func() (uint64, bool) { return Rlimit("RLIMIT_CPU") }, 0},
		{"RLIMIT_NOFILE", func() (uint64, bool) { return Rlimit("RLIMIT_NOFILE") }, 7},
		{"RLIMIT_RTTIME", func() (uint64, bool) { return Rlimit("RLIMIT_RTTIME") }, 15},
		{"LINUX", func() (uint64, bool) { return PersonalityDomain("LINUX") }, 0},
		{"LINUX32", func() (uint64, bool) { return PersonalityDomain("LINUX32") }, 8},
		{"SCHED_OTHER", func() (uint64, bool) { return SchedulerPolicy("SCHED_OTHER") }, 0},
		{"SCHED_FIFO", func() (uint64, bool) { return SchedulerPolicy("SCHED_FIFO") }, 1},
		{"SCHED_RR", func() (uint64, bool) { return SchedulerPolicy("SCHED_RR") }, 2},
		{"SCHED_BATCH", func() (uint64, bool) { return SchedulerPolicy("SCHED_BATCH") }, 3},
		{"SCHED_ISO", func() (uint64, bool) { return SchedulerPolicy("SCHED_ISO") }, 4},
		{"SCHED_IDLE", func() (uint64, bool) { return SchedulerPolicy("SCHED_IDLE") }, 5},
		{"SCHED_DEADLINE", func() (uint64, bool) { return SchedulerPolicy("SCHED_DEADLINE") }, 6},
		{"RESET_ON_FORK", func() (uint64, bool) { return SchedulerFlag(specs.SchedFlagResetOnFork) }, 0x01},
		{"RECLAIM", func() (uint64, bool) { return SchedulerFlag(specs.SchedFlagReclaim) }, 0x02},
		{"DL_OVERRUN", func() (uint64, bool) { return SchedulerFlag(specs.SchedFlagDLOverrun) }, 0x04},
		{"KEEP_POLICY", func() (uint64, bool) { return SchedulerFlag(specs.SchedFlagKeepPolicy) }, 0x08},
		{"KEEP_PARAMS", func() (uint64, bool) { return SchedulerFlag(specs.SchedFlagKeepParams) }, 0x10},
		{"UTIL_CLAMP_MIN", func() (uint64, bool) { return SchedulerFlag(specs.SchedFlagUtilClampMin) }, 0x20},
		{"UTIL_CLAMP_MAX", func() (uint64, bool) { return SchedulerFlag(specs.SchedFlagUtilClampMax) }, 0x40},
		{"RT 3", func() (uint64, bool) { return IOPriority("IOPRIO_CLASS_RT", 3) }, 1<<13 | 3},
		{"BE 7", func() (uint64, bool) { return IOPriority("IOPRIO_CLASS_BE", 7) }, 2<<13 | 7},
		{"IDLE 0", func() (uint64, bool) { return IOPriority("IOPRIO_CLASS_IDLE", 0) }, 3 << 13},
		{"MPOL_DEFAULT", func() (uint64, bool) { return MemoryPolicyMode("MPOL_DEFAULT") }, 0},
		{"MPOL_PREFERRED", func() (uint64, bool) { return MemoryPolicyMode("MPOL_PREFERRED") }, 1},
		{"MPOL_BIND", func() (uint64, bool) { return MemoryPolicyMode("MPOL_BIND") }, 2},
		{"MPOL_INTERLEAVE", func() (uint64, bool) { return MemoryPolicyMode("MPOL_INTERLEAVE") }, 3},
		{"MPOL_LOCAL", func() (uint64, bool) { return MemoryPolicyMode("MPOL_LOCAL") }, 4},
		{"MPOL_PREFERRED_MANY", func() (uint64, bool) { return MemoryPolicyMode("MPOL_PREFERRED_MANY") }, 5},
		{"MPOL_WEIGHTED_INTERLEAVE", func() (uint64, bool) { return MemoryPolicyMode("MPOL_WEIGHTED_INTERLEAVE") }, 6},
		{"MPOL_F_NUMA_BALANCING", func() (uint64, bool) { return MemoryPolicyFlag("MPOL_F_NUMA_BALANCING") }, 1 << 13},
		{"MPOL_F_RELATIVE_NODES", func() (uint64, bool) { return MemoryPolicyFlag("MPOL_F_RELATIVE_NODES") }, 1 << 14},
		{"MPOL_F_STATIC_NODES", func() (uint64, bool) { return MemoryPolicyFlag("MPOL_F_STATIC_NODES") }, 1 << 15},
		{"shared", func() (uint64, bool) { return RootfsPropagation("shared") }, unix.MS_SHARED},
		{"rslave", func() (uint64, bool) { return RootfsPropagation("rslave") }, unix.MS_SLAVE | unix.MS_REC},
		{"private", func() (uint64, bool) { return RootfsPropagation("private") }, unix.MS_PRIVATE},
		{"runbindable", func() (uint64, bool) { return RootfsPropagation("runbindable") }, unix.MS_UNBINDABLE | unix.MS_REC},
	} {
		if got, ok := test.got(); !ok || got != test.want {
			t.Errorf("%s: got %#x, %v, want %#x", test.name, got, ok, test.want)
		}
	}
	if len(rlimits) != 16 {
		t.Errorf("%d resource limits, want 16 (prlimit(2))", len(rlimits))
	}
}

func TestSeccompNames(t *testing.T) {
	for _, list := range []struct {
		names []string
		count int
		has   string
	}{
		{SeccompActions(), 9, "SCMP_ACT_NOTIFY"},
		{SeccompOperators(), 7, "SCMP_CMP_MASKED_EQ"},
		{SeccompArchs(), 23, "SCMP_ARCH_LOONGARCH64"},
		{SeccompFlags(), 4, "SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV"},
		{MemoryPolicyModes(), 7, "MPOL_LOCAL"},
		{MemoryPolicyFlags(), 3, "MPOL_F_STATIC_NODES"},
	} {
		if len(list.names) != list.count || !slices.Contains(list.names, list.has) {
			t.Errorf("got %q", list.names)
		}
	}
}

func TestParseSignal(t *testing.T) {
	for text, want := range map[string]unix.Signal{
		"9": 9, "0": 0, "64": 64, "KILL": 9, "kill": 9, "SIGKILL": 9, "sigterm": 15, "SigHup": 1,
		"ABRT": 6, "IOT": 6, "CHLD": 17, "CLD": 17, "IO": 29, "POLL": 29, "SYS": 31, "STKFLT": 16,
		"RTMIN": 34, "SIGRTMIN": 34, "RTMIN+0": 34, "RTMIN+3": 37, "rtmin+30": 64,
		"RTMAX": 64, "SIGRTMAX-1": 63, "sigrtmax-30": 34,
	} {
		if got, err := ParseSignal(text); err != nil || got != want {
			t.Errorf("%q: got %d, %v, want %d", text, got, err, want)
		}
	}
	for _, text := range []string{
		"", "SIG", "65", "256", "-1", "-9", "+9", "9 ", " 9", "0x9", "1.5", "KILLED", "SIGSIGKILL", "RT",
		"RTMIN+31", "RTMIN-1", "RTMIN+", "RTMIN+-1", "RTMIN+1x", "RTMAX+1", "RTMAX-31", "RTMIN+99999999999999999999", "NULL",
	} {
		_, err := ParseSignal(text)
		if want := "unknown signal " + strconv.Quote(text); err == nil || err.Error() != want {
			t.Errorf("%q: got %v, want %s", text, err, want)
		}
	}
}

// Every signal name that the kernel's user space agrees on must be known.
func TestParseSignalKnowsEverySignal(t *testing.T) {
	for number := unix.Signal(1); number < 32; number++ {
		name := unix.SignalName(number)
		if got, err := ParseSignal(name); err != nil || got != number {
			t.Errorf("%s: got %d, %v", name, got, err)
		}
	}
}

func FuzzParseSignal(f *testing.F) {
	for _, text := range []string{"KILL", "sigterm", "9", "RTMIN+3", "SIGRTMAX-1", "RTMIN+", "-1", "SIG"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		signal, err := ParseSignal(text)
		if err == nil && (signal < 0 || signal > 64) {
			t.Errorf("%q became %d", text, signal)
		}
	})
}

func TestValidID(t *testing.T) {
	for _, id := range []string{"a", "web-1", "A_b+c.d", "0", "-x", "_", "+", "a..b", "a.", strings.Repeat("f", 64), strings.Repeat("x", 230)} {
		if err := ValidID(id); err != nil {
			t.Errorf("%q: %v", id, err)
		}
	}
	for id, want := range map[string]string{
		"":                       "container id cannot be empty",
		".":                      `invalid container ID format: "." must not begin with a dot`,
		"..":                     `invalid container ID format: ".." must not begin with a dot`,
		".hidden":                `invalid container ID format: ".hidden" must not begin with a dot`,
		"a/b":                    `invalid container ID format: "a/b" must consist of letters, digits and _ + - .`,
		"../etc":                 `invalid container ID format: "../etc" must not begin with a dot`,
		"/abs":                   `invalid container ID format: "/abs" must consist of letters, digits and _ + - .`,
		"a b":                    `invalid container ID format: "a b" must consist of letters, digits and _ + - .`,
		"a\x00b":                 `invalid container ID format: "a\x00b" must consist of letters, digits and _ + - .`,
		"a\n":                    `invalid container ID format: "a\n" must consist of letters, digits and _ + - .`,
		"ä":                      `invalid container ID format: "ä" must consist of letters, digits and _ + - .`,
		"a:b":                    `invalid container ID format: "a:b" must consist of letters, digits and _ + - .`,
		strings.Repeat("x", 231): "invalid container ID format: 231 bytes long, at most 230 are allowed",
	} {
		if err := ValidID(id); err == nil || err.Error() != want {
			t.Errorf("%q: got %v, want %s", id, err, want)
		}
	}
}

// Whatever is accepted stays one name within the directory it is joined to.
func FuzzValidID(f *testing.F) {
	for _, id := range []string{"web", "..", "a/b", "a/../b", "\x00", "-", strings.Repeat("x", 300)} {
		f.Add(id)
	}
	f.Fuzz(func(t *testing.T, id string) {
		if ValidID(id) == nil && (filepath.Dir(filepath.Join("/state", id)) != "/state" || filepath.Base(id) != id || len(id) > 230) {
			t.Errorf("%q is accepted", id)
		}
	})
}

func TestParseList(t *testing.T) {
	for text, want := range map[string][]Range{
		"0":         {{0, 0}},
		"0-3,7":     {{0, 3}, {7, 7}},
		" 1 , 2-2 ": {{1, 1}, {2, 2}},
		"9,0":       {{9, 9}, {0, 0}},
	} {
		if got, err := ParseList(text, 10); err != nil || !slices.Equal(got, want) {
			t.Errorf("%q: got %v, %v, want %v", text, got, err, want)
		}
	}
	for _, text := range []string{"", ",", "1,", "a", "-", "1-", "-1", "1-2-3", "3-1", "10", "1-10", "+1", "1_0", "99999999999"} {
		if got, err := ParseList(text, 10); err == nil {
			t.Errorf("%q: got %v", text, got)
		}
	}
}
