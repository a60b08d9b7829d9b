#!/usr/bin/env bats
# process.capabilities: the five sets, as /proc/self/status of the program shows them.

setup() {
	load helpers
	load inside
	setup_bundle
}

teardown() {
	teardown_all
}

# capabilities OBJECT replaces process.capabilities with a jq object; `null` removes it.
capabilities() {
	config ".process.capabilities = $1"
	config 'if .process.capabilities == null then del(.process.capabilities) else . end'
}

# mask NUMBER... prints a set of capabilities, by number, as /proc does.
mask() {
	local number value=0
	for number; do
		value=$((value | 1 << number))
	done
	printf '%016x' "$value"
}

# Of linux/capability.h.
CHOWN=0 KILL=5 NET_BIND_SERVICE=10 AUDIT_WRITE=29

# sets_are INHERITABLE PERMITTED EFFECTIVE BOUNDING AMBIENT runs the container and compares.
sets_are() {
	args grep ^Cap /proc/self/status
	run_container
	assert_success
	assert_output $'CapInh:\t'"$1"$'\nCapPrm:\t'"$2"$'\nCapEff:\t'"$3"$'\nCapBnd:\t'"$4"$'\nCapAmb:\t'"$5"
}

NONE=0000000000000000

@test "root: bounding, permitted and effective as listed, inheritable and ambient empty" {
	local three
	three=$(mask $AUDIT_WRITE $KILL $NET_BIND_SERVICE)
	sets_are $NONE "$three" "$three" "$three" $NONE
}

@test "root without capabilities in the config keeps all of the caller's" {
	skip_in userns 'root of a user namespace has all there, whatever the caller has'
	capabilities null
	local own
	own=$(sed -n 's/^CapBnd:\t//p' /proc/self/status)
	sets_are $NONE "$own" "$own" "$own" $NONE
}

@test "an empty object leaves none" {
	capabilities '{}'
	sets_are $NONE $NONE $NONE $NONE $NONE
}

@test "empty lists leave none" {
	capabilities '{bounding: [], permitted: [], effective: [], inheritable: [], ambient: []}'
	sets_are $NONE $NONE $NONE $NONE $NONE
}

# Without capabilities in the inheritable and ambient sets execve gives a user none, see capabilities(7).
@test "a user: only the bounding set survives the start of the program" {
	config '.process.user = {uid: 1000, gid: 1000}'
	sets_are $NONE $NONE $NONE "$(mask $AUDIT_WRITE $KILL $NET_BIND_SERVICE)" $NONE
}

@test "a user: all five sets as listed" {
	config '.process.user = {uid: 1000, gid: 1000}'
	capabilities '["CAP_CHOWN", "CAP_KILL"] as $two | {bounding: ($two + ["CAP_AUDIT_WRITE"]), permitted: $two, effective: $two, inheritable: $two, ambient: ["CAP_KILL"]}'
	sets_are "$(mask $CHOWN $KILL)" "$(mask $KILL)" "$(mask $KILL)" "$(mask $CHOWN $KILL $AUDIT_WRITE)" "$(mask $KILL)"
}

@test "inheritable alone" {
	capabilities '["CAP_CHOWN", "CAP_KILL"] as $two | {bounding: $two, permitted: $two, effective: $two, inheritable: ["CAP_CHOWN"]}'
	sets_are "$(mask $CHOWN)" "$(mask $CHOWN $KILL)" "$(mask $CHOWN $KILL)" "$(mask $CHOWN $KILL)" $NONE
}

@test "the bounding set limits what root's program gets" {
	capabilities '{bounding: ["CAP_CHOWN"], permitted: ["CAP_CHOWN"], effective: ["CAP_CHOWN"]}'
	sets_are $NONE "$(mask $CHOWN)" "$(mask $CHOWN)" "$(mask $CHOWN)" $NONE
}

@test "the caller's inheritable and ambient sets do not reach the program" {
	args grep ^Cap /proc/self/status
	run_container_by setpriv --inh-caps +dac_override,+kill --ambient-caps +kill
	assert_success
	assert_contains $'CapInh:\t'$NONE
	assert_contains $'CapAmb:\t'$NONE
}

@test "a capability works" {
	config 'del(.root.readonly)'
	echo content >"$BUNDLE/rootfs/etc/file"
	chmod 600 "$BUNDLE/rootfs/etc/file"
	chown "$(host_id 1000):$(host_id 0)" "$BUNDLE/rootfs/etc/file"
	capabilities '["CAP_DAC_OVERRIDE"] as $one | {bounding: $one, permitted: $one, effective: $one}'
	inside 'cat /etc/file; chown 0 /etc/file'
	assert_failure
	assert_line content
	assert_contains 'Operation not permitted'
}

@test "a capability that the caller does not have is left out, with a warning, and the container runs" {
	skip_in userns 'root of a user namespace has all there, whatever the caller has'
	capabilities '["CAP_KILL", "CAP_SYS_RESOURCE"] as $two | {bounding: $two, permitted: $two, effective: $two}'
	args grep -E '^Cap(Prm|Eff|Bnd)' /proc/self/status
	run_container_by setpriv --inh-caps -sys_resource --bounding-set -sys_resource
	assert_success
	assert_contains CAP_SYS_RESOURCE
	assert_contains $'CapPrm:\t'"$(mask $KILL)"
	assert_contains $'CapEff:\t'"$(mask $KILL)"
	assert_contains $'CapBnd:\t'"$(mask $KILL)"
}

@test "an ambient capability that is not inheritable is left out, with a warning in the log, and the container runs" {
	capabilities '["CAP_KILL"] as $one | {bounding: $one, permitted: $one, effective: $one, ambient: ["CAP_KILL"]}'
	args grep ^CapAmb /proc/self/status
	runtime --log "$WORK/log" run -b "$BUNDLE" "$(new_id)"
	assert_success
	assert_output $'CapAmb:\t'$NONE
	grep -q "can't raise ambient capability CAP_KILL" "$WORK/log"
}

@test "a name that is no capability is refused, also for exec" {
	capabilities '["CAP_KILL", "CAP_NO_SUCH"] as $two | {bounding: $two, permitted: $two, effective: $two}'
	refused 'process.capabilities.bounding[1]: unknown capability "CAP_NO_SUCH"'

	capabilities '["CAP_KILL"] as $one | {bounding: $one, permitted: $one, effective: $one}'
	args sleep 1000
	local id
	id=$(new_id)
	rt run --detach -b "$BUNDLE" "$id"
	jq '.process | .args = ["true"] | .capabilities.permitted += ["CAP_NO_SUCH"]' "$BUNDLE/config.json" >"$WORK/process.json"
	runtime exec --process "$WORK/process.json" "$id"
	assert_failure 255
	assert_contains 'process.capabilities.permitted[1]: unknown capability "CAP_NO_SUCH"'
}
