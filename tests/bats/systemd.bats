#!/usr/bin/env bats
# --systemd-cgroup: the container's cgroup is that of a scope of systemd's.

setup() {
	load helpers
	load inside
	load cgroups
	load systemd
	unified || skip "needs cgroup v2 alone"
	setup_bundle
	start_systemd
}

teardown() {
	local status=0
	if [[ -n ${UNIT:-} ]]; then
		delete_containers || status=1
		rm -f "${CALLS:-/nonexistent}.mood"
		if unit_known; then
			echo "left behind: $UNIT"
			status=1
		fi
		stop_systemd
	fi
	teardown_all && return "$status"
}

# in_scope PROGRAM [ARGUMENT...] runs it in a new container in the background, and sets $ID.
in_scope() {
	args "$@"
	ID=$(new_id)
	rt --systemd-cgroup run --detach --bundle "$BUNDLE" "$ID" >"$WORK/out" 2>&1 || { cat "$WORK/out" && return 1; }
}

cgroup_of() {
	sed -n 's/^0:://p' "/proc/$1/cgroup"
}

# bats test_tags=vm,smoke
@test "the container is in a scope of its own, for as long as there is a container" {
	in_scope sleep 1000
	assert_equal "$(cgroup_of "$(container_pid "$ID")")" "/$UNIT"
	unit_known
	assert_equal "$(property Delegate) $(property DefaultDependencies) $(property TasksAccounting)" 'yes no yes'
	assert_equal "$(property Slice)" '-.slice'
	[[ $(property Description) == *"$ID" ]]
	rt kill "$ID" KILL
	wait_for_status "$ID" stopped
	rt delete "$ID"
	nothing_left_of_unit
}

# bats test_tags=vm
@test "in the foreground, the scope is gone when run returns" {
	args grep ^0:: /proc/self/cgroup
	runtime --systemd-cgroup run --bundle "$BUNDLE" "$(new_id)"
	assert_success
	assert_output '0::/' # of the container's cgroup namespace
	nothing_left_of_unit
}

# bats test_tags=vm
@test "without a cgroupsPath the scope is named after the container" {
	config 'del(.linux.cgroupsPath)'
	ID=$(new_id)
	UNIT=runc-$ID.scope
	if ! real_systemd; then
		# Only real slices are made on the way; the one that is played has none.
		config '.linux.cgroupsPath = "-.slice:runc:" + $id' --arg id "$ID"
	fi
	args sleep 1000
	rt --systemd-cgroup run --detach --bundle "$BUNDLE" "$ID"
	[[ $(cgroup_of "$(container_pid "$ID")") == */$UNIT ]]
	rt delete --force "$ID"
	nothing_left_of_unit
}

# bats test_tags=vm,smoke
@test "limits are properties of the scope, and files of its cgroup" {
	needs_controller memory pids cpu cpuset
	resources '{memory: {limit: 67108864, reservation: 33554432}, pids: {limit: 50},
		cpu: {shares: 512, quota: 33333, period: 100000, cpus: "0"}, unified: {"memory.high": "50331648"}}'
	in_scope sleep 1000
	assert_equal "$(property MemoryMax) $(property MemoryLow) $(property MemoryHigh)" '67108864 33554432 50331648'
	assert_equal "$(property TasksMax) $(property CPUWeight)" '50 59'
	local directory=/sys/fs/cgroup/$UNIT
	assert_equal "$(cat "$directory"/{memory.max,memory.low,memory.high,pids.max,cpu.weight,cpuset.cpus} | tr '\n' ' ')" \
		'67108864 33554432 50331648 50 59 0 '
	# systemd knows hundredths of a processor: a third is rounded up, in the file too.
	assert_equal "$(<"$directory/cpu.max")" '34000 100000'
	if real_systemd; then
		assert_equal "$(property CPUQuotaPerSecUSec) $(property AllowedCPUs)" '340ms 0'
		systemctl daemon-reload
		assert_equal "$(cat "$directory"/{memory.max,pids.max,cpu.weight,cpu.max} | tr '\n' ' ')" '67108864 50 59 34000 100000 '
	fi
}

# bats test_tags=vm
@test "devices of the config stay usable when systemd reads its configuration again" {
	resources '{devices: [{allow: false, access: "rwm"}, {allow: true, type: "c", major: 10, minor: 229, access: "rw"}]}'
	in_scope sleep 1000
	assert_equal "$(property DevicePolicy)" strict
	[[ $(property DeviceAllow) == */dev/char/10:229* ]]
	real_systemd && systemctl daemon-reload
	run rt exec "$ID" sh -c 'echo >/dev/null && head -c1 /dev/zero | wc -c'
	assert_output 1
}

# bats test_tags=vm,smoke
@test "update changes the scope and its cgroup, and takes back what it could not" {
	needs_controller memory pids
	resources '{memory: {limit: 67108864}, pids: {limit: 50}}'
	in_scope sleep 1000
	rt update --memory 134217728 --pids-limit 60 "$ID"
	assert_equal "$(property MemoryMax) $(property TasksMax)" '134217728 60'
	assert_equal "$(cat "/sys/fs/cgroup/$UNIT"/{memory.max,pids.max} | tr '\n' ' ')" '134217728 60 '
	runtime update -r - "$ID" <<<'{"pids": {"limit": 70}, "unified": {"memory.min": "-5"}}'
	assert_failure
	runtime update -r - "$ID" <<<'{"pids": {"limit": 70}, "unified": {"memory.oom.group": "7"}}'
	assert_failure
	assert_equal "$(property TasksMax) $(<"/sys/fs/cgroup/$UNIT/pids.max")" '60 60'
}

# bats test_tags=vm
@test "annotations set properties of the scope" {
	config '.annotations = {
		"org.systemd.property.TimeoutStopSec": "uint64 7",
		"org.systemd.property.CollectMode": "\"inactive-or-failed\"",
		"org.systemd.property.TasksMax": "uint64 44"
	}'
	in_scope sleep 1000
	assert_equal "$(property CollectMode) $(property TasksMax)" 'inactive-or-failed 44'
	if real_systemd; then
		assert_equal "$(property TimeoutStopUSec)" 7s
	else
		assert_equal "$(property TimeoutStopUSec)" 7000000
	fi
}

@test "annotations that cannot be properties are refused before anything is made" {
	config '.annotations = {
		"org.systemd.property.X1": "true",
		"org.systemd.property.Ok": "true",
		"org.systemd.property.CollectMode": "no text",
		"org.systemd.property.TimeoutStopSec": "\"soon\"",
		"org.systemd.property.KillMode": "\"mixed\""
	}'
	runtime --systemd-cgroup create -b "$BUNDLE" "$(new_id)"
	assert_failure 1
	assert_all_contained 'annotations["org.systemd.property.X1"]' 'annotations["org.systemd.property.Ok"]' \
		'annotations["org.systemd.property.CollectMode"]' 'annotations["org.systemd.property.TimeoutStopSec"]' 'not a number of seconds'
	refute_contains KillMode
	nothing_left_of_unit
}

# bats test_tags=vm
@test "a property that systemd does not have fails the start, and leaves nothing" {
	real_systemd || skip "the systemd that is played takes every property"
	config '.annotations = {"org.systemd.property.NoSuchThing": "true"}'
	runtime --systemd-cgroup run -b "$BUNDLE" "$(new_id)"
	assert_failure 1
	assert_all_contained 'linux.cgroupsPath' "start $UNIT" NoSuchThing
	nothing_left_of_unit
}

@test "other commands find the scope without being told of systemd" {
	in_scope sh -c 'sleep 1000 & exec sleep 1000'
	rt pause "$ID"
	assert_equal "$(container_status "$ID")" paused
	rt resume "$ID"
	rt kill --all "$ID" KILL
	wait_for_status "$ID" stopped
	rt delete "$ID"
	nothing_left_of_unit
}

# bats test_tags=vm
@test "a second program is in the same scope" {
	in_scope sleep 1000
	rt exec --detach --pid-file "$WORK/pid" "$ID" sleep 1000
	assert_equal "$(cgroup_of "$(<"$WORK/pid")")" "/$UNIT"
}

# bats test_tags=vm
@test "delete --force ends a scope with processes in cgroups below" {
	config '.mounts |= map(if .destination == "/sys/fs/cgroup" then .options -= ["ro"] else . end)'
	in_scope sh -c 'mkdir -p /sys/fs/cgroup/a/b && sleep 1000 & sleep 1; echo $! >/sys/fs/cgroup/a/b/cgroup.procs; touch /dev/shm/ready; wait'
	wait_until 10 rt exec "$ID" test -e /dev/shm/ready
	rt delete --force "$ID"
	nothing_left_of_unit
}

@test "a sub-cgroup that an annotation names is the container's cgroup" {
	config '.annotations = {"run.oci.systemd.subgroup": "container"}'
	in_scope sleep 1000
	assert_equal "$(cgroup_of "$(container_pid "$ID")")" "/$UNIT/container"
	rt exec --detach --pid-file "$WORK/pid" "$ID" sleep 1000
	assert_equal "$(cgroup_of "$(<"$WORK/pid")")" "/$UNIT/container"
	run rt exec "$ID" grep ^0:: /proc/self/cgroup
	assert_output '0::/'
	rt delete --force "$ID"
	nothing_left_of_unit
}

# bats test_tags=vm
@test "a delegated cgroup is below the container's, whose namespace it is in" {
	config '.annotations = {"run.oci.systemd.subgroup": "container", "run.oci.delegate-cgroup": "payload"}'
	in_scope sleep 1000
	assert_equal "$(cgroup_of "$(container_pid "$ID")")" "/$UNIT/container/payload"
	run rt exec "$ID" grep ^0:: /proc/1/cgroup
	assert_output '0::/payload'
}

# bats test_tags=vm
@test "a delegated cgroup has the controllers, and no limit of its own" {
	needs_controller memory pids
	resources '{pids: {limit: 50}}'
	config '.annotations = {"run.oci.systemd.subgroup": "container", "run.oci.delegate-cgroup": "payload"}'
	in_scope sleep 1000
	assert_equal "$(cat "/sys/fs/cgroup/$UNIT"/{container/,container/payload/}pids.max | tr '\n' ' ')" '50 max '
}

@test "names of sub-cgroups that lead elsewhere are refused" {
	local name
	for name in .. ../x a/../../b /; do
		config '.annotations = {"run.oci.systemd.subgroup": $name}' --arg name "$name"
		runtime --systemd-cgroup run -b "$BUNDLE" "$(new_id)"
		assert_failure 1
		assert_contains 'annotations["run.oci.systemd.subgroup"]'
		config '.annotations = {"run.oci.delegate-cgroup": $name}' --arg name "$name"
		runtime --systemd-cgroup run -b "$BUNDLE" "$(new_id)"
		assert_failure 1
		assert_contains 'annotations["run.oci.delegate-cgroup"]'
	done
	nothing_left_of_unit
}

@test "where cgroupsPath names a slice, that is the container's unit" {
	real_systemd || skip "the systemd that is played knows where scopes are, and no slices"
	UNIT=${TOKEN//-/_}.slice # a dash would mean one more slice above
	config '.linux.cgroupsPath = "system.slice::" + $unit' --arg unit "$UNIT"
	in_scope sleep 1000
	assert_equal "$(cgroup_of "$(container_pid "$ID")")" "/$UNIT"
	assert_equal "$(property ActiveState) $(property MemoryAccounting)" 'active yes'
	rt delete --force "$ID"
	[[ ! -e /sys/fs/cgroup/$UNIT && $(property ActiveState) == inactive ]]
}

# bats test_tags=vm
@test "a failed scope of the same name is no obstacle" {
	if real_systemd; then
		systemd-run --quiet --scope --unit "$UNIT" -p CollectMode=inactive -p RuntimeMaxSec=1 sleep 1000 || true
		assert_equal "$(systemctl is-failed "$UNIT")" failed
	else
		mood leftover
	fi
	in_scope sleep 1000
	assert_equal "$(cgroup_of "$(container_pid "$ID")")" "/$UNIT"
}

@test "a start that systemd fails says so, and leaves nothing" {
	real_systemd && skip "systemd has no reason to"
	mood refusing
	runtime --systemd-cgroup run -b "$BUNDLE" "$(new_id)"
	assert_failure 1
	assert_all_contained "$UNIT" 'ended with "failed"'
	nothing_left_of_unit
}

# bats test_tags=vm
@test "delete has systemd forget a scope that failed" {
	needs_controller memory
	real_systemd || skip "only the kernel makes a scope fail, by its memory"
	resources '{memory: {limit: 8388608, swap: 8388608}}'
	in_scope sh -c 'tail -c 100m /dev/zero'
	wait_for_status "$ID" stopped 30
	if (($(systemctl --version | sed -n 's/^systemd \([0-9]*\).*/\1/p') >= 253)); then # those before do not look
		assert_equal "$(property Result)" oom-kill
	fi
	rt delete "$ID"
	nothing_left_of_unit
}

@test "create that dies while systemd starts the scope leaves nothing that delete does not find" {
	real_systemd && skip "systemd cannot be held up"
	mood mute
	ID=$(new_id)
	rt_background --systemd-cgroup create --bundle "$BUNDLE" "$ID"
	wait_until 10 grep -q StartTransientUnit "$CALLS"
	wait_until 10 test -e "/sys/fs/cgroup/$UNIT"
	kill -KILL "$RT_PID"
	mood
	rt delete --force "$ID"
	nothing_left_of_unit
}

@test "systemd is not waited for for longer than half a minute" {
	real_systemd && skip "systemd cannot be held up"
	mood mute
	runtime --systemd-cgroup create -b "$BUNDLE" "$(new_id)"
	assert_failure 1
	assert_all_contained "have systemd start $UNIT" 'systemd did not answer within 30s'
	mood
	nothing_left_of_unit
}

@test "a scope whose cgroup is not where it should be is an error, and nothing is left" {
	real_systemd && skip "systemd puts it where it should be"
	mood elsewhere
	runtime --systemd-cgroup run -b "$BUNDLE" "$(new_id)"
	assert_failure 1
	assert_all_contained 'systemd has put the container into cgroup' "$UNIT.elsewhere"
	mood
	nothing_left_of_unit
}

# bats test_tags=vm
@test "a user's own systemd has the scope of a user's container, and of what is executed there" {
	if real_systemd; then
		loginctl enable-linger root
		export XDG_RUNTIME_DIR=/run/user/0
		unset DBUS_SESSION_BUS_ADDRESS
		wait_until 60 test -S /run/user/0/bus
		config '.linux.cgroupsPath = "::" + $unit' --arg unit "${UNIT%.scope}"
	else
		export DBUS_SESSION_BUS_ADDRESS=$DBUS_SYSTEM_BUS_ADDRESS
		unset DBUS_SYSTEM_BUS_ADDRESS
	fi
	args sleep 1000
	ID=$(new_id)
	rt --rootless true --systemd-cgroup run --detach --bundle "$BUNDLE" "$ID"
	local cgroup
	cgroup=$(cgroup_of "$(container_pid "$ID")")
	if real_systemd; then
		assert_equal "$cgroup" "/user.slice/user-0.slice/user@0.service/user.slice/$UNIT"
		assert_equal "$(systemctl --user show --value -p ActiveState "$UNIT")" active
	else
		assert_equal "$cgroup" "/$UNIT"
	fi
	rt exec --detach --pid-file "$WORK/pid" "$ID" sleep 1000
	assert_equal "$(cgroup_of "$(<"$WORK/pid")")" "$cgroup"
	rt delete --force "$ID"
	[[ ! -e /sys/fs/cgroup$cgroup ]]
	if real_systemd; then
		assert_equal "$(systemctl --user show --value -p LoadState "$UNIT")" not-found
	else
		assert_equal "$(jq -rs 'map(select(.method == "AttachProcessesToUnit").unit) | join(" ")' "$CALLS")" "$UNIT"
	fi
}

# without_bus COMMAND... has no message bus run meanwhile. What lives on it may start it again.
without_bus() {
	systemctl mask --runtime --quiet dbus.socket dbus.service
	systemctl stop --quiet dbus.socket dbus.service
	"$@"
	local status=$?
	systemctl unmask --runtime --quiet dbus.socket dbus.service
	systemctl start dbus.socket
	return "$status"
}

# bats test_tags=vm
@test "a scope is asked for even where no bus runs" {
	real_systemd || skip "the systemd that is played has nothing but a bus"
	without_bus life_of_a_scope
	nothing_left_of_unit
}

life_of_a_scope() {
	in_scope sleep 1000 &&
		assert_equal "$(cgroup_of "$(container_pid "$ID")")" "/$UNIT" &&
		rt delete --force "$ID"
}

# bats test_tags=vm
@test "a scope is asked for also while a bus runs that systemd has not joined yet" {
	real_systemd || skip "the systemd that is played has nothing but a bus"
	needs dbus-daemon
	without_bus on_a_bus_without_systemd life_of_a_scope
	nothing_left_of_unit
}

# on_a_bus_without_systemd COMMAND... has a bus run in the place of the host's.
on_a_bus_without_systemd() {
	rm -f /run/dbus/system_bus_socket
	start_bus /run/dbus/system_bus_socket || return
	"$@"
	local status=$?
	stop_systemd
	rm -f /run/dbus/system_bus_socket
	return "$status"
}

@test "a bus without systemd is told as that" {
	needs dbus-daemon
	start_bus "$WORK/lonely"
	DBUS_SYSTEM_BUS_ADDRESS=unix:path=$WORK/lonely runtime --systemd-cgroup create -b "$BUNDLE" "$(new_id)"
	assert_failure 1
	assert_all_contained '--systemd-cgroup: systemd cannot be reached' "$WORK/lonely" 'it is not on the bus'
	nothing_left_of_unit
}

@test "rt plan shows what systemd is asked for" {
	config '.annotations = {"org.systemd.property.CollectMode": "\"inactive-or-failed\""}'
	run rt --systemd-cgroup plan --no-calls "$BUNDLE"
	assert_success
	assert_contains "have systemd start $UNIT in -.slice with CollectMode=inactive-or-failed"
	run rt --systemd-cgroup plan --format json "$BUNDLE"
	assert_equal "$(jq -r '.steps[].action | select(.type == "StartUnit").data.properties[] | select(.name == "Delegate") | .type + " " + .value' <<<"$output")" 'b true'
	nothing_left_of_unit
}

@test "names that are none of systemd's are refused" {
	local path
	for path in /a/b a:b a:b:c:d 'a/b.slice:rt:box' 'a--b.slice:rt:box' 'system.slice:rt:bo x' 'system.slice:rt:'; do
		config '.linux.cgroupsPath = $path' --arg path "$path"
		runtime --systemd-cgroup create -b "$BUNDLE" "$(new_id)"
		assert_failure 1
		assert_contains linux.cgroupsPath
	done
	nothing_left_of_unit
}
