#!/usr/bin/env bats
# A mount of type cgroup: what it shows depends on the host's cgroups (v2 only, or v1 hierarchies with
# or without v2 beside them) and on whether the container has a cgroup namespace.

setup() {
	load helpers
	load inside
	load mounts
	setup_bundle
}

teardown() {
	teardown_all
}

only_v2() {
	[[ $(stat -fc %T /sys/fs/cgroup) == cgroup2fs ]]
}

needs_v1() {
	! only_v2 || skip "this host has cgroup v2 only"
}

needs_v2() {
	only_v2 || skip "this host has cgroup v1 hierarchies"
}

# without_cgroup_namespace lets the container share the caller's.
without_cgroup_namespace() {
	config 'del(.linux.namespaces[] | select(.type == "cgroup"))'
}

# writable lets the cgroup mount be written.
writable() {
	config '(.mounts[] | select(.type == "cgroup").options) -= ["ro"]'
}

cgroups_path() {
	jq -r .linux.cgroupsPath "$BUNDLE/config.json"
}

# hierarchies prints the directories below /sys/fs/cgroup of the host's v1 hierarchies.
hierarchies() {
	local path
	for path in /sys/fs/cgroup/*; do
		[[ -L $path || $(stat -fc %T "$path") != cgroupfs ]] || echo "${path##*/}"
	done
}

# own_processes, given directories below /sys/fs/cgroup, prints the processes in each: if it is the
# container's own cgroup, the shell that runs the script and its cat.
own_processes='for d in "$@"; do echo "$d" $(cat "/sys/fs/cgroup/$d/cgroup.procs"); done'

@test "v1: every hierarchy of the host is there and shows the container's own cgroup" {
	needs_v1
	local name
	mapfile -t names < <(hierarchies)
	inside "$own_processes" "${names[@]}"
	assert_success
	for name in "${names[@]}"; do
		grep -qE "^$name 1 [0-9]+$" <<<"$output" || {
			echo "$name: $output"
			return 1
		}
	done
}

@test "v1: every hierarchy is a cgroup mount on a tmpfs" {
	needs_v1
	local name
	inside 'cat /proc/self/mountinfo'
	assert_success
	assert_equal "$(mount_type /sys/fs/cgroup)" tmpfs
	while read -r name; do
		assert_equal "$(mount_type "/sys/fs/cgroup/$name")" cgroup
	done < <(hierarchies)
}

@test "v1: without a cgroup namespace the container's own directories are bound" {
	needs_v1
	without_cgroup_namespace
	mapfile -t names < <(hierarchies)
	local name
	inside 'cat /proc/self/mountinfo; '"$own_processes" "${names[@]}"
	assert_success
	for name in "${names[@]}"; do
		[[ $(mount_root "/sys/fs/cgroup/$name") == *"$(cgroups_path)" ]]
		assert_equal "$(mount_type "/sys/fs/cgroup/$name")" cgroup
		grep -qE "^$name 1 [0-9]+$" <<<"$output"
	done
}

@test "v1: merged hierarchies have links for each controller, as on the host" {
	needs_v1
	local path wanted=()
	for path in /sys/fs/cgroup/*; do
		[[ ! -L $path ]] || wanted+=("${path##*/} -> $(readlink "$path")")
	done
	((${#wanted[@]} > 0)) || skip "no hierarchy of this host has merged controllers"
	inside 'cd /sys/fs/cgroup; for l in *; do [ ! -L $l ] || echo "$l -> $(readlink $l)"; done'
	assert_success
	assert_output "$(printf '%s\n' "${wanted[@]}")"
}

@test "v1: mode 755, on which nothing can be made when it is read-only" {
	needs_v1
	inside 'stat -c %a /sys/fs/cgroup; mkdir /sys/fs/cgroup/new'
	assert_failure
	assert_line 755
	assert_contains 'Read-only file system'
}

@test "hybrid: the v2 hierarchy is there, too" {
	needs_v1
	[[ -d /sys/fs/cgroup/unified ]] || skip "this host has no v2 hierarchy beside v1"
	inside 'cat /proc/self/mountinfo; '"$own_processes" unified
	assert_success
	assert_equal "$(mount_type /sys/fs/cgroup/unified)" cgroup2
	grep -qE '^unified 1 [0-9]+$' <<<"$output"
}

@test "hybrid: the type cgroup2 is the v2 hierarchy alone" {
	needs_v1
	[[ -d /sys/fs/cgroup/unified ]] || skip "this host has no v2 hierarchy beside v1"
	config '(.mounts[] | select(.type == "cgroup").type) = "cgroup2"'
	inside 'cat /proc/self/mountinfo; head -n 1 /sys/fs/cgroup/cgroup.procs'
	assert_success
	assert_equal "$(mount_type /sys/fs/cgroup)" cgroup2
	has_option "$(mount_flags /sys/fs/cgroup)" ro
	assert_equal "${lines[-1]}" 1
	without_cgroup_namespace
	inside 'cat /proc/self/mountinfo; ls -d "/sys/fs/cgroup/$1"' "$(cgroups_path)"
	assert_success
	assert_equal "$(mount_type /sys/fs/cgroup)" cgroup2
}

# bats test_tags=vm,systemd
@test "v2: the container's own cgroup" {
	needs_v2
	inside 'cat /proc/self/mountinfo; cat /sys/fs/cgroup/cgroup.procs | head -n 1'
	assert_success
	assert_equal "$(mount_type /sys/fs/cgroup)" cgroup2
	assert_equal "${lines[-1]}" 1
}

# bats test_tags=vm
@test "v2: without a cgroup namespace the whole hierarchy" {
	needs_v2
	without_cgroup_namespace
	inside 'cat /proc/self/mountinfo; ls -d "/sys/fs/cgroup/$1"' "$(cgroups_path)"
	assert_success
	assert_equal "$(mount_type /sys/fs/cgroup)" cgroup2
}

# writable_cgroups prints the mounts on and below /sys/fs/cgroup that are not read-only.
writable_cgroups='awk "\$5 ~ /^\/sys\/fs\/cgroup(\/|\$)/ && \$6 !~ /^ro(,|\$)/" /proc/self/mountinfo'

@test "ro: every mount is read-only" {
	inside "$writable_cgroups"
	assert_success
	assert_output ''
}

@test "ro, without a cgroup namespace: every mount is read-only" {
	without_cgroup_namespace
	inside "$writable_cgroups"
	assert_success
	assert_output ''
}

@test "nosuid nodev noexec are on every mount" {
	inside 'awk "\$5 ~ /^\/sys\/fs\/cgroup/ && !(\$6 ~ /nosuid/ && \$6 ~ /nodev/ && \$6 ~ /noexec/)" /proc/self/mountinfo'
	assert_success
	assert_output ''
}

# bats test_tags=vm
@test "without ro the container may make cgroups below its own" {
	only_v2 || skip_in userns 'cgroups of v1 are not given to the container'
	writable
	local directory=/sys/fs/cgroup
	only_v2 || directory=/sys/fs/cgroup/pids
	inside 'mkdir "$1/sub" && rmdir "$1/sub" && echo made' "$directory"
	assert_success
	assert_output made
}

@test "the host's cgroup mounts are as before" {
	writable
	before=$(grep cgroup /proc/self/mountinfo)
	inside true
	assert_success
	without_cgroup_namespace
	inside true
	assert_success
	assert_equal "$(grep cgroup /proc/self/mountinfo)" "$before"
}
