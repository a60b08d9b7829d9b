#!/usr/bin/env bats
# process.oomScoreAdj.

setup() {
	load helpers
	load inside
	setup_bundle
	args cat /proc/self/oom_score_adj
}

teardown() {
	teardown_all
}

# run_with_score SCORE runs the container from a process whose own score is this.
run_with_score() {
	run bash -c 'echo "$1" >/proc/self/oom_score_adj; shift; exec "$@"' bash "$1" "$RT" --root "$ROOT" run -b "$BUNDLE" "$(new_id)"
}

@test "a score is the program's" {
	config '.process.oomScoreAdj = 345'
	run_container
	assert_success
	assert_output 345
}

@test "without one the program has the caller's" {
	run_with_score 123
	assert_success
	assert_output 123
}

@test "0 is a score" {
	config '.process.oomScoreAdj = 0'
	run_with_score 123
	assert_success
	assert_output 0
}

@test "the runtime's own score stays as it is" {
	config '.process.oomScoreAdj = 345'
	args sleep 600
	rt_background run -b "$BUNDLE" "$(new_id)"
	wait_until 5 container_has_score 345
	assert_equal "$(cat "/proc/$RT_PID/oom_score_adj")" "$(cat /proc/self/oom_score_adj)"
}

container_has_score() {
	local pid
	pid=$(rt list --format json | jq '.[0].pid') && [[ $(cat "/proc/$pid/oom_score_adj") == "$1" ]]
}

@test "a score that needs a privilege which the caller lacks is an error that names the field" {
	config '.process.oomScoreAdj = -500'
	run_container_by setpriv --inh-caps -sys_resource --bounding-set -sys_resource
	assert_failure 1
	assert_all_contained process.oomScoreAdj 'permission denied'
	nothing_made
}

@test "a score out of range is an error that names the field" {
	config '.process.oomScoreAdj = 1001'
	runtime create -b "$BUNDLE" "$(new_id)"
	assert_failure 1
	assert_contains process.oomScoreAdj
	nothing_made
}
