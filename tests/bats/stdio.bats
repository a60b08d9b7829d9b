# Standard input, output and error of the container.

load helpers

setup() {
	setup_bundle
	ID=$(new_id)
}
teardown() { teardown_all; }

@test "a detached container has the caller's own stdin, stdout and stderr" {
	echo question >"$WORK/in"
	args sh -c 'read line; echo "out: $line"; echo "err: $line" >&2'
	rt run --detach --bundle "$BUNDLE" "$ID" <"$WORK/in" >"$WORK/out" 2>"$WORK/err"
	wait_for_status "$ID" stopped
	[ "$(<"$WORK/out")" == "out: question" ]
	[ "$(<"$WORK/err")" == "err: question" ]
}

@test "a created container has those of create, not those of start" {
	args sh -c 'echo out; echo err >&2'
	rt create --bundle "$BUNDLE" "$ID" >"$WORK/out" 2>"$WORK/err"
	[ ! -s "$WORK/out" ]
	[ ! -s "$WORK/err" ]
	rt start "$ID" >"$WORK/start.out" 2>"$WORK/start.err"
	wait_for_status "$ID" stopped
	[ "$(<"$WORK/out")" == out ]
	[ "$(<"$WORK/err")" == err ]
	[ ! -s "$WORK/start.out" ]
	[ ! -s "$WORK/start.err" ]
}

@test "in the foreground, stdout and stderr stay apart" {
	args sh -c 'echo out; echo err >&2; exit 4'
	run --separate-stderr rt run --bundle "$BUNDLE" "$ID"
	[ "$status" -eq 4 ]
	[ "$output" == out ]
	[ "$stderr" == err ]
}

@test "in the foreground, stdin is read to its end" {
	args wc -c
	head -c 300000 /dev/zero | rt run --bundle "$BUNDLE" "$ID" >"$WORK/out"
	[ "$(<"$WORK/out")" -eq 300000 ]
}

@test "a stdin that has ended is at its end in the container" {
	args sh -c 'read line || echo ended'
	runtime run --bundle "$BUNDLE" "$ID" </dev/null
	[ "$output" == ended ]
}

@test "a stdin that nobody writes to does not keep run waiting" {
	args echo done
	mkfifo "$WORK/silent"
	exec {silent}<>"$WORK/silent"
	runtime run --bundle "$BUNDLE" "$ID" <"$WORK/silent"
	exec {silent}>&-
	[ "$output" == done ]
}

@test "a large output arrives whole, through a file and through a pipe" {
	args sh -c 'head -c 3000000 /dev/zero; head -c 1000 /dev/zero >&2'
	rt run --bundle "$BUNDLE" "$ID" >"$WORK/out" 2>"$WORK/err"
	[ "$(wc -c <"$WORK/out")" -eq 3000000 ]
	[ "$(wc -c <"$WORK/err")" -eq 1000 ]
	rt_alone run --bundle "$BUNDLE" "$ID" 2>/dev/null | wc -c >"$WORK/count"
	[ "$(<"$WORK/count")" -eq 3000000 ]
}

@test "a reader who has had enough does not keep run waiting" {
	args yes
	config 'del(.linux.namespaces[] | select(.type == "pid"))'
	rt_alone run --bundle "$BUNDLE" "$ID" 2>"$WORK/err" | head -n1 >"$WORK/out"
	[ "$(<"$WORK/out")" == y ]
}

@test "a user who is not root can open his stdout and stderr again" {
	skip_in rootless 'the pipes belong to root, who runs the tests'
	args sh -c 'echo out >/proc/self/fd/1; echo err >/proc/self/fd/2'
	config '.process.user = {uid: 1000, gid: 1000}'
	rt_alone run --bundle "$BUNDLE" "$ID" 2> >(cat >"$WORK/err") | cat >"$WORK/out"
	[ "$(<"$WORK/out")" == out ]
	wait_until 5 grep -qx err "$WORK/err"
}

@test "the streams are given to the container's user, and only the user" {
	args true
	config '.process.user = {uid: 1000, gid: 1001}'
	touch "$WORK/out" "$WORK/err"
	for_container "$WORK/out" "$WORK/err"
	rt run --detach --bundle "$BUNDLE" "$ID" </dev/null >"$WORK/out" 2>"$WORK/err"
	wait_for_status "$ID" stopped
	[ "$(stat -c %u:%g "$WORK/out")" == "$(host_id 1000):$(host_id 0)" ]
	[ "$(stat -c %u:%g "$WORK/err")" == "$(host_id 1000):$(host_id 0)" ]
}

@test "the host's /dev/null keeps its owner when it is a stream of the container" {
	args true
	config '.process.user = {uid: 1000, gid: 1000}'
	local before
	before=$(stat -c '%u:%g %a' /dev/null)
	rt run --bundle "$BUNDLE" "$ID" </dev/null >/dev/null 2>/dev/null
	rt run --detach --bundle "$BUNDLE" "$ID" </dev/null >/dev/null 2>/dev/null
	[ "$(stat -c '%u:%g %a' /dev/null)" == "$before" ]
}

@test "a stream on a read-only filesystem is passed on though it cannot be given away" {
	args cat
	config '.process.user = {uid: 1000, gid: 1000}'
	run unshare --mount --propagation private sh -euc '
		mount -t tmpfs tmpfs /mnt
		echo content >/mnt/file
		mount -o remount,ro /mnt
		exec "$1" --root "$2" run --bundle "$3" "$4" </mnt/file
	' sh "$RT" "$ROOT" "$BUNDLE" "$ID"
	[ "$status" -eq 0 ]
	[ "$output" == content ]
}

@test "a caller without standard streams gets a container all the same" {
	args sh -c 'for fd in 0 1 2; do [ -e /proc/self/fd/$fd ] && echo $fd; done >/shared/fds; exit 6'
	mkdir "$WORK/shared"
	for_container "$WORK/shared"
	config '.mounts += [{destination: "/shared", type: "bind", source: $dir, options: ["bind"]}]' --arg dir "$WORK/shared"
	local code=0
	(rt_alone run --bundle "$BUNDLE" "$ID" <&- >&- 2>&-) || code=$?
	[ "$code" -eq 6 ]
	[ "$(tr '\n' ' ' <"$WORK/shared/fds")" == "0 1 2 " ]
}

@test "the caller's pipe ends when the detached container ends, not later" {
	args sleep 0.5
	local start=$SECONDS
	rt_alone run --detach --bundle "$BUNDLE" "$ID" | cat
	((SECONDS - start < 10))
}

@test "the process is the leader of a session of its own" {
	args sh -c 'read -r _ _ _ _ _ session _ </proc/1/stat; echo $session'
	runtime run --bundle "$BUNDLE" "$ID"
	[ "$output" == 1 ]
}
