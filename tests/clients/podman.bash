# shellcheck shell=bash
# Podman of the test's own: storage, state, networks, locks, cgroups and mounts are private to the
# file.
#
#   setup_file()    { load podman; start_podman; }
#   teardown_file() { load podman; stop_podman; }
#   setup()         { load podman; begin_test; }
#   teardown()      { end_podman_test; }

load clients

# start_podman configures Podman for $RUNTIME and gives it the image localhost/box, which has busybox in
# it.
start_podman() {
	needs_engine podman podman
	needs_engine conmon conmon
	# Files run at the same time, and each of them removes what is called like its own.
	local file=${BATS_TEST_FILENAME##*/}
	engine_directory "${file%.bats}"
	start_engine_host
	# Podman writes there whatever its configuration says.
	podman_host mount -t tmpfs tmpfs /var/lib
	podman_host mount -t tmpfs tmpfs /var/cache
	[[ -e $BATS_SUITE_TMPDIR/libpod ]] || marked_cgroups /libpod_parent >"$BATS_SUITE_TMPDIR/libpod"
	configure_podman
	tar --create --directory "$(image_root)" . | podman import --quiet --change ENV=PATH=/bin - localhost/box >/dev/null
}

# configure_podman writes the configuration, which Podman finds through the environment. Limits are
# named because its own would be more than a root without CAP_SYS_RESOURCE may have; soft and hard
# ones are equal because play kube takes one for the other. The path of runroot must not be longer
# than 50 characters.
configure_podman() {
	export CONTAINERS_CONF=$ENGINE/containers.conf CONTAINERS_STORAGE_CONF=$ENGINE/storage.conf
	cat >"$CONTAINERS_STORAGE_CONF" <<-END
		[storage]
		driver = "vfs"
		graphroot = "$ENGINE/storage"
		runroot = "/run/$ENGINE_NAME"
	END
	cat >"$CONTAINERS_CONF" <<-END
		[containers]
		netns = "none"
		log_driver = "k8s-file"
		default_ulimits = ["nofile=4096:4096", "nproc=4096:4096"]
		$(pids_limit)
		[engine]
		runtime = "$RUNTIME"
		runtime_supports_json = ["rt", "runc"]
		runtime_supports_nocgroup = ["rt"]
		cgroup_manager = "cgroupfs"
		events_logger = "file"
		tmp_dir = "/run/$ENGINE_NAME-libpod"
		volume_path = "$ENGINE/volumes"
		[engine.runtimes]
		$RUNTIME = ["$(runtime_binary)"]
		[network]
		network_backend = "cni"
		network_config_dir = "$ENGINE/networks"
	END
}

# pids_limit prints the line of the configuration that takes the usual limit on processes away, if
# nothing here could enforce it.
pids_limit() {
	[[ $(stat -fc %T /sys/fs/cgroup) != cgroup2fs ]] || grep -qw pids /sys/fs/cgroup/cgroup.controllers || echo 'pids_limit = 0'
}

# stop_podman removes all that Podman has made.
stop_podman() {
	[[ -d ${ENGINE:-} ]] || return 0
	local failed=0 left
	podman pod rm --all --force --time 0 >/dev/null || failed=1
	podman rm --all --force --time 0 >/dev/null || failed=1
	left=$(podman_host find "/run/$RUNTIME" -mindepth 1 -maxdepth 1)
	if [[ -n $left ]]; then
		echo "left behind by $RUNTIME: $left"
		failed=1
	fi
	# Where no other cgroup can be asked for, Podman makes this one. Another file's tests may be in it.
	[[ -s $BATS_SUITE_TMPDIR/libpod ]] || remove_cgroups /libpod_parent || true
	remove_engine || failed=1
	return "$failed"
}

# podman_host COMMAND... runs a command where Podman runs.
podman_host() {
	(close_descriptors && in_engine_host "$@")
}

# at_terminal ARGUMENT... runs Podman on a terminal, on which the script on stdin is typed (see
# tests/tools/peer), and ends with its exit code.
at_terminal() {
	(close_descriptors && exec timeout --foreground 90 "$PEER" terminal nsenter --target "$(<"$ENGINE/host.pid")" --mount --net --ipc -- podman "$@")
}

# podman ARGUMENT... runs Podman, whose cgroups are called like the engine.
podman() {
	case $1 in
	run | create) set -- "$1" --cgroup-parent "/$ENGINE_NAME" "${@:2}" ;;
	pod) [[ $2 == create ]] && set -- "$1" "$2" --cgroup-parent "/$ENGINE_NAME" "${@:3}" ;;
	esac
	podman_host podman "$@"
}

# once [OPTION...] IMAGE [COMMAND...] runs a container in the foreground, and sets $status and $output.
once() {
	answer podman run --rm "$@"
}

# detached [OPTION...] IMAGE [COMMAND...] starts a container, and sets $ID.
detached() {
	ID=$(podman run --detach --label "test=$TOKEN" "$@")
}

# execute [OPTION...] COMMAND... runs one more program in the container $ID, and sets $status and
# $output. The value of an option is part of its word: --user=1.
execute() {
	local options=()
	while [[ $1 == -* ]]; do
		options+=("$1")
		shift
	done
	answer podman exec "${options[@]}" "$ID" "$@"
}

# inspect TEMPLATE prints what Podman knows about the container $ID.
inspect() {
	podman inspect --type container --format "$1" "$ID"
}

# logged TEXT succeeds if the container $ID has printed the text.
logged() {
	podman logs "$ID" 2>&1 | grep -qF -- "$1"
}

# end_podman_test removes the containers and pods of the test, and fails if something of them is left.
end_podman_test() {
	local failed=0
	[[ -n ${TOKEN:-} ]] || return 0
	podman pod ps --quiet --filter "label=test=$TOKEN" | remove_all pod rm || failed=1
	podman ps --all --quiet --filter "label=test=$TOKEN" | remove_all rm || failed=1
	podman_host sh -c 'grep -F "$1/" /proc/self/mountinfo | cut -d" " -f5 | tac | xargs -r umount --lazy' sh "$WORK" || failed=1
	teardown_all || failed=1
	return "$failed"
}

# remove_all COMMAND... removes by force the containers or pods whose ids are on stdin.
remove_all() {
	local ids
	mapfile -t ids
	((${#ids[@]} == 0)) || podman "$@" --force --time 0 "${ids[@]}" >/dev/null
}
