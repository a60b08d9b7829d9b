#!/usr/bin/env bats
# No process, and no cgroup, is left by kill --all and delete, whatever there is in the container.

setup() {
	load helpers
	load inside
	load cgroups
	setup_bundle
	config '.process.rlimits = []'
}

teardown() {
	teardown_all
}

shared_pid_namespace() {
	config 'del(.linux.namespaces[] | select(.type == "pid"))'
}

# crowd starts a container with a thousand processes.
crowd() {
	run_detached sh -c 'i=0; while [ $i -lt 1000 ]; do sleep 1001 & i=$((i+1)); done; echo ready; wait'
	wait_until 30 grep -q ready "$WORK/out"
	assert_equal "$(rt ps -f json "$ID" | jq length)" 1001
}

# make_bomb makes a program that makes processes for as long as it can, and begins anew when it cannot.
make_bomb() {
	printf '%s\n' '#!/bin/sh' "trap 'exec \"\$0\"' EXIT" 'while :; do "$0" & done 2>/dev/null' >"$BUNDLE/rootfs/bin/bomb"
	chmod +x "$BUNDLE/rootfs/bin/bomb"
}

# bomb starts a container with it. Where nothing else bounds the number of processes, the user that
# they run as does.
bomb() {
	make_bomb
	if controller pids; then
		resources '{pids: {limit: 200}}'
	else
		config '.process.user = {uid: 54321, gid: 54321} | .process.rlimits = [{type: "RLIMIT_NPROC", soft: 200, hard: 200}]'
	fi
	run_detached bomb
	wait_until 10 many
}

many() {
	(($(rt ps -f json "$ID" | jq length) > 50))
}

nothing_running() {
	[[ -z $(marked_processes "$TOKEN") ]]
}

# within SECONDS COMMAND... runs the command and fails if it took longer.
within() {
	local before=$SECONDS limit=$(($1 * ${RT_SLOWNESS:-1}))
	shift
	"$@"
	((SECONDS - before <= limit))
}

# bats test_tags=vm
@test "a thousand processes are deleted in no time" {
	crowd
	within 3 rt delete --force "$ID"
	nothing_made
}

@test "a thousand processes without a pid namespace of their own are deleted in no time" {
	shared_pid_namespace
	crowd
	within 3 rt delete --force "$ID"
	nothing_made
}

@test "kill --all kills a thousand processes" {
	shared_pid_namespace
	crowd
	within 3 rt kill --all "$ID" KILL
	wait_until 5 nothing_running
	runtime delete "$ID"
	assert_success
	nothing_made
}

@test "a fork bomb is deleted" {
	bomb
	within 5 rt delete --force "$ID"
	nothing_made
}

# bats test_tags=vm,systemd
@test "a fork bomb without a pid namespace of its own is deleted" {
	shared_pid_namespace
	bomb
	within 5 rt delete --force "$ID"
	nothing_made
}

@test "a fork bomb whose first process has ended is deleted without force" {
	shared_pid_namespace
	bomb
	kill -KILL "$(container_pid "$ID")"
	wait_for_status "$ID" stopped
	runtime delete "$ID"
	assert_success
	nothing_made
}

@test "kill --all kills a fork bomb" {
	shared_pid_namespace
	bomb
	rt kill --all "$ID" KILL
	wait_until 5 nothing_running
	assert_equal "$(container_status "$ID")" stopped
}

@test "SIGKILL alone kills all of a fork bomb that shares its pid namespace" {
	shared_pid_namespace
	bomb
	rt kill "$ID" KILL
	wait_until 5 nothing_running
}

# The kernel's own way to kill a cgroup is in the unified hierarchy.
@test "a fork bomb and a crowd are deleted where there is only cgroup v1" {
	unified && skip "this is cgroup v2"
	needs_controller freezer pids
	shared_pid_namespace
	make_bomb
	args bomb
	resources '{pids: {limit: 200}}'
	ID=$(new_id)
	export ID
	# shellcheck disable=SC2016
	in_mount_namespace private '
		mounts=$(sed -n "s|.* \(/sys/fs/cgroup/[^/ ]*\) .* - cgroup [^ ]* rw,\(.*\)$|\1 \2|p" /proc/self/mountinfo)
		mount -t tmpfs tmpfs /sys/fs/cgroup
		while read -r path options; do
			mkdir "$path"
			[[ $options == name=* ]] && options=none,$options
			mount -t cgroup -o "$options" cgroup "$path"
		done <<<"$mounts"
		[[ ! -e /sys/fs/cgroup/unified && -e /sys/fs/cgroup/freezer/tasks ]]
		"$RT" --root "$ROOT" run --detach --bundle "$BUNDLE" "$ID" >"$WORK/out" 2>&1
		for _ in {1..200}; do
			(($("$RT" --root "$ROOT" ps -f json "$ID" | jq length) > 50)) && break
			sleep 0.05
		done
		"$RT" --root "$ROOT" delete --force "$ID"
		jq ".process.args = [\"sh\", \"-c\", \"for i in 1 2 3 4 5; do sleep 1001 & done; wait\"]" "$BUNDLE/config.json" >"$BUNDLE/crowd.json"
		"$RT" --root "$ROOT" run --detach --config crowd.json --bundle "$BUNDLE" "$ID" >"$WORK/out" 2>&1
		"$RT" --root "$ROOT" pause "$ID"
		"$RT" --root "$ROOT" delete --force "$ID"
	'
	assert_success
	nothing_made
}

@test "cgroups that the container made are removed with it" {
	shared_pid_namespace
	run_detached sh -c 'sleep 1001 & sleep 1002 & wait'
	local directory child
	for directory in "$(cgroup_directory "$ID" '')" "$(controller pids && cgroup_directory "$ID" pids)"; do
		[[ -n $directory ]] || continue
		mkdir -p "$directory/a/b"
		child=$(pgrep -f '^sleep 1001$' -P "$(container_pid "$ID")")
		echo "$child" >"$directory/a/b/cgroup.procs"
	done
	within 3 rt delete --force "$ID"
	nothing_made
}

@test "without a cgroup, kill --all signals the first process, and other commands say why they cannot" {
	args sleep 1000
	ID=$(new_id)
	rt --cgroup-manager disabled run --detach --bundle "$BUNDLE" "$ID" >"$WORK/out" 2>&1
	[[ -z $(marked_cgroups "$TOKEN") ]]
	local command
	for command in pause update 'events --stats' events; do
		# shellcheck disable=SC2086
		runtime $command "$ID"
		assert_failure 1
		assert_contains 'the container has no cgroup'
	done
	assert_equal "$(rt ps -f json "$ID")" "[$(container_pid "$ID")]"
	rt kill --all "$ID" KILL
	wait_for_status "$ID" stopped
}
