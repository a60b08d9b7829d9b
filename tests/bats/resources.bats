#!/usr/bin/env bats
# linux.resources of a new container, but for devices: what is asked for is set before the program
# runs, and what cannot be set is told by its field.

setup() {
	load helpers
	load inside
	load cgroups
	setup_bundle
}

teardown() {
	teardown_all
}

# bats test_tags=vm,systemd
@test "limits of memory" {
	needs_controller memory
	resources '{memory: {limit: 67108864, reservation: 33554432, swap: 100663296}}'
	run_detached sleep 1000
	assert_equal "$(limit "$ID" memory.limit_in_bytes memory.max)" 67108864
	assert_equal "$(limit "$ID" memory.soft_limit_in_bytes memory.low)" 33554432
	if unified; then
		assert_equal "$(limit "$ID" memory.memsw.limit_in_bytes memory.swap.max)" 33554432
	else
		assert_equal "$(limit "$ID" memory.memsw.limit_in_bytes memory.swap.max)" 100663296
	fi
}

@test "limits of cgroup v1 that v2 does not have" {
	unified && skip "this is cgroup v2"
	needs_controller memory
	resources '{memory: {swappiness: 7, disableOOMKiller: true, limit: 67108864}}'
	run_detached sleep 1000
	assert_equal "$(limit "$ID" memory.swappiness '')" 7
	limit "$ID" memory.oom_control '' | grep -qx 'oom_kill_disable 1'
}

# bats test_tags=vm,systemd,smoke
@test "shares, quota, period and burst of processor time" {
	needs_controller cpu
	resources '{cpu: {shares: 4096, quota: 40000, period: 80000, burst: 10000}}'
	run_detached sleep 1000
	if unified; then
		assert_equal "$(limit "$ID" cpu. cpu.weight)" 303
		assert_equal "$(limit "$ID" cpu. cpu.max)" '40000 80000'
		assert_equal "$(limit "$ID" cpu. cpu.max.burst)" 10000
	else
		assert_equal "$(limit "$ID" cpu.shares '')" 4096
		assert_equal "$(limit "$ID" cpu.cfs_quota_us '')" 40000
		assert_equal "$(limit "$ID" cpu.cfs_period_us '')" 80000
		assert_equal "$(limit "$ID" cpu.cfs_burst_us '')" 10000
	fi
}

# bats test_tags=vm,systemd
@test "an idle container, whose shares then do not count" {
	needs_controller cpu
	resources '{cpu: {shares: 512, idle: 1}}'
	run_detached sleep 1000
	assert_equal "$(limit "$ID" cpu.idle cpu.idle)" 1
}

# bats test_tags=vm,systemd
@test "processors and memory nodes" {
	needs_controller cpuset
	resources '{cpu: {cpus: "0", mems: "0"}}'
	run_detached sleep 1000
	assert_equal "$(limit "$ID" cpuset.cpus cpuset.cpus)" 0
	assert_equal "$(limit "$ID" cpuset.mems cpuset.mems)" 0
	assert_equal "$(taskset -cp "$(container_pid "$ID")" | sed 's/.*: //')" 0
}

# bats test_tags=vm,systemd
@test "a limit of processes" {
	needs_controller pids
	local asked written
	while read -r asked written; do
		resources "{pids: {limit: $asked}}"
		run_detached sleep 1000
		assert_equal "$(limit "$ID" pids.max pids.max)" "$written"
		rt delete --force "$ID"
	done <<-'END'
		5 5
		-1 max
		0 max
	END
	config '.ociVersion = "1.3.0"'
	resources '{pids: {limit: 0}}'
	run_detached sleep 1000
	assert_equal "$(limit "$ID" pids.max pids.max)" 1
}

# bats test_tags=vm,systemd
@test "a weight of block I/O" {
	needs_controller blkio
	resources '{blockIO: {weight: 750}}'
	run_detached sleep 1000
	local directory
	directory=$(cgroup_directory "$ID" blkio)
	run cat "$directory"/{blkio.weight,blkio.bfq.weight,io.bfq.weight,io.weight}
	[[ $output == *750* || $output == *'default 7475'* ]]
}

# bats test_tags=vm,systemd
@test "rates of block devices" {
	needs_controller blkio
	local device
	device=$(cat /sys/block/*/dev | head -1)
	[[ -n $device ]] || skip "the host has no block device"
	resources "{blockIO: {
		throttleReadBpsDevice: [{major: ${device%:*}, minor: ${device#*:}, rate: 1048576}],
		throttleWriteIOPSDevice: [{major: ${device%:*}, minor: ${device#*:}, rate: 100}]}}"
	run_detached sleep 1000
	if unified; then
		assert_equal "$(limit "$ID" blkio. io.max)" "$device rbps=1048576 wbps=max riops=max wiops=100"
	else
		assert_equal "$(limit "$ID" blkio.throttle.read_bps_device '')" "$device 1048576"
		assert_equal "$(limit "$ID" blkio.throttle.write_iops_device '')" "$device 100"
	fi
}

# bats test_tags=vm,systemd
@test "a limit of huge pages, of those in use and those reserved" {
	needs_controller hugetlb
	[[ -d /sys/kernel/mm/hugepages/hugepages-2048kB ]] || skip "no huge pages of 2 MB here"
	resources '{hugepageLimits: [{pageSize: "2MB", limit: 4194304}]}'
	run_detached sleep 1000
	assert_equal "$(limit "$ID" hugetlb.2MB.limit_in_bytes hugetlb.2MB.max)" 4194304
	assert_equal "$(limit "$ID" hugetlb.2MB.rsvd.limit_in_bytes hugetlb.2MB.rsvd.max)" 4194304
}

# bats test_tags=vm,systemd
@test "files of cgroup v2 by name, after everything else" {
	unified || skip "this is cgroup v1"
	resources '{unified: {"cgroup.max.depth": "3"}}'
	controller hugetlb && resources '{hugepageLimits: [{pageSize: "2MB", limit: 4194304}], unified: {"cgroup.max.depth": "3", "hugetlb.2MB.max": "2097152"}}'
	run_detached sleep 1000
	assert_equal "$(limit "$ID" '' cgroup.max.depth)" 3
	if controller hugetlb; then
		assert_equal "$(limit "$ID" '' hugetlb.2MB.max)" 2097152
	fi
}

# bats test_tags=vm,smoke
@test "every controller that the host has is there for the container" {
	unified || skip "on cgroup v1 every controller is everywhere"
	run_detached sleep 1000
	local directory
	directory=$(cgroup_directory "$ID" '')
	assert_equal "$(tr ' ' '\n' <"$directory/cgroup.controllers" | sort)" "$(tr ' ' '\n' </sys/fs/cgroup/cgroup.controllers | sort)"
}

# bats test_tags=vm
@test "a limit of a device that is not there is told by its field" {
	needs_controller rdma
	resources '{rdma: {"no-such-device": {hcaHandles: 3, hcaObjects: 10000}}}'
	fails linux.resources.rdma 'no such device'
}

# bats test_tags=vm
@test "next to nothing is charged to a container that waits to be started" {
	needs_controller memory
	ID=$(new_id)
	rt create --bundle "$BUNDLE" "$ID" >"$WORK/out" 2>&1
	(($(limit "$ID" memory.usage_in_bytes memory.current) < 1 << 20))
}

# bats test_tags=vm
@test "the program is killed that uses more memory than it may" {
	needs_controller memory
	resources '{memory: {limit: 8388608, swap: 8388608}}'
	inside 'x=$(head -c 30000000 /dev/zero | tr "\0" x); echo survived'
	assert_failure
	refute_contains survived
}

# bats test_tags=vm
@test "no more processes are made than there may be" {
	needs_controller pids
	resources '{pids: {limit: 2}}'
	inside 'sleep 1 | sleep 1 | sleep 1 || true; echo done'
	assert_contains "can't fork"
}

# The program reads its own limit as the first thing it does, again and again: limits that were set
# while it runs already would be missed sooner or later. There is no other reason to wait for the host.
# bats test_tags=vm,systemd
@test "the program never runs without its limits" {
	needs_controller pids
	config '.process.env += ["HOME=/"] | del(.process.rlimits) | .linux.resources.pids.limit = 77'
	args cat /sys/fs/cgroup/pids.max
	unified || args cat /sys/fs/cgroup/pids/pids.max
	for _ in {1..20}; do
		run_container
		assert_output 77
	done
}

# bats test_tags=vm,systemd,smoke
@test "a memory limit of 512 KiB and a single process are enough to run true" {
	needs_controller memory pids
	resources '{memory: {limit: 524288}, pids: {limit: 1}}'
	args true
	for _ in {1..10}; do
		run_container
		assert_success
		assert_output ''
	done
}

# bats test_tags=vm
@test "a memory limit that is too small even to begin is told as such" {
	needs_controller memory
	resources '{memory: {limit: 65536}}'
	fails 'memory limit'
}

# bats test_tags=vm
@test "an init stage that memory does not suffice for is told to be killed for that" {
	needs_controller memory
	resources '{memory: {limit: 1048576}}'
	config '.mounts += [range(400) | {destination: "/dev/shm/\(.)", type: "tmpfs", source: "tmpfs"}]'
	fails 'container init was OOM-killed (memory limit too low?)'
}

# bats test_tags=vm
@test "a single process is enough also to join a pid namespace" {
	needs_controller pids
	run_detached sleep 1000
	local target
	target=$(container_pid "$ID")
	setup_bundle second
	resources '{pids: {limit: 1}}'
	config ".linux.namespaces |= map(if .type == \"pid\" then .path = \"/proc/$target/ns/pid\" else . end)"
	args true
	run_container
	assert_success
}

@test "a limit without controller is told by its field, before anything is made" {
	local -A limits=(
		[memory]='{memory: {limit: 67108864}}' [cpu]='{cpu: {shares: 512}}' [cpuset]='{cpu: {cpus: "0"}}' [pids]='{pids: {limit: 5}}'
		[blkio]='{blockIO: {weight: 100}}' [hugetlb]='{hugepageLimits: [{pageSize: "2MB", limit: 0}]}' [rdma]='{rdma: {mlx: {hcaHandles: 1}}}'
	)
	local -A fields=(
		[memory]=memory.limit [cpu]=cpu.shares [cpuset]=cpu.cpus [pids]=pids.limit
		[blkio]=blockIO.weight [hugetlb]='hugepageLimits[0]' [rdma]='rdma["mlx"]'
	)
	local name tried=0
	for name in "${!limits[@]}"; do
		controller "$name" && continue
		((++tried))
		config ".linux.resources = ${limits[$name]}"
		refused "config.json:" "linux.resources.${fields[$name]}: needs the" controller
	done
	((tried)) || skip "there is every controller here"
}

# bats test_tags=vm,systemd
@test "a limit that the kernel refuses is told by its field, and nothing is left" {
	if controller cpu; then
		config '.linux.resources.cpu.quota = 5'
		# A quota is rounded up for systemd.
		[[ ${RT_CGROUP_DRIVER:-} != systemd ]] || config '.linux.resources.cpu.period = 3'
		fails linux.resources.cpu.quota 'config.json:' 'invalid argument'
	fi
	if controller cpuset; then
		config '.linux.resources.cpu = {cpus: "1023"}'
		fails linux.resources.cpu.cpus
	fi
	if controller hugetlb; then
		config '.linux.resources |= (del(.cpu) | .hugepageLimits = [{pageSize: "3MB", limit: 0}])'
		fails linux.resources.hugepageLimits 'no such file or directory'
	fi
}

@test "unified files and page sizes cannot lead to other files" {
	local name
	for name in ../cgroup.procs a/b /etc/passwd .. 'x/../../cgroup.procs'; do
		config '.linux.resources.unified = {($name): "1"}' --arg name "$name"
		refused "linux.resources.unified[\"$name\"]"
	done
	config 'del(.linux.resources.unified)'
	for name in ../../2MB 2MB/../x '' MB 2M; do
		config '.linux.resources.hugepageLimits = [{pageSize: $name, limit: 1}]' --arg name "$name"
		refused 'linux.resources.hugepageLimits[0].pageSize'
	done
}

@test "a unified file of a missing controller is told by its name" {
	unified || skip "this is cgroup v1"
	controller memory && skip "there is a memory controller here"
	resources '{unified: {"memory.high": "67108864"}}'
	refused 'linux.resources.unified["memory.high"]' 'needs the memory controller'
}

@test "limits are set after the mounts where these need a device that the program may not use" {
	needs mkfs.ext4
	[[ -b /dev/loop0 ]] || skip "the host has no loop device"
	truncate -s 4M "$WORK/disk"
	mkfs.ext4 -q "$WORK/disk"
	local loop
	loop=$(losetup --find --show "$WORK/disk") || skip "no free loop device"
	config '.process.capabilities[] += ["CAP_MKNOD"] | .mounts += [{destination: "/disk", type: "ext4", source: $loop}]' --arg loop "$loop"
	inside 'ls -d /disk/lost+found; mknod /dev/disk b "$@"; head -c 1 /dev/disk' "$((0x$(stat -c %t "$loop")))" "$((0x$(stat -c %T "$loop")))" || true
	losetup --detach "$loop"
	assert_contains /disk/lost+found
	assert_contains 'not permitted'
}

# occupied CONTROLLER... makes the cgroup of the current bundle in some hierarchies and sets $CGROUPS.
occupied() {
	local path name
	path=$(jq -r .linux.cgroupsPath "$BUNDLE/config.json")
	CGROUPS=()
	for name; do
		CGROUPS+=("/sys/fs/cgroup${name:+/$name}$path")
		mkdir "${CGROUPS[-1]}"
	done
}

# bats test_tags=vm
@test "a cgroup that is not empty is refused before anything is made" {
	if unified; then occupied ''; else occupied unified devices; fi
	local cgroup
	sleep 1000 &
	for cgroup in "${CGROUPS[@]}"; do
		echo $! >"$cgroup/cgroup.procs"
		runtime run --bundle "$BUNDLE" "$(new_id)"
		assert_failure 1
		assert_contains "container's cgroup is not empty: 1 process(es) found"
		[[ -z $(ls "$ROOT") ]]
		kill -0 $!
		echo $! >"${cgroup%/*}/cgroup.procs"
		rmdir "$cgroup"
	done
	kill $!
	runtime run --bundle "$BUNDLE" "$(new_id)"
	assert_success
}

# bats test_tags=vm
@test "a cgroup that is frozen is refused before anything is made" {
	if unified; then
		occupied ''
		echo 1 >"${CGROUPS[0]}/cgroup.freeze"
		wait_until 5 grep -q 'frozen 1' "${CGROUPS[0]}/cgroup.events"
	else
		needs_controller freezer
		occupied freezer
		echo FROZEN >"${CGROUPS[0]}/freezer.state"
	fi
	runtime run --bundle "$BUNDLE" "$(new_id)"
	assert_failure 1
	assert_contains "container's cgroup unexpectedly frozen"
	[[ -z $(ls "$ROOT") ]]
	rmdir "${CGROUPS[0]}"
}

@test "an empty cgroup that exists is used, and is limited" {
	if unified; then occupied ''; else occupied unified devices; fi
	run_detached sleep 1000
	assert_equal "$(cgroup_directory "$ID" devices)" "${CGROUPS[-1]}"
	rt delete --force "$ID"
	local cgroup
	for cgroup in "${CGROUPS[@]}"; do
		[[ ! -e $cgroup ]]
	done
}
