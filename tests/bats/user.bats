#!/usr/bin/env bats
# process.user: the ids and groups of the program, its umask, and who owns its standard streams.

setup() {
	load helpers
	load inside
	setup_bundle
}

teardown() {
	teardown_all
}

# ids prints the program's real, effective, saved and filesystem ids, and its groups.
ids='grep -E "^(Uid|Gid|Groups):" /proc/self/status'

@test "all four user and group ids are those of the config" {
	config '.process.user = {uid: 1234, gid: 5678}'
	inside "$ids"
	assert_success
	assert_equal "${lines[0]}" $'Uid:\t1234\t1234\t1234\t1234'
	assert_equal "${lines[1]}" $'Gid:\t5678\t5678\t5678\t5678'
}

@test "ids that no user has, up to the highest" {
	skip_in userns 'the highest id is not mapped'
	config '.process.user = {uid: 4294967294, gid: 4294967294}'
	inside 'id -u; id -g'
	assert_success
	assert_output $'4294967294\n4294967294'
}

@test "without additionalGids the caller's groups are dropped" {
	args sh -c "$ids"
	run_container_by setpriv --groups 5,6,7
	assert_success
	assert_equal "${lines[2]}" $'Groups:\t '
}

@test "additionalGids are exactly the program's groups" {
	skip_in rootless 'the user has none but his own group'
	config '.process.user = {uid: 1000, gid: 1000, additionalGids: [10, 20, 60000]}'
	args sh -c "$ids"
	run_container_by setpriv --groups 5,6,7
	assert_success
	assert_equal "${lines[2]}" $'Groups:\t10 20 60000 '
}

@test "umask" {
	config '.process.user.umask = 31'
	inside umask
	assert_success
	assert_output 0037
}

@test "umask 0 is a value" {
	config '.process.user.umask = 0'
	inside umask
	assert_success
	assert_output 0000
}

@test "without umask the program has the usual one" {
	umask 022
	inside umask
	assert_success
	assert_output 0022
}

@test "the user owns the standard streams, and their group stays" {
	skip_in rootless 'the streams belong to root, who runs the tests'
	config '.process.user = {uid: 1000, gid: 1000}'
	touch "$WORK"/{in,out,err}
	chgrp 12 "$WORK"/{in,out,err}
	rt_alone run -d -b "$BUNDLE" "$(new_id)" <"$WORK/in" >"$WORK/out" 2>"$WORK/err"
	assert_equal "$(stat -c %u:%g "$WORK/in" "$WORK/out" "$WORK/err" | sort -u)" "$(host_id 1000):12"
}

@test "the user can open its standard streams again" {
	skip_in rootless 'the streams belong to root, who runs the tests'
	config '.process.user = {uid: 1000, gid: 1000}'
	args sh -c 'echo out >/dev/stdout; echo err >/dev/stderr'
	(umask 077 && : >"$WORK/out" && : >"$WORK/err")
	id=$(new_id)
	rt_alone run -d -b "$BUNDLE" "$id" >>"$WORK/out" 2>>"$WORK/err"
	wait_for_status "$id" stopped
	assert_equal "$(cat "$WORK/out" "$WORK/err")" $'out\nerr'
}

@test "standard streams on a read-only filesystem are no error" {
	config '.process.user = {uid: 1000, gid: 1000}'
	args cat
	echo content >"$WORK/file"
	# shellcheck disable=SC2016
	in_mount_namespace private '
		mkdir "$WORK/ro"
		mount --bind -o ro "$WORK" "$WORK/ro"
		"$RT" --root "$ROOT" run -d -b "$BUNDLE" "$1" <"$WORK/ro/file" >"$WORK/out" 2>&1
	' "$(new_id)"
	assert_success
	wait_until 5 test -s "$WORK/out"
	assert_equal "$(cat "$WORK/out")" content
}

@test "the user cannot write what is root's" {
	config 'del(.root.readonly) | .process.user = {uid: 1000, gid: 1000}'
	inside 'touch /etc/new'
	assert_failure
	assert_contains 'Permission denied'
}
