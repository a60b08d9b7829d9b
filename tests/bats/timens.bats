#!/usr/bin/env bats
# Time namespaces: clocks with offsets, as programs in the container read them.

setup() {
	load helpers
	load inside
	[[ -e /proc/self/ns/time ]] || skip "the kernel has no time namespaces"
	setup_bundle
	cp "$(tool clock)" "$BUNDLE/rootfs/bin/clock"
}

teardown() {
	teardown_all
}

# time_namespace [OFFSETS] adds a new time namespace to the config, with a jq object of offsets.
time_namespace() {
	config '.linux.namespaces += [{type: "time"}]'
	if [[ -n ${1:-} ]]; then
		config ".linux.timeOffsets = $1"
	fi
}

# clocks_are MONOTONIC BOOTTIME: two lines of output are what the host's clocks show, with these
# seconds added. Half a minute may have passed.
clocks_are() {
	local now i=0 offset
	mapfile -t now < <("$(tool clock)")
	for offset; do
		local behind=$((now[i] + offset - lines[i]))
		((behind >= 0 && behind < 30)) || { echo "clock $i: ${lines[i]} inside, ${now[i]} outside" && return 1; }
		((++i))
	done
}

@test "offsets move the clocks" {
	time_namespace '{monotonic: {secs: 7000, nanosecs: 5}, boottime: {secs: 1337000}}'
	args clock
	run_container
	assert_success
	clocks_are 7000 1337000
}

@test "the kernel shows the offsets, and the uptime moves" {
	time_namespace '{monotonic: {secs: -1, nanosecs: 500000000}, boottime: {secs: 86400}}'
	inside 'cat /proc/self/timens_offsets; cut -d . -f 1 /proc/uptime'
	assert_success
	assert_equal "$(tr -s ' ' <<<"${lines[0]}")" "monotonic -1 500000000"
	assert_equal "$(tr -s ' ' <<<"${lines[1]}")" "boottime 86400 0"
	local uptime behind
	read -r uptime _ </proc/uptime
	behind=$((${uptime%.*} + 86400 - lines[2]))
	((behind >= 0 && behind < 30))
}

@test "one clock alone can have an offset" {
	time_namespace '{boottime: {secs: 100000}}'
	args clock
	run_container
	assert_success
	clocks_are 0 100000
}

@test "a time namespace without offsets is another one, with the same clocks" {
	time_namespace
	inside 'clock; readlink /proc/self/ns/time; readlink /proc/self/ns/time_for_children'
	assert_success
	clocks_are 0 0
	[[ ${lines[2]} != "$(readlink /proc/self/ns/time)" ]]
	assert_equal "${lines[3]}" "${lines[2]}"
}

@test "without one the host's clocks are the container's" {
	inside 'clock; readlink /proc/self/ns/time'
	assert_success
	clocks_are 0 0
	assert_equal "${lines[2]}" "$(readlink /proc/self/ns/time)"
}

# detached starts a container that sleeps and sets $ID.
detached() {
	args sleep 1000
	ID=$(new_id)
	rt run --detach -b "$BUNDLE" "$ID"
}

@test "exec is in it, too" {
	time_namespace '{monotonic: {secs: 7000}, boottime: {secs: 1337000}}'
	detached
	runtime exec "$ID" clock
	assert_success
	clocks_are 7000 1337000
	runtime exec "$ID" readlink /proc/self/ns/time
	assert_output "$(readlink "/proc/$(container_pid "$ID")/ns/time")"
}

@test "a container that waits for start is in it already" {
	time_namespace '{boottime: {secs: 1337000}}'
	args clock
	ID=$(new_id)
	rt create -b "$BUNDLE" "$ID" >"$WORK/output"
	local pid
	pid=$(container_pid "$ID")
	[[ $(readlink "/proc/$pid/ns/time") != "$(readlink /proc/self/ns/time)" ]]
	assert_equal "$(readlink "/proc/$pid/ns/time_for_children")" "$(readlink "/proc/$pid/ns/time")"
}

@test "another container's is joined by its path, together with its pid namespace or without" {
	skip_in userns 'a pid namespace of another user namespace does not let this one mount its /proc'
	time_namespace '{monotonic: {secs: 7000}, boottime: {secs: 1337000}}'
	detached
	local pid filter
	pid=$(container_pid "$ID")
	for filter in . '(.linux.namespaces[] | select(.type == "pid")).path = $pid'; do
		setup_bundle "second-$(unique)"
		cp "$(tool clock)" "$BUNDLE/rootfs/bin/clock"
		config ".linux.namespaces += [{type: \"time\", path: \$time}] | $filter" --arg time "/proc/$pid/ns/time" --arg pid "/proc/$pid/ns/pid"
		args clock
		run_container
		assert_success
		clocks_are 7000 1337000
	done
}

@test "a new one goes together with a mount namespace that is joined" {
	skip_in rootless "the first container's belongs to its user namespace, which the second one is not in"
	detached
	local pid
	pid=$(container_pid "$ID")
	setup_bundle second
	time_namespace '{boottime: {secs: 1337000}}'
	# The first container's root has what the second one's is to have.
	config '(.linux.namespaces[] | select(.type == "mount")).path = $mount | .root.path = "/" | del(.root.readonly, .mounts, .linux.maskedPaths, .linux.readonlyPaths)' --arg mount "/proc/$pid/ns/mnt"
	args clock
	run_container
	assert_success
	clocks_are 0 1337000
}

@test "what the specification does not allow is refused" {
	config '.linux.timeOffsets = {monotonic: {secs: 1}}'
	refused linux.timeOffsets "time namespace"
	time_namespace '{realtime: {secs: 1}}'
	refused 'linux.timeOffsets["realtime"]'
	config '.linux.timeOffsets = {monotonic: {nanosecs: 1000000000}}'
	refused 'linux.timeOffsets["monotonic"].nanosecs'
	config '.linux.timeOffsets = {monotonic: {secs: 1}} | .linux.namespaces[-1].path = "/proc/self/ns/time"'
	refused linux.timeOffsets
	config 'del(.linux.timeOffsets) | .linux.namespaces[-1].path = "/proc/self/ns/uts"'
	refused "must be a time namespace"
}

@test "an offset that the kernel does not take is an error with the field" {
	time_namespace '{monotonic: {secs: -1000000000}}'
	fails linux.timeOffsets "no clock may show a time before 0"
}

@test "in a user namespace the offsets are set too, and exec finds them" {
	skip_in userns 'the container has one already'
	chown -R 100000:100000 "$BUNDLE/rootfs"
	chmod 755 "$WORK" "$BUNDLE"
	config '.linux.namespaces += [{type: "user"}] | .linux.uidMappings = [{containerID: 0, hostID: 100000, size: 65536}] | .linux.gidMappings = .linux.uidMappings'
	time_namespace '{monotonic: {secs: 7000}, boottime: {secs: 1337000}}'
	args clock
	run_container
	assert_success
	clocks_are 7000 1337000
	detached
	runtime exec "$ID" clock
	assert_success
	clocks_are 7000 1337000
}
