package spec

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

const namespaceTypes = `"cgroup", "ipc", "mount", "network", "pid", "time", "user" or "uts"`

func TestNamespaces(t *testing.T) {
	checkRules(t, []rule{
		{"every type", `{"linux": {"namespaces": [{"type": "pid"}, {"type": "network"}, {"type": "mount"}, {"type": "ipc"},
			{"type": "uts"}, {"type": "cgroup"}, {"type": "time"}]}}`, Host{}, nil},
		{"none", `{"linux": {"namespaces": []}}`, Host{}, nil},
		{"no linux", `{"linux": null}`, Host{}, nil},
		{"every type by path", `{"linux": {"namespaces": [{"type": "pid", "path": "/proc/self/ns/pid"}, {"type": "network", "path": "/proc/self/ns/net"},
			{"type": "mount", "path": "/proc/self/ns/mnt"}, {"type": "ipc", "path": "/proc/self/ns/ipc"}, {"type": "uts", "path": "/proc/self/ns/uts"},
			{"type": "cgroup", "path": "/proc/self/ns/cgroup"}, {"type": "time", "path": "/proc/self/ns/time"}, {"type": "user", "path": "/proc/self/ns/user"}]}}`, Host{}, nil},
		{"children's pid namespace", `{"linux": {"namespaces": [{"type": "pid", "path": "/proc/self/ns/pid_for_children"}]}}`, Host{}, nil},

		{"unknown type", `{"linux": {"namespaces": [{"type": "net"}]}}`, Host{}, []string{
			`linux.namespaces[0].type: namespace "net" does not exist: must be one of ` + namespaceTypes}},
		{"no type", `{"linux": {"namespaces": [{}]}}`, Host{}, []string{
			`linux.namespaces[0].type: namespace "" does not exist: must be one of ` + namespaceTypes}},
		{"duplicate", `{"linux": {"namespaces": [{"type": "pid"}, {"type": "pid", "path": "/proc/self/ns/pid"}]}}`, Host{}, []string{
			`linux.namespaces[1].type: malformed spec file: duplicated ns: "pid" is in linux.namespaces[0] already`}},
		{"relative path", `{"linux": {"namespaces": [{"type": "pid", "path": "ns/pid"}]}}`, Host{}, []string{
			`linux.namespaces[0].path: invalid namespace path: must be absolute, got "ns/pid"`}},
		{"missing file", `{"linux": {"namespaces": [{"type": "pid", "path": "/missing/pid"}]}}`, Host{}, []string{
			"linux.namespaces[0].path: invalid namespace path: /missing/pid: no such file or directory"}},
		{"not a namespace", `{"linux": {"namespaces": [{"type": "pid", "path": "/proc/self/status"}]}}`, Host{}, []string{
			"linux.namespaces[0].path: invalid namespace path: /proc/self/status is not a namespace file"}},
		{"wrong type", `{"linux": {"namespaces": [{"type": "network", "path": "/proc/self/ns/mnt"}]}}`, Host{}, []string{
			"linux.namespaces[0].path: invalid namespace path: /proc/self/ns/mnt is a mount namespace, must be a network namespace"}},
	})
}

// A FIFO without a writer would block whoever opened it for reading.
func TestNamespacePathIsNotOpenedBlindly(t *testing.T) {
	fifo := filepath.Join(t.TempDir(), "fifo")
	if err := unix.Mkfifo(fifo, 0o600); err != nil {
		t.Fatal(err)
	}
	_, err := namespaceTypeOf(fifo)
	if err == nil || err.Error() != fifo+" is not a namespace file" {
		t.Errorf("got %v", err)
	}
}

func TestIDMappings(t *testing.T) {
	const one = `[{"containerID": 0, "hostID": 1000, "size": 1}]`
	const user = `"namespaces": [{"type": "user"}]`
	checkRules(t, []rule{
		{"both", `{"linux": {` + user + `, "uidMappings": ` + one + `, "gidMappings": ` + one + `}}`, Host{}, nil},
		{"path", `{"linux": {"namespaces": [{"type": "user", "path": "/proc/self/ns/user"}]}}`, Host{}, nil},
		{"path and mappings, as engines send them", `{"linux": {"namespaces": [{"type": "user", "path": "/proc/self/ns/user"}], "uidMappings": ` + one + `, "gidMappings": ` + one + `}}`, Host{}, nil},
		{"neither", `{"linux": {` + user + `}}`, Host{}, []string{
			"linux.uidMappings: user namespaces enabled, but no namespace path to join nor mappings to apply specified"}},
		{"uids only", `{"linux": {` + user + `, "uidMappings": ` + one + `}}`, Host{}, []string{
			"linux.gidMappings: must be given together with linux.uidMappings"}},
		{"gids only", `{"linux": {` + user + `, "gidMappings": ` + one + `}}`, Host{}, []string{
			"linux.uidMappings: must be given together with linux.gidMappings"}},
		{"without user namespace", `{"linux": {"uidMappings": ` + one + `}}`, Host{}, []string{
			"linux.uidMappings: user namespace mappings specified, but there is no user namespace in linux.namespaces"}},
		{"gids without user namespace", `{"linux": {"gidMappings": ` + one + `}}`, Host{}, []string{
			"linux.gidMappings: user namespace mappings specified, but there is no user namespace in linux.namespaces"}},
		{"rootless without user namespace", `{}`, Host{EUID: 1000}, []string{
			`linux.namespaces: rootless container requires user namespaces: add {"type": "user"}`}},

		{"size 0", `{"linux": {` + user + `, "uidMappings": [{"containerID": 0, "hostID": 1, "size": 0}], "gidMappings": ` + one + `}}`, Host{}, []string{
			"linux.uidMappings: id 0 of the container must be mapped: its root makes the container",
			"linux.uidMappings[0].size: must be greater than 0",
			"process.user.uid: cannot setuid to unmapped uid 0 in user namespace"}},
		{"past the last id", `{"linux": {` + user + `, "uidMappings": [{"containerID": 0, "hostID": 4294967290, "size": 6}], "gidMappings": ` + one + `}}`, Host{}, []string{
			"linux.uidMappings[0].size: range of 6 ids must end below 4294967295"}},
		{"up to the last id", `{"linux": {` + user + `, "uidMappings": [{"containerID": 0, "hostID": 0, "size": 4294967295}], "gidMappings": ` + one + `}}`, Host{}, nil},
		{"overlap inside", `{"linux": {` + user + `, "uidMappings": [{"containerID": 0, "hostID": 0, "size": 10}, {"containerID": 9, "hostID": 100, "size": 1}], "gidMappings": ` + one + `}}`, Host{}, []string{
			"linux.uidMappings[1].containerID: overlaps with linux.uidMappings[0]"}},
		{"overlap outside", `{"linux": {` + user + `, "uidMappings": ` + one + `, "gidMappings": [{"containerID": 0, "hostID": 5, "size": 10}, {"containerID": 10, "hostID": 0, "size": 6}]}}`, Host{}, []string{
			"linux.gidMappings[1].hostID: overlaps with linux.gidMappings[0]"}},
		{"no root inside", `{"process": {"user": {"uid": 1, "gid": 1}}, "linux": {` + user + `, "uidMappings": [{"containerID": 1, "hostID": 0, "size": 5}], "gidMappings": [{"containerID": 1, "hostID": 0, "size": 5}]}}`, Host{}, []string{
			"linux.gidMappings: id 0 of the container must be mapped: its root makes the container",
			"linux.uidMappings: id 0 of the container must be mapped: its root makes the container"}},
		{"no root in a joined namespace", `{"process": {"user": {"uid": 1, "gid": 1}}, "linux": {"namespaces": [{"type": "user", "path": "/proc/self/ns/user"}], "uidMappings": [{"containerID": 1, "hostID": 0, "size": 5}], "gidMappings": [{"containerID": 1, "hostID": 0, "size": 5}]}}`, Host{}, nil},
		{"neighbours", `{"linux": {` + user + `, "uidMappings": [{"containerID": 0, "hostID": 10, "size": 10}, {"containerID": 10, "hostID": 0, "size": 10}], "gidMappings": ` + one + `}}`, Host{}, nil},
	})
}

func TestTooManyMappings(t *testing.T) {
	entries := func(count, first int) string {
		list := make([]string, count)
		for i := range list {
			list[i] = fmt.Sprintf(`{"containerID": %d, "hostID": %d, "size": 1}`, i, first+i)
		}
		return "[" + strings.Join(list, ",") + "]"
	}
	config := func(count, first int) string {
		return `{"linux": {"namespaces": [{"type": "user"}], "uidMappings": ` + entries(count, first) + `, "gidMappings": ` + entries(1, 0) + `}}`
	}
	checkRules(t, []rule{
		{"as many as the kernel takes", config(340, 0), Host{}, nil},
		{"more text than a page", config(340, 4000000000), Host{}, []string{
			fmt.Sprintf("linux.uidMappings: 340 entries make 5670 bytes of text, and the kernel takes less than a page, %d bytes", os.Getpagesize())}},
		{"one more", config(341, 0), Host{}, []string{"linux.uidMappings: must have at most 340 entries, has 341"}},
	})
}

func TestTimeOffsets(t *testing.T) {
	const offsets = `"timeOffsets": {"monotonic": {"secs": -5, "nanosecs": 999999999}, "boottime": {}}`
	checkRules(t, []rule{
		{"in a new time namespace", `{"linux": {"namespaces": [{"type": "time"}], ` + offsets + `}}`, Host{}, nil},
		{"without time namespace", `{"linux": {` + offsets + `}}`, Host{}, []string{
			"linux.timeOffsets: time offsets need a time namespace in linux.namespaces"}},
		{"in a joined time namespace", `{"linux": {"namespaces": [{"type": "time", "path": "/proc/self/ns/time"}], ` + offsets + `}}`, Host{}, []string{
			"linux.timeOffsets: time offsets can only be set in a new time namespace, but linux.namespaces joins /proc/self/ns/time"}},
		{"unknown clock", `{"linux": {"namespaces": [{"type": "time"}], "timeOffsets": {"realtime": {"secs": 1}}}}`, Host{}, []string{
			`linux.timeOffsets["realtime"]: unknown clock: must be "monotonic" or "boottime"`}},
		{"too many nanoseconds", `{"linux": {"namespaces": [{"type": "time"}], "timeOffsets": {"boottime": {"nanosecs": 1000000000}}}}`, Host{}, []string{
			`linux.timeOffsets["boottime"].nanosecs: must be at most 999999999, got 1000000000`}},
	})
}

func TestSysctl(t *testing.T) {
	const all = `"namespaces": [{"type": "ipc"}, {"type": "network"}, {"type": "uts"}, {"type": "user", "path": "/proc/self/ns/user"}]`
	checkRules(t, []rule{
		{"with the namespaces they belong to", `{"linux": {` + all + `, "sysctl": {
			"kernel.msgmax": "1", "kernel.msgmnb": "1", "kernel.msgmni": "1", "kernel.sem": "1", "kernel.shmall": "1",
			"kernel.shmmax": "1", "kernel.shmmni": "1", "kernel/shm_rmid_forced": "1", "fs.mqueue.msg_max": "1",
			"net.ipv4.ip_forward": "1", "net/ipv4/conf/eth0.100/rp_filter": "1", "net.ipv4.conf.eth0/200.rp_filter": "1",
			"kernel.domainname": "d", "user.max_user_namespaces": "1"}}}`, Host{}, nil},
		{"without them", `{"linux": {"sysctl": {"kernel.sem": "1", "fs/mqueue/msg_max": "1", "net.core.somaxconn": "1",
			"kernel.domainname": "d", "user.max_user_namespaces": "1"}}}`, Host{}, []string{
			`linux.sysctl["fs/mqueue/msg_max"]: sysctl "fs/mqueue/msg_max" is not allowed in the hosts ipc namespace: add an ipc namespace to linux.namespaces`,
			`linux.sysctl["kernel.domainname"]: sysctl "kernel.domainname" is not allowed in the hosts uts namespace: add a uts namespace to linux.namespaces`,
			`linux.sysctl["kernel.sem"]: sysctl "kernel.sem" is not allowed in the hosts ipc namespace: add an ipc namespace to linux.namespaces`,
			`linux.sysctl["net.core.somaxconn"]: sysctl "net.core.somaxconn" not allowed in host network namespace: add a network namespace to linux.namespaces`,
			`linux.sysctl["user.max_user_namespaces"]: sysctl "user.max_user_namespaces" is not allowed in the hosts user namespace: add a user namespace to linux.namespaces`}},
		{"the host's network by path", `{"linux": {"namespaces": [{"type": "network", "path": "/proc/self/ns/net"}], "sysctl": {"net.a": "1"}}}`, Host{}, []string{
			`linux.sysctl["net.a"]: sysctl "net.a" not allowed in host network namespace: add a network namespace to linux.namespaces`}},
		{"hostname", `{"linux": {` + all + `, "sysctl": {"kernel.hostname": "h"}}}`, Host{}, []string{
			`linux.sysctl["kernel.hostname"]: sysctl "kernel.hostname" is not allowed as it conflicts with the OCI "hostname" field: use that`}},
		{"the host's", `{"linux": {` + all + `, "sysctl": {"kernel.core_pattern": "|/x", "vm.swappiness": "1", "kernel.msgmax.x": "1"}}}`, Host{}, []string{
			`linux.sysctl["kernel.core_pattern"]: sysctl "kernel.core_pattern" is not in a separate kernel namespace: it would change the host`,
			`linux.sysctl["kernel.msgmax.x"]: sysctl "kernel.msgmax.x" is not in a separate kernel namespace: it would change the host`,
			`linux.sysctl["vm.swappiness"]: sysctl "vm.swappiness" is not in a separate kernel namespace: it would change the host`}},
		{"paths that lead out", `{"linux": {` + all + `, "sysctl": {"net/../kernel/core_pattern": "x", "net//a": "x", "": "x", "net.": "x", "/net/a": "x", ".net.a": "x"}}}`, Host{}, []string{
			`linux.sysctl[""]: invalid sysctl key "": must be names separated by "." or "/"`,
			`linux.sysctl[".net.a"]: invalid sysctl key ".net.a": must be names separated by "." or "/"`,
			`linux.sysctl["/net/a"]: invalid sysctl key "/net/a": must be names separated by "." or "/"`,
			`linux.sysctl["net."]: invalid sysctl key "net.": must be names separated by "." or "/"`,
			`linux.sysctl["net/../kernel/core_pattern"]: invalid sysctl key "net/../kernel/core_pattern": must be names separated by "." or "/"`,
			`linux.sysctl["net//a"]: invalid sysctl key "net//a": must be names separated by "." or "/"`}},
		{"dots that become a parent directory", `{"linux": {` + all + `, "sysctl": {"net.//.kernel": "x"}}}`, Host{}, []string{
			`linux.sysctl["net.//.kernel"]: invalid sysctl key "net.//.kernel": must be names separated by "." or "/"`}},
		{"one key twice", `{"linux": {` + all + `, "sysctl": {"net.ipv4.a": "1", "net/ipv4/a": "2"}}}`, Host{}, []string{
			`linux.sysctl["net/ipv4/a"]: is the same key as "net.ipv4.a"`}},
	})
}

func TestSysctlPath(t *testing.T) {
	for key, want := range map[string]string{
		"net.ipv4.ip_forward":              "net/ipv4/ip_forward",
		"net/ipv4/ip_forward":              "net/ipv4/ip_forward",
		"net/ipv4/conf/eno2.100/rp_filter": "net/ipv4/conf/eno2.100/rp_filter",
		"net.ipv4.conf.eno2/100.rp_filter": "net/ipv4/conf/eno2.100/rp_filter",
		"kernel":                           "kernel",
		"":                                 "",
	} {
		if got := SysctlPath(key); got != want {
			t.Errorf("%q: got %q, want %q", key, got, want)
		}
	}
}

func TestSysctlInAnotherNetworkNamespace(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("making a network namespace needs root")
	}
	// cat has the namespace and waits for its input to end.
	cat := exec.Command("cat")
	cat.SysProcAttr = &syscall.SysProcAttr{Unshareflags: unix.CLONE_NEWNET}
	input, err := cat.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cat.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		input.Close()
		cat.Wait()
	})
	path := fmt.Sprintf("/proc/%d/ns/net", cat.Process.Pid)
	c := configWith(t, `{"linux": {"namespaces": [{"type": "network", "path": "`+path+`"}], "sysctl": {"net.a": "1"}}}`)
	compareProblems(t, c, Validate(c, Host{Creating: true}), nil)
}
