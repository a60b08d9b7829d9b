# rt killed at any moment: what is left can be deleted completely, and the id used again.

load helpers

setup() {
	setup_bundle
	args sleep 1000
	ID=$(new_id)
	mkfifo "$WORK/silence"
	exec {SILENCE}<>"$WORK/silence"
}
teardown() { teardown_all; }

# duration ARGUMENT... prints how long rt takes, in microseconds: the shortest of five.
duration() {
	local start took best=
	for _ in 1 2 3 4 5; do
		start=${EPOCHREALTIME/./}
		rt_background "$@"
		wait "$RT_PID"
		took=$((${EPOCHREALTIME/./} - start))
		rt delete --force "$ID"
		((best && best < took)) || best=$took
	done
	echo "$best"
}

# pause MICROSECONDS waits without starting a program, which would take longer than what is timed.
pause() {
	read -r -t "$(printf '%d.%06d' $(($1 / 1000000)) $(($1 % 1000000)))" -u "$SILENCE" || true
}

# killed_at MICROSECONDS ARGUMENT... kills rt that long after its start.
killed_at() {
	local delay=$1
	shift
	rt_background "$@"
	pause "$delay"
	kill -KILL "$RT_PID" 2>/dev/null || true
	wait "$RT_PID" 2>/dev/null || true
}

# killed_after_claim MICROSECONDS ARGUMENT... kills rt that long after it has taken the container's id.
killed_after_claim() {
	local delay=$1
	shift
	rt_background "$@"
	until [[ -d $ROOT/$ID ]] || ! kill -0 "$RT_PID" 2>/dev/null; do :; done
	pause "$delay"
	kill -KILL "$RT_PID" 2>/dev/null || true
	wait "$RT_PID" 2>/dev/null || true
}

# cleaned_up wants delete --force to succeed silently, and then nothing to be left.
cleaned_up() {
	runtime delete --force "$ID"
	echo "$output"
	[ "$status" -eq 0 ]
	[ -z "$output" ]
	wait_until 5 nothing_left "$TOKEN" || { leftovers "$TOKEN" && return 1; }
	[ -z "$(ls -A "$ROOT")" ]
}

@test "create killed at forty moments leaves nothing that delete --force does not remove" {
	local whole step
	whole=$(duration create --bundle "$BUNDLE" "$ID")
	for step in $(seq 10); do
		killed_at $((whole * step / 10)) create --bundle "$BUNDLE" "$ID"
		cleaned_up
	done
	for step in $(seq 30); do
		killed_after_claim $((whole * step / 40)) create --bundle "$BUNDLE" "$ID"
		cleaned_up
	done
}

@test "after a create that was killed, the same id can be created once it is deleted" {
	local whole step
	whole=$(duration create --bundle "$BUNDLE" "$ID")
	for step in $(seq 10); do
		killed_after_claim $((whole * step / 12)) create --bundle "$BUNDLE" "$ID"
		rt delete --force "$ID"
		rt create --bundle "$BUNDLE" "$ID"
		rt start "$ID"
		[ "$(container_status "$ID")" == running ]
		rt delete --force "$ID"
	done
}

@test "a create that was killed takes the init stage with it, or leaves a container that is whole" {
	local whole step found
	whole=$(duration create --bundle "$BUNDLE" "$ID")
	for step in $(seq 12); do
		killed_after_claim $((whole * step / 15)) create --bundle "$BUNDLE" "$ID"
		sleep 0.1
		found=$(container_status "$ID" 2>/dev/null) || found=none
		if [[ -n $(marked_processes "$TOKEN") ]]; then
			[ "$found" == created ]
			rt start "$ID"
			[ "$(container_status "$ID")" == running ]
		fi
		cleaned_up
	done
}

@test "run killed at twenty moments leaves nothing that delete --force does not remove" {
	local whole step
	whole=$(duration run --detach --bundle "$BUNDLE" "$ID")
	for step in $(seq 20); do
		killed_after_claim $((whole * step / 20)) run --bundle "$BUNDLE" "$ID"
		cleaned_up
	done
}

@test "start killed at ten moments leaves a container that is created or running" {
	local step
	for step in $(seq 10); do
		rt create --bundle "$BUNDLE" "$ID"
		killed_at $((step * 1000)) start "$ID"
		[[ $(container_status "$ID") == @(created|running) ]]
		cleaned_up
	done
}

@test "delete killed at ten moments can be repeated" {
	local step
	for step in $(seq 10); do
		rt run --detach --bundle "$BUNDLE" "$ID"
		killed_at $((step * 2000)) delete --force "$ID"
		cleaned_up
	done
}

@test "state and list make sense of what a killed create left" {
	local whole step
	whole=$(duration create --bundle "$BUNDLE" "$ID")
	for step in $(seq 8); do
		killed_after_claim $((whole * step / 10)) create --bundle "$BUNDLE" "$ID"
		rt list --format json | jq -e 'type == "array" or . == null'
		if rt state "$ID" >"$WORK/state.json" 2>"$WORK/state.err"; then
			jq -e '.status | . == "creating" or . == "created" or . == "stopped"' "$WORK/state.json"
		else
			grep -q "container does not exist" "$WORK/state.err"
		fi
		cleaned_up
	done
}

@test "a create whose init stage is killed fails, and leaves nothing" {
	local child
	for _ in 1 2 3 4 5 6; do
		rt_background create --bundle "$BUNDLE" "$ID"
		child=
		while [[ -z $child ]] && ! gone "$RT_PID"; do
			child=$(cat "/proc/$RT_PID/task"/*/children 2>/dev/null) || true
		done
		# shellcheck disable=SC2086
		kill -KILL $child 2>/dev/null || true
		if ! wait "$RT_PID"; then
			[ "$(wc -l <"$WORK/background.err")" -eq 1 ]
			[ -z "$(ls -A "$ROOT")" ]
			wait_until 5 nothing_left "$TOKEN"
		fi
		cleaned_up
	done
}

@test "a create that was stopped with SIGTERM or SIGINT leaves nothing that delete --force does not remove" {
	local whole step signal
	whole=$(duration create --bundle "$BUNDLE" "$ID")
	for signal in TERM INT HUP; do
		for step in 1 3 5 7 9; do
			rt_background create --bundle "$BUNDLE" "$ID"
			pause $((whole * step / 10))
			kill -"$signal" "$RT_PID" 2>/dev/null || true
			wait "$RT_PID" 2>/dev/null || true
			cleaned_up
		done
	done
}
