#!/usr/bin/env bats
# What rt does on the way to the program, counted in system calls.

load helpers
load inside

setup() {
	setup_bundle
	args true
}

teardown() {
	teardown_all
}

# traced CALLS writes the calls of `rt run` and all its children to $WORK/trace.
traced() {
	run strace -f -s 256 -o "$WORK/trace" -e "trace=$1" "$RT" --root "$ROOT" run -b "$BUNDLE" "$(new_id)"
	assert_success
}

@test "rt is executed once, the init stage once, the program once" {
	traced execve,execveat
	assert_equal "$(grep -c 'execve("' "$WORK/trace")" 3
	assert_equal "$(grep -c "execve(\"$RT\"" "$WORK/trace")" 1
	assert_equal "$(grep -c 'execve("/proc/self/fd/' "$WORK/trace")" 1
}

# bats test_tags=vm
@test "the container is born in its cgroup: nothing is moved in the unified hierarchy" {
	traced clone3,openat,openat2
	grep -q 'CLONE_INTO_CGROUP' "$WORK/trace"
	local moves='cgroup\.procs'
	[[ ! -d /sys/fs/cgroup/unified ]] || moves='unified/.*cgroup\.procs'
	run grep -E "$moves" "$WORK/trace"
	assert_failure
}

@test "the host's list of mounts is read by nothing of rt's: the Go runtime looks once, before main" {
	traced openat,openat2
	local main
	main=$(grep -n 'config\.json' "$WORK/trace" | head -n 1 | cut -d: -f1)
	run tail -n "+$main" "$WORK/trace"
	refute_contains mountinfo
	(($(grep -c mountinfo "$WORK/trace") <= 1))
}

@test "no shared library and no file of rt's own is opened" {
	traced openat,openat2
	run grep -E '"(/lib|/usr/lib|/etc)/' "$WORK/trace"
	assert_failure
}

# A table that is a variable is filled in by every command. Only package main may do a little.
@test "no package of rt's does anything before main" {
	run env GODEBUG=inittrace=1 "$RT" --root "$ROOT" list -q
	assert_success
	assert_contains 'init runtime @'
	refute_contains 'init rt/'
}
