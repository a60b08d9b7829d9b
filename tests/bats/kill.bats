# Signals, by name and number, to the right processes.

load helpers

setup() {
	setup_bundle
	ID=$(new_id)
}
teardown() { teardown_all; }

# reporting SIGNAL... starts a container whose first process writes "signal N" to $WORK/out for each
# of these numbers that it receives.
reporting() {
	args sh -c 'for s in "$@"; do trap "echo signal $s" "$s"; done; echo ready; while :; do sleep 0.05; done' sh "$@"
	rt run --detach --bundle "$BUNDLE" "$ID" >"$WORK/out" 2>&1
	wait_until 5 grep -q ready "$WORK/out"
}

received() {
	wait_until 5 grep -qx "signal $1" "$WORK/out"
}

@test "kill sends SIGTERM unless told otherwise" {
	reporting 15
	runtime kill "$ID"
	[ "$status" -eq 0 ]
	[ -z "$output" ]
	received 15
}

@test "kill takes a signal by name, with and without SIG, in either case" {
	reporting 1 10 12 15
	local name
	for name in HUP sighup Hup; do
		rt kill "$ID" "$name"
		received 1
		: >"$WORK/out"
	done
	rt kill "$ID" SIGUSR1
	received 10
	rt kill "$ID" usr2
	received 12
	rt kill "$ID" SIGTERM
	received 15
}

@test "kill takes a signal by number" {
	reporting 10 63
	rt kill "$ID" 10
	received 10
	rt kill "$ID" 63
	received 63
}

@test "kill sends real-time signals by name" {
	reporting 34 37 62 64
	rt kill "$ID" SIGRTMIN
	received 34
	rt kill "$ID" RTMIN+3
	received 37
	rt kill "$ID" sigrtmax-2
	received 62
	rt kill "$ID" RTMAX
	received 64
}

@test "signal 0 asks whether the container can be signalled, and does nothing" {
	reporting 15
	runtime kill "$ID" 0
	[ "$status" -eq 0 ]
	[ "$(container_status "$ID")" == running ]
	[ "$(<"$WORK/out")" == ready ]
}

@test "a signal that does not exist is refused, and not sent" {
	reporting 15
	local word
	for word in FOO SIG 65 -1 RTMIN+31 RTMAX+1 ''; do
		runtime kill "$ID" "$word"
		[ "$status" -ne 0 ]
	done
	runtime kill "$ID" FOO
	[[ $output == *'unknown signal "FOO"'* ]]
	[ "$(container_status "$ID")" == running ]
	[ "$(<"$WORK/out")" == ready ]
}

@test "kill signals the first process only" {
	args sh -c 'trap "echo first" USR1
		sh -c "trap \"echo second\" USR1; echo ready; while :; do sleep 0.05; done" &
		while :; do sleep 0.05; done'
	rt run --detach --bundle "$BUNDLE" "$ID" >"$WORK/out" 2>&1
	wait_until 5 grep -q ready "$WORK/out"
	rt kill "$ID" USR1
	wait_until 5 grep -q first "$WORK/out"
	sleep 0.2
	! grep -q second "$WORK/out" || false
}

@test "kill --all signals every process of the container" {
	args sh -c 'trap "echo first" USR1
		sh -c "trap \"echo second\" USR1; echo ready; while :; do sleep 0.05; done" &
		while :; do sleep 0.05 & wait; done'
	rt run --detach --bundle "$BUNDLE" "$ID" >"$WORK/out" 2>&1
	wait_until 5 grep -q ready "$WORK/out"
	rt kill --all "$ID" USR1
	wait_until 5 grep -q first "$WORK/out"
	wait_until 5 grep -q second "$WORK/out"
}

@test "kill -a is short for kill --all" {
	reporting 10
	runtime kill -a "$ID" USR1
	[ "$status" -eq 0 ]
	received 10
}

@test "SIGKILL ends a container that ignores everything else" {
	args sh -c 'trap "" TERM HUP INT; echo ready; while :; do sleep 0.05; done'
	rt run --detach --bundle "$BUNDLE" "$ID" >"$WORK/out" 2>&1
	wait_until 5 grep -q ready "$WORK/out"
	rt kill "$ID" KILL
	wait_for_status "$ID" stopped
}

@test "SIGKILL ends a container that was not started" {
	args sleep 1000
	rt create --bundle "$BUNDLE" "$ID"
	local pid
	pid=$(container_pid "$ID")
	rt kill "$ID" KILL
	wait_for_status "$ID" stopped
	gone "$pid"
}

@test "without a pid namespace of its own, SIGKILL ends every process of the container" {
	config 'del(.linux.namespaces[] | select(.type == "pid"))'
	args sh -c 'sleep 1001 & sleep 1002 & echo ready; wait'
	rt run --detach --bundle "$BUNDLE" "$ID" >"$WORK/out" 2>&1
	wait_until 5 grep -q ready "$WORK/out"
	[ "$(marked_processes "$TOKEN" | wc -l)" -eq 3 ]
	rt kill "$ID" KILL
	wait_until 5 nothing_running
}

nothing_running() { [[ -z $(marked_processes "$TOKEN") ]]; }

@test "without a pid namespace, SIGKILL finds what is left also after the first process has ended" {
	config 'del(.linux.namespaces[] | select(.type == "pid"))'
	args sh -c 'sleep 1001 & sleep 1002 & exit 0'
	rt run --detach --bundle "$BUNDLE" "$ID"
	wait_for_status "$ID" stopped
	[ "$(marked_processes "$TOKEN" | wc -l)" -eq 2 ]
	runtime kill --all "$ID" 9
	[ "$status" -eq 0 ]
	wait_until 5 nothing_running
}

@test "kill of a stopped container says that it is not running" {
	args true
	rt run --detach --bundle "$BUNDLE" "$ID"
	wait_for_status "$ID" stopped
	runtime kill "$ID" 9
	[ "$status" -eq 1 ]
	[[ $output == *"container not running"* ]]
}

@test "kill --all of a stopped container is no error" {
	args true
	rt run --detach --bundle "$BUNDLE" "$ID"
	wait_for_status "$ID" stopped
	local signal
	for signal in 9 TERM; do
		runtime kill --all "$ID" "$signal"
		[ "$status" -eq 0 ]
		[ -z "$output" ]
	done
}

@test "kill of an unknown container says that it does not exist" {
	runtime kill "$ID"
	[ "$status" -eq 1 ]
	[[ $output == *"container does not exist"* ]]
	runtime kill --all "$ID" 9
	[ "$status" -eq 1 ]
	[[ $output == *"container does not exist"* ]]
}

@test "SIGSTOP and SIGCONT reach a container's first process from outside" {
	args sleep 1000
	rt run --detach --bundle "$BUNDLE" "$ID"
	local pid
	pid=$(container_pid "$ID")
	rt kill "$ID" STOP
	wait_until 5 grep -q '^State:.T' "/proc/$pid/status"
	rt kill "$ID" CONT
	wait_until 5 grep -q '^State:.S' "/proc/$pid/status"
}
