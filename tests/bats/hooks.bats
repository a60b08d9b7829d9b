#!/usr/bin/env bats
# The hooks of config.json: when, where and with what they run, and what their failure does.
# shellcheck disable=SC2016,SC2030,SC2031

load helpers

setup() {
	load inside
	load cgroups
	setup_bundle
	config 'del(.root.readonly)'
	# Hooks of the container write into it, too.
	for_container "$WORK"
	reachable "$WORK"
}

teardown() {
	teardown_all
}

# hook KIND SCRIPT [FILTER] adds a hook that runs the script, with $WORK in its environment, and is
# changed by the jq filter.
hook() {
	config '.hooks[$kind] += [{path: "/bin/sh", args: ["sh", "-c", $script], env: ["PATH=/usr/bin:/bin", "WORK=" + $work]} | '"${3:-.}"']' \
		--arg kind "$1" --arg script "$2" --arg work "$WORK"
}

readonly kinds=(prestart createRuntime createContainer startContainer poststart poststop)

# out KIND prints the path to which a hook of the kind can write, as it sees it: startContainer hooks
# see the container's files only. outside KIND is where the test finds it.
out() {
	[[ $1 == startContainer ]] && echo "/$1" || echo "$WORK/$1"
}

outside() {
	[[ $1 == startContainer ]] && echo "$BUNDLE/rootfs/$1" || echo "$WORK/$1"
}

# all_hooks SCRIPT adds a hook of each kind, that runs the script with its output in out KIND.
all_hooks() {
	local kind
	for kind in "${kinds[@]}"; do
		hook "$kind" "{ $1; } >$(out "$kind") 2>&1"
	done
}

# life creates, starts and deletes the container $ID.
life() {
	ID=$(new_id)
	rt create -b "$BUNDLE" "$ID"
	rt start "$ID"
	wait_for_status "$ID" "${1:-stopped}"
	rt delete --force "$ID"
}

@test "hooks run in the order of the specification" {
	local kind
	config '.mounts += [{destination: "/order", type: "bind", source: $work, options: ["rbind"]}]' --arg work "$WORK"
	for kind in "${kinds[@]}"; do
		for n in 1 2; do
			[[ $kind == startContainer ]] && hook "$kind" "echo $kind $n >>/order/order" || hook "$kind" "echo $kind $n >>$WORK/order"
		done
	done
	args sh -c 'echo program >>/order/order'
	: >"$WORK/order"
	for_container "$WORK/order"
	ID=$(new_id)
	rt create -b "$BUNDLE" "$ID"
	assert_equal "$(<"$WORK/order")" "$(printf '%s\n' {prestart,createRuntime,createContainer}' '{1,2})"
	rt start "$ID"
	wait_for_status "$ID" stopped
	# poststart follows the program's execution, not its end.
	assert_equal "$(grep -vx program "$WORK/order")" "$(printf '%s\n' {prestart,createRuntime,createContainer,startContainer,poststart}' '{1,2})"
	assert_equal "$(grep -n -m1 -e program -e poststart "$WORK/order" | cut -d: -f1)" 9
	rt delete "$ID"
	assert_equal "$(tail -n 2 "$WORK/order")" $'poststop 1\npoststop 2'
}

@test "run runs them all, too" {
	all_hooks 'echo ran'
	args sleep 0.2
	runtime run -b "$BUNDLE" "$(new_id)"
	assert_success
	assert_output ''
	local kind
	for kind in "${kinds[@]}"; do
		assert_equal "$(<"$(outside "$kind")")" ran
	done
}

@test "each hook reads the container's state" {
	config '.annotations = {"some.key": "a/b <c>"}'
	all_hooks cat
	args sleep 1000
	life running
	local kind state
	declare -A status=([prestart]=creating [createRuntime]=creating [createContainer]=creating [startContainer]=created [poststart]=running [poststop]=stopped)
	for kind in "${kinds[@]}"; do
		state=$(outside "$kind")
		echo "$kind: $(<"$state")"
		assert_equal "$(jq -r '.id, .status, .bundle, .annotations["some.key"]' "$state")" "$ID"$'\n'"${status[$kind]}"$'\n'"$BUNDLE"$'\na/b <c>'
		jq -e '.ociVersion | startswith("1.")' "$state"
		assert_equal "$(wc -l <"$state")" 1
		grep -qF 'a/b <c>' "$state"
	done
	for kind in prestart createRuntime poststart; do
		assert_equal "$(jq .pid "$(outside "$kind")")" "$(jq .pid "$(outside prestart)")"
	done
	assert_equal "$(jq .pid "$(outside createContainer)") $(jq .pid "$(outside startContainer)")" '1 1'
	(($(jq .pid "$(outside prestart)") > 1))
	assert_equal "$(jq '.pid // 0' "$(outside poststop)")" 0
}

# namespaces_here prints the ids of the caller's own namespaces. (A user has a new mount namespace each time.)
namespaces_here="for kind in cgroup ipc $(ordinary || echo mnt) net pid uts; do readlink /proc/self/ns/\$kind; done"

@test "createContainer and startContainer hooks run in the container's namespaces, the others in the caller's" {
	all_hooks "$namespaces_here"
	args sh -c "$namespaces_here >/program; sleep 1000"
	life running
	local kind expected
	for kind in "${kinds[@]}"; do
		expected=$(eval "$namespaces_here")
		[[ $kind == *Container ]] && expected=$(<"$BUNDLE/rootfs/program")
		assert_equal "$(<"$(outside "$kind")")" "$expected"
	done
}

@test "createContainer hooks are programs of the host, whose working directory is the container's root" {
	hook createContainer 'pwd >$WORK/pwd; ls -d "$WORK" >$WORK/host; mount | grep -c "$PWD/dev/shm" >$WORK/mounts'
	life
	assert_equal "$(<"$WORK/pwd")" "$BUNDLE/rootfs"
	assert_equal "$(<"$WORK/host")" "$WORK"
	assert_equal "$(<"$WORK/mounts")" 1
}

@test "startContainer hooks are programs of the container, with the rights of its program" {
	config '.process.user = {uid: 1000, gid: 1001}'
	chmod 777 "$BUNDLE/rootfs/tmp"
	hook startContainer 'cd /tmp; { id -u; id -g; ls -d /rootfs-marker; grep -e CapBnd -e NoNew /proc/self/status | tr -d "\t"; } >out'
	touch "$BUNDLE/rootfs/rootfs-marker"
	args true
	life
	assert_equal "$(<"$BUNDLE/rootfs/tmp/out")" $'1000\n1001\n/rootfs-marker\nCapBnd:0000000020000420\nNoNewPrivs:1'
}

@test "the other hooks run in the bundle" {
	local kind
	for kind in prestart createRuntime poststart poststop; do
		hook "$kind" "pwd >$(out "$kind")"
	done
	life
	for kind in prestart createRuntime poststart poststop; do
		assert_equal "$(<"$WORK/$kind")" "$BUNDLE"
	done
}

@test "a hook's argv and environment are those of the config" {
	local kind
	for kind in "${kinds[@]}"; do
		config '.hooks[$kind] = [{path: "/bin/sh", args: ["/its own/sh", "-c", "{ IFS= read -r line </proc/self/cmdline; echo \"$line\" | head -c 11; echo; env; } >" + $out, "x"], env: ["ONLY=this"]}]' --arg kind "$kind" --arg out "$(out "$kind")"
	done
	life
	for kind in "${kinds[@]}"; do
		assert_equal "$(grep -ve '^PWD=' -e '^_=' -e '^SHLVL=' -e '^OLDPWD=' -e '^PATH=' "$(outside "$kind")")" $'/its own/sh\nONLY=this'
	done
}

@test "without an environment of its own a startContainer hook has the program's, and hooks of the host the caller's" {
	config '.process.env += ["FROM=config"]'
	export FROM=caller
	hook startContainer "{ echo \$FROM \$HOME; ulimit -n; } >$(out startContainer)" 'del(.env)'
	hook createRuntime "echo \$FROM >$(out createRuntime)" 'del(.env)'
	life
	assert_equal "$(<"$(outside startContainer)")" $'config /root\n1024'
	assert_equal "$(<"$(outside createRuntime)")" caller
}

@test "a hook's path is not looked up, and one without args is its own name" {
	printf '#!/bin/sh\necho "$0 $#" >%s/out\n' "$WORK" >"$WORK/hook.sh"
	chmod +x "$WORK/hook.sh"
	config '.hooks.createRuntime = [{path: $path}]' --arg path "$WORK/hook.sh"
	life
	assert_equal "$(<"$WORK/out")" "$WORK/hook.sh 0"
	config '.hooks.createRuntime = [{path: "sh"}]'
	refused 'hooks.createRuntime[0].path'
}

@test "nothing but stdio is open in a hook" {
	all_hooks 'n=0; while [ $n -lt 100 ]; do [ -e /proc/self/fd/$n ] && echo $n; n=$((n + 1)); done; true'
	args sleep 1000
	ID=$(new_id)
	RT_KEEP_FDS='3 4 5 20' rt create --preserve-fds 3 -b "$BUNDLE" "$ID" 3</ 4</ 5</ 20</etc/hostname
	RT_KEEP_FDS='5 20' rt start "$ID" 5</ 20</etc/hostname
	RT_KEEP_FDS='5 20' rt delete --force "$ID" 5</ 20</etc/hostname
	local kind
	for kind in "${kinds[@]}"; do
		echo "$kind"
		# The shell keeps copies of the stdout and stderr that it redirects at 10 and 11.
		assert_equal "$(grep -vx '1[01]' "$(outside "$kind")")" $'0\n1\n2'
	done
}

@test "a failing hook of create undoes the container, and the later hooks do not run" {
	local kind
	for kind in prestart createRuntime createContainer; do
		config 'del(.hooks)'
		hook "$kind" 'true'
		hook "$kind" 'echo word; echo complaint >&2; exit 3'
		hook "$kind" 'touch $WORK/later'
		hook startContainer 'touch /later'
		hook poststop 'touch $WORK/poststop'
		fails "error running $kind hook #1: exit status 3, stdout: word, stderr: complaint"
		[[ ! -e $WORK/later && ! -e $BUNDLE/rootfs/later ]]
		rm "$WORK/poststop"
	done
}

@test "a failing startContainer hook stops the container, whose program is not executed" {
	hook startContainer 'exit 4'
	hook poststop 'touch $WORK/poststop'
	args touch /executed
	ID=$(new_id)
	rt create -b "$BUNDLE" "$ID"
	runtime start "$ID"
	assert_failure 1
	assert_contains 'error running startContainer hook #0: exit status 4'
	assert_equal "$(container_status "$ID")" stopped
	[[ ! -e $BUNDLE/rootfs/executed ]]
	rt delete "$ID"
	[[ -e $WORK/poststop ]]
	fails 'error running startContainer hook #0'
}

@test "a failing poststart hook kills the container" {
	hook poststart 'exit 5'
	args sleep 1000
	ID=$(new_id)
	rt create -b "$BUNDLE" "$ID"
	runtime start "$ID"
	assert_failure 1
	assert_contains 'error running poststart hook #0: exit status 5'
	wait_for_status "$ID" stopped
	rt delete "$ID"
	fails 'error running poststart hook #0'
}

@test "a failing poststop hook is a warning in the log, and the next one runs" {
	hook poststop 'exit 6'
	hook poststop 'touch $WORK/next'
	args true
	ID=$(new_id)
	rt create -b "$BUNDLE" "$ID"
	rt kill "$ID" KILL
	wait_for_status "$ID" stopped
	run rt --log "$WORK/log" --log-format json delete "$ID"
	assert_success
	assert_output ''
	[[ -e $WORK/next ]]
	assert_equal "$(jq -r .level "$WORK/log")" warning
	grep -q 'error running poststop hook #0: exit status 6' "$WORK/log"
	run_container
	assert_success
	assert_output 'rt: warning: error running poststop hook #0: exit status 6, stdout: , stderr: '
	config '.process.args = ["no-such-program"]'
	run_container
	assert_failure 1
	[[ ${#lines[@]} == 1 && $output == *'no-such-program'* ]]
}

@test "a hook that hangs is killed at its timeout" {
	local kind
	for kind in prestart createRuntime createContainer startContainer poststart; do
		config 'del(.hooks)'
		hook "$kind" "exec sleep 1234" '.timeout = 1'
		args sleep 1000
		SECONDS=0
		fails "error running $kind hook #0: hook ran past specified timeout of 1.0s"
		((SECONDS < 8))
	done
}

@test "what a hook that hangs has started ends with it" {
	local kind
	for kind in prestart createRuntime createContainer startContainer poststart; do
		config 'del(.hooks)'
		hook "$kind" "(sleep 1234; : $TOKEN) & sleep 1235" '.timeout = 1'
		args sleep 1000
		fails "error running $kind hook #0: hook ran past specified timeout of 1.0s"
	done
}

@test "a hook that cannot be executed fails the container" {
	local kind
	for kind in prestart createRuntime createContainer startContainer poststart; do
		config '.hooks = {($kind): [{path: "/no/such/hook"}]}' --arg kind "$kind"
		args sleep 1000
		fails "error running $kind hook #0" '/no/such/hook' 'no such file or directory'
	done
}

@test "a hook that a signal ends says which" {
	local kind
	for kind in createRuntime createContainer; do
		config 'del(.hooks)'
		hook "$kind" 'kill -9 $$'
		fails "error running $kind hook #0: signal: killed"
	done
}

@test "a hook that does not read its state, writes a lot, and leaves a process behind" {
	local kind
	config '.annotations = {big: ("x" * 300000)}'
	for kind in createRuntime createContainer; do
		hook "$kind" 'head -c 1000000 /dev/zero; exec sleep 3 >/dev/null 2>&1 & exit 0'
		hook "$kind" 'sleep 1235 & exit 0'
	done
	SECONDS=0
	life
	((SECONDS < 5))
	for pid in $(pgrep -fx 'sleep 1235'); do
		[[ -e /proc/$pid ]] && grep -qzF "WORK=$WORK" "/proc/$pid/environ" && kill "$pid"
	done
}

@test "hooks find the container by rt state, and it tells them the same" {
	local kind
	for kind in prestart createRuntime poststart; do
		hook "$kind" "$RT_PROGRAM --root $ROOT state \$(sed 's/.*\"id\":\"\\([^\"]*\\)\".*/\\1/') >$(out "$kind") 2>&1"
	done
	hook poststop "$RT_PROGRAM --root $ROOT state \$(sed 's/.*\"id\":\"\\([^\"]*\\)\".*/\\1/') >$(out poststop) 2>&1"
	args sleep 1000
	life running
	assert_equal "$(jq -r .status "$WORK/prestart" "$WORK/createRuntime" "$WORK/poststart")" $'creating\ncreating\nrunning'
	(($(jq .pid "$WORK/createRuntime") > 1))
	grep -q 'container does not exist' "$WORK/poststop"
}

@test "a poststart hook may execute something in the container" {
	hook poststart "$RT_PROGRAM --root $ROOT exec \$(sed 's/.*\"id\":\"\\([^\"]*\\)\".*/\\1/') hostname >$(out poststart) 2>&1 </dev/null"
	args sleep 1000
	life running
	assert_equal "$(<"$WORK/poststart")" container
}

@test "what a hook changes in the container's mounts and network is there when the program runs" {
	skip_in rootless 'the hook would have to enter the user namespace'
	needs ip
	hook createRuntime 'read -r state; pid=${state#*\"pid\":}; nsenter -t "${pid%%,*}" -n ip address add 10.11.12.13/32 dev lo' '.env[0] += ":/usr/sbin:/sbin"'
	hook createContainer 'mkdir -p added && mount -t tmpfs added added && echo hello >added/file'
	args sh -c 'cat /added/file; ip -o address show dev lo'
	run_container
	assert_success
	assert_line hello
	assert_contains 10.11.12.13
}

@test "hooks are those of the config at create, whatever becomes of the bundle's file" {
	hook startContainer 'echo first >/start'
	hook poststop 'echo first >$WORK/stop'
	args sleep 1000
	ID=$(new_id)
	rt create -b "$BUNDLE" "$ID"
	config '.hooks = {poststop: [{path: "/bin/false"}]}'
	rt start "$ID"
	rt delete --force "$ID"
	assert_equal "$(cat "$BUNDLE/rootfs/start" "$WORK/stop")" $'first\nfirst'
}

@test "hooks run without a pid namespace, and without any" {
	local filter filters=('del(.linux.namespaces[] | select(.type == "pid"))')
	# An ordinary user is in a new mount namespace each time, which start cannot join.
	ordinary || filters+=('.linux.namespaces |= map(select(.type == "user")) | .mounts = [] | del(.linux.maskedPaths, .linux.readonlyPaths, .hostname)')
	for filter in "${filters[@]}"; do
		config "del(.hooks) | $filter"
		all_hooks 'pwd; echo ran'
		args sleep 1000
		life running
		local kind
		for kind in "${kinds[@]}"; do
			[[ $kind != *Container ]] || grep -qx "$([[ $kind == startContainer ]] && echo / || echo "$BUNDLE/rootfs")" "$(outside "$kind")"
			grep -qx ran "$(outside "$kind")"
			rm "$(outside "$kind")"
		done
	done
}
