#!/usr/bin/env bats
# linux.resources.devices: what may be done with which devices, by the lists of cgroup v1 or the
# program of cgroup v2.

setup() {
	load helpers
	load inside
	load cgroups
	setup_bundle
	config '.process.capabilities[] += ["CAP_MKNOD"]'
}

teardown() {
	teardown_all
}

# rules OBJECT... sets linux.resources.devices.
rules() {
	local IFS=,
	config ".linux.resources.devices = [$*]"
}

# Making a node is always allowed, so the question is asked of a device by opening it. The kernel says
# "not permitted" before it looks whether there is such a device: the numbers may be anybody's.
PROBE='
	probe() {
		mknod /dev/probe "$1" "$2" "$3" || return
		case $4 in
		r) (: 3</dev/probe) ;;
		w) (: 3>/dev/probe) ;;
		rw) (: 3<>/dev/probe) ;;
		esac 2>&1 | grep -q "not permitted" && echo "$1 $2:$3 $4 denied" || echo "$1 $2:$3 $4 allowed"
		rm /dev/probe
	}
'

# probe TYPE MAJOR MINOR ACCESS RESULT... asks in one new container, and compares the answers.
probe() {
	local script=$PROBE wanted=''
	while (($#)); do
		script+="probe $1 $2 $3 $4"$'\n'
		wanted+="$1 $2:$3 $4 $5"$'\n'
		shift 5
	done
	inside "$script"
	assert_success
	assert_output "${wanted%$'\n'}"
}

EVERYTHING='{allow: true, access: "rwm"}'
NOTHING='{allow: false, access: "rwm"}'

@test "without rules, the default devices are allowed and no others" {
	local resources
	for resources in 'del(.linux.resources)' '.linux.resources = {}' '.linux.resources.devices = []' ".linux.resources.devices = [$NOTHING]"; do
		config "$resources"
		probe c 1 3 rw allowed c 1 5 rw allowed c 1 7 rw allowed c 1 8 rw allowed c 1 9 rw allowed \
			c 136 5 rw allowed c 5 2 rw allowed c 10 200 rw allowed \
			c 1 1 r denied c 1 11 w denied c 240 7 r denied c 240 7 w denied b 7 0 r denied b 240 7 rw denied
	done
}

@test "a list that does not begin with denying everything allows no more than it says" {
	rules '{allow: true, type: "c", major: 240, minor: 7, access: "rw"}'
	probe c 240 7 rw allowed c 240 8 r denied c 241 7 r denied b 240 7 r denied c 1 1 r denied c 1 3 rw allowed
}

@test "everything is allowed where the list says so" {
	rules "$NOTHING" "$EVERYTHING"
	probe c 240 7 rw allowed b 240 7 rw allowed c 1 11 w allowed
}

@test "the last word counts" {
	rules "$EVERYTHING" "$NOTHING"
	probe c 240 7 r denied b 240 7 w denied c 1 3 rw allowed
	rules '{allow: true, type: "c", major: 240, minor: 7, access: "rw"}' '{allow: false, type: "c", major: 240, minor: 7, access: "w"}'
	probe c 240 7 r allowed c 240 7 w denied c 240 7 rw denied
	rules '{allow: true, type: "c", major: 240, minor: 7, access: "rw"}' '{allow: false, type: "c", access: "w"}'
	probe c 240 7 r allowed c 240 7 w denied c 1 3 rw allowed
}

@test "everything but some devices" {
	rules "$EVERYTHING" '{allow: false, type: "c", major: 240, minor: 7, access: "rw"}' '{allow: false, type: "b", access: "w"}'
	probe c 240 7 r denied c 240 7 w denied c 240 8 rw allowed b 240 7 r allowed b 240 7 w denied b 7 0 rw denied
}

@test "reading and writing are told apart" {
	rules '{allow: true, type: "c", major: 240, minor: 7, access: "r"}' '{allow: true, type: "b", major: 240, minor: 7, access: "w"}'
	probe c 240 7 r allowed c 240 7 w denied c 240 7 rw denied b 240 7 r denied b 240 7 w allowed b 240 7 rw denied
}

@test "what two rules allow counts together" {
	rules '{allow: true, type: "c", major: 240, minor: 7, access: "r"}' '{allow: true, type: "c", major: 240, minor: 7, access: "w"}'
	probe c 240 7 rw allowed
}

@test "a missing number, and -1, stand for all" {
	rules '{allow: true, type: "c", major: 240, access: "rw"}' '{allow: true, type: "b", major: -1, minor: 9, access: "rw"}'
	probe c 240 7 rw allowed c 240 255 rw allowed c 241 7 r denied b 240 9 rw allowed b 241 9 rw allowed b 240 8 r denied
}

# cgroup v1 looks at nothing behind the letter "a", which a missing type stands for.
@test "a rule for both kinds of device allows no more than its numbers" {
	local type
	for type in '' 'type: "a",'; do
		rules "{allow: true, $type major: 240, minor: 7, access: \"r\"}"
		probe c 240 7 r allowed b 240 7 r allowed c 240 7 w denied c 240 8 r denied b 240 8 r denied
	done
}

@test "an exception from all devices of a number is made, or refused" {
	rules '{allow: true, type: "c", major: 240, access: "rw"}' '{allow: false, type: "c", major: 240, minor: 7, access: "rw"}'
	if unified; then
		probe c 240 7 r denied c 240 8 rw allowed
	else
		fails linux.resources 'devices: the lists of cgroup v1 cannot say that "deny c 240:7 rw" makes an exception from "allow c 240:* rw"'
	fi
}

@test "the default devices cannot be taken away" {
	rules '{allow: false, type: "c", major: 1, minor: 3, access: "rwm"}' "$NOTHING"
	probe c 1 3 rw allowed
}

@test "a terminal works, whatever the list says" {
	rules "$NOTHING"
	config '.process.terminal = true'
	args sh -c 'tty; echo from the terminal >/dev/tty'
	run "$PEER" terminal "$RT" --root "$ROOT" run --bundle "$BUNDLE" "$(new_id)" <<<'expect from the terminal'
	assert_success
}

# bats test_tags=vm,systemd
@test "a change of limits leaves the rules as they are" {
	if controller pids; then
		printf '{"pids": {"limit": 50}}' >"$WORK/change"
	else
		printf '{"unified": {"cgroup.max.depth": "5"}}' >"$WORK/change"
	fi
	rules '{allow: true, type: "c", major: 240, minor: 7, access: "rw"}'
	run_detached sh -c "$PROBE"'while :; do echo "$(probe c 240 7 rw), $(probe c 1 11 w)"; done'
	wait_until 5 grep -q 'denied' "$WORK/out"
	rt update --resources "$WORK/change" "$ID"
	: >"$WORK/out"
	wait_until 5 grep -q 'denied' "$WORK/out"
	rt update --resources "$WORK/change" "$ID"
	sleep 0.2
	run sort -u "$WORK/out"
	assert_contains 'c 240:7 rw allowed, c 1:11 w denied'
	refute_contains 'c 240:7 rw denied'
	refute_contains 'c 1:11 w allowed'
}

@test "the rules hold for what is in cgroups below the container's, too" {
	unified || skip "this is cgroup v1"
	config '.mounts |= map(if .destination == "/sys/fs/cgroup" then .options -= ["ro"] else . end)'
	inside "$PROBE"'mkdir /sys/fs/cgroup/below && echo $$ >/sys/fs/cgroup/below/cgroup.procs && probe c 1 11 w'
	assert_success
	assert_output 'c 1:11 w denied'
}

@test "a rule of an unknown type, or without access, is refused" {
	rules '{allow: true, type: "u", access: "r"}' '{allow: true, type: "c", access: ""}' '{allow: true, type: "c", access: "rx"}'
	refused 'linux.resources.devices[0].type' 'linux.resources.devices[1].access' 'linux.resources.devices[2].access'
}
