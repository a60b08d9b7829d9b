# Terminals: over a console socket, and in the foreground.

load helpers

setup() {
	setup_bundle
	config '.process.terminal = true'
	ID=$(new_id)
	SOCKET=$WORK/console.sock
}
teardown() { teardown_all; }

# console SCRIPT plays an engine that gives rt a console socket, see tests/tools/peer: rt creates the
# container, the engine receives the terminal, and then the script, which starts the container, is
# played on it. $start is the step that does.
console() {
	export RT ROOT ID
	local code=0 script
	mkfifo "$WORK/script"
	"$PEER" console "$SOCKET" <"$WORK/script" >"$WORK/screen" 2>&1 3>&- &
	local peer=$!
	exec {script}>"$WORK/script"
	wait_until 5 test -S "$SOCKET"
	for_container "$SOCKET"
	rt create --bundle "$BUNDLE" --console-socket "$SOCKET" "$ID" || code=$?
	echo "$1" >&"$script"
	exec {script}>&-
	wait "$peer" || code=$?
	cat "$WORK/screen"
	return "$code"
}

start='run "$RT" --root "$ROOT" start "$ID"'

# foreground SCRIPT plays a person at a terminal who types `rt run`.
foreground() {
	person "$PEER" terminal "$RT" --root "$ROOT" run --bundle "$BUNDLE" "$ID" <<<"$1"
}

person() { (close_descriptors && exec timeout --foreground 90 "$@"); }

@test "the console socket gets one message with one terminal before create returns" {
	args true
	run console 'run "$RT" --root "$ROOT" state "$ID" | grep status'
	[ "$status" -eq 0 ]
	[[ $output == *'"status": "created"'* ]]
	[ "$(grep -c '^peer: message' <<<"$output")" -eq 1 ]
	[[ $output =~ peer:\ message\ 1\ with\ [1-9][0-9]*\ bytes\ and\ 1\ descriptors ]]
	[ "$(container_status "$ID")" == created ]
}

@test "through the console socket one can talk to the container" {
	args sh
	run console "$start
		send echo \$((6 * 7))
		expect 42
		send exit
		end"
	echo "$output"
	[ "$status" -eq 0 ]
	wait_for_status "$ID" stopped
}

@test "the terminal is stdin, stdout, stderr, /dev/console and the controlling terminal" {
	args sh -c 'test -t 0 && test -t 1 && test -t 2 && echo streams
		echo hello >/dev/tty && echo controlling
		[ "$(stat -c %t:%T /proc/self/fd/0 -L)" = "$(stat -c %t:%T /dev/console -L)" ] && echo console
		[ "$(stat -fc %T /dev/console)" = devpts ] && echo devpts
		read -r _ _ _ _ group session tty foreground _ </proc/1/stat; [ "$group $session $foreground" = "1 1 1" ] && echo leader'
	run console "$start
		expect streams
		expect hello
		expect controlling
		expect console
		expect devpts
		expect leader
		end"
	echo "$output"
	[ "$status" -eq 0 ]
}

@test "the terminal belongs to the container's devpts, not to the host's" {
	args sh -c 'ls /dev/pts; tty'
	run console "$start
		expect 0
		expect ptmx
		end"
	echo "$output"
	[ "$status" -eq 0 ]
	grep -qE '/dev/(pts/0|console)' <<<"$output"
}

@test "the terminal belongs to the container's user" {
	config '.process.user = {uid: 1000, gid: 1000}'
	args sh -c 'stat -c %u -L /proc/self/fd/0; echo writable >/dev/tty'
	run console "$start
		expect 1000
		expect writable
		end"
	echo "$output"
	[ "$status" -eq 0 ]
}

@test "the first size of the window is that of the config" {
	config '.process.consoleSize = {height: 33, width: 111}'
	args stty size
	run console "size
		$start
		expect 33 111
		end"
	echo "$output"
	[ "$status" -eq 0 ]
	[[ $output == *"peer: size 33 111"* ]]
}

@test "keys become signals in the container" {
	args sh -c 'trap "echo interrupted" INT; echo ready; while :; do sleep 0.05; done'
	run console "$start
		expect ready
		type \"\\x03\"
		expect interrupted
		close"
	echo "$output"
	[ "$status" -eq 0 ]
}

@test "run --detach uses the console socket too" {
	args sh -c 'echo detached; sleep 1000'
	"$PEER" console "$SOCKET" <<<"expect detached" >"$WORK/screen" 2>&1 3>&- &
	local peer=$!
	wait_until 5 test -S "$SOCKET"
	for_container "$SOCKET"
	runtime run --detach --bundle "$BUNDLE" --console-socket "$SOCKET" "$ID"
	[ "$status" -eq 0 ]
	[ -z "$output" ]
	wait "$peer"
}

@test "in the foreground, a program on the caller's terminal has a terminal" {
	args sh -c 'test -t 0 && test -t 1 && test -t 2 && echo "type something"; read line; echo "you typed $line"; exit 7'
	run foreground "expect type something
		send hello
		expect you typed hello
		end"
	echo "$output"
	[ "$status" -eq 7 ]
}

@test "in the foreground, the container's terminal has the size of the caller's and follows it" {
	args sh -c 'stty size; trap "echo changed; stty size" WINCH; echo ready; while :; do sleep 0.05; done'
	run foreground "expect 24 80
		expect ready
		resize 50 132
		expect changed
		expect 50 132
		run '$RT' --root '$ROOT' kill '$ID' KILL
		end"
	echo "$output"
	[ "$status" -eq 137 ]
}

@test "in the foreground, a caller's terminal without a size leaves that of the config" {
	config '.process.consoleSize = {height: 33, width: 111}'
	args stty size
	run person "$PEER" terminal sh -c 'stty rows 0 cols 0; exec "$@"' sh "$RT" --root "$ROOT" run --bundle "$BUNDLE" "$ID" <<<"expect 33 111
		end"
	echo "$output"
	[ "$status" -eq 0 ]
}

@test "in the foreground, the caller's terminal is raw, and restored at the end" {
	args sh -c 'echo ready; read line'
	run person "$PEER" terminal sh -c '"$@"; echo "code $?"; sleep 1' sh "$RT" --root "$ROOT" run --bundle "$BUNDLE" "$ID" <<-END
		mode
		expect ready
		mode
		send x
		expect code 0
		mode
		end
	END
	echo "$output"
	[ "$status" -eq 0 ]
	[ "$(grep '^peer: mode' <<<"$output" | tr '\n' ' ')" == "peer: mode cooked peer: mode raw peer: mode cooked " ]
}

@test "in the foreground, a line ends on the caller's terminal with one carriage return" {
	args printf 'first\nlast\n'
	run foreground "expect last
		end"
	[ "$status" -eq 0 ]
	[[ $output == *$'first\r\n'* ]]
	[[ $output != *$'\r\r'* ]]
}

@test "the caller's terminal is restored when the container is killed" {
	args sh -c 'echo ready; sleep 1000'
	run person "$PEER" terminal sh -c '"$@"; echo "code $?"; sleep 1' sh "$RT" --root "$ROOT" run --bundle "$BUNDLE" "$ID" <<-END
		expect ready
		mode
		run '$RT' --root '$ROOT' kill '$ID' KILL
		expect code 137
		mode
		end
	END
	echo "$output"
	[ "$(grep '^peer: mode' <<<"$output" | tr '\n' ' ')" == "peer: mode raw peer: mode cooked " ]
}

@test "the caller's terminal is restored when the container cannot be made" {
	args no-such-program
	run person "$PEER" terminal sh -c '"$@"; echo "code $?"; sleep 1' sh "$RT" --root "$ROOT" run --bundle "$BUNDLE" "$ID" <<-END
		expect executable file not found
		expect code 1
		mode
		end
	END
	echo "$output"
	[[ $output == *"peer: mode cooked"* ]]
}

@test "in the foreground, ^C goes to the program and not to rt" {
	args sh -c 'trap "echo interrupted" INT; echo ready; while [ ! -e /tmp/end ]; do sleep 0.05; done; exit 5'
	config '.root.readonly = false'
	run foreground "expect ready
		type \"\\x03\"
		expect interrupted
		run touch '$BUNDLE/rootfs/tmp/end'
		end"
	echo "$output"
	[ "$status" -eq 5 ]
}

@test "in the foreground, the last output is shown before run returns" {
	args sh -c 'seq 1 20000; echo the last line'
	run foreground "expect the last line
		end"
	[ "$status" -eq 0 ]
	[[ $output == *19999*20000*"the last line"* ]]
}

@test "closing the terminal ends the container as hanging up does" {
	args sh -c 'trap "exit 3" HUP; echo ready; while :; do sleep 0.05; done'
	run foreground "expect ready
		close"
	echo "exit code $status"
	[ "$status" -eq 3 ]
	no_process
}

no_process() { [[ -z $(marked_processes "$TOKEN") ]]; }

@test "job control works in a shell on the terminal" {
	args sh
	run foreground "expect #
		send sh -c 'echo run''ning; sleep 100'
		expect running
		type \"\\x1a\"
		expect Stopped
		send kill %1; echo jo''bs done
		expect jobs done
		type \"exit 0\\rexit 0\\r\"
		end"
	echo "$output"
	[ "$status" -eq 0 ]
}
