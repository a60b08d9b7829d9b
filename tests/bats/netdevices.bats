#!/usr/bin/env bats
# linux.netDevices: devices that move into the container. Each test is a host of its own: a network
# namespace in which rt itself runs, so that nothing happens to the devices of the real one.

setup() {
	load helpers
	load inside
	needs ip unshare
	setup_bundle
	unshare --net ip link add rtprobe0 type veth peer name rtprobe1 2>/dev/null || skip "the kernel has no veth devices"
	config '.process.capabilities.bounding += ["CAP_NET_ADMIN"] | .process.capabilities.permitted += ["CAP_NET_ADMIN"] | .process.capabilities.effective += ["CAP_NET_ADMIN"]'
}

teardown() {
	teardown_all
}

# on_a_host SCRIPT [ARGUMENT...] runs a bash script in a network namespace that has the devices wire0
# and wire1, the two ends of one cable, both up.
on_a_host() {
	local script=$1
	shift
	export RT ROOT BUNDLE WORK
	run unshare --net bash -eu -o pipefail -c "
		ip link set lo up
		ip link add wire0 mtu 1400 address 02:00:00:00:00:07 type veth peer name wire1
		ip link set wire0 up; ip link set wire1 up
		$script" bash "$@"
}

# run_there is the script that runs the container on such a host.
run_there='"$RT" --root "$ROOT" run -b "$BUNDLE" "$1"'

# devices FILTER sets linux.netDevices.
devices() {
	config ".linux.netDevices = $1"
}

@test "a device moves with its MTU, hardware address and permanent global addresses, and is up" {
	devices '{wire0: {}}'
	args ip address show dev wire0
	on_a_host '
		ip address add 192.0.2.7/24 broadcast 192.0.2.255 dev wire0 label wire0:x
		ip address add 198.51.100.9/32 dev wire0
		ip address add 2001:db8::7/64 dev wire0 nodad
		ip address add 169.254.3.4/16 scope link dev wire0
		ip address add 2001:db8::8/64 dev wire0 nodad valid_lft 1000 preferred_lft 1000
		'"$run_there"'; ip link show wire0 2>&1 || true' "$(new_id)"
	assert_success
	assert_all_contained "mtu 1400" ,UP 02:00:00:00:00:07 \
		"inet 192.0.2.7/24 brd 192.0.2.255 scope global" "inet 198.51.100.9/32 scope global" "inet6 2001:db8::7/64 scope global"
	refute_contains 169.254.3.4
	refute_contains 2001:db8::8/64
	assert_contains 'Device "wire0" does not exist'
}

@test "it can talk through the device" {
	devices '{wire0: {name: "eth0"}}'
	args ping -c 1 -W 5 192.0.2.1
	config '.process.capabilities |= map_values(. + ["CAP_NET_RAW"])'
	on_a_host '
		ip address add 192.0.2.7/24 dev wire0
		ip address add 192.0.2.1/24 dev wire1
		'"$run_there" "$(new_id)"
	assert_success
	assert_contains "1 packets received"
}

@test "several devices, one renamed, one by a template" {
	devices '{wire0: {name: "eth7"}, wire1: {name: "cable%d"}, other0: {name: "cable%d"}}'
	inside 'for d in /sys/class/net/*; do echo "${d##*/}"; done; ip address show dev eth7'
	assert_failure # not on this host
	on_a_host '
		ip link add other0 type veth peer name other1
		ip address add 192.0.2.7/24 dev wire0
		'"$run_there"'; ls /sys/class/net' "$(new_id)"
	assert_success
	assert_line lo
	assert_line eth7
	assert_line cable0
	assert_line cable1
	assert_contains "inet 192.0.2.7/24"
}

@test "it is there before the hooks, and in the container's state it is created" {
	devices '{wire0: {name: "eth7"}}'
	args sleep 1000
	config '.hooks.createRuntime = [{path: "/bin/sh", args: ["sh", "-c", "nsenter --net=/proc/$(sed -n \"s/.*\\\"pid\\\":\\([0-9]*\\).*/\\1/p\")/ns/net ip link show eth7 >\($work)/seen"]}]' --arg work "$WORK"
	on_a_host '
		"$RT" --root "$ROOT" create -b "$BUNDLE" "$1" >"$WORK/out"
		nsenter --net="/proc/$("$RT" --root "$ROOT" state "$1" | jq .pid)/ns/net" ip -brief link show eth7
		"$RT" --root "$ROOT" delete "$1"' "$(new_id)"
	assert_success
	assert_contains "eth7@"
	assert_contains "UP"
	grep -q "eth7@" "$WORK/seen"
}

@test "a device goes into a network namespace that is joined, and stays there" {
	devices '{wire0: {name: "eth7"}}'
	config '(.linux.namespaces[] | select(.type == "network")).path = $path' --arg path "$WORK/net"
	args ip link show eth7
	touch "$WORK/net"
	in_mount_namespace private '
		unshare --net="$WORK/net" true
		unshare --net bash -euc "
			ip link add wire0 type veth peer name wire1
			\"\$RT\" --root \"\$ROOT\" run -b \"\$BUNDLE\" \"\$1\"
			nsenter --net=\"\$WORK/net\" ip -brief link show eth7; true" bash "$1"' "$(new_id)"
	assert_success
	assert_equal "$(grep -c 'eth7[@:]' <<<"$output")" 2
}

@test "a container with a user namespace gets its device, too" {
	skip_in userns 'every other test is one'
	chown -R 100000:100000 "$BUNDLE/rootfs"
	chmod 755 "$WORK" "$BUNDLE"
	config '.linux.namespaces += [{type: "user"}] | .linux.uidMappings = [{containerID: 0, hostID: 100000, size: 65536}] | .linux.gidMappings = .linux.uidMappings'
	devices '{wire0: {name: "eth7"}}'
	args ip address show dev eth7
	on_a_host 'ip address add 192.0.2.7/24 dev wire0; '"$run_there" "$(new_id)"
	assert_success
	assert_all_contained "inet 192.0.2.7/24" ,UP
}

@test "when the container is gone, its virtual devices are" {
	devices '{wire0: {}}'
	args true
	on_a_host "$run_there"'
		for i in $(seq 500); do [ ! -e /sys/class/net/wire1 ] && exit; sleep 0.02; done
		mount -t sysfs sysfs /sys 2>/dev/null; ip link show' "$(new_id)"
	assert_success
}

@test "a device that does not exist is told by its field, and the others stay" {
	devices '{wire0: {}, wireless0: {}}'
	on_a_host "$run_there"' 2>"$WORK/err" && exit 1; cat "$WORK/err"; ip link show wire0' "$(new_id)"
	assert_success
	assert_all_contained 'linux.netDevices["wireless0"]' "config.json:$(grep -n wireless0 "$BUNDLE/config.json" | cut -d : -f 1)" 'no network device "wireless0"' "no such device" "wire0@wire1"
	nothing_made
}

@test "a name that is taken in the container is told by its field, and the device stays" {
	devices '{wire0: {name: "lo"}}'
	on_a_host "$run_there"' 2>"$WORK/err" && exit 1; cat "$WORK/err"; ip link show wire0' "$(new_id)"
	assert_success
	assert_all_contained 'linux.netDevices["wire0"]' 'has a device "lo" already' "wire0@wire1"
	nothing_made
}

@test "what cannot be done is refused before anything is" {
	devices '{eth0: {}}'
	config 'del(.linux.namespaces[] | select(.type == "network"))'
	refused linux.netDevices "network namespace"
	config '.linux.namespaces += [{type: "network", path: "/proc/self/ns/net"}]'
	refused linux.netDevices "that they are in"
	config 'del(.linux.namespaces[-1].path)'
	devices '{"a/b": {}}'
	refused 'linux.netDevices["a/b"]'
	devices '{eth0: {name: "sixteen--letters"}}'
	refused 'linux.netDevices["eth0"].name'
	devices '{eth0: {name: "x"}, eth1: {name: "x"}}'
	refused 'linux.netDevices["eth1"]' '"eth0"'
	devices '{eth0: {name: "a%s"}}'
	refused 'linux.netDevices["eth0"].name'
}
