#!/usr/bin/env bats
# /dev/console and the controlling terminal of the container.

setup() {
	load helpers
	load inside
	load mounts
	setup_bundle
	needs script
}

teardown() {
	teardown_all
}

# on_terminal SCRIPT runs the script in a container with a terminal, from a terminal on which nobody
# types. The newlines of the output are not a terminal's any more.
on_terminal() {
	local keyboard
	config '.process.terminal = true'
	args sh -c "$1"
	mkfifo "$WORK/keyboard"
	exec {keyboard}<>"$WORK/keyboard"
	run script --quiet --return --command "'$RT' --root '$ROOT' run -b '$BUNDLE' '$(new_id)'" /dev/null <&"$keyboard"
	exec {keyboard}>&-
	output=${output//$'\r'/}
	mapfile -t lines <<<"$output"
}

@test "with a terminal: stdin, stdout and stderr are the first one of the container's devpts" {
	on_terminal 'tty; for n in 0 1 2; do readlink /proc/self/fd/$n; done'
	assert_success
	assert_output $'/dev/pts/0\n/dev/pts/0\n/dev/pts/0\n/dev/pts/0'
}

@test "with a terminal: /dev/console is that terminal" {
	on_terminal 'stat -c "%F %t:%T" /dev/console /dev/pts/0; cat /proc/self/mountinfo'
	assert_success
	assert_equal "${lines[0]}" "character special file 88:0"
	assert_equal "${lines[1]}" "${lines[0]}"
	assert_equal "$(mount_type /dev/console)" devpts
	assert_equal "$(mount_root /dev/console)" /0
}

@test "with a terminal: what is written to /dev/console comes out of it" {
	on_terminal 'echo through the console >/dev/console'
	assert_success
	assert_output 'through the console'
}

@test "with a terminal: it is the controlling terminal" {
	on_terminal 'echo through the tty >/dev/tty; awk "{ print \$1 == \$6, \$7 }" /proc/self/stat; awk "{ print \$6, \$7 }" /proc/1/stat'
	assert_success
	assert_equal "${lines[0]}" 'through the tty'
	assert_equal "${lines[2]}" '1 34816'
}

@test "with a terminal: it belongs to the user of the process" {
	config '.process.user = {uid: 1000, gid: 1000}'
	on_terminal 'stat -c "%u:%g %a" /dev/pts/0'
	assert_success
	assert_output '1000:5 620'
}

@test "with a terminal: in the root filesystem's own /dev, read-only root" {
	config '.mounts |= map(select(.destination == "/dev/pts" or (.destination | startswith("/dev") | not)))'
	mkdir "$BUNDLE/rootfs/dev/pts"
	on_terminal 'stat -c "%F %t:%T" /dev/console; touch /dev/new'
	assert_failure
	assert_equal "${lines[0]}" "character special file 88:0"
	assert_contains 'Read-only file system'
}

@test "without a terminal there is no /dev/console" {
	inside 'ls -l /dev/console'
	assert_failure
	assert_contains 'No such file or directory'
}

@test "without a terminal there is no controlling terminal" {
	inside 'echo >/dev/tty'
	assert_failure
	assert_contains 'No such device or address'
}
