# The words people and engines type, and what a wrong word answers.

load helpers

setup() { begin_test; }
teardown() { teardown_all; }

# created makes a bundle and a container that waits for start, and prints its id.
created() {
	setup_bundle
	args sleep 1000
	ID=$(new_id)
	rt create --bundle "$BUNDLE" "$ID"
}

@test "without a command, help is printed and the exit code is 0" {
	run "$RT"
	[ "$status" -eq 0 ]
	[[ ${lines[0]} == NAME:* ]]
}

@test "help names the program first, whichever way it is asked for" {
	local word
	for word in -h --help help; do
		run "$RT" "$word"
		[ "$status" -eq 0 ]
		[[ ${lines[0]} == NAME:* ]]
		[[ ${lines[1]} =~ ^[[:space:]]+${RT##*/}[[:space:]] ]]
	done
}

@test "every command explains itself, and names itself first" {
	local command form
	for command in create start run state kill delete list spec features plan; do
		for form in "$command --help" "$command -h" "help $command"; do
			# shellcheck disable=SC2086
			run "$RT" $form
			[ "$status" -eq 0 ]
			[[ ${lines[0]} == NAME:* ]]
			[[ ${lines[1]} =~ ${RT##*/}\ $command ]]
		done
	done
}

@test "help lists every command" {
	run "$RT" --help
	local command
	for command in create start run state kill delete list spec features plan; do
		[[ $output =~ [[:space:]]${command}[[:space:],] ]]
	done
}

@test "the version has one line with the word version, then commit and spec" {
	local word
	for word in --version -v; do
		run --separate-stderr "$RT" "$word"
		[ "$status" -eq 0 ]
		[[ ${lines[0]} =~ ^[a-z]+\ version\ [0-9]+\.[0-9]+\.[0-9]+ ]]
		[ "$(grep -c version <<<"$output")" -eq 1 ]
		[[ ${lines[1]} =~ ^commit:\ . ]]
		grep -qE '^spec: 1\.[0-9]+\.[0-9]+' <<<"$output"
		[ -z "$stderr" ]
	done
}

@test "version is a command as well as a flag" {
	run "$RT" version
	[ "$status" -eq 0 ]
	[ "$output" == "$("$RT" --version)" ]
}

@test "an unknown command is refused by name" {
	runtime foo
	[ "$status" -ne 0 ]
	[[ $output == *"No help topic for 'foo'"* ]]
}

@test "an unknown flag is refused by name, before and after the command" {
	runtime --no-such-flag list
	[ "$status" -ne 0 ]
	[[ $output == *"flag provided but not defined: -no-such-flag"* ]]
	runtime state --no-such-flag id
	[ "$status" -ne 0 ]
	[[ $output == *"flag provided but not defined: -no-such-flag"* ]]
}

@test "a flag without its value says that it needs an argument" {
	runtime create --bundle
	[ "$status" -ne 0 ]
	[[ $output == *"flag needs an argument"* ]]
}

@test "a wrong number of arguments is refused, and says which number is right" {
	local command
	for command in create start state delete; do
		runtime "$command"
		[ "$status" -eq 1 ]
		[[ $output == *"\"$command\" requires exactly 1 argument"* ]]
		runtime "$command" one two
		[ "$status" -eq 1 ]
		[[ $output == *"\"$command\" requires exactly 1 argument"* ]]
	done
	runtime kill
	[ "$status" -eq 1 ]
	[[ $output == *'"kill" requires a minimum of 1 argument'* ]]
	runtime kill one TERM three
	[ "$status" -eq 1 ]
	[[ $output == *'"kill" requires a maximum of 2 argument'* ]]
	for command in list spec; do
		runtime "$command" extra
		[ "$status" -eq 1 ]
		[[ $output == *"\"$command\" requires exactly 0 argument"* ]]
	done
}

@test "one dash and two, value after a space and after =, mean the same" {
	created
	local id form
	runtime delete "$ID"
	for form in "--bundle $BUNDLE" "-bundle $BUNDLE" "--bundle=$BUNDLE" "-b $BUNDLE" "-b=$BUNDLE"; do
		id=$(new_id)
		# shellcheck disable=SC2086
		runtime create $form "$id"
		[ "$status" -eq 0 ]
		runtime delete "$id"
		[ "$status" -eq 0 ]
	done
}

@test "flags may follow the arguments" {
	setup_bundle
	args sleep 1000
	local id
	id=$(new_id)
	runtime create "$id" --bundle "$BUNDLE" --pid-file="$WORK/pid"
	[ "$status" -eq 0 ]
	[ "$(<"$WORK/pid")" -eq "$(container_pid "$id")" ]
	rt start "$id"
	runtime delete "$id" --force
	[ "$status" -eq 0 ]
	runtime state "$id"
	[ "$status" -eq 1 ]
}

@test "a boolean flag takes =true and =false" {
	created
	rt start "$ID"
	runtime delete --force=false "$ID"
	[ "$status" -eq 1 ]
	runtime delete --force=true "$ID"
	[ "$status" -eq 0 ]
}

@test "flags that engines pass for other purposes do not stop a create" {
	setup_bundle
	args sleep 1000
	local id
	id=$(new_id)
	runtime --log "$WORK/log" --log-format json --rootless=auto \
		create --bundle "$BUNDLE" --no-new-keyring --preserve-fds 0 "$id"
	[ "$status" -eq 0 ]
	[ -z "$output" ]
}

@test "--root must name a directory other than /" {
	run "$RT" --root / list
	[ "$status" -eq 1 ]
	[[ $output == *"--root"* ]]
	run "$RT" --root '' list
	[ "$status" -eq 1 ]
	[[ $output == *"--root"* ]]
}

@test "a relative --root is one place, whatever the bundle's directory" {
	setup_bundle
	args sleep 1000
	local id
	id=$(new_id)
	"$RT" --root state create --bundle "$BUNDLE" "$id" >"$WORK/out" 2>&1 3>&-
	[ "$(container_status "$id")" == created ]
	[ ! -e "$BUNDLE/state" ]
}

@test "an unknown log format is refused by name" {
	runtime --log-format xml list
	[ "$status" -eq 1 ]
	[[ $output == *"invalid log-format: xml"* ]]
}

@test "commands that succeed print nothing" {
	setup_bundle
	args sleep 1000
	local id step
	id=$(new_id)
	for step in "create --bundle $BUNDLE" start "kill --all" "delete --force"; do
		# shellcheck disable=SC2086
		run rt $step "$id"
		[ "$status" -eq 0 ]
		[ -z "$output" ]
	done
}

@test "state prints nothing on stderr when it succeeds" {
	created
	run --separate-stderr rt state "$ID"
	[ "$status" -eq 0 ]
	[ -z "$stderr" ]
	jq -e .id <<<"$output"
}

@test "an empty environment is enough for every command" {
	setup_bundle
	args sleep 1000
	local id
	id=$(new_id)
	bare() { env -i "$RT" --root "$ROOT" "$@" >"$WORK/bare.out" 2>&1 3>&-; }
	bare create --bundle "$BUNDLE" "$id"
	bare state "$id"
	bare start "$id"
	bare kill "$id" KILL
	wait_for_status "$id" stopped
	bare list
	bare delete "$id"
}

@test "without --root, all calls of one user agree on a directory below /run, open to that user only" {
	setup_bundle
	args sleep 1000
	local id
	id=$(new_id)
	unshare --mount --propagation private sh -euxc '
		mount -t tmpfs tmpfs /run
		"$1" create --bundle "$2" "$3"
		"$1" state "$3"
		env -i XDG_RUNTIME_DIR= "$1" state "$3"
		test "$(find /run -mindepth 2 -maxdepth 2 -name "$3" | wc -l)" = 1
		test "$(find /run -mindepth 1 -maxdepth 1 -type d -perm /077 | wc -l)" = 0
		"$1" delete --force "$3"
		test "$(find /run -mindepth 2 | wc -l)" = 0
	' sh "$RT" "$BUNDLE" "$id" >"$WORK/out" 2>&1 3>&- || { cat "$WORK/out"; false; }
}
