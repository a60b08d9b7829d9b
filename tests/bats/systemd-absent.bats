#!/usr/bin/env bats
# --systemd-cgroup where there is no systemd: refused at once, with the reason.

setup() {
	load helpers
	load inside
	setup_bundle
	unset DBUS_SYSTEM_BUS_ADDRESS DBUS_SESSION_BUS_ADDRESS XDG_RUNTIME_DIR
	config '.linux.cgroupsPath = "system.slice:rt:" + $name' --arg name "$TOKEN"
}

teardown() {
	teardown_all
}

@test "a host that systemd does not run is told so" {
	[[ -d /run/systemd/system ]] && skip "systemd runs here"
	local verb
	for verb in create run plan; do
		if [[ $verb == plan ]]; then
			runtime --systemd-cgroup plan "$BUNDLE"
		else
			runtime --systemd-cgroup "$verb" -b "$BUNDLE" "$(new_id)"
		fi
		assert_failure 1
		assert_all_contained '--systemd-cgroup' 'does not run on this host' /run/systemd/system
	done
	nothing_made
}

@test "--cgroup-manager systemd is the same" {
	[[ -d /run/systemd/system ]] && skip "systemd runs here"
	runtime --cgroup-manager systemd create -b "$BUNDLE" "$(new_id)"
	assert_failure 1
	assert_contains 'does not run on this host'
	nothing_made
}

@test "a bus that is not there is named" {
	export DBUS_SYSTEM_BUS_ADDRESS=unix:path=$WORK/no-bus
	runtime --systemd-cgroup create -b "$BUNDLE" "$(new_id)"
	assert_failure 1
	assert_all_contained '--systemd-cgroup: systemd cannot be reached' "$WORK/no-bus" 'no such file or directory'
	nothing_made
}

@test "a user's systemd is looked for at the user's bus" {
	runtime --rootless true --systemd-cgroup create -b "$BUNDLE" "$(new_id)"
	assert_failure 1
	assert_all_contained '--systemd-cgroup' "/run/user/$(id -u)/bus" DBUS_SESSION_BUS_ADDRESS
	mkdir "$WORK/user"
	XDG_RUNTIME_DIR=$WORK/user runtime --rootless true --systemd-cgroup create -b "$BUNDLE" "$(new_id)"
	assert_contains "$WORK/user/bus"
	DBUS_SESSION_BUS_ADDRESS=unix:path=$WORK/mine runtime --rootless true --systemd-cgroup create -b "$BUNDLE" "$(new_id)"
	assert_contains "$WORK/mine"
	nothing_made
}

@test "a bad config is complained about before systemd is looked for" {
	config '.process.args = []'
	runtime --systemd-cgroup create -b "$BUNDLE" "$(new_id)"
	assert_failure 1
	assert_contains process.args
}
