# Deleting: what is refused, what is ended, and that nothing stays.

load helpers

setup() {
	setup_bundle
	args sleep 1000
	ID=$(new_id)
}
teardown() { teardown_all; }

all_gone() {
	runtime state "$ID"
	[ "$status" -eq 1 ]
	[ -z "$(leftovers "$TOKEN")" ]
	[ -z "$(ls -A "$ROOT")" ]
}

@test "a stopped container is deleted" {
	args true
	rt run --detach --bundle "$BUNDLE" "$ID"
	wait_for_status "$ID" stopped
	runtime delete "$ID"
	[ "$status" -eq 0 ]
	[ -z "$output" ]
	all_gone
}

@test "delete works at once when the first process has just ended" {
	local pid
	for _ in 1 2 3 4 5; do
		rt run --detach --bundle "$BUNDLE" "$ID"
		pid=$(container_pid "$ID")
		kill -KILL "$pid"
		wait_until 5 gone "$pid"
		rt delete "$ID"
	done
	all_gone
}

@test "a container that was never started is deleted without force" {
	rt create --bundle "$BUNDLE" "$ID"
	local pid
	pid=$(container_pid "$ID")
	runtime delete "$ID"
	[ "$status" -eq 0 ]
	[ -z "$output" ]
	gone "$pid"
	all_gone
}

@test "a running container is not deleted without force" {
	rt run --detach --bundle "$BUNDLE" "$ID"
	local pid
	pid=$(container_pid "$ID")
	runtime delete "$ID"
	[ "$status" -eq 1 ]
	[[ $output == *"cannot delete container $ID that is not stopped: running"* ]]
	[ "$(container_status "$ID")" == running ]
	! gone "$pid" || false
}

@test "delete --force ends a running container and removes it" {
	args sh -c 'trap "" TERM HUP INT; sleep 1001 & sleep 1002 & while :; do sleep 1; done'
	rt run --detach --bundle "$BUNDLE" "$ID"
	local pid
	pid=$(container_pid "$ID")
	runtime delete --force "$ID"
	[ "$status" -eq 0 ]
	[ -z "$output" ]
	gone "$pid"
	all_gone
}

@test "delete -f is short for delete --force" {
	rt run --detach --bundle "$BUNDLE" "$ID"
	runtime delete -f "$ID"
	[ "$status" -eq 0 ]
	all_gone
}

@test "an unknown container cannot be deleted" {
	runtime delete "$ID"
	[ "$status" -eq 1 ]
	[[ $output == *"container does not exist"* ]]
}

@test "delete --force of an unknown container succeeds and says nothing" {
	runtime delete --force "$ID"
	[ "$status" -eq 0 ]
	[ -z "$output" ]
	rt run --detach --bundle "$BUNDLE" "$ID"
	rt delete --force "$ID"
	runtime delete --force "$ID"
	[ "$status" -eq 0 ]
	[ -z "$output" ]
}

@test "delete --force removes the directory that a create left half made" {
	mkdir -p "$ROOT/$ID"
	runtime delete --force "$ID"
	[ "$status" -eq 0 ]
	[ -z "$output" ]
	[ ! -e "$ROOT/$ID" ]
	rt create --bundle "$BUNDLE" "$ID"
}

@test "delete without force removes a half made directory too, and says that there was no container" {
	mkdir -p "$ROOT/$ID"
	runtime delete "$ID"
	[ "$status" -eq 1 ]
	[[ $output == *"container does not exist"* ]]
	[ ! -e "$ROOT/$ID" ]
}

@test "delete ends what a container without a pid namespace has left running" {
	config 'del(.linux.namespaces[] | select(.type == "pid"))'
	args sh -c 'sleep 1001 & sleep 1002 & exit 0'
	rt run --detach --bundle "$BUNDLE" "$ID"
	wait_for_status "$ID" stopped
	[ "$(marked_processes "$TOKEN" | wc -l)" -eq 2 ]
	runtime delete --force "$ID"
	[ "$status" -eq 0 ]
	all_gone
}

@test "delete removes the cgroups that were made below the container's" {
	rt run --detach --bundle "$BUNDLE" "$ID"
	local directory
	for directory in $(marked_cgroups "$TOKEN"); do
		mkdir -p "$directory/below/deeper"
	done
	runtime delete --force "$ID"
	[ "$status" -eq 0 ]
	all_gone
}

@test "delete removes the container's cgroups and leaves the one above, which is not its own" {
	needs_cgroup
	config '.linux.cgroupsPath = "/" + $token + "-above/own"' --arg token "$TOKEN"
	rt run --detach --bundle "$BUNDLE" "$ID"
	[ -n "$(find /sys/fs/cgroup -type d -path "*/$TOKEN-above/own")" ]
	runtime delete --force "$ID"
	[ "$status" -eq 0 ]
	[ -z "$(find /sys/fs/cgroup -type d -path "*/$TOKEN-above/own")" ]
	remove_cgroups "$TOKEN-above"
	all_gone
}

@test "delete does not need the bundle any more" {
	rt run --detach --bundle "$BUNDLE" "$ID"
	mv "$BUNDLE" "$WORK/gone"
	runtime delete --force "$ID"
	[ "$status" -eq 0 ]
	all_gone
}

@test "delete does not touch the bundle" {
	find "$BUNDLE" -printf '%p %s %m %U\n' | sort >"$WORK/before"
	rt run --detach --bundle "$BUNDLE" "$ID"
	rt delete --force "$ID"
	find "$BUNDLE" -printf '%p %s %m %U\n' | sort >"$WORK/after"
	diff "$WORK/before" "$WORK/after"
}

@test "delete works when the state names a bundle on a mount that is gone" {
	rt create --bundle "$BUNDLE" "$ID"
	kill -KILL "$(container_pid "$ID")"
	wait_for_status "$ID" stopped
	rm -rf "$BUNDLE"
	runtime delete "$ID"
	[ "$status" -eq 0 ]
	all_gone
}
