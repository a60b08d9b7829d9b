#!/usr/bin/env bats
# Who the container's cgroup belongs to (cgroup v2): the program's user, if it is meant to divide it up.

setup() {
	load helpers
	load inside
	load cgroups
	unified || skip "cgroup v1 is not delegated"
	setup_bundle
	config '.process.user = {uid: 1000, gid: 1000}
		| .mounts |= map(if .destination == "/sys/fs/cgroup" then .options -= ["ro"] else . end)'
}

teardown() {
	teardown_all
}

# owners prints the owners of the cgroup of a container that is started for that.
owners() {
	run_detached sleep 1000
	local directory
	directory=$(cgroup_directory "$ID" '')
	stat -c '%u' "$directory" "$directory"/cgroup.{procs,threads,subtree_control,freeze,max.depth} | tr '\n' ' '
}

# bats test_tags=vm,systemd
@test "where cgroup v2 can be written to, the cgroup is the user's, but not its limits" {
	assert_equal "$(owners)" '1000 1000 1000 1000 0 0 '
}

# bats test_tags=vm,systemd
@test "the user makes a cgroup, and moves to it" {
	inside 'mkdir /sys/fs/cgroup/mine && echo $$ >/sys/fs/cgroup/mine/cgroup.procs && grep ^0: /proc/self/cgroup'
	assert_success
	assert_output '0::/mine'
	nothing_made
}

@test "a cgroup that can only be read is not the user's" {
	config '.mounts |= map(if .destination == "/sys/fs/cgroup" then .options += ["ro"] else . end)'
	assert_equal "$(owners)" '0 0 0 0 0 0 '
}

@test "without a cgroup namespace of its own, the cgroup is not the user's" {
	config 'del(.linux.namespaces[] | select(.type == "cgroup"))'
	assert_equal "$(owners)" '0 0 0 0 0 0 '
}

@test "without a mount of it, the cgroup is not the user's" {
	config '.mounts |= map(select(.destination != "/sys/fs/cgroup"))'
	assert_equal "$(owners)" '0 0 0 0 0 0 '
}
