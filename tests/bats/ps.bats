#!/usr/bin/env bats
# The processes of a container, by the host's ps or as JSON.

setup() {
	load helpers
	load inside
	load cgroups
	setup_bundle
	run_detached sh -c 'sleep 1001 & sleep 1002 & echo ready; wait'
	wait_until 5 grep -q ready "$WORK/out"
}

teardown() {
	teardown_all
}

@test "ps prints the host's table with the container's processes" {
	runtime ps "$ID"
	assert_success
	[[ ${lines[0]} =~ ^UID\ +PID\  ]]
	assert_equal "${#lines[@]}" 4
	assert_all_contained 'sleep 1001' 'sleep 1002'
}

@test "ps takes the options of the host's ps, and none of them for its own" {
	runtime ps "$ID" -e -o pid,args
	assert_success
	[[ ${lines[0]} =~ ^\ *PID\ COMMAND$ ]]
	assert_equal "${#lines[@]}" 4
	runtime ps "$ID" -f -e
	assert_success
	assert_equal "${#lines[@]}" 4
}

@test "ps takes all options as one argument, which may be empty" {
	runtime ps --format table "$ID" ''
	assert_success
	assert_equal "${#lines[@]}" 4
	runtime ps --format table "$ID" '-e -o ppid,pid,args'
	assert_success
	[[ ${lines[0]} =~ ^\ *PPID\ +PID\ COMMAND$ ]]
	assert_equal "${#lines[@]}" 4
}

@test "ps works without a PATH" {
	run env -u PATH "$RT" --root "$ROOT" ps "$ID"
	assert_success
	assert_equal "${#lines[@]}" 4
}

@test "ps --format json prints the pids that the caller knows" {
	local format
	for format in '--format json' '-f json' '--format=json'; do
		# shellcheck disable=SC2086
		runtime ps $format "$ID"
		assert_success
		assert_equal "${#lines[@]}" 1
		assert_equal "$(jq -c 'map(type) | unique' <<<"$output")" '["number"]'
		assert_equal "$(jq length <<<"$output")" 3
		jq -e "index($(container_pid "$ID"))" <<<"$output"
	done
}

@test "ps finds processes of a container without a pid namespace, and in cgroups below its own" {
	setup_bundle second
	config 'del(.linux.namespaces[] | select(.type == "pid"))'
	run_detached sh -c 'sleep 1003 & echo ready; wait'
	wait_until 5 grep -q ready "$WORK/out"
	local child below
	child=$(pgrep -f "^sleep 1003$" -P "$(container_pid "$ID")")
	if ! ordinary; then
		below=$(cgroup_directory "$ID" '')/below
		mkdir "$below"
		echo "$child" >"$below/cgroup.procs"
	fi
	runtime ps "$ID"
	assert_contains 'sleep 1003'
	assert_equal "${#lines[@]}" 3
}

@test "ps shows what is paused" {
	needs_cgroup
	rt pause "$ID"
	runtime ps -f json "$ID"
	assert_equal "$(jq length <<<"$output")" 3
}

@test "ps of a stopped container is empty" {
	rt kill "$ID" KILL
	wait_for_status "$ID" stopped
	runtime ps --format json "$ID"
	assert_success
	assert_output '[]'
	runtime ps "$ID"
	assert_success
	assert_equal "${#lines[@]}" 1
}

@test "ps says why it cannot" {
	runtime ps "$ID" -o args
	assert_failure 1
	assert_contains "couldn't find PID field in ps output"
	runtime ps "$ID" --no-such-option
	assert_failure 1
	runtime ps --format xml "$ID"
	assert_failure 1
	assert_contains 'invalid format option'
	runtime ps "$(new_id)"
	assert_failure 1
	assert_contains 'container does not exist'
	runtime ps
	assert_failure 1
	assert_contains '"ps" requires a minimum of 1 argument'
}
