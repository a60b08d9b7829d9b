#!/usr/bin/env bats
# mounts[].options, as they show in the container's mountinfo.

setup() {
	load helpers
	load inside
	load mounts
	setup_bundle
}

teardown() {
	teardown_all
}

# What userns.bats has a test of.
LOCKED="flags and the atime setting of the host's mounts are not for a user namespace to change"

# tmpfs_with OPTIONS... adds one tmpfs for each comma-separated list of options, on /m/LIST.
tmpfs_with() {
	local list
	list=$(jq -n '$ARGS.positional' --args -- "$@")
	config '
		del(.root.readonly) | .mounts += [$list[] | {destination: "/m/\(.)", type: "tmpfs", source: "tmpfs", options: split(",")}]
	' --argjson list "$list"
}

# bind_with OPTIONS... adds one bind of the directory $WORK/source for each, on /m/OPTIONS.
bind_with() {
	local list
	mkdir -p "$WORK/source"
	list=$(jq -n '$ARGS.positional' --args -- "$@")
	config '
		del(.root.readonly) | .mounts += [$list[] | {destination: "/m/\(.)", type: "none", source: $source, options: (["bind"] + split(","))}]
	' --argjson list "$list" --arg source "$WORK/source"
}

# rbind_with OPTIONS... adds one rbind of $WORK/source, which has a mount at sub, for each; it takes a
# host of its own to have it (see recursive_mountinfo).
rbind_with() {
	bind_with "$@"
	config '.mounts |= map(if .options[0] == "bind" then .options[0] = "rbind" else . end)'
}

show_mountinfo() {
	inside 'cat /proc/self/mountinfo'
	assert_success
}

# recursive_mountinfo runs the container where a filesystem is mounted on $WORK/source/sub with the
# given flags.
recursive_mountinfo() {
	mkdir -p "$WORK/source"
	args cat /proc/self/mountinfo
	# shellcheck disable=SC2016
	in_mount_namespace private '
		mount --bind "$WORK/source" "$WORK/source"
		mkdir -p "$WORK/source/sub"
		mount -t tmpfs -o "$1" tmpfs "$WORK/source/sub"
		"$RT" --root "$ROOT" run -b "$BUNDLE" "$2"
	' "${1:-defaults}" "$(new_id)"
	assert_success
}

@test "ro nosuid nodev noexec nodiratime noatime relatime nosymfollow set their flag on a new filesystem" {
	local all=(ro nosuid nodev noexec nodiratime noatime relatime nosymfollow) option
	tmpfs_with "${all[@]}"
	show_mountinfo
	for option in "${all[@]}"; do
		has_option "$(mount_flags "/m/$option")" "$option"
	done
}

@test "a new filesystem has no flag but relatime of its own" {
	tmpfs_with size=4k
	show_mountinfo
	assert_equal "$(mount_flags /m/size=4k)" rw,relatime
}

@test "ro nosuid nodev noexec nodiratime noatime relatime nosymfollow set their flag on a bind, and not on its source" {
	local all=(ro nosuid nodev noexec relatime nosymfollow) option
	mapped || all+=(nodiratime noatime)
	bind_with "${all[@]}"
	show_mountinfo
	for option in "${all[@]}"; do
		has_option "$(mount_flags "/m/$option")" "$option"
	done
	touch "$WORK/source/still-writable"
}

@test "strictatime: neither relatime nor noatime" {
	local places=(/m/strictatime) place
	tmpfs_with strictatime
	if ! mapped; then
		bind_with bind,strictatime
		places+=(/m/bind,strictatime)
	fi
	show_mountinfo
	for place in "${places[@]}"; do
		lacks_option "$(mount_flags "$place")" relatime
		lacks_option "$(mount_flags "$place")" noatime
	done
}

@test "of contradicting options the last wins" {
	local set clear pairs=(ro:rw nosuid:suid nodev:dev noexec:exec noatime:atime nodiratime:diratime nosymfollow:symfollow) pair lists=()
	for pair in "${pairs[@]}"; do
		set=${pair%:*} clear=${pair#*:}
		lists+=("$set,$clear" "$clear,$set")
	done
	tmpfs_with "${lists[@]}"
	show_mountinfo
	for pair in "${pairs[@]}"; do
		set=${pair%:*} clear=${pair#*:}
		lacks_option "$(mount_flags "/m/$set,$clear")" "$set"
		has_option "$(mount_flags "/m/$clear,$set")" "$set"
	done
}

@test "of several atime options the last wins" {
	tmpfs_with noatime,relatime relatime,noatime noatime,strictatime strictatime,noatime strictatime,nostrictatime noatime,norelatime
	show_mountinfo
	has_option "$(mount_flags /m/noatime,relatime)" relatime
	has_option "$(mount_flags /m/relatime,noatime)" noatime
	lacks_option "$(mount_flags /m/noatime,strictatime)" noatime
	lacks_option "$(mount_flags /m/noatime,strictatime)" relatime
	has_option "$(mount_flags /m/strictatime,noatime)" noatime
	has_option "$(mount_flags /m/strictatime,nostrictatime)" relatime
	has_option "$(mount_flags /m/noatime,norelatime)" noatime
}

@test "sync dirsync lazytime are set on the filesystem" {
	local all=(sync dirsync lazytime) option
	tmpfs_with "${all[@]}"
	show_mountinfo
	for option in "${all[@]}"; do
		has_option "$(superblock_options "/m/$option")" "$option"
	done
}

@test "async and nolazytime take back sync and lazytime" {
	tmpfs_with sync,async lazytime,nolazytime
	show_mountinfo
	lacks_option "$(superblock_options /m/sync,async)" sync
	lacks_option "$(superblock_options /m/lazytime,nolazytime)" lazytime
}

@test "options without a visible effect are accepted: silent loud iversion noiversion mand nomand defaults" {
	tmpfs_with silent loud silent,loud iversion noiversion mand nomand defaults defaults,nosuid
	show_mountinfo
	assert_equal "$(mount_flags /m/defaults)" rw,relatime
	assert_equal "$(mount_flags /m/defaults,nosuid)" rw,nosuid,relatime
	mount_at /m/noiversion >/dev/null
}

@test "defaults is no data option: a bind may have it" {
	bind_with defaults
	show_mountinfo
	mount_at /m/defaults >/dev/null
}

@test "what is no option of mount is given to the filesystem" {
	tmpfs_with size=64k,mode=1700,nr_inodes=17,uid=12,gid=34,huge=never
	show_mountinfo
	local options option
	options=$(superblock_options /m/size=64k,mode=1700,nr_inodes=17,uid=12,gid=34,huge=never)
	for option in size=64k mode=1700 nr_inodes=17 "uid=$(host_id 12)" "gid=$(host_id 34)"; do
		has_option "$options" "$option"
	done
}

@test "several data options in one string" {
	config 'del(.root.readonly) | .mounts += [{destination: "/m", type: "tmpfs", source: "tmpfs", options: ["nosuid", "size=64k,mode=700"]}]'
	show_mountinfo
	has_option "$(superblock_options /m)" size=64k
	has_option "$(superblock_options /m)" mode=700
	has_option "$(mount_flags /m)" nosuid
}

@test "an unknown option: the error has the kernel's own words" {
	tmpfs_with nosuchoption
	fails "$(last_mount)" nosuchoption 'invalid argument' "tmpfs: Unknown parameter 'nosuchoption'"
}

@test "a bad value: the error has the kernel's own words" {
	tmpfs_with size=64x
	fails "$(last_mount)" size=64x 'invalid argument' "tmpfs: Bad value for 'size'"
}

@test "rro rnosuid rnodev rnoexec rnodiratime rnosymfollow reach nested mounts" {
	local all=(ro nosuid nodev noexec nosymfollow) option
	mapped || all+=(nodiratime)
	rbind_with "${all[@]/#/r}"
	recursive_mountinfo
	for option in "${all[@]}"; do
		has_option "$(mount_flags "/m/r$option")" "$option"
		has_option "$(mount_flags "/m/r$option/sub")" "$option"
	done
}

@test "rnoatime rrelatime rstrictatime reach nested mounts" {
	skip_in userns "$LOCKED"
	rbind_with rnoatime rrelatime rstrictatime
	recursive_mountinfo noatime
	local sub
	for sub in '' /sub; do
		has_option "$(mount_flags "/m/rnoatime$sub")" noatime
		has_option "$(mount_flags "/m/rrelatime$sub")" relatime
		lacks_option "$(mount_flags "/m/rstrictatime$sub")" relatime
		lacks_option "$(mount_flags "/m/rstrictatime$sub")" noatime
	done
}

@test "rrw rsuid rdev rexec rdiratime rsymfollow ratime clear nested mounts' flags" {
	skip_in userns "$LOCKED"
	local all=(ro:rw nosuid:suid nodev:dev noexec:exec nodiratime:diratime nosymfollow:symfollow noatime:atime) pair
	rbind_with "${all[@]/#*:/r}"
	recursive_mountinfo ro,nosuid,nodev,noexec,nodiratime,nosymfollow,noatime
	for pair in "${all[@]}"; do
		lacks_option "$(mount_flags "/m/r${pair#*:}/sub")" "${pair%:*}"
	done
	has_option "$(mount_flags /m/rrw/sub)" nosuid
}

@test "of contradicting recursive options the last wins" {
	rbind_with rro,rrw rrw,rro
	recursive_mountinfo
	lacks_option "$(mount_flags /m/rro,rrw/sub)" ro
	has_option "$(mount_flags /m/rrw,rro/sub)" ro
}

@test "ro nosuid nodev noexec noatime do not reach nested mounts" {
	local all=(ro nosuid nodev noexec) option
	mapped || all+=(noatime)
	rbind_with "${all[@]}"
	recursive_mountinfo
	for option in "${all[@]}"; do
		has_option "$(mount_flags "/m/$option")" "$option"
		lacks_option "$(mount_flags "/m/$option/sub")" "$option"
	done
}

@test "ro and rro together are recursive" {
	rbind_with ro,rro
	recursive_mountinfo
	has_option "$(mount_flags /m/ro,rro)" ro
	has_option "$(mount_flags /m/ro,rro/sub)" ro
}

@test "recursive options leave the source as it is" {
	rbind_with rro,rnosuid
	args cat /proc/self/mountinfo
	# shellcheck disable=SC2016
	in_mount_namespace private '
		mkdir "$WORK/source/sub"
		mount -t tmpfs tmpfs "$WORK/source/sub"
		before=$(cat /proc/self/mountinfo)
		"$RT" --root "$ROOT" run -b "$BUNDLE" "$1" >"$WORK/out"
		diff <(echo "$before") /proc/self/mountinfo
	' "$(new_id)"
	assert_success
	grep -q '/m/rro,rnosuid/sub ro,nosuid' "$WORK/out"
}

@test "an option that cannot be is refused: data on a bind" {
	bind_with size=4k
	refused "$(last_mount)" size=4k
}

@test "a filesystem mounted read-only cannot be written, with its own mount options kept" {
	tmpfs_with ro,mode=755,size=64k
	inside 'touch "/m/ro,mode=755,size=64k/new"; cat /proc/self/mountinfo'
	assert_success
	assert_contains 'Read-only file system'
	has_option "$(superblock_options /m/ro,mode=755,size=64k)" size=64k
}

@test "noexec: programs cannot be run from the mount" {
	cp "$BUNDLE/rootfs/bin/busybox" "$WORK/true"
	mkdir "$WORK/source"
	mv "$WORK/true" "$WORK/source/true"
	bind_with noexec exec
	inside '/m/exec/true && /m/noexec/true'
	assert_failure 126
	assert_contains 'Permission denied'
}

@test "nodev: device files on the mount cannot be opened" {
	mkdir "$WORK/source"
	mknod -m 666 "$WORK/source/null" c 1 3
	bind_with nodev dev
	inside ': >/m/dev/null && : >/m/nodev/null'
	assert_failure
	assert_contains '/m/nodev/null'
}

@test "nosymfollow: symlinks on the mount are not followed" {
	mkdir "$WORK/source"
	ln -s /etc/passwd "$WORK/source/link"
	bind_with nosymfollow symfollow
	inside 'test -e /m/symfollow/link && test -L /m/nosymfollow/link && test ! -e /m/nosymfollow/link'
	assert_success
}

@test "an option longer than 255 bytes, as the layers of an overlay have" {
	local layer layers=()
	for layer in {1..6}; do
		layers+=("$WORK/layer-$layer-$(printf 'x%.0s' {1..60})")
		mkdir "${layers[-1]}"
		echo "$layer" | tee "${layers[-1]}/common" >"${layers[-1]}/file$layer"
	done
	reachable "$WORK"
	config '.mounts += [{destination: "/new/overlay", type: "overlay", source: "overlay", options: ["nosuid", "ro", "private", "lowerdir=\($layers)"]}]' \
		--arg layers "$(IFS=: && echo "${layers[*]}")"
	inside 'cat /new/overlay/common; cat /new/overlay/file6; ls /new/overlay | wc -l; grep " /new/overlay " /proc/self/mounts; touch /new/overlay/x'
	assert_failure 1
	assert_line 1
	assert_line 6
	assert_line 7
	assert_contains 'overlay /new/overlay overlay ro,nosuid,relatime,lowerdir='
	assert_contains 'Read-only file system'
}

@test "more options than mount(2) takes are refused" {
	config '.mounts += [{destination: "/overlay", type: "overlay", source: "overlay", options: ["lowerdir=\([range(100) | "/a/long/name/of/a/layer/\(.)/very/long/so/as/to/be/long"] | join(":"))"]}]'
	refused "mounts[7].options: the filesystem's options are" 'bytes long, the kernel takes 4095'
}
