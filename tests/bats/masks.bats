#!/usr/bin/env bats
# linux.maskedPaths and linux.readonlyPaths.

setup() {
	load helpers
	load inside
	load mounts
	setup_bundle
	mkdir "$BUNDLE/rootfs/secret"
	echo secret >"$BUNDLE/rootfs/secret/file"
	mkdir "$BUNDLE/rootfs/other"
	echo secret >"$BUNDLE/rootfs/file"
	config 'del(.root.readonly)'
}

teardown() {
	teardown_all
}

# masked PATH... replaces linux.maskedPaths.
masked() {
	config '.linux.maskedPaths = ($list | split(" "))' --arg list "$*"
}

# readonly_paths PATH... replaces linux.readonlyPaths.
readonly_paths() {
	config '.linux.readonlyPaths = ($list | split(" "))' --arg list "$*"
}

@test "a masked file reads as empty and swallows writes" {
	masked /file
	inside 'cat /file; echo lost >/file && stat -c "%F %t:%T" /file'
	assert_success
	assert_output 'character special file 1:3'
	assert_equal "$(cat "$BUNDLE/rootfs/file")" secret
}

@test "a masked directory is empty and read-only" {
	masked /secret
	inside 'ls -A /secret; touch /secret/new'
	assert_failure
	assert_output "touch: /secret/new: Read-only file system"
}

@test "the masked paths of the default config show nothing" {
	mapfile -t paths < <(jq -r '.linux.maskedPaths[]' "$BUNDLE/config.json")
	inside 'for p in "$@"; do if [ -d $p ]; then ls -A $p; elif [ -e $p ]; then cat $p; fi; done' "${paths[@]}"
	assert_success
	assert_output ''
}

@test "a missing masked path is skipped" {
	masked /missing /missing/below /file/below /file
	inside 'ls -d /missing; cat /file'
	assert_success
	assert_output 'ls: /missing: No such file or directory'
}

@test "masked directories share one filesystem" {
	masked /secret /other /proc/acpi /sys/firmware
	inside 'stat -c %d /secret /other; cat /proc/self/mountinfo'
	assert_success
	assert_equal "${lines[0]}" "${lines[1]}"
	assert_equal "$(mount_type /secret)" tmpfs
	has_option "$(mount_flags /secret)" ro
}

@test "a path masked twice is masked once" {
	masked /secret /file /secret /file
	inside 'grep -c " /secret " /proc/self/mountinfo; grep -c " /file " /proc/self/mountinfo'
	assert_success
	assert_output $'1\n1'
}

@test "masks work on a read-only root" {
	config '.root.readonly = true'
	masked /secret /file
	inside 'ls -A /secret; cat /file'
	assert_success
	assert_output ''
}

@test "a masked path through a symlink of the root stays inside the root" {
	mkdir -p "$WORK/outside" "$BUNDLE/rootfs$WORK/outside"
	echo visible >"$WORK/outside/file"
	echo secret >"$BUNDLE/rootfs$WORK/outside/file"
	ln -s "$WORK/outside" "$BUNDLE/rootfs/link"
	masked /link/file
	inside 'cat /link/file'
	assert_success
	assert_output ''
	assert_equal "$(cat "$WORK/outside/file")" visible
}

@test "a read-only file and a read-only directory cannot be written" {
	for_container "$BUNDLE/rootfs"
	readonly_paths /file /secret
	inside 'cat /file; ls /secret; echo new >/file; touch /secret/new; touch /other/new && echo "other written"'
	assert_success
	assert_contains '/file: Read-only file system'
	assert_contains '/secret/new: Read-only file system'
	assert_line secret
	assert_line file
	assert_line 'other written'
}

@test "the read-only paths of the default config cannot be written" {
	config '.process.capabilities |= map_values(. + ["CAP_DAC_OVERRIDE", "CAP_SYS_ADMIN"])'
	inside 'echo 1 >/proc/sys/kernel/msgmni'
	assert_failure
	assert_contains 'Read-only file system'
}

@test "a read-only path keeps the other flags of the mount it is in" {
	add_mount /m tmpfs tmpfs nosuid nodev noexec
	add_mount /m/dir tmpfs tmpfs nosuid noatime
	readonly_paths /m/dir
	inside 'cat /proc/self/mountinfo'
	assert_success
	assert_equal "$(mount_flags /m/dir)" ro,nosuid,noatime
}

@test "a missing read-only path is skipped" {
	readonly_paths /missing /missing/below /file/below /secret
	inside 'touch /secret/new'
	assert_failure
	assert_contains 'Read-only file system'
}

@test "a read-only path takes its nested mounts along" {
	for_container "$BUNDLE/rootfs/secret"
	add_mount /secret/sub tmpfs nested
	readonly_paths /secret
	inside 'cat /proc/self/mountinfo'
	assert_success
	assert_equal "$(mount_source /secret/sub)" nested
}

@test "a path may be both read-only and masked: it is masked" {
	readonly_paths /secret
	masked /secret
	inside 'ls -A /secret'
	assert_success
	assert_output ''
}

@test "a relative path is refused" {
	masked /file data
	refused 'linux.maskedPaths[1]' data
	masked /file
	readonly_paths data
	refused 'linux.readonlyPaths[0]' data
}

@test "without a mount namespace masked and read-only paths are refused" {
	config '.mounts = [] | del(.linux.namespaces[] | select(.type == "mount"))'
	refused linux.maskedPaths linux.readonlyPaths
}
