#!/usr/bin/env bats
# pause and resume.

setup() {
	load helpers
	load inside
	load cgroups
	unified || needs_controller freezer
	setup_bundle
}

teardown() {
	teardown_all
}

# counting starts a container whose second process writes a line every few milliseconds.
counting() {
	run_detached sh -c 'while :; do echo line; sleep 0.01; done & wait'
	wait_until 5 counts
}

counts() {
	local before
	before=$(wc -l <"$WORK/out")
	sleep 0.1
	(($(wc -l <"$WORK/out") > before))
}

# bats test_tags=vm,systemd
@test "pause stops all processes, and returns when they stand" {
	counting
	runtime pause "$ID"
	assert_success
	assert_output ''
	local before
	before=$(wc -l <"$WORK/out")
	sleep 0.2
	assert_equal "$(wc -l <"$WORK/out")" "$before"
	assert_equal "$(container_status "$ID")" paused
}

@test "resume lets them go on" {
	counting
	rt pause "$ID"
	runtime resume "$ID"
	assert_success
	assert_output ''
	assert_equal "$(container_status "$ID")" running
	wait_until 5 counts
}

# bats test_tags=vm,systemd
@test "a created container can be paused, and is created again" {
	args sleep 1000
	ID=$(new_id)
	rt create --bundle "$BUNDLE" "$ID"
	rt pause "$ID"
	assert_equal "$(container_status "$ID")" paused
	runtime start "$ID"
	assert_failure 1
	rt resume "$ID"
	assert_equal "$(container_status "$ID")" created
	rt start "$ID"
	assert_equal "$(container_status "$ID")" running
}

@test "only what runs can be paused, and only what is paused resumed" {
	counting
	runtime resume "$ID"
	assert_failure 1
	assert_contains 'container not paused'
	rt pause "$ID"
	runtime pause "$ID"
	assert_failure 1
	assert_contains 'container not running'
	rt kill "$ID" KILL
	wait_for_status "$ID" stopped
	local command
	for command in pause resume; do
		runtime "$command" "$ID"
		assert_failure 1
	done
	runtime pause "$(new_id)"
	assert_failure 1
	assert_contains 'container does not exist'
}

@test "a signal waits for the end of the pause" {
	run_detached sh -c 'trap "echo received; exit" TERM; echo ready; while :; do sleep 0.01; done'
	wait_until 5 grep -q ready "$WORK/out"
	rt pause "$ID"
	runtime kill "$ID" TERM
	assert_success
	sleep 0.1
	run grep -q received "$WORK/out"
	assert_failure
	rt resume "$ID"
	wait_until 5 grep -q received "$WORK/out"
}

@test "SIGKILL ends a paused container" {
	counting
	local pid
	pid=$(container_pid "$ID")
	rt pause "$ID"
	rt kill "$ID" KILL
	wait_until 5 gone "$pid"
	assert_equal "$(container_status "$ID")" stopped
}

@test "a paused container can be deleted by force only" {
	counting
	rt pause "$ID"
	runtime delete "$ID"
	assert_failure 1
	assert_contains 'not stopped: paused'
	runtime delete --force "$ID"
	assert_success
	nothing_made
}

# bats test_tags=vm,systemd
@test "a paused container without a pid namespace is deleted with all its processes" {
	config 'del(.linux.namespaces[] | select(.type == "pid"))'
	counting
	rt pause "$ID"
	runtime delete --force "$ID"
	assert_success
	nothing_made
}

@test "list shows a paused container as such" {
	counting
	rt pause "$ID"
	assert_equal "$(rt list --format json | jq -r '.[].status')" paused
}

@test "a container that makes processes all the time can be paused" {
	run_detached sh -c 'while :; do true & true & true & wait; echo line; done'
	wait_until 5 counts
	for _ in {1..5}; do
		rt pause "$ID"
		run counts
		assert_failure
		rt resume "$ID"
	done
	wait_until 5 counts
}
