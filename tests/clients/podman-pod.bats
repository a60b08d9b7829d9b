#!/usr/bin/env bats
# Pods: containers that share namespaces and live together.
# shellcheck disable=SC2016,SC2030,SC2031

setup_file() { load podman && start_podman; }
teardown_file() { load podman && stop_podman; }
setup() {
	load podman && begin_test
	needs catatonit
	[[ $(stat -fc %T /sys/fs/cgroup) != cgroup2fs ]] ||
		skip "on cgroup v2, Podman 4.3 with its cgroupfs driver makes pods in which no device can be opened"
}
teardown() { end_podman_test; }

box=localhost/box

# pod [OPTION...] makes a pod of this test and sets $POD.
pod() {
	POD=$(podman pod create --label "test=$TOKEN" "$@")
}

# member [OPTION...] COMMAND... starts a container in the pod $POD, and sets $ID.
member() {
	ID=$(podman_host podman run --detach --pod "$POD" --label "test=$TOKEN" "$@")
}

# namespace ID NAME prints which namespace a container has.
namespace() {
	stat -Lc %i "/proc/$(podman inspect --type container --format '{{.State.Pid}}' "$1")/ns/$2"
}

@test "the members of a pod share network, IPC and host name, and keep the rest to themselves" {
	pod --hostname pod.example.org
	member $box sleep 1000
	local first=$ID name
	member $box sh -c 'echo shared >/dev/shm/file; hostname; exec sleep 1000'
	for name in ipc net uts; do
		assert_equal "$name $(namespace "$ID" "$name")" "$name $(namespace "$first" "$name")"
	done
	for name in mnt pid; do
		[[ $(namespace "$ID" "$name") != "$(namespace "$first" "$name")" ]]
	done
	wait_until 10 logged pod.example.org
	assert_equal "$(podman exec "$first" cat /dev/shm/file)" shared
	answer podman pod ps --filter "id=$POD" --format '{{.Status}} {{.NumberOfContainers}}'
	assert_output 'Running 3'
}

@test "a pod with a shared pid namespace" {
	pod --share pid,net,ipc,uts
	member $box sleep 1234
	local first=$ID
	member $box sleep 4321
	answer podman exec "$first" ps
	assert_all_contained 'sleep 1234' 'sleep 4321' catatonit
	podman rm --force --time 0 "$first" >/dev/null
	execute ps
	assert_success
	refute_contains 'sleep 1234'
}

@test "a pod is paused, stopped, started and removed as a whole" {
	pod
	member $box sh -c 'trap "exit 0" TERM; while :; do sleep 0.1; done'
	podman pod pause "$POD" >/dev/null
	assert_equal "$(inspect '{{.State.Status}}')" paused
	podman pod unpause "$POD" >/dev/null
	podman pod stop --time 5 "$POD" >/dev/null
	assert_equal "$(inspect '{{.State.Status}} {{.State.ExitCode}}')" 'exited 0'
	podman pod start "$POD" >/dev/null
	becomes '{{.State.Status}}' running
	podman pod kill "$POD" >/dev/null
	becomes '{{.State.Status}} {{.State.ExitCode}}' 'exited 137'
	podman pod rm --force --time 0 "$POD" >/dev/null
	answer podman container exists "$ID"
	assert_failure 1
}

@test "generate kube and play kube" {
	pod --name "$TOKEN"
	member --name "$TOKEN-member" --env GREETING=hello $box sh -c 'echo "$GREETING"; exec sleep 1000'
	podman generate kube "$TOKEN" >"$WORK/pod.yaml"
	podman pod rm --force --time 0 "$POD" >/dev/null
	podman play kube --network none "$WORK/pod.yaml" >/dev/null
	ID=$(podman ps --quiet --filter "pod=$TOKEN" --filter "ancestor=$box")
	wait_until 10 logged hello
	podman play kube --down "$WORK/pod.yaml" >/dev/null
	answer podman pod exists "$TOKEN"
	assert_failure 1
}
