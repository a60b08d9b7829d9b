#!/usr/bin/env bats
# mounts[]: where, in which order and of what type. The options have files of their own.

setup() {
	load helpers
	load inside
	load mounts
	setup_bundle
	config 'del(.root.readonly)'
}

teardown() {
	[[ -z ${LOOP:-} ]] || losetup --detach "$LOOP"
	teardown_all
}

@test "mounts are made in the listed order: a later one hides an earlier one" {
	add_mount /m tmpfs first
	add_mount /m/sub tmpfs second
	add_mount /m tmpfs third
	inside 'ls -A /m; cat /proc/self/mountinfo'
	assert_success
	assert_equal "$(mount_source /m)" third
	[[ ${lines[0]} != sub ]]
}

@test "mounts are made in the listed order: a later one goes into an earlier one" {
	add_mount /m tmpfs first
	add_mount /m/sub tmpfs second
	inside 'cat /proc/self/mountinfo'
	assert_success
	parent=$(mount_at /m | cut -d' ' -f1)
	assert_equal "$(mount_at /m/sub | cut -d' ' -f2)" "$parent"
}

@test "a missing mount point is made, with its parents, as directories of mode 0755" {
	add_mount /deep/er/still tmpfs tmpfs
	umask 077
	inside 'stat -c "%n %a %F" /deep /deep/er'
	assert_success
	assert_output $'/deep 755 directory\n/deep/er 755 directory'
	assert_equal "$(stat -c '%a %F' "$BUNDLE/rootfs/deep/er/still")" '755 directory'
}

@test "a mount point that is there is left as it is" {
	mkdir -m 700 "$BUNDLE/rootfs/m"
	chown 12:34 "$BUNDLE/rootfs/m"
	add_mount /m tmpfs tmpfs
	inside true
	assert_success
	assert_equal "$(stat -c '%a %u:%g' "$BUNDLE/rootfs/m")" '700 12:34'
}

@test "a destination through a symlink ends inside the root" {
	mkdir -p "$BUNDLE/rootfs/real" "$WORK/outside"
	ln -s "$WORK/outside" "$BUNDLE/rootfs/absolute"
	ln -s ../../../../../real "$BUNDLE/rootfs/upward"
	mkdir -p "$BUNDLE/rootfs$WORK/outside"
	for_container "$BUNDLE/rootfs/tmp"
	add_mount /absolute/a tmpfs one
	add_mount /upward tmpfs two
	inside 'cat /proc/self/mountinfo'
	assert_success
	assert_equal "$(mount_source "$WORK/outside/a")" one
	assert_equal "$(mount_source /real)" two
	assert_equal "$(ls -A "$WORK/outside")" ""
}

@test "what a dangling symlink points to is made inside the root" {
	mkdir "$WORK/outside"
	ln -s "$WORK/outside/new" "$BUNDLE/rootfs/dangling"
	ln -s /not/there "$BUNDLE/rootfs/first"
	add_mount /dangling tmpfs one
	add_mount /first/deeper tmpfs two
	inside 'cat /proc/self/mountinfo'
	assert_success
	assert_equal "$(mount_source "$WORK/outside/new")" one
	assert_equal "$(mount_source /not/there/deeper)" two
	assert_equal "$(ls -A "$WORK/outside")" ""
}

@test "a loop of symlinks as destination is an error that names the mount" {
	ln -s loop "$BUNDLE/rootfs/loop"
	add_mount /loop/m tmpfs tmpfs
	fails "$(last_mount)" 'too many levels of symbolic links'
}

@test "a destination with dots is cleaned inside the root" {
	add_mount /m/../n/./o//p tmpfs tmpfs
	inside 'cat /proc/self/mountinfo'
	assert_success
	mount_at /n/o/p >/dev/null
}

@test "a destination that begins with the root's own path on the host is the place in the root" {
	mkdir "$BUNDLE/rootfs/m"
	add_mount "$BUNDLE/rootfs/m" tmpfs tmpfs
	inside 'cat /proc/self/mountinfo'
	assert_success
	assert_equal "$(mount_type /m)" tmpfs
}

@test "a relative destination is refused" {
	add_mount data tmpfs tmpfs
	refused "$(last_mount).destination" 'must be absolute' data
}

@test "the root itself is refused as destination" {
	add_mount / tmpfs tmpfs
	refused "$(last_mount).destination"
}

@test "nothing is mounted on a file by a filesystem with a directory as root" {
	touch "$BUNDLE/rootfs/file"
	add_mount /file tmpfs tmpfs
	fails "$(last_mount)" 'not a directory'
}

@test "an unknown filesystem is an error that names the mount" {
	add_mount /m nosuchfs none
	fails "$(last_mount)" nosuchfs 'no such device'
}

@test "proc, sysfs, devpts and mqueue are what they say" {
	config 'del(.linux.maskedPaths, .linux.readonlyPaths)'
	inside 'cat /proc/self/mountinfo'
	assert_success
	assert_equal "$(mount_type /proc)" proc
	assert_equal "$(mount_type /sys)" sysfs
	assert_equal "$(mount_type /dev/pts)" devpts
	assert_equal "$(mount_type /dev/mqueue)" mqueue
}

@test "proc is that of the container's pid namespace" {
	inside 'readlink /proc/self; echo /proc/[0-9]*'
	assert_success
	assert_equal "${lines[1]%% *}" /proc/1
	[[ ! -e $BUNDLE/rootfs/proc/self ]]
}

@test "sysfs is that of the container's network namespace" {
	inside 'ls /sys/class/net'
	assert_success
	assert_output lo
}

@test "sysfs, ro: nothing below /sys can be written" {
	inside 'awk "\$5 ~ /^\/sys(\/|\$)/ && \$6 !~ /^ro(,|\$)/" /proc/self/mountinfo'
	assert_success
	assert_output ''
}

@test "mqueue is that of the container's ipc namespace" {
	inside 'touch /dev/mqueue/inside && ls /dev/mqueue'
	assert_success
	assert_output inside
	run inside_mqueue_names
	refute_contains inside
}

# inside_mqueue_names lists the queues of the host.
inside_mqueue_names() {
	# shellcheck disable=SC2016
	in_mount_namespace private 'mkdir "$WORK/queues"; mount -t mqueue mqueue "$WORK/queues"; ls "$WORK/queues"'
	echo "$output"
}

@test "devpts, newinstance: terminals are counted from 0 and /dev/ptmx makes them" {
	inside 'ls /dev/pts; readlink /dev/ptmx; stat -c "%a" /dev/pts/ptmx; exec 3<>/dev/ptmx; ls /dev/pts'
	assert_success
	assert_equal "${lines[*]}" "ptmx pts/ptmx 666 0 ptmx"
}

@test "a filesystem on a block device" {
	skip_in userns 'the kernel lets only root of the host mount one'
	needs mkfs.ext4 losetup
	truncate -s 8M "$WORK/disk"
	mkfs.ext4 -q "$WORK/disk"
	LOOP=$(losetup --find --show "$WORK/disk")
	add_mount /disk ext4 "$LOOP" noatime
	inside 'echo kept >/disk/file; cat /disk/file; cat /proc/self/mountinfo'
	assert_success
	assert_equal "${lines[0]}" kept
	assert_equal "$(mount_type /disk) $(mount_source /disk)" "ext4 $LOOP"
}

@test "an overlay, with its layers as data options" {
	mkdir "$WORK/lower" "$WORK/upper" "$WORK/scratch"
	echo below >"$WORK/lower/file"
	reachable "$WORK"
	for_container "$WORK"/{lower,upper,scratch}
	add_mount /o overlay overlay "lowerdir=$WORK/lower" "upperdir=$WORK/upper" "workdir=$WORK/scratch"
	inside 'cat /o/file; echo above >/o/new'
	assert_success
	assert_output below
	assert_equal "$(cat "$WORK/upper/new")" above
	assert_equal "$(ls "$WORK/lower")" file
}

@test "a type is not needed for a bind, nor a source for a tmpfs" {
	config '.mounts += [{destination: "/m", type: "tmpfs"}, {destination: "/b", source: "/proc", options: ["bind"]}]'
	inside 'cat /proc/self/mountinfo'
	assert_success
	assert_equal "$(mount_type /m)" tmpfs
	assert_equal "$(mount_type /b)" proc
}

@test "many mounts" {
	config '.mounts += [range(100) | {destination: "/many/\(.)", type: "tmpfs", source: "tmpfs", options: ["size=4k"]}]'
	inside 'grep -c " /many/" /proc/self/mountinfo'
	assert_success
	assert_output 100
}

@test "the host's procfs may be bound on /proc" {
	config '
		.mounts |= map(select(.destination != "/proc")) | del(.linux.maskedPaths, .linux.readonlyPaths) |
		.linux.namespaces |= map(select(.type != "pid"))
	'
	add_mount /proc none /proc rbind
	inside 'tr "\0" " " </proc/1/cmdline'
	assert_success
	assert_output "$(tr '\0' ' ' </proc/1/cmdline)"
}

@test "nothing is mounted below /proc but what imitates one of its harmless files" {
	echo imitation >"$WORK/imitation"
	add_mount /proc/uptime none "$WORK/imitation" bind
	add_mount /proc/meminfo none "$WORK/imitation" bind ro
	inside 'cat /proc/uptime'
	assert_success
	assert_output imitation
	local place
	mkdir "$WORK/directory"
	for place in /proc/self/attr /proc/sys /proc/1 /proc/net/dev /proc/new; do
		config '.mounts |= .[:7]'
		add_mount "$place" none "$WORK/directory" bind
		refused "$(last_mount)" "$place"
	done
}
