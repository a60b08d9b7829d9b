# The pid file: whole or absent, where the caller asked for it.

load helpers

setup() {
	setup_bundle
	args sleep 1000
	ID=$(new_id)
}
teardown() { teardown_all; }

@test "the pid file has the digits of the container's pid and nothing else" {
	rt create --bundle "$BUNDLE" --pid-file "$WORK/pid" "$ID"
	[ "$(<"$WORK/pid")" == "$(container_pid "$ID")" ]
	[ "$(wc -c <"$WORK/pid")" -eq "$(container_pid "$ID" | tr -d '\n' | wc -c)" ]
}

@test "run and run --detach write it too" {
	rt run --detach --bundle "$BUNDLE" --pid-file "$WORK/pid" "$ID"
	[ "$(<"$WORK/pid")" == "$(container_pid "$ID")" ]
	rt delete --force "$ID"
	rm "$WORK/pid"
	rt_background run --bundle "$BUNDLE" --pid-file "$WORK/pid" "$ID"
	wait_for_status "$ID" running
	[ "$(<"$WORK/pid")" == "$(container_pid "$ID")" ]
	rt kill "$ID" KILL
	wait "$RT_PID" || true
}

@test "a relative pid file is relative to the caller's directory, not to the bundle" {
	mkdir "$WORK/here"
	for_container "$WORK/here"
	cd "$WORK/here"
	rt create --bundle "$BUNDLE" --pid-file pid "$ID"
	[ "$(<"$WORK/here/pid")" == "$(container_pid "$ID")" ]
	[ ! -e "$BUNDLE/pid" ]
}

@test "the pid file appears by rename, so that nobody reads half of it" {
	echo old >"$WORK/pid"
	ln "$WORK/pid" "$WORK/same"
	rt create --bundle "$BUNDLE" --pid-file "$WORK/pid" "$ID"
	[ "$(<"$WORK/same")" == old ]
	[ "$(<"$WORK/pid")" == "$(container_pid "$ID")" ]
}

@test "no temporary file is left beside the pid file" {
	mkdir "$WORK/here"
	for_container "$WORK/here"
	rt create --bundle "$BUNDLE" --pid-file "$WORK/here/pid" "$ID"
	[ "$(ls -A "$WORK/here")" == pid ]
}

@test "the pid file honours the umask" {
	(umask 027 && rt create --bundle "$BUNDLE" --pid-file "$WORK/pid" "$ID")
	[ "$(stat -c %a "$WORK/pid")" == 640 ]
}

@test "there is no pid file when the container was not made" {
	args no-such-program
	runtime create --bundle "$BUNDLE" --pid-file "$WORK/pid" "$ID"
	[ "$status" -eq 1 ]
	[ ! -e "$WORK/pid" ]
	runtime run --bundle "$BUNDLE" --pid-file "$WORK/pid" "$ID"
	[ "$status" -eq 1 ]
	[ ! -e "$WORK/pid" ]
}

@test "a pid file that cannot be written fails the command and leaves nothing" {
	runtime create --bundle "$BUNDLE" --pid-file "$WORK/nowhere/pid" "$ID"
	[ "$status" -eq 1 ]
	[[ $output == "rt: create $ID: write the pid to $WORK/nowhere/pid: "*"no such file or directory" ]]
	[ -z "$(leftovers "$TOKEN")$(ls -A "$ROOT")" ]
}

@test "in a pid namespace of the caller, the pid is the one the caller sees" {
	run unshare --pid --fork --mount-proc --kill-child bash -euc '
		"$1" --root "$2" create --bundle "$3" --pid-file "$4/pid" "$5" >/dev/null
		test "$(cat "/proc/$(cat "$4/pid")/comm")" != bash
		test "$(cat "$4/pid")" = "$("$1" --root "$2" state "$5" | jq .pid)"
		"$1" --root "$2" delete --force "$5"
	' bash "$RT" "$ROOT" "$BUNDLE" "$WORK" "$ID"
	echo "$output"
	[ "$status" -eq 0 ]
}
