#!/usr/bin/env bats
# Id-mapped mounts: mounts[].uidMappings and gidMappings, and the options idmap and ridmap.

setup() {
	load helpers
	load inside
	load mounts
	setup_bundle
	config 'del(.root.readonly)'
	mkdir "$WORK/source"
	[[ $(stat -f -c %T "$WORK") != overlayfs ]] || skip "tests run on overlayfs, which has no id-mapped mounts"
}

teardown() {
	teardown_all
}

# map DESTINATION SOURCE RANGES [OPTION...] adds a bind mount with ranges "disk:seen:size,..." for users
# and groups, or "users/groups".
map() {
	add_mount "$1" none "$2" "${@:4}"
	config '
		def ranges: split(",") | map(split(":") | map(tonumber) | {containerID: .[0], hostID: .[1], size: .[2]});
		($ranges | split("/")) as $both |
		.mounts[-1] += {uidMappings: ($both[0] | ranges), gidMappings: ($both[-1] | ranges)}' --arg ranges "$3"
}

# owned FILE OWNER makes a file on disk.
owned() {
	mkdir -p "${1%/*}"
	echo content >"$1"
	chown "$2" "$1"
}

@test "ids on disk are seen as others, and stay what they are on disk" {
	owned "$WORK/source/file" 5:6
	map /m "$WORK/source" 0:100000:65536 bind idmap
	inside 'stat -c %u:%g /m/file; cat /m/file'
	assert_success
	assert_output $'100005:100006\ncontent'
	assert_equal "$(stat -c %u:%g "$WORK/source/file")" 5:6
}

@test "what is made inside has the other ids on disk" {
	chown 1000:2000 "$WORK/source"
	map /m "$WORK/source" 1000:0:1/2000:0:1 bind idmap
	inside 'touch /m/new; mkdir /m/directory; stat -c %u:%g /m /m/new /m/directory'
	assert_success
	assert_output $'0:0\n0:0\n0:0'
	assert_equal "$(stat -c %u:%g "$WORK/source/new")" 1000:2000
	assert_equal "$(stat -c %u:%g "$WORK/source/directory")" 1000:2000
}

@test "permissions are those of the ids that are seen" {
	owned "$WORK/source/file" 1000:1000
	chmod 600 "$WORK/source/file"
	config '.process.user = {uid: 7, gid: 7} | .process.capabilities = {}'
	map /m "$WORK/source" 1000:7:1 bind idmap
	add_mount /plain none "$WORK/source" bind
	inside 'cat /m/file; cat /plain/file'
	assert_failure
	assert_line content
	assert_contains '/plain/file'
}

@test "an id without a mapping belongs to nobody, and nothing can be made with it" {
	owned "$WORK/source/file" 5:5
	map /m "$WORK/source" 100:200:10 bind idmap
	inside 'stat -c %u:%g /m/file; touch /m/new'
	assert_failure
	assert_line 65534:65534
	[ ! -e "$WORK/source/new" ]
}

@test "several ranges" {
	owned "$WORK/source/a" 0:10
	owned "$WORK/source/b" 1000:1001
	map /m "$WORK/source" 0:100000:100,1000:500:10 bind idmap
	inside 'stat -c %u:%g /m/a /m/b'
	assert_success
	assert_output $'100000:100010\n500:501'
}

@test "as many ranges as the kernel takes" {
	local list
	owned "$WORK/source/file" 678:2
	list=$(for i in $(seq 0 339); do printf ',%d:%d:1' $((2 * i)) $((2 * i + 1)); done)
	map /m "$WORK/source" "${list#,}" bind idmap
	inside 'stat -c %u:%g /m/file'
	assert_success
	assert_output 679:3
}

@test "more bytes of ranges than the kernel takes are refused before anything is made" {
	local list
	list=$(for i in $(seq 0 339); do printf ',%d:%d:1' $((1000000000 + i)) $((2000000000 + i)); done)
	map /m "$WORK/source" "${list#,}" bind idmap
	refused "$(last_mount).uidMappings" '340 entries' 4096
}

@test "several mounts of one source, each with ids of its own" {
	owned "$WORK/source/file" 5:5
	map /a "$WORK/source" 0:100000:100 bind idmap
	map /b "$WORK/source" 0:200000:100 bind idmap
	add_mount /c none "$WORK/source" bind
	inside 'stat -c %u:%g /a/file /b/file /c/file'
	assert_success
	assert_output $'100005:100005\n200005:200005\n5:5'
}

@test "mounts with the same mapping share one" {
	map /a "$WORK/source" 0:100000:100 bind idmap
	map /b "$BUNDLE" 0:100000:100 bind idmap
	map /c "$WORK/source" 0:200000:100 bind idmap
	runtime plan "$BUNDLE"
	assert_success
	assert_equal "$(grep -c 'make id mapping' <<<"$output")" 2
	assert_equal "$(grep -c 'give the clone of .* id mapping 1' <<<"$output")" 2
	inside 'stat -c %u /a /b /c'
	assert_output $'100000\n100000\n200000'
}

@test "a relative source is below the bundle" {
	owned "$BUNDLE/data/file" 5:5
	map /m data 0:100000:100 bind idmap
	inside 'stat -c %u:%g /m/file'
	assert_success
	assert_output 100005:100005
}

@test "a file" {
	owned "$WORK/source/file" 5:5
	map /etc/file "$WORK/source/file" 0:100000:100 bind idmap
	inside 'stat -c %u:%g /etc/file'
	assert_success
	assert_output 100005:100005
}

@test "other options of the mount are as without a mapping" {
	map /m "$WORK/source" 0:100000:100 bind idmap ro nosuid noexec rslave
	inside 'cat /proc/self/mountinfo'
	assert_success
	has_option "$(mount_flags /m)" ro
	has_option "$(mount_flags /m)" nosuid
	has_option "$(mount_flags /m)" noexec
	lacks_option "$(mount_flags /m)" nodev
	has_option "$(mount_flags /m)" idmapped || [[ $output != *idmapped* ]]
}

@test "a propagation type" {
	owned "$WORK/source/file" 5:5
	map /m "$WORK/source" 0:100000:100 bind idmap rshared
	inside 'cat /proc/self/mountinfo; stat -c %u:%g /m/file'
	assert_success
	[[ $(mount_peers /m) == *shared:* ]]
	assert_line 100005:100005
}

# below OPTION...: prints the owners of a file on the source and of one on a mount below it.
below() {
	owned "$WORK/source/file" 5:5
	owned "$WORK/other/file" 5:5
	mkdir "$WORK/source/sub"
	map /m "$WORK/source" 0:100000:100 "$@"
	args stat -c %u:%g /m/file /m/sub/file
	# shellcheck disable=SC2016
	in_mount_namespace private '
		mount --bind "$WORK/other" "$WORK/source/sub"
		"$RT" --root "$ROOT" run -b "$BUNDLE" "$1"' "$(new_id)"
	assert_success
}

@test "idmap is not recursive" {
	below rbind idmap
	assert_output $'100005:100005\n5:5'
}

@test "ridmap is recursive" {
	below rbind ridmap
	assert_output $'100005:100005\n100005:100005'
}

@test "mappings without either option are not recursive" {
	below rbind
	assert_output $'100005:100005\n5:5'
}

@test "of idmap and ridmap the last counts" {
	below rbind ridmap idmap
	assert_output $'100005:100005\n5:5'
}

@test "a mount on a mapped mount is not mapped with it, and can have ids of its own" {
	owned "$WORK/source/file" 5:5
	owned "$WORK/other/file" 5:5
	mkdir "$WORK/source/plain" "$WORK/source/mapped"
	map /m "$WORK/source" 0:100000:100 bind idmap
	add_mount /m/plain none "$WORK/other" bind
	map /m/mapped "$WORK/other" 0:200000:100 bind idmap
	inside 'stat -c %u:%g /m/file /m/plain/file /m/mapped/file'
	assert_success
	assert_output $'100005:100005\n5:5\n200005:200005'
}

@test "the source is looked up with the mounts made so far" {
	owned "$WORK/source/file" 5:5
	add_mount /first none "$WORK/source" bind
	map /second "$BUNDLE/rootfs/first" 0:100000:100 bind idmap
	inside 'stat -c %u:%g /first/file /second/file'
	assert_success
	assert_output $'5:5\n100005:100005'
}

@test "an ordinary bind of a mapped mount shows its ids" {
	owned "$WORK/source/file" 5:5
	map /first "$WORK/source" 0:100000:100 bind idmap
	add_mount /second none "$BUNDLE/rootfs/first" bind
	inside 'stat -c %u:%g /second/file'
	assert_success
	assert_output 100005:100005
}

@test "a mapped mount cannot be mapped again: the error names the mount" {
	map /first "$WORK/source" 0:100000:100 bind idmap
	map /second "$BUNDLE/rootfs/first" 0:100000:100 bind idmap
	fails "$(last_mount)" "$BUNDLE/rootfs/first" 'id-mapped already'
}

@test "a filesystem without id-mapped mounts: the error names mount, line and filesystem" {
	map /m /sys 0:100000:100 bind idmap
	fails "$(last_mount) (config.json:" mount_setattr 'it is sysfs'
}

@test "a filesystem without id-mapped mounts below the source is an error with ridmap only" {
	mkdir "$WORK/source/sub"
	map /m "$WORK/source" 0:100000:100 rbind ridmap
	# shellcheck disable=SC2016
	in_mount_namespace private '
		mount -t proc proc "$WORK/source/sub"
		"$RT" --root "$ROOT" run -b "$BUNDLE" "$1"' "$(new_id)"
	assert_failure 1
	assert_all_contained "$(last_mount)" 'or below it'
	nothing_made
}

@test "a missing source is an error that names the mount" {
	map /m "$WORK/missing" 0:100000:100 bind idmap
	fails "$(last_mount)" "$WORK/missing" 'no such file or directory'
}

@test "what cannot be mapped is refused before anything is made" {
	add_mount /m none "$WORK/source" bind idmap
	refused "$(last_mount).options: idmap needs uidMappings and gidMappings"
	map /m "$WORK/source" 0:1:1 bind idmap
	config 'del(.mounts[-2])'
	config 'del(.mounts[-1].gidMappings)'
	refused "$(last_mount).gidMappings: must be given together with uidMappings"
	config '.mounts[-1] |= (.gidMappings = .uidMappings | del(.uidMappings))'
	refused "$(last_mount).uidMappings: must be given together with gidMappings"
	config '.mounts[-1] |= (.uidMappings = .gidMappings | .type = "tmpfs" | .options = [])'
	refused "$(last_mount): id-mapped mounts must be bind mounts"
}

@test "no descriptor of a source or a user namespace is left in the container" {
	map /a "$WORK/source" 0:100000:100 bind idmap
	map /b "$WORK/source" 0:200000:100 bind idmap
	inside 'for fd in /proc/self/fd/*; do readlink "$fd"; done; true'
	assert_success
	refute_contains user:
	refute_contains "$WORK/source"
	id=$(new_id)
	rt create -b "$BUNDLE" "$id"
	run readlink "/proc/$(container_pid "$id")"/fd/*
	refute_contains user:
	refute_contains "$WORK/source"
}

@test "no process is left of the making of a mapping, while rt waits for the container" {
	map /m "$WORK/source" 0:100000:100 bind idmap
	args sleep 1000
	id=$(new_id)
	rt_background run -b "$BUNDLE" "$id"
	wait_for_status "$id" running
	assert_equal "$(cat /proc/"$RT_PID"/task/*/children | xargs)" "$(container_pid "$id")"
}

# user_namespace [PATH] gives the container a user namespace whose root is user 100000, or joins one.
user_namespace() {
	config '.linux.namespaces += [{type: "user"} + if $path == "" then {} else {path: $path} end]' --arg path "${1:-}"
	[[ -n ${1:-} ]] || config '.linux |= (.uidMappings = [{containerID: 0, hostID: 100000, size: 65536}] | .gidMappings = .uidMappings)'
}

@test "idmap without mappings: the ids of the container's user namespace" {
	owned "$WORK/source/file" 5:6
	chmod 777 "$WORK/source"
	user_namespace
	add_mount /m none "$WORK/source" bind idmap
	add_mount /plain none "$WORK/source" bind
	inside 'stat -c %u:%g /m/file /plain/file; touch /m/new; stat -c %u:%g /m/new'
	assert_success
	assert_output $'5:6\n65534:65534\n0:0'
	assert_equal "$(stat -c %u:%g "$WORK/source/new")" 0:0
}

@test "idmap without mappings: the ids of a user namespace that is joined" {
	owned "$WORK/source/file" 5:6
	user_namespace
	args sleep 1000
	holder=$(new_id)
	rt run -d -b "$BUNDLE" "$holder"
	setup_bundle joining
	config 'del(.root.readonly)'
	user_namespace "/proc/$(container_pid "$holder")/ns/user"
	add_mount /m none "$WORK/source" bind idmap
	inside 'stat -c %u:%g /m/file'
	assert_success
	assert_output 5:6
}

@test "ridmap without mappings is recursive" {
	owned "$WORK/source/file" 5:5
	owned "$WORK/other/file" 5:5
	mkdir "$WORK/source/sub"
	user_namespace
	add_mount /m none "$WORK/source" rbind idmap
	add_mount /r none "$WORK/source" rbind ridmap
	args stat -c %u:%g /m/file /m/sub/file /r/file /r/sub/file
	# shellcheck disable=SC2016
	in_mount_namespace private '
		mount --bind "$WORK/other" "$WORK/source/sub"
		"$RT" --root "$ROOT" run -b "$BUNDLE" "$1"' "$(new_id)"
	assert_success
	assert_output $'5:5\n65534:65534\n5:5\n5:5'
}

@test "in a user namespace a mount can have ids of its own" {
	owned "$WORK/source/file" 5:5
	user_namespace
	map /m "$WORK/source" 5:100010:1 bind idmap
	map /unmapped "$WORK/source" 0:300000:100 bind idmap
	inside 'stat -c %u:%g /m/file /unmapped/file'
	assert_success
	assert_output $'10:10\n65534:65534'
}
