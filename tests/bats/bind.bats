#!/usr/bin/env bats
# Bind mounts: what is bound, from where, and which flags it keeps.

setup() {
	load helpers
	load inside
	load mounts
	setup_bundle
	config 'del(.root.readonly)'
	mkdir "$WORK/source"
}

teardown() {
	teardown_all
}

# bind DESTINATION SOURCE [OPTION...] adds a bind mount.
bind() {
	add_mount "$1" none "$2" bind "${@:3}"
}

@test "a directory" {
	echo content >"$WORK/source/file"
	for_container "$WORK/source"
	bind /m "$WORK/source"
	inside 'cat /m/file; echo written >/m/new'
	assert_success
	assert_output content
	assert_equal "$(cat "$WORK/source/new")" written
}

@test "a file, on a missing mount point: an empty file of mode 0755 is made" {
	echo content >"$WORK/source/file"
	bind /deep/er/file "$WORK/source/file"
	inside 'cat /deep/er/file; stat -c "%a %F" /deep'
	assert_success
	assert_output $'content\n755 directory'
	assert_equal "$(stat -c '%a %s %F' "$BUNDLE/rootfs/deep/er/file")" '755 0 regular empty file'
}

@test "a file, on a file" {
	echo content >"$WORK/source/file"
	echo hidden >"$BUNDLE/rootfs/etc/file"
	bind /etc/file "$WORK/source/file"
	inside 'cat /etc/file'
	assert_success
	assert_output content
	assert_equal "$(cat "$BUNDLE/rootfs/etc/file")" hidden
}

@test "a FIFO, a socket and a device, on missing mount points" {
	needs perl
	mkfifo "$WORK/source/fifo"
	bind /m/fifo "$WORK/source/fifo"
	bind /m/null /dev/null
	perl -MSocket -e 'socket(S, AF_UNIX, SOCK_STREAM, 0) && bind(S, sockaddr_un($ARGV[0])) || die $!' "$WORK/source/socket"
	bind /m/socket "$WORK/source/socket"
	inside 'stat -c %F /m/fifo /m/null /m/socket; echo discarded >/m/null'
	assert_success
	assert_output $'fifo\ncharacter special file\nsocket'
}

@test "a file on a directory is an error that names the mount" {
	touch "$WORK/source/file"
	bind /etc "$WORK/source/file"
	fails "$(last_mount)" 'not a directory'
}

@test "a directory on a file is an error that names the mount" {
	bind /etc/passwd "$WORK/source"
	fails "$(last_mount)" 'not a directory'
}

@test "a missing source is an error that names the mount" {
	bind /m "$WORK/missing"
	fails "$(last_mount)" "$WORK/missing" 'no such file or directory'
}

@test "a relative source is below the bundle" {
	mkdir "$BUNDLE/data"
	echo content >"$BUNDLE/data/file"
	bind /m data
	inside 'cat /m/file'
	assert_success
	assert_output content
}

@test "a source that is a symlink is followed on the host" {
	echo content >"$WORK/source/file"
	ln -s "$WORK/source" "$WORK/link"
	bind /m "$WORK/link"
	inside 'cat /m/file'
	assert_success
	assert_output content
}

@test "a source below the root directory shows the mounts made there before" {
	mkdir "$BUNDLE/rootfs/a"
	add_mount /a tmpfs earlier
	bind /b "$BUNDLE/rootfs/a"
	inside 'cat /proc/self/mountinfo'
	assert_success
	assert_equal "$(mount_source /b)" earlier
}

@test "the root directory as source" {
	echo content >"$BUNDLE/rootfs/file"
	bind /m "$BUNDLE/rootfs"
	inside 'cat /m/file'
	assert_success
	assert_output content
}

@test "bind leaves nested mounts out, rbind takes them along" {
	skip_in userns 'the kernel lets nobody see what the mounts of the host hide'
	bind /one "$WORK/source"
	add_mount /all none "$WORK/source" rbind
	args cat /proc/self/mountinfo
	# shellcheck disable=SC2016
	in_mount_namespace private '
		mkdir "$WORK/source/sub"
		mount -t tmpfs nested "$WORK/source/sub"
		"$RT" --root "$ROOT" run -b "$BUNDLE" "$1"
	' "$(new_id)"
	assert_success
	assert_equal "$(mount_source /all/sub)" nested
	refute_contains ' /one/sub '
}

@test "the type is ignored: bind in the options makes it a bind" {
	config '.mounts += [{destination: "/m", type: "tmpfs", source: $source, options: ["bind"]}]' --arg source "$WORK/source"
	echo content >"$WORK/source/file"
	inside 'cat /m/file'
	assert_success
	assert_output content
}

@test "type bind makes it a bind, without the option" {
	config '.mounts += [{destination: "/m", type: "bind", source: $source, options: ["rbind", "ro"]}]' --arg source "$WORK/source"
	echo content >"$WORK/source/file"
	inside 'cat /m/file; touch /m/new'
	assert_failure
	assert_line content
	assert_contains 'Read-only file system'
}

# flags_kept [OPTION...] prints the flags in the container of a bind with the options whose source is
# mounted nosuid,nodev,noatime.
flags_kept() {
	bind /m "$WORK/source" "$@"
	args cat /proc/self/mountinfo
	# shellcheck disable=SC2016
	in_mount_namespace private '
		mount -t tmpfs -o nosuid,nodev,noatime tmpfs "$WORK/source"
		"$RT" --root "$ROOT" run -b "$BUNDLE" "$1"
	' "$(new_id)"
	assert_success
	mount_flags /m
}

@test "without options the source's flags are kept" {
	assert_equal "$(flags_kept)" rw,nosuid,nodev,noatime
}

@test "an option that clears a flag of the source clears it" {
	local flags
	flags=$(flags_kept suid)
	lacks_option "$flags" nosuid
}

@test "ro: read-only inside, still writable outside" {
	bind /m "$WORK/source" ro
	inside 'touch /m/new'
	assert_failure
	assert_contains 'Read-only file system'
	touch "$WORK/source/outside"
}

@test "ro is not recursive, rro is" {
	add_mount /ro none "$WORK/source" rbind ro
	add_mount /rro none "$WORK/source" rbind rro
	args sh -c 'touch /ro/sub/new && echo "ro: nested written"; touch /rro/sub/new || echo "rro: nested refused"; touch /ro/new /rro/new'
	# shellcheck disable=SC2016
	in_mount_namespace private '
		mkdir "$WORK/source/sub"
		mount -t tmpfs tmpfs "$WORK/source/sub"
		"$RT" --root "$ROOT" run -b "$BUNDLE" "$1"
	' "$(new_id)"
	assert_failure
	assert_line 'ro: nested written'
	assert_line 'rro: nested refused'
	assert_contains '/ro/new: Read-only'
	assert_contains '/rro/new: Read-only'
}

@test "one source, bound twice, with flags of their own" {
	bind /one "$WORK/source" ro
	bind /two "$WORK/source" noexec
	inside 'cat /proc/self/mountinfo'
	assert_success
	assert_equal "$(mount_flags /one)" ro,relatime
	assert_equal "$(mount_flags /two)" rw,noexec,relatime
}

@test "a source on a path of 4000 bytes" {
	local part path=$WORK/source
	part=$(printf '%0200d' 0)
	mkdir -p "$WORK/long"
	path=$WORK/long
	while ((${#path} < 3700)); do
		path=$path/$part
	done
	mkdir -p "$path"
	touch "$path/here"
	bind /m "$path"
	inside 'ls /m'
	assert_success
	assert_output here
}
