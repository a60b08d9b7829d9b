# The list of containers: as a table, as JSON, as ids.

load helpers

setup() {
	setup_bundle
	args sleep 1000
}
teardown() { teardown_all; }

# three makes one created, one running and one stopped container, in the order of their names.
three() {
	config 'del(.linux.cgroupsPath)'
	A=$TOKEN-a B=$TOKEN-b C=$TOKEN-c
	rt create --bundle "$BUNDLE" "$C"
	rt run --detach --bundle "$BUNDLE" "$B"
	rt run --detach --bundle "$BUNDLE" "$A"
	rt kill "$A" KILL
	wait_for_status "$A" stopped
}

@test "the table has a header and a line for each container, sorted by id" {
	three
	run --separate-stderr rt list
	[ "$status" -eq 0 ]
	[ -z "$stderr" ]
	[[ ${lines[0]} =~ ^ID\ +PID\ +STATUS\ +BUNDLE\ +CREATED\ +OWNER$ ]]
	[[ ${lines[1]} =~ ^$A\ +0\ +stopped\ +$BUNDLE\ +[0-9TZ:.-]+\ +root$ ]]
	[[ ${lines[2]} =~ ^$B\ +$(container_pid "$B")\ +running\ +$BUNDLE\ +[0-9TZ:.-]+\ +root$ ]]
	[[ ${lines[3]} =~ ^$C\ +$(container_pid "$C")\ +created\ +$BUNDLE\ +[0-9TZ:.-]+\ +root$ ]]
	[ "${#lines[@]}" -eq 4 ]
}

@test "the columns are padded to at least 12 characters" {
	begin_test
	runtime list
	[ "$output" == "ID          PID         STATUS      BUNDLE      CREATED     OWNER" ]
}

@test "--format json is one line with an array of states" {
	three
	run --separate-stderr rt list --format json
	[ "$status" -eq 0 ]
	[ -z "$stderr" ]
	[ "${#lines[@]}" -eq 1 ]
	jq -e --arg a "$A" --arg b "$B" --arg c "$C" --arg bundle "$BUNDLE" '
		map(.id) == [$a, $b, $c] and map(.status) == ["stopped", "running", "created"] and
		all(.[]; .bundle == $bundle and .rootfs == $bundle + "/rootfs" and .owner == "root" and (.ociVersion | length > 0)) and
		.[0].pid == 0 and .[1].pid > 1' <<<"$output"
	[ "$(jq -r .[2].created <<<"$output")" == "$(rt state "$C" | jq -r .created)" ]
}

@test "the owner is the user who owns the state, by name or as a number" {
	three
	chown 54321 "$ROOT/$A"
	chown 1 "$ROOT/$B"
	run --separate-stderr rt list -f json
	jq -e '.[0].owner == "#54321" and .[1].owner == "daemon" and .[2].owner == "root"' <<<"$output"
	chown 0 "$ROOT/$A" "$ROOT/$B"
}

@test "-q and --quiet print the ids only" {
	three
	local flag
	for flag in -q --quiet; do
		runtime list "$flag"
		[ "$status" -eq 0 ]
		[ "$output" == "$A"$'\n'"$B"$'\n'"$C" ]
	done
}

@test "without containers the table is a header, JSON is null, and there are no ids" {
	runtime list
	[ "$status" -eq 0 ]
	[ "${#lines[@]}" -eq 1 ]
	runtime list --format json
	[ "$status" -eq 0 ]
	[ "$output" == null ]
	runtime list --quiet
	[ "$status" -eq 0 ]
	[ -z "$output" ]
}

@test "an unknown format is refused" {
	runtime list --format yaml
	[ "$status" -eq 1 ]
	[[ $output == *"invalid format option"* ]]
}

@test "a state root that was named and does not exist is an error" {
	run "$RT" --root "$WORK/no-such-root" list
	[ "$status" -eq 1 ]
	[[ $output == *"no such file or directory"* ]]
}

@test "a default state root that does not exist yet is an empty list" {
	run unshare --mount --propagation private sh -c 'mount -t tmpfs tmpfs /run && exec "$1" list --format json' sh "$RT"
	[ "$status" -eq 0 ]
	[ "$output" == null ]
}

@test "a damaged entry is told on stderr, and the others are listed" {
	local id
	id=$(new_id)
	rt create --bundle "$BUNDLE" "$id"
	mkdir "$ROOT/half-made"
	mkdir "$ROOT/broken" && echo '{' >"$ROOT/broken/state.json"
	run --separate-stderr rt list --quiet
	[ "$status" -eq 0 ]
	[ "$output" == "$id" ]
	[[ $stderr == *half-made* ]]
	[[ $stderr == *broken* ]]
	rt delete --force half-made
	rt delete --force broken
	[ "$(ls "$ROOT")" == "$id" ]
}
