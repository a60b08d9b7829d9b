# shellcheck shell=bash
# A containerd of the test's own, as ctr's users have it.
#
#	setup_file()    { load containerd; start_containerd; }
#	teardown_file() { load containerd; stop_containerd; }
#	setup()         { load containerd; begin_containerd_test; }
#	teardown()      { end_containerd_test; }

load clients

# start_containerd starts the daemon and gives it the image "test/box", which has busybox in it.
start_containerd() {
	needs_engine containerd containerd
	needs_engine ctr containerd
	engine_directory containerd
	start_engine_host
	cat >"$ENGINE/config.toml" <<-END
		version = 2
		root = "$ENGINE/root"
		state = "$ENGINE/state"
		disabled_plugins = ["io.containerd.grpc.v1.cri"]
		[grpc]
		  address = "$ENGINE/containerd.sock"
	END
	engine_background "$ENGINE/containerd.log" bash -c "$(declare -f in_engine_host); in_engine_host \"\$@\"" bash \
		containerd --config "$ENGINE/config.toml"
	echo "$ENGINE_PID" >"$ENGINE/containerd.pid"
	if ! wait_until 60 containerd_answers; then
		echo "containerd does not answer:"
		tail -n 20 "$ENGINE/containerd.log"
		return 1
	fi
	make_image >"$ENGINE/box.tar"
	ctr images import "$ENGINE/box.tar" >/dev/null
}

containerd_answers() {
	ctr version >/dev/null 2>&1
}

# ctr ARGUMENT... is the client, where the daemon is: both sides open the pipes of containers by name.
ctr() {
	(close_descriptors && in_engine_host ctr --address "$ENGINE/containerd.sock" "$@")
}

# make_image prints an archive of the image, as docker save would write it.
make_image() {
	local directory=$ENGINE/image
	mkdir -p "$directory"
	tar --create --file "$directory/layer.tar" --directory "$(image_root)" .
	jq -n '{architecture: "amd64", os: "linux", config: {Env: ["PATH=/bin", "FROM=image"], Cmd: ["sh"]},
		rootfs: {type: "layers", diff_ids: ["sha256:" + $layer]}}' \
		--arg layer "$(sha256sum <"$directory/layer.tar" | cut -d' ' -f1)" >"$directory/config.json"
	echo '[{"Config": "config.json", "RepoTags": ["test/box:latest"], "Layers": ["layer.tar"]}]' >"$directory/manifest.json"
	tar --create --directory "$directory" .
}

stop_containerd() {
	[[ -d ${ENGINE:-} ]] || return 0
	local failed=0
	end_process "$ENGINE/containerd.pid" || failed=1
	remove_engine || failed=1
	return "$failed"
}

begin_containerd_test() {
	begin_test
	ID=$TOKEN
}

# container [FLAG...] -- [COMMAND...] runs the container $ID from the image.
container() {
	local flags=()
	while [[ $1 != -- ]]; do
		flags+=("$1")
		shift
	done
	shift
	ctr run --runc-binary "$(runtime_binary)" --cgroup "/$ENGINE_NAME/$ID" "${flags[@]}" docker.io/test/box:latest "$ID" "$@"
}

# once [FLAG...] -- COMMAND... runs it in the foreground, and sets $status and $output.
once() {
	answer container --rm "$@"
}

# detached [FLAG...] -- COMMAND... starts it.
detached() {
	container --detach "$@"
}

# execute [FLAG...] -- COMMAND... runs one more program in it, and sets $status and $output.
execute() {
	local flags=()
	while [[ $1 != -- ]]; do
		flags+=("$1")
		shift
	done
	shift
	answer ctr tasks exec --exec-id "exec-$(unique)" "${flags[@]}" "$ID" "$@"
}

# task_status prints what containerd knows about the container's process.
task_status() {
	ctr tasks ls | awk -v id="$ID" '$1 == id { print $3 }'
}

has_task_status() {
	[[ $(task_status) == "$1" ]]
}

task_pid() {
	ctr tasks ls | awk -v id="$ID" '$1 == id { print $2 }'
}

# end_containerd_test removes the container and fails if something of it is left.
end_containerd_test() {
	[[ -n ${TOKEN:-} ]] || return 0
	local failed=0
	[[ -n ${BATS_TEST_COMPLETED:-} ]] || { echo "containerd says:" && grep -F -- "$ID" "$ENGINE/containerd.log" | tail -n 20; }
	remove_container || failed=1
	if ! wait_until 10 nothing_of "$ID"; then
		echo "left of the container:"
		rest_of "$ID"
		failed=1
	fi
	teardown_all || failed=1
	return "$failed"
}

remove_container() {
	ctr tasks ls -q | grep -qxF -- "$ID" && { ctr tasks rm --force "$ID" >/dev/null || return; }
	ctr containers ls -q | grep -qxF -- "$ID" && { ctr containers rm "$ID" || return; }
	return 0
}

nothing_of() {
	[[ -z $(rest_of "$1") ]]
}

# rest_of ID prints the processes, cgroups, mounts and state directories of a container.
rest_of() {
	leftovers "$1"
	grep -F -- "$1" "/proc/$(<"$ENGINE/host.pid")/mountinfo" | sed 's/^/mount of the engine /'
	find "$ENGINE/state" "/proc/$(<"$ENGINE/host.pid")/root/run/containerd/runc" -name "*$1*" 2>/dev/null | sed 's/^/file /'
}
