#!/usr/bin/env bats
# linux.intelRdt. What is done with a resctrl filesystem is tested by libns/rdt_test.go on a directory
# that looks like one; here is what a host says that has none, and what one does that has it.

setup() {
	load helpers
	load inside
	setup_bundle
}

teardown() {
	teardown_all
}

resctrl() {
	[[ -e /sys/fs/resctrl/schemata ]]
}

@test "without resctrl intelRdt is refused, by field and line" {
	resctrl && skip "resctrl is mounted"
	config '.linux.intelRdt = {enableMonitoring: true}'
	refused "config.json:$(grep -n intelRdt "$BUNDLE/config.json" | cut -d : -f 1): linux.intelRdt" "no resctrl filesystem is mounted"
}

@test "values that resctrl could not take are refused" {
	config '.linux.intelRdt = {closID: "../x", memBwSchema: "L3:0=1", schemata: ["L3:0=1\nL3:1=1"]}'
	refused linux.intelRdt.closID linux.intelRdt.memBwSchema 'linux.intelRdt.schemata[0]'
}

@test "the plan shows the group on any host" {
	config '.linux.intelRdt = {closID: "gold", schemata: ["L3:0=f"]}'
	runtime plan --no-calls "$BUNDLE"
	assert_success
	assert_contains "join the resctrl group /sys/fs/resctrl/gold"
}

@test "update of a container without intelRdt says so, and does nothing" {
	args sleep 1000
	local id flag
	id=$(new_id)
	rt run --detach -b "$BUNDLE" "$id"
	for flag in --l3-cache-schema=L3:0=f --mem-bw-schema=MB:0=20; do
		runtime update "$flag" --pids-limit 17 "$id"
		assert_failure 1
		assert_contains "updating a non-existent Intel RDT configuration is not supported"
	done
	runtime update --mem-bw-schema L3:0=1 "$id"
	assert_failure 1
	assert_contains "invalid value for mem-bw-schema"
}

@test "a group of the container's own is made, joined, and removed with it" {
	resctrl || skip "the host has no resctrl filesystem"
	config '.linux.intelRdt = {enableMonitoring: true}'
	args sleep 1000
	local id pid
	id=$(new_id)
	rt run --detach -b "$BUNDLE" "$id"
	pid=$(container_pid "$id")
	grep -qx "$pid" "/sys/fs/resctrl/$id/tasks"
	grep -qx "$pid" "/sys/fs/resctrl/$id/mon_groups/$id/tasks"
	rt delete --force "$id"
	[[ ! -e /sys/fs/resctrl/$id ]]
}
