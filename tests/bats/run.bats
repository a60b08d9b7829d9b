# `rt run`: the whole life in one command.

load helpers

setup() {
	setup_bundle
	ID=$(new_id)
}
teardown() { teardown_all; }

@test "run exits with the exit code of the process" {
	local code
	for code in 0 1 2 42 125 126 127 255; do
		args sh -c "exit $code"
		run -"$code" rt run --bundle "$BUNDLE" "$ID"
	done
}

@test "run exits with 128+n when signal n ended the process" {
	# An init can be killed only from outside its pid namespace, or by SIGKILL.
	config 'del(.linux.namespaces[] | select(.type == "pid"))'
	local signal
	for signal in 1 6 9 11 15 34; do
		args sh -c 'kill -'$signal' $$; sleep 5'
		runtime run --bundle "$BUNDLE" "$ID"
		[ "$status" -eq $((128 + signal)) ]
	done
}

@test "run exits with 137 when the container is killed from outside" {
	args sleep 1000
	rt_background run --bundle "$BUNDLE" "$ID"
	wait_for_status "$ID" running
	rt kill "$ID" KILL
	exit_code_is 137
}

# exit_code_is CODE waits for rt_background.
exit_code_is() {
	local code=0
	wait "$RT_PID" || code=$?
	[ "$code" -eq "$1" ]
}

@test "nothing of the container is left after run" {
	args sh -c 'echo hello'
	runtime run --bundle "$BUNDLE" "$ID"
	[ "$output" == hello ]
	[ -z "$(leftovers "$TOKEN")" ]
	[ -z "$(ls -A "$ROOT")" ]
	runtime state "$ID"
	[ "$status" -eq 1 ]
	[[ $output == *"container does not exist"* ]]
}

@test "run --keep leaves a stopped container that can be deleted" {
	args sh -c 'exit 3'
	runtime run --keep --bundle "$BUNDLE" "$ID"
	[ "$status" -eq 3 ]
	[ "$(container_status "$ID")" == stopped ]
	runtime delete "$ID"
	[ "$status" -eq 0 ]
	runtime state "$ID"
	[ "$status" -eq 1 ]
}

@test "run --detach returns while the container runs, and prints nothing" {
	args sleep 1000
	local flag id
	for flag in -d --detach; do
		id=$(new_id)
		runtime run "$flag" --bundle "$BUNDLE" "$id"
		[ "$status" -eq 0 ]
		[ -z "$output" ]
		[ "$(container_status "$id")" == running ]
		[ "$(marked_processes "$TOKEN")" == "$(container_pid "$id")" ]
		rt delete --force "$id"
	done
}

@test "a detached container stays after its process has ended" {
	args true
	rt run --detach --bundle "$BUNDLE" "$ID"
	wait_for_status "$ID" stopped
	rt delete "$ID"
}

@test "run takes the bundle of the current directory" {
	cd "$BUNDLE"
	args echo here
	runtime run "$ID"
	[ "$status" -eq 0 ]
	[ "$output" == here ]
}

@test "an argument with a slash is a bundle, and the id is made from its name" {
	setup_bundle "$TOKEN-hello"
	args sleep 1000
	local form
	cd "$WORK"
	for form in "$TOKEN-hello/" "./$TOKEN-hello" "$BUNDLE"; do
		runtime run --detach "$form"
		[ "$status" -eq 0 ]
		run rt list --quiet
		[[ $output == *"$TOKEN-hello"* ]]
		[ "${#lines[@]}" -eq 1 ]
		[ "$(rt state "${lines[0]}" | jq -r .bundle)" == "$BUNDLE" ]
		rt delete --force "${lines[0]}"
	done
}

@test "run bundle/ in the foreground needs no id and leaves nothing" {
	setup_bundle "$TOKEN-hello"
	args sh -c 'echo hello; exit 5'
	cd "$WORK"
	runtime run "$TOKEN-hello/"
	[ "$status" -eq 5 ]
	[ "$output" == hello ]
	[ -z "$(ls -A "$ROOT")" ]
}

@test "run bundle/ can be repeated while the first container is running" {
	setup_bundle "$TOKEN-hello"
	config 'del(.linux.cgroupsPath)'
	args sleep 1000
	rt run --detach "$BUNDLE/"
	rt run --detach "$BUNDLE/"
	[ "$(rt list --quiet | sort -u | wc -l)" -eq 2 ]
}

@test "a bundle whose name is no id gives a container all the same" {
	setup_bundle "$TOKEN with spaces & more"
	args sleep 1000
	rt run --detach "$BUNDLE/"
	[ "$(rt list --format json | jq -r '.[].bundle')" == "$BUNDLE" ]
}

@test "run of an id that is taken fails and harms nothing" {
	args sleep 1000
	rt run --detach --bundle "$BUNDLE" "$ID"
	local pid
	pid=$(container_pid "$ID")
	runtime run --bundle "$BUNDLE" "$ID"
	[ "$status" -eq 1 ]
	[[ $output == *"container with given ID already exists"* ]]
	[ "$(container_status "$ID")" == running ]
	[ "$(container_pid "$ID")" -eq "$pid" ]
}

@test "run fails with 1 and leaves nothing when the program does not exist" {
	args no-such-program
	runtime run --bundle "$BUNDLE" "$ID"
	[ "$status" -eq 1 ]
	[[ $output == *'executable file not found in $PATH'* ]]
	[ -z "$(leftovers "$TOKEN")$(ls -A "$ROOT")" ]
}

# trapping SIGNAL... runs, in the foreground, a program that writes "signal N" for each of these.
trapping() {
	args sh -c 'for s in "$@"; do trap "echo signal $s" "$s"; done; echo ready; while [ ! -e /tmp/end ]; do sleep 0.05; done; exit 9' sh "$@"
	config '.root.readonly = false'
	rt_background run --bundle "$BUNDLE" "$ID"
	wait_until 10 grep -q ready "$WORK/background.out"
}

@test "foreground run passes signals on to the process, and lives on" {
	trapping 1 2 3 10 12 13 14 15 18 35 50
	local signal
	for signal in 1 2 3 10 12 13 14 15 18 35 50; do
		kill -"$signal" "$RT_PID"
		wait_until 5 grep -qx "signal $signal" "$WORK/background.out"
	done
	touch "$BUNDLE/rootfs/tmp/end"
	exit_code_is 9
}

@test "SIGCHLD and SIGURG sent to rt are not the container's business" {
	trapping 23 10
	kill -URG "$RT_PID"
	kill -CHLD "$RT_PID"
	kill -USR1 "$RT_PID"
	wait_until 5 grep -qx "signal 10" "$WORK/background.out"
	! grep -q 'signal 23' "$WORK/background.out" || false
}

@test "a signal that arrives while the container is being made is not lost" {
	args sh -c 'trap "exit 7" TERM; while :; do sleep 0.05; done'
	local delay code
	for delay in 0.01 0.02 0.03 0.05 0.08; do
		rt_background run --bundle "$BUNDLE" "$ID"
		sleep "$delay"
		kill -TERM "$RT_PID" 2>/dev/null
		# It may have ended rt before the handler was there, or have reached a process without a trap.
		wait_until 3 gone "$RT_PID" || rt kill "$ID" KILL
		code=0
		wait "$RT_PID" || code=$?
		echo "exit code $code after $delay s"
		[[ $code == @(7|137|143) ]]
		"$RT" --root "$ROOT" delete --force "$ID" 3>&-
		nothing_left "$TOKEN"
	done
}

@test "the process gets no signal mask and no ignored signals from rt" {
	args grep -E '^Sig(Blk|Ign)' /proc/self/status
	run bash -c 'trap "" USR1 2>/dev/null; exec "$@"' bash "$RT" --root "$ROOT" run --bundle "$BUNDLE" "$ID"
	[ "$status" -eq 0 ]
	grep -qE '^SigBlk:.0000000000000000$' <<<"$output"
}

@test "what the process leaves running in its pid namespace ends with it" {
	args sh -c 'sleep 1001 & sleep 1002 & echo started'
	runtime run --bundle "$BUNDLE" "$ID"
	[ "$status" -eq 0 ]
	[ "$output" == started ]
	[ -z "$(leftovers "$TOKEN")" ]
}

@test "what the process leaves running without a pid namespace ends with it as well" {
	config 'del(.linux.namespaces[] | select(.type == "pid"))'
	args sh -c 'sleep 1001 >/dev/null 2>&1 & sleep 1002 >/dev/null 2>&1 & echo started'
	runtime run --bundle "$BUNDLE" "$ID"
	[ "$status" -eq 0 ]
	[ "$output" == started ]
	wait_until 5 nothing_left "$TOKEN"
}

@test "rt reaps what is re-parented to it while it waits in the foreground" {
	config 'del(.linux.namespaces[] | select(.type == "pid"))'
	args sh -c '(sleep 0.1 & sleep 0.1 & exit); sleep 1000'
	rt_background run --bundle "$BUNDLE" "$ID"
	wait_for_status "$ID" running
	sleep 0.5
	[ -z "$(grep -l "^PPid:.$RT_PID$" /proc/[0-9]*/status 2>/dev/null | xargs -r grep -l '^State:.Z')" ]
	rt kill "$ID" KILL
	wait "$RT_PID" || true
}

@test "a container whose runtime is killed goes on, and can be deleted" {
	args sleep 1000
	rt_background run --bundle "$BUNDLE" "$ID"
	wait_for_status "$ID" running
	kill -KILL "$RT_PID"
	wait "$RT_PID" || true
	[[ $(container_status "$ID") == @(running|stopped) ]]
	runtime delete --force "$ID"
	[ "$status" -eq 0 ]
	nothing_left "$TOKEN"
}

@test "run works again and again with one id" {
	args sh -c 'echo round'
	for _ in 1 2 3 4 5; do
		runtime run --bundle "$BUNDLE" "$ID"
		[ "$status" -eq 0 ]
		[ "$output" == round ]
	done
}

@test "run forgets nothing when the container is deleted from outside" {
	args sleep 1000
	rt_background run --bundle "$BUNDLE" "$ID"
	wait_for_status "$ID" running
	rt delete --force "$ID"
	exit_code_is 137
	nothing_left "$TOKEN"
}

@test "the bundle of make run shows a view of its own: host name, processes, network, mounts, ids, ipc" {
	"$REPO/tests/bundles/hello" "$WORK/hello"
	for_container "$WORK/hello"
	runtime run "$WORK/hello/"
	[ "$status" -eq 0 ]
	grep -qx hello <<<"$output"
	[[ $output == *" 1 root "* ]]
	[ "$(grep -cE '^[0-9]+: ' <<<"$output")" -eq 1 ]
	[[ $output == *"1: lo: "* ]]
	[[ $output == *"proc on /proc type proc"* ]]
	[[ $output == *"uid=0(root) gid=0(root)"* ]]
	[[ $output == *"==> /proc/sysvipc/msg <=="* ]]
}
