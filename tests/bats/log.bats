# Errors: one line on stderr, one entry in the log.

load helpers

setup() {
	setup_bundle
	ID=$(new_id)
}
teardown() { teardown_all; }

@test "an error is one line on stderr, and nothing on stdout" {
	run --separate-stderr rt state "$ID"
	[ "$status" -eq 1 ]
	[ -z "$output" ]
	[ "$(wc -l <<<"$stderr")" -eq 1 ]
	[[ $stderr == *"container does not exist"* ]]
}

@test "with --log, an error is told twice: in the log and on stderr" {
	run --separate-stderr rt --log "$WORK/log" state "$ID"
	[ "$status" -eq 1 ]
	[[ $stderr == *"container does not exist"* ]]
	grep -E '^time="[^"]+" level=error msg=".*container does not exist' "$WORK/log"
}

@test "a JSON log has one object for one failure, with level, msg and an RFC 3339 time" {
	args no-such-program
	local arguments
	for arguments in "state $ID" "create --bundle $BUNDLE $ID" "run --bundle $BUNDLE $ID" "kill $ID" "delete $ID" "start $ID"; do
		rm -f "$WORK/log"
		# shellcheck disable=SC2086
		run --separate-stderr rt --log "$WORK/log" --log-format json $arguments
		[ "$status" -eq 1 ]
		jq -se 'length == 1 and (.[0] | .level == "error" and (.msg | length > 0) and
			(.time | test("^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:]{8}(\\.[0-9]+)?(Z|[+-][0-9]{2}:[0-9]{2})$")))' "$WORK/log"
		[[ $stderr == *"$(jq -r .msg "$WORK/log")"* ]]
	done
}

@test "an error of the init stage reaches the log as well" {
	config '.mounts += [{destination: "/data", type: "tmpfs", source: "tmpfs", options: ["size=nonsense"]}]'
	run --separate-stderr rt --log "$WORK/log" --log-format json create --bundle "$BUNDLE" "$ID"
	[ "$status" -eq 1 ]
	jq -se 'length == 1 and (.[0].msg | contains("mounts[7]") and contains("nonsense"))' "$WORK/log"
	[[ $stderr == *"mounts[7]"* ]]
}

@test "the log is appended to" {
	echo before >"$WORK/log"
	runtime --log "$WORK/log" state "$ID"
	runtime --log "$WORK/log" state "$ID"
	[ "$(head -n1 "$WORK/log")" == before ]
	[ "$(wc -l <"$WORK/log")" -eq 3 ]
}

@test "a new log can be read by everybody and written by its owner" {
	(umask 022 && rt --log "$WORK/log" state "$ID") || true
	[ "$(stat -c %a "$WORK/log")" == 644 ]
}

@test "a command that succeeds logs nothing" {
	args sleep 1000
	local arguments
	for arguments in "create --bundle $BUNDLE" state start "kill --all" "delete --force"; do
		# shellcheck disable=SC2086
		rt --log "$WORK/log" --log-format json $arguments "$ID" >/dev/null
	done
	[ ! -s "$WORK/log" ]
}

@test "a log that cannot be written is an error before anything is made" {
	runtime --log "$WORK/no/such/directory/log" create --bundle "$BUNDLE" "$ID"
	[ "$status" -eq 1 ]
	[[ $output == *"no such file or directory"* ]]
	[ -z "$(leftovers "$TOKEN")$(ls -A "$ROOT")" ]
}

# one_entry wants exactly one entry, an error, in the log.
one_entry() {
	jq -se 'length == 1 and .[0].level == "error" and (.[0].msg | contains("container does not exist"))' "$WORK/log"
}

@test "without stderr, and with one that nobody reads, the log has the error and the exit code is the same" {
	local code=0
	"$RT" --root "$ROOT" --log "$WORK/log" --log-format json state "$ID" 2>&- || code=$?
	[ "$code" -eq 1 ]
	one_entry
	rm "$WORK/log"
	mkfifo "$WORK/stderr"
	exec {reader}<>"$WORK/stderr" {writer}>"$WORK/stderr" {reader}<&-
	code=0
	"$RT" --root "$ROOT" --log "$WORK/log" --log-format json state "$ID" 2>&"$writer" || code=$?
	exec {writer}>&-
	[ "$code" -eq 1 ]
	one_entry
}

@test "a log on a full file system gets whole entries or none, and stderr the error alone" {
	# shellcheck disable=SC2016 # for the shell in the mount namespace
	run --separate-stderr unshare --mount --propagation private bash -c '
		mkdir full && mount -t tmpfs -o size=8k full full || exit
		head -c 8192 /dev/zero >full/other
		: >full/log
		"$1" --root "$2" --log full/log --log-format json state "$3"
		stat -c "%s after none" full/log
		rm full/other
		head -c 4000 /dev/zero | tr "\\0" x >full/log
		head -c 8192 /dev/zero >full/other 2>/dev/null
		long=$(head -c 200 /dev/zero | tr "\\0" i)
		"$1" --root "$2" --log full/log --log-format json state "$long"
		stat -c "%s after one that does not fit" full/log
		"$1" --root "$2" --log full/log --log-format json state x
		tail -c +4001 full/log' bash "$RT" "$ROOT" "$ID"
	echo "$output"
	echo "$stderr"
	[ "${lines[0]}" == '0 after none' ]
	[ "${lines[1]}" == '4000 after one that does not fit' ]
	[[ ${lines[2]} == '{"level":"error","msg":"state x: container does not exist"'* ]]
	[ "${#stderr_lines[@]}" -eq 3 ]
	[ "${stderr_lines[0]}" == "rt: state $ID: container does not exist" ]
}

@test "--debug says more, on the debug level, with the place in the source" {
	args true
	runtime --debug --log "$WORK/log" --log-format json run --bundle "$BUNDLE" "$ID"
	[ "$status" -eq 0 ]
	jq -se 'length > 0 and all(.[]; .level == "debug") and any(.[]; has("func") and has("file"))' "$WORK/log"
}

@test "without --debug there is no entry on the debug level" {
	runtime --log "$WORK/log" --log-format json state "$ID"
	jq -se 'all(.[]; .level != "debug" and (has("func") | not))' "$WORK/log"
}

@test "many processes may write to one log" {
	local pids=() pid
	for _ in 1 2 3 4 5 6 7 8; do
		"$RT" --root "$ROOT" --log "$WORK/log" --log-format json state "$ID" 2>/dev/null 3>&- &
		pids+=($!)
	done
	for pid in "${pids[@]}"; do
		wait "$pid" || true
	done
	jq -se 'length == 8' "$WORK/log"
}
