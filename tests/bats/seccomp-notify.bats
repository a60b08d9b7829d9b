#!/usr/bin/env bats
# SCMP_ACT_NOTIFY: an agent answers system calls in the container's place (config-linux.md, "Seccomp").

load helpers
load inside

setup() {
	setup_bundle
	ID=$(new_id)
	SOCKET=$WORK/agent.sock
	case $(uname -m) in
	x86_64) mkdir=83 ;;
	aarch64) mkdir=34 ;; # mkdirat
	*) skip "the numbers in this test are those of x86_64 and aarch64" ;;
	esac
}

teardown() {
	if [[ -n ${AGENT:-} ]]; then
		kill "$AGENT" 2>/dev/null || true
	fi
	teardown_all
}

# agent [NUMBER=ANSWER...] plays the agent; what it gets and is asked goes to $WORK/agent.
agent() {
	"$PEER" agent "$SOCKET" "$@" >"$WORK/agent" 2>&1 </dev/null 3>&- &
	AGENT=$!
	wait_until 5 grep -qx 'peer: listening' "$WORK/agent"
	[[ $SOCKET == @* ]] || for_container "$SOCKET" # an abstract one is no file
}

# profile ACTION-OF-MKDIR [MORE RULES] sets linux.seccomp.
profile() {
	config '.root.readonly = false | .linux.seccomp = {
		defaultAction: "SCMP_ACT_ALLOW", listenerPath: $socket, listenerMetadata: "for \"you\" </>",
		syscalls: ([{names: ["mkdir", "mkdirat"], action: "SCMP_ACT_NOTIFY"}] + $more)}' --arg socket "$SOCKET" --argjson more "${1:-[]}"
}

# process N [JQ-FILTER] prints the Nth container process state that the agent got.
process() {
	sed -n 's/^peer: process //p' "$WORK/agent" | sed -n "$1p" | jq -e "${2:-.}"
}

connections() { grep -c '^peer: process ' "$WORK/agent"; }

@test "what the agent answers is the result of the call" {
	profile
	agent "$mkdir=errno:74"
	inside 'mkdir /x; echo "exit code $?"; ls -d /x'
	assert_contains "can't create directory '/x': Bad message"
	assert_line 'exit code 1'
	assert_contains '/x: No such file'
	grep -qx "peer: asked about $mkdir" "$WORK/agent"
}

@test "an agent can fake success, or let the call go on" {
	profile
	agent "$mkdir=value:0"
	inside 'mkdir /x && echo made; ls -d /x || echo not there'
	assert_line made
	assert_line 'not there'
	kill "$AGENT"
	SOCKET=$WORK/second.sock
	profile
	agent "$mkdir=continue"
	inside 'mkdir /x && ls -d /x'
	assert_success
	assert_line /x
}

@test "the agent gets the state of the container and of the process, and the metadata" {
	profile
	config '.annotations = {"org.example.key": "value"}'
	args sleep 1000
	agent
	rt create -b "$BUNDLE" "$ID"
	process 1
	process 1 '.ociVersion == "1.3.0" and .fds == ["seccompFd"] and .metadata == "for \"you\" </>"'
	process 1 '.state | .status == "creating" and .annotations == {"org.example.key": "value"} and .ociVersion == "1.3.0"'
	assert_equal "$(process 1 .state.id)" "\"$ID\""
	assert_equal "$(process 1 .state.bundle)" "\"$BUNDLE\""
	assert_equal "$(process 1 .pid)" "$(container_pid "$ID")"
	assert_equal "$(process 1 .state.pid)" "$(container_pid "$ID")"
	assert_equal "$(container_status "$ID")" created
	rt start "$ID"
	wait_for_status "$ID" running
	assert_equal "$(connections)" 1
}

@test "every process that is executed has a listener of its own" {
	profile
	args sleep 1000
	agent "$mkdir=errno:74"
	rt run -d -b "$BUNDLE" "$ID"
	local n
	for n in 2 3; do
		runtime exec "$ID" mkdir /x
		assert_failure 1
		assert_contains 'Bad message'
		assert_equal "$(connections)" "$n"
		process "$n" '.state.status == "running" and .pid != .state.pid'
		assert_equal "$(process "$n" .state.pid)" "$(container_pid "$ID")"
	done
	rt exec -d --pid-file "$WORK/pid" "$ID" sleep 1000
	assert_equal "$(process 4 .pid)" "$(<"$WORK/pid")"
}

@test "calls of init can wait for the agent: all that it still makes before the program runs" {
	local calls='["read", "readv", "sendmsg", "sendto", "recvmsg", "capset", "prctl", "execve", "close", "close_range", "exit_group"]' privileges
	args sh -c 'echo ran'
	profile "[{\"names\": $calls, \"action\": \"SCMP_ACT_NOTIFY\"}]"
	agent
	for privileges in true false; do
		config ".process.noNewPrivileges = $privileges"
		run_container
		assert_success
		assert_output ran
		ID=$(new_id)
		rt create --pid-file "$WORK/pid" -b "$BUNDLE" "$ID"
		runtime start "$ID"
		assert_success
		wait_for_status "$ID" stopped
		rt delete "$ID"
	done
}

@test "a profile under which new system calls do not exist starts all the same" {
	profile '[{"names": ["close_range", "openat2", "fsopen", "fsmount", "fsconfig", "open_tree", "move_mount", "mount_setattr",
		"faccessat2", "statx", "pidfd_open", "pidfd_getfd", "capset", "prctl"], "action": "SCMP_ACT_ERRNO", "errnoRet": 38}]'
	agent "$mkdir=errno:74"
	args sh -c 'mkdir /x; sleep 1000'
	local privileges
	for privileges in true false; do
		config ".process.noNewPrivileges = $privileges"
		ID=$(new_id)
		runtime create -b "$BUNDLE" "$ID"
		assert_success
		runtime start "$ID"
		assert_success
		runtime exec "$ID" mkdir /x
		assert_failure 1
		assert_contains 'Bad message'
		runtime exec "$ID" grep CapPrm /proc/self/status
		assert_output $'CapPrm:\t0000000020000420'
		rt delete --force "$ID"
	done
}

@test "without noNewPrivileges the filter is loaded too, for root and for others" {
	agent "$mkdir=errno:74"
	profile
	local uid
	for uid in 0 1000; do
		config ".process.noNewPrivileges = false | .process.user.uid = $uid | .process.capabilities = {bounding: [], permitted: [], effective: []}"
		inside 'mkdir /tmp/x; grep CapEff /proc/self/status'
		assert_contains 'Bad message'
		assert_line $'CapEff:\t0000000000000000'
	done
}

@test "startContainer hooks ask the agent too" {
	profile
	config '.hooks = {startContainer: [{path: "/bin/sh", args: ["sh", "-c", "mkdir /x"]}]}'
	args true
	agent "$mkdir=errno:74"
	runtime run -b "$BUNDLE" "$ID"
	assert_failure 1
	assert_all_contained 'startContainer hook #0' 'Bad message'
	process 2 '.state.status == "created" and .pid != .state.pid'
	assert_equal "$(ls -A "$ROOT")" ''
}

@test "an abstract socket is named with @" {
	SOCKET=@$TOKEN
	profile
	agent "$mkdir=errno:74"
	inside 'mkdir /x'
	assert_failure 1
	assert_contains 'Bad message'
}

@test "the listener is the agent's alone: neither the container nor rt has it" {
	profile
	args sh -c 'ls -l /proc/self/fd; until [ -e /go ]; do sleep 0.02; done; mkdir /x; sleep 1000'
	agent "$mkdir=errno:74"
	rt_background run -b "$BUNDLE" "$ID"
	wait_until 10 grep -q ' 2 -> ' "$WORK/background.out"
	run cat "$WORK/background.out"
	refute_contains seccomp
	kill "$AGENT"
	wait_until 5 gone "$AGENT"
	# A call that nobody can answer fails. It would wait if somebody had the listener.
	touch "$BUNDLE/rootfs/go"
	wait_until 5 grep -q 'Function not implemented' "$WORK/background.err"
	rt kill "$ID" KILL
}

@test "without an agent nothing is made, and the error says who is missing" {
	profile
	args true
	fails 'failed to connect with seccomp agent specified in the seccomp profile' "$SOCKET" linux.seccomp.listenerPath
	runtime create -b "$BUNDLE" "$ID"
	assert_failure 1
	assert_contains 'failed to connect with seccomp agent'
	nothing_made
}

@test "an exec without an agent fails, and the container goes on" {
	profile
	args sleep 1000
	agent
	rt run -d -b "$BUNDLE" "$ID"
	kill "$AGENT"
	runtime exec "$ID" true
	assert_failure 255
	assert_contains 'failed to connect with seccomp agent'
	assert_equal "$(container_status "$ID")" running
}

@test "an agent that nobody asks is not looked for" {
	profile
	config 'del(.linux.seccomp.syscalls)'
	inside 'echo ran'
	assert_output ran
}

@test "what cannot work is refused" {
	profile
	args true
	config 'del(.linux.seccomp.listenerPath, .linux.seccomp.listenerMetadata)'
	refused 'seccomp listenerPath is not set'
	profile
	config '.linux.seccomp.defaultAction = "SCMP_ACT_NOTIFY"'
	refused linux.seccomp.defaultAction SCMP_ACT_NOTIFY
	profile '[{"names": ["write"], "action": "SCMP_ACT_NOTIFY"}]'
	refused 'SCMP_ACT_NOTIFY cannot be used for the write syscall'
	profile
	config 'del(.linux.seccomp.listenerPath, .linux.seccomp.syscalls)'
	refused linux.seccomp.listenerMetadata
}

@test "SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV is handed on where there is a listener" {
	profile
	config '.linux.seccomp.flags = ["SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV"]'
	args true
	agent
	runtime --debug run -b "$BUNDLE" "$ID"
	assert_success
	assert_contains 'seccomp filter flags: 40'
}

@test "the agent's socket can be named by an annotation or a variable, as crun has it" {
	profile
	config 'del(.linux.seccomp.listenerPath, .linux.seccomp.listenerMetadata)'
	agent "$mkdir=errno:74"
	args mkdir /x
	RUN_OCI_SECCOMP_RECEIVER=$SOCKET run_container
	assert_failure 1
	assert_contains 'Bad message'
	config '.annotations["run.oci.seccomp.receiver"] = $socket' --arg socket "$SOCKET"
	RUN_OCI_SECCOMP_RECEIVER=/nowhere run_container
	assert_contains 'Bad message'
	config '.linux.seccomp.listenerPath = "/nowhere"'
	run_container
	assert_contains 'failed to connect with seccomp agent'
}
