#!/usr/bin/env bats
# The program as the container's process: its arguments, descriptors, signals and session.

setup() {
	load helpers
	load inside
	setup_bundle
}

teardown() {
	teardown_all
}

@test "arguments arrive exactly as given" {
	args printf '<%s>\n' plain 'two words' '' '$HOME' "it's" 'a"b' 'back\slash' 'ünï' --flag
	run_container
	assert_success
	assert_output "$(printf '<%s>\n' plain 'two words' '' '$HOME' "it's" 'a"b' 'back\slash' 'ünï' --flag)"
}

@test "the first argument stays as given when it was looked up in PATH" {
	args cat /proc/self/cmdline
	output=$(rt run -b "$BUNDLE" "$(new_id)" | tr '\0' '|')
	assert_output 'cat|/proc/self/cmdline|'
}

@test "an argument of 100,000 bytes" {
	config '.process.args = ["sh", "-c", "echo ${#1}", "sh", "x" * 100000]'
	run_container
	assert_success
	assert_output 100000
}

@test "a thousand arguments" {
	config '.process.args = ["sh", "-c", "echo $# ${1000}", "sh", (range(1000) | "a\(.)")]'
	run_container
	assert_success
	assert_output '1000 a999'
}

@test "arguments and environment longer than the kernel takes are an error" {
	config '.process.args = ["true", "x" * 200000]'
	run_container
	assert_failure
	assert_contains 'argument list too long'
	nothing_made
}

@test "no descriptor but stdin, stdout and stderr is open" {
	inside 'ls /proc/$$/fd; true'
	assert_success
	assert_output $'0\n1\n2'
}

@test "no descriptor that the caller left open reaches the program" {
	exec 8</ 9>"$WORK/file"
	export RT_KEEP_FDS="8 9"
	inside 'ls /proc/$$/fd; true'
	exec 8<&- 9>&-
	assert_success
	assert_output $'0\n1\n2'
}

@test "after create and start, too, no descriptor but those three is open" {
	args sh -c 'ls /proc/$$/fd; true'
	id=$(new_id)
	rt_alone create -b "$BUNDLE" "$id" >"$WORK/out"
	rt start "$id"
	wait_for_status "$id" stopped
	assert_equal "$(cat "$WORK/out")" $'0\n1\n2'
}

@test "stdin, stdout and stderr are the caller's" {
	args sh -c 'cat; echo to stderr >&2'
	echo 'from stdin' >"$WORK/in"
	rt_alone run -b "$BUNDLE" "$(new_id)" <"$WORK/in" >"$WORK/out" 2>"$WORK/err"
	assert_equal "$(cat "$WORK/out")" 'from stdin'
	assert_equal "$(cat "$WORK/err")" 'to stderr'
}

@test "a stream on the host's /dev/null is one on the container's" {
	skip_in userns "in a user namespace the container's is the host's"
	args sh -c 'stat -L -c "%d:%i" /proc/self/fd/0 /proc/self/fd/2 /dev/null'
	rt_alone run -b "$BUNDLE" "$(new_id)" </dev/null >"$WORK/out" 2>/dev/null
	assert_equal "$(sort -u "$WORK/out" | wc -l)" 1
	[[ $(head -n 1 "$WORK/out") != "$(stat -c %d:%i /dev/null)" ]]
}

# signal_set FIELD prints a set of /proc/PID/status in $output as a number.
signal_set() {
	echo $((16#$(sed -n "s/^$1:\t//p" <<<"$output")))
}

@test "no signal is blocked, or ignored that the caller does not ignore" {
	local output ignored
	output=$(cat /proc/self/status)
	ignored=$(signal_set SigIgn)
	args cat /proc/self/status
	run_container
	assert_success
	assert_equal "$(signal_set SigBlk)" 0
	assert_equal $(($(signal_set SigIgn) & ~ignored)) 0
}

@test "the program leads a session of its own" {
	inside 'cut -d" " -f6 /proc/$$/stat'
	assert_success
	assert_output 1
}

@test "the program has one thread and no child" {
	args grep -E '^Threads' /proc/self/status
	run_container
	assert_success
	assert_output $'Threads:\t1'
}

@test "the program's executable is the one of the container" {
	args readlink /proc/self/exe
	run_container
	assert_success
	assert_output /bin/busybox
}

@test "noNewPrivileges is set when it is asked for" {
	inside 'grep NoNewPrivs /proc/self/status'
	assert_success
	assert_output $'NoNewPrivs:\t1'
}

@test "noNewPrivileges is not set when it is not asked for" {
	local value
	for value in false null; do
		config ".process.noNewPrivileges = $value | if .process.noNewPrivileges == null then del(.process.noNewPrivileges) else . end"
		inside 'grep NoNewPrivs /proc/self/status'
		assert_success
		assert_output $'NoNewPrivs:\t0'
	done
}
