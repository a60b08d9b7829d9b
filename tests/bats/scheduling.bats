#!/usr/bin/env bats
# When, where and with which memory a container's program runs: scheduler, I/O priority, CPUs, NUMA
# memory policy, and the personality. All of it is read from the kernel, in the container or outside.

setup() {
	load helpers
	load inside
	setup_bundle
}

teardown() {
	teardown_all
}

# started starts a container that sleeps and sets $ID and $PID.
started() {
	args sleep 1000
	ID=$(new_id)
	rt run --detach -b "$BUNDLE" "$ID"
	PID=$(container_pid "$ID")
}

# executed [FLAG...] starts one more process that sleeps and sets $PID.
executed() {
	rt exec --detach --pid-file "$WORK/pid" "$@" "$ID" sleep 1000
	PID=$(<"$WORK/pid")
}

# process_file FILTER writes $WORK/process.json: the config's process, sleeping, changed by a jq filter.
process_file() {
	jq ".process | .args = [\"sleep\", \"1000\"] | $1" "$BUNDLE/config.json" >"$WORK/process.json"
}

# --- scheduler ---

# scheduled PID prints policy and static priority as chrt knows them, and the nice value.
scheduled() {
	printf '%s %s %s\n' "$(chrt -p "$1" | sed -n '1s/.*policy: //p')" "$(chrt -p "$1" | sed -n '2s/.*: //p')" "$(cut -d ' ' -f 19 "/proc/$1/stat")"
}

@test "SCHED_OTHER with a nice value" {
	config '.process.scheduler = {policy: "SCHED_OTHER", nice: 7}'
	started
	assert_equal "$(scheduled "$PID")" "SCHED_OTHER 0 7"
}

@test "SCHED_BATCH with a negative nice value, and a flag" {
	config '.process.scheduler = {policy: "SCHED_BATCH", nice: -5, flags: ["SCHED_FLAG_RESET_ON_FORK"]}'
	started
	assert_equal "$(scheduled "$PID")" "SCHED_BATCH|SCHED_RESET_ON_FORK 0 -5"
}

@test "SCHED_IDLE" {
	config '.process.scheduler = {policy: "SCHED_IDLE"}'
	started
	assert_equal "$(scheduled "$PID")" "SCHED_IDLE 0 0"
}

# real_time POLICY tells whether the host lets a process of this test's kind of cgroup have the policy.
real_time() {
	chrt "$@" true 2>/dev/null || skip "this host does not allow $1 to a process of the test"
}

@test "SCHED_FIFO and SCHED_RR with a priority" {
	real_time --fifo 1
	# A v1 group has no time for real-time programs unless it is given some.
	if [[ -e /sys/fs/cgroup/cpu/cpu.rt_runtime_us ]]; then
		config '.linux.resources.cpu = {realtimePeriod: 1000000, realtimeRuntime: 10000}'
	fi
	config '.process.scheduler = {policy: "SCHED_FIFO", priority: 12}'
	started
	assert_equal "$(scheduled "$PID" | cut -d ' ' -f 1,2)" "SCHED_FIFO 12"
	process_file '.scheduler = {policy: "SCHED_RR", priority: 3}'
	executed --process "$WORK/process.json"
	assert_equal "$(scheduled "$PID" | cut -d ' ' -f 1,2)" "SCHED_RR 3"
}

@test "SCHED_DEADLINE with runtime, deadline and period" {
	real_time --deadline --sched-runtime 1000000 --sched-deadline 50000000 --sched-period 100000000 0
	config '.process.scheduler = {policy: "SCHED_DEADLINE", runtime: 1000000, deadline: 50000000, period: 100000000}'
	started
	run chrt -p "$PID"
	assert_contains SCHED_DEADLINE
	assert_contains "1000000/50000000/100000000"
}

@test "exec takes the container's scheduler, unless the process file has another" {
	config '.process.scheduler = {policy: "SCHED_BATCH", nice: 4}'
	started
	executed
	assert_equal "$(scheduled "$PID")" "SCHED_BATCH 0 4"
	process_file 'del(.scheduler)'
	executed --process "$WORK/process.json"
	assert_equal "$(scheduled "$PID")" "SCHED_BATCH 0 4"
	process_file '.scheduler = {policy: "SCHED_OTHER", nice: 9}'
	executed --process "$WORK/process.json"
	assert_equal "$(scheduled "$PID")" "SCHED_OTHER 0 9"
}

@test "without a setting the caller's policy stays" {
	args sleep 1000
	ID=$(new_id)
	# shellcheck disable=SC2069 # a detached container would hold the pipe of run
	chrt --batch 0 nice -n 3 "$RT" --root "$ROOT" run --detach -b "$BUNDLE" "$ID" >"$WORK/out" 2>&1 3>&-
	assert_equal "$(scheduled "$(container_pid "$ID")")" "SCHED_BATCH 0 3"
}

@test "a scheduler that the specification does not allow is refused, by its field" {
	config '.process.scheduler = {policy: "SCHED_OTTER"}'
	refused process.scheduler.policy SCHED_OTTER
	config '.process.scheduler = {policy: "SCHED_OTHER", nice: 20}'
	refused process.scheduler.nice 20
	config '.process.scheduler = {policy: "SCHED_BATCH", priority: 1}'
	refused process.scheduler.priority
	config '.process.scheduler = {policy: "SCHED_FIFO", priority: 1, flags: ["SCHED_FLAG_FAST"]}'
	refused 'process.scheduler.flags[0]' SCHED_FLAG_FAST
	config '.process.scheduler = {policy: "SCHED_OTHER", runtime: 1}'
	refused process.scheduler SCHED_DEADLINE
}

@test "a policy that this kernel does not have is an error with the field" {
	config '.process.scheduler = {policy: "SCHED_ISO"}'
	fails process.scheduler sched_setattr
}

# --- I/O priority ---

@test "ioPriority, for the first process and for exec" {
	needs ionice
	config '.process.ioPriority = {class: "IOPRIO_CLASS_BE", priority: 6}'
	started
	assert_equal "$(ionice -p "$PID")" "best-effort: prio 6"
	executed
	assert_equal "$(ionice -p "$PID")" "best-effort: prio 6"
	process_file '.ioPriority = {class: "IOPRIO_CLASS_RT", priority: 1}'
	executed --process "$WORK/process.json"
	assert_equal "$(ionice -p "$PID")" "realtime: prio 1"
	process_file '.ioPriority = {class: "IOPRIO_CLASS_IDLE", priority: 0}'
	executed --process "$WORK/process.json"
	assert_equal "$(ionice -p "$PID")" idle
}

@test "ioPriority that does not exist is refused" {
	config '.process.ioPriority = {class: "IOPRIO_CLASS_NONE", priority: 0}'
	refused process.ioPriority.class IOPRIO_CLASS_NONE
	config '.process.ioPriority = {class: "IOPRIO_CLASS_BE", priority: 8}'
	refused process.ioPriority.priority 8
}

# --- CPUs ---

@test "a caller that is bound to one CPU does not bind the container" {
	needs taskset
	(($(nproc) > 1)) || skip "the host has one CPU"
	args grep Cpus_allowed_list /proc/self/status
	local all
	all=$(sed -n 's/^Cpus_allowed_list:\t//p' /proc/self/status)
	run_container_by taskset -c 0
	assert_success
	assert_output $'Cpus_allowed_list:\t'"$all"
}

@test "execCPUAffinity is not for the container's first process" {
	(($(nproc) > 1)) || skip "the host has one CPU"
	config '.process.execCPUAffinity = {initial: "0", final: "0"}'
	args grep Cpus_allowed_list /proc/self/status
	run_container
	assert_success
	assert_output "$(grep Cpus_allowed_list /proc/self/status)"
}

# --- memory policy ---

# policy prints the policy of the memory of a process, as numa_maps has it for each of its areas.
policy() {
	cut -d ' ' -f 2 "/proc/$1/numa_maps" | sort -u
}

@test "memoryPolicy: every mode, as the kernel shows it" {
	[[ -e /proc/self/numa_maps ]] || skip "the kernel has no NUMA"
	local entry
	for entry in 'MPOL_DEFAULT;;default' 'MPOL_LOCAL;;local' 'MPOL_BIND;0;bind:0' 'MPOL_INTERLEAVE;0;interleave:0' \
		'MPOL_PREFERRED;0;prefer:0' 'MPOL_PREFERRED;;local' 'MPOL_PREFERRED_MANY;0;prefer (many):0' 'MPOL_WEIGHTED_INTERLEAVE;0;weighted interleave:0'; do
		IFS=';' read -r mode nodes shown <<<"$entry"
		config '.linux.memoryPolicy = {mode: $mode} + if $nodes == "" then {} else {nodes: $nodes} end' --arg mode "$mode" --arg nodes "$nodes"
		args sh -c 'cat /proc/self/numa_maps'
		run_container
		if [[ $status != 0 && $mode == *_MANY || $status != 0 && $mode == *_WEIGHTED_* ]]; then
			assert_contains linux.memoryPolicy # the kernel may be older: 5.15 and 6.9
			continue
		fi
		assert_success
		assert_contains " $shown"
	done
}

@test "memoryPolicy: flags" {
	[[ -e /proc/self/numa_maps ]] || skip "the kernel has no NUMA"
	config '.linux.memoryPolicy = {mode: "MPOL_BIND", nodes: "0", flags: ["MPOL_F_STATIC_NODES"]}'
	started
	assert_equal "$(policy "$PID" | grep bind)" "bind=static:0"
	config '.linux.memoryPolicy = {mode: "MPOL_BIND", nodes: "0", flags: ["MPOL_F_RELATIVE_NODES"]} | .linux.cgroupsPath += "-2"'
	started
	assert_equal "$(policy "$PID" | grep bind)" "bind=relative:0"
}

@test "memoryPolicy is that of exec, too" {
	[[ -e /proc/self/numa_maps ]] || skip "the kernel has no NUMA"
	config '.linux.memoryPolicy = {mode: "MPOL_BIND", nodes: "0"}'
	started
	executed
	assert_equal "$(policy "$PID" | grep bind)" bind:0
}

@test "memoryPolicy: what the specification does not allow is refused" {
	config '.linux.memoryPolicy = {}'
	refused linux.memoryPolicy.mode
	config '.linux.memoryPolicy = {mode: "MPOL_BEST"}'
	refused linux.memoryPolicy.mode MPOL_BEST
	config '.linux.memoryPolicy = {mode: "MPOL_BIND"}'
	refused linux.memoryPolicy.nodes "at least 1 node"
	config '.linux.memoryPolicy = {mode: "MPOL_LOCAL", nodes: "0"}'
	refused linux.memoryPolicy.nodes "requires 0 nodes"
	config '.linux.memoryPolicy = {mode: "MPOL_BIND", nodes: "0-"}'
	refused linux.memoryPolicy.nodes
	config '.linux.memoryPolicy = {mode: "MPOL_BIND", nodes: "0", flags: ["MPOL_F_FAST"]}'
	refused 'linux.memoryPolicy.flags[0]' MPOL_F_FAST
}

@test "memoryPolicy: nodes that the machine does not have are an error with the field" {
	[[ -e /proc/self/numa_maps && ! -e /sys/devices/system/node/node63 ]] || skip "the kernel has no NUMA, or a node 63"
	config '.linux.memoryPolicy = {mode: "MPOL_BIND", nodes: "63"}'
	fails linux.memoryPolicy set_mempolicy
}

# --- personality ---

@test "personality LINUX32 makes a 32-bit machine of it, also for exec" {
	[[ $(uname -m) == x86_64 ]] || skip "only x86_64 shows the name of another machine"
	config '.linux.personality = {domain: "LINUX32"}'
	args uname -m
	run_container
	assert_success
	assert_output i686
	started
	runtime exec "$ID" uname -m
	assert_output i686
	assert_equal "$(cat "/proc/$PID/personality")" 00000008
}

@test "personality LINUX takes the caller's LINUX32 away" {
	needs setarch
	[[ $(uname -m) == x86_64 ]] || skip "only x86_64 shows the name of another machine"
	config '.linux.personality = {domain: "LINUX"}'
	args uname -m
	run_container_by setarch i686
	assert_success
	assert_output x86_64
}

@test "personality is set before the seccomp filter that forbids it" {
	[[ $(uname -m) == x86_64 ]] || skip "only x86_64 shows the name of another machine"
	config '.linux.personality = {domain: "LINUX32"} | .linux.seccomp = {defaultAction: "SCMP_ACT_ALLOW", syscalls: [{names: ["personality"], action: "SCMP_ACT_ERRNO"}]}'
	args uname -m
	run_container
	assert_success
	assert_output i686
}

@test "personality: an unknown domain is refused, flags are a warning" {
	config '.linux.personality = {domain: "LINUX64"}'
	refused linux.personality.domain LINUX64
	config '.linux.personality = {domain: "LINUX", flags: ["ADDR_NO_RANDOMIZE"]}'
	args true
	runtime --log "$WORK/log" run -b "$BUNDLE" "$(new_id)"
	assert_success
	grep -q linux.personality.flags "$WORK/log"
}
