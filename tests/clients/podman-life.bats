#!/usr/bin/env bats
# The life of Podman's containers after podman run: exec, logs, signals, pause, limits, and their end.
# shellcheck disable=SC2016,SC2030,SC2031

setup_file() { load podman && start_podman; }
teardown_file() { load podman && stop_podman; }
setup() { load podman && begin_test; }
teardown() { end_podman_test; }

box=localhost/box

@test "run -d: the container runs on, its output is kept, and wait gives its exit code" {
	detached $box sh -c 'echo out; echo err >&2; while ! test -e /end; do sleep 0.1; done; echo more; exit 9'
	wait_until 10 logged err
	assert_equal "$(inspect '{{.State.Status}} {{.OCIRuntime}}')" "running $RUNTIME"
	execute touch /end
	assert_equal "$(podman wait "$ID")" 9
	assert_equal "$(podman logs "$ID" 2>/dev/null)" $'out\nmore'
	assert_equal "$(podman logs "$ID" 2>&1 >/dev/null)" err
	assert_equal "$(inspect '{{.State.Status}} {{.State.ExitCode}} {{.State.OOMKilled}}')" 'exited 9 false'
}

@test "create, start, start again, and start --attach" {
	ID=$(podman create --label "test=$TOKEN" $box sh -c 'date +%s%N >>/starts; echo started; exit 3')
	assert_equal "$(inspect '{{.State.Status}}')" created
	podman start "$ID" >/dev/null
	podman wait "$ID" >/dev/null
	answer podman start --attach "$ID"
	assert_failure 3
	assert_output started
	podman cp "$ID:/starts" "$WORK/starts"
	assert_equal "$(wc -l <"$WORK/starts")" 2
}

@test "run -d: a missing program is told at once, and leaves a container that can be removed" {
	answer podman run -d --label "test=$TOKEN" --name "$TOKEN" $box no-such-program
	assert_failure 127
	assert_equal "$(podman inspect --format '{{.State.Status}}' "$TOKEN")" created
	podman rm "$TOKEN"
	answer podman container exists "$TOKEN"
	assert_failure 1
}

@test "exec: output, exit code, environment, directory, user and stdin" {
	detached $box sleep 1000
	execute --env=A=1 --workdir=/tmp --user=12:34 sh -c 'echo "$A"; pwd; id -u; id -g; exit 5'
	assert_failure 5
	assert_output $'1\n/tmp\n12\n34'
	run --separate-stderr podman exec "$ID" sh -c 'echo out; echo err >&2'
	assert_output out
	# shellcheck disable=SC2154
	assert_equal "$stderr" err
	assert_equal "$(echo input | podman exec --interactive "$ID" cat)" input
	execute sh -c 'kill -9 $$'
	assert_failure 137
}

@test "exec: an unknown program is 127, one that cannot be executed 126, a stopped container 255" {
	detached $box sleep 1000
	execute no-such-program
	assert_failure 127
	assert_contains 'executable file not found in $PATH'
	execute /etc/passwd
	assert_failure 126
	execute /etc
	assert_failure 126
	podman stop --time 0 "$ID" >/dev/null
	execute true
	assert_failure 255
	assert_contains 'container state improper'
}

@test "exec -it: a session at a terminal in a running container" {
	detached $box sleep 1000
	run at_terminal exec -it "$ID" sh <<-'END'
		send tty; stty size
		expect /dev/pts/
		expect 24 80
		resize 30 100
		send sleep 1; stty size
		expect 30 100
		send exit 6
		end
	END
	assert_failure 6
}

@test "exec: capabilities, privileges and confinement are the container's" {
	detached --cap-drop all --cap-add chown --security-opt no-new-privileges $box sleep 1000
	execute grep -E '^(CapEff|CapBnd|NoNewPrivs|Seccomp):' /proc/self/status
	local own=$output
	execute grep -E '^(CapEff|CapBnd|NoNewPrivs|Seccomp):' /proc/1/status
	assert_equal "$own" "$output"
	assert_equal "$own" $'CapEff:\t0000000000000001\nCapBnd:\t0000000000000001\nNoNewPrivs:\t1\nSeccomp:\t2'
	execute --privileged grep CapEff /proc/self/status
	assert_success
	refute_contains 0000000000000001
}

@test "exec -d and --preserve-fds" {
	detached $box sleep 1000
	podman exec -d "$ID" sh -c 'echo detached >/x'
	wait_until 10 podman exec "$ID" test -s /x
	echo third >"$WORK/third"
	answer podman_host bash -c 'exec podman exec --preserve-fds 1 "$1" cat /proc/self/fd/3 3<"$2"' bash "$ID" "$WORK/third"
	assert_output third
}

@test "stop: SIGTERM, then SIGKILL; kill: any signal" {
	detached $box sh -c 'trap "echo term; exit 3" TERM; echo up; while :; do sleep 0.1; done'
	wait_until 10 logged up
	podman stop --time 10 "$ID" >/dev/null
	logged term
	assert_equal "$(inspect '{{.State.Status}} {{.State.ExitCode}}')" 'exited 3'

	detached $box sh -c 'trap "" TERM; echo up; while :; do sleep 0.1; done'
	wait_until 10 logged up
	podman stop --time 1 "$ID" >/dev/null
	assert_equal "$(inspect '{{.State.Status}} {{.State.ExitCode}}')" 'exited 137'

	detached --stop-signal USR1 $box sh -c 'trap "echo usr1; exit 4" USR1; trap "echo hup" HUP; echo up; while :; do sleep 0.1; done'
	wait_until 10 logged up
	podman kill --signal HUP "$ID"
	wait_until 10 logged hup
	podman stop --time 10 "$ID" >/dev/null
	assert_equal "$(inspect '{{.State.ExitCode}}')" 4
	answer podman kill "$ID"
	assert_failure 125
	assert_contains 'can only kill running containers'
}

@test "stop and rm of a container in the host's pid namespace take all of its processes" {
	detached --pid host $box sh -c 'sleep 12345 & echo up; exec sleep 12345'
	wait_until 10 logged up
	local cgroup
	cgroup=$(inspect '{{.State.CgroupPath}}')
	podman rm --force --time 0 "$ID" >/dev/null
	wait_until 5 no_cgroup "$cgroup"
}

no_cgroup() { [[ -z $(find /sys/fs/cgroup -path "*$1*" -print -quit) ]]; }

@test "rm -f: a running container goes, with everything that it had" {
	detached --volume /anonymous $box sleep 1000
	local cgroup pid
	cgroup=$(inspect '{{.State.CgroupPath}}')
	pid=$(inspect '{{.State.Pid}}')
	answer podman rm "$ID"
	assert_failure 2
	podman rm --force --time 0 --volumes "$ID" >/dev/null
	gone "$pid"
	no_cgroup "$cgroup"
	answer podman_host ls "/run/$RUNTIME/$ID"
	assert_failure
}

@test "pause and unpause" {
	detached $box sh -c 'i=0; while :; do echo $((i += 1)) >/count; sleep 0.05; done'
	podman pause "$ID"
	assert_equal "$(inspect '{{.State.Status}}')" paused
	local pid root before
	pid=$(inspect '{{.State.Pid}}')
	root=/proc/$pid/root
	before=$(<"$root/count")
	sleep 0.3
	assert_equal "$(<"$root/count")" "$before"
	execute true
	assert_failure 255
	podman unpause "$ID"
	wait_until 10 changed "$root/count" "$before"
	podman pause "$ID"
	podman rm --force --time 0 "$ID" >/dev/null
}

changed() { [[ $(<"$1") != "$2" ]]; }

@test "stats, top and update" {
	[[ $(stat -fc %T /sys/fs/cgroup) != cgroup2fs ]] || skip "statistics of cgroup v2 need its controllers"
	detached --memory 64m $box sh -c 'sleep 1000 & exec sleep 2000'
	assert_equal "$(podman stats --no-stream --format '{{.PIDs}}' "$ID")" 2
	assert_equal "$(podman stats --no-stream --format '{{.MemLimit}}' "$ID")" 67108864
	answer podman top "$ID" pid args
	assert_all_contained 'sleep 1000' 'sleep 2000'
	answer podman top "$ID" -o pid,comm
	assert_contains sleep
	podman update --memory 96m --cpus 0.5 "$ID" >/dev/null
	execute cat /sys/fs/cgroup/memory/memory.limit_in_bytes /sys/fs/cgroup/cpu/cpu.cfs_quota_us
	assert_output $'100663296\n50000'
}

@test "a container that runs out of memory" {
	[[ $(stat -fc %T /sys/fs/cgroup) != cgroup2fs ]] || skip "a limit on memory needs the controller"
	detached --memory 20m --memory-swap 20m $box tail /dev/zero
	becomes '{{.State.Status}} {{.State.ExitCode}}' 'exited 137'
}

@test "health checks" {
	detached --health-cmd 'test -e /healthy' --health-interval disable --health-retries 1 $box sleep 1000
	answer podman healthcheck run "$ID"
	assert_failure 1
	assert_equal "$(inspect '{{.State.Health.Status}}')" unhealthy
	execute touch /healthy
	podman healthcheck run "$ID"
	assert_equal "$(inspect '{{.State.Health.Status}}')" healthy
}

@test "attach and restart" {
	detached --interactive $box sh -c 'echo up >>/ups; cat'
	assert_equal "$(echo hello | podman attach "$ID")" hello
	podman restart --time 0 "$ID" >/dev/null
	becomes '{{.State.Status}}' running
	execute cat /ups
	assert_output $'up\nup'
}

@test "commit, diff, export and cp of a container" {
	detached $box sh -c 'echo changed >/changed; exec sleep 1000'
	wait_until 10 podman exec "$ID" test -s /changed
	podman diff "$ID" | grep -qx 'A /changed'
	podman commit --quiet "$ID" "localhost/$TOKEN" >/dev/null
	once "localhost/$TOKEN" cat /changed
	assert_output changed
	podman rmi --force "localhost/$TOKEN" >/dev/null
	podman export "$ID" | tar --list | grep -qx changed
	echo copied >"$WORK/file"
	podman cp "$WORK/file" "$ID:/tmp/file"
	execute cat /tmp/file
	assert_output copied
}

@test "OCI hooks of the engine's hooks directory" {
	mkdir "$WORK/hooks"
	cat >"$WORK/hook" <<-END
		#!/bin/sh
		echo "\$1 \$(cat | tr -d ' \n' | grep -o '"status":"[a-z]*"')" >>$WORK/stages
	END
	chmod +x "$WORK/hook"
	jq -n --arg path "$WORK/hook" '{version: "1.0.0", hook: {path: $path, args: ["hook", "called"]}, when: {always: true},
		stages: ["prestart", "createRuntime", "poststart", "poststop"]}' >"$WORK/hooks/test.json"
	answer podman_host podman --hooks-dir "$WORK/hooks" run --rm --cgroup-parent "/$ENGINE_NAME" $box true
	assert_success
	wait_until 10 grep -q stopped "$WORK/stages"
	assert_equal "$(grep -c called "$WORK/stages")" 4
}

@test "twenty containers at once" {
	local n jobs=()
	for n in {1..20}; do
		podman run --rm --label "test=$TOKEN" $box sh -c "echo $n; exit $n" >"$WORK/out.$n" 2>&1 &
		jobs+=($!)
	done
	for n in {1..20}; do
		status=0
		wait "${jobs[n - 1]}" || status=$?
		assert_equal "$n: $status $(<"$WORK/out.$n")" "$n: $n $n"
	done
	assert_equal "$(podman ps --all --quiet --filter "label=test=$TOKEN")" ''
}

@test "a container whose conmon was killed can be looked at, stopped and removed" {
	detached $box sleep 1000
	local conmon pid
	conmon=$(inspect '{{.State.ConmonPid}}')
	pid=$(inspect '{{.State.Pid}}')
	kill -KILL "$conmon"
	wait_until 5 gone "$conmon"
	answer podman ps --all --filter "id=$ID" --format '{{.Status}}'
	assert_success
	inspect '{{.State.Status}}'
	podman rm --force --time 0 "$ID" >/dev/null
	wait_until 5 gone "$pid"
	# Podman 4.3 leaves it at that, and the runtime's part to the administrator.
	podman_host "$(runtime_binary)" delete --force "$ID"
	wait_until 5 no_cgroup "$ID"
	once $box echo well
	assert_output well
}

@test "checkpoint and restore: what the program has in its memory is there again" {
	command -v criu >/dev/null || skip "criu is not installed"
	local said before
	said=$(criu check 2>&1) || skip "criu check: ${said##*Error }"
	detached $box sh -c 'n=0; while :; do n=$((n + 1)); echo $n; sleep 0.1; done'
	wait_until 10 logged 5
	answer podman container checkpoint "$ID"
	assert_success
	becomes '{{.State.Status}}' exited
	before=$(podman logs "$ID" | tail -n 1)
	answer podman container restore "$ID"
	assert_success
	becomes '{{.State.Status}}' running
	wait_until 10 logged "$((before + 5))"
	assert_equal "$(podman logs "$ID" | grep -cx 1)" 1
}
