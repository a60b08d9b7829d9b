#!/usr/bin/env bats
# Containers of an ordinary user, who has no configuration for it and no right to anything of the host.

load helpers
load inside
load rootless
load cgroups

setup() {
	skip_in userns 'these containers have user namespaces of their own'
	skip_in rootless 'these users are made here'
	setup_bundle
	ordinary_user "$WORK/etc"
	reachable "$WORK"
	cp "$RT" "$WORK/rt"
	chmod 755 "$WORK/rt"
	RT=$WORK/rt
	mkdir -m 700 "$WORK/run"
	chown "$ORDINARY:$ORDINARY" "$WORK/run" "$ROOT" "$BUNDLE"
	chown -hR "$ORDINARY:$ORDINARY" "$BUNDLE/rootfs"
	example
}

teardown() {
	[[ -z ${HOLDER:-} ]] || kill -KILL "$HOLDER"
	leave_delegated
	teardown_all
}

# example writes what `rt spec --rootless` does, with a program that needs no terminal.
example() {
	rm "$BUNDLE/config.json"
	(cd "$BUNDLE" && as_user "$RT" spec --rootless)
	config '.process.terminal = false | .process.args = ["true"]'
}

as_user() {
	"$WORK/etc/as-user" "$@"
}

# rt_alone runs rt as the user.
rt_alone() {
	(
		close_descriptors
		exec "$WORK/etc/as-user" "$RT" --root "$ROOT" "$@"
	)
}

# map_ranges gives the container root, who is the user, and the user's subordinate ids.
map_ranges() {
	needs_subordinates
	config '.linux.uidMappings = [{containerID: 0, hostID: $own, size: 1}, {containerID: 1, hostID: $first, size: $count}]
		| .linux.gidMappings = .linux.uidMappings' --argjson own "$ORDINARY" --argjson first "$SUBORDINATE" --argjson count "$SUBORDINATES"
}

# map_root_to_subordinate makes root of the container somebody else than the user.
map_root_to_subordinate() {
	needs_subordinates
	config '.linux.uidMappings = [{containerID: 0, hostID: $first, size: $count}] | .linux.gidMappings = .linux.uidMappings' \
		--argjson first "$SUBORDINATE" --argjson count "$SUBORDINATES"
}

@test "spec --rootless and run work without more, and the state is in XDG_RUNTIME_DIR" {
	args sh -c 'id -u; tr -s " " </proc/self/uid_map; cat /proc/self/setgroups; hostname'
	run as_user env XDG_RUNTIME_DIR="$WORK/run" "$RT" run -b "$BUNDLE" "$(new_id)"
	assert_output $'0\n 0 100000 1\ndeny\nrt'
	assert_equal "$(stat -c %u:%a "$WORK/run/rt")" "$ORDINARY:1700"
}

@test "without XDG_RUNTIME_DIR the error says so" {
	run as_user env -u XDG_RUNTIME_DIR "$RT" run -b "$BUNDLE" "$(new_id)"
	assert_failure 1
	assert_contains 'XDG_RUNTIME_DIR, below which ordinary users have the state of containers, is not set'
}

@test "the life of a container, command by command" {
	map_ranges
	args sleep 1000
	id=$(new_id)
	rt create -b "$BUNDLE" "$id"
	assert_equal "$(container_status "$id")" created
	assert_equal "$(rt exec "$id" id -u)" 0
	rt start "$id"
	assert_equal "$(container_status "$id")" running
	pid=$(container_pid "$id")
	assert_equal "$(stat -c %u "/proc/$pid")" "$ORDINARY"
	assert_equal "$(rt exec --user 5:6 "$id" sh -c 'id -u; id -g')" $'5\n6'
	assert_equal "$(rt exec --tty "$id" sh -c 'test -t 0 && echo terminal' | tr -d '\r')" terminal
	assert_equal "$(rt list -q)" "$id"
	rt ps -f json "$id" | jq -e "index($pid)"
	rt kill "$id" KILL
	wait_for_status "$id" stopped
	rt delete "$id"
	assert_equal "$(ls -A "$ROOT")" ""
}

@test "ranges of subordinate ids are mapped by newuidmap and newgidmap" {
	map_ranges
	config '.mounts += [{destination: "/tmp", type: "tmpfs", source: "tmpfs"}] | .process.capabilities[] += ["CAP_CHOWN"]'
	inside 'cat /proc/self/uid_map /proc/self/gid_map | tr -s " "; cat /proc/self/setgroups; touch /tmp/x; chown 7:8 /tmp/x; stat -c %u:%g /tmp/x'
	assert_success
	assert_output $' 0 100000 1\n 1 100001 65535\n 0 100000 1\n 1 100001 65535\nallow\n7:8'
}

@test "root of the container may be a subordinate id" {
	map_root_to_subordinate
	chown -hR "$SUBORDINATE:$SUBORDINATE" "$BUNDLE/rootfs"
	config '.linux.namespaces += [{type: "time"}] | .linux.timeOffsets = {boottime: {secs: 100000000}} | .process.oomScoreAdj = 500'
	config '.hooks.createContainer = [{path: "/bin/sh", args: ["sh", "-c", "id -u >\"$0\"", $file]}]' --arg file "$WORK/run/hook"
	chmod 777 "$WORK/run"
	inside 'id -u; tr -s " " </proc/self/uid_map; test "$(cut -d. -f1 /proc/uptime)" -gt 100000000 && echo offset; cat /proc/self/oom_score_adj'
	assert_success
	assert_output $'0\n 0 100001 65535\noffset\n500'
	assert_equal "$(cat "$WORK/run/hook")" 0
}

@test "a range that the user does not have is named, with the file that does not give it" {
	map_ranges
	config '.linux.uidMappings[1].hostID = 300000'
	fails 'linux.uidMappings (config.json:' 'entry 1, ids 300000 to 365534 of the host: no range of /etc/subuid gives them to rt-ordinary (user 100000)'
	map_ranges
	config '.linux.gidMappings[1].size = 65536'
	fails 'linux.gidMappings (config.json:' 'entry 1, ids 100001 to 165536 of the host: no range of /etc/subgid'
}

@test "a helper that is missing or has no privileges is named" {
	map_ranges
	AS_USER_FIRST="mount --bind /dev/null $(command -v newuidmap)"
	export AS_USER_FIRST
	fails 'newuidmap, which is not installed'
	cp --no-preserve=mode "$(command -v newuidmap)" "$WORK/newuidmap"
	chmod 755 "$WORK/newuidmap"
	AS_USER_FIRST="mount --bind '$WORK/newuidmap' '$(command -v newuidmap)'"
	fails 'newuidmap is neither set-user-id nor has file capabilities'
}

@test "a config without a user namespace is refused" {
	config '.linux.namespaces |= map(select(.type != "user")) | del(.linux.uidMappings, .linux.gidMappings)'
	refused 'rootless container requires user namespaces'
}

@test "what an ordinary user has no right to is refused by name" {
	cp "$BUNDLE/config.json" "$WORK/config.json"
	config '.process.user.additionalGids = [5]'
	refused 'process.user.additionalGids: cannot set any additional groups in a rootless container'
	cp "$WORK/config.json" "$BUNDLE/config.json"
	config '.mounts += [{destination: "/mnt", type: "bind", source: "/usr", options: ["bind", "idmap"]}]'
	refused 'id-mapped mounts are not supported for rootless containers'
	cp "$WORK/config.json" "$BUNDLE/config.json"
	config '.linux.namespaces += [{type: "network"}] | .linux.netDevices = {dummy0: {}}'
	refused 'linux.netDevices: network devices are not supported for rootless containers'
	cp "$WORK/config.json" "$BUNDLE/config.json"
	config '.process.rlimits = [{type: "RLIMIT_NOFILE", soft: 10, hard: 1999999999}]'
	fails 'process.rlimits[0]: set RLIMIT_NOFILE to soft 10, hard 1999999999: operation not permitted'
}

@test "a cgroup that cannot be had is an error only if it was asked for" {
	inside 'echo made'
	assert_output made
	config '.linux.cgroupsPath = "/nobodys"'
	refused 'linux.cgroupsPath: unable to apply cgroup configuration: ' 'permission denied' \
		'rootless needs no limits + no cgrouppath when no permission is granted for cgroups'
	if controller pids; then
		config 'del(.linux.cgroupsPath) | .linux.resources.pids.limit = 10'
		refused 'linux.resources.pids.limit: ' 'rootless needs no limits + no cgrouppath when no permission is granted for cgroups'
	fi
	config 'del(.linux.cgroupsPath, .linux.resources)'
	runtime --rootless=false run -b "$BUNDLE" "$(new_id)"
	assert_failure 1
	assert_contains 'permission denied'
}

@test "without a cgroup and a pid namespace, its user namespace tells the container's processes" {
	map_ranges
	config 'del(.linux.namespaces[] | select(.type == "pid")) | .process.user.uid = 7'
	args sh -c 'sleep 1001 & setsid sleep 1002 & unshare -U sleep 1003 & wait $!; sleep 1004'
	local id other
	other=$(new_id)
	rt run -d -b "$BUNDLE" "$other"
	wait_until 5 has_sleeps 4
	id=$(new_id)
	rt run -d -b "$BUNDLE" "$id"
	wait_until 5 has_sleeps 8
	assert_equal "$(rt ps -f json "$id" | jq length)" 4
	rt kill "$id" KILL
	wait_until 5 has_sleeps 4
	assert_equal "$(rt ps -f json "$id" | jq length)" 0
	rt delete "$id"
	assert_equal "$(rt ps -f json "$other" | jq length)" 4
	rt delete --force "$other"
	has_sleeps 0
}

has_sleeps() {
	(($(marked_processes "$TOKEN" | wc -l) == $1))
}

@test "what its first process leaves running ends with delete where the kernel knows namespaces again" {
	config 'del(.linux.namespaces[] | select(.type == "pid"))'
	args sh -c 'sleep 1001 & setsid sleep 1002 & exit 0'
	local id
	id=$(new_id)
	rt --log "$WORK/run/log" run -d -b "$BUNDLE" "$id"
	wait_for_status "$id" stopped
	has_sleeps 2
	rt delete "$id"
	if grep -q 'the container leaves running what its first process leaves running' "$WORK/run/log"; then
		has_sleeps 2
		marked_processes "$TOKEN" | xargs kill
		skip 'this kernel does not know a namespace again'
	fi
	has_sleeps 0
}

@test "processes that nothing tells are a warning" {
	config '.linux.namespaces |= map(select(.type != "pid" and .type != "user")) | del(.linux.uidMappings, .linux.gidMappings, .linux.resources)'
	run as_user unshare --user --map-root-user env USER= XDG_RUNTIME_DIR="$WORK/run" "$RT" --log "$WORK/run/log" run -b "$BUNDLE" "$(new_id)"
	assert_success
	grep -q 'level=warning.*linux.namespaces: without a pid namespace and a cgroup of its own' "$WORK/run/log"
}

@test "commands that take a cgroup say that there is none" {
	args sleep 1000
	id=$(new_id)
	rt run -d -b "$BUNDLE" "$id"
	commands=(pause 'events --stats')
	! controller pids || commands+=('update --pids-limit 5')
	for command in "${commands[@]}"; do
		# shellcheck disable=SC2086 # options and all
		runtime $command "$id"
		assert_failure 1
		assert_contains 'the container has no cgroup'
	done
	runtime exec --cgroup below "$id" true
	assert_failure 255
	assert_contains 'the container has no cgroup'
	rt exec --cgroup / "$id" true
}

@test "without a systemd of the user, --systemd-cgroup is refused, and the way to it named" {
	run as_user env -u DBUS_SESSION_BUS_ADDRESS XDG_RUNTIME_DIR="$WORK/run" "$RT" --systemd-cgroup run -b "$BUNDLE" "$(new_id)"
	assert_failure 1
	assert_all_contained '--systemd-cgroup: systemd cannot be reached' "$WORK/run/bus" DBUS_SESSION_BUS_ADDRESS
	assert_equal "$(ls -A "$WORK/run/rt" 2>/dev/null)" ''
}

@test "a user namespace of the user is joined, alone and with a network namespace that it owns" {
	local networks=false
	"$WORK/etc/as-user" unshare --user --net sleep 600 3>&- &
	HOLDER=$!
	wait_until 5 holds_user
	echo "0 $ORDINARY 65536" | tee "/proc/$HOLDER/uid_map" >"/proc/$HOLDER/gid_map"
	for networks in false true; do
		config 'del(.linux.uidMappings, .linux.gidMappings) | (.linux.namespaces[] | select(.type == "user")).path = "\($held)/user"
			| .linux.namespaces |= map(select(.type != "network")) + if $networks then [{type: "network", path: "\($held)/net"}] else [{type: "network"}] end' \
			--arg held "/proc/$HOLDER/ns" --argjson networks "$networks"
		inside 'readlink /proc/self/ns/user; id -u; readlink /proc/self/ns/net'
		assert_success
		assert_equal "${lines[0]} ${lines[1]}" "$(readlink "/proc/$HOLDER/ns/user") 0"
		if $networks; then
			assert_equal "${lines[2]}" "$(readlink "/proc/$HOLDER/ns/net")"
		else
			[[ ${lines[2]} != "$(readlink "/proc/$HOLDER/ns/net")" ]]
		fi
	done
}

holds_user() {
	[[ $(cat "/proc/$HOLDER/comm") == sleep ]]
}

@test "three ranges of subordinate ids, in any order" {
	map_ranges
	config '.linux.uidMappings = [{containerID: 1000, hostID: ($first + 5000), size: 10}, {containerID: 0, hostID: $own, size: 1}, {containerID: 1, hostID: $first, size: 999}]
		| .linux.gidMappings = .linux.uidMappings | .process.user = {uid: 1005, gid: 1005}' --argjson own "$ORDINARY" --argjson first "$SUBORDINATE"
	args sleep 1000
	local id
	id=$(new_id)
	rt run -d -b "$BUNDLE" "$id"
	assert_equal "$(stat -c %u:%g "/proc/$(container_pid "$id")")" "$((SUBORDINATE + 5005)):$((SUBORDINATE + 5005))"
	assert_equal "$(rt exec --user 0:0 "$id" sh -c 'tr -s " " </proc/self/uid_map')" $' 1000 105001 10\n 0 100000 1\n 1 100001 999'
}

# enter_delegated makes a cgroup that belongs to the user, and goes into one below it.
enter_delegated() {
	local v2=/sys/fs/cgroup/unified
	! unified || v2=/sys/fs/cgroup
	[[ $(stat -f -c %T "$v2") == cgroup2fs ]] || skip 'no cgroup v2 here'
	HOME_CGROUP=$v2$(sed -n 's/^0:://p' /proc/self/cgroup)
	DELEGATED=$v2/$TOKEN
	mkdir "$DELEGATED" "$DELEGATED/caller"
	chown "$ORDINARY:$ORDINARY" "$DELEGATED" "$DELEGATED"/cgroup.{procs,threads,subtree_control}
	echo $BASHPID >"$DELEGATED/caller/cgroup.procs"
}

leave_delegated() {
	[[ -n ${DELEGATED:-} ]] || return 0
	delete_containers
	echo $BASHPID >"$HOME_CGROUP/cgroup.procs"
	rmdir "$DELEGATED/caller" "$DELEGATED"
}

@test "in a delegated cgroup the container has one of its own, with limits" {
	enter_delegated
	args sleep 1000
	config '.linux.resources.unified = {"cgroup.max.descendants": "7"}'
	unified || config 'del(.linux.resources) | .linux.namespaces += [{type: "cgroup"}]'
	id=$(new_id)
	rt run -d -b "$BUNDLE" "$id"
	assert_equal "$(cat "$DELEGATED/$id/cgroup.procs")" "$(container_pid "$id")"
	! unified || assert_equal "$(cat "$DELEGATED/$id/cgroup.max.descendants")" 7
	assert_equal "$(rt exec "$id" cat /proc/self/cgroup | grep ^0:)" 0::/
	rt pause "$id"
	assert_equal "$(container_status "$id")" paused
	rt resume "$id"
	rt kill --all "$id" KILL
	wait_for_status "$id" stopped
	rt delete "$id"
	[[ ! -e $DELEGATED/$id ]]
}

@test "every mount of /sys/fs/cgroup is read-only, whatever namespaces are new" { # CVE-2023-25809
	local user network cgroup sysfs
	cp "$BUNDLE/config.json" "$WORK/config.json"
	for user in one range; do
		for network in true false; do
			for cgroup in true false; do
				for sysfs in bind mount; do
					cp "$WORK/config.json" "$BUNDLE/config.json"
					[[ $user == one ]] || map_ranges
					config '.linux.namespaces |= map(select(.type != "cgroup" and .type != "network"))
						| if $network then .linux.namespaces += [{type: "network"}] else . end
						| if $cgroup then .linux.namespaces += [{type: "cgroup"}] else . end' \
						--argjson network "$network" --argjson cgroup "$cgroup"
					[[ $sysfs == bind ]] || config '(.mounts[] | select(.destination == "/sys"))
						|= {destination: "/sys", type: "sysfs", source: "sysfs", options: ["nosuid", "noexec", "nodev", "ro"]}'
					inside 'for f in $(grep " /sys/fs/cgroup" /proc/mounts | cut -d" " -f2 | sort -u); do
						! test -e "$f" || grep " $f " /proc/mounts | tail -n 1 | cut -d" " -f4 | cut -d, -f1; done | sort | uniq'
					assert_success
					assert_equal "$user $network $cgroup $sysfs: $output" "$user $network $cgroup $sysfs: ro"
				done
			done
		done
	done
}

@test "root of a user namespace needs none for the container" {
	config '.linux.namespaces |= map(select(.type != "user")) | del(.linux.uidMappings, .linux.gidMappings, .linux.resources)'
	args sh -c 'id -u; tr -s " " </proc/self/uid_map'
	run as_user unshare --user --map-root-user env USER= XDG_RUNTIME_DIR="$WORK/run" "$RT" run -b "$BUNDLE" "$(new_id)"
	assert_output $'0\n 0 100000 1'
	[[ -d $WORK/run/rt ]]
}

@test "an agent answers system calls" {
	local mkdir=83
	[[ $(uname -m) == x86_64 ]] || mkdir=34
	"$PEER" agent "$WORK/agent.sock" "$mkdir=errno:74" >"$WORK/agent" 2>&1 </dev/null 3>&- &
	AGENT=$!
	wait_until 5 grep -qx 'peer: listening' "$WORK/agent"
	chmod 777 "$WORK/agent.sock"
	config '.root.readonly = false | .linux.seccomp = {defaultAction: "SCMP_ACT_ALLOW", listenerPath: $socket,
		syscalls: [{names: ["mkdir", "mkdirat"], action: "SCMP_ACT_NOTIFY"}]}' --arg socket "$WORK/agent.sock"
	args sleep 1000
	id=$(new_id)
	rt run -d -b "$BUNDLE" "$id"
	run rt exec "$id" mkdir /x
	kill "$AGENT"
	assert_contains "can't create directory '/x': Bad message"
}

@test "another user of the container can open his stdout again, which is a file or pipe of the caller" {
	map_ranges
	config '.process.user = {uid: 1000, gid: 1000}'
	args sh -c 'echo again >/dev/stdout'
	: >"$WORK/out"
	chown "$ORDINARY:$ORDINARY" "$WORK/out"
	rt run -b "$BUNDLE" "$(new_id)" >"$WORK/out"
	assert_equal "$(<"$WORK/out")" again
	assert_equal "$(stat -c %u "$WORK/out")" $((SUBORDINATE + 999))
}
