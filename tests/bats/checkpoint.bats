#!/usr/bin/env bats
# checkpoint and restore. The tests that need criu itself are for a kernel that it works on, which the
# guest's is; the others put a program in its place.

setup() { load helpers; load inside; load cgroups; setup_bundle; }
teardown() { teardown_all; }

# needs_criu skips the test where criu says that it cannot work.
needs_criu() {
	local said
	command -v criu >/dev/null || skip "criu is not installed"
	said=$(criu check 2>&1) || skip "criu check: ${said##*Error }"
}

# counting [FILTER [RUN FLAG...]] runs a container that counts in its memory and writes the number to
# $WORK/data/n. When $WORK/data/end is there it exits with code 7. FILTER edits its config.
counting() {
	mkdir "$WORK/data"
	args sh -c 'n=0; until [ -e /data/end ]; do n=$((n + 1)); echo $n >/data/new; mv /data/new /data/n; sleep 0.1; done; exit 7'
	config '.mounts += [{destination: "/data", type: "bind", source: $data, options: ["bind", "rw"]}]' --arg data "$WORK/data"
	config "${1:-.}"
	mkdir "$BUNDLE/rootfs/data"
	ID=$(new_id)
	rt run --detach --bundle "$BUNDLE" "${@:2}" "$ID" >"$WORK/out" 2>&1 || { cat "$WORK/out" && return 1; }
	wait_until 10 test -s "$WORK/data/n"
}

counts_beyond() {
	(($(cat "$WORK/data/n") > $1))
}

# checkpoint_to DIR [FLAG...] checkpoints the container.
checkpoint_to() {
	rt checkpoint --image-path "$WORK/$1" "${@:2}" "$ID" || { cat "$WORK/$1/dump.log" && return 1; }
}

# restore_from DIR [FLAG...] makes a container with a new id.
restore_from() {
	ID=$(new_id)
	rt restore --detach --bundle "$BUNDLE" --image-path "$WORK/$1" "${@:2}" "$ID" >"$WORK/out" 2>&1 ||
		{ cat "$WORK/out" "$WORK/$1/restore.log" && return 1; }
}

# engine takes one terminal from the console socket, and holds it for as long as somebody has it open.
engine() {
	rm -f "$WORK/console.sock"
	"$PEER" console "$WORK/console.sock" <<<end >"$WORK/engine" 2>&1 3>&- &
	ENGINE=$!
	wait_until 10 test -S "$WORK/console.sock"
}

# no_container ID succeeds if there is none of that id.
no_container() {
	runtime state "$1"
	assert_failure 1
	[[ $output == *'does not exist'* ]]
}

# bats test_tags=vm,systemd
@test "what a program has in its memory is there again after checkpoint and restore" {
	needs_criu
	counting
	local before
	checkpoint_to images
	before=$(cat "$WORK/data/n")
	no_container "$ID"
	[[ ! -e $ROOT/$ID ]]
	assert_equal "$(stat -c %a "$WORK/images")" 700
	rm "$WORK/data/n"
	restore_from images --pid-file "$WORK/pid"
	assert_equal "$(container_status "$ID")" running
	assert_equal "$(cat "$WORK/pid")" "$(container_pid "$ID")"
	wait_until 10 test -s "$WORK/data/n"
	counts_beyond "$((before - 1))"
	(($(cat "$WORK/data/n") < before + 100))
	runtime exec "$ID" hostname
	assert_output container
	rt kill "$ID" KILL
	wait_for_status "$ID" stopped
	rt delete "$ID"
}

# bats test_tags=vm
@test "the restored processes are in the cgroup of the new container, with its limits" {
	needs_criu
	needs_controller pids
	counting '.linux.resources.pids.limit = 30'
	checkpoint_to images
	config '.linux.cgroupsPath |= . + "-elsewhere" | .linux.resources.pids.limit = 40'
	restore_from images
	local directory
	directory=$(cgroup_directory "$ID" pids)
	[[ $directory == *-elsewhere* ]]
	assert_equal "$(cat "$directory/pids.max")" 40
	run grep -v -- -elsewhere "/proc/$(container_pid "$ID")/cgroup"
	assert_output ''
}

# bats test_tags=vm
@test "with --leave-running the container runs on, and its images can be restored later" {
	needs_criu
	counting
	local pid first=$ID
	pid=$(container_pid "$ID")
	checkpoint_to images --leave-running --work-path "$WORK/logs"
	assert_equal "$(container_pid "$ID")" "$pid"
	assert_equal "$(container_status "$ID")" running
	[[ -s $WORK/logs/dump.log ]]
	wait_until 10 counts_beyond "$(cat "$WORK/data/n")"
	rt delete --force "$first"
	restore_from images
	wait_until 10 counts_beyond "$(cat "$WORK/data/n")"
}

# bats test_tags=vm
@test "a pre-dump saves memory while the container runs, and the checkpoint the rest" {
	needs_criu
	counting
	criu check --feature mem_dirty_track || skip "this kernel does not track changes of memory"
	checkpoint_to before --pre-dump
	assert_equal "$(container_status "$ID")" running
	checkpoint_to images --parent-path ../before
	assert_equal "$(readlink "$WORK/images/parent")" ../before
	no_container "$ID"
	restore_from images
	wait_until 10 counts_beyond "$(cat "$WORK/data/n")"
}

# bats test_tags=vm
@test "a paused container can be checkpointed" {
	needs_criu
	counting
	rt pause "$ID"
	checkpoint_to images
	no_container "$ID"
	restore_from images
	wait_until 10 counts_beyond "$(cat "$WORK/data/n")"
}

# bats test_tags=vm
@test "in the foreground, restore ends with the code of the program, and the container is gone" {
	needs_criu
	counting
	checkpoint_to images
	ID=$(new_id)
	rt_background restore --bundle "$BUNDLE" --image-path "$WORK/images" "$ID"
	wait_for_status "$ID" running
	touch "$WORK/data/end"
	local status=0
	wait "$RT_PID" || status=$?
	assert_equal "$status" 7
	no_container "$ID"
}

# bats test_tags=vm
@test "hooks: prestart and createRuntime run before the processes do, and poststop at the end" {
	needs_criu
	printf '%s\n' '#!/bin/sh' "echo \$1 \$(jq -r '.status, .pid > 0' | xargs) >>'$WORK/hooks'" >"$WORK/hook"
	chmod +x "$WORK/hook"
	counting '.hooks = ({prestart: ["prestart"], createRuntime: ["createRuntime"], poststart: ["poststart"], poststop: ["poststop"]} |
		map_values(map({path: "'"$WORK/hook"'", args: ["hook", .]})))'
	checkpoint_to images
	: >"$WORK/hooks"
	restore_from images
	assert_equal "$(cat "$WORK/hooks")" $'prestart creating true\ncreateRuntime creating true'
	rt delete --force "$ID"
	assert_equal "$(tail -n1 "$WORK/hooks")" 'poststop stopped false'
}

# bats test_tags=vm
@test "a network namespace that was joined is joined again" {
	needs_criu
	unshare --net sleep 1000 3>&- &
	local holder=$! path=/proc/$!/ns/net
	wait_until 10 eval '[[ $(stat -Lc %i "$path") != "$(stat -Lc %i /proc/self/ns/net)" ]]'
	counting '(.linux.namespaces[] | select(.type == "network")).path = "'"$path"'"'
	checkpoint_to images
	restore_from images
	assert_equal "$(stat -Lc %i "/proc/$(container_pid "$ID")/ns/net")" "$(stat -Lc %i "$path")"
	kill "$holder"
}

# bats test_tags=vm
@test "a terminal is restored, and its master sent to the console socket" {
	needs_criu
	engine
	counting '.process.terminal = true' --console-socket "$WORK/console.sock"
	checkpoint_to images
	wait "$ENGINE"
	engine
	restore_from images --console-socket "$WORK/console.sock"
	wait_until 10 counts_beyond "$(cat "$WORK/data/n")"
	[[ $(readlink "/proc/$(container_pid "$ID")/fd/0") == /dev/pts/0 ]]
	grep 'message 1 with .* 1 descriptors' "$WORK/engine"
	rt delete --force "$ID"
	wait "$ENGINE"
}

# bats test_tags=vm
@test "org.criu.config names a file with more options for criu" {
	needs_criu
	echo 'log-file other.log' >"$WORK/criu.conf"
	counting '.annotations["org.criu.config"] = "'"$WORK/criu.conf"'"'
	checkpoint_to images
	[[ -s $WORK/images/other.log ]]
	rm "$WORK/images/other.log"
	restore_from images
	[[ -s $WORK/images/other.log ]]
}

# bats test_tags=vm
@test "what criu refuses is in the error, with its log, and the container runs on" {
	needs_criu
	counting
	# Nothing answers there.
	runtime checkpoint --image-path "$WORK/images" --page-server 127.0.0.1:9 "$ID"
	assert_failure 1
	[[ ${#lines[@]} == 1 && $output == *"criu failed: "*"(see $WORK/images/dump.log)" ]]
	wait_until 10 counts_beyond "$(cat "$WORK/data/n")"
	assert_equal "$(container_status "$ID")" running
}

# fake_criu SCRIPT puts a program in criu's place that says it is version 3.17, and does nothing else.
fake_criu() {
	mkdir "$WORK/bin"
	printf '%s\n' '#!/bin/sh' "case \$1 in --version) echo Version: ${1:-3.17} ;; *) exit 1 ;; esac" >"$WORK/bin/criu"
	chmod +x "$WORK/bin/criu"
	PATH=$WORK/bin:$PATH
}

@test "a checkpoint that fails leaves the container as it was" {
	fake_criu
	counting
	runtime checkpoint --image-path "$WORK/images" "$ID"
	assert_failure 1
	assert_output "rt: checkpoint $ID: criu failed (see $WORK/images/dump.log)"
	assert_equal "$(container_status "$ID")" running
	wait_until 10 counts_beyond "$(cat "$WORK/data/n")"
}

@test "a restore that fails leaves nothing behind" {
	fake_criu
	mkdir "$WORK/images"
	touch "$WORK/images/inventory.img"
	runtime restore --bundle "$BUNDLE" --image-path "$WORK/images" "$(new_id)"
	assert_failure 1
	[[ $output == *"criu failed (see $WORK/images/restore.log)" ]]
	[[ -z $(ls "$ROOT") ]]
	nothing_left "$TOKEN"
	[[ -x $BUNDLE/rootfs/bin/busybox ]]
}

@test "a container that is not running cannot be checkpointed" {
	fake_criu
	args sleep 1000
	ID=$(new_id)
	runtime checkpoint --image-path "$WORK/images" "$ID"
	assert_failure 1
	[[ $output == *'does not exist'* ]]
	rt create --bundle "$BUNDLE" "$ID"
	runtime checkpoint --image-path "$WORK/images" "$ID"
	assert_failure 1
	assert_output "rt: checkpoint $ID: Container cannot be checkpointed in created state"
	rt kill "$ID" KILL
	wait_for_status "$ID" stopped
	runtime checkpoint --image-path "$WORK/images" "$ID"
	assert_failure 1
	assert_output "rt: checkpoint $ID: Container cannot be checkpointed in stopped state"
	[[ ! -e $WORK/images ]]
}

@test "a mount whose name criu would take for another source is refused" {
	fake_criu
	mkdir -p "$WORK/data" "$BUNDLE/rootfs/x]:"
	args sleep 1000
	ln -s 'x]:' "$BUNDLE/rootfs/link"
	config '.mounts += [{destination: "/link/etc", type: "bind", source: $data, options: ["bind", "ro"]}]' --arg data "$WORK/data"
	mkdir "$BUNDLE/rootfs/x]:/etc"
	ID=$(new_id)
	rt run --detach --bundle "$BUNDLE" "$ID"
	runtime checkpoint --image-path "$WORK/images" "$ID"
	assert_failure 1
	[[ $output == *'mounts[7].destination: "/x]:/etc" contains "]:"'* ]]
	rt delete --force "$ID"
	touch "$WORK/images/inventory.img"
	config '.mounts[7].destination = "/x]:/etc"'
	runtime restore --bundle "$BUNDLE" --image-path "$WORK/images" "$(new_id)"
	assert_failure 1
	[[ $output == *'mounts[7].destination: "/x]:/etc" contains "]:"'* ]]
}

@test "flags that make no sense are refused" {
	fake_criu
	counting
	local flags expected
	while IFS='|' read -r flags expected; do
		# shellcheck disable=SC2086 # several words
		runtime checkpoint --image-path "$WORK/images" $flags "$ID"
		assert_failure 1
		[[ $output == *"$expected"* ]]
	done <<-'END'
		--parent-path /images|--parent-path must be relative
		--parent-path ../none|invalid --parent-path
		--empty-ns user|namespace "user" is not supported
		--page-server 1234|Use --page-server ADDRESS:PORT to specify it
		--page-server localhost:x|Invalid port number
		--manage-cgroups-mode hard|must be soft, full, strict or ignore, got "hard"
		--network-lock door|must be iptables, nftables or skip, got "door"
		--status-fd 9|option --status-fd: descriptor 9: bad file descriptor
	END
	runtime restore --bundle "$BUNDLE" --image-path "$WORK/none" "$(new_id)"
	assert_failure 1
	[[ $output == *"there is no checkpoint in $WORK/none"* ]]
}

@test "without criu, or with one that is too old, the error says so; help works" {
	fake_criu 2.12
	counting
	runtime checkpoint --image-path "$WORK/images" "$ID"
	assert_failure 1
	assert_output "rt: checkpoint $ID: criu 2.12 is too old: 3.0 is the first that will do"
	[[ ! -e $WORK/images ]]
	rm "$WORK/bin/criu"
	local hidden
	hidden=$(command -v criu || true)
	run unshare --mount sh -c '[ -z "$1" ] || mount --bind /dev/null "$1"; shift; exec "$@"' sh "$hidden" \
		"$RT" --root "$ROOT" checkpoint --image-path "$WORK/images" "$ID"
	assert_failure 1
	[[ $output == *'the criu program is not installed'* ]]
	runtime checkpoint --help
	assert_success
	runtime restore --lsm-mount-context
	assert_failure 1
	[[ $output == *'flag needs an argument'* ]]
}
