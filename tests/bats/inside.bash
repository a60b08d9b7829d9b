# shellcheck shell=bash disable=SC2120,SC2154
# Running a script in a container, and judging what it printed.

# inside SCRIPT [ARGUMENT...] runs the script with the container's sh in a new container of the
# current bundle, in the foreground; $1 and so on are the arguments. It sets $status, $output, $lines.
inside() {
	local script=$1
	shift
	args sh -c "$script" sh "$@"
	run_container
}

# run_container [FLAG...] runs a new container of the current bundle in the foreground.
run_container() {
	runtime run -b "$BUNDLE" "$@" "$(new_id)"
}

# run_container_by COMMAND... runs one like run_container, with the command as a prefix of rt's own
# command line: run_container_by taskset -c 0. A prefix that is a function is exported to bash.
run_container_by() {
	run "$@" "$RT" --root "$ROOT" run -b "$BUNDLE" "$(new_id)"
}

# in_mount_namespace PROPAGATION SCRIPT [ARGUMENT...] runs a bash script in a mount namespace of its
# own in which every mount has that propagation, so that the script may mount what it likes. It is a
# host of its own to rt. It knows $RT, $ROOT, $BUNDLE and $WORK.
in_mount_namespace() {
	local propagation=$1 script=$2
	shift 2
	export RT ROOT BUNDLE WORK
	run unshare --mount bash -eu -o pipefail -c "mount --make-r$propagation /; $script" bash "$@"
}

# refused TEXT... creates a container that must be refused for its config.json, with each text in the
# error, before anything is made.
refused() {
	runtime create -b "$BUNDLE" "$(new_id)"
	assert_failure 1
	assert_all_contained "$@"
	nothing_made
}

# fails TEXT... runs a container whose set-up must fail, with each text in the error, and checks that
# what had been made until then is gone.
fails() {
	run_container
	assert_failure 1
	assert_all_contained "$@"
	nothing_made
}

# nothing_made checks that there is no trace of a container of this test.
nothing_made() {
	local rest
	rest=$(ls -A "$ROOT")$(leftovers "$TOKEN")
	[[ -z $rest ]] && return
	echo "made, and left behind: $rest"
	return 1
}

# tool NAME prints the path of the program in tests/tools/NAME, and builds it when it is first asked for.
# Where there is no Go, $RT_TOOLS is a directory that has them all.
tool() {
	[[ -z ${RT_TOOLS:-} ]] || {
		echo "$RT_TOOLS/$1"
		return
	}
	local binary=$BATS_SUITE_TMPDIR/tools/$1
	mkdir -p "${binary%/*}"
	(
		flock 9
		[[ -x $binary ]] || (cd "$REPO" && CGO_ENABLED=0 go build -o "$binary" "./tests/tools/$1") || exit
	) 9>"$BATS_SUITE_TMPDIR/tools.lock" || return
	echo "$binary"
}

# needs COMMAND... skips the test when the host lacks one of the commands.
needs() {
	local command
	for command; do
		type -P "$command" >/dev/null || skip "the host has no $command"
	done
}

assert_success() {
	((status == 0)) && return
	echo "exit code $status, output:"
	echo "$output"
	return 1
}

# assert_failure [CODE] wants an exit code other than 0, or exactly this one.
assert_failure() {
	((status != 0 && status == ${1:-status})) && return
	echo "exit code $status, wanted ${1:-a failure}, output:"
	echo "$output"
	return 1
}

assert_equal() {
	[[ $1 == "$2" ]] && return
	printf 'got:    %s\nwanted: %s\n' "$1" "$2"
	return 1
}

# assert_output TEXT wants exactly this output.
assert_output() {
	assert_equal "$output" "$1"
}

# assert_contains TEXT wants the text somewhere in the output.
assert_contains() {
	[[ $output == *"$1"* ]] && return
	echo "no '$1' in the output:"
	echo "$output"
	return 1
}

assert_all_contained() {
	local text
	for text; do
		assert_contains "$text" || return
	done
}

refute_contains() {
	[[ $output != *"$1"* ]] && return
	echo "'$1' in the output:"
	echo "$output"
	return 1
}

# assert_line LINE wants a line of the output to be exactly this.
assert_line() {
	grep -qxF -- "$1" <<<"$output" && return
	echo "no line '$1' in the output:"
	echo "$output"
	return 1
}
