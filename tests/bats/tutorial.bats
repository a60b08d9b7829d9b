#!/usr/bin/env bats
# The demonstrations in tests/bundles, seen from inside and from outside.

setup() {
	load helpers
	load inside
	begin_test
}

teardown() {
	[[ -z ${QUEUE:-} ]] || ipcrm -q "$QUEUE"
	teardown_all
}

# demonstrate NAME runs a copy of the bundle, whose directory gives the container its id.
demonstrate() {
	BUNDLE=$WORK/$(new_id)
	cp -R "$REPO/tests/bundles/$1" "$BUNDLE"
	runtime run "$BUNDLE/"
	assert_success
}

@test "network: a loopback interface and none of the host's" {
	needs ip
	before=$(ip -o link | cut -d: -f2)
	demonstrate network
	assert_equal "$(grep -cE '^[0-9]+: ' <<<"$output")" 1
	assert_contains '1: lo: <LOOPBACK'
	assert_equal "$(ip -o link | cut -d: -f2)" "$before"
}

@test "mount: a filesystem on /mnt that the host does not see" {
	needs mount
	demonstrate mount
	assert_line seen-inside-only
	assert_line 'demonstration on /mnt type tmpfs (rw,relatime)'
	[[ ! -e /mnt/seen-inside-only ]]
	run grep demonstration /proc/self/mountinfo
	assert_failure 1
}

@test "mount: a host that shares its mounts does not see it either" {
	needs mount
	BUNDLE=$WORK/$(new_id)
	cp -R "$REPO/tests/bundles/mount" "$BUNDLE"
	# shellcheck disable=SC2016
	in_mount_namespace shared '
		before=$(cat /proc/self/mountinfo)
		"$RT" --root "$ROOT" run "$BUNDLE/"
		diff <(echo "$before") /proc/self/mountinfo
	'
	assert_success
	assert_line seen-inside-only
}

@test "uts: another name, while the host keeps its own" {
	needs hostname
	before=$(uname -n)
	demonstrate uts
	assert_output inside
	assert_equal "$(uname -n)" "$before"
}

@test "ipc: a message queue of the host is not seen" {
	needs ipcmk ipcs
	QUEUE=$(ipcmk -Q | sed 's/.*: //')
	ipcs -q | grep -q " $QUEUE "
	demonstrate ipc
	assert_contains msqid
	assert_equal "$(grep -c '^0x' <<<"$output")" 0
}

@test "pid: ps sees itself as process 1 and nothing else" {
	needs ps
	demonstrate pid
	assert_equal "${#lines[@]}" 2
	[[ ${lines[1]} =~ ^\ +1\ .*\ ps\ ax$ ]]
}

@test "user: root, to whom the host's files are nobody's" {
	demonstrate user
	assert_contains 'uid=0(root) gid=0(root)'
	assert_equal "$(owners)" '65534 65534'
	[[ $(stat -c %u:%g /) == 0:0 ]]
}

@test "user-mapped: with a mapping of the host's root, its files are root's" {
	demonstrate user-mapped
	assert_contains 'uid=0(root) gid=0(root)'
	assert_equal "$(owners)" '0 0'
}

# owners prints, in numbers, whom the directory /etc belongs to in the listing of /.
owners() {
	local user group
	read -r _ _ user group _ < <(grep ' etc$' <<<"$output")
	echo "$(getent passwd "$user" | cut -d: -f3) $(getent group "$group" | cut -d: -f3)"
}

@test "each bundle asks for its own namespace and no other" {
	local name
	for name in network mount uts ipc user; do
		assert_equal "$(jq -r '.linux.namespaces[].type' "$REPO/tests/bundles/$name/config.json")" "$name"
	done
	assert_equal "$(jq -r '.root.path' "$REPO"/tests/bundles/{network,mount,uts,ipc,pid,user,user-mapped}/config.json | sort -u)" /
}
