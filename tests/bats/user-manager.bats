#!/usr/bin/env bats
# Containers of an ordinary user who has a systemd of his own: in a scope of it (--systemd-cgroup), or in
# cgroups that it delegates. Rt is started where a user's shell is, outside of what his systemd manages.
# shellcheck disable=SC2016,SC2030,SC2031

load helpers
load inside
load cgroups

setup_file() {
	export USER_ID RUN
	real_user || return 0
	USER_ID=$(id -u user)
	RUN=/run/user/$USER_ID
	loginctl enable-linger user
	wait_until 60 test -S "$RUN/bus"
	wait_until 60 test -S "$RUN/systemd/private"
}

teardown_file() {
	real_user || return 0
	loginctl disable-linger user
	systemctl stop "user@$USER_ID.service" "user-runtime-dir@$USER_ID.service"
}

setup() {
	real_user || skip "no user here has a systemd of his own"
	MANAGER=/sys/fs/cgroup/user.slice/user-$USER_ID.slice/user@$USER_ID.service
	setup_bundle
	reachable "$WORK"
	cp "$RT" "$WORK/rt"
	chmod 755 "$WORK/rt"
	RT=$WORK/rt
	chown "$USER_ID:$USER_ID" "$WORK" "$ROOT" "$BUNDLE"
	chown -hR "$USER_ID:$USER_ID" "$BUNDLE/rootfs"
	rm "$BUNDLE/config.json"
	(cd "$BUNDLE" && as_user "$RT" spec --rootless)
	UNIT=$TOKEN-$(unique).scope
	config '.process.terminal = false | .linux.cgroupsPath = "::" + $unit' --arg unit "${UNIT%.scope}"
}

teardown() {
	local status=0
	if [[ -n ${UNIT:-} ]]; then
		delete_containers || status=1
		# systemd forgets a scope a moment after it has ended.
		wait_until 10 is_forgotten || { echo "left behind: $UNIT, $(property ActiveState)" && status=1; }
	fi
	teardown_all && return "$status"
}

# real_user succeeds on a host of systemd's that has a user for these tests (tests/vm/image).
real_user() {
	[[ -d /run/systemd/system && -e /home/user ]] && unified && grep -q ^user: /etc/subuid
}

# as_user COMMAND... runs it with the environment of the user's shell.
as_user() {
	setpriv --reuid "$USER_ID" --regid "$USER_ID" --init-groups -- \
		env -i HOME=/home/user USER=user PATH="$PATH" XDG_RUNTIME_DIR="$RUN" "$@"
}

# rt_alone runs rt as the user.
rt_alone() {
	(
		close_descriptors
		as_user "$RT" --root "$ROOT" "$@"
	)
}

# property NAME prints what the user's systemd says about the test's unit.
property() {
	as_user systemctl --user show --value -p "$1" "$UNIT"
}

is_forgotten() {
	[[ $(property LoadState) == not-found ]]
}

# in_scope PROGRAM [ARGUMENT...] runs it in a new container in the background, and sets $ID and $CGROUP.
in_scope() {
	args "$@"
	ID=$(new_id)
	rt --systemd-cgroup run --detach --bundle "$BUNDLE" "$ID" >"$WORK/out" 2>&1 || { cat "$WORK/out" && return 1; }
	CGROUP=$(cgroup_directory "$ID" '')
}

# files NAME... prints files of the container's cgroup on one line.
files() {
	(cd "$CGROUP" && cat -- "$@" | tr '\n' ' ')
}

# bats test_tags=vm
@test "the life of a container in a scope of the user's systemd" {
	in_scope sleep 1000
	assert_equal "$CGROUP" "$MANAGER/user.slice/$UNIT"
	assert_equal "$(property ActiveState) $(property Delegate) $(property Slice)" 'active yes user.slice'
	local pid
	pid=$(container_pid "$ID")
	assert_equal "$(stat -c %u "/proc/$pid")" "$USER_ID"
	assert_equal "$(rt exec "$ID" cat /proc/self/cgroup)" 0::/
	rt exec --detach --pid-file "$WORK/pid" "$ID" sleep 1000
	assert_equal "$(rt ps -f json "$ID" | jq -c sort)" "$(jq -cn '[$a, $b] | sort' --argjson a "$pid" --argjson b "$(<"$WORK/pid")")"
	rt events --stats "$ID" | jq -e '.data.pids.current == 2 and .data.memory.usage.usage > 0'
	rt pause "$ID"
	assert_equal "$(container_status "$ID")" paused
	rt resume "$ID"
	assert_equal "$(container_status "$ID")" running
	rt kill --all "$ID" KILL
	wait_for_status "$ID" stopped
	rt delete "$ID"
	[[ ! -e $CGROUP && $(property LoadState) == not-found ]]
}

# bats test_tags=vm
@test "limits of the controllers that the user has are set, kept and changed" {
	resources '{memory: {limit: 67108864, reservation: 33554432}, pids: {limit: 50}, cpu: {shares: 512, quota: 30000, period: 100000}}'
	in_scope sleep 1000
	assert_equal "$(files memory.max memory.low pids.max cpu.weight cpu.max)" '67108864 33554432 50 59 30000 100000 '
	assert_equal "$(property MemoryMax) $(property TasksMax) $(property CPUWeight) $(property CPUQuotaPerSecUSec)" '67108864 50 59 300ms'
	rt update --memory 128M --pids-limit 60 --cpu-quota 50000 "$ID"
	assert_equal "$(files memory.max pids.max cpu.max)" '134217728 60 50000 100000 '
	assert_equal "$(property MemoryMax) $(property TasksMax)" '134217728 60'
	as_user systemctl --user daemon-reload
	assert_equal "$(files memory.max pids.max cpu.weight cpu.max)" '134217728 60 59 50000 100000 '
	runtime update -r - "$ID" <<<'{"pids": {"limit": 70}, "unified": {"memory.oom.group": "7"}}'
	assert_failure
	assert_contains memory.oom.group
	assert_equal "$(property TasksMax) $(files pids.max)" '60 60 '
}

# bats test_tags=vm
@test "a limit of a controller that the user does not have is told by its field, and nothing is left" {
	! grep -qw cpuset "$MANAGER/cgroup.controllers" || skip "the user has the controller cpuset"
	resources '{cpu: {cpus: "0"}}'
	runtime --systemd-cgroup run --bundle "$BUNDLE" "$(new_id)"
	assert_failure 1
	assert_all_contained linux.resources.cpu.cpus cpuset
	[[ -z $(ls -A "$ROOT") && $(property LoadState) == not-found ]]
}

# bats test_tags=vm
@test "root of the container may be a subordinate id" {
	config '.linux.uidMappings = [{containerID: 0, hostID: 100000, size: 65536}] | .linux.gidMappings = .linux.uidMappings'
	chown -hR 100000:100000 "$BUNDLE/rootfs"
	resources '{pids: {limit: 50}}'
	in_scope sleep 1000
	assert_equal "$(stat -c %u "/proc/$(container_pid "$ID")")" 100000
	assert_equal "$CGROUP" "$MANAGER/user.slice/$UNIT"
	assert_equal "$(files pids.max)" '50 '
	assert_equal "$(rt exec "$ID" cat /proc/self/cgroup)" 0::/
	rt exec --user 7 --detach --pid-file "$WORK/pid" "$ID" sleep 1000
	assert_equal "$(stat -c %u "/proc/$(<"$WORK/pid")")" 100007
	rt kill --all "$ID" KILL
	wait_for_status "$ID" stopped
	rt delete "$ID"
}

# bats test_tags=vm
@test "the want of memory is an event, and delete forgets the scope that failed" {
	resources '{memory: {limit: 16777216, swap: 16777216}}'
	in_scope sh -c 'while [ ! -e /dev/shm/go ]; do sleep 0.1; done; x=$(head -c 40000000 /dev/zero | tr "\0" x) & wait; sleep 1000'
	rt_background events --interval 1h "$ID"
	local events=$RT_PID
	wait_until 10 watches "$events"
	rt exec "$ID" touch /dev/shm/go
	wait_until 10 grep -q '"type":"oom"' "$WORK/background.out"
	rt delete --force "$ID"
	wait "$events"
}

# watches PID succeeds when rt events has opened the file that tells.
watches() {
	local file
	for file in "/proc/$1"/fd/*; do
		[[ $(readlink "$file") == *inotify* || $(readlink "$file") == */memory.events ]] && return
	done
	return 1
}

# bats test_tags=vm
@test "without a systemd of the user's the error names the socket, and delete needs none" {
	in_scope sleep 1000
	local other
	other=$(new_id)
	mkdir "$WORK/empty"
	run as_user env XDG_RUNTIME_DIR="$WORK/empty" "$RT" --root "$ROOT" --systemd-cgroup run -b "$BUNDLE" "$other"
	assert_failure 1
	assert_all_contained '--systemd-cgroup: systemd cannot be reached' "$WORK/empty/bus" DBUS_SESSION_BUS_ADDRESS
	run as_user env DBUS_SESSION_BUS_ADDRESS=unix:path="$WORK/mine" "$RT" --root "$ROOT" --systemd-cgroup run -b "$BUNDLE" "$other"
	assert_failure 1
	assert_contains "$WORK/mine"
	run as_user env XDG_RUNTIME_DIR="$WORK/empty" "$RT" --root "$ROOT" delete --force "$ID"
	assert_success
	[[ ! -e $CGROUP ]]
}

# bats test_tags=vm
@test "callers that pass no environment on reach the user's systemd" {
	args true
	run setpriv --reuid "$USER_ID" --regid "$USER_ID" --init-groups -- env -i "$RT" --root "$ROOT" --systemd-cgroup run -b "$BUNDLE" "$(new_id)"
	assert_success
	assert_output ''
}

# bats test_tags=vm
@test "a systemd of the user's that hangs is not waited for for longer than half a minute" {
	local manager
	manager=$(systemctl show --value -p MainPID "user@$USER_ID.service")
	kill -STOP "$manager"
	runtime --systemd-cgroup run --bundle "$BUNDLE" "$(new_id)"
	kill -CONT "$manager"
	assert_failure 1
	assert_contains 'systemd did not answer within 30s'
	[[ -z $(ls -A "$ROOT") ]]
}

# bats test_tags=vm
@test "root of a user namespace of the user's has containers in scopes of his systemd" { # as rootless Podman calls runtimes
	config '.linux.namespaces |= map(select(.type != "user")) | del(.linux.uidMappings, .linux.gidMappings) | .linux.resources.pids.limit = 50'
	args sleep 1000
	ID=$(new_id)
	as_user unshare --user --map-root-user --mount "$RT" --root "$ROOT" --systemd-cgroup run --detach --bundle "$BUNDLE" "$ID" >"$WORK/out" 2>&1
	CGROUP=$MANAGER/user.slice/$UNIT
	assert_equal "$(files pids.max)" '50 '
	assert_equal "$(wc -l <"$CGROUP/cgroup.procs")" 1
}

# in_delegated COMMAND... runs it as the user in a scope that his systemd delegates to him.
in_delegated() {
	as_user systemd-run --user --scope --quiet --collect -p Delegate=yes --unit "$TOKEN-delegated" "$@"
}

# bats test_tags=vm
@test "in a cgroup that the user's systemd delegates, containers have cgroups with limits" {
	config 'del(.linux.cgroupsPath)'
	resources '{memory: {limit: 67108864}, pids: {limit: 50}, cpu: {shares: 512}}'
	args sleep 1000
	ID=$(new_id)
	cat >"$WORK/session" <<-'END'
		#!/bin/bash -eu
		rt=("$RT" --root "$ROOT")
		# The shell is in a cgroup of its own: one with controllers below has no processes.
		own=/sys/fs/cgroup$(sed -n 's/^0:://p' /proc/self/cgroup)
		mkdir "$own/shell"
		echo $$ >"$own/shell/cgroup.procs"
		"${rt[@]}" run --detach --bundle "$BUNDLE" "$ID" >/dev/null 2>&1
		cat "$own/$ID"/{memory.max,pids.max,cpu.weight} | tr '\n' ' '; echo
		"${rt[@]}" update --pids-limit 60 --memory 128M "$ID"
		cat "$own/$ID"/{memory.max,pids.max} | tr '\n' ' '; echo
		"${rt[@]}" exec --detach --pid-file "$WORK/pid" "$ID" sleep 1000 >/dev/null 2>&1
		wc -l <"$own/$ID/cgroup.procs"
		"${rt[@]}" exec "$ID" cat /proc/self/cgroup
		"${rt[@]}" ps -f json "$ID" | jq length
		"${rt[@]}" events --stats "$ID" | jq -c '[.data.pids.current, .data.pids.limit, .data.memory.usage.limit]'
		"${rt[@]}" pause "$ID"
		cat "$own/$ID/cgroup.freeze"
		"${rt[@]}" resume "$ID"
		"${rt[@]}" kill --all "$ID" KILL
		"${rt[@]}" delete --force "$ID"
		[[ ! -e $own/$ID ]]
	END
	chmod +x "$WORK/session"
	run in_delegated env RT="$RT" ROOT="$ROOT" BUNDLE="$BUNDLE" WORK="$WORK" ID="$ID" "$WORK/session"
	assert_success
	assert_output $'67108864 50 59 \n134217728 60 \n2\n0::/\n2\n[2,60,134217728]\n1'
}

# bats test_tags=vm
@test "outside of what is delegated, limits are refused, and what needs none has no cgroup" {
	config 'del(.linux.cgroupsPath)'
	args grep -c . /proc/self/cgroup
	run_container
	assert_success
	assert_output 1
	resources '{pids: {limit: 50}}'
	refused 'linux.resources.pids.limit: ' 'rootless needs no limits + no cgrouppath when no permission is granted for cgroups'
}
