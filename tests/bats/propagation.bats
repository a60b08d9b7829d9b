#!/usr/bin/env bats
# Propagation of mounts (mount_namespaces(7)): the flags in mounts[].options, and what passes between
# the host and a running container. Each test has a host of its own, whose mounts are all shared.

setup() {
	load helpers
	load inside
	load mounts
	setup_bundle
	reachable "$WORK"
	config 'del(.root.readonly) | .mounts |= map(select(.destination == "/proc")) | del(.linux.maskedPaths, .linux.readonlyPaths)'
	mkdir "$WORK/source"
}

teardown() {
	teardown_all
}

# bind_source OPTION... adds an rbind of $WORK/source on /m with the options.
bind_source() {
	add_mount /m none "$WORK/source" rbind "$@"
}

# container_mountinfo prints the container's mounts where a filesystem is mounted on $WORK/source/sub.
container_mountinfo() {
	args cat /proc/self/mountinfo
	# shellcheck disable=SC2016
	in_mount_namespace shared '
		mkdir "$WORK/source/sub"
		mount -t tmpfs tmpfs "$WORK/source"
		mkdir "$WORK/source/sub"
		mount -t tmpfs tmpfs "$WORK/source/sub"
		before=$(cat /proc/self/mountinfo)
		"$RT" --root "$ROOT" run -b "$BUNDLE" "$1"
		diff <(echo "$before") /proc/self/mountinfo
	' "$(new_id)"
	assert_success
}

# kind PLACE prints the propagation of a mount without the numbers of its groups: "shared: master:".
kind() {
	mount_peers "$1" | tr -d 0-9
}

SLAVE="mounts in a mount namespace of another user namespace do not go to the host"

@test "private: neither shared nor a slave" {
	bind_source private
	container_mountinfo
	assert_equal "$(kind /m)" ""
}

@test "private is not recursive, rprivate is" {
	config '.linux.rootfsPropagation = "rshared"'
	bind_source shared private
	add_mount /r none "$WORK/source" rbind rshared rprivate
	container_mountinfo
	assert_equal "$(kind /m)" ""
	[[ $(kind /m/sub) == *shared:* ]]
	assert_equal "$(kind /r)" ""
	assert_equal "$(kind /r/sub)" ""
}

@test "slave: receives from the host" {
	bind_source slave
	container_mountinfo
	assert_equal "$(kind /m)" "master:"
}

@test "rslave: nested mounts receive from the host, too" {
	bind_source rslave
	container_mountinfo
	assert_equal "$(kind /m)" "master:"
	assert_equal "$(kind /m/sub)" "master:"
}

@test "shared: has a peer group" {
	bind_source shared
	container_mountinfo
	[[ $(kind /m) == shared:* ]]
	[[ $(kind /m/sub) != shared:* ]]
}

@test "rshared: nested mounts have peer groups, too" {
	bind_source rshared
	container_mountinfo
	[[ $(kind /m) == shared:* ]]
	[[ $(kind /m/sub) == shared:* ]]
}

@test "unbindable is not recursive, runbindable is" {
	bind_source unbindable
	add_mount /r none "$WORK/source" rbind runbindable
	container_mountinfo
	assert_equal "$(kind /m)" "unbindable"
	[[ $(kind /m/sub) != *unbindable* ]]
	assert_equal "$(kind /r)" "unbindable"
	assert_equal "$(kind /r/sub)" "unbindable"
}

@test "several propagation flags are applied in order: a slave that is shared" {
	bind_source slave shared
	container_mountinfo
	assert_equal "$(kind /m)" "shared: master:"
}

@test "propagation flags apply to new filesystems, too" {
	add_mount /s tmpfs tmpfs shared
	add_mount /u tmpfs tmpfs unbindable
	container_mountinfo
	[[ $(kind /s) == shared:* ]]
	assert_equal "$(kind /u)" "unbindable"
}

@test "without propagation flags nothing in the container is shared" {
	bind_source
	add_mount /t tmpfs tmpfs
	container_mountinfo
	refute_contains shared:
}

# live_mounts SCRIPT runs a container that lives until it is deleted, and meanwhile the script, which
# has its pid in $pid.
live_mounts() {
	args sleep 600
	# shellcheck disable=SC2016
	in_mount_namespace shared '
		mount -t tmpfs tmpfs "$WORK/source"
		mkdir "$WORK/source/sub"
		"$RT" --root "$ROOT" run -d -b "$BUNDLE" "$1" >/dev/null 2>&1
		trap "\"$RT\" --root \"$ROOT\" delete --force \"$1\"" EXIT
		pid=$("$RT" --root "$ROOT" state "$1" | jq .pid)
		'"$1" "$(new_id)"
}

@test "rslave: what the host mounts later appears in the container" {
	bind_source rslave
	# shellcheck disable=SC2016
	live_mounts '
		mount -t tmpfs later "$WORK/source/sub"
		cat "/proc/$pid/mountinfo"
	'
	assert_success
	assert_equal "$(mount_source /m/sub)" later
}

@test "rslave: what the container mounts does not appear on the host" {
	bind_source rslave
	# shellcheck disable=SC2016
	live_mounts '
		nsenter --mount --target "$pid" --root mount -t tmpfs later /m/sub
		cat /proc/self/mountinfo
	'
	assert_success
	refute_contains later
}

@test "private: what the host mounts later does not appear in the container" {
	bind_source rprivate
	# shellcheck disable=SC2016
	live_mounts '
		mount -t tmpfs later "$WORK/source/sub"
		cat "/proc/$pid/mountinfo"
	'
	assert_success
	refute_contains later
}

@test "rshared with a shared root: what the container mounts appears on the host" {
	skip_in userns "$SLAVE"
	config '.linux.rootfsPropagation = "rshared"'
	bind_source rshared
	# shellcheck disable=SC2016
	live_mounts '
		nsenter --mount --target "$pid" --root mount -t tmpfs later /m/sub
		cat /proc/self/mountinfo
		umount "$WORK/source/sub"
	'
	assert_success
	assert_equal "$(mount_source "$WORK/source/sub")" later
}

@test "what the container mounts elsewhere does not appear on the host, even with a shared root" {
	skip_in userns "$SLAVE"
	config '.linux.rootfsPropagation = "rshared"'
	# shellcheck disable=SC2016
	live_mounts '
		nsenter --mount --target "$pid" --root mount -t tmpfs later /tmp
		cat /proc/self/mountinfo
	'
	assert_success
	refute_contains later
}
