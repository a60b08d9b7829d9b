#!/usr/bin/env bats
# containerd's containers, made with ctr.
# shellcheck disable=SC2016,SC2030,SC2031

setup_file() {
	# One test restarts the daemon: what it was about to remove for another would stay for good.
	export BATS_NO_PARALLELIZE_WITHIN_FILE=true
	load containerd && start_containerd
}
teardown_file() { load containerd && stop_containerd; }
setup() { load containerd && begin_containerd_test; }
teardown() { end_containerd_test; }

@test "run: output, errors and the exit code are the program's" {
	run --separate-stderr container --rm -- sh -c 'echo out; echo err >&2; exit 42'
	assert_failure 42
	assert_output out
	# shellcheck disable=SC2154
	assert_equal "$stderr" err
}

@test "run: environment and directory" {
	once --env A=1,2 --cwd /etc -- sh -c 'echo "$A $FROM"; pwd'
	assert_output $'1,2 image\n/etc'
}

@test "run -t: a terminal, which can be typed into" {
	export -f ctr container in_engine_host close_descriptors runtime_binary
	export ID RUNTIME
	run timeout --foreground 90 "$PEER" terminal bash -c 'container --rm --tty -- sh' <<-'SCRIPT'
		expect #
		send tty; test -t 2 && echo is-$((1+1))
		expect is-2
		send exit 9
		end
	SCRIPT
	assert_failure 9
	assert_contains /dev/pts/0
}

@test "run: what cannot be executed is said, and nothing stays" {
	once -- no-such-program
	assert_failure
	assert_contains 'exec: "no-such-program": executable file not found in $PATH'
	ctr containers rm "$ID" 2>/dev/null || true
	once -- /etc/passwd
	assert_failure
	assert_contains 'exec: "/etc/passwd": permission denied'
	ctr containers rm "$ID" 2>/dev/null || true
	once --cwd /etc/passwd -- true
	assert_failure
	assert_contains 'not a directory'
}

@test "run: mounts, a read-only root, capabilities, a filter" {
	once --read-only --mount "type=bind,src=$WORK,dst=/data,options=rbind:rw" --mount type=tmpfs,dst=/scratch,options=size=1048576 \
		--cap-drop CAP_CHOWN --cap-add CAP_NET_ADMIN --seccomp -- sh -c '
		touch /x; touch /data/x /scratch/x && echo written; grep -E "^(CapEff|Seccomp:)" /proc/self/status'
	assert_contains 'Read-only file system'
	assert_line written
	assert_line $'CapEff:\t00000000a80435fa'
	assert_line $'Seccomp:\t2'
	[ -e "$WORK/x" ]
}

@test "run: limits, devices, the host's network" {
	once --memory-limit 67108864 --cpus 0.5 --device /dev/kmsg --net-host -- sh -c 'test -c /dev/kmsg && readlink /proc/self/ns/net; sleep 0'
	assert_output "$(readlink "/proc/$(<"$ENGINE/host.pid")/ns/net")"
	detached --memory-limit 67108864 -- sleep 1000
	local path value=
	for path in /sys/fs/cgroup/{memory/,}"$ENGINE_NAME/$ID"/{memory.limit_in_bytes,memory.max}; do
		[[ -e $path ]] && value=$(<"$path")
	done
	assert_equal "$value" 67108864
}

@test "a task: start, exec, ps, pause, resume, kill, delete" {
	detached -- sh -c 'trap "exit 5" TERM; while :; do sleep 0.1; done'
	wait_until 10 has_task_status RUNNING
	execute --cwd /etc --user 12 -- sh -c 'pwd; id -u; exit 7'
	assert_failure 7
	assert_output $'/etc\n12'
	ctr tasks ps "$ID" | grep -qw "$(task_pid)"
	ctr tasks metrics "$ID" | grep -q memory
	ctr tasks pause "$ID"
	assert_equal "$(task_status)" PAUSED
	execute -- true
	assert_failure
	ctr tasks resume "$ID"
	assert_equal "$(task_status)" RUNNING
	ctr tasks kill --signal TERM "$ID"
	wait_until 10 has_task_status STOPPED
	execute -- true
	assert_failure
	answer ctr tasks rm "$ID"
	assert_contains 'exit with non-zero exit code 5'
	ctr containers rm "$ID"
	nothing_of "$ID"
}

@test "exec: 126, 127 and a terminal" {
	detached -- sleep 1000
	execute -- no-such-program
	assert_failure
	assert_contains 'executable file not found in $PATH'
	execute -- /etc/passwd
	assert_failure
	assert_contains 'permission denied'
	execute -- sh -c 'no-such-program'
	assert_failure 127
	export -f ctr in_engine_host close_descriptors
	export ID
	run timeout --foreground 90 "$PEER" terminal bash -c 'ctr tasks exec --tty --exec-id t "$ID" sh' <<-'SCRIPT'
		expect #
		send tty; exit 9
		end
	SCRIPT
	assert_failure 9
	assert_contains /dev/pts/
}

@test "kill --all, and tasks rm --force for what ignores signals" {
	detached -- sh -c 'trap "" TERM; (trap "" TERM; sleep 1001) & while :; do sleep 0.1; done'
	wait_until 10 has_task_status RUNNING
	ctr tasks kill --signal TERM "$ID"
	ctr tasks kill --all --signal KILL "$ID"
	wait_until 10 has_task_status STOPPED
	ctr tasks rm "$ID" || true
	ctr containers rm "$ID"
	nothing_of "$ID"
}

@test "a shim that is killed: its task can be removed, and nothing stays" {
	detached -- sh -c 'trap "" TERM; while :; do sleep 0.1; done'
	wait_until 10 has_task_status RUNNING
	local init
	init=$(task_pid)
	kill -KILL "$(awk '{ print $4 }' "/proc/$init/stat")"
	wait_until 20 gone "$init"
	wait_until 20 removed
}

removed() {
	ctr tasks rm --force "$ID" >/dev/null 2>&1
	! ctr tasks ls -q | grep -qxF -- "$ID"
}

@test "containerd is restarted below a running container" {
	detached -- sh -c 'trap "exit 5" TERM; while :; do sleep 0.1; done'
	wait_until 10 has_task_status RUNNING
	end_process "$ENGINE/containerd.pid"
	engine_background "$ENGINE/containerd.log" bash -c "$(declare -f in_engine_host); in_engine_host \"\$@\"" bash \
		containerd --config "$ENGINE/config.toml"
	echo "$ENGINE_PID" >"$ENGINE/containerd.pid"
	wait_until 60 containerd_answers
	assert_equal "$(task_status)" RUNNING
	execute -- echo again
	assert_output again
	ctr tasks kill --signal TERM "$ID"
	wait_until 10 has_task_status STOPPED
}

@test "README: ctr run" {
	load readme
	prepare_readme
	export CONTAINERD_ADDRESS=$ENGINE/containerd.sock
	ctr images tag docker.io/test/box:latest docker.io/library/debian:latest >/dev/null
	local before
	before=$(containerd_cgroups)
	try_example 'With containerd and Kubernetes' '^ctr run' '^ctr run'
	assert_success
	assert_output hello
	was_called create
	ctr images rm docker.io/library/debian:latest >/dev/null
	# The parent of that container's cgroup, which ctr names and nobody removes.
	[[ -n $before ]] || containerd_cgroups | xargs -r rmdir
}

# containerd_cgroups prints the cgroups of the namespace that ctr uses if it is told of none.
containerd_cgroups() {
	find /sys/fs/cgroup -mindepth 1 -maxdepth 3 -type d -name default ! -path '*/*.slice/*' 2>/dev/null || true
}

@test "README: containerd understands the configuration for Kubernetes" {
	load readme
	[[ $RUNTIME == rt ]] || skip "README is about rt"
	example 'With containerd and Kubernetes' '^version' 'SystemdCgroup' >"$WORK/config.toml"
	run containerd --config "$WORK/config.toml" config dump
	assert_success
	[[ $output == *'containerd.runtimes.rt.options]'*'BinaryName = "/usr/local/bin/rt"'*'SystemdCgroup = true'* ]]
}
