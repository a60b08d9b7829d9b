#!/usr/bin/env bats
# AppArmor profiles and SELinux labels. Where the kernel has the module, what it says about the
# program; where it has not, that nothing runs without the confinement that was asked for.

setup() {
	load helpers
	load inside
	setup_bundle
}

teardown() {
	teardown_all
}

apparmor() {
	[[ $(cat /sys/module/apparmor/parameters/enabled 2>/dev/null) == Y ]]
}

selinux() {
	[[ $(stat -f -c %t /sys/fs/selinux 2>/dev/null) == f97cff8c ]]
}

# line PATTERN prints the number of the first line of config.json that matches.
line() {
	grep -n -m1 -- "$1" "$BUNDLE/config.json" | cut -d : -f 1
}

# exec_refused FIELD [FLAG...] executes a program in a running container, which must be refused.
exec_refused() {
	local field=$1
	shift
	runtime exec "$@" "$ID" true
	assert_failure 255
	assert_contains "$field"
}

started() {
	args sleep 1000
	ID=$(new_id)
	rt run --detach -b "$BUNDLE" "$ID"
}

@test "without AppArmor a profile is refused, by field and line" {
	apparmor && skip "the kernel has AppArmor"
	config '.process.apparmorProfile = "box-default"'
	refused "config.json:$(line box-default): process.apparmorProfile" box-default "AppArmor is not enabled"
}

@test "without AppArmor exec refuses a profile, from the flag and from the process file" {
	apparmor && skip "the kernel has AppArmor"
	started
	exec_refused process.apparmorProfile --apparmor box-default
	jq '.process | .args = ["true"] | .apparmorProfile = "box-default"' "$BUNDLE/config.json" >"$WORK/process.json"
	exec_refused process.apparmorProfile --process "$WORK/process.json"
}

@test "without SELinux labels are refused, by field and line" {
	selinux && skip "the kernel has SELinux"
	config '.process.selinuxLabel = "system_u:system_r:container_t:s0"'
	refused "config.json:$(line container_t): process.selinuxLabel" "SELinux is not enabled"
	config 'del(.process.selinuxLabel) | .linux.mountLabel = "system_u:object_r:container_file_t:s0"'
	refused "config.json:$(line container_file_t): linux.mountLabel" "SELinux is not enabled"
}

@test "without SELinux exec refuses a label, from the flag and from the process file" {
	selinux && skip "the kernel has SELinux"
	started
	exec_refused process.selinuxLabel --process-label system_u:system_r:container_t:s0
	jq '.process | .args = ["true"] | .selinuxLabel = "system_u:system_r:container_t:s0"' "$BUNDLE/config.json" >"$WORK/process.json"
	exec_refused process.selinuxLabel --process "$WORK/process.json"
}

@test "the plan shows the labels on any kernel" {
	config '.process.apparmorProfile = "box-default" | .process.selinuxLabel = "system_u:system_r:container_t:s0" | .linux.mountLabel = "system_u:object_r:container_file_t:s0"'
	runtime plan "$BUNDLE"
	assert_success
	assert_all_contained '"self/attr/apparmor/exec"' '"exec box-default"' '"self/attr/keycreate"' '"context", "system_u:object_r:container_file_t:s0"'
}

@test "the program has the AppArmor profile, that of exec too" {
	apparmor || skip "the kernel has no AppArmor"
	needs apparmor_parser
	printf 'profile %s flags=(attach_disconnected) { file, capability, network, mount, signal, }\n' "$TOKEN" "$TOKEN-2" >"$WORK/profiles"
	apparmor_parser -r "$WORK/profiles"
	config '.process.apparmorProfile = $profile' --arg profile "$TOKEN"
	started
	assert_equal "$(tr -d '\0' <"/proc/$(container_pid "$ID")/attr/current")" "$TOKEN (enforce)"
	runtime exec "$ID" cat /proc/self/attr/current
	assert_contains "$TOKEN (enforce)"
	runtime exec --apparmor "$TOKEN-2" "$ID" cat /proc/self/attr/current
	assert_contains "$TOKEN-2 (enforce)"
	apparmor_parser -R "$WORK/profiles"
}

@test "a profile that is not loaded is told by its field" {
	apparmor || skip "the kernel has no AppArmor"
	config '.process.apparmorProfile = $profile' --arg profile "$TOKEN"
	fails process.apparmorProfile "no profile $TOKEN loaded"
}

@test "the program has the SELinux label, and its files have the mount label" {
	selinux || skip "the kernel has no SELinux"
	config '.process.selinuxLabel = "system_u:system_r:container_t:s0:c4,c5" | .linux.mountLabel = "system_u:object_r:container_file_t:s0:c4,c5"'
	started
	assert_equal "$(tr -d '\0' <"/proc/$(container_pid "$ID")/attr/current")" system_u:system_r:container_t:s0:c4,c5
	runtime exec "$ID" ls -Zd /dev/shm
	assert_contains system_u:object_r:container_file_t:s0:c4,c5
}
