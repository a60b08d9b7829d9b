#!/usr/bin/env bats
# HOME, which is taken from the container's /etc/passwd when the config does not set it.

setup() {
	load helpers
	load inside
	load mounts
	setup_bundle
	PASSWD=$BUNDLE/rootfs/etc/passwd
	config '.process.env = ["PATH=/bin"]'
	args sh -c 'echo "$HOME"'
}

teardown() {
	teardown_all
}

# as UID sets the user.
as() {
	config '.process.user = {uid: $uid, gid: $uid}' --argjson uid "$1"
}

# home_is DIRECTORY runs the container within the time that a hostile file must not exceed.
home_is() {
	local before=${EPOCHREALTIME/./}
	run timeout --kill-after 1 5 "$RT" --root "$ROOT" run -b "$BUNDLE" "$(new_id)"
	assert_success
	assert_output "$1"
	((${EPOCHREALTIME/./} - before < 2000000))
}

@test "set in the config: that" {
	config '.process.env += ["HOME=/config"]'
	home_is /config
}

@test "unset: root's of /etc/passwd" {
	home_is /root
}

@test "unset: that of the user of process.user" {
	as 1000
	home_is /home/user
}

@test "empty: as if unset" {
	config '.process.env += ["HOME="]'
	as 1000
	home_is /home/user
}

@test "set several times: the last" {
	config '.process.env += ["HOME=/first", "HOME=/last"]'
	home_is /last
}

@test "a user who is not in /etc/passwd: /" {
	as 4242
	home_is /
}

@test "no /etc/passwd: /" {
	rm "$PASSWD"
	home_is /
}

@test "no /etc: /" {
	rm -r "$BUNDLE/rootfs/etc"
	home_is /
}

@test "an empty /etc/passwd: /" {
	: >"$PASSWD"
	home_is /
}

@test "an entry without a directory: /" {
	echo 'user:x:1000:1000:user::/bin/sh' >"$PASSWD"
	as 1000
	home_is /
}

@test "of several entries of the user the first" {
	printf '%s\n' 'a:x:1000:1000::/first:/bin/sh' 'b:x:1000:1000::/second:/bin/sh' >"$PASSWD"
	as 1000
	home_is /first
}

@test "a name that is a number is not an id" {
	printf '%s\n' '1000:x:0:0::/wrong:/bin/sh' 'user:x:1000:1000::/right:/bin/sh' >"$PASSWD"
	as 1000
	home_is /right
}

@test "malformed lines are passed over" {
	printf '%s\n' '# comment' '' ':' 'user' 'user:x' 'user:x:1000' 'user:x:1000x:0::/wrong:' 'user:x:-1000:0::/wrong:' \
		'user:x:99999999999999999999:0::/wrong:' '+::::::' 'user:x:1000:1000::/right:/bin/sh' >"$PASSWD"
	as 1000
	home_is /right
}

@test "a line without a number for an id is not root's" {
	printf '%s\n' 'user:x:none:0::/wrong:' 'user' ':x:::/wrong:' 'root:x:0:0::/right:/bin/sh' >"$PASSWD"
	home_is /right
}

@test "the last line may lack its newline" {
	printf 'user:x:1000:1000::/right:/bin/sh' >"$PASSWD"
	as 1000
	home_is /right
}

@test "/etc/passwd is read after the mounts" {
	echo 'root:x:0:0::/mounted:/bin/sh' >"$WORK/passwd"
	add_mount /etc/passwd none "$WORK/passwd" bind ro
	home_is /mounted
}

@test "/etc/passwd is a symlink: followed inside the root" {
	mkdir -p "$BUNDLE/rootfs$WORK" "$BUNDLE/rootfs/usr/lib"
	echo 'root:x:0:0::/outside:/bin/sh' >"$WORK/passwd"
	echo 'root:x:0:0::/inside:/bin/sh' >"$BUNDLE/rootfs$WORK/passwd"
	ln -sf "$WORK/passwd" "$PASSWD"
	home_is /inside
}

@test "hostile /etc/passwd: a FIFO, a directory, a loop of symlinks" {
	rm "$PASSWD"
	mkfifo "$PASSWD"
	home_is /
	rm "$PASSWD"
	mkdir "$PASSWD"
	home_is /
	rmdir "$PASSWD"
	ln -s passwd "$PASSWD"
	home_is /
}

@test "hostile /etc/passwd: a symlink to /dev/zero, to /proc/kmsg, to the terminal" {
	local target
	for target in /dev/zero /proc/kmsg /dev/tty /dev/stdin; do
		ln -sf "$target" "$PASSWD"
		home_is /
	done
}

@test "hostile /etc/passwd: 10 GB" {
	rm "$PASSWD"
	truncate -s 10G "$PASSWD"
	home_is /
}

@test "hostile /etc/passwd: one line of a megabyte" {
	{
		head -c 1048576 /dev/zero | tr '\0' x
		echo ':x:1000:1000::/wrong:/bin/sh'
	} >"$PASSWD"
	as 4242
	home_is /
}
