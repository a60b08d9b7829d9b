#!/usr/bin/env bats
# docker exec: one more program in a container.
# shellcheck disable=SC2016,SC2030,SC2031

setup_file() { load docker && start_docker; }
teardown_file() { load docker && stop_docker; }
setup() { load docker && begin_docker_test; }
teardown() { end_docker_test; }

@test "exec: output, errors and the exit code are the program's" {
	detached box sleep 1000
	run --separate-stderr docker exec "$ID" sh -c 'echo out; echo err >&2; exit 42'
	assert_failure 42
	assert_output out
	# shellcheck disable=SC2154
	assert_equal "$stderr" err
	execute sh -c 'kill -9 $$'
	assert_failure 137
	output=$(echo typed | docker exec --interactive "$ID" cat)
	assert_output typed
}

@test "exec: environment, directory, user and groups" {
	detached --env A=container --workdir /tmp --user 12:34 --group-add 56 box sleep 1000
	execute sh -c 'echo "$A $FROM $HOME"; pwd; id -u; id -g; id -G'
	assert_output $'container image /\n/tmp\n12\n34\n34 56'
	execute --env=A=exec --env=B=1,2 --workdir=/etc --user=user sh -c 'echo "$A $B $HOME"; pwd; id -un; id -gn'
	assert_output $'exec 1,2 /home/user\n/etc\nuser\nuser'
}

@test "exec: 126 and 127, and the container goes on" {
	detached box sleep 1000
	execute no-such-program
	assert_failure 126
	assert_contains 'exec: "no-such-program": executable file not found in $PATH'
	execute /no/such/program
	assert_failure 126
	assert_contains 'stat /no/such/program: no such file or directory'
	execute /etc/passwd
	assert_failure 126
	assert_contains 'permission denied'
	execute --workdir=/no/such/directory true
	assert_failure 126
	assert_contains '/no/such/directory'
	execute --user=no-such-user true
	assert_failure 126
	execute sh -c no-such-program
	assert_failure 127
	assert_equal "$(inspect '{{.State.Status}}')" running
}

@test "exec -t: a terminal, which can be typed into" {
	detached box sleep 1000
	run timeout --foreground 90 "$PEER" terminal docker exec --interactive --tty "$ID" sh <<-'SCRIPT'
		expect #
		send tty; test -t 2 && echo is-$((1+1))
		expect is-2
		run sleep 1
		resize 33 101
		send until stty size | grep '^33 101'; do sleep 0.1; done; exit 9
		end
	SCRIPT
	assert_failure 9
	assert_contains /dev/pts/
	execute --tty sh -c 'tty; exit 3'
	assert_failure 3
	assert_contains /dev/pts/
}

@test "exec -d: the program goes on by itself" {
	detached --volume "$WORK:/out" box sleep 1000
	docker exec --detach "$ID" sh -c 'sleep 0.2; echo done >/out/done'
	wait_until 10 test -s "$WORK/done"
}

@test "exec: confined like the container, with all that a privileged one has" {
	detached --cap-drop ALL --cap-add KILL --security-opt no-new-privileges box sleep 1000
	local facts=(grep -E '^(Cap|Seccomp:|NoNewPrivs)' /proc/self/status)
	execute "${facts[@]}"
	local of_exec=$output
	once --cap-drop ALL --cap-add KILL --security-opt no-new-privileges box "${facts[@]}"
	assert_output "$of_exec"
	if [[ $RUNTIME == rt ]]; then
		docker rm --force "$ID" >/dev/null
		detached box sleep 1000
		execute --privileged grep CapEff /proc/self/status
		assert_output $'CapEff:\t0000003ffeffffff'
	fi
}

@test "exec: in the container's namespaces and cgroup" {
	detached box sleep 1000
	local script='cd /proc/1/ns && for n in *; do test "$(readlink "$n")" = "$(readlink "/proc/self/ns/$n")" || echo "another $n"; done; cat /proc/self/cgroup | grep -v "$(cat /proc/1/cgroup)"'
	execute sh -c "$script"
	assert_output ''
	local pid
	docker exec --detach "$ID" sleep 1001
	pid=$(docker top "$ID" -o pid,args | awk '/sleep 1001/ { print $1 }')
	assert_equal "$(<"/proc/$pid/cgroup")" "$(<"/proc/$(inspect '{{.State.Pid}}')/cgroup")"
}

@test "exec: ulimits and the oom score are the container's" {
	detached --ulimit nofile=100:200 --oom-score-adj 77 box sleep 1000
	execute sh -c 'ulimit -n; ulimit -Hn; cat /proc/self/oom_score_adj'
	assert_output $'100\n200\n77'
}

@test "exec: a container that has ended, or never was" {
	detached box true
	docker wait "$ID" >/dev/null
	execute true
	assert_failure 1
	assert_contains 'is not running'
	answer docker exec no-such-container true
	assert_failure 1
}

@test "exec: nothing is left of a hundred" {
	detached box sleep 1000
	local i before
	docker exec "$ID" true
	before=$(files_of "$ID")
	for i in {1..10}; do
		seq 10 | xargs --max-procs 10 -I{} docker exec "$ID" sh -c 'exit 0'
	done
	assert_equal "$(docker exec "$ID" ps -o pid | wc -l)" 3
	wait_until 30 no_more_than "$before"
}

# files_of ID counts what the engine keeps for a container that runs.
files_of() { find "$ENGINE/exec" -path "*$1*" | wc -l; }

no_more_than() { (($(files_of "$ID") <= $1)); }

@test "exec: what it started ends with the container" {
	detached box sleep 1000
	docker exec --detach "$ID" sh -c 'trap "" TERM; sleep 1001 & sleep 1002'
	docker stop --time 0 "$ID" >/dev/null
	docker rm "$ID" >/dev/null
	wait_until 10 nothing_of "$ID"
}
