#!/usr/bin/env bats
# Attacks on the runtime, by a hostile root filesystem, by a process on the other side of a shared
# volume, or from inside a container. Each test is named after the mechanism and looks at what the
# attack would have changed on the host or shown to the container.

setup() {
	load helpers
	load inside
	load mounts
	setup_bundle
	ROOTFS=$BUNDLE/rootfs
	config 'del(.root.readonly)'
	make_outside
}

teardown() {
	stop_exchange
	teardown_all
}

# make_outside makes $OUTSIDE, a directory of the host that no container may change.
make_outside() {
	OUTSIDE=$WORK/outside
	mkdir -p "$OUTSIDE/dir"
	echo marker >"$OUTSIDE/marker"
	touch "$OUTSIDE/ptmx"
	describe_outside >"$WORK/outside.before"
}

# describe_outside prints all that can be changed there: names, types, modes, owners, contents, and
# the time of the last change of the inode, which sees even what was undone.
describe_outside() {
	find "$OUTSIDE" -printf '%P %y %m %U:%G %s %l %C@\n' | sort
	find "$OUTSIDE" -type f -exec cat {} +
}

assert_outside_untouched() {
	diff "$WORK/outside.before" <(describe_outside)
}

# without_dev leaves /dev to the hostile root filesystem. There are no masks either: those would stop
# at a bad /dev/null before what the test is about.
without_dev() {
	config '.mounts |= map(select(.destination | startswith("/dev") | not)) | del(.linux.maskedPaths)'
}

# only_devpts is without_dev for containers with a terminal.
only_devpts() {
	without_dev
	add_mount /dev/pts devpts devpts newinstance ptmxmode=0666 mode=0620
}

# exchange PATH OTHER makes the two change places until stop_exchange.
exchange() {
	local program
	program=$(tool exchange)
	"$program" "$1" "$2" >"$WORK/exchange.out" 3>&- &
	EXCHANGE=$!
	wait_until 5 test -s "$WORK/exchange.out"
}

stop_exchange() {
	[[ -n ${EXCHANGE:-} ]] || return 0
	kill -KILL "$EXCHANGE"
	wait "$EXCHANGE" || true
	EXCHANGE=
}

# terminal_run runs the container with a terminal, from a terminal on which nobody types.
terminal_run() {
	local keyboard
	config '.process.terminal = true'
	[[ -p $WORK/keyboard ]] || mkfifo "$WORK/keyboard"
	exec {keyboard}<>"$WORK/keyboard"
	run script --quiet --return --command "'$RT' --root '$ROOT' run -b '$BUNDLE' '$(new_id)'" /dev/null <&"$keyboard"
	exec {keyboard}>&-
	output=${output//$'\r'/}
}

# --- the root filesystem ---

@test "dev-null-symlink-to-host: /dev/null and /dev/console of the image lead to a file of the host" {
	without_dev
	ln -s "$OUTSIDE/marker" "$ROOTFS/dev/null"
	ln -s "$OUTSIDE/marker" "$ROOTFS/dev/console"
	config '.process.user = {uid: 1000, gid: 1000}'
	inside 'stat -c "%F %t:%T" /dev/null'
	assert_outside_untouched
	[[ $status -ne 0 || $output == 'character special file 1:3' ]]
}

@test "dev-symlink: /dev of the image leads to a directory of the host" {
	without_dev
	rmdir "$ROOTFS/dev"
	local target
	for target in "$OUTSIDE" "../../../../../../../../..$OUTSIDE"; do
		ln -sfn "$target" "$ROOTFS/dev"
		inside true
		assert_outside_untouched
	done
	terminal_run
	assert_outside_untouched
}

@test "parent-symlink: a directory on the way to a mount point leads out of the root" {
	rm -r "${ROOTFS:?}/etc"
	echo bound >"$WORK/bound"
	local target
	for target in "$OUTSIDE" "../../../../../../../../..$OUTSIDE" "/proc/1/root$OUTSIDE" "/proc/self/cwd$OUTSIDE"; do
		ln -sfn "$target" "$ROOTFS/etc"
		setup_mount_under_etc
		inside 'cat /etc/x'
		assert_outside_untouched
		[[ $status -ne 0 || $output == bound ]]
	done
}

setup_mount_under_etc() {
	config '.mounts |= map(select(.destination | startswith("/etc") | not))'
	add_mount /etc/x none "$WORK/bound" bind
	add_mount /etc/dir/deep tmpfs tmpfs
}

@test "every-name-a-symlink: each name that the runtime makes in a root leads out of it" {
	local name
	without_dev
	config '
		.process.cwd = "/cwd/sub" |
		.linux.devices = [{path: "/devices/x", type: "c", major: 1, minor: 3}, {path: "/dev/y", type: "p"}] |
		.linux.maskedPaths = ["/masked/file"] | .linux.readonlyPaths = ["/readonly"] |
		.mounts += [{destination: "/mnt/sub", type: "tmpfs", source: "tmpfs", options: ["tmpcopyup"]}]
	'
	add_mount /bound/file none "$WORK/outside.before" bind ro
	for name in null zero full random urandom tty console ptmx fd stdin stdout stderr core pts shm mqueue y; do
		ln -s "$OUTSIDE/$name" "$ROOTFS/dev/$name"
	done
	rm -r "${ROOTFS:?}/etc" "${ROOTFS:?}/run"
	for name in cwd devices masked readonly mnt bound etc run; do
		ln -s "$OUTSIDE/dir" "$ROOTFS/$name"
	done
	inside true
	assert_outside_untouched
	rm "$ROOTFS"/dev/*
	inside true
	assert_outside_untouched
	config 'del(.linux.devices)'
	inside true
	assert_outside_untouched
}

@test "proc-symlink: /proc and /sys of the image must be directories" {
	local place
	for place in proc sys; do
		mv "$ROOTFS/$place" "$ROOTFS/bad-$place"
		ln -s "bad-$place" "$ROOTFS/$place"
		runtime create -b "$BUNDLE" "$(new_id)"
		assert_failure 1
		assert_contains 'must be mounted on ordinary directory'
		nothing_made
		assert_equal "$(ls -A "$ROOTFS/bad-$place")" ''
		rm "$ROOTFS/$place"
		mv "$ROOTFS/bad-$place" "$ROOTFS/$place"
	done
	rmdir "$ROOTFS/proc"
	touch "$ROOTFS/proc"
	runtime create -b "$BUNDLE" "$(new_id)"
	assert_failure 1
	nothing_made
}

@test "fake-proc: what is mounted on /proc must be procfs" {
	mkdir -p "$WORK/fake/self/attr" "$WORK/fake/self/fd" "$WORK/fake/sys/net/ipv4"
	touch "$WORK/fake/self/attr/exec" "$WORK/fake/sys/net/ipv4/ip_forward"
	config '.linux.sysctl = {"net.ipv4.ip_forward": "1"} | .linux.maskedPaths = [] | .linux.readonlyPaths = []'
	config '.mounts |= map(select(.destination != "/proc"))'
	add_mount /proc none "$WORK/fake" bind
	runtime create -b "$BUNDLE" "$(new_id)"
	assert_failure 1
	assert_contains "$(last_mount)"
	nothing_made
	assert_equal "$(cat "$WORK/fake/sys/net/ipv4/ip_forward")" ''
	config '(.mounts[] | select(.destination == "/proc")) |= {destination: "/proc", type: "tmpfs", source: "tmpfs"}'
	runtime create -b "$BUNDLE" "$(new_id)"
	assert_failure 1
	assert_contains "$(last_mount)"
	nothing_made
}

@test "proc-by-symlink: a mount point of the image leads into /proc" {
	mkdir -p "$WORK/fake/attr"
	local target
	for target in /proc /proc/self /proc/sys /proc/1/attr; do
		ln -sfn "$target" "$ROOTFS/data"
		config '.mounts |= map(select(.destination != "/data"))'
		add_mount /data none "$WORK/fake" bind
		runtime create -b "$BUNDLE" "$(new_id)"
		assert_failure 1
		assert_contains "$(last_mount)"
		nothing_made
	done
}

# A file of /proc/sys/net is another one in every network namespace: what was mounted on it is not there
# in the container. kernel.domainname is the same file everywhere.
@test "redirected-procfs: the container's /proc has another file in the place of a kernel parameter" {
	config '
		.linux.sysctl = {"kernel.domainname": "example.org"} | .linux.maskedPaths = [] | .linux.readonlyPaths = [] |
		.mounts |= map(select(.destination != "/proc")) | del(.linux.namespaces[] | select(.type == "pid"))
	'
	add_mount /proc none "$WORK/proc" rbind
	args sleep 600
	echo untouched >"$WORK/parameter"
	# shellcheck disable=SC2016
	in_mount_namespace private '
		mkdir "$WORK/proc"
		mount -t proc proc "$WORK/proc"
		mount --bind "$WORK/parameter" "$WORK/proc/sys/kernel/domainname"
		"$RT" --root "$ROOT" run -d -b "$BUNDLE" "$1" >/dev/null 2>&1 || exit 0
		pid=$("$RT" --root "$ROOT" state "$1" | jq .pid)
		nsenter --uts --target "$pid" cat /proc/sys/kernel/domainname
		"$RT" --root "$ROOT" delete --force "$1"
	' "$(new_id)"
	assert_success
	assert_equal "$(cat "$WORK/parameter")" untouched
	[[ -z $output || $output == example.org ]]
}

# --- a shared volume ---

# attack RUNS runs the container so often, and each time checks what must hold then with the function
# verdict.
attack() {
	local n output status
	for ((n = 0; n < $1; n++)); do
		status=0
		"$RT" --root "$ROOT" run -b "$BUNDLE" "$TOKEN-$n" >"$WORK/attack.out" 2>&1 || status=$?
		output=$(<"$WORK/attack.out")
		verdict || {
			echo "in run $n, exit code $status: $output"
			return 1
		}
	done
	stop_exchange
	assert_outside_untouched
}

# Whatever the destination was when it was looked up, what was mounted there is in the container: a
# mount that went elsewhere is missing from its mountinfo.
@test "exchanged-destination: a mount point in a volume becomes a symlink to the host" {
	mkdir -p "$WORK/volume/d" "$ROOTFS$OUTSIDE/dir"
	ln -s "$OUTSIDE/dir" "$WORK/volume/link"
	add_mount /v none "$WORK/volume" bind
	add_mount /v/d tmpfs raced
	args sh -c 'grep -c " tmpfs raced " /proc/self/mountinfo'
	before=$(cat /proc/self/mountinfo)
	exchange "$WORK/volume/d" "$WORK/volume/link"
	verdict() { [[ $status -eq 0 && $output == 1 || $status -ne 0 && $output == *"$(last_mount)"* ]]; }
	attack 150
	assert_equal "$(cat /proc/self/mountinfo)" "$before"
}

@test "exchanged-parent: missing mount points are not made outside the root" {
	mkdir -p "$WORK/volume/d" "$ROOTFS$OUTSIDE/dir"
	ln -s "$OUTSIDE/dir" "$WORK/volume/link"
	add_mount /v none "$WORK/volume" bind
	add_mount /v/d/a/b/c tmpfs raced
	args sh -c 'rm -rf /v/d/a /v/link/a; grep -c " tmpfs raced " /proc/self/mountinfo'
	exchange "$WORK/volume/d" "$WORK/volume/link"
	verdict() {
		rm -rf "$WORK"/volume/{d,link}/a "$ROOTFS$OUTSIDE/dir/a" 2>/dev/null
		[[ $status -eq 0 && $output == *1 || $status -ne 0 && $output == *"$(last_mount)"* ]]
	}
	attack 150
}

@test "exchanged-dev-null: the file behind a mask is a device 1:3 or the container fails" {
	mkdir "$WORK/dev"
	mknod -m 666 "$WORK/dev/null" c 1 3
	ln -s /etc/passwd "$WORK/dev/link"
	without_dev
	add_mount /dev none "$WORK/dev" bind
	config '.linux.maskedPaths = ["/proc/timer_list"]'
	args sh -c 'cat /proc/timer_list; stat -c "%F %t:%T" /proc/timer_list'
	exchange "$WORK/dev/null" "$WORK/dev/link"
	verdict() { [[ $status -ne 0 || $output == 'character special file 1:3' ]]; }
	attack 75
}

@test "masked-by-symlink: /dev/null of the image leads to the file that masks are made of" {
	without_dev
	echo 'shown by the mask' >"$ROOTFS/etc/shown"
	config '.linux.maskedPaths = ["/proc/timer_list"]'
	local target
	for target in /etc/shown /proc/sys/kernel/core_pattern "$OUTSIDE/marker"; do
		ln -sf "$target" "$ROOTFS/dev/null"
		inside 'cat /proc/timer_list; stat -c "%F %t:%T" /proc/timer_list'
		[[ $status -ne 0 || $output == 'character special file 1:3' ]]
		assert_outside_untouched
	done
}

@test "masked-by-file: /dev is a volume in which null is a file" {
	mkdir "$WORK/dev"
	echo 'shown by the mask' >"$WORK/dev/null"
	without_dev
	add_mount /dev none "$WORK/dev" bind
	config '.linux.maskedPaths = ["/proc/timer_list"]'
	inside 'cat /proc/timer_list; stat -c "%F %t:%T" /proc/timer_list'
	[[ $status -ne 0 || $output == 'character special file 1:3' ]]
}

# --- the console ---

@test "console-symlink: /dev/console of the image leads to a new file on the host" {
	only_devpts
	local read_only terminal
	for read_only in true false; do
		for terminal in true false; do
			ln -sf "$OUTSIDE/new" "$ROOTFS/dev/console"
			config ".root.readonly = $read_only | .process.terminal = $terminal"
			args sh -c 'echo x >/dev/console'
			if [[ $terminal == true ]]; then
				terminal_run
			else
				run_container
			fi
			assert_outside_untouched
		done
	done
}

# Whatever the image leads to, the terminal is one of the container's own devpts.
@test "pts-symlink: the terminals of the image lead to a file, or to the terminals of the host" {
	local n target
	without_dev
	add_mount /host none /dev rbind
	mkdir -p "$ROOTFS/dev/pts"
	echo untouched >"$ROOTFS/etc/victim"
	args tty
	for target in /etc/victim /host/pts/ptmx; do
		for n in 0 1 2 3 4 5 6 7 8 9 ptmx; do
			ln -sfn "$target" "$ROOTFS/dev/pts/$n"
		done
		ln -sfn "$target" "$ROOTFS/dev/ptmx"
		terminal_run
		assert_failure
		assert_contains 'a terminal needs a devpts filesystem on /dev/pts of the container'
		nothing_made
	done
	assert_equal "$(cat "$ROOTFS/etc/victim")" untouched
}

# A multiplexer that is no part of a devpts takes the one that is mounted as "pts" beside it.
@test "pts-device: the multiplexer of the image is a device of its own" {
	without_dev
	mkdir -p "$ROOTFS/dev/pts"
	mknod "$ROOTFS/dev/pts/ptmx" c 5 2
	add_mount /dev/pts/pts devpts devpts newinstance ptmxmode=0666 mode=0620
	args tty
	terminal_run
	assert_failure
	assert_contains 'a terminal needs a devpts filesystem on /dev/pts of the container'
	nothing_made
}

@test "null-stream-symlink: standard streams are not opened again on a file behind /dev/null" {
	without_dev
	mkdir "$WORK/volume"
	echo content >"$WORK/volume/f"
	add_mount /vol none "$WORK/volume" bind
	ln -s /vol/f "$ROOTFS/dev/null"
	config '.process.user = {uid: 1000, gid: 1000}'
	args sh -c 'cat; echo written; echo written >&2'
	rt_alone run -b "$BUNDLE" "$(new_id)" </dev/null >/dev/null 2>&1 || true
	assert_equal "$(stat -c %u:%g "$WORK/volume/f") $(cat "$WORK/volume/f")" '0:0 content'
}

@test "host-null-owner: /dev/null of the host stays root's when it is the program's stream" {
	config '.process.user = {uid: 1000, gid: 1000}'
	local before after
	before=$(stat -c %u:%g /dev/null)
	rt_alone run -d -b "$BUNDLE" "$(new_id)" </dev/null >/dev/null 2>&1
	after=$(stat -c %u:%g /dev/null)
	chown "$before" /dev/null
	assert_equal "$after" "$before"
}

# --- descriptors and the runtime's own program ---

@test "runtime-overwrite: the runtime is not to be had through /proc/PID/exe" {
	before=$(sha256sum <"$RT")
	id=$(new_id)
	args sleep 600
	rt create -b "$BUNDLE" "$id"
	pid=$(container_pid "$id")
	[[ ! "/proc/$pid/exe" -ef $RT ]]
	exec 9<"/proc/$pid/exe"
	image=$(sha256sum <&9)
	run bash -c 'echo overwritten >"$1"' bash "/proc/$pid/exe"
	assert_failure
	rt delete --force "$id"
	# Nobody executes it any more: what refuses now is not ETXTBSY.
	run bash -c 'echo overwritten >>/proc/self/fd/9'
	assert_failure
	run bash -c ': >/proc/self/fd/9'
	assert_failure
	exec 9<&-
	exec 9<"$RT"
	assert_equal "$(sha256sum <"$RT")" "$before"
	[[ -n $image ]]
	exec 9<&-
}

@test "runtime-as-program: a container that executes /proc/self/exe gets nothing of the host" {
	before=$(sha256sum <"$RT")
	args /proc/self/exe
	run timeout --kill-after 1 10 "$RT" --root "$ROOT" run -b "$BUNDLE" "$(new_id)"
	assert_failure
	((status != 124 && status != 137))
	printf '#!/proc/self/exe\n' >"$ROOTFS/bin/attack"
	chmod 755 "$ROOTFS/bin/attack"
	args attack
	run timeout --kill-after 1 10 "$RT" --root "$ROOT" run -b "$BUNDLE" "$(new_id)"
	assert_failure
	((status != 124 && status != 137))
	assert_equal "$(sha256sum <"$RT")" "$before"
	assert_outside_untouched
}

# run_leaking DIRECTORY runs the container with descriptors 3 to 20 open on the directory.
run_leaking() {
	# shellcheck disable=SC2016
	run bash -c 'for n in {3..20}; do eval "exec $n<\$1"; done; shift; exec "$@"' bash "$1" \
		"$RT" --root "$ROOT" run -b "$BUNDLE" "$(new_id)"
}

@test "leaked-directory: the working directory is below /proc/self/fd, where the caller left a directory open" {
	local n
	args sh -c 'cat marker; readlink /proc/self/cwd'
	for n in {0..10} 20; do
		config '.process.cwd = $path' --arg path "/proc/self/fd/$n"
		run_leaking "$OUTSIDE"
		assert_failure
		refute_contains marker$'\n'
		refute_contains '(unreachable)'
	done
	assert_outside_untouched
}

@test "leaked-program: the program is below /proc/self/fd, where the caller left a directory open" {
	local n path
	mkdir "$WORK/host"
	printf '#!/bin/sh\necho executed\n' >"$WORK/host/program"
	chmod 755 "$WORK/host/program"
	for n in {3..9} 20; do
		for path in program "../../../../../../../..$WORK/host/program"; do
			args "/proc/self/fd/$n/$path"
			run_leaking "$WORK/host"
			assert_failure
			refute_contains executed$'\n'
		done
	done
}

@test "waiting-descriptors: a created container holds nothing of the host but its streams and the runtime's end of the line" {
	args sleep 600
	id=$(new_id)
	rt_alone create -b "$BUNDLE" "$id" >"$WORK/out" 2>&1
	pid=$(container_pid "$id")
	local fd mount allowed='^(/dev/null|socket:.*|/.*/(out|gate|result))$'
	for fd in "/proc/$pid/fd"/*; do
		if [[ -d $fd ]]; then
			mount=$(sed -n 's/^mnt_id:\t//p' "/proc/$pid/fdinfo/${fd##*/}")
			grep -q "^$mount " "/proc/$pid/mountinfo"
		else
			[[ $(readlink "$fd") =~ $allowed ]]
		fi || {
			echo "$fd -> $(readlink "$fd")"
			return 1
		}
	done
	for fd in root cwd; do
		assert_equal "$(stat -Lc %d:%i "/proc/$pid/$fd")" "$(stat -c %d:%i "$ROOTFS")"
	done
}

# Attacker and victim have the same capabilities and lack the one that would entitle the attacker: only
# the victim's being undumpable (PR_SET_DUMPABLE, see ptrace(2)) stands between them.
@test "dumpable-init: a container that shares the pid namespace cannot reach into one that waits for start" {
	local unentitled=(setpriv --inh-caps -sys_ptrace --bounding-set -sys_ptrace)
	config 'del(.process.capabilities)'
	args sleep 600
	id=$(new_id)
	"${unentitled[@]}" "$RT" --root "$ROOT" create -b "$BUNDLE" "$id" >"$WORK/out" 2>&1 3>&-
	pid=$(container_pid "$id")
	config '
		(.linux.namespaces[] | select(.type == "pid").path) = $path | .linux.cgroupsPath += "-attacker" |
		[$own | splits(",") | "CAP_" + ascii_upcase | select(. != "CAP_SYS_PTRACE")] as $all |
		.process.capabilities = {bounding: $all, permitted: $all, effective: $all}
	' --arg path "/proc/$pid/ns/pid" --arg own "$(setpriv --dump | sed -n 's/^Capability bounding set: //p')"
	inside 'test -d /proc/1 && ls /proc/1/root/; for f in exe cwd root fd/3 fd/4; do ! readlink /proc/1/$f || echo "read $f"; done'
	assert_success
	refute_contains read' '
	assert_contains '/proc/1/root/: Permission denied'
}

# strace holds the joining process up after it has given up what the attacker does not have either.
@test "dumpable-exec: a process of the container cannot reach into one that has joined and is not executed yet" {
	needs strace
	config '
		[$own | splits(",") | "CAP_" + ascii_upcase | select(. != "CAP_SYS_PTRACE")] as $all |
		.process.capabilities = {bounding: $all, permitted: $all, effective: $all}
	' --arg own "$(setpriv --dump | sed -n 's/^Capability bounding set: //p')"
	args sleep 600
	id=$(new_id)
	rt run --detach -b "$BUNDLE" "$id"
	strace -f -qq -o /dev/null -e trace=faccessat2 -e inject=faccessat2:delay_enter=30s \
		"$RT" --root "$ROOT" exec "$id" /bin/true >"$WORK/held" 2>&1 3>&- &
	local held=$! reach='
		for p in /proc/[0-9]*; do
			[ "$(cat $p/comm)" = rt-init ] || continue
			echo found; ls $p/root/; for f in exe cwd fd/0; do ! readlink $p/$f || echo "read $f"; done
		done'
	wait_until 20 is_found "$reach" || true
	runtime exec "$id" sh -c "$reach"
	kill -KILL "$held" # what it held up goes on
	wait "$held" || true
	assert_contains found
	assert_contains 'root/: Permission denied'
	refute_contains 'read '
}

is_found() {
	rt exec "$id" sh -c "$1" 2>&1 | grep -qx found
}

# /proc/net/unix is that of a network namespace: in one of its own there are no sockets but rt's.
@test "abstract-socket: the runtime has no abstract socket that a container on the host's network could reach" {
	config 'del(.linux.namespaces[] | select(.type == "network"))'
	args true
	export RT ROOT BUNDLE
	# shellcheck disable=SC2016
	run unshare --net bash -eu -c '
		while grep -o " @.*" /proc/self/net/unix || true; do :; done &
		sampler=$!
		for id; do
			"$RT" --root "$ROOT" create -b "$BUNDLE" "$id" >/dev/null 2>&1
			grep -o " @.*" /proc/self/net/unix || true
			"$RT" --root "$ROOT" start "$id"
			"$RT" --root "$ROOT" delete --force "$id"
		done
		kill "$sampler"
	' bash "$(new_id)" "$(new_id)" "$(new_id)" "$(new_id)" "$(new_id)"
	assert_success
	assert_output ''
}

@test "descriptors-per-mount: 500 mounts with 64 descriptors" {
	config 'del(.process.rlimits) | .mounts += [range(500) | {destination: "/many/\(.)", type: "none", source: $source, options: ["bind", "ro"]}]' --arg source "$OUTSIDE"
	args grep -c ' /many/' /proc/self/mountinfo
	run bash -c 'ulimit -Sn 64; ulimit -Hn 64; exec "$@"' bash "$RT" --root "$ROOT" run -b "$BUNDLE" "$(new_id)"
	assert_success
	assert_output 500
}

# --- procfs, sysfs and the host's mounts ---

@test "deferred-readonly: the root is read-only although /proc is not what it seems" {
	config '.root.readonly = true'
	mkdir -p "$WORK/fd"
	add_mount /proc/self/fd none "$WORK/fd" bind
	run_container
	assert_failure
	nothing_made
	config '.mounts |= map(select(.destination | startswith("/proc") | not)) | del(.linux.maskedPaths, .linux.readonlyPaths)'
	mkdir -p "$ROOTFS/proc/self"
	ln -s "$OUTSIDE" "$ROOTFS/proc/self/fd"
	inside 'touch /new'
	assert_failure
	assert_contains 'Read-only file system'
	assert_outside_untouched
}

@test "writable-sys: every mount of and below /sys is read-only, with and without namespaces" {
	local gone
	for gone in none network cgroup; do
		config 'del(.linux.namespaces[] | select(.type == $type))' --arg type "$gone"
		inside 'awk "\$5 ~ /^\/sys(\/|\$)/ && \$6 !~ /^ro(,|\$)/" /proc/self/mountinfo'
		assert_success
		assert_output ''
	done
}

@test "shared-propagation: nothing that the container mounts reaches a host whose mounts are shared" {
	config '.process.capabilities |= map_values(. + ["CAP_SYS_ADMIN"])'
	args sh -c 'mount -t tmpfs escaped /tmp && mount -t tmpfs escaped /proc/acpi; cat /proc/self/mountinfo'
	# shellcheck disable=SC2016
	in_mount_namespace shared '
		"$RT" --root "$ROOT" run -b "$BUNDLE" "$1" >"$WORK/inside"
		cat /proc/self/mountinfo
	' "$(new_id)"
	assert_success
	refute_contains escaped
	output=$(cat "$WORK/inside")
	assert_contains ' escaped '
	refute_contains shared:
}

@test "no-mount-namespace: the host's mounts and their propagation are left alone" {
	config 'del(.linux.namespaces[] | select(.type == "mount")) | .mounts = [] | del(.linux.maskedPaths, .linux.readonlyPaths)'
	local extra
	for extra in '.' '.linux.rootfsPropagation = "private"' '.linux.rootfsPropagation = "rslave"' '.root.readonly = true'; do
		config "$extra"
		args true
		# shellcheck disable=SC2016
		in_mount_namespace shared '
			before=$(cat /proc/self/mountinfo)
			"$RT" --root "$ROOT" run -b "$BUNDLE" "$1" || echo refused
			diff <(echo "$before") /proc/self/mountinfo
		' "$(new_id)"
		assert_success
	done
}

# --- names and files of the image ---

@test "id-escape: an id cannot name a file outside the state root" {
	mkdir "$WORK/state/inner"
	local id verb
	touch "$WORK/victim"
	for id in '..' '.' '../victim' 'a/../../victim' '/' "$WORK/victim" 'a/b' $'a\nb' 'a b' 'a\b' '~' '*' 'a;b' 'ä' $'\x01'; do
		for verb in create 'delete --force' state; do
			# shellcheck disable=SC2086
			case $verb in
			create) run "$RT" --root "$WORK/state/inner" create -b "$BUNDLE" -- "$id" ;;
			*) run "$RT" --root "$WORK/state/inner" $verb -- "$id" ;;
			esac
			[[ $verb == 'delete --force' ]] || assert_failure
		done
	done
	assert_equal "$(find "$WORK/state" -mindepth 1)" "$WORK/state/inner"
	[[ -e $WORK/victim ]]
	nothing_left "$TOKEN"
	rmdir "$WORK/state/inner"
}

@test "hostile-passwd: files of users and groups that block or have no end cost neither time nor memory" {
	local hostile before pid
	config '.process.env = ["PATH=/bin"]'
	args sh -c 'echo "home $HOME"; sleep 600'
	for hostile in fifo huge line zero; do
		rm -f "$ROOTFS"/etc/{passwd,group}
		case $hostile in
		fifo) mkfifo "$ROOTFS/etc/passwd" "$ROOTFS/etc/group" ;;
		huge) truncate -s 10G "$ROOTFS/etc/passwd" "$ROOTFS/etc/group" ;;
		line) head -c 1048576 /dev/zero | tr '\0' x | tee "$ROOTFS/etc/passwd" >"$ROOTFS/etc/group" ;;
		zero) ln -s /dev/zero "$ROOTFS/etc/passwd" && ln -s /dev/zero "$ROOTFS/etc/group" ;;
		esac
		: >"$WORK/background.out"
		before=${EPOCHREALTIME/./}
		rt_background run -b "$BUNDLE" "$(new_id)"
		wait_until 5 test -s "$WORK/background.out"
		((${EPOCHREALTIME/./} - before < 1000000)) || { echo "$hostile: too slow"; return 1; }
		assert_equal "$hostile: $(cat "$WORK/background.out")" "$hostile: home /"
		(($(sed -n 's/^VmHWM:\t *\([0-9]*\) kB/\1/p' "/proc/$RT_PID/status") < 20480)) || { echo "$hostile: too large"; return 1; }
		delete_containers
		wait "$RT_PID" || true
	done
}
