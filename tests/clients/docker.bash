# shellcheck shell=bash
# A Docker Engine of the test's own: data, sockets, namespaces and cgroups are private to the file.
#
#	setup_file()    { load docker; start_docker; }
#	teardown_file() { load docker; stop_docker; }
#	setup()         { load docker; begin_docker_test; }
#	teardown()      { end_docker_test; }

load clients

# start_docker [OPTION...] starts the engine and gives it the image "box", which has busybox in it.
start_docker() {
	needs_engine dockerd docker.io
	engine_directory docker
	start_engine_host
	start_dockerd "$@" || return
	tar --create --directory "$(image_root)" . | docker import --change 'ENV FROM=image' - box >/dev/null
}

# start_dockerd [OPTION...] starts the daemon, and waits until it answers.
start_dockerd() {
	export DOCKER_HOST=unix://$ENGINE/docker.sock DOCKER_CONFIG=$ENGINE/config
	configure_docker "$RUNTIME"
	engine_background "$ENGINE/dockerd.log" bash -c "$(declare -f in_engine_host); in_engine_host \"\$@\"" bash \
		dockerd --host "$DOCKER_HOST" --data-root "$ENGINE/data" --exec-root "$ENGINE/exec" --pidfile "$ENGINE/dockerd.pid" \
		--config-file "$ENGINE/daemon.json" --cgroup-parent "/$ENGINE_NAME" --exec-opt native.cgroupdriver=cgroupfs \
		--iptables=false --ip6tables=false "$(bridge)" "$@"
	wait_until 60 docker_answers && return
	echo "the Docker Engine does not answer:"
	tail -n 20 "$ENGINE/dockerd.log"
	return 1
}

# configure_docker NAME writes the daemon's configuration, with rt under its own name and this one, and
# as the default the runtime under test.
configure_docker() {
	jq -n '{"runtimes": ({rt: {path: $rt}, ($name): {path: $rt}} | del(.runc)), "default-runtime": $default, "deprecated-key-path": $key}' \
		--arg name "$1" --arg rt "$(realpath "$RT")" --arg default "$RUNTIME" --arg key "$ENGINE/key.json" >"$ENGINE/daemon.json"
}

docker_answers() {
	docker info >/dev/null 2>&1
}

# bridge prints the daemon's option for a network of containers, if the kernel has bridges.
bridge() {
	if unshare --net ip link add name docker0 type bridge 2>/dev/null; then
		echo --bip=10.99.0.1/16
	else
		echo --bridge=none
	fi
}

stop_dockerd() {
	end_process "$ENGINE/dockerd.pid"
}

stop_docker() {
	[[ -d ${ENGINE:-} ]] || return 0
	local failed=0
	stop_dockerd || failed=1
	remove_engine || failed=1
	return "$failed"
}

begin_docker_test() {
	begin_test
}

# container [FLAG...] IMAGE [COMMAND...] is docker run for a container of this test.
container() {
	docker run --label "test=$TOKEN" "$@"
}

# once [FLAG...] IMAGE [COMMAND...] runs a container in the foreground, and sets $status and $output.
once() {
	answer container --rm "$@"
}

# execute [FLAG...] COMMAND... runs one more program in the container $ID, and sets $status and $output.
execute() {
	local flags=()
	while [[ $1 == -* ]]; do
		flags+=("$1")
		shift
	done
	answer docker exec "${flags[@]}" "$ID" "$@"
}

# detached [FLAG...] IMAGE [COMMAND...] starts a container and sets $ID.
detached() {
	ID=$(container --detach "$@")
}

# inspect TEMPLATE prints what the engine knows about the container $ID.
inspect() {
	docker inspect --format "$1" "$ID"
}

# end_docker_test removes the containers of the test and fails if something of them is left.
end_docker_test() {
	local ids=() id failed=0
	[[ -n ${TOKEN:-} ]] || return 0
	mapfile -t ids < <(docker ps --all --quiet --no-trunc --filter "label=test=$TOKEN")
	if ((${#ids[@]})); then
		docker rm --force "${ids[@]}" >/dev/null || failed=1
	fi
	for id in "${ids[@]}" ${ID:-}; do
		wait_until 10 nothing_of "$id" && continue
		echo "left of the container $id:"
		rest_of "$id"
		failed=1
	done
	teardown_all || failed=1
	return "$failed"
}

nothing_of() {
	[[ -z $(rest_of "$1") ]]
}

# rest_of ID prints the processes, cgroups, mounts and state directories of a container.
rest_of() {
	leftovers "$1"
	grep -F -- "$1" "/proc/$(<"$ENGINE/host.pid")/mountinfo" | sed 's/^/mount of the engine /'
	find "$ENGINE/exec" "$ENGINE/data/containers" -name "*$1*" 2>/dev/null | sed 's/^/file /'
}
