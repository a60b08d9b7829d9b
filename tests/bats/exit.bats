#!/usr/bin/env bats
# The exit code of a foreground run, and a program that cannot be executed after all.

setup() {
	load helpers
	load inside
	setup_bundle
}

teardown() {
	teardown_all
}

@test "the exit code is the program's" {
	local code
	for code in 0 1 42 126 255; do
		inside "exit $code"
		assert_equal "$status" "$code"
	done
}

@test "a program that a signal killed: 128 and the signal's number" {
	# In a pid namespace of its own the program would be process 1, which such signals do not kill.
	config 'del(.linux.namespaces[] | select(.type == "pid"))'
	local signal
	for signal in 1 6 9 15; do
		inside "kill -$signal \$\$"
		assert_equal "$status" $((128 + signal))
	done
}

@test "process 1 ends the container's other processes" {
	config 'del(.root.readonly)'
	inside '(trap "" HUP TERM; sleep 600) & echo left'
	assert_success
	assert_output left
	nothing_made
}

# cannot_execute INTERPRETER makes a script with this first line the program.
cannot_execute() {
	printf '%s\n' "$1" >"$BUNDLE/rootfs/bin/run.sh"
	chmod 755 "$BUNDLE/rootfs/bin/run.sh"
	args /bin/run.sh
}

@test "a missing interpreter: one line from the container process, exit code 255" {
	cannot_execute '#!/no/such/interpreter'
	run_container
	assert_failure 255
	assert_output 'exec /bin/run.sh: no such file or directory'
}

@test "a file that is no program: one line from the container process, exit code 255" {
	cannot_execute 'neither a script nor a binary'
	run_container
	assert_failure 255
	assert_output 'exec /bin/run.sh: exec format error'
}

@test "the line is on the container's own stderr" {
	cannot_execute '#!/no/such/interpreter'
	id=$(new_id)
	rt_alone create -b "$BUNDLE" "$id" >"$WORK/out" 2>"$WORK/err"
	assert_equal "$(cat "$WORK/err")" ''
	runtime start "$id"
	wait_for_status "$id" stopped
	assert_equal "$(cat "$WORK/out" "$WORK/err")" 'exec /bin/run.sh: no such file or directory'
}
