#!/usr/bin/env bats
# linux.uidMappings and linux.gidMappings: user namespaces that are made, and those that are joined.

setup() {
	load helpers
	load inside
	skip_in userns 'these containers have user namespaces of their own'
	setup_bundle
	map_ids
}

teardown() {
	[[ -z ${HOLDER:-} ]] || kill "$HOLDER"
	teardown_all
}

# map_ids gives the container a user namespace in which its root is 100000 of the host, and the root
# filesystem to that.
map_ids() {
	config '.linux.namespaces += [{type: "user"}]
		| .linux.uidMappings = [{containerID: 0, hostID: 100000, size: 65536}]
		| .linux.gidMappings = [{containerID: 0, hostID: 200000, size: 65536}]'
	chown -hR 100000:200000 "$BUNDLE/rootfs"
}

# hold COMMAND... starts a process that waits, and sets $HOLDER to its pid.
hold() {
	"$@" sleep 1000 3>&- &
	HOLDER=$!
	wait_until 5 holds
}

holds() {
	[[ $(cat "/proc/$HOLDER/comm") == sleep ]]
}

# map_holder maps the ids of the user namespace that the holder made like those of the config.
map_holder() {
	echo '0 100000 65536' >"/proc/$HOLDER/uid_map"
	echo '0 200000 65536' >"/proc/$HOLDER/gid_map"
}

@test "root of the container is somebody else on the host" {
	args sleep 1000
	id=$(new_id)
	rt run -d -b "$BUNDLE" "$id"
	pid=$(container_pid "$id")
	assert_equal "$(stat -c %u:%g "/proc/$pid")" 100000:200000
	assert_equal "$(tr -s ' ' <"/proc/$pid/uid_map")" ' 0 100000 65536'
	assert_equal "$(tr -s ' ' <"/proc/$pid/gid_map")" ' 0 200000 65536'
	assert_equal "$(cat "/proc/$pid/setgroups")" allow
}

@test "inside it is root" {
	inside 'id -u; id -g; grep ^Groups /proc/self/status; stat -c %u:%g /bin /proc/1'
	assert_success
	assert_output $'0\n0\nGroups:\t \n0:0\n0:0'
}

@test "what has no mapping belongs to nobody" {
	config '.mounts += [{destination: "/mnt", source: "'"$WORK"'/source", options: ["bind"]}]'
	mkdir "$WORK/source"
	touch "$WORK/source/file"
	inside 'stat -c %u:%g /mnt/file; chown 0 /mnt/file'
	assert_failure
	assert_line 65534:65534
	assert_contains 'Operation not permitted'
}

@test "all other namespaces belong to the user namespace" {
	local own='.process.capabilities.bounding = ["CAP_SYS_ADMIN", "CAP_NET_ADMIN"] | .process.capabilities |= with_entries(.value = ["CAP_SYS_ADMIN", "CAP_NET_ADMIN"])'
	config "$own"
	inside 'hostname renamed && hostname; ip link set lo down && echo down; mount -t tmpfs none /tmp && echo mounted; mount -t proc proc /tmp && echo proc'
	assert_success
	assert_output $'renamed\ndown\nmounted\nproc'
}

@test "the process's user and groups are mapped" {
	config '.process.user = {uid: 1000, gid: 1001, additionalGids: [5, 6]}'
	args sleep 1000
	id=$(new_id)
	rt run -d -b "$BUNDLE" "$id"
	run grep -E '^(Uid|Gid|Groups)' "/proc/$(container_pid "$id")/status"
	assert_output $'Uid:\t101000\t101000\t101000\t101000\nGid:\t201001\t201001\t201001\t201001\nGroups:\t200005 200006 '
}

@test "the caller's groups do not come along" {
	args sh -c 'grep ^Groups /proc/self/status'
	run_container_by setpriv --groups 5,6,7
	assert_success
	assert_output $'Groups:\t '
}

@test "several ranges, the ids of one user being the same inside" {
	config '.linux.uidMappings = [{containerID: 0, hostID: 100000, size: 1000}, {containerID: 1000, hostID: 1000, size: 1}, {containerID: 1001, hostID: 101001, size: 5}]
		| .process.user.uid = 1000'
	inside 'tr -s " " </proc/self/uid_map'
	assert_success
	assert_output $' 0 100000 1000\n 1000 1000 1\n 1001 101001 5'
}

@test "340 ranges, which is as many as the kernel takes" {
	config '.linux.uidMappings = [range(340) | {containerID: ., hostID: (. * 2), size: 1}]'
	chown -hR 0:200000 "$BUNDLE/rootfs"
	inside 'wc -l </proc/self/uid_map'
	assert_success
	assert_output 340
}

@test "one range more is refused" {
	config '.linux.uidMappings = [range(341) | {containerID: ., hostID: (. * 2), size: 1}]'
	refused 'linux.uidMappings: must have at most 340 entries, has 341'
}

@test "more text than the kernel takes is refused" {
	config '.linux.gidMappings = [range(340) | {containerID: ., hostID: (. + 4000000000), size: 1}]'
	refused 'linux.gidMappings: 340 entries make 5670 bytes of text, and the kernel takes less than a page'
}

@test "ids that the runtime's own user namespace does not have are refused" {
	hold unshare --user
	echo '0 0 1000' | tee "/proc/$HOLDER/uid_map" >"/proc/$HOLDER/gid_map"
	run nsenter --user --target "$HOLDER" "$RT" --root "$ROOT" run -b "$BUNDLE" "$(new_id)"
	assert_failure 1
	assert_all_contained 'linux.uidMappings[0].hostID: ids 100000 to 165535 are not all in one range' \
		'linux.gidMappings[0].hostID: ids 200000 to 265535 are not all in one range'
}

@test "mappings without a user namespace are refused, and the other way round" {
	config 'del(.linux.namespaces[] | select(.type == "user"))'
	refused 'linux.uidMappings: user namespace mappings specified, but there is no user namespace'
	config 'del(.linux.uidMappings, .linux.gidMappings) | .linux.namespaces += [{type: "user"}]'
	refused 'user namespaces enabled, but no namespace path to join nor mappings to apply specified'
}

@test "a container without root, and users without a mapping, are refused" {
	config '.linux.uidMappings[0].containerID = 1 | .process.user.gid = 70000'
	refused 'linux.uidMappings: id 0 of the container must be mapped' \
		'process.user.gid: cannot setgid to unmapped gid 70000'
}

@test "a joined user namespace" {
	hold unshare --user
	map_holder
	config 'del(.linux.uidMappings, .linux.gidMappings) | (.linux.namespaces[] | select(.type == "user")).path = "/proc/'"$HOLDER"'/ns/user"'
	inside 'readlink /proc/self/ns/user; id -u'
	assert_success
	assert_output "$(readlink "/proc/$HOLDER/ns/user")"$'\n0'
}

@test "a joined user namespace in which setgroups is denied" {
	hold unshare --user
	echo deny >"/proc/$HOLDER/setgroups"
	map_holder
	config 'del(.linux.uidMappings, .linux.gidMappings) | (.linux.namespaces[] | select(.type == "user")).path = "/proc/'"$HOLDER"'/ns/user"'
	args grep ^Groups /proc/self/status
	run_container_by setpriv --groups 5,6,7
	assert_success
	assert_output $'Groups:\t '
}

@test "a joined user namespace, and a network namespace that it owns" {
	hold unshare --user --net
	map_holder
	config 'del(.linux.uidMappings, .linux.gidMappings) | (.linux.namespaces[] | select(.type == "user" or .type == "network")) |= (.path = "/proc/'"$HOLDER"'/ns/\(.type | {user: "user", network: "net"}[.])")'
	inside 'readlink /proc/self/ns/user; readlink /proc/self/ns/net'
	assert_success
	assert_output "$(readlink "/proc/$HOLDER/ns/user" "/proc/$HOLDER/ns/net")"
}

@test "a joined user namespace, and a network namespace that it does not own" {
	hold unshare --net unshare --user
	map_holder
	config 'del(.linux.uidMappings, .linux.gidMappings) | (.linux.namespaces[] | select(.type == "user" or .type == "network")) |= (.path = "/proc/'"$HOLDER"'/ns/\(.type | {user: "user", network: "net"}[.])")'
	inside 'readlink /proc/self/ns/user; readlink /proc/self/ns/net'
	assert_success
	assert_output "$(readlink "/proc/$HOLDER/ns/user" "/proc/$HOLDER/ns/net")"
}

@test "a new user namespace, and a network namespace that it does not own" {
	hold unshare --net
	config '(.linux.namespaces[] | select(.type == "network")).path = "/proc/'"$HOLDER"'/ns/net"'
	inside 'readlink /proc/self/ns/net; id -u'
	assert_success
	assert_output "$(readlink "/proc/$HOLDER/ns/net")"$'\n0'
}

@test "the mappings of a joined namespace may be repeated, in any order" {
	hold unshare --user
	cat <<<$'0 100000 1000\n1000 300000 10' >"/proc/$HOLDER/uid_map"
	echo '0 200000 65536' >"/proc/$HOLDER/gid_map"
	config '.linux.uidMappings = [{containerID: 1000, hostID: 300000, size: 10}, {containerID: 0, hostID: 100000, size: 1000}]
		| (.linux.namespaces[] | select(.type == "user")).path = "/proc/'"$HOLDER"'/ns/user"'
	runtime --log "$WORK/log" run -b "$BUNDLE" "$(new_id)"
	assert_success
	assert_output ''
	grep -q 'level=warning.*linux.uidMappings: user namespace mappings are ignored' "$WORK/log"
}

@test "other mappings than those of a joined namespace are refused" {
	hold unshare --user
	map_holder
	config '.linux.gidMappings[0].size = 5 | (.linux.namespaces[] | select(.type == "user")).path = "/proc/'"$HOLDER"'/ns/user"'
	fails 'linux.gidMappings: both namespace path and non-matching mapping specified: the namespace maps 0-65535→200000-265535'
}

@test "the runtime's own user namespace cannot be joined" {
	config 'del(.linux.uidMappings, .linux.gidMappings) | (.linux.namespaces[] | select(.type == "user")).path = "/proc/self/ns/user"'
	fails 'join the user namespace' 'the user namespace that the runtime is in already'
}

@test "a root filesystem and mounts in directories that only the host's root may enter" {
	mkdir -m 0700 "$WORK/closed"
	mv "$BUNDLE/rootfs" "$WORK/closed"
	mkdir "$WORK/closed/directory"
	echo content | tee "$WORK/closed/file" >"$WORK/closed/directory/file"
	config '.root.path = "'"$WORK"'/closed/rootfs" | .mounts += [
		{destination: "/tmp/directory", source: "'"$WORK"'/closed/directory", options: ["bind"]},
		{destination: "/tmp/made/file", source: "'"$WORK"'/closed/file", options: ["bind", "ro"]}]'
	inside 'cat /tmp/directory/file /tmp/made/file; stat -c %u:%g /tmp/made; ls /proc/self/fd | wc -l'
	assert_success
	assert_output $'content\ncontent\n0:0\n4'
}

@test "the source of a mount may be what an earlier one made" {
	mkdir -m 0700 "$WORK/closed"
	mkdir "$WORK/closed/source"
	config '.root.path = "'"$WORK"'/closed/rootfs" | .mounts += [
		{destination: "/tmp", type: "tmpfs", source: "tmpfs", options: ["mode=700"]},
		{destination: "/tmp/a/b", type: "tmpfs", source: "seen-twice"},
		{destination: "/home", source: "'"$WORK"'/closed/rootfs/tmp/a/b", options: ["bind"]}]'
	mv "$BUNDLE/rootfs" "$WORK/closed"
	inside 'grep -c seen-twice /proc/mounts'
	assert_success
	assert_output 2
}

@test "missing mount points belong to the container's root" {
	config '.mounts += [{destination: "/new/deep", type: "tmpfs", source: "tmpfs"}, {destination: "/tmp/x/file", source: "/dev/null", options: ["bind"]}]'
	inside 'stat -c %u:%g /new /tmp/x'
	assert_success
	assert_output $'0:0\n0:0'
	assert_equal "$(stat -c %u:%g "$BUNDLE"/rootfs/{new,tmp/x,tmp/x/file} | sort -u)" 100000:200000
}

@test "mount points in a root filesystem that is not the container's" {
	chown -hR 0:0 "$BUNDLE/rootfs"
	config '.mounts += [{destination: "/new/deep", type: "tmpfs", source: "tmpfs"}]'
	inside 'stat -c %u:%g / /new'
	assert_success
	assert_output $'65534:65534\n0:0'
}

@test "devices are those of the host" {
	config '.linux.devices = [{path: "/dev/fuse", type: "c", major: 10, minor: 229}]'
	inside 'stat -c "%n %t:%T %F" /dev/null /dev/fuse; echo x >/dev/null; head -c 4 /dev/urandom | wc -c'
	assert_success
	assert_output $'/dev/null 1:3 character special file\n/dev/fuse a:e5 character special file\n4'
}

@test "a device that the host does not have is refused" {
	config '.linux.devices = [{path: "/dev/none-'"$TOKEN"'", type: "c", major: 1, minor: 3}]'
	fails 'linux.devices[0]' "in a user namespace a device is the host's of that path: no such file or directory"
}

@test "the host's file of a device's name must be that device" {
	config '.linux.devices = [{path: "/dev/full", type: "c", major: 1, minor: 3}]'
	fails 'linux.devices[0]' "the host's /dev/full is not device 1:3"
}

@test "without a network namespace of its own, the container sees the host's /sys, read-only" {
	config 'del(.linux.namespaces[] | select(.type == "network")) | del(.mounts[] | select(.destination == "/sys").options)'
	inside 'ls /sys/class/net; awk "\$2 ~ \"^/sys\" && \$4 !~ \"^ro\"" /proc/mounts'
	assert_success
	assert_output "$(ls /sys/class/net)"
}

# CVE-2023-25809: the caller's cgroups appear below the host's /sys.
@test "a read-only cgroup mount is read-only throughout, whatever namespaces there are" {
	local without
	args grep ' /sys' /proc/mounts
	cp "$BUNDLE/config.json" "$WORK/whole.json"
	for without in none network cgroup 'network|cgroup'; do
		config 'del(.linux.cgroupsPath, (.linux.namespaces[] | select(.type | test($without))))' --arg without "$without"
		run_container
		assert_success
		assert_contains ' /sys/fs/cgroup'
		run grep -vE '^[^ ]+ /sys[^ ]* [^ ]+ ro,' <<<"$output"
		assert_output ''
		cp "$WORK/whole.json" "$BUNDLE/config.json"
	done
}

@test "without an ipc namespace of its own, the container sees the host's message queues" {
	config 'del(.linux.namespaces[] | select(.type == "ipc"))'
	[[ -d /dev/mqueue ]] || skip 'the host has no /dev/mqueue'
	inside 'stat -c %d /dev/mqueue'
	assert_success
	assert_output "$(stat -c %d /dev/mqueue)"
}

@test "without a pid namespace of its own, the container sees the host's /proc" {
	config 'del(.linux.namespaces[] | select(.type == "pid"))'
	inside 'readlink /proc/self/ns/pid; stat -c %d /proc'
	assert_success
	assert_output "$(readlink /proc/self/ns/pid; stat -c %d /proc)"
}

@test "flags that the host's mounts have stay" {
	mkdir "$WORK/source"
	config '.mounts += [{destination: "/mnt", source: "'"$WORK"'/source", options: ["bind", "ro"]}]'
	args grep ' /mnt ' /proc/mounts
	# shellcheck disable=SC2016
	in_mount_namespace private '
		mount -t tmpfs -o nosuid,nodev,noexec none "$WORK/source"
		"$RT" --root "$ROOT" run -b "$BUNDLE" "$1"
	' "$(new_id)"
	assert_success
	assert_contains ' ro,nosuid,nodev,noexec,'
}

@test "a flag of a host's mount that the config takes away is explained" {
	mkdir "$WORK/source"
	config '.mounts += [{destination: "/mnt", source: "'"$WORK"'/source", options: ["bind", "exec"]}]'
	# shellcheck disable=SC2016
	in_mount_namespace private '
		mount -t tmpfs -o noexec none "$WORK/source"
		"$RT" --root "$ROOT" run -b "$BUNDLE" "$1"
	' "$(new_id)"
	assert_failure 1
	assert_all_contained "mounts[$(jq '.mounts | length - 1' "$BUNDLE/config.json")]" 'operation not permitted' 'locked'
}

@test "exec enters the user namespace, and becomes its users" {
	args sleep 1000
	id=$(new_id)
	rt run -d -b "$BUNDLE" "$id"
	runtime exec "$id" sh -c 'id -u; readlink /proc/self/ns/user; tr -s " " </proc/self/uid_map'
	assert_success
	assert_output $'0\n'"$(readlink "/proc/$(container_pid "$id")/ns/user")"$'\n 0 100000 65536'
	runtime exec -u 1000:1001 -g 7 "$id" id
	assert_success
	assert_contains 'uid=1000(user) gid=1001 groups=7'
}

@test "a terminal, also of exec" {
	config '.process.terminal = true'
	inside 'tty; stat -c %u:%g /dev/console "$(tty)"'
	assert_success
	assert_output $'/dev/pts/0\n0:5\n0:5'
}

@test "capabilities are those of the config, all of them if it has all" {
	config '.process.capabilities |= with_entries(.value = ["CAP_SYS_RESOURCE", "CAP_SYS_ADMIN"])'
	inside 'grep -E "^Cap(Eff|Bnd)" /proc/self/status'
	assert_success
	assert_output $'CapEff:\t0000000001200000\nCapBnd:\t0000000001200000'
}

@test "standard streams belong to the container's user" {
	config '.process.user = {uid: 1000, gid: 1000}'
	args sh -c 'echo out >>/dev/stdout'
	: >"$WORK/out"
	chmod 600 "$WORK/out"
	id=$(new_id)
	rt_alone run -d -b "$BUNDLE" "$id" >>"$WORK/out"
	wait_for_status "$id" stopped
	assert_equal "$(cat "$WORK/out")" out
	assert_equal "$(stat -c %u:%g "$WORK/out")" 101000:0
}

@test "hooks inside run as the container's root" {
	config '.hooks = {
		createContainer: [{path: "/bin/sh", args: ["sh", "-c", "id -u >tmp/create; tr -s \" \" </proc/self/uid_map >>tmp/create"]}],
		startContainer: [{path: "/bin/sh", args: ["sh", "-c", "id -u >/tmp/start"]}]} | del(.root.readonly)'
	inside 'cat /tmp/create /tmp/start'
	assert_success
	assert_output $'0\n 0 100000 65536\n0'
}

@test "kernel parameters of its own namespaces" {
	config '.linux.sysctl = {"net.ipv4.ip_forward": "1"}'
	inside 'cat /proc/sys/net/ipv4/ip_forward'
	assert_success
	assert_output 1
}

@test "limits are set, also above those of the caller" {
	config '.process.rlimits = [{type: "RLIMIT_NOFILE", soft: 500, hard: 600}]'
	inside 'ulimit -Sn; ulimit -Hn'
	assert_success
	assert_output $'500\n600'
}

@test "the process can be created, started, paused, listed and killed" {
	args sleep 1000
	id=$(new_id)
	rt create -b "$BUNDLE" "$id"
	assert_equal "$(container_status "$id")" created
	rt start "$id"
	assert_equal "$(rt ps --format json "$id" | jq length)" 1
	rt pause "$id"
	assert_equal "$(container_status "$id")" paused
	rt resume "$id"
	rt kill "$id" KILL
	wait_for_status "$id" stopped
}

@test "a container that may have one process" {
	config '.linux.resources.pids.limit = 1'
	inside 'echo ran'
	assert_success
	assert_output ran
}

@test "a tmpfs is filled with what it hides" {
	mkdir -p "$BUNDLE/rootfs/full/below"
	echo content >"$BUNDLE/rootfs/full/below/file"
	ln -s below/file "$BUNDLE/rootfs/full/link"
	chown -hR 100000:200000 "$BUNDLE/rootfs/full"
	chown 101000:201000 "$BUNDLE/rootfs/full/below/file"
	config '.mounts += [{destination: "/full", type: "tmpfs", source: "tmpfs", options: ["tmpcopyup"]}]'
	inside 'cat /full/link; stat -c %u:%g /full/below /full/below/file'
	assert_success
	assert_output $'content\n0:0\n1000:1000'
}

@test "without pivot_root the host's /proc and /sys cannot be reached" {
	run_no_pivot() { run_container --no-pivot; }
	args cat /proc/self/uid_map
	run_no_pivot
	assert_success
}

@test "init cannot be traced from a pid namespace that is shared, nor its descriptors seen" {
	args sleep 1000
	id=$(new_id)
	rt create -b "$BUNDLE" "$id"
	run setpriv --reuid 100000 --regid 200000 --clear-groups ls -l "/proc/$(container_pid "$id")/fd/"
	assert_failure
}
