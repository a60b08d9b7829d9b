# shellcheck shell=bash
# What every test of the built binary starts from and ends with.
#
#   setup()    { load helpers; setup_bundle; }
#   teardown() { teardown_all; }
#
# A test owns one directory, $WORK. Its name, $TOKEN, is part of every container id, cgroup and path
# that the test makes, so that teardown_all can find by name whatever the test, or rt, left behind.

bats_require_minimum_version 1.7.0

REPO=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
RT=${RT:-$REPO/bin/rt}
# RT_PROGRAM is for those who are the user already that $RT is run as.
RT_PROGRAM=${RT_PROGRAM:-$RT}

# begin_test names the test and makes its directory and its state root. setup_bundle calls it; a test
# that needs no bundle may call it alone.
begin_test() {
	[[ -n ${TOKEN:-} ]] && return
	TOKEN=$(printf '%s-%04d' "${RT_SUITE:?tests run through bats, with tests/bats/setup_suite.bash}" "$BATS_SUITE_TEST_NUMBER")
	WORK=$BATS_TEST_TMPDIR/$TOKEN
	ROOT=$WORK/state
	BUNDLE=
	mkdir -p "$ROOT"
	if ordinary; then
		for_container "$WORK" "$ROOT"
		reachable "$WORK"
	fi
	exec </dev/null
	cd "$WORK" || return
}

# setup_bundle [DIR] makes a bundle with a busybox root and a default config.json, and sets $BUNDLE.
# DIR is absolute or below $WORK, and defaults to "bundle". Each bundle has a cgroupsPath of its own;
# to start several containers from one bundle, take it out: config 'del(.linux.cgroupsPath)'.
setup_bundle() {
	begin_test
	local directory=${1:-bundle}
	[[ $directory == /* ]] || directory=$WORK/$directory
	BUNDLE=$directory
	mkdir -p "$BUNDLE"
	cp -a "$RT_SUITE_ROOTFS" "$BUNDLE/rootfs"
	local config
	config=$(<"$RT_SUITE_CONFIG")
	echo "${config/cgroup-of-the-test/$TOKEN-$(unique)}" >"$BUNDLE/config.json"
}

# reachable PATH lets everybody pass through the directories that lead to the path, as far as the tests
# have made them.
reachable() {
	local path=$1
	while [[ $path == "$BATS_RUN_TMPDIR"* ]]; do
		chmod a+x "$path"
		path=${path%/*}
	done
}

# skip_in MATRIX REASON skips the test in that kind of run ($RT_MATRIX): root, which is the ordinary
# one, userns, in which every container has a user namespace unless the test takes it out, or rootless,
# in which moreover rt is run by an ordinary user. What is said of userns is true of rootless.
skip_in() {
	[[ ${RT_MATRIX:-root} != "$1" && ${RT_MATRIX:-root}:$1 != rootless:userns ]] || skip "$2"
}

# mapped succeeds where every container has a user namespace.
mapped() {
	[[ ${RT_MATRIX:-root} != root ]]
}

# ordinary succeeds where an ordinary user runs rt.
ordinary() {
	[[ ${RT_MATRIX:-root} == rootless ]]
}

# needs_cgroup skips the test where containers have no cgroup.
needs_cgroup() {
	skip_in rootless 'no cgroup is delegated to the user'
}

# host_id N prints what user or group N of a container is on the host.
host_id() {
	mapped && echo $((100000 + $1)) || echo "$1"
}

# unmapped_id N prints what user or group N of the host is in a container.
unmapped_id() {
	mapped && echo 65534 || echo "$1"
}

# for_container PATH... gives files to the root of the containers.
for_container() {
	chown -hR "$(host_id 0):$(host_id 0)" "$@"
}

# config FILTER [JQ OPTION...] edits config.json of the current bundle in place. Everybody can read it,
# whatever the umask.
config() {
	local filter=$1
	shift
	(umask 022 && exec jq "$@" "$filter" "$BUNDLE/config.json" >"$BUNDLE/.config.json") && mv "$BUNDLE/.config.json" "$BUNDLE/config.json"
}

# args COMMAND [ARGUMENT...] sets process.args.
args() {
	local filter='.process.args = $ARGS.positional'
	(umask 022 && exec jq "$filter" "$BUNDLE/config.json" --args -- "$@" >"$BUNDLE/.config.json") && mv "$BUNDLE/.config.json" "$BUNDLE/config.json"
}

# unique prints a word that no other call of this test run gets.
unique() {
	printf '%08x%08x\n' "$SRANDOM" "$SRANDOM"
}

# new_id prints a container id that carries the test's name, and remembers it for teardown_all.
new_id() {
	local id
	id=$TOKEN-$(unique)
	printf '%s\n' "$id" >>"$WORK/ids"
	printf '%s\n' "$id"
}

# rt ARGUMENT... runs the binary under test on this test's state root.
#
# A detached container keeps the stdout and stderr that it was started with. Were they the pipes of
# `run` or of $(...), the test would wait for the container; so pipes are replaced by files whose
# contents are passed on when rt returns. For the same reason no descriptor above 2 is handed on,
# except those named in $RT_KEEP_FDS ("3 4").
rt() {
	local status=0 stdout=1 stderr=2 capture
	capture=$WORK/output.$(unique)
	if [[ -p /dev/fd/1 ]]; then
		exec {stdout}>"$capture.out"
	fi
	if [[ -p /dev/fd/2 && /dev/fd/1 -ef /dev/fd/2 ]]; then
		stderr=$stdout
	elif [[ -p /dev/fd/2 ]]; then
		exec {stderr}>"$capture.err"
	fi
	rt_alone "$@" 1>&"$stdout" 2>&"$stderr" || status=$?
	if ((stdout != 1)); then
		exec {stdout}>&-
		cat "$capture.out"
	fi
	if [[ -e $capture.err ]]; then
		exec {stderr}>&-
		cat "$capture.err" >&2
	fi
	return "$status"
}

# rt_alone ARGUMENT... runs the binary with the caller's stdin, stdout and stderr as they are.
rt_alone() {
	(
		close_descriptors
		exec "$RT" --root "$ROOT" "$@"
	)
}

# rt_background ARGUMENT... starts the binary and sets $RT_PID to its own process id, not that of a
# shell around it. Its output goes to $WORK/background.out and .err unless redirected by the caller
# to something that is not a pipe.
rt_background() {
	local stdout=$WORK/background.out stderr=$WORK/background.err
	(
		close_descriptors
		exec "$RT" --root "$ROOT" "$@" >"$stdout" 2>"$stderr"
	) &
	export RT_PID=$!
}

# close_descriptors closes every descriptor above 2 that $RT_KEEP_FDS does not name.
close_descriptors() {
	local path fd
	for path in /proc/"$BASHPID"/fd/*; do
		fd=${path##*/}
		if ((fd > 2)) && [[ " ${RT_KEEP_FDS:-} " != *" $fd "* ]]; then
			exec {fd}>&-
		fi
	done
}

# runtime ARGUMENT... is `run rt ARGUMENT...`: it sets $status, $output and $lines.
runtime() {
	run rt "$@"
}

# container_status ID prints the status that `rt state` reports.
container_status() {
	rt state "$1" | jq -r .status
}

# container_pid ID prints the pid of the container's init as the caller sees it.
container_pid() {
	rt state "$1" | jq -e 'if .pid > 0 then .pid else empty end'
}

# wait_for_status ID STATUS [SECONDS] waits until `rt state` reports the status.
wait_for_status() {
	local id=$1 wanted=$2 seconds=${3:-10}
	wait_until "$seconds" has_status "$id" "$wanted" && return
	echo "container $id is '$(container_status "$id")', not '$wanted', after $seconds s" >&2
	return 1
}

has_status() {
	[[ $(container_status "$1" 2>/dev/null) == "$2" ]]
}

# wait_until SECONDS COMMAND [ARGUMENT...] repeats the command until it succeeds. On a machine that is
# slower than others, seconds are longer: $RT_SLOWNESS times as long.
wait_until() {
	local deadline=$((${EPOCHREALTIME/./} + $1 * ${RT_SLOWNESS:-1} * 1000000))
	shift
	until "$@"; do
		((${EPOCHREALTIME/./} < deadline)) || return 1
		sleep 0.02
	done
}

# gone PID succeeds when the process has ended (a zombie has ended).
gone() {
	local state
	state=$(sed -n 's/^State:[[:space:]]*\(.\).*/\1/p' "/proc/$1/status" 2>/dev/null) || return 0
	[[ -z $state || $state == [ZX] ]]
}

# teardown_all deletes the test's containers by force and fails if a process, mount, cgroup, network
# namespace or state entry of this test is left after that. What it finds it also removes, so that one
# failing test does not spoil the next.
teardown_all() {
	[[ -n ${WORK:-} && -d $WORK ]] || return 0
	local failed=0
	cd /
	delete_containers || failed=1
	if ! wait_until 5 nothing_left "$TOKEN"; then
		echo "left behind by this test:"
		leftovers "$TOKEN"
		sweep "$TOKEN"
		failed=1
	fi
	if [[ -n $(ls -A "$ROOT" 2>/dev/null) ]]; then
		echo "left behind in the state root:" && find "$ROOT" -mindepth 1
		failed=1
	fi
	rm -rf --one-file-system "$WORK" || failed=1
	return "$failed"
}

# delete_containers deletes every container that the test named or that its state root knows.
delete_containers() {
	local id failed=0
	while read -r id; do
		[[ -n $id ]] || continue
		timeout --foreground "$((30 * ${RT_SLOWNESS:-1}))" "$RT" --root "$ROOT" delete --force "$id" 3>&- </dev/null && continue
		echo "delete --force $id: exit code $?"
		failed=1
	done < <({ cat "$WORK/ids" || true; ls "$ROOT"; } 2>/dev/null | sort -u)
	return "$failed"
}

nothing_left() {
	[[ -z $(leftovers "$1") ]]
}

# leftovers WORD prints one line for each process, mount, cgroup and network namespace whose name,
# command line, cgroup or root directory carries the word.
leftovers() {
	local pid
	for pid in $(marked_processes "$1"); do
		echo "process $pid: $(tr '\0' ' ' <"/proc/$pid/cmdline") [$(cat "/proc/$pid/comm")]"
	done 2>/dev/null
	sed -n "\\|$1|s/^/mount /p" /proc/self/mountinfo
	marked_cgroups "$1" | sed 's/^/cgroup /'
	find /run/netns -name "*$1*" -printf 'network namespace %p\n' 2>/dev/null || true
}

# marked_processes WORD prints the pids of processes that carry the word: in the command line (rt and
# the test's own programs), in the cgroup path, or, in another mount namespace, as part of a mount
# (the root directory of a container).
marked_processes() {
	local path pid own
	own=$(readlink /proc/self/ns/mnt)
	local files=(/proc/[0-9]*/{cmdline,cgroup}) others
	# The kernel's threads, most processes of a small machine, need not be asked for their mounts.
	mapfile -t others < <(find /proc/[0-9]*/ns/mnt ! -lname "${own//[[]/\\[}" -printf '%h\n' 2>/dev/null)
	grep -lsF -f - "${files[@]}" "${others[@]/%ns/mountinfo}" <<<"$1" | while IFS=/ read -r _ _ pid path; do
		[[ $pid != "$$" && $pid != "$BASHPID" && -e /proc/$pid ]] && ! gone "$pid" && echo "$pid"
	done | sort -un
}

# marked_cgroups WORD prints the cgroups whose path carries the word. Others come and go meanwhile, which
# find calls a failure.
marked_cgroups() {
	find /sys/fs/cgroup -depth -type d -path "*$1*" 2>/dev/null || true
}

# sweep WORD removes by force what leftovers WORD prints.
sweep() {
	local path
	marked_processes "$1" | xargs -r kill -KILL 2>/dev/null
	grep -F -- "$1" /proc/self/mountinfo | tac | while read -r _ _ _ _ path _; do
		umount -l "$(printf '%b' "$path")"
	done
	find /run/netns -name "*$1*" -exec umount {} \; -delete 2>/dev/null
	wait_until 5 remove_cgroups "$1"
}

remove_cgroups() {
	marked_cgroups "$1" | xargs -r rmdir 2>/dev/null
	[[ -z $(marked_cgroups "$1") ]]
}
