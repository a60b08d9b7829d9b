#!/usr/bin/env bats
# process.cwd.

setup() {
	load helpers
	load inside
	load mounts
	setup_bundle
}

teardown() {
	teardown_all
}

cwd() {
	config '.process.cwd = $path' --arg path "$1"
}

@test "the program starts there" {
	mkdir "$BUNDLE/rootfs/srv"
	cwd /srv
	inside '/bin/pwd; readlink /proc/self/cwd'
	assert_success
	assert_output $'/srv\n/srv'
}

@test "missing: made, with its parents, as directories of mode 0755" {
	config 'del(.root.readonly)'
	cwd /made/for/this
	umask 077
	inside '/bin/pwd; stat -c "%a %u:%g" /made /made/for /made/for/this'
	assert_success
	assert_output $'/made/for/this\n755 0:0\n755 0:0\n755 0:0'
}

@test "missing on a mount: made there" {
	add_mount /m tmpfs tmpfs mode=755
	cwd /m/sub
	inside /bin/pwd
	assert_success
	assert_output /m/sub
	[[ ! -e $BUNDLE/rootfs/m/sub ]]
}

@test "through a symlink: inside the root" {
	config 'del(.root.readonly)'
	mkdir -p "$WORK/outside" "$BUNDLE/rootfs$WORK/outside"
	ln -s "$WORK/outside" "$BUNDLE/rootfs/link"
	for_container "$BUNDLE/rootfs/tmp"
	cwd /link/sub
	inside '/bin/pwd'
	assert_success
	assert_output "$WORK/outside/sub"
	assert_equal "$(ls -A "$WORK/outside")" ''
}

@test "a directory that only root may enter: root goes there before it becomes the user" {
	mkdir -m 700 "$BUNDLE/rootfs/private"
	for_container "$BUNDLE/rootfs/private"
	config '.process.user = {uid: 1000, gid: 1000}'
	cwd /private
	inside 'readlink /proc/self/cwd; ls'
	assert_failure
	assert_line /private
	assert_contains "Permission denied"
}

@test "a directory that only the user may enter" {
	mkdir -m 700 "$BUNDLE/rootfs/private"
	chown "$(host_id 1000):$(host_id 1000)" "$BUNDLE/rootfs/private"
	config '.process.user = {uid: 1000, gid: 1000}'
	cwd /private
	inside 'touch /dev/null && /bin/pwd'
	assert_success
	assert_output /private
}

@test "a file is an error that names the field" {
	cwd /etc/passwd
	fails process.cwd 'not a directory'
}

@test "relative, empty or missing: refused" {
	cwd srv
	refused process.cwd srv
	cwd ''
	refused process.cwd
	config 'del(.process.cwd)'
	refused process.cwd
}
