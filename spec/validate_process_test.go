package spec

import (
	"slices"
	"strings"
	"testing"
)

func TestProcess(t *testing.T) {
	const userNamespace = `"linux": {"namespaces": [{"type": "user"}],
		"uidMappings": [{"containerID": 0, "hostID": 1000, "size": 10}],
		"gidMappings": [{"containerID": 0, "hostID": 1000, "size": 20}]}`
	checkRules(t, []rule{
		{"missing", `{"process": null}`, Host{}, []string{
			"process: process property must not be empty"}},
		{"no args", `{"process": {"args": []}}`, Host{}, []string{
			"process.args: args must not be empty"}},
		{"empty program", `{"process": {"args": ["", "a"]}}`, Host{}, []string{
			"process.args[0]: must name the program to execute, is empty"}},
		{"empty argument", `{"process": {"args": ["a", ""]}}`, Host{}, nil},

		{"environment", `{"process": {"env": ["A=", "A=b", "B=c=d", "C=line\nline"]}}`, Host{}, nil},
		{"environment entry without value", `{"process": {"env": ["A=b", "PATH"]}}`, Host{}, []string{
			`process.env[1]: must have the form NAME=VALUE, "PATH" has no "="`}},
		{"environment entry without name", `{"process": {"env": ["=b"]}}`, Host{}, []string{
			`process.env[0]: must have the form NAME=VALUE, the name in "=b" is empty`}},

		{"no cwd", `{"process": {"cwd": ""}}`, Host{}, []string{
			"process.cwd: Cwd property must not be empty"}},
		{"relative cwd", `{"process": {"cwd": "home"}}`, Host{}, []string{
			`process.cwd: Cwd must be an absolute path, got "home"`}},

		{"largest console", `{"process": {"terminal": true, "consoleSize": {"height": 65535, "width": 65535}}}`, Host{}, nil},
		{"console too large", `{"process": {"terminal": true, "consoleSize": {"height": 65536, "width": 65537}}}`, Host{}, []string{
			"process.consoleSize.height: must be at most 65535, got 65536",
			"process.consoleSize.width: must be at most 65535, got 65537"}},
		{"console size without terminal", `{"process": {"consoleSize": {"height": 65536, "width": 1}}}`, Host{}, nil},

		{"oom score", `{"process": {"oomScoreAdj": -1000}}`, Host{}, nil},
		{"oom score too low", `{"process": {"oomScoreAdj": -1001}}`, Host{}, []string{
			"process.oomScoreAdj: must be from -1000 to 1000, got -1001"}},
		{"oom score too high", `{"process": {"oomScoreAdj": 1001}}`, Host{}, []string{
			"process.oomScoreAdj: must be from -1000 to 1000, got 1001"}},

		{"user", `{"process": {"user": {"uid": 4294967294, "gid": 7, "umask": 511, "additionalGids": [0, 5]}}}`, Host{}, nil},
		{"ids that mean none", `{"process": {"user": {"uid": 4294967295, "gid": 4294967295, "additionalGids": [4294967295]}}}`, Host{}, []string{
			"process.user.additionalGids[0]: must be below 4294967295, which means no id to the kernel",
			"process.user.gid: must be below 4294967295, which means no id to the kernel",
			"process.user.uid: must be below 4294967295, which means no id to the kernel"}},
		{"umask", `{"process": {"user": {"umask": 512}}}`, Host{}, []string{
			"process.user.umask: must be at most 511 (octal 777), got 512"}},
		{"groups of a rootless container", `{"process": {"user": {"additionalGids": [5]}}, ` + userNamespace + `}`, Host{EUID: 1000}, []string{
			"process.user.additionalGids: cannot set any additional groups in a rootless container"}},
		{"mapped ids", `{"process": {"user": {"uid": 9, "gid": 19, "additionalGids": [10]}}, ` + userNamespace + `}`, Host{}, nil},
		{"unmapped ids", `{"process": {"user": {"uid": 10, "gid": 20, "additionalGids": [21]}}, ` + userNamespace + `}`, Host{}, []string{
			"process.user.additionalGids[0]: cannot set unmapped gid 21 in user namespace",
			"process.user.gid: cannot setgid to unmapped gid 20 in user namespace",
			"process.user.uid: cannot setuid to unmapped uid 10 in user namespace"}},

		{"capabilities", `{"process": {"capabilities": {"effective": ["CAP_CHOWN"], "permitted": ["CAP_KILL", "CAP_CHOWN"]}}}`, Host{}, nil},
		{"effective without permitted", `{"process": {"capabilities": {"effective": ["CAP_KILL", "CAP_CHOWN"], "permitted": ["CAP_KILL"]}}}`, Host{}, []string{
			"process.capabilities.effective[1]: CAP_CHOWN must be in process.capabilities.permitted too"}},
		{"unknown capabilities", `{"process": {"capabilities": {"bounding": ["CAP_KILL", "CAP_NEW"], "effective": ["chown"], "inheritable": ["CAP_"], "permitted": ["CAP_Kill"], "ambient": ["CAP_X"]}}}`, Host{}, []string{
			`process.capabilities.ambient[0]: unknown capability "CAP_X": must be a name of capabilities(7), such as "CAP_CHOWN"`,
			`process.capabilities.bounding[1]: unknown capability "CAP_NEW": must be a name of capabilities(7), such as "CAP_CHOWN"`,
			`process.capabilities.effective[0]: unknown capability "chown": must be a name of capabilities(7), such as "CAP_CHOWN"`,
			`process.capabilities.inheritable[0]: unknown capability "CAP_": must be a name of capabilities(7), such as "CAP_CHOWN"`,
			`process.capabilities.permitted[0]: unknown capability "CAP_Kill": must be a name of capabilities(7), such as "CAP_CHOWN"`}},

		{"rlimits", `{"process": {"rlimits": [{"type": "RLIMIT_NOFILE", "soft": 1, "hard": 1}, {"type": "RLIMIT_CORE", "soft": 0, "hard": 18446744073709551615}]}}`, Host{}, nil},
		{"unknown rlimit", `{"process": {"rlimits": [{"type": "NOFILE"}]}}`, Host{}, []string{
			"process.rlimits[0].type: wrong rlimit value: NOFILE: must be one of the RLIMIT_* names of prlimit(2)"}},
		{"control characters stay out of the message", `{"process": {"rlimits": [{"type": "a\n\u001b[31m'"}]}}`, Host{}, []string{
			`process.rlimits[0].type: wrong rlimit value: a\n\x1b[31m': must be one of the RLIMIT_* names of prlimit(2)`}},
		{"duplicate rlimit", `{"process": {"rlimits": [{"type": "RLIMIT_AS"}, {"type": "RLIMIT_CPU"}, {"type": "RLIMIT_AS"}]}}`, Host{}, []string{
			"process.rlimits[2].type: duplicate of process.rlimits[0]: RLIMIT_AS may be set once"}},
		{"soft above hard", `{"process": {"rlimits": [{"type": "RLIMIT_AS", "soft": 2, "hard": 1}]}}`, Host{}, []string{
			"process.rlimits[0].soft: must not be above hard (1), got 2"}},

		{"labels where they mean something", `{"process": {"apparmorProfile": "p", "selinuxLabel": "l"}, "linux": {"mountLabel": "m"}}`, Host{AppArmor: true, SELinux: true}, nil},
		{"labels where they do not", `{"process": {"apparmorProfile": "p", "selinuxLabel": "l"}, "linux": {"mountLabel": "m"}}`, Host{}, []string{
			`linux.mountLabel: label "m" is set, but SELinux is not enabled on this host`,
			`process.apparmorProfile: profile "p" is set, but AppArmor is not enabled on this host`,
			`process.selinuxLabel: label "l" is set, but SELinux is not enabled on this host`}},
	})
}

func TestTerminal(t *testing.T) {
	const terminal, none = `{"process": {"terminal": true}}`, `{}`
	const noSocket = "process.terminal: cannot allocate tty if rt will detach without setting console socket"
	const needless = "process.terminal: cannot use console socket if rt will not detach or allocate tty"
	checkRules(t, []rule{
		{"detached with socket", terminal, Host{Detached: true, ConsoleSocket: true}, nil},
		{"detached without socket", terminal, Host{Detached: true}, []string{noSocket}},
		{"foreground", terminal, Host{}, nil},
		{"foreground with socket", terminal, Host{ConsoleSocket: true}, []string{needless}},
		{"no terminal, detached", none, Host{Detached: true}, nil},
		{"no terminal, detached with socket", none, Host{Detached: true, ConsoleSocket: true}, []string{needless}},
		{"no terminal, foreground with socket", none, Host{ConsoleSocket: true}, []string{needless}},
	})
}

func TestTooManyGroups(t *testing.T) {
	groups := strings.Repeat("1,", 65536) + "1"
	checkRules(t, []rule{
		{"groups", `{"process": {"user": {"additionalGids": [` + groups + `]}}}`, Host{}, []string{
			"process.user.additionalGids: must have at most 65536 entries, has 65537"}},
	})
}

func TestScheduler(t *testing.T) {
	checkRules(t, []rule{
		{"nice", `{"process": {"scheduler": {"policy": "SCHED_BATCH", "nice": -20, "flags": ["SCHED_FLAG_RESET_ON_FORK"]}}}`, Host{}, nil},
		{"real time", `{"process": {"scheduler": {"policy": "SCHED_RR", "priority": 99}}}`, Host{}, nil},
		{"deadline", `{"process": {"scheduler": {"policy": "SCHED_DEADLINE", "runtime": 1, "deadline": 2}}}`, Host{}, nil},
		{"no policy", `{"process": {"scheduler": {"nice": 1}}}`, Host{}, []string{
			`process.scheduler.policy: scheduler policy is required, such as "SCHED_OTHER"`}},
		{"unknown policy", `{"process": {"scheduler": {"policy": "FIFO"}}}`, Host{}, []string{
			`process.scheduler.policy: invalid scheduler policy "FIFO": must be one of "SCHED_OTHER", "SCHED_FIFO", "SCHED_RR", "SCHED_BATCH", "SCHED_ISO", "SCHED_IDLE" or "SCHED_DEADLINE"`}},
		{"nice out of range", `{"process": {"scheduler": {"policy": "SCHED_OTHER", "nice": 20}}}`, Host{}, []string{
			"process.scheduler.nice: must be from -20 to 19, got 20"}},
		{"real time without priority", `{"process": {"scheduler": {"policy": "SCHED_FIFO"}}}`, Host{}, []string{
			"process.scheduler.priority: must be from 1 to 99 for SCHED_FIFO, got 0"}},
		{"priority without real time", `{"process": {"scheduler": {"policy": "SCHED_IDLE", "priority": 1}}}`, Host{}, []string{
			"process.scheduler.priority: is only for SCHED_FIFO and SCHED_RR, policy is SCHED_IDLE"}},
		{"deadline values without it", `{"process": {"scheduler": {"policy": "SCHED_OTHER", "period": 1}}}`, Host{}, []string{
			"process.scheduler: runtime, deadline and period are only for SCHED_DEADLINE, policy is SCHED_OTHER"}},
		{"deadline after period", `{"process": {"scheduler": {"policy": "SCHED_DEADLINE", "runtime": 1, "deadline": 3, "period": 2}}}`, Host{}, []string{
			"process.scheduler: SCHED_DEADLINE needs 0 < runtime <= deadline <= period, got 1, 3, 2"}},
		{"unknown flag", `{"process": {"scheduler": {"policy": "SCHED_OTHER", "flags": ["SCHED_FLAG_RECLAIM", "RESET"]}}}`, Host{}, []string{
			`process.scheduler.flags[1]: invalid scheduler flag "RESET": must be one of "SCHED_FLAG_RESET_ON_FORK", "SCHED_FLAG_RECLAIM", "SCHED_FLAG_DL_OVERRUN", "SCHED_FLAG_KEEP_POLICY", "SCHED_FLAG_KEEP_PARAMS", "SCHED_FLAG_UTIL_CLAMP_MIN" or "SCHED_FLAG_UTIL_CLAMP_MAX"`}},

		{"io priority", `{"process": {"ioPriority": {"class": "IOPRIO_CLASS_IDLE", "priority": 7}}}`, Host{}, nil},
		{"io priority, wrong", `{"process": {"ioPriority": {"class": "RT", "priority": 8}}}`, Host{}, []string{
			`process.ioPriority.class: must be one of "IOPRIO_CLASS_RT", "IOPRIO_CLASS_BE" or "IOPRIO_CLASS_IDLE", got "RT"`,
			"process.ioPriority.priority: must be from 0 to 7, got 8"}},
		{"io priority, negative", `{"process": {"ioPriority": {"class": "IOPRIO_CLASS_RT", "priority": -1}}}`, Host{}, []string{
			"process.ioPriority.priority: must be from 0 to 7, got -1"}},

		{"affinity", `{"process": {"execCPUAffinity": {"initial": "0-3,7", "final": ""}}}`, Host{}, nil},
		{"affinity, wrong", `{"process": {"execCPUAffinity": {"initial": "3-1", "final": "65536"}}}`, Host{}, []string{
			`process.execCPUAffinity.final: numbers must be below 65536, got 65536`,
			`process.execCPUAffinity.initial: must be a list of numbers and ranges such as "0-3,7", got "3-1"`}},
	})
}

func TestMemoryPolicy(t *testing.T) {
	const modes = `"MPOL_DEFAULT", "MPOL_PREFERRED", "MPOL_BIND", "MPOL_INTERLEAVE", "MPOL_LOCAL", "MPOL_PREFERRED_MANY" or "MPOL_WEIGHTED_INTERLEAVE"`
	checkRules(t, []rule{
		{"bind", `{"linux": {"memoryPolicy": {"mode": "MPOL_BIND", "nodes": "0,2-3", "flags": ["MPOL_F_STATIC_NODES", "MPOL_F_NUMA_BALANCING"]}}}`, Host{}, nil},
		{"default", `{"linux": {"memoryPolicy": {"mode": "MPOL_DEFAULT", "nodes": ""}}}`, Host{}, nil},
		{"preferred without nodes", `{"linux": {"memoryPolicy": {"mode": "MPOL_PREFERRED"}}}`, Host{}, nil},
		{"empty", `{"linux": {"memoryPolicy": {}}}`, Host{}, []string{
			`linux.memoryPolicy.mode: invalid memory policy mode "": must be one of ` + modes}},
		{"unknown mode", `{"linux": {"memoryPolicy": {"mode": "BIND"}}}`, Host{}, []string{
			`linux.memoryPolicy.mode: invalid memory policy mode "BIND": must be one of ` + modes}},
		{"nodes where none may be", `{"linux": {"memoryPolicy": {"mode": "MPOL_LOCAL", "nodes": "0-7"}}}`, Host{}, []string{
			"linux.memoryPolicy.nodes: invalid memory policy: MPOL_LOCAL mode requires 0 nodes but got 8"}},
		{"no nodes", `{"linux": {"memoryPolicy": {"mode": "MPOL_WEIGHTED_INTERLEAVE"}}}`, Host{}, []string{
			"linux.memoryPolicy.nodes: invalid memory policy: MPOL_WEIGHTED_INTERLEAVE mode requires at least 1 node but got 0"}},
		{"malformed nodes", `{"linux": {"memoryPolicy": {"mode": "MPOL_BIND", "nodes": "a"}}}`, Host{}, []string{
			`linux.memoryPolicy.nodes: invalid memory policy nodes: must be a list of numbers and ranges such as "0-3,7", got "a"`}},
		{"nodes that no kernel has", `{"linux": {"memoryPolicy": {"mode": "MPOL_BIND", "nodes": "1024"}}}`, Host{}, []string{
			"linux.memoryPolicy.nodes: invalid memory policy nodes: numbers must be below 1024, got 1024"}},
		{"flags", `{"linux": {"memoryPolicy": {"mode": "MPOL_BIND", "nodes": "0", "flags": ["MPOL_F_STATIC_NODES", "MPOL_F_RELATIVE_NODES", "X"]}}}`, Host{}, []string{
			`linux.memoryPolicy.flags: invalid memory policy: MPOL_F_STATIC_NODES and MPOL_F_RELATIVE_NODES exclude each other`,
			`linux.memoryPolicy.flags[2]: invalid memory policy flag "X": must be one of "MPOL_F_STATIC_NODES", "MPOL_F_RELATIVE_NODES" or "MPOL_F_NUMA_BALANCING"`}},
	})
}

func TestWarnings(t *testing.T) {
	c := configWith(t, `{
		"process": {"capabilities": {"bounding": ["CAP_CHOWN"], "permitted": ["CAP_CHECKPOINT_RESTORE"], "ambient": ["CAP_KILL"]}},
		"linux": {"personality": {"domain": "LINUX", "flags": ["ADDR_NO_RANDOMIZE"]}, "resources": {"memory": {"kernel": 4096, "kernelTCP": -1}}}
	}`)
	if err := Validate(c, Host{Creating: true}); err != nil {
		t.Errorf("a warning became an error: %v", err)
	}
	var got []string
	for _, warning := range Warnings(c, Host{LastCap: 39}) {
		got = append(got, warning.Field+": "+warning.Text)
	}
	want := []string{
		"linux.personality.flags: ignoring personality flags: none is supported",
		"linux.resources.memory.kernel: has no effect: kernels have no such limit any more",
		"linux.resources.memory.kernelTCP: has no effect: kernels have no such limit any more",
		"process.capabilities.ambient[0]: can't raise ambient capability CAP_KILL: it has to be permitted and inheritable",
		`process.capabilities.permitted[0]: ignoring capability "CAP_CHECKPOINT_RESTORE": this kernel does not have it`,
	}
	if !slices.Equal(got, want) {
		t.Errorf("got:\n\t%s\nwant:\n\t%s", strings.Join(got, "\n\t"), strings.Join(want, "\n\t"))
	}
	if warnings := Warnings(configWith(t, `{"process": {"capabilities": {"bounding": ["CAP_BPF"]}}}`), Host{}); len(warnings) != 0 {
		t.Errorf("a known capability is warned about: %v", warnings)
	}
}
