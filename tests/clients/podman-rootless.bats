#!/usr/bin/env bats
# Podman of an ordinary user, who has subordinate ids and no cgroup. Podman makes a user namespace, in
# which it is root, and calls the runtime there.
# shellcheck disable=SC2016

setup_file() {
	# Each test takes away all that the user has.
	export BATS_NO_PARALLELIZE_WITHIN_FILE=true
	load podman
	load ../bats/rootless
	needs_subordinates
	needs_engine podman podman
	needs_engine conmon conmon
	engine_directory rootless
	ordinary_user "$ENGINE/etc"
	reachable "$ENGINE/etc"
	start_engine_host
	install "$(runtime_binary)" "$ENGINE/runtime"
	mkdir "$ENGINE"/{storage,home,volumes,networks}
	podman_host mkdir "/run/$ENGINE_NAME" "/run/$ENGINE_NAME-libpod"
	podman_host chown "$ORDINARY:$ORDINARY" "/run/$ENGINE_NAME" "/run/$ENGINE_NAME-libpod" "$ENGINE"/{storage,home,volumes,networks}
	configure_podman
	sed -i "s|^$RUNTIME = .*|$RUNTIME = [\"$ENGINE/runtime\"]|" "$CONTAINERS_CONF"
	sed -i '/pids_limit/d; s/^netns = .*/&\npids_limit = 0/' "$CONTAINERS_CONF"
	tar --create --directory "$(image_root)" . >"$ENGINE/box.tar"
	users_podman import --quiet --change ENV=PATH=/bin "$ENGINE/box.tar" localhost/box >/dev/null
}

teardown_file() {
	load podman
	[[ -d ${ENGINE:-} ]] || return 0
	local failed=0 pause
	users_podman rm --all --force --time 0 >/dev/null || failed=1
	# Podman leaves a process that holds its user namespace.
	pause=$(podman_host cat "/run/$ENGINE_NAME-libpod/pause.pid") && kill "$pause"
	remove_engine || failed=1
	return "$failed"
}

setup() {
	load podman
	begin_test
}

teardown() {
	users_podman rm --all --force --time 0 >/dev/null
	teardown_all
}

# users_podman ARGUMENT... runs Podman as the user.
users_podman() {
	podman_host "$ENGINE/etc/as-user" env HOME="$ENGINE/home" USER=rt-ordinary XDG_RUNTIME_DIR="/run/$ENGINE_NAME" \
		sh -c 'cd && exec podman "$@"' podman "$@"
}

box=localhost/box
readonly idmap='id -u; tr -s " " </proc/self/uid_map'

@test "podman run: the user is root of the container" {
	answer users_podman run --rm --log-level=error $box sh -c "$idmap"
	assert_success
	assert_contains $'0\n 0 100000 1\n 1 100001 65535'
}

@test "podman run --userns=keep-id: the user is himself in the container" {
	answer users_podman run --rm --userns=keep-id $box sh -c 'id -u; id -g; head -n 2 /proc/self/uid_map | tr -s " "'
	assert_success
	assert_contains $'100000\n100000\n'
}

@test "podman run -d, exec, ps, kill, rm" {
	id=$(users_podman run -d $box sleep 1000)
	assert_equal "$(users_podman inspect --format '{{.State.Status}} {{.OCIRuntime}}' "$id")" "running $RUNTIME"
	assert_equal "$(users_podman exec "$id" id -u)" 0
	assert_equal "$(users_podman exec --user 5:6 "$id" sh -c 'id -u; id -g')" $'5\n6'
	assert_equal "$(users_podman exec "$id" hostname)" "${id:0:12}"
	users_podman kill "$id"
	assert_equal "$(users_podman wait "$id")" 137
	users_podman rm "$id"
	assert_equal "$(users_podman ps -aq)" ""
}

@test "podman run: the exit code, stdin, a volume and a read-only root" {
	answer users_podman run --rm $box sh -c 'exit 7'
	assert_failure 7
	assert_equal "$(echo hello | users_podman run --rm -i $box cat)" hello
	mkdir "$ENGINE/volumes/v"
	chown 100000:100000 "$ENGINE/volumes/v"
	users_podman run --rm --read-only -v "$ENGINE/volumes/v:/v" --user 7 --cap-add CHOWN $box true
	users_podman run --rm --read-only -v "$ENGINE/volumes/v:/v" $box sh -c 'touch /v/x; chown 7:7 /v/x; ! touch /x 2>/dev/null'
	assert_equal "$(stat -c %u "$ENGINE/volumes/v/x")" 100007
}
