#!/usr/bin/env bats
# update: limits of a container that is there already.

setup() {
	load helpers
	load inside
	load cgroups
	setup_bundle
}

teardown() {
	teardown_all
}

# update ARGUMENT... changes the limits of $ID and says nothing about it.
update() {
	runtime update "$@" "$ID"
	assert_success
	assert_output ''
}

# update_with JSON does the same from a file, from a pipe and from standard input.
update_with() {
	local form
	printf '%s' "$1" >"$WORK/resources.json"
	for form in --resources "-r"; do
		update "$form" "$WORK/resources.json"
	done
	update --resources=- <"$WORK/resources.json"
	RT_KEEP_FDS=7 update -r /dev/fd/7 7<"$WORK/resources.json"
}

assert_limit() {
	assert_equal "$(limit "$ID" "$1" "$2")" "$3"
}

# bats test_tags=vm,systemd,smoke
@test "memory, by bytes and by units" {
	needs_controller memory
	run_detached sleep 1000
	update --memory 67108864
	assert_limit memory.limit_in_bytes memory.max 67108864
	update --memory 50M --memory-reservation 16m
	assert_limit memory.limit_in_bytes memory.max 52428800
	assert_limit memory.soft_limit_in_bytes memory.low 16777216
	update --memory 1G --memory-swap 1536M
	assert_limit memory.limit_in_bytes memory.max 1073741824
	if unified; then
		assert_limit '' memory.swap.max 536870912
	else
		assert_limit memory.memsw.limit_in_bytes '' 1610612736
	fi
}

# bats test_tags=vm,systemd
@test "memory without limit has swap space without limit" {
	needs_controller memory
	resources '{memory: {limit: 67108864, swap: 134217728}}'
	run_detached sleep 1000
	update --memory -1
	if unified; then
		assert_limit '' memory.max max
		assert_limit '' memory.swap.max max
	else
		(($(limit "$ID" memory.limit_in_bytes '') > 1 << 60))
		(($(limit "$ID" memory.memsw.limit_in_bytes '') > 1 << 60))
	fi
}

# bats test_tags=vm
@test "memory below and above the old limit of memory and swap space, with a new one" {
	needs_controller memory
	resources '{memory: {limit: 67108864, swap: 67108864}}'
	run_detached sleep 1000
	update --memory 33554432 --memory-swap 33554432
	assert_limit memory.limit_in_bytes memory.max 33554432
	update --memory 268435456 --memory-swap 268435456
	assert_limit memory.limit_in_bytes memory.max 268435456
}

# bats test_tags=vm,systemd
@test "processor time" {
	needs_controller cpu
	run_detached sleep 1000
	update --cpu-share 4096 --cpu-period 80000 --cpu-quota 40000 --cpu-burst 10000
	if unified; then
		assert_limit cpu. cpu.weight 303
		assert_limit cpu. cpu.max '40000 80000'
		assert_limit cpu. cpu.max.burst 10000
	else
		assert_limit cpu.shares '' 4096
		assert_limit cpu.cfs_period_us '' 80000
		assert_limit cpu.cfs_quota_us '' 40000
		assert_limit cpu.cfs_burst_us '' 10000
	fi
	# One of quota and period leaves the other as it is.
	update --cpu-quota=20000
	update --cpu-period 50000
	if unified; then assert_limit cpu. cpu.max '20000 50000'; else assert_limit cpu.cfs_quota_us '' 20000; fi
	update --cpu-burst 0 --cpu-quota -1
	if unified; then assert_limit cpu. cpu.max 'max 50000'; else assert_limit cpu.cfs_quota_us '' -1; fi
}

# bats test_tags=vm,systemd
@test "an idle container, and no longer" {
	needs_controller cpu
	resources '{cpu: {shares: 4096}}'
	run_detached sleep 1000
	update --cpu-idle 1
	assert_limit cpu.idle cpu.idle 1
	update --cpu-idle 0
	assert_limit cpu.idle cpu.idle 0
	# The kernel has reset the shares, and so they are not remembered either.
	update --cpu-quota 50000
	assert_limit cpu.shares cpu.weight "$(unified && echo 100 || echo 1024)"
	update --cpu-idle 1
	update --cpu-share 2048 --cpu-idle 0
	unified || assert_limit cpu.shares '' 2048
}

# bats test_tags=vm,systemd
@test "processors and memory nodes" {
	needs_controller cpuset
	run_detached sleep 1000
	update --cpuset-cpus 0 --cpuset-mems 0
	assert_limit cpuset.cpus cpuset.cpus 0
	assert_limit cpuset.mems cpuset.mems 0
}

# bats test_tags=vm,systemd
@test "processes" {
	needs_controller pids
	run_detached sleep 1000
	update --pids-limit 10
	assert_limit pids.max pids.max 10
	update --pids-limit -1
	assert_limit pids.max pids.max max
	update --pids-limit 0
	assert_limit pids.max pids.max 1
}

# bats test_tags=vm
@test "the weight of block I/O" {
	needs_controller blkio
	run_detached sleep 1000
	update --blkio-weight 750
	local directory
	directory=$(cgroup_directory "$ID" blkio)
	run cat "$directory"/{blkio.weight,blkio.bfq.weight,io.bfq.weight,io.weight}
	[[ $output == *750* || $output == *'default 7475'* ]]
}

# bats test_tags=vm
@test "limits from a file, a descriptor and standard input, with names in any case" {
	needs_controller pids cpuset
	run_detached sleep 1000
	update_with '{"CPU": {"Cpus": "0"}, "Pids": {"LIMIT": 12}, "unknown": {}, "hugepageLimits": [{"pageSize": "2MB", "limit": 1}], "devices": [{"allow": true, "access": "rwm"}]}'
	assert_limit cpuset.cpus cpuset.cpus 0
	assert_limit pids.max pids.max 12
	update_with '{"cpu": {}, "pids": {}, "memory": {"limit": 0}}'
	assert_limit pids.max pids.max 12
}

@test "with a file, other flags do not count" {
	needs_controller pids
	run_detached sleep 1000
	echo '{"pids": {"limit": 12}}' >"$WORK/resources.json"
	update -r "$WORK/resources.json" --pids-limit 99 --cpu-share 7
	assert_limit pids.max pids.max 12
}

# bats test_tags=vm,systemd
@test "files of cgroup v2 by name" {
	unified || skip "this is cgroup v1"
	run_detached sleep 1000
	update_with '{"unified": {"cgroup.max.depth": "4"}}'
	assert_limit '' cgroup.max.depth 4
	if controller hugetlb; then
		update_with '{"unified": {"hugetlb.2MB.max": "2097152"}}'
		assert_limit '' hugetlb.2MB.max 2097152
		assert_limit '' cgroup.max.depth 4
	fi
}

@test "files of cgroup v2 do not exist in v1, and missing controllers nowhere" {
	run_detached sleep 1000
	if unified; then
		controller memory && skip "there is a memory controller here"
		runtime update --memory 50M "$ID"
		assert_failure 1
		assert_all_contained linux.resources.memory.limit 'needs the memory controller'
	else
		echo '{"unified": {"memory.high": "5"}}' >"$WORK/resources.json"
		runtime update -r "$WORK/resources.json" "$ID"
		assert_failure 1
		assert_contains linux.resources.unified
	fi
}

# bats test_tags=vm
@test "update sets only what it names" {
	[[ ${RT_CGROUP_DRIVER:-} == systemd ]] && skip "systemd writes all that it knows whenever it writes anything"
	needs_controller pids cpu
	resources '{cpu: {shares: 300}}'
	run_detached sleep 1000
	local shares
	shares=$(cgroup_directory "$ID" cpu)/$(unified && echo cpu.weight || echo cpu.shares)
	echo 77 >"$shares"
	update --pids-limit 10
	assert_equal "$(<"$shares")" 77
}

# bats test_tags=vm,systemd
@test "if one limit cannot be set, none is changed, and none is remembered" {
	needs_controller pids cpu memory
	resources '{pids: {limit: 40}, cpu: {shares: 300, quota: 50000}}'
	run_detached sleep 1000
	local before
	before=$(limit "$ID" memory.limit_in_bytes memory.max)
	local too_short=--cpu-quota
	[[ ${RT_CGROUP_DRIVER:-} == systemd ]] && too_short=--cpu-period # systemd's quotas are rounded up
	runtime update --memory 100M --pids-limit 10 --cpu-share 2000 "$too_short" 3 "$ID"
	assert_failure 1
	assert_all_contained linux.resources.cpu.quota 'invalid argument'
	assert_limit memory.limit_in_bytes memory.max "$before"
	assert_limit pids.max pids.max 40
	unified || assert_limit cpu.shares '' 300
	update --cpu-period 80000
	local quota=50000
	[[ ${RT_CGROUP_DRIVER:-} == systemd ]] && quota=50400 # to the next hundredth of a processor
	if unified; then assert_limit '' cpu.max "$quota 80000"; else assert_limit cpu.cfs_quota_us '' "$quota"; fi
}

@test "if one unified file cannot be written, the others are as they were" {
	unified || skip "this is cgroup v1"
	run_detached sleep 1000
	local _
	for _ in {1..5}; do # the order of the files is not certain
		echo '{"unified": {"cgroup.max.depth": "4", "cgroup.max.descendants": "none"}}' >"$WORK/resources.json"
		runtime update -r "$WORK/resources.json" "$ID"
		assert_failure 1
		assert_contains cgroup.max.descendants
		assert_limit '' cgroup.max.depth max
	done
}

# bats test_tags=vm
@test "a limit of memory that is used already is refused" {
	needs_controller memory
	run_detached sleep 1000
	if unified; then
		echo '{"memory": {"limit": 8192, "checkBeforeUpdate": true}}' >"$WORK/resources.json"
		runtime update -r "$WORK/resources.json" "$ID"
		assert_failure 1
		assert_contains 'rejecting memory limit'
	else
		runtime update --memory 8192 "$ID"
		assert_failure 1
		assert_contains 'unable to set memory limit to 8192 (current usage: '
	fi
	assert_equal "$(container_status "$ID")" running
}

@test "values that make no sense are refused" {
	run_detached sleep 1000
	local arguments text
	while read -r arguments text; do
		# shellcheck disable=SC2086
		runtime update "$ID" $arguments
		assert_failure 1
		assert_contains "$text"
	done <<-'END'
		--cpu-idle=2 must be 0 or 1
		--cpu-idle=x invalid value for cpu-idle: "x"
		--memory=x invalid value for memory
		--memory=-5 invalid value for memory
		--memory-swap=50M unable to set swap limit without memory limit
		--blkio-weight=5 must be from 10 to 1000
		--cpuset-cpus=a linux.resources.cpu.cpus
		--pids-limit=-2 must be -1 (no limit) or above
		--l3-cache-schema=L3:0=f updating a non-existent Intel RDT configuration is not supported
		--mem-bw-schema=MB:0=50 updating a non-existent Intel RDT configuration is not supported
	END
	echo '{"pids": [' >"$WORK/resources.json"
	runtime update -r "$WORK/resources.json" "$ID"
	assert_failure 1
	assert_contains "$WORK/resources.json"
	runtime update -r "$WORK/nothing" "$ID"
	assert_failure 1
	assert_contains 'no such file or directory'
}

@test "limits of kernel memory have no effect" {
	run_detached sleep 1000
	update --kernel-memory 5M --kernel-memory-tcp 5M
}

# bats test_tags=vm,systemd
@test "a created and a paused container can be changed, and are then what they were" {
	needs_controller pids freezer
	args sleep 1000
	ID=$(new_id)
	rt create --bundle "$BUNDLE" "$ID"
	update --pids-limit 10
	assert_equal "$(container_status "$ID")" created
	assert_limit pids.max pids.max 10
	rt start "$ID"
	rt pause "$ID"
	update --pids-limit 20
	assert_equal "$(container_status "$ID")" paused
	rt resume "$ID"
	assert_limit pids.max pids.max 20
}

@test "a stopped container, and one that does not exist, cannot be changed" {
	run_detached true
	wait_for_status "$ID" stopped
	runtime update "$ID"
	assert_failure 1
	assert_contains 'container not running'
	runtime update "$(new_id)"
	assert_failure 1
	assert_contains 'container does not exist'
}

@test "a config.json that was edited meanwhile has no part in it" {
	needs_controller cpu
	resources '{cpu: {quota: 50000, period: 100000}}'
	run_detached sleep 1000
	resources '{cpu: {quota: 10000, period: 20000}}'
	update --cpu-quota 60000
	if unified; then assert_limit '' cpu.max '60000 100000'; else assert_limit cpu.cfs_period_us '' 100000; fi
}
