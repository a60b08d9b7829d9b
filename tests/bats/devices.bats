#!/usr/bin/env bats
# Device nodes: the default ones, the default symlinks, and linux.devices.

load helpers

setup() {
	load inside
	load mounts
	setup_bundle
}

teardown() {
	teardown_all
}

# add_device OBJECT appends a jq object to linux.devices.
add_device() {
	config ".linux.devices += [$1]"
}

last_device() {
	jq -r '"linux.devices[\(.linux.devices | length - 1)]"' "$BUNDLE/config.json"
}

# show_nodes PATH... prints, for each, its type, numbers in hexadecimal, mode and owner.
show_nodes() {
	inside 'stat -c "%n %F %t:%T %a %u:%g" "$@"' "$@"
}

# without_dev leaves /dev to the root filesystem.
without_dev() {
	config 'del(.root.readonly) | .mounts |= map(select(.destination | startswith("/dev") | not))'
}

# In a user namespace they are the host's, and belong to its root.
OWNER=$(unmapped_id 0):$(unmapped_id 0)
DEFAULTS="/dev/null character special file 1:3 666 $OWNER
/dev/zero character special file 1:5 666 $OWNER
/dev/full character special file 1:7 666 $OWNER
/dev/random character special file 1:8 666 $OWNER
/dev/urandom character special file 1:9 666 $OWNER
/dev/tty character special file 5:0 666 $OWNER"

# What userns.bats has tests of.
THE_HOSTS="in a user namespace a device is the host's of that path"

@test "the default devices, with type, numbers, mode and owner" {
	umask 077
	show_nodes /dev/null /dev/zero /dev/full /dev/random /dev/urandom /dev/tty
	assert_success
	assert_output "$DEFAULTS"
}

@test "the default devices in the root filesystem's own /dev" {
	without_dev
	umask 077
	show_nodes /dev/null /dev/zero /dev/full /dev/random /dev/urandom /dev/tty
	assert_success
	assert_output "$DEFAULTS"
	# Now they are there.
	run_container
	assert_success
	assert_output "$DEFAULTS"
	[[ -c $BUNDLE/rootfs/dev/null ]] || mapped
}

@test "the default devices work" {
	inside 'echo discarded >/dev/null && head -c 4 /dev/zero | od -An -tx1 && head -c 8 /dev/urandom | wc -c; echo x >/dev/full'
	assert_failure
	assert_equal "${lines[0]# }" "00 00 00 00"
	assert_equal "${lines[1]}" 8
	assert_contains 'No space left on device'
}

@test "the default symlinks" {
	inside 'for l in fd stdin stdout stderr ptmx; do readlink "/dev/$l"; done'
	assert_success
	assert_output $'/proc/self/fd\n/proc/self/fd/0\n/proc/self/fd/1\n/proc/self/fd/2\npts/ptmx'
}

@test "/dev/core points to /proc/kcore where the kernel has that" {
	inside 'readlink /dev/core || echo none'
	assert_success
	if [[ -e /proc/kcore ]]; then
		assert_output /proc/kcore
	else
		assert_output none
	fi
}

@test "/dev has nothing but the defaults and what was mounted" {
	inside 'ls /dev | grep -v core'
	assert_success
	assert_equal "${lines[*]}" 'fd full mqueue null ptmx pts random shm stderr stdin stdout tty urandom zero'
}

@test "names that the root filesystem's own /dev has are kept, but ptmx" {
	without_dev
	ln -s /elsewhere "$BUNDLE/rootfs/dev/fd"
	touch "$BUNDLE/rootfs/dev/ptmx"
	inside 'readlink /dev/fd; readlink /dev/ptmx'
	assert_success
	assert_output $'/elsewhere\npts/ptmx'
}

@test "a character, a block and an unbuffered character device, and a FIFO" {
	skip_in userns "$THE_HOSTS"
	add_device '{path: "/dev/c", type: "c", major: 10, minor: 229}'
	add_device '{path: "/dev/b", type: "b", major: 7, minor: 200}'
	add_device '{path: "/dev/u", type: "u", major: 4, minor: 300}'
	add_device '{path: "/dev/p", type: "p"}'
	show_nodes /dev/c /dev/b /dev/u /dev/p
	assert_success
	assert_output "/dev/c character special file a:e5 666 0:0
/dev/b block special file 7:c8 666 0:0
/dev/u character special file 4:12c 666 0:0
/dev/p fifo 0:0 666 0:0"
}

@test "fileMode, uid and gid, whatever the umask" {
	skip_in userns "$THE_HOSTS"
	config '.process.user.umask = 63'
	add_device '{path: "/dev/x", type: "c", major: 10, minor: 229, fileMode: 432, uid: 12, gid: 34}'
	add_device '{path: "/dev/p", type: "p", fileMode: 511, gid: 5}'
	umask 077
	show_nodes /dev/x /dev/p
	assert_success
	assert_output "/dev/x character special file a:e5 660 12:34
/dev/p fifo 0:0 777 0:5"
}

@test "type bits in fileMode do not matter" {
	skip_in userns "$THE_HOSTS"
	add_device '{path: "/dev/x", type: "c", major: 10, minor: 229, fileMode: 25008}'
	show_nodes /dev/x
	assert_success
	assert_output "/dev/x character special file a:e5 660 0:0"
}

@test "a device anywhere in the root, with missing directories made" {
	skip_in userns "$THE_HOSTS"
	config 'del(.root.readonly)'
	add_device '{path: "/dev/deep/er/x", type: "c", major: 10, minor: 229}'
	add_device '{path: "/srv/dev/x", type: "p"}'
	inside 'stat -c "%n %F %a" /dev/deep /dev/deep/er /dev/deep/er/x /srv/dev /srv/dev/x'
	assert_success
	assert_output "/dev/deep directory 755
/dev/deep/er directory 755
/dev/deep/er/x character special file 666
/srv/dev directory 755
/srv/dev/x fifo 666"
}

@test "an entry with the path of a default device replaces it" {
	skip_in userns "$THE_HOSTS"
	add_device '{path: "/dev/tty", type: "c", major: 5, minor: 0, fileMode: 384, uid: 7}'
	add_device '{path: "/dev/full", type: "c", major: 1, minor: 5}'
	show_nodes /dev/tty /dev/full
	assert_success
	assert_output "/dev/tty character special file 5:0 600 7:0
/dev/full character special file 1:5 666 0:0"
}

@test "an entry for /dev/ptmx is ignored" {
	add_device '{path: "/dev/ptmx", type: "c", major: 5, minor: 2}'
	inside 'readlink /dev/ptmx'
	assert_success
	assert_output pts/ptmx
}

@test "the same device at the path is no error" {
	skip_in userns "$THE_HOSTS"
	without_dev
	mknod -m 640 "$BUNDLE/rootfs/dev/x" c 10 229
	add_device '{path: "/dev/x", type: "c", major: 10, minor: 229, fileMode: 416}'
	show_nodes /dev/x
	assert_success
	assert_output "/dev/x character special file a:e5 640 0:0"
}

@test "another device at the path is an error that names the entry" {
	without_dev
	mknod "$BUNDLE/rootfs/dev/x" c 1 3
	add_device '{path: "/dev/x", type: "c", major: 10, minor: 229}'
	fails "$(last_device)" /dev/x
	assert_equal "$(stat -c %t:%T "$BUNDLE/rootfs/dev/x")" 1:3
}

@test "a regular file at the path is an error that names the entry" {
	without_dev
	echo content >"$BUNDLE/rootfs/dev/x"
	add_device '{path: "/dev/x", type: "c", major: 10, minor: 229}'
	fails "$(last_device)" /dev/x
	assert_equal "$(cat "$BUNDLE/rootfs/dev/x")" content
}

@test "a regular file never stands for a default device" {
	without_dev
	echo content >"$BUNDLE/rootfs/dev/zero"
	show_nodes /dev/zero
	if ((status == 0)); then
		assert_output "$(grep zero <<<"$DEFAULTS")"
	else
		assert_contains /dev/zero
		nothing_made
	fi
}

@test "an unknown type is refused" {
	add_device '{path: "/dev/x", type: "z", major: 1, minor: 3}'
	refused "$(last_device).type" z
}

@test "a relative path is refused" {
	add_device '{path: "dev/x", type: "c", major: 1, minor: 3}'
	refused "$(last_device).path"
}

@test "/dev as a bind mount is left untouched" {
	mkdir "$WORK/dev"
	touch "$WORK/dev/ptmx"
	mknod -m 644 "$WORK/dev/null" c 1 3
	config '.mounts |= map(select(.destination | startswith("/dev") | not))'
	add_mount /dev none "$WORK/dev" bind
	before=$(ls -lAR --time-style=full-iso "$WORK/dev")
	inside 'ls -A /dev'
	assert_success
	assert_output $'null\nptmx'
	assert_equal "$(ls -lAR --time-style=full-iso "$WORK/dev")" "$before"
}
