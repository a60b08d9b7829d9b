# Which descriptors cross into the container: 0, 1, 2, those asked for, and no other.

load helpers

setup() {
	setup_bundle
	ID=$(new_id)
	# The shell's own look at /proc/self/fd opens no further descriptor this way.
	args sh -c 'n=0; while [ $n -lt 200 ]; do [ -e /proc/self/fd/$n ] && echo $n; n=$((n + 1)); done'
	echo three >"$WORK/3"
	echo four >"$WORK/4"
	echo five >"$WORK/5"
}
teardown() { teardown_all; }

@test "a container has 0, 1 and 2, whatever rt was started with" {
	RT_KEEP_FDS="3 4 5 20 100" rt run --bundle "$BUNDLE" "$ID" 3<"$WORK/3" 4<"$WORK/4" 5</ 20<"$WORK/5" 100</ >"$WORK/out"
	[ "$(echo $(<"$WORK/out"))" == "0 1 2" ]
}

@test "a created container that waits for start keeps none of the caller's descriptors" {
	args sleep 1000
	RT_KEEP_FDS="3 4" rt create --bundle "$BUNDLE" "$ID" 3<"$WORK/3" 4</
	# By device and inode: the name of a descriptor of another root directory says little.
	run stat -L -c %d:%i "/proc/$(container_pid "$ID")/fd/"*
	! grep -qxF "$(stat -c %d:%i "$WORK/3")" <<<"$output" || false
	! grep -qxF "$(stat -c %d:%i /)" <<<"$output" || false
}

@test "--preserve-fds N passes the first N descriptors after 2, and no more" {
	RT_KEEP_FDS="3 4 5" rt run --preserve-fds 2 --bundle "$BUNDLE" "$ID" 3<"$WORK/3" 4<"$WORK/4" 5<"$WORK/5" >"$WORK/out"
	[ "$(echo $(<"$WORK/out"))" == "0 1 2 3 4" ]
	args sh -c 'cat <&3; cat <&4'
	RT_KEEP_FDS="3 4 5" rt run --preserve-fds 2 --bundle "$BUNDLE" "$ID" 3<"$WORK/3" 4<"$WORK/4" 5<"$WORK/5" >"$WORK/out"
	[ "$(<"$WORK/out")" == $'three\nfour' ]
}

@test "create passes them on to what start executes" {
	args sh -c 'cat <&3'
	RT_KEEP_FDS=3 rt create --preserve-fds 1 --bundle "$BUNDLE" "$ID" 3<"$WORK/3" >"$WORK/out"
	rt start "$ID"
	wait_for_status "$ID" stopped
	[ "$(<"$WORK/out")" == three ]
}

@test "a preserved descriptor that is not open is named, and nothing is made" {
	local command
	for command in create run; do
		RT_KEEP_FDS=3 run rt "$command" --preserve-fds 2 --bundle "$BUNDLE" "$ID" 3<"$WORK/3"
		[ "$status" -eq 1 ]
		[[ $output == *"unable to stat preserved-fd 1 (of 2)"* ]]
		[ -z "$(leftovers "$TOKEN")$(ls -A "$ROOT")" ]
	done
}

@test "a number of descriptors that is none is refused" {
	runtime run --preserve-fds many --bundle "$BUNDLE" "$ID"
	[ "$status" -ne 0 ]
	runtime run --preserve-fds -1 --bundle "$BUNDLE" "$ID"
	[ "$status" -ne 0 ]
	[ -z "$(leftovers "$TOKEN")$(ls -A "$ROOT")" ]
}

# socket_activated COUNT ARGUMENT... starts rt with descriptors 3 to 5, of which the first COUNT are
# announced to it as sd_listen_fds(3) describes.
socket_activated() {
	local count=$1
	shift
	RT_KEEP_FDS="3 4 5"
	(
		close_descriptors
		exec sh -c 'LISTEN_FDS=$1 LISTEN_PID=$$; export LISTEN_FDS LISTEN_PID; shift; exec "$@"' sh "$count" \
			"$RT" --root "$ROOT" "$@"
	) 3<"$WORK/3" 4<"$WORK/4" 5<"$WORK/5"
}

@test "sockets of a service manager are passed on, and announced to process 1" {
	args sh -c 'echo "$LISTEN_FDS $LISTEN_PID"; cat <&3; n=4; while [ $n -lt 50 ]; do [ -e /proc/self/fd/$n ] && echo $n; n=$((n + 1)); done'
	socket_activated 1 run --bundle "$BUNDLE" "$ID" >"$WORK/out"
	[ "$(<"$WORK/out")" == $'1 1\nthree' ]
}

@test "sockets of a service manager come first, preserved descriptors after them" {
	args sh -c 'echo "$LISTEN_FDS $LISTEN_PID"; cat <&3; cat <&4; cat <&5'
	socket_activated 1 run --preserve-fds 2 --bundle "$BUNDLE" "$ID" >"$WORK/out"
	[ "$(<"$WORK/out")" == $'1 1\nthree\nfour\nfive' ]
}

@test "sockets that were meant for another process are not passed on" {
	args sh -c 'echo "${LISTEN_FDS-none} ${LISTEN_PID-none}"; n=3; while [ $n -lt 50 ]; do [ -e /proc/self/fd/$n ] && echo $n; n=$((n + 1)); done'
	LISTEN_FDS=1 LISTEN_PID=1 RT_KEEP_FDS=3 rt run --bundle "$BUNDLE" "$ID" 3<"$WORK/3" >"$WORK/out"
	[ "$(<"$WORK/out")" == "none none" ]
}
