#!/usr/bin/env bats
# process.rlimits, as /proc/self/limits of the program shows them.

setup() {
	load helpers
	load inside
	setup_bundle
	config 'del(.process.rlimits)'
	args cat /proc/self/limits
}

teardown() {
	teardown_all
}

# limit NAME prints "soft hard" of a line of /proc/PID/limits in $output: limit "Max open files".
limit() {
	sed -n "s/^$1  *\([^ ]*\) *\([^ ]*\) .*/\1 \2/p" <<<"$output"
}

# rlimit TYPE SOFT HARD appends to process.rlimits.
rlimit() {
	config '.process.rlimits += [{type: $type, soft: $soft, hard: $hard}]' --arg type "$1" --argjson soft "$2" --argjson hard "$3"
}

@test "all sixteen types" {
	local -A names=(
		[AS]='Max address space' [CORE]='Max core file size' [CPU]='Max cpu time' [DATA]='Max data size'
		[FSIZE]='Max file size' [LOCKS]='Max file locks' [MEMLOCK]='Max locked memory' [MSGQUEUE]='Max msgqueue size'
		[NICE]='Max nice priority' [NOFILE]='Max open files' [NPROC]='Max processes' [RSS]='Max resident set'
		[RTPRIO]='Max realtime priority' [RTTIME]='Max realtime timeout' [SIGPENDING]='Max pending signals' [STACK]='Max stack size'
	)
	# High enough for a small program to run with, low enough to be within any caller's hard limits.
	local -A soft=(
		[AS]=1000000000 [CORE]=0 [CPU]=1000 [DATA]=1000000000 [FSIZE]=1000000 [LOCKS]=100 [MEMLOCK]=4096 [MSGQUEUE]=4096
		[NICE]=0 [NOFILE]=100 [NPROC]=1000 [RSS]=1000000 [RTPRIO]=0 [RTTIME]=1000000 [SIGPENDING]=100 [STACK]=1000000
	)
	local type hard
	for type in "${!names[@]}"; do
		hard=$((soft[$type] > 0 ? soft[$type] + 1024 : 0))
		rlimit "RLIMIT_$type" "${soft[$type]}" "$hard"
	done
	run_container
	assert_success
	for type in "${!names[@]}"; do
		hard=$((soft[$type] > 0 ? soft[$type] + 1024 : 0))
		assert_equal "$type $(limit "${names[$type]}")" "$type ${soft[$type]} $hard"
	done
}

@test "the highest value means unlimited" {
	[[ $(ulimit -Ht) == unlimited ]] || skip "the caller's own limit cannot be raised"
	config '.process.rlimits = [{type: "RLIMIT_CPU", soft: 18446744073709551615, hard: 18446744073709551615}]'
	# jq rounds numbers of 64 bits.
	sed -i 's/18446744073709552000/18446744073709551615/g' "$BUNDLE/config.json"
	run_container
	assert_success
	assert_equal "$(limit 'Max cpu time')" 'unlimited unlimited'
}

@test "what the config does not name stays as the caller has it, open files too" {
	run bash -c 'ulimit -Sn 333; ulimit -Hn 1777; ulimit -Sc 0; ulimit -Su 777; exec "$@"' bash "$RT" --root "$ROOT" run -b "$BUNDLE" "$(new_id)"
	assert_success
	assert_equal "$(limit 'Max open files')" '333 1777'
	assert_equal "$(limit 'Max processes' | cut -d' ' -f1)" 777
	local line inside=$output
	while read -r line; do
		grep -qF -- "$line" <<<"$inside" || {
			echo "not as the caller's: $line"
			return 1
		}
	done < <(grep -vE '^(Limit|Max (open files|processes|core file size))' /proc/self/limits)
}

@test "open files: exactly as set, below and above the caller's soft limit" {
	rlimit RLIMIT_NOFILE 20 1500
	run bash -c 'ulimit -Sn 333; ulimit -Hn 1777; exec "$@"' bash "$RT" --root "$ROOT" run -b "$BUNDLE" "$(new_id)"
	assert_success
	assert_equal "$(limit 'Max open files')" '20 1500'
	config 'del(.process.rlimits)'
	rlimit RLIMIT_NOFILE 1500 1500
	run bash -c 'ulimit -Sn 333; ulimit -Hn 1777; exec "$@"' bash "$RT" --root "$ROOT" run -b "$BUNDLE" "$(new_id)"
	assert_success
	assert_equal "$(limit 'Max open files')" '1500 1500'
}

@test "the set-up is not subject to the limits" {
	rlimit RLIMIT_NOFILE 4 4
	rlimit RLIMIT_FSIZE 0 0
	rlimit RLIMIT_NPROC 0 0
	run_container_by env # with a pipe as stdout: the limit on file sizes leaves it alone
	assert_success
	assert_equal "$(limit 'Max open files')" '4 4'
}

@test "a user's program has them, too" {
	config '.process.user = {uid: 1000, gid: 1000}'
	rlimit RLIMIT_NOFILE 100 200
	run_container
	assert_success
	assert_equal "$(limit 'Max open files')" '100 200'
}

@test "a soft limit above the hard one is an error" {
	rlimit RLIMIT_NOFILE 200 100
	runtime create -b "$BUNDLE" "$(new_id)"
	assert_failure 1
	assert_contains 'process.rlimits[0]'
	nothing_made
}

@test "an unknown type is refused" {
	rlimit RLIMIT_NO_SUCH 1 1
	refused 'process.rlimits[0]' RLIMIT_NO_SUCH
}

@test "a type that is set twice is refused" {
	rlimit RLIMIT_NOFILE 100 100
	rlimit RLIMIT_CORE 0 0
	rlimit RLIMIT_NOFILE 200 200
	refused 'process.rlimits[2]' RLIMIT_NOFILE
}
