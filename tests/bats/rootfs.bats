#!/usr/bin/env bats
# The root filesystem: root.path, root.readonly, linux.rootfsPropagation, and what is left of the host's.

setup() {
	load helpers
	load inside
	load mounts
	setup_bundle
}

teardown() {
	teardown_all
}

# bare leaves the config with the root, and a proc for looking at it.
bare() {
	config '.mounts |= map(select(.destination == "/proc")) | del(.linux.maskedPaths, .linux.readonlyPaths)'
}

@test "the root is the bundle's root directory" {
	bare
	echo "from the bundle" >"$BUNDLE/rootfs/note"
	inside 'cat /note; stat -c %i /'
	assert_success
	assert_output "from the bundle"$'\n'"$(stat -c %i "$BUNDLE/rootfs")"
}

@test "no mount of the host is left in the container" {
	bare
	inside 'cat /proc/self/mountinfo'
	assert_success
	assert_equal "$(awk '$5 !~ "^/dev/"' <<<"$output" | wc -l)" 2 # in a user namespace devices are mounts
	mount_at / >/dev/null
	mount_at /proc >/dev/null
}

@test "with --no-pivot no mount of the host is left in sight" {
	bare
	args cat /proc/self/mountinfo
	run_container --no-pivot
	assert_success
	assert_equal "$(awk '$5 !~ "^/dev/"' <<<"$output" | wc -l)" 2 # in a user namespace devices are mounts
	mount_at / >/dev/null
	mount_at /proc >/dev/null
}

@test "with --no-pivot the root is the bundle's root directory" {
	args sh -c 'cat /note; stat -c %i /'
	echo "from the bundle" >"$BUNDLE/rootfs/note"
	run_container --no-pivot
	assert_success
	assert_output "from the bundle"$'\n'"$(stat -c %i "$BUNDLE/rootfs")"
}

@test "the parent of the root is the root" {
	inside 'cd /../../..; pwd; stat -c %i . /'
	assert_success
	assert_equal "${lines[0]}" /
	assert_equal "${lines[1]}" "${lines[2]}"
}

@test "root.readonly: the root cannot be written, what is mounted in it can" {
	inside 'touch /etc/new; touch /dev/shm/new && echo "shm written"'
	assert_success
	assert_contains 'Read-only file system'
	assert_line 'shm written'
	[[ ! -e $BUNDLE/rootfs/etc/new ]]
}

@test "root.readonly: mount points and the working directory are made before the root becomes read-only" {
	config '.process.cwd = "/made/cwd" | .mounts += [{destination: "/made/mount", type: "tmpfs", source: "tmpfs"}]'
	inside 'pwd; touch /made/mount/new && ls /made/mount'
	assert_success
	assert_output $'/made/cwd\nnew'
}

@test "without root.readonly the root is written through to the bundle" {
	config 'del(.root.readonly)'
	inside 'echo written >/etc/new'
	assert_success
	assert_equal "$(cat "$BUNDLE/rootfs/etc/new")" written
}

@test "root.path: relative to the bundle, wherever the caller is" {
	mkdir "$WORK/elsewhere"
	cd "$WORK/elsewhere"
	echo here >"$BUNDLE/rootfs/note"
	inside 'cat /note'
	assert_success
	assert_output here
}

@test "root.path: the bundle itself" {
	mv "$BUNDLE/config.json" "$BUNDLE/rootfs/config.json"
	BUNDLE=$BUNDLE/rootfs
	config '.root.path = "."'
	inside 'ls /config.json'
	assert_success
	assert_output /config.json
}

@test "root.path: absolute, outside the bundle" {
	mv "$BUNDLE/rootfs" "$WORK/root"
	config '.root.path = $path' --arg path "$WORK/root"
	echo here >"$WORK/root/note"
	inside 'cat /note'
	assert_success
	assert_output here
}

@test "root.path: the host's own root" {
	config '.root = {path: "/"} | .mounts = [] | del(.linux.maskedPaths, .linux.readonlyPaths)'
	args stat -c %d:%i /
	run_container
	assert_success
	assert_output "$(stat -c %d:%i /)"
}

@test "root.path: the host's own root, read-only" {
	config '.root = {path: "/", readonly: true} | .mounts = [] | del(.linux.maskedPaths, .linux.readonlyPaths)'
	reachable "$WORK"
	for_container "$WORK"
	args touch "$WORK/new"
	run_container
	assert_failure
	assert_contains 'Read-only file system'
	[[ ! -e $WORK/new ]]
	touch "$WORK/new"
}

@test "root.path: missing" {
	config '.root.path = "missing"'
	refused root.path missing
}

@test "root.path: not a directory" {
	rm -r "$BUNDLE/rootfs"
	touch "$BUNDLE/rootfs"
	refused root.path
}

@test "root.path: a symlink is refused" {
	mv "$BUNDLE/rootfs" "$BUNDLE/real"
	ln -s real "$BUNDLE/rootfs"
	refused root.path symlink
}

@test "root.path: a path through a symlink is refused" {
	mkdir "$BUNDLE/real"
	mv "$BUNDLE/rootfs" "$BUNDLE/real/rootfs"
	ln -s real "$BUNDLE/link"
	config '.root.path = "link/rootfs"'
	refused root.path symlink
}

# root_peers VALUE runs a container with this rootfsPropagation on a host whose mounts are shared, and
# prints the propagation fields of its root: of a shared mount "shared:", of a slave "master:".
root_peers() {
	config '.linux.rootfsPropagation = $value' --arg value "$1"
	args cat /proc/self/mountinfo
	# shellcheck disable=SC2016
	in_mount_namespace shared '"$RT" --root "$ROOT" run -b "$BUNDLE" "$1"' "$(new_id)"
	assert_success
	mount_peers / | tr -d 0-9
}

@test "rootfsPropagation: shared" {
	skip_in userns "mounts in a mount namespace of another user namespace have no peers on the host"
	bare
	local value
	for value in shared rshared; do
		[[ $(root_peers "$value") == shared:* ]]
	done
}

@test "rootfsPropagation: slave" {
	bare
	assert_equal "$(root_peers slave)" "master:"
	assert_equal "$(root_peers rslave)" "master:"
}

@test "rootfsPropagation: private" {
	bare
	assert_equal "$(root_peers private)" ""
	assert_equal "$(root_peers rprivate)" ""
}

@test "rootfsPropagation: unbindable" {
	bare
	assert_equal "$(root_peers unbindable)" "unbindable"
	assert_equal "$(root_peers runbindable)" "unbindable"
}

@test "rootfsPropagation: an unknown value is refused" {
	config '.linux.rootfsPropagation = "public"'
	refused linux.rootfsPropagation public
}

@test "rootfsPropagation: private cannot be had with --no-pivot" {
	config '.linux.rootfsPropagation = "private"'
	run_container --no-pivot
	assert_failure 1
	assert_contains rootfsPropagation
	nothing_made
}

@test "without rootfsPropagation the root is not shared with the host" {
	bare
	args cat /proc/self/mountinfo
	# shellcheck disable=SC2016
	in_mount_namespace shared '"$RT" --root "$ROOT" run -b "$BUNDLE" "$1"' "$(new_id)"
	assert_success
	refute_contains shared:
}

# host_unchanged_by [FLAG...] creates, starts and deletes a container with each rootfsPropagation, on a
# host whose mounts are shared and on one whose mounts are private, and compares the host's mounts and
# their propagation. A host that lost its procfs has nothing to compare with: that fails, too.
host_unchanged_by() {
	local value host
	for value in '' shared slave private unbindable; do
		for host in shared private; do
			config '.linux.rootfsPropagation = $value | if $value == "" then del(.linux.rootfsPropagation) else . end' --arg value "$value"
			# shellcheck disable=SC2016
			in_mount_namespace "$host" '
				id=$1
				shift
				mount --bind "$BUNDLE/rootfs" "$BUNDLE/rootfs"
				before=$(cat /proc/self/mountinfo)
				"$RT" --root "$ROOT" create "$@" -b "$BUNDLE" "$id" >"$WORK/out" 2>&1 || grep rootfsPropagation "$WORK/out"
				diff <(echo "$before") /proc/self/mountinfo
				if [[ -e $ROOT/$id ]]; then
					"$RT" --root "$ROOT" start "$id"
				fi
				"$RT" --root "$ROOT" delete --force "$id"
				diff <(echo "$before") /proc/self/mountinfo
			' "$(new_id)" "$@"
			assert_success
		done
	done
}

@test "the host's mounts and their propagation are as before, whatever the config asks for" {
	host_unchanged_by
}

@test "the host's mounts and their propagation are as before with --no-pivot" {
	host_unchanged_by --no-pivot
}
