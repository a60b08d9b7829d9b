#!/usr/bin/env bats
# events: what a container uses, once or again and again, and that it ran out of memory.

setup() {
	load helpers
	load inside
	load cgroups
	setup_bundle
}

teardown() {
	teardown_all
}

# stream FLAG... starts to print the events of $ID to $WORK/background.out.
stream() {
	rt_background events "$@" "$ID"
}

# streamed TYPE succeeds when an event of this type was printed.
streamed() {
	jq -e --arg type "$1" --arg id "$ID" 'select(.type == $type and .id == $id)' "$WORK/background.out" >/dev/null 2>&1
}

# ended succeeds when the stream has ended by itself, with exit code 0.
ended() {
	wait_until 5 gone "$RT_PID" && wait "$RT_PID" && [[ ! -s $WORK/background.err ]]
}

stats() {
	jq -e "$1" <<<"$output" >/dev/null && return
	echo "not so: $1"
	echo "$output"
	return 1
}

@test "statistics have the shape that callers know" {
	run_detached sleep 1000
	runtime events --stats "$ID"
	assert_success
	assert_equal "${#lines[@]}" 1
	stats ".type == \"stats\" and .id == \"$ID\""
	stats '.data | keys == ["blkio", "cpu", "cpuset", "hugetlb", "intel_rdt", "memory", "network_interfaces", "pids"]'
	stats '.data.network_interfaces == null'
	stats '.data.cpu.usage | (.kernel | type) == "number" and (.user | type) == "number"'
	stats '.data.cpu | has("throttling")'
	stats '.data.memory | [.usage, .swap, .kernel, .kernelTCP][] | has("limit") and has("failcnt")'
	stats '.data.cpuset | has("cpu_exclusive") and has("memory_pressure") and has("sched_relax_domain_level")'
}

# bats test_tags=vm,systemd
@test "statistics are those of the container" {
	needs_controller memory pids
	resources '{memory: {limit: 67108864}, pids: {limit: 20}}'
	run_detached sh -c 'sleep 1000 & i=0; while [ $i -lt 20000 ]; do i=$((i+1)); done; echo ready; wait'
	wait_until 10 grep -q ready "$WORK/out"
	runtime events --stats "$ID"
	stats '.data.memory.usage | .limit == 67108864 and .usage > 4096 and .usage < 67108864 and .max >= .usage'
	stats '.data.memory.raw | length > 10'
	stats '.data.pids == {current: 2, limit: 20}'
	stats '.data.cpu.usage.total > 1000000'
	if ! unified; then
		stats '.data.cpu.usage.percpu | length > 0'
		stats '.data.cpuset.cpus | length > 0'
	fi
}

# bats test_tags=vm
@test "no limit is the largest number" {
	unified || skip "on cgroup v1 it is what the kernel says"
	needs_controller memory
	run_detached sleep 1000
	runtime events --stats "$ID"
	[[ $output == *'"limit":18446744073709551615'* ]]
}

# bats test_tags=vm
@test "huge pages, by their size" {
	needs_controller hugetlb
	run_detached sleep 1000
	runtime events --stats "$ID"
	stats '.data.hugetlb["2MB"] | has("failcnt")'
}

# bats test_tags=vm
@test "the throttling of processor time" {
	needs_controller cpu
	resources '{cpu: {quota: 2000, period: 100000}}'
	run_detached sh -c 'while :; do :; done'
	throttled() {
		runtime events --stats "$ID"
		jq -e '.data.cpu.throttling | .periods > 0 and .throttledPeriods > 0 and .throttledTime > 0' <<<"$output"
	}
	wait_until 10 throttled
}

@test "the stream has statistics after every interval, and ends with the container" {
	run_detached sleep 1000
	stream --interval 100ms
	several() { (($(jq -s length "$WORK/background.out") >= 3)); }
	wait_until 10 several
	jq -s -e --arg id "$ID" 'map([.type, .id]) | unique == [["stats", $id]]' "$WORK/background.out"
	rt delete --force "$ID"
	ended
}

@test "a container that is deleted while its statistics are read is no error" {
	local n
	for n in {1..5}; do
		run_detached sleep 1000
		stream --interval 1ms
		wait_until 10 streamed stats
		rt delete --force "$ID"
		ended
	done
}

@test "the stream ends at once, however long the interval is" {
	run_detached sleep 1000
	stream --interval 1h
	sleep 0.3
	[[ ! -s $WORK/background.out ]]
	rt delete --force "$ID"
	ended
}

# bats test_tags=vm,systemd,smoke
@test "the want of memory is an event" {
	needs_controller memory
	resources '{memory: {limit: 16777216, swap: 16777216}}'
	run_detached sh -c 'while [ ! -e /dev/shm/go ]; do sleep 0.02; done
		x=$(head -c 40000000 /dev/zero | tr "\0" x) & wait; sleep 1000'
	stream --interval 1h
	sleep 0.3
	rt exec "$ID" touch /dev/shm/go
	wait_until 10 streamed oom
	jq -e 'keys == ["id", "type"]' "$WORK/background.out"
	rt delete --force "$ID"
	ended
}

@test "a paused container has events, too" {
	unified || needs_controller freezer
	run_detached sleep 1000
	rt pause "$ID"
	runtime events --stats "$ID"
	assert_success
}

@test "events says why it cannot" {
	run_detached sleep 1000
	local interval
	for interval in 0s -1s; do
		runtime events --interval "$interval" "$ID"
		assert_failure 1
		assert_contains 'duration interval must be greater than 0'
	done
	runtime events --interval soon "$ID"
	assert_failure 1
	rt kill "$ID" KILL
	wait_for_status "$ID" stopped
	runtime events --stats "$ID"
	assert_failure 1
	assert_contains "container with id $ID is not running"
	runtime events "$(new_id)"
	assert_failure 1
	assert_contains 'container does not exist'
}
