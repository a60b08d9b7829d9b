# shellcheck shell=bash
# Runs once around all bats files: builds what they share, and compares the host before and after.

SUITE_DIR=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)

setup_suite() {
	# shellcheck source=tests/bats/helpers.bash
	source "$SUITE_DIR/helpers.bash"
	[[ -x $RT ]] || {
		echo "no binary at $RT: run 'make build', or set RT"
		return 1
	}
	export RT
	export RT_SUITE=rtbats-$$
	export RT_SUITE_ROOTFS=$BATS_SUITE_TMPDIR/rootfs
	export RT_SUITE_CONFIG=$BATS_SUITE_TMPDIR/config.json
	if [[ ${RT_CGROUP_DRIVER:-cgroupfs} == systemd ]]; then
		with_systemd_driver || return
	fi
	# shellcheck source=tests/bats/inside.bash
	source "$SUITE_DIR/inside.bash"
	PEER=$(tool peer) || return
	export PEER
	make_busybox_root "$RT_SUITE_ROOTFS"
	default_config >"$RT_SUITE_CONFIG"
	case ${RT_MATRIX:-root} in
	root) ;;
	userns) map_everything ;;
	rootless) map_everything && be_ordinary ;;
	*) echo "RT_MATRIX is root, userns or rootless, not '$RT_MATRIX'" && return 1 ;;
	esac
	host_facts >"$BATS_SUITE_TMPDIR/before"
	mkfifo "$BATS_SUITE_TMPDIR/watchdog"
	watchdog </dev/null >/dev/null 2>&1 &
}

# with_systemd_driver has every test run $RT with --systemd-cgroup.
with_systemd_driver() {
	printf '%s\n' '#!/bin/sh' "exec '$(realpath "$RT")' --systemd-cgroup \"\$@\"" >"$BATS_SUITE_TMPDIR/rt"
	chmod +x "$BATS_SUITE_TMPDIR/rt"
	export RT=$BATS_SUITE_TMPDIR/rt
}

# cgroups_path prints the cgroupsPath of the tests' config, in the words of the driver.
cgroups_path() {
	case ${RT_CGROUP_DRIVER:-cgroupfs} in
	systemd) echo system.slice:rt:cgroup-of-the-test ;;
	*) echo /cgroup-of-the-test ;;
	esac
}

teardown_suite() {
	[[ -e $BATS_SUITE_TMPDIR/before ]] || return 0
	echo 1<>"$BATS_SUITE_TMPDIR/watchdog"
	wait_until 5 host_unchanged && return
	echo "the host is not as the tests found it:"
	host_changes
	sweep "$RT_SUITE"
	return 1
}

# watchdog ends what has run for longer than a test may take. Bats has a time limit of its own, but it
# cannot end a test that waits for a pipe which a forgotten container holds.
watchdog() {
	local pid limit=${PROCESS_TIMEOUT:-${BATS_TEST_TIMEOUT:-120}}
	close_descriptors
	exec {bell}<>"$BATS_SUITE_TMPDIR/watchdog"
	until read -r -t 10 -u "$bell" || ! kill -0 $$ 2>/dev/null; do
		for pid in $(marked_processes "$RT_SUITE"); do
			(($(ps -o etimes= -p "$pid") > limit)) && kill -KILL "$pid"
		done
	done
}

# make_busybox_root DIR makes a root filesystem of one static binary and links to it.
make_busybox_root() {
	local root=$1
	mkdir -p "$root"/{bin,dev,etc,home,proc,root,run,sys,usr,var}
	mkdir -m 1777 "$root/tmp"
	ln -s bin "$root/sbin"
	ln -s ../bin "$root/usr/bin"
	ln -s ../bin "$root/usr/sbin"
	cp "$(command -v busybox)" "$root/bin/busybox"
	# One process for four hundred links.
	"$root/bin/busybox" --list | perl -e 'chdir shift; chomp, symlink "busybox", $_ while <STDIN>' "$root/bin"
	printf '%s\n' 'root:x:0:0:root:/root:/bin/sh' 'daemon:x:1:1:daemon:/usr/sbin:/bin/false' \
		'user:x:1000:1000:user:/home/user:/bin/sh' 'nobody:x:65534:65534:nobody:/nonexistent:/bin/false' >"$root/etc/passwd"
	printf '%s\n' 'root:x:0:' 'daemon:x:1:' 'tty:x:5:' 'user:x:1000:' 'nogroup:x:65534:' >"$root/etc/group"
}

# map_everything gives the containers of all tests a user namespace, in which their root is 100000 of
# the host, and the root filesystem to that.
map_everything() {
	local mapped
	mapped=$(jq '.linux.namespaces += [{type: "user"}]
		| .linux.uidMappings = [{containerID: 0, hostID: 100000, size: 65536}]
		| .linux.gidMappings = .linux.uidMappings' "$RT_SUITE_CONFIG") || return
	echo "$mapped" >"$RT_SUITE_CONFIG"
	chown -hR 100000:100000 "$RT_SUITE_ROOTFS"
}

# be_ordinary has every test run $RT as an ordinary user, who is root of the containers and has their
# other ids as subordinate ones. No cgroup is delegated to him.
be_ordinary() {
	# shellcheck source=tests/bats/rootless.bash
	source "$SUITE_DIR/rootless.bash"
	# With his own id among them, so that one range is enough.
	ordinary_user "$BATS_SUITE_TMPDIR/etc" "$ORDINARY" 65536
	cp "$RT" "$BATS_SUITE_TMPDIR/rt-itself"
	printf '%s\n' '#!/bin/sh' "exec '$BATS_SUITE_TMPDIR/etc/as-user' '$BATS_SUITE_TMPDIR/rt-itself' \"\$@\"" >"$BATS_SUITE_TMPDIR/rt"
	chmod 755 "$BATS_SUITE_TMPDIR/rt" "$BATS_SUITE_TMPDIR/rt-itself"
	reachable "$BATS_SUITE_TMPDIR/etc"
	export RT=$BATS_SUITE_TMPDIR/rt RT_PROGRAM=$BATS_SUITE_TMPDIR/rt-itself AS_ORDINARY=$BATS_SUITE_TMPDIR/etc/as-user
	local config
	config=$(jq 'del(.linux.cgroupsPath, .linux.resources)' "$RT_SUITE_CONFIG") || return
	echo "$config" >"$RT_SUITE_CONFIG"
}

# default_config prints the config that setup_bundle starts from: that of `rt spec` without the terminal.
default_config() {
	jq -n --arg cgroups_path "$(cgroups_path)" '
		["CAP_AUDIT_WRITE", "CAP_KILL", "CAP_NET_BIND_SERVICE"] as $capabilities |
		["nosuid", "noexec", "nodev"] as $safe |
		{
			ociVersion: "1.0.2",
			process: {
				terminal: false,
				user: {uid: 0, gid: 0},
				args: ["true"],
				env: ["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "TERM=xterm"],
				cwd: "/",
				capabilities: {bounding: $capabilities, effective: $capabilities, permitted: $capabilities},
				rlimits: [{type: "RLIMIT_NOFILE", hard: 1024, soft: 1024}],
				noNewPrivileges: true
			},
			root: {path: "rootfs", readonly: true},
			hostname: "container",
			mounts: [
				{destination: "/proc", type: "proc", source: "proc"},
				{destination: "/dev", type: "tmpfs", source: "tmpfs", options: ["nosuid", "strictatime", "mode=755", "size=65536k"]},
				{destination: "/dev/pts", type: "devpts", source: "devpts", options: ["nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620", "gid=5"]},
				{destination: "/dev/shm", type: "tmpfs", source: "shm", options: ($safe + ["mode=1777", "size=65536k"])},
				{destination: "/dev/mqueue", type: "mqueue", source: "mqueue", options: $safe},
				{destination: "/sys", type: "sysfs", source: "sysfs", options: ($safe + ["ro"])},
				{destination: "/sys/fs/cgroup", type: "cgroup", source: "cgroup", options: ($safe + ["relatime", "ro"])}
			],
			linux: {
				cgroupsPath: $cgroups_path,
				resources: {devices: [{allow: false, access: "rwm"}]},
				namespaces: [{type: "pid"}, {type: "network"}, {type: "ipc"}, {type: "uts"}, {type: "mount"}, {type: "cgroup"}],
				maskedPaths: ["/proc/acpi", "/proc/asound", "/proc/kcore", "/proc/keys", "/proc/latency_stats", "/proc/timer_list",
					"/proc/timer_stats", "/proc/sched_debug", "/proc/scsi", "/sys/firmware"],
				readonlyPaths: ["/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger"]
			}
		}'
}

# host_facts prints what tests could leave behind: mounts, named network namespaces, cgroups without a
# process, and what carries the name of this run. Cgroups that hold processes belong to those; the
# names of other runs (of Go tests, or of a second developer) are theirs to check.
host_facts() {
	{
		grep -vE 'rtbats-[0-9]+' /proc/self/mountinfo | sed 's/^/mount /'
		find /run/netns -mindepth 1 -printf 'network namespace %p\n' 2>/dev/null
		empty_cgroups | grep -vE 'rtbats-[0-9]+' | sed 's/^/cgroup /'
		leftovers "$RT_SUITE"
	} | sort -u
}

# empty_cgroups prints the leaf cgroups, of every hierarchy, that hold no process. Slices are systemd's
# to keep or to remove.
empty_cgroups() {
	find /sys/fs/cgroup -mindepth 2 -type d -links 2 ! -name '*.slice' 2>/dev/null | while read -r path; do
		[[ -e $path/cgroup.procs && -z $(head -c1 "$path/cgroup.procs" 2>/dev/null) ]] && echo "$path"
	done
	return 0
}

host_changes() {
	host_facts | comm -13 "$BATS_SUITE_TMPDIR/before" -
}

host_unchanged() {
	[[ -z $(host_changes) ]]
}
