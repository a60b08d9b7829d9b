# shellcheck shell=bash
# What the tests of rt below real engines share. An engine is started by the file that tests it, in a
# directory and in namespaces of its own, and ended by it.
#
# $RUNTIME is the runtime that the engine calls: rt, or runc, with which the same tests show what the
# engine's users are used to.

load ../bats/helpers
load ../bats/inside

RUNTIME=${RUNTIME:-rt}

# The engines of Debian, not those that somebody may have put in front of them.
PATH=/usr/local/sbin:/usr/sbin:/usr/bin:/sbin:/bin:$PATH

# runtime_binary prints the path of the runtime that the engine is to call.
runtime_binary() {
	if [[ $RUNTIME == rt ]]; then
		realpath "$RT"
	else
		type -P "$RUNTIME"
	fi
}

# needs_engine COMMAND PACKAGE skips a file whose engine is not installed.
needs_engine() {
	type -P "$1" >/dev/null || skip "$1 is not installed: apt-get install $2"
	runtime_binary >/dev/null || skip "$RUNTIME is not installed"
}

# engine_directory NAME makes the directory that an engine keeps everything in, and sets $ENGINE and
# $ENGINE_NAME, which carries the name of this test run: cgroups of the engine are to be called so.
engine_directory() {
	# Files run side by side, and what is called like an engine goes with it.
	export ENGINE_NAME=$RT_SUITE-$BASHPID-$1
	export ENGINE=$BATS_FILE_TMPDIR/$ENGINE_NAME
	mkdir -p "$ENGINE"
}

# start_engine_host starts a process that only holds namespaces: mounts, network and System V IPC of
# the engine are not the host's, and vanish with their last process. In there /run and /opt, where
# engines write without being asked, are empty.
start_engine_host() {
	engine_background "$ENGINE/host.log" unshare --mount --net --ipc --propagation private bash -c "
		mount --make-rshared / && mount -t tmpfs tmpfs /run && mkdir /run/lock && mount -t tmpfs tmpfs /opt && ip link set lo up &&
		: >$ENGINE/host.ready && exec -a $ENGINE_NAME-namespaces sleep infinity"
	echo "$ENGINE_PID" >"$ENGINE/host.pid"
	wait_until 10 test -e "$ENGINE/host.ready" || { cat "$ENGINE/host.log" && return 1; }
}

# in_engine_host COMMAND... runs a command in the namespaces that start_engine_host made.
in_engine_host() {
	exec nsenter --target "$(<"$ENGINE/host.pid")" --mount --net --ipc -- "$@"
}

# engine_background LOG COMMAND... starts a program that outlives the function of bats which starts
# it, and sets $ENGINE_PID to its pid.
engine_background() {
	local log=$1
	shift
	(close_descriptors && exec setsid "$@") </dev/null >>"$log" 2>&1 &
	ENGINE_PID=$!
}

# end_process PIDFILE asks a process to end, and makes it after a time.
end_process() {
	local pid
	pid=$(cat "$1" 2>/dev/null) || return 0
	kill -TERM "$pid" 2>/dev/null
	wait_until 20 gone "$pid" && return
	kill -KILL "$pid"
	wait_until 5 gone "$pid"
}

# remove_engine ends the namespaces of the engine and removes all that is called like it.
remove_engine() {
	end_process "$ENGINE/host.pid"
	local left
	left=$(marked_processes "$ENGINE_NAME")
	if [[ -n $left ]]; then
		echo "processes that the engine left behind:"
		leftovers "$ENGINE_NAME"
		xargs -r kill -KILL <<<"$left"
	fi
	wait_until 5 remove_cgroups "$ENGINE_NAME"
	rm -rf --one-file-system "$ENGINE"
	[[ -z $left ]]
}

# image_root prints the directory of the root filesystem that images are made from.
image_root() {
	echo "$RT_SUITE_ROOTFS"
}

# answer COMMAND... is like run of bats, which has an opinion on exit code 127.
# shellcheck disable=SC2034 # tests look at what it sets
answer() {
	status=0
	output=$("$@" 2>&1) || status=$?
	mapfile -t lines <<<"$output"
}

# inspected TEMPLATE VALUE succeeds if that is what the engine knows about the container $ID: the engines
# of which a test asks that have `inspect TEMPLATE`.
inspected() {
	[[ $(inspect "$1" 2>&1) == "$2" ]]
}

# becomes TEMPLATE VALUE waits until the engine knows that, for at most 15 seconds.
becomes() {
	wait_until 15 inspected "$1" "$2" && return
	echo "$1 is '$(inspect "$1")', not '$2'"
	return 1
}
