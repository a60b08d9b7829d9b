# What `rt state` says, and that it is computed from what is there now.

load helpers

setup() {
	setup_bundle
	args sleep 1000
	ID=$(new_id)
}
teardown() { teardown_all; }

@test "state says what callers read: version, id, pid, status, bundle, rootfs, time and owner" {
	rt create --bundle "$BUNDLE" "$ID"
	rt state "$ID" >"$WORK/state.json"
	jq -e --arg id "$ID" --arg bundle "$BUNDLE" '
		(.ociVersion | test("^1\\.[0-9]+\\.[0-9]+")) and .id == $id and .pid > 1 and .status == "created" and
		.bundle == $bundle and .rootfs == $bundle + "/rootfs" and has("owner")' "$WORK/state.json"
	[ "$(jq -c keys_unsorted "$WORK/state.json")" == '["ociVersion","id","pid","status","bundle","rootfs","created","owner"]' ]
	[ -e "/proc/$(jq .pid "$WORK/state.json")" ]
}

@test "state is JSON with an indent of two spaces" {
	rt create --bundle "$BUNDLE" "$ID"
	rt state "$ID" >"$WORK/state.json"
	[ "$(sed -n 2p "$WORK/state.json" | cut -c 1-16)" == '  "ociVersion": ' ]
}

@test "the time of creation is UTC with a fraction of a second, and does not change" {
	local before after created
	before=$(date -u +%s)
	rt create --bundle "$BUNDLE" "$ID"
	after=$(date -u +%s)
	created=$(rt state "$ID" | jq -r .created)
	[[ $created =~ ^[0-9-]{10}T[0-9:]{8}\.[0-9]+Z$ ]]
	(($(date -d "$created" +%s) >= before && $(date -d "$created" +%s) <= after))
	rt start "$ID"
	[ "$(rt state "$ID" | jq -r .created)" == "$created" ]
}

@test "the pid is that of the container's first process, as the caller sees it" {
	rt create --bundle "$BUNDLE" "$ID"
	local pid
	pid=$(container_pid "$ID")
	[ "$(awk '/^NSpid:/ {print $NF}' "/proc/$pid/status")" -eq 1 ]
	[ "$(readlink "/proc/$pid/ns/pid")" != "$(readlink /proc/self/ns/pid)" ]
}

@test "the bundle is absolute however it was given, and rootfs follows root.path" {
	mv "$BUNDLE/rootfs" "$WORK/elsewhere"
	config '.root.path = "../elsewhere"'
	cd "$WORK"
	rt create --bundle ./bundle/../bundle/ "$ID"
	[ "$(rt state "$ID" | jq -r .bundle)" == "$BUNDLE" ]
	[ "$(rt state "$ID" | jq -r .rootfs)" == "$WORK/elsewhere" ]
}

@test "annotations are those of the config, and absent when it has none" {
	config '.annotations = {"org.example.note": "with \"quotes\" and =", "empty": ""}'
	rt create --bundle "$BUNDLE" "$ID"
	[ "$(rt state "$ID" | jq -cS .annotations)" == "$(jq -cS .annotations "$BUNDLE/config.json")" ]
	rt delete "$ID"
	config 'del(.annotations)'
	rt create --bundle "$BUNDLE" "$ID"
	rt state "$ID" | jq -e 'has("annotations") | not'
}

@test "a container whose process has ended is stopped, and has no pid" {
	args true
	rt create --bundle "$BUNDLE" "$ID"
	rt start "$ID"
	wait_for_status "$ID" stopped
	rt state "$ID" | jq -e '.pid == 0'
}

@test "a container that was killed before start is stopped" {
	rt create --bundle "$BUNDLE" "$ID"
	kill -KILL "$(container_pid "$ID")"
	wait_for_status "$ID" stopped
}

@test "the status is right at once after kill and after exit, without waiting" {
	rt create --bundle "$BUNDLE" "$ID"
	local pid
	pid=$(container_pid "$ID")
	rt start "$ID"
	rt kill "$ID" KILL
	wait_until 5 gone "$pid"
	[ "$(container_status "$ID")" == stopped ]
}

@test "a first process that nobody has waited for yet counts as stopped" {
	# In a pid namespace whose first process never waits, orphans stay zombies.
	in_pid_namespace sleep 1000
	rt_there create --bundle "$BUNDLE" "$ID"
	rt_there start "$ID"
	local pid
	pid=$(rt_there state "$ID" | jq .pid)
	rt_there kill "$ID" KILL
	wait_until 5 zombie "$pid"
	[ "$(rt_there state "$ID" | jq -r .status)" == stopped ]
	rt_there delete "$ID"
	end_pid_namespace
}

# in_pid_namespace COMMAND... makes the command the first process of a new pid namespace. Then
# `rt_there ARGUMENT...` runs rt there.
in_pid_namespace() {
	unshare --pid --fork --mount-proc --kill-child "$@" </dev/null >/dev/null 2>&1 3>&- &
	UNSHARE=$!
	wait_until 5 first_process
}

first_process() {
	FIRST=$(pgrep -P "$UNSHARE") && [[ $(readlink "/proc/$FIRST/ns/mnt") != "$(readlink /proc/self/ns/mnt)" ]] &&
		[[ $(tr -d '\0' <"/proc/$FIRST/cmdline") != unshare* ]]
}

rt_there() {
	nsenter --target "$FIRST" --pid --mount "$RT" --root "$ROOT" "$@" 3>&-
}

zombie() {
	[[ $(nsenter --target "$FIRST" --pid --mount grep State "/proc/$1/status") == *Z* ]]
}

end_pid_namespace() {
	kill -KILL "$UNSHARE"
	wait "$UNSHARE" || true
}

@test "a process that got the pid of a container that has ended is not taken for it" {
	cat >"$WORK/reuse" <<'SCRIPT'
	set -eux
	rt() { "$RT" --root "$ROOT" "$@"; }
	rt create --bundle "$BUNDLE" "$ID"
	rt start "$ID"
	pid=$(rt state "$ID" | jq .pid)
	kill -KILL "$pid"
	while [ -e "/proc/$pid" ]; do sleep 0.05; done
	for attempt in $(seq 50); do
		echo $((pid - 1)) >/proc/sys/kernel/ns_last_pid
		sleep 1000 &
		[ $! -eq "$pid" ] && break
		kill -KILL $!
	done
	[ $! -eq "$pid" ]
	rt state "$ID" | jq -e '.status == "stopped" and .pid == 0'
	! rt kill "$ID" KILL || false
	rt delete --force "$ID"
	kill -0 "$pid"
SCRIPT
	export RT ROOT BUNDLE ID
	run unshare --pid --fork --mount-proc --kill-child bash "$WORK/reuse"
	echo "$output"
	[ "$status" -eq 0 ]
}

@test "an unknown container does not exist" {
	runtime state "$ID"
	[ "$status" -eq 1 ]
	[[ $output == *"container does not exist"* ]]
}

@test "asking for the state changes nothing" {
	rt create --bundle "$BUNDLE" "$ID"
	rt state "$ID" >"$WORK/first"
	find "$ROOT" -printf '%p %s %T@ %m\n' | sort >"$WORK/before"
	rt state "$ID" >"$WORK/second"
	find "$ROOT" -printf '%p %s %T@ %m\n' | sort >"$WORK/after"
	cmp "$WORK/first" "$WORK/second"
	cmp "$WORK/before" "$WORK/after"
}

@test "the state directory keeps other users out" {
	rt create --bundle "$BUNDLE" "$ID"
	[ -d "$ROOT/$ID" ]
	[ -z "$(find "$ROOT/$ID" -maxdepth 0 -perm /066)" ]
	[ -z "$(find "$ROOT/$ID" -type f -perm /022)" ]
}
