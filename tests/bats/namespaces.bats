#!/usr/bin/env bats
# linux.namespaces: new, joined by path, or absent.

setup() {
	load helpers
	load inside
	setup_bundle
}

teardown() {
	release_namespaces
	teardown_all
}

# hold_namespaces makes one namespace of each type; $HELD is a directory of their files. Where containers
# have user namespaces, one is made like those, which the others belong to.
hold_namespaces() {
	local as=() user=()
	! mapped || user=(--user)
	! ordinary || as=("$AS_ORDINARY")
	"${as[@]}" unshare "${user[@]}" --pid --fork --kill-child --net --mount --ipc --uts --cgroup sleep 600 3>&- &
	HOLDER=$!
	HELD=/proc/$HOLDER/ns
	wait_until 5 namespaces_held
	! mapped || echo '0 100000 65536' | tee "/proc/$HOLDER/uid_map" >"/proc/$HOLDER/gid_map"
}

# The pid namespace is the last to be ready: it can be joined, and its link read, once it has a process.
namespaces_held() {
	local pid_namespace
	pid_namespace=$(readlink "$HELD/pid_for_children") && [[ $pid_namespace != "$(readlink /proc/self/ns/pid)" ]]
}

release_namespaces() {
	[[ -n ${HOLDER:-} ]] || return 0
	kill -KILL "$HOLDER"
	wait "$HOLDER" 2>/dev/null || true
	HOLDER=
}

# namespace_file TYPE prints the name in /proc/PID/ns of a type of namespace in config.json.
namespace_file() {
	case $1 in
	network) echo net ;;
	mount) echo mnt ;;
	*) echo "$1" ;;
	esac
}

# held_path TYPE prints the path of the held namespace of a type in config.json.
held_path() {
	case $1 in
	pid) echo "$HELD/pid_for_children" ;;
	*) echo "$HELD/$(namespace_file "$1")" ;;
	esac
}

# namespaces TYPE=PATH... sets linux.namespaces: TYPE= is a new one. What needs a namespace that is
# not there is taken out of the config. A user namespace stays; it is the one that the namespaces which
# are held belong to.
namespaces() {
	config '
		[.linux.namespaces[] | select(.type == "user") | if $held != "" then .path = "\($held)/user" else . end] as $user |
		if $held != "" then del(.linux.uidMappings, .linux.gidMappings) else . end |
		.linux.namespaces = [$list | splits(" ") | capture("^(?<type>[^=]*)=(?<path>.*)$") | if .path == "" then del(.path) else . end] + $user |
		[.linux.namespaces[] | select(.type == "mount" and .path == null)] as $own |
		[.linux.namespaces[] | select(.type == "ipc")] as $ipc |
		del(.hostname) |
		if $own == [] then .mounts = [] | del(.root.readonly, .linux.maskedPaths, .linux.readonlyPaths) else . end |
		if $ipc == [] then .mounts |= map(select(.type != "mqueue")) else . end
	' --arg list "$*" --arg held "$(! mapped || echo "${HELD:-}")"
}

# new_namespaces TYPE... is namespaces with new ones only.
new_namespaces() {
	namespaces "${@/%/=}"
}

ALL="cgroup ipc mnt net pid uts"

# own_namespaces prints the test's own, one line each, as `links` does in a container.
own_namespaces() {
	local name
	for name in $ALL; do
		echo "$name $(readlink "/proc/self/ns/$name")"
	done
}

links="for name in $ALL; do echo \$name \$(readlink /proc/self/ns/\$name); done"

@test "new namespaces: none of the six is the caller's" {
	inside "$links"
	assert_success
	assert_equal "${#lines[@]}" 6
	local line
	while read -r line; do
		refute_contains "$line"
	done < <(own_namespaces)
}

@test "a network namespace that cannot be made: what failed is said, and nothing is left" {
	skip_in userns "it is made in the container's user namespace there, and fails as all others do"
	id=$(new_id)
	run unshare --user --map-root-user sh -c 'echo 0 >/proc/sys/user/max_net_namespaces && exec "$@"' sh \
		"$RT" --root "$ROOT" --cgroup-manager disabled run -b "$BUNDLE" "$id"
	assert_failure 1
	assert_contains 'linux.namespaces[1] (config.json:'
	assert_contains 'make the network namespace and bring its loopback interface up: unshare(CLONE_NEWNET): no space left on device; a limit on namespaces is reached'
	assert_equal "$(ls "$ROOT")" ""
}

@test "absent namespaces: all but the mount namespace are the caller's" {
	new_namespaces mount
	inside "$links"
	assert_success
	assert_equal "$(grep -v ^mnt <<<"$output")" "$(own_namespaces | grep -v ^mnt)"
	refute_contains "$(own_namespaces | grep ^mnt)"
}

@test "absent mount namespace: the container has a root of its own in the caller's" {
	skip_in rootless 'the mount namespace that the user runs rt in is a new one each time'
	new_namespaces pid network ipc uts cgroup
	id=$(new_id)
	args sleep 600
	runtime run -d -b "$BUNDLE" "$id"
	assert_success
	pid=$(container_pid "$id")
	assert_equal "$(readlink "/proc/$pid/ns/mnt")" "$(readlink /proc/self/ns/mnt)"
	assert_equal "$(readlink "/proc/$pid/root")" "$BUNDLE/rootfs"
}

@test "joined namespaces: each of the six is the one at the path" {
	hold_namespaces
	local type wanted=() joined=()
	for type in pid network mount ipc uts cgroup; do
		joined+=("$type=$(held_path "$type")")
		wanted+=("$(readlink "$(held_path "$type")")")
	done
	namespaces "${joined[@]}"
	id=$(new_id)
	runtime create -b "$BUNDLE" "$id"
	assert_success
	pid=$(container_pid "$id")
	local got=()
	for type in pid network mount ipc uts cgroup; do
		got+=("$(readlink "/proc/$pid/ns/$(namespace_file "$type")")")
	done
	assert_equal "${got[*]}" "${wanted[*]}"
}

@test "without a linux section all namespaces are the caller's" {
	skip_in rootless 'a user namespace is what every container of an ordinary user has'
	config 'del(.linux, .hostname, .root.readonly) | .mounts = []'
	id=$(new_id)
	args sleep 600
	runtime run -d -b "$BUNDLE" "$id"
	assert_success
	pid=$(container_pid "$id")
	local name
	for name in $ALL; do
		assert_equal "$(readlink "/proc/$pid/ns/$name")" "$(readlink "/proc/self/ns/$name")"
	done
	assert_equal "$(readlink "/proc/$pid/root")" "$BUNDLE/rootfs"
}

@test "mounts are refused without a mount namespace: they would be the caller's" {
	new_namespaces pid network ipc uts cgroup
	config '.mounts = [{destination: "/tmp", type: "tmpfs", source: "tmpfs"}]'
	refused mounts 'mount namespace'
}

# Three states of six types are 729 combinations. These 27 are chosen so that any two types meet in all
# nine ways: the last three are sums, modulo 3, of the first three.
@test "combinations of new, joined and absent namespaces" {
	skip_in rootless 'root has made them all with user namespaces, and 27 containers take their time'
	hold_namespaces
	args sleep 600
	local pid_state net_state ipc_state
	for pid_state in 0 1 2; do
		for net_state in 0 1 2; do
			for ipc_state in 0 1 2; do
				check_combination "$pid_state" "$net_state" "$ipc_state" $(((pid_state + net_state) % 3)) \
					$(((pid_state + ipc_state) % 3)) $(((pid_state + net_state + ipc_state) % 3))
			done
		done
	done
}

# check_combination STATE... creates a container with these states of the six types (0 absent, 1 new,
# 2 joined) and compares the namespaces of its init, seen from outside, with what was asked for. A
# mount namespace is joined by one container only: what becomes of its mounts is another test's.
check_combination() {
	local types=(pid network ipc uts mount cgroup) list=() id pid i own held got
	for i in "${!types[@]}"; do
		case ${*:i+1:1} in
		1) list+=("${types[i]}=") ;;
		2) list+=("${types[i]}=$(held_path "${types[i]}")") ;;
		esac
	done
	namespaces "${list[@]}"
	id=$(new_id)
	rt create -b "$BUNDLE" "$id" || {
		echo "create with ${list[*]} failed"
		return 1
	}
	pid=$(container_pid "$id")
	for i in "${!types[@]}"; do
		own=$(readlink "/proc/self/ns/$(namespace_file "${types[i]}")")
		held=$(readlink "$(held_path "${types[i]}")")
		got=$(readlink "/proc/$pid/ns/$(namespace_file "${types[i]}")")
		case ${*:i+1:1} in
		0) [[ $got == "$own" ]] ;;
		1) [[ $got != "$own" && $got != "$held" ]] ;;
		2) [[ $got == "$held" ]] ;;
		esac || {
			echo "with ${list[*]}: ${types[i]} is $got (caller's $own, joined $held)"
			return 1
		}
	done
	rt delete --force "$id"
	if ((${*:5:1} == 2)); then
		release_namespaces
		hold_namespaces
	fi
}

@test "mount: joining a namespace leaves its mounts and their propagation as they are" {
	skip_in userns "there are no mounts for the container in a mount namespace of the host's"
	config 'del(.root.readonly) | .mounts = [] | del(.linux.maskedPaths, .linux.readonlyPaths)'
	args /bin/true
	local propagation
	for propagation in shared private; do
		# shellcheck disable=SC2016
		in_mount_namespace "$propagation" '
			config=$(jq --arg path "/proc/$$/ns/mnt" "(.linux.namespaces[] | select(.type == \"mount\")).path = \$path" "$BUNDLE/config.json")
			echo "$config" >"$BUNDLE/config.json"
			before=$(cat /proc/self/mountinfo)
			"$RT" --root "$ROOT" run -b "$BUNDLE" "$1"
			diff <(echo "$before") /proc/self/mountinfo
		' "$(new_id)"
		assert_success
	done
}

@test "a path to a namespace of another type is refused, naming the entry" {
	hold_namespaces
	namespaces mount= "network=$HELD/uts"
	refused 'linux.namespaces[1]' "$HELD/uts"
}

@test "a path to something that is not a namespace is refused" {
	namespaces mount= "uts=/etc/passwd"
	refused 'linux.namespaces[1]' /etc/passwd
}

@test "a path to nothing is refused" {
	namespaces mount= "ipc=$WORK/missing"
	refused 'linux.namespaces[1]' 'no such file or directory'
}

@test "pid: the program is process 1 of a new namespace and sees no other" {
	inside 'echo $$; echo /proc/[0-9]*'
	assert_success
	assert_equal "${lines[*]}" "1 /proc/1"
}

@test "pid: in a joined namespace the program is not process 1 and sees the others" {
	hold_namespaces
	namespaces mount= "pid=$(held_path pid)"
	inside 'echo $$; tr "\0" " " </proc/1/cmdline; echo'
	assert_success
	(($(grep -xE '[0-9]+' <<<"$output") > 1))
	assert_line "sleep 600 "
	kill -0 "$HOLDER"
}

@test "pid: without a namespace the program sees the caller" {
	new_namespaces mount
	local sees='kill -0 "$1"'
	! mapped || sees='test -e "/proc/$1"'
	inside "$sees"' && echo "$$"' "$BASHPID"
	assert_success
	((output > 1))
}

@test "network: a new namespace has a loopback interface, up, and nothing else" {
	inside 'ls /sys/class/net; ip -o link show lo; ip -o -4 addr show lo'
	assert_success
	assert_equal "${lines[0]}" lo
	[[ ${lines[1]} == *"<LOOPBACK,UP,LOWER_UP>"* ]]
	[[ ${lines[2]} == *"inet 127.0.0.1/8"* ]]
}

@test "network: a new namespace answers on 127.0.0.1" {
	inside 'nc -l -p 7 -e echo hello & while ! nc -w 1 127.0.0.1 7 </dev/null 2>/dev/null; do usleep 1000; done'
	assert_success
	assert_output hello
}

@test "network: a namespace made by ip netns is joined, and its loopback left as it is" {
	needs ip
	skip_in rootless 'a network namespace of the host is not for an ordinary user to join'
	namespaces mount= "network=/run/netns/$TOKEN"
	args sh -c 'readlink /proc/self/ns/net; ip -o link show lo'
	in_mount_namespace private '
		mount -t tmpfs tmpfs /run
		mkdir /run/netns
		ip netns add "$1"
		stat -Lc "net:[%i]" "/run/netns/$1"
		"$RT" --root "$ROOT" run -b "$BUNDLE" "$2"
	' "$TOKEN" "$(new_id)"
	assert_success
	assert_equal "${lines[1]}" "${lines[0]}"
	[[ ${lines[2]} == *"<LOOPBACK>"* ]]
}

@test "network: without a namespace the container has the caller's interfaces" {
	new_namespaces mount
	inside 'ls /sys/class/net'
	assert_success
	assert_output "$(ls /sys/class/net)"
}

@test "ipc: a limit set in a new namespace is not seen outside" {
	config '.linux.sysctl = {"kernel.msgmni": "17"}'
	inside 'cat /proc/sys/kernel/msgmni'
	assert_success
	assert_output 17
	[[ $(cat /proc/sys/kernel/msgmni) != 17 ]]
}

@test "uts: a name set in a new namespace is not seen outside" {
	config '.process.capabilities |= map_values(. + ["CAP_SYS_ADMIN"])'
	before=$(uname -n)
	inside 'hostname other && hostname'
	assert_success
	assert_output other
	assert_equal "$(uname -n)" "$before"
}

@test "cgroup: in a new namespace the container's cgroup is the root of every hierarchy" {
	inside 'cat /proc/self/cgroup'
	assert_success
	local line
	for line in "${lines[@]}"; do
		[[ $line == *:/ ]] || { echo "not the root: $line"; return 1; }
	done
}

@test "cgroup: without a namespace the container sees the path of its cgroup" {
	needs_cgroup
	config 'del(.linux.namespaces[] | select(.type == "cgroup"))'
	inside 'cat /proc/self/cgroup'
	assert_success
	assert_line "0::$(jq -r .linux.cgroupsPath "$BUNDLE/config.json")"
}
