# sd_notify(3): readiness, from the container to the service manager that started rt.

load helpers

setup() {
	setup_bundle
	cp "$PEER" "$BUNDLE/rootfs/bin/peer"
	ID=$(new_id)
	SOCKET=$WORK/notify.sock
}
teardown() {
	if [[ -n ${MANAGER:-} ]]; then
		kill "$MANAGER" 2>/dev/null || true
	fi
	teardown_all
}

# manager plays the service manager; what it is told goes to $WORK/told.
manager() {
	"$PEER" notify "$SOCKET" >"$WORK/told" 2>&1 </dev/null 3>&- &
	MANAGER=$!
	wait_until 5 grep -qF "$SOCKET" /proc/net/unix
	[[ ! -e $SOCKET ]] || for_container "$SOCKET"
}

told() { grep -qxF "peer: $1" "$WORK/told"; }

@test "run --detach passes readiness on, with the pid of the container, and returns after it" {
	manager
	args sh -c 'sleep 0.5; peer send "$NOTIFY_SOCKET" "READY=1"; sleep 1000'
	local start=${EPOCHREALTIME/./}
	NOTIFY_SOCKET=$SOCKET runtime run --detach --bundle "$BUNDLE" "$ID"
	[ "$status" -eq 0 ]
	((${EPOCHREALTIME/./} - start > 500000))
	wait_until 5 told READY=1
	wait_until 5 told "MAINPID=$(container_pid "$ID")"
}

@test "run in the foreground passes readiness on and goes on waiting" {
	manager
	args sh -c 'peer send "$NOTIFY_SOCKET" "READY=1"; sleep 1000'
	NOTIFY_SOCKET=$SOCKET rt_background run --bundle "$BUNDLE" "$ID"
	wait_until 10 told READY=1
	wait_until 5 told "MAINPID=$(container_pid "$ID")"
	! gone "$RT_PID" || false
	rt kill "$ID" KILL
	wait "$RT_PID" || [ $? -eq 137 ]
}

@test "start passes readiness on when create was told of the socket" {
	manager
	args sh -c 'peer send "$NOTIFY_SOCKET" "READY=1"; sleep 1000'
	NOTIFY_SOCKET=$SOCKET rt create --bundle "$BUNDLE" "$ID"
	[ ! -s "$WORK/told" ]
	NOTIFY_SOCKET=$SOCKET runtime start "$ID"
	[ "$status" -eq 0 ]
	wait_until 5 told READY=1
	wait_until 5 told "MAINPID=$(container_pid "$ID")"
}

@test "other messages of the container are not readiness" {
	manager
	args sh -c 'peer send "$NOTIFY_SOCKET" "STATUS=warming up" "READY=1"; sleep 1000'
	NOTIFY_SOCKET=$SOCKET rt run --detach --bundle "$BUNDLE" "$ID"
	wait_until 5 told READY=1
	! told "STATUS=warming up" || false
}

@test "the container's socket is below /run/notify, which it cannot write to" {
	manager
	args sh -c 'echo "$NOTIFY_SOCKET"; touch /run/notify/x 2>/dev/null || echo read-only; peer send "$NOTIFY_SOCKET" "READY=1"'
	NOTIFY_SOCKET=$SOCKET rt run --detach --bundle "$BUNDLE" "$ID" >"$WORK/out"
	wait_for_status "$ID" stopped
	[ "$(<"$WORK/out")" == $'/run/notify/notify.sock\nread-only' ]
}

@test "a user who is not root can report readiness" {
	manager
	config '.process.user = {uid: 1000, gid: 1000}'
	args sh -c 'peer send "$NOTIFY_SOCKET" "READY=1"; sleep 1000'
	NOTIFY_SOCKET=$SOCKET rt run --detach --bundle "$BUNDLE" "$ID"
	wait_until 5 told READY=1
}

@test "a container that ends without a word does not keep run waiting" {
	manager
	args true
	NOTIFY_SOCKET=$SOCKET runtime run --detach --bundle "$BUNDLE" "$ID"
	wait_for_status "$ID" stopped
	! told READY=1 || false
}

@test "without NOTIFY_SOCKET in rt's environment, that of the config is left alone" {
	config '.process.env += ["NOTIFY_SOCKET=/somewhere/else"]'
	args sh -c 'echo "$NOTIFY_SOCKET"; [ -e /run/notify ] || echo nothing mounted'
	runtime run --bundle "$BUNDLE" "$ID"
	[ "$output" == $'/somewhere/else\nnothing mounted' ]
}

@test "an abstract socket of the service manager works as well" {
	SOCKET=@$TOKEN
	manager
	args sh -c 'peer send "$NOTIFY_SOCKET" "READY=1"; sleep 1000'
	NOTIFY_SOCKET=$SOCKET rt run --detach --bundle "$BUNDLE" "$ID"
	wait_until 5 told READY=1
}
