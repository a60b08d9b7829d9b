#!/usr/bin/env bats
# hostname and domainname.

setup() {
	load helpers
	load inside
	setup_bundle
}

teardown() {
	teardown_all
}

names='hostname; cat /proc/sys/kernel/domainname'

@test "both are set in the container and not on the host" {
	before=$(uname -n)/$(cat /proc/sys/kernel/domainname)
	config '.hostname = "web" | .domainname = "example.org"'
	inside "$names"
	assert_success
	assert_output $'web\nexample.org'
	assert_equal "$(uname -n)/$(cat /proc/sys/kernel/domainname)" "$before"
}

@test "without them a new namespace starts with the host's" {
	config 'del(.hostname)'
	inside "$names"
	assert_success
	assert_output "$(uname -n)"$'\n'"$(cat /proc/sys/kernel/domainname)"
}

@test "the longest name that the kernel takes" {
	local name
	name=$(printf '%064d' 0)
	config '.hostname = $name | .domainname = $name' --arg name "$name"
	inside "$names"
	assert_success
	assert_output "$name"$'\n'"$name"
}

@test "a longer name is an error that names the field" {
	config '.hostname = "x" * 65'
	runtime create -b "$BUNDLE" "$(new_id)"
	assert_failure 1
	assert_contains hostname
	nothing_made
}

@test "without a uts namespace both are refused" {
	config 'del(.linux.namespaces[] | select(.type == "uts")) | .domainname = "example.org"'
	refused hostname domainname uts
}

@test "a joined uts namespace gets the name" {
	skip_in userns 'a uts namespace of the host is not for the container to name'
	unshare --uts sleep 600 3>&- &
	holder=$!
	wait_until 5 holds_uts
	config '(.linux.namespaces[] | select(.type == "uts").path) = $path' --arg path "/proc/$holder/ns/uts"
	inside hostname
	held=$(nsenter --uts --target "$holder" uname -n)
	kill -KILL "$holder"
	assert_success
	assert_output container
	assert_equal "$held" container
}

holds_uts() {
	[[ $(readlink "/proc/$holder/ns/uts") != "$(readlink /proc/self/ns/uts)" ]]
}
