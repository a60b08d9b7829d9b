package spec

import (
	"strings"
	"testing"
)

func TestRootfsPropagation(t *testing.T) {
	const values = `"private", "rprivate", "rshared", "rslave", "runbindable", "shared", "slave" or "unbindable"`
	checkRules(t, []rule{
		{"shared", `{"linux": {"rootfsPropagation": "shared"}}`, Host{}, nil},
		{"private", `{"linux": {"rootfsPropagation": "private"}}`, Host{}, nil},
		{"recursive", `{"linux": {"rootfsPropagation": "rslave"}}`, Host{NoPivot: true}, nil},
		{"unknown", `{"linux": {"rootfsPropagation": "Shared"}}`, Host{}, []string{
			`linux.rootfsPropagation: must be one of ` + values + `, got "Shared"`}},
		{"private without pivot_root", `{"linux": {"rootfsPropagation": "rprivate"}}`, Host{NoPivot: true}, []string{
			`linux.rootfsPropagation: "rprivate" is not safe without pivot_root: drop --no-pivot, or use "slave"`}},
		{"without mount namespace", `{"linux": {"rootfsPropagation": "slave", "namespaces": []}}`, Host{}, []string{
			"linux.rootfsPropagation: needs a mount namespace in linux.namespaces: without one it would change the host's mounts"}},
	})
}

func TestHiddenPaths(t *testing.T) {
	checkRules(t, []rule{
		{"absolute", `{"linux": {"maskedPaths": ["/a", "/a"], "readonlyPaths": ["/b"]}}`, Host{}, nil},
		{"relative", `{"linux": {"maskedPaths": ["/a", "b"], "readonlyPaths": [""]}}`, Host{}, []string{
			`linux.maskedPaths[1]: must be absolute, got "b"`,
			`linux.readonlyPaths[0]: must be absolute, got ""`}},
		{"without mount namespace", `{"linux": {"maskedPaths": ["/a"], "readonlyPaths": ["/b"], "namespaces": []}}`, Host{}, []string{
			"linux.maskedPaths: unable to restrict sys entries without a private MNT namespace",
			"linux.readonlyPaths: unable to restrict sys entries without a private MNT namespace"}},
	})
}

func TestPersonality(t *testing.T) {
	checkRules(t, []rule{
		{"32 bit", `{"linux": {"personality": {"domain": "LINUX32"}}}`, Host{}, nil},
		{"unknown", `{"linux": {"personality": {"domain": "linux32"}}}`, Host{}, []string{
			`linux.personality.domain: must be "LINUX" or "LINUX32", got "linux32"`}},
		{"none", `{"linux": {"personality": {}}}`, Host{}, []string{
			`linux.personality.domain: must be "LINUX" or "LINUX32", got ""`}},
	})
}

func TestDevices(t *testing.T) {
	checkRules(t, []rule{
		{"every type", `{"linux": {"devices": [{"path": "/dev/a", "type": "c", "major": 1, "minor": 0, "fileMode": 438, "uid": 0, "gid": 0},
			{"path": "/b", "type": "b", "major": 4095, "minor": 1048575}, {"path": "/c", "type": "u", "major": 0, "minor": 0}, {"path": "/d", "type": "p"}]}}`, Host{}, nil},
		{"unknown type", `{"linux": {"devices": [{"path": "/a", "type": "x"}, {"path": "/b"}]}}`, Host{}, []string{
			`linux.devices[0].type: invalid device type "x": must be "c", "u", "b" or "p"`,
			`linux.devices[1].type: invalid device type "": must be "c", "u", "b" or "p"`}},
		{"no numbers", `{"linux": {"devices": [{"path": "/a", "type": "c"}]}}`, Host{}, []string{
			`linux.devices[0].major: is required unless type is "p"`,
			`linux.devices[0].minor: is required unless type is "p"`}},
		{"numbers out of range", `{"linux": {"devices": [{"path": "/a", "type": "c", "major": -1, "minor": 1048576}, {"path": "/b", "type": "b", "major": 4096, "minor": -1}]}}`, Host{}, []string{
			"linux.devices[0].major: must be from 0 to 4095, got -1",
			"linux.devices[0].minor: must be from 0 to 1048575, got 1048576",
			"linux.devices[1].major: must be from 0 to 4095, got 4096",
			"linux.devices[1].minor: must be from 0 to 1048575, got -1"}},
		{"paths", `{"linux": {"devices": [{"type": "p"}, {"path": "dev/a", "type": "p"}, {"path": "/dev/..", "type": "p"}]}}`, Host{}, []string{
			"linux.devices[0].path: is required: the path inside the container",
			`linux.devices[1].path: must be absolute, got "dev/a"`,
			`linux.devices[2].path: must name a file, got "/dev/.."`}},
		{"owners that mean none", `{"linux": {"devices": [{"path": "/a", "type": "p", "uid": 4294967295, "gid": 4294967295}]}}`, Host{}, []string{
			"linux.devices[0].gid: must be below 4294967295, which means no id to the kernel",
			"linux.devices[0].uid: must be below 4294967295, which means no id to the kernel"}},
		{"the same device twice", `{"linux": {"devices": [{"path": "/a", "type": "c", "major": 1, "minor": 2}, {"path": "//a", "type": "u", "major": 1, "minor": 2}]}}`, Host{}, nil},
		{"two pipes of one name", `{"linux": {"devices": [{"path": "/a", "type": "p"}, {"path": "/a", "type": "p", "major": 7}]}}`, Host{}, nil},
		{"two devices of one name", `{"linux": {"devices": [{"path": "/a", "type": "c", "major": 1, "minor": 2}, {"path": "/a/", "type": "c", "major": 1, "minor": 3}]}}`, Host{}, []string{
			`linux.devices[1].path: "/a/" is another device in linux.devices[0]`}},
		{"a pipe and a device of one name", `{"linux": {"devices": [{"path": "/a", "type": "p"}, {"path": "/a", "type": "b", "major": 1, "minor": 3}]}}`, Host{}, []string{
			`linux.devices[1].path: "/a" is another device in linux.devices[0]`}},
		{"without mount namespace", `{"linux": {"namespaces": [], "devices": [{"path": "/a", "type": "p"}]}}`, Host{}, []string{
			"linux.devices: need a mount namespace in linux.namespaces: without one they would be made on the host"}},
	})
}

func TestNetDevices(t *testing.T) {
	const network = `"namespaces": [{"type": "network"}]`
	checkRules(t, []rule{
		{"moved", `{"linux": {` + network + `, "netDevices": {"eth0": {}, "eth1": {"name": "fifteen-letters"}, "eth2": {"name": "c%d"}}}}`, Host{}, nil},
		{"without network namespace", `{"linux": {"netDevices": {"eth0": {}}}}`, Host{}, []string{
			"linux.netDevices: unable to move network devices without a network namespace in linux.namespaces"}},
		{"the same network namespace", `{"linux": {"namespaces": [{"type": "network", "path": "/proc/self/ns/net"}], "netDevices": {"eth0": {}}}}`, Host{}, []string{
			"linux.netDevices: unable to move network devices: linux.namespaces joins the network namespace that they are in"}},
		{"one name twice", `{"linux": {` + network + `, "netDevices": {"eth0": {}, "eth1": {"name": "eth0"}, "eth2": {"name": "c%d"}, "eth3": {"name": "c%d"}}}}`, Host{}, []string{
			`linux.netDevices["eth1"]: invalid network device name "eth0": it is that of "eth0" in the container, too`}},
		{"templates", `{"linux": {` + network + `, "netDevices": {"eth0": {"name": "%d%d"}, "eth1": {"name": "a%s"}}}}`, Host{}, []string{
			`linux.netDevices["eth0"].name: invalid network device name "%d%d": may have %d once, and no other %`,
			`linux.netDevices["eth1"].name: invalid network device name "a%s": may have %d once, and no other %`}},
		{"rootless", `{"linux": {"namespaces": [{"type": "network"}, {"type": "user", "path": "/proc/self/ns/user"}], "netDevices": {"eth0": {}}}}`, Host{EUID: 1}, []string{
			"linux.netDevices: network devices are not supported for rootless containers"}},
		{"names", `{"linux": {` + network + `, "netDevices": {"": {}, ".": {}, "a:1": {}, "a/b": {}, "eth0": {"name": ".."}, "eth1": {"name": "sixteen--letters"}, "eth2": {"name": "a b"}}}}`, Host{}, []string{
			`linux.netDevices[""]: invalid network device name: must not be empty`,
			`linux.netDevices["."]: invalid network device name "."`,
			`linux.netDevices["a/b"]: invalid network device name "a/b": must not contain "/", ":" or white space`,
			`linux.netDevices["a:1"]: invalid network device name "a:1": must not contain "/", ":" or white space`,
			`linux.netDevices["eth0"].name: invalid network device name ".."`,
			`linux.netDevices["eth1"].name: invalid network device name "sixteen--letters": at most 15 bytes are allowed`,
			`linux.netDevices["eth2"].name: invalid network device name "a b": must not contain "/", ":" or white space`}},
	})
}

func TestIntelRDT(t *testing.T) {
	checkRules(t, []rule{
		{"schemas", `{"linux": {"intelRdt": {"closID": "a", "l3CacheSchema": "L3:0=f", "memBwSchema": "MB:0=20", "schemata": ["L2:0=f"]}}}`, Host{IntelRDT: true}, nil},
		{"the root group", `{"linux": {"intelRdt": {"closID": "/"}}}`, Host{IntelRDT: true}, nil},
		{"not mounted", `{"linux": {"intelRdt": {"enableMonitoring": true}}}`, Host{}, []string{
			"linux.intelRdt: intelRdt is specified in config, but no resctrl filesystem is mounted on /sys/fs/resctrl"}},
		{"group names that lead elsewhere", `{"linux": {"intelRdt": {"closID": ".."}}}`, Host{IntelRDT: true}, []string{
			`linux.intelRdt.closID: must be the name of one directory of resctrl, or "/" for its root, got ".."`}},
		{"a dot", `{"linux": {"intelRdt": {"closID": "."}}}`, Host{IntelRDT: true}, []string{
			`linux.intelRdt.closID: must be the name of one directory of resctrl, or "/" for its root, got "."`}},
		{"a path", `{"linux": {"intelRdt": {"closID": "a/b"}}}`, Host{IntelRDT: true}, []string{
			`linux.intelRdt.closID: must be the name of one directory of resctrl, or "/" for its root, got "a/b"`}},
		{"more than a line", `{"linux": {"intelRdt": {"l3CacheSchema": "L3:0=f\n", "memBwSchema": "MB:0=1\nMB:1=2", "schemata": ["a", "b\n"]}}}`, Host{IntelRDT: true}, []string{
			`linux.intelRdt.l3CacheSchema: must be a single line, got "L3:0=f\n"`,
			`linux.intelRdt.memBwSchema: must be a single line, got "MB:0=1\nMB:1=2"`,
			`linux.intelRdt.schemata[1]: must be a single line, got "b\n"`}},
		{"memory bandwidth of another name", `{"linux": {"intelRdt": {"memBwSchema": "L3:0=1"}}}`, Host{IntelRDT: true}, []string{
			`linux.intelRdt.memBwSchema: must begin with "MB:", got "L3:0=1"`}},
	})
}

func TestCgroupsPath(t *testing.T) {
	checkRules(t, []rule{
		{"a path", `{"linux": {"cgroupsPath": "/a/b"}}`, Host{}, nil},
		{"a slice", `{"linux": {"cgroupsPath": "a.slice::c"}}`, Host{SystemdCgroup: true}, nil},
		{"none, with systemd", `{}`, Host{SystemdCgroup: true}, nil},
		{"a path, with systemd", `{"linux": {"cgroupsPath": "/a/b"}}`, Host{SystemdCgroup: true}, []string{
			`linux.cgroupsPath: expected cgroupsPath to be of format "slice:prefix:name" for systemd cgroups, got "/a/b" instead`}},
		{"too many parts", `{"linux": {"cgroupsPath": "a:b:c:d"}}`, Host{SystemdCgroup: true}, []string{
			`linux.cgroupsPath: expected cgroupsPath to be of format "slice:prefix:name" for systemd cgroups, got "a:b:c:d" instead`}},
	})
}

func TestResources(t *testing.T) {
	resources := func(fragment string) string { return `{"linux": {"resources": ` + fragment + `}}` }
	checkRules(t, []rule{
		{"everything", resources(`{"devices": [{"allow": false, "access": "rwm"}, {"allow": true, "type": "c", "major": 1, "minor": -1, "access": "m"}],
			"memory": {"limit": 10, "swap": 10, "reservation": -1, "swappiness": 100},
			"cpu": {"shares": 2, "quota": 10, "burst": 10, "cpus": "0-3", "mems": "0", "idle": 1},
			"pids": {"limit": 0}, "blockIO": {"weight": 10, "leafWeight": 0, "weightDevice": [{"major": 8, "minor": 0, "weight": 1000}]},
			"hugepageLimits": [{"pageSize": "64KB"}, {"pageSize": "2MB", "limit": 1}, {"pageSize": "16GB"}],
			"network": {"classID": 1, "priorities": [{"name": "eth0", "priority": 1}]},
			"rdma": {"mlx5_1": {"hcaHandles": 3}}, "unified": {"memory.high": "1", "io.max": ""}}`), Host{}, nil},

		{"device rules", resources(`{"devices": [{"access": ""}, {"type": "p", "access": "rx"}, {"major": -2, "minor": -3, "access": "r"}]}`), Host{}, []string{
			"linux.resources.devices[0].access: device access at 0 field cannot be empty",
			`linux.resources.devices[1].access: must consist of "r", "w" and "m", got "rx"`,
			`linux.resources.devices[1].type: invalid device type "p": must be "a", "b" or "c"`,
			"linux.resources.devices[2].major: must be -1 (any) or above, got -2",
			"linux.resources.devices[2].minor: must be -1 (any) or above, got -3"}},

		{"swap without memory limit", resources(`{"memory": {"swap": 10}}`), Host{}, []string{
			"linux.resources.memory.swap: unable to set swap limit without memory limit"}},
		{"swap below memory limit", resources(`{"memory": {"limit": 11, "swap": 10}}`), Host{}, []string{
			"linux.resources.memory.swap: memory+swap limit should be >= memory limit (11), got 10"}},
		{"swap with unlimited memory", resources(`{"memory": {"limit": -1, "swap": 10}}`), Host{}, nil},
		{"unlimited swap", resources(`{"memory": {"swap": -1}}`), Host{}, nil},
		{"memory", resources(`{"memory": {"limit": -2, "reservation": -2, "swap": -2, "swappiness": 101}}`), Host{}, []string{
			"linux.resources.memory.limit: must be -1 (no limit) or above, got -2",
			"linux.resources.memory.reservation: must be -1 (no limit) or above, got -2",
			"linux.resources.memory.swap: must be -1 (no limit) or above, got -2",
			"linux.resources.memory.swappiness: must be from 0 to 100, got 101"}},

		{"cpu", resources(`{"cpu": {"cpus": "a", "mems": "1024", "idle": 2, "quota": 10, "burst": 11}}`), Host{}, []string{
			"linux.resources.cpu.burst: must not be above quota (10), got 11",
			`linux.resources.cpu.cpus: must be a list of numbers and ranges such as "0-3,7", got "a"`,
			"linux.resources.cpu.idle: must be 0 or 1, got 2",
			"linux.resources.cpu.mems: numbers must be below 1024, got 1024"}},
		{"burst without limit", resources(`{"cpu": {"quota": -1, "burst": 11}}`), Host{}, nil},
		{"pids", resources(`{"pids": {"limit": -2}}`), Host{}, []string{
			"linux.resources.pids.limit: must be -1 (no limit) or above, got -2"}},
		{"block io", resources(`{"blockIO": {"weight": 9, "leafWeight": 1001, "weightDevice": [{"major": 8, "minor": 0}, {"weight": 1, "leafWeight": 2}]}}`), Host{}, []string{
			"linux.resources.blockIO.leafWeight: must be from 10 to 1000, got 1001",
			"linux.resources.blockIO.weight: must be from 10 to 1000, got 9",
			"linux.resources.blockIO.weightDevice[0]: must have weight, leafWeight or both",
			"linux.resources.blockIO.weightDevice[1].leafWeight: must be from 10 to 1000, got 2",
			"linux.resources.blockIO.weightDevice[1].weight: must be from 10 to 1000, got 1"}},
		{"huge pages as a way out of the cgroup", resources(`{"hugepageLimits": [{"pageSize": "../../x"}, {"pageSize": "MB"}, {"pageSize": "0MB"}, {"pageSize": "2M"}, {"pageSize": "2XB"}, {}]}`), Host{}, []string{
			`linux.resources.hugepageLimits[0].pageSize: must be a size such as "64KB", "2MB" or "1GB", got "../../x"`,
			`linux.resources.hugepageLimits[1].pageSize: must be a size such as "64KB", "2MB" or "1GB", got "MB"`,
			`linux.resources.hugepageLimits[2].pageSize: must be a size such as "64KB", "2MB" or "1GB", got "0MB"`,
			`linux.resources.hugepageLimits[3].pageSize: must be a size such as "64KB", "2MB" or "1GB", got "2M"`,
			`linux.resources.hugepageLimits[4].pageSize: must be a size such as "64KB", "2MB" or "1GB", got "2XB"`,
			`linux.resources.hugepageLimits[5].pageSize: must be a size such as "64KB", "2MB" or "1GB", got ""`}},
		{"network", resources(`{"network": {"priorities": [{"name": "a b"}]}}`), Host{}, []string{
			`linux.resources.network.priorities[0].name: invalid network device name "a b": must not contain "/", ":" or white space`}},
		{"rdma", resources(`{"rdma": {"a": {}, "b c": {"hcaObjects": 1}}}`), Host{}, []string{
			`linux.resources.rdma["a"]: must have hcaHandles, hcaObjects or both`,
			`linux.resources.rdma["b c"]: must be the name of an RDMA device, without white space`}},
		{"unified as a way out of the cgroup", resources(`{"unified": {"../x": "1", "..": "1", "a.b/c": "1", "memory": "1"}}`), Host{}, []string{
			`linux.resources.unified[".."]: must be the name of a cgroup file such as "memory.high", without slashes`,
			`linux.resources.unified["../x"]: must be the name of a cgroup file such as "memory.high", without slashes`,
			`linux.resources.unified["a.b/c"]: must be the name of a cgroup file such as "memory.high", without slashes`,
			`linux.resources.unified["memory"]: must be the name of a cgroup file such as "memory.high", without slashes`}},
		{"unified on cgroup v1", resources(`{"unified": {"memory.high": "1"}}`), Host{CgroupV1: true}, []string{
			"linux.resources.unified: needs cgroup v2, but this host controls resources with cgroup v1"}},
	})
}

func TestSeccomp(t *testing.T) {
	const actions = `"SCMP_ACT_KILL", "SCMP_ACT_KILL_PROCESS", "SCMP_ACT_KILL_THREAD", "SCMP_ACT_TRAP", "SCMP_ACT_ERRNO", "SCMP_ACT_TRACE", "SCMP_ACT_ALLOW", "SCMP_ACT_LOG" or "SCMP_ACT_NOTIFY"`
	const notify = `"syscalls": [{"names": ["mkdir"], "action": "SCMP_ACT_NOTIFY"}]`
	seccomp := func(fragment string) string { return `{"linux": {"seccomp": ` + fragment + `}}` }
	checkRules(t, []rule{
		{"disabled", seccomp(`{}`), Host{}, nil},
		{"a profile", seccomp(`{"defaultAction": "SCMP_ACT_ERRNO", "defaultErrnoRet": 38, "architectures": ["SCMP_ARCH_X86_64", "SCMP_ARCH_SHEB"],
			"flags": ["SECCOMP_FILTER_FLAG_TSYNC", "SECCOMP_FILTER_FLAG_LOG"],
			"syscalls": [{"names": ["read", "no_such_call"], "action": "SCMP_ACT_ALLOW"},
			{"names": ["clone"], "action": "SCMP_ACT_TRACE", "errnoRet": 4095, "args": [{"index": 0, "value": 1, "valueTwo": 0, "op": "SCMP_CMP_MASKED_EQ"}, {"index": 0, "value": 2, "op": "SCMP_CMP_EQ"}]}]}`), Host{}, nil},
		{"an agent", seccomp(`{"defaultAction": "SCMP_ACT_ALLOW", "listenerPath": "/run/agent", "listenerMetadata": "m", ` + notify + `}`), Host{}, nil},
		{"an agent at an abstract socket", seccomp(`{"defaultAction": "SCMP_ACT_ALLOW", "listenerPath": "@agent"}`), Host{}, nil},

		{"no default action", seccomp(`{"syscalls": [{"names": ["read"], "action": "SCMP_ACT_ALLOW"}]}`), Host{}, []string{
			`linux.seccomp.defaultAction: unknown action "": must be one of ` + actions}},
		{"unknown actions", seccomp(`{"defaultAction": "ALLOW", "syscalls": [{"names": ["read"], "action": "DENY"}]}`), Host{}, []string{
			`linux.seccomp.defaultAction: unknown action "ALLOW": must be one of ` + actions,
			`linux.seccomp.syscalls[0].action: unknown action "DENY": must be one of ` + actions}},
		{"notify by default", seccomp(`{"defaultAction": "SCMP_ACT_NOTIFY"}`), Host{}, []string{
			"linux.seccomp.defaultAction: SCMP_ACT_NOTIFY cannot be the default: the container could not even start"}},
		{"errno where none is returned", seccomp(`{"defaultAction": "SCMP_ACT_KILL", "defaultErrnoRet": 1, "syscalls": [{"names": ["a"], "action": "SCMP_ACT_ALLOW", "errnoRet": 1}]}`), Host{}, []string{
			`linux.seccomp.defaultErrnoRet: is only for SCMP_ACT_ERRNO and SCMP_ACT_TRACE, the action is "SCMP_ACT_KILL"`,
			`linux.seccomp.syscalls[0].errnoRet: is only for SCMP_ACT_ERRNO and SCMP_ACT_TRACE, the action is "SCMP_ACT_ALLOW"`}},
		{"errno too large", seccomp(`{"defaultAction": "SCMP_ACT_ERRNO", "defaultErrnoRet": 4096}`), Host{}, []string{
			"linux.seccomp.defaultErrnoRet: must be at most 4095, got 4096"}},
		{"unknown architecture", seccomp(`{"defaultAction": "SCMP_ACT_ALLOW", "architectures": ["SCMP_ARCH_NATIVE"]}`), Host{}, []string{
			`linux.seccomp.architectures[0]: unknown architecture "SCMP_ARCH_NATIVE": must be one of ` + quoted(SeccompArchs(), "or")}},
		{"unknown flag", seccomp(`{"defaultAction": "SCMP_ACT_ALLOW", "flags": ["LOG"]}`), Host{}, []string{
			`linux.seccomp.flags[0]: unknown seccomp flag "LOG": must be one of "SECCOMP_FILTER_FLAG_TSYNC", "SECCOMP_FILTER_FLAG_LOG", "SECCOMP_FILTER_FLAG_SPEC_ALLOW" or "SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV"`}},
		{"names", seccomp(`{"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [{"action": "SCMP_ACT_KILL"}, {"names": ["a", ""], "action": "SCMP_ACT_KILL"}]}`), Host{}, []string{
			"linux.seccomp.syscalls[0].names: must have at least one entry",
			"linux.seccomp.syscalls[1].names[1]: must name a system call, is empty"}},
		{"arguments", seccomp(`{"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [{"names": ["a"], "action": "SCMP_ACT_KILL", "args": [{"index": 6, "op": "EQ"}]}]}`), Host{}, []string{
			"linux.seccomp.syscalls[0].args[0].index: must be from 0 to 5, got 6",
			`linux.seccomp.syscalls[0].args[0].op: unknown operator "EQ": must be one of "SCMP_CMP_NE", "SCMP_CMP_LT", "SCMP_CMP_LE", "SCMP_CMP_EQ", "SCMP_CMP_GE", "SCMP_CMP_GT" or "SCMP_CMP_MASKED_EQ"`}},
		{"notify without agent", seccomp(`{"defaultAction": "SCMP_ACT_ALLOW", "listenerMetadata": "m", ` + notify + `}`), Host{}, []string{
			"linux.seccomp.listenerMetadata: must not be set without listenerPath",
			"linux.seccomp.syscalls[0].action: seccomp listenerPath is not set: SCMP_ACT_NOTIFY needs an agent to ask"}},
		{"notify on write", seccomp(`{"defaultAction": "SCMP_ACT_ALLOW", "listenerPath": "/a", "syscalls": [{"names": ["read", "write"], "action": "SCMP_ACT_NOTIFY"}]}`), Host{}, []string{
			"linux.seccomp.syscalls[0].names: SCMP_ACT_NOTIFY cannot be used for the write syscall"}},
		{"socket path", seccomp(`{"defaultAction": "SCMP_ACT_ALLOW", "listenerPath": "run/agent"}`), Host{}, []string{
			`linux.seccomp.listenerPath: must be an absolute path, or @NAME for an abstract socket, got "run/agent"`}},
		{"long socket path", seccomp(`{"defaultAction": "SCMP_ACT_ALLOW", "listenerPath": "/` + strings.Repeat("a", 107) + `"}`), Host{}, []string{
			"linux.seccomp.listenerPath: must be at most 107 bytes long, is 108"}},
	})
}
