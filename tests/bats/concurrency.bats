# Several commands at the same time.

load helpers

setup() {
	setup_bundle
	ID=$(new_id)
}
teardown() { teardown_all; }

# at_once COUNT ARGUMENT... runs that many rt at the same time, the Nth with %N in its arguments
# replaced, and leaves their exit codes in $WORK/code.N and what they said in $WORK/said.N.
at_once() {
	local count=$1 n pids=()
	shift
	for n in $(seq "$count"); do
		(
			close_descriptors
			code=0
			"$RT" --root "$ROOT" "${@//%N/$n}" >"$WORK/said.$n" 2>&1 || code=$?
			echo "$code" >"$WORK/code.$n"
		) &
		pids+=($!)
	done
	wait "${pids[@]}"
}

codes() { cat "$WORK"/code.* | sort -n | uniq -c | awk '{printf "%s%d*%d", (NR == 1 ? "" : " "), $1, $2}'; }

@test "of two creates of one id exactly one wins, and the other harms nothing" {
	args sleep 1000
	local loser
	for _ in 1 2 3 4 5 6 7 8 9 10; do
		at_once 2 create --bundle "$BUNDLE" "$ID"
		[ "$(codes)" == "1*0 1*1" ]
		loser=$(grep -lx 1 "$WORK"/code.*)
		grep -q "container with given ID already exists" "${loser/code/said}"
		[ "$(container_status "$ID")" == created ]
		rt start "$ID"
		[ "$(container_status "$ID")" == running ]
		rt delete --force "$ID"
		nothing_left "$TOKEN"
	done
}

@test "of five runs of one id one wins" {
	args sleep 1000
	at_once 5 run --detach --bundle "$BUNDLE" "$ID"
	[ "$(codes)" == "1*0 4*1" ]
	[ "$(container_status "$ID")" == running ]
	[ "$(marked_processes "$TOKEN" | wc -l)" -eq 1 ]
}

@test "twenty containers run side by side, each with its own exit code" {
	config 'del(.linux.cgroupsPath)'
	args sh -c 'exit $(($(hostname | tr -dc 0-9) % 100))'
	local n
	for n in $(seq 20); do
		mkdir "$WORK/bundle.$n"
		jq --arg name "c$n" --arg root "$BUNDLE/rootfs" '.hostname = $name | .root.path = $root' "$BUNDLE/config.json" >"$WORK/bundle.$n/config.json"
	done
	at_once 20 run --bundle "$WORK/bundle.%N" "$ID.%N"
	for n in $(seq 20); do
		[ "$(<"$WORK/code.$n")" -eq "$n" ]
		[ ! -s "$WORK/said.$n" ]
	done
	[ -z "$(ls -A "$ROOT")" ]
	nothing_left "$TOKEN"
}

@test "twenty containers are created, listed, and deleted side by side" {
	config 'del(.linux.cgroupsPath)'
	args sleep 1000
	at_once 20 create --bundle "$BUNDLE" "$ID.%N"
	[ "$(codes)" == "20*0" ]
	[ "$(rt list --quiet | wc -l)" -eq 20 ]
	at_once 20 delete "$ID.%N"
	[ "$(codes)" == "20*0" ]
	[ "$(rt list --format json)" == null ]
	nothing_left "$TOKEN"
}

@test "of two starts one wins" {
	args sleep 1000
	for _ in 1 2 3 4 5; do
		rt create --bundle "$BUNDLE" "$ID"
		at_once 2 start "$ID"
		[ "$(codes)" == "1*0 1*1" ]
		grep -q "cannot start an already running container" "$WORK"/said.*
		[ "$(container_status "$ID")" == running ]
		rt delete --force "$ID"
	done
}

@test "several deletes by force all succeed" {
	args sleep 1000
	for _ in 1 2 3 4 5; do
		rt run --detach --bundle "$BUNDLE" "$ID"
		at_once 4 delete --force "$ID"
		[ "$(codes)" == "4*0" ]
		cat "$WORK"/said.*
		[ -z "$(cat "$WORK"/said.*)" ]
		nothing_left "$TOKEN"
	done
}

@test "a delete during a create ends with no container or a whole one" {
	args sleep 1000
	local delay
	for delay in 0 0.005 0.01 0.02 0.03 0.05; do
		rt_background create --bundle "$BUNDLE" "$ID"
		sleep "$delay"
		rt delete --force "$ID"
		wait "$RT_PID" || true
		if rt state "$ID" >"$WORK/state.json" 2>/dev/null; then
			[ "$(jq -r .status "$WORK/state.json")" == created ]
			rt start "$ID"
		fi
		rt delete --force "$ID"
		nothing_left "$TOKEN"
		[ -z "$(ls -A "$ROOT")" ]
	done
}

@test "state, list and kill are answered while a create stands still" {
	args sleep 1000
	rt_background create --bundle "$BUNDLE" "$ID"
	wait_until 5 test -d "$ROOT/$ID"
	kill -STOP "$RT_PID"
	run timeout 20 "$RT" --root "$ROOT" state "$ID" 3>&-
	[ "$status" -ne 124 ]
	run timeout 20 "$RT" --root "$ROOT" list 3>&-
	[ "$status" -eq 0 ]
	kill -CONT "$RT_PID"
	wait "$RT_PID"
	[ "$(container_status "$ID")" == created ]
}

@test "state never shows half a container" {
	args sleep 1000
	rt_background create --bundle "$BUNDLE" "$ID"
	local said
	while ! gone "$RT_PID"; do
		if said=$(rt state "$ID" 2>/dev/null); then
			jq -e --arg id "$ID" '.id == $id and (.status == "creating" or .status == "created") and (.bundle | startswith("/"))' <<<"$said"
		fi
	done
	wait "$RT_PID"
	[ "$(container_status "$ID")" == created ]
}
