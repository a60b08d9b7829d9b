#!/usr/bin/env bats
# tmpfs in mounts[]: its mode, its size, and tmpcopyup.

setup() {
	load helpers
	load inside
	load mounts
	setup_bundle
	config 'del(.root.readonly)'
}

teardown() {
	teardown_all
}

@test "without mode, on a missing mount point: 1777" {
	add_mount /m tmpfs tmpfs
	umask 077
	inside 'stat -c %a /m'
	assert_success
	assert_output 1777
}

@test "without mode, on a directory: the directory's" {
	mkdir -m 710 "$BUNDLE/rootfs/m"
	mkdir -m 2755 "$BUNDLE/rootfs/setgid"
	add_mount /m tmpfs tmpfs
	add_mount /setgid tmpfs tmpfs
	inside 'stat -c %a /m /setgid'
	assert_success
	assert_output $'710\n2755'
}

@test "with mode: that one, whatever the directory's" {
	mkdir -m 710 "$BUNDLE/rootfs/m"
	add_mount /m tmpfs tmpfs mode=1770
	add_mount /new tmpfs tmpfs mode=700
	inside 'stat -c %a /m /new'
	assert_success
	assert_output $'1770\n700'
}

@test "the directory underneath is not changed" {
	mkdir -m 710 "$BUNDLE/rootfs/m"
	add_mount /m tmpfs tmpfs mode=1777
	inside 'touch /m/file'
	assert_success
	assert_equal "$(stat -c '%a %u' "$BUNDLE/rootfs/m") $(ls -A "$BUNDLE/rootfs/m")" '710 0 '
}

@test "size limits it" {
	add_mount /m tmpfs tmpfs size=64k
	inside 'head -c 65536 /dev/zero >/m/fits && echo fits; echo more >/m/more || echo full'
	assert_success
	assert_line fits
	assert_line full
}

@test "uid and gid own it" {
	add_mount /m tmpfs tmpfs uid=12 gid=34
	inside 'stat -c %u:%g /m'
	assert_success
	assert_output 12:34
}

@test "ro: empty and read-only, with the mode it asks for" {
	add_mount /m tmpfs tmpfs ro mode=750
	inside 'stat -c %a /m; touch /m/file'
	assert_failure
	assert_line 750
	assert_contains 'Read-only file system'
}

@test "ro: mount points below it are made first" {
	add_mount /m tmpfs tmpfs ro
	add_mount /m/sub tmpfs inner
	inside 'touch /m/sub/file && ls /m/sub; touch /m/file'
	assert_failure
	assert_line file
	assert_contains '/m/file: Read-only file system'
}

@test "/dev, ro: it has its device nodes and cannot be written" {
	config '(.mounts[] | select(.destination == "/dev").options) += ["ro"]'
	inside 'test -c /dev/null && echo there; touch /dev/new'
	assert_failure
	assert_line there
	assert_contains 'Read-only file system'
}

@test "tmpcopyup: it starts with what it hides, modes, owners and links included" {
	skip_in rootless 'what is there, the user has to be able to read, and files of the other ids are not his'
	local root=$BUNDLE/rootfs/m
	mkdir -m 777 "$root"
	mkdir -m 1770 "$root/dir"
	echo content >"$root/dir/file"
	chmod 640 "$root/dir/file"
	ln -s dir/file "$root/link"
	ln -s /etc/passwd "$root/absolute"
	echo setuid >"$root/setuid"
	for_container "$root"
	chown "$(host_id 12):$(host_id 34)" "$root/dir/file"
	chmod 4755 "$root/setuid"
	add_mount /m tmpfs tmpfs tmpcopyup
	config '.process.capabilities |= map_values(. + ["CAP_DAC_OVERRIDE"])'
	umask 077
	inside 'cd /m; stat -c "%a %u:%g %F" . dir dir/file setuid; cat link; readlink absolute; ls -A'
	assert_success
	assert_output "$(printf '%s\n' '777 0:0 directory' '1770 0:0 directory' '640 12:34 regular file' '4755 0:0 regular file' \
		content /etc/passwd absolute dir link setuid)"
}

@test "tmpcopyup: what is written goes to the copy" {
	mkdir "$BUNDLE/rootfs/m"
	echo below >"$BUNDLE/rootfs/m/file"
	for_container "$BUNDLE/rootfs/m"
	add_mount /m tmpfs tmpfs tmpcopyup
	inside 'echo above >/m/file; echo new >/m/new; cat /m/file; cat /proc/self/mountinfo'
	assert_success
	assert_equal "${lines[0]}" above
	assert_equal "$(mount_type /m)" tmpfs
	assert_equal "$(cat "$BUNDLE/rootfs/m/"*)" below
}

@test "tmpcopyup with ro: the copy cannot be written" {
	mkdir "$BUNDLE/rootfs/m"
	echo below >"$BUNDLE/rootfs/m/file"
	for_container "$BUNDLE/rootfs/m"
	add_mount /m tmpfs tmpfs tmpcopyup ro
	inside 'cat /m/file; touch /m/new'
	assert_failure
	assert_line below
	assert_contains 'Read-only file system'
}

@test "tmpcopyup of an empty directory, and of a missing one" {
	mkdir -m 700 "$BUNDLE/rootfs/empty"
	for_container "$BUNDLE/rootfs/empty"
	add_mount /empty tmpfs tmpfs tmpcopyup
	add_mount /missing tmpfs tmpfs tmpcopyup
	inside 'ls -A /empty /missing; stat -c %a /empty'
	assert_success
	assert_line 700
}

@test "tmpcopyup of a file larger than the filesystem is an error that names the mount" {
	mkdir "$BUNDLE/rootfs/m"
	head -c 100000 /dev/zero >"$BUNDLE/rootfs/m/file"
	add_mount /m tmpfs tmpfs tmpcopyup size=64k
	fails "$(last_mount)" 'no space left on device'
}
