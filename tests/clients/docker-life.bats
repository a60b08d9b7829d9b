#!/usr/bin/env bats
# What becomes of a container that docker run --detach has started.
# shellcheck disable=SC2016,SC2030,SC2031

setup_file() { load docker && start_docker; }
teardown_file() { load docker && stop_docker; }
setup() { load docker && begin_docker_test; }
teardown() { end_docker_test; }

# server [FLAG...] starts a container that says "ready", and "bye" with exit code 5 when it is asked to end.
server() {
	detached "$@" box sh -c 'trap "echo bye; exit 5" TERM; echo ready; while :; do sleep 0.1; done'
	wait_until 15 logged ready
}

# stubborn [FLAG...] starts a container that ignores SIGTERM.
stubborn() {
	detached "$@" box sh -c 'trap "" TERM; echo ready; while :; do sleep 0.1; done'
	wait_until 15 logged ready
}

logged() {
	docker logs "$ID" 2>&1 | grep -qxF -- "$1"
}

@test "create, start, wait, logs, rm" {
	ID=$(docker create --label "test=$TOKEN" box sh -c 'echo out; echo err >&2; exit 7')
	assert_equal "$(inspect '{{.State.Status}}')" created
	docker start "$ID" >/dev/null
	assert_equal "$(docker wait "$ID")" 7
	assert_equal "$(docker logs "$ID" 2>/dev/null)" out
	assert_equal "$(docker logs "$ID" 2>&1 >/dev/null)" err
	assert_equal "$(inspect '{{.State.Status}} {{.State.ExitCode}} {{.State.OOMKilled}}')" 'exited 7 false'
	docker start --attach "$ID" >/dev/null 2>&1 || assert_equal $? 7
	docker rm "$ID" >/dev/null
	nothing_of "$ID"
}

@test "stop: SIGTERM, which the program may obey" {
	server
	docker stop --time 20 "$ID" >/dev/null
	logged bye
	assert_equal "$(inspect '{{.State.Status}} {{.State.ExitCode}}')" 'exited 5'
}

@test "stop: SIGKILL for a program that does not" {
	stubborn
	docker stop --time 1 "$ID" >/dev/null
	assert_equal "$(inspect '{{.State.Status}} {{.State.ExitCode}}')" 'exited 137'
}

@test "stop: the signal of the container's own choice" {
	detached --stop-signal USR1 box sh -c 'trap "exit 6" USR1; echo ready; while :; do sleep 0.1; done'
	wait_until 15 logged ready
	docker stop --time 20 "$ID" >/dev/null
	assert_equal "$(inspect '{{.State.ExitCode}}')" 6
}

@test "kill: any signal, and none for a container that has ended" {
	server
	docker kill --signal TERM "$ID" >/dev/null
	assert_equal "$(docker wait "$ID")" 5
	answer docker kill "$ID"
	assert_failure
	assert_contains 'is not running'
}

@test "rm --force: a container that runs, is paused, or has other processes" {
	stubborn --init
	docker exec --detach "$ID" sleep 1000
	docker rm --force "$ID" >/dev/null
	wait_until 10 nothing_of "$ID"
	stubborn
	docker pause "$ID" >/dev/null
	docker rm --force "$ID" >/dev/null
	wait_until 10 nothing_of "$ID"
}

@test "rm --force: the processes of a container without a pid namespace of its own" {
	detached --pid host box sh -c 'sleep 1000 & sleep 1000 & echo ready; wait'
	wait_until 15 logged ready
	docker rm --force "$ID" >/dev/null
	wait_until 10 nothing_of "$ID"
}

@test "a container of the host's pid namespace ends with its first process" {
	detached --pid host box sh -c 'sleep 1000 & echo ready; exit 4'
	assert_equal "$(docker wait "$ID")" 4
	local pids
	wait_until 10 no_processes "$ID"
}

no_processes() {
	[[ -z $(cat /sys/fs/cgroup/{,*/}"$ENGINE_NAME/$1/cgroup.procs" 2>/dev/null) ]]
}

@test "restart, and the restart policy" {
	server
	docker restart --time 20 "$ID" >/dev/null
	assert_equal "$(inspect '{{.State.Status}}')" running
	wait_until 15 said_twice ready
	docker rm --force "$ID" >/dev/null
	detached --restart on-failure:2 box sh -c 'echo run; exit 1'
	becomes '{{.RestartCount}} {{.State.Status}}' '2 exited'
	assert_equal "$(docker logs "$ID" | grep -c run)" 3
}

said_twice() {
	[[ $(docker logs "$ID" | grep -c "$1") == 2 ]]
}

@test "pause and unpause" {
	detached box sh -c 'i=0; while :; do echo $((i += 1)); sleep 0.05; done'
	wait_until 15 logged 3
	docker pause "$ID" >/dev/null
	assert_equal "$(inspect '{{.State.Status}}')" paused
	local before
	before=$(docker logs "$ID" | tail -n1)
	answer docker exec "$ID" true
	assert_failure
	assert_contains 'is paused'
	answer docker pause "$ID"
	assert_failure
	assert_equal "$(docker logs "$ID" | tail -n1)" "$before"
	docker unpause "$ID" >/dev/null
	assert_equal "$(inspect '{{.State.Status}}')" running
	wait_until 15 logged $((before + 3))
	docker pause "$ID" >/dev/null
	docker stop --time 1 "$ID" >/dev/null
	assert_equal "$(inspect '{{.State.Status}} {{.State.ExitCode}}')" 'exited 137'
}

@test "top, with options for ps" {
	detached box sh -c 'sleep 1001 & sleep 1002 & wait'
	wait_until 10 runs 'sleep 1002'
	answer docker top "$ID"
	assert_success
	assert_all_contained PID CMD 'sleep 1001' 'sleep 1002'
	assert_equal "$(docker top "$ID" -o pid,args | grep -c sleep)" 3
	docker top "$ID" -o pid,ppid | awk -v init="$(inspect '{{.State.Pid}}')" '$1 == init { found = 1 } END { exit !found }'
}

runs() {
	docker top "$ID" | grep -qF -- "$1"
}

@test "cp: into and out of containers, running or not" {
	detached --tmpfs /scratch box sleep 1000
	mkdir "$WORK/tree"
	echo content >"$WORK/tree/file"
	docker cp "$WORK/tree" "$ID:/tmp/"
	assert_equal "$(docker exec "$ID" cat /tmp/tree/file)" content
	docker exec "$ID" sh -c 'echo back >/tmp/tree/other'
	docker cp "$ID:/tmp/tree/other" "$WORK/other"
	assert_equal "$(<"$WORK/other")" back
	docker kill "$ID" >/dev/null
	docker cp "$ID:/tmp/tree/file" - | tar --extract --to-stdout | grep -qx content
}

@test "diff and commit: what the container has changed" {
	detached box sh -c 'echo new >/etc/new; rm /etc/group'
	docker wait "$ID" >/dev/null
	answer docker diff "$ID"
	assert_line 'A /etc/new'
	assert_line 'D /etc/group'
	docker commit "$ID" "$TOKEN" >/dev/null
	once "$TOKEN" cat /etc/new
	assert_output new
	docker rmi "$TOKEN" >/dev/null
}

@test "health checks run in the container, with its environment" {
	detached --env STATE=/tmp/healthy --health-cmd 'test -e $STATE' --health-interval 0.2s --health-retries 2 box sleep 1000
	becomes '{{.State.Health.Status}}' unhealthy
	docker exec "$ID" touch /tmp/healthy
	becomes '{{.State.Health.Status}}' healthy
}

@test "attach: to a program's stdio" {
	detached --interactive box sh -c 'read word; echo "got $word"'
	output=$( (echo typed; sleep 5) | timeout --signal KILL 20 docker attach "$ID")
	assert_output 'got typed'
	assert_equal "$(docker wait "$ID")" 0
}

@test "attach: to a terminal, detached from and attached to again" {
	detached --interactive --tty box sh
	run timeout --foreground 90 "$PEER" terminal docker attach "$ID" <<-'SCRIPT'
		send echo is-$((1+1))
		expect is-2
		type "\x10\x11"
		end
	SCRIPT
	assert_contains 'read escape sequence'
	assert_equal "$(inspect '{{.State.Status}}')" running
	run timeout --foreground 90 "$PEER" terminal docker attach "$ID" <<-'SCRIPT'
		send echo is-$((1+2)); exit 3
		expect is-3
		end
	SCRIPT
	assert_failure 3
}

@test "much output arrives complete and in order" {
	container --rm box seq 1 100000 >"$WORK/numbers"
	seq 1 100000 | cmp - "$WORK/numbers"
	detached box seq 1 20000
	docker wait "$ID" >/dev/null
	docker logs "$ID" | cmp - <(seq 1 20000)
}

@test "twenty containers at once" {
	local i pids=()
	for i in {1..20}; do
		container --detach --name "$TOKEN-$i" --volume "$WORK:/out" box sh -c "echo $i >/out/$i; sleep 1000" >"$WORK/id.$i" 3>&- &
		pids+=($!)
	done
	for i in "${pids[@]}"; do
		wait "$i"
	done
	assert_equal "$(docker ps --quiet --filter "label=test=$TOKEN" | wc -l)" 20
	wait_until 30 all_started
	docker ps --quiet --filter "label=test=$TOKEN" | xargs --max-procs 20 --max-args 1 docker rm --force >/dev/null
	for i in {1..20}; do
		wait_until 10 nothing_of "$(<"$WORK/id.$i")"
	done
}

all_started() {
	local i
	for i in {1..20}; do
		[[ -s $WORK/$i ]] || return 1
	done
}

# shim_of ID prints the pid of the shim that looks after a container.
shim_of() {
	local path
	for path in /proc/[0-9]*; do
		tr '\0' ' ' <"$path/cmdline" 2>/dev/null | grep -q "containerd-shim-runc-v2 .*-id $1 " && echo "${path#/proc/}"
	done
	return 0
}

@test "a shim that is killed: its container can be removed, and nothing stays" {
	stubborn
	local shim init
	shim=$(shim_of "$ID")
	init=$(inspect '{{.State.Pid}}')
	kill -KILL "$shim"
	becomes '{{.State.Running}}' false
	wait_until 15 gone "$init"
	docker rm --force "$ID" >/dev/null
	wait_until 15 nothing_of "$ID"
}

@test "a shim that is killed with its container frozen" {
	stubborn
	local shim init
	shim=$(shim_of "$ID")
	init=$(inspect '{{.State.Pid}}')
	docker pause "$ID" >/dev/null
	kill -KILL "$shim"
	becomes '{{.State.Running}}' false
	wait_until 15 gone "$init"
	docker rm --force "$ID" >/dev/null
	wait_until 15 nothing_of "$ID"
}
