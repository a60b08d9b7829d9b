#!/usr/bin/env bats
# linux.seccomp: what the profile says about a system call is what the program gets.

load helpers
load inside

setup() {
	setup_bundle
}

teardown() {
	teardown_all
}

# profile JSON sets linux.seccomp.
profile() {
	config '.linux.seccomp = $profile | .root.readonly = false' --argjson profile "$1"
}

@test "a forbidden call gets EPERM, or the errno of its rule" {
	profile '{"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [
		{"names": ["mkdir", "mkdirat"], "action": "SCMP_ACT_ERRNO"},
		{"names": ["symlink", "symlinkat"], "action": "SCMP_ACT_ERRNO", "errnoRet": 28}]}'
	inside 'mkdir /x; ln -s a /y; touch /z && echo made'
	assert_contains "can't create directory '/x': Operation not permitted"
	assert_contains '/y: No space left on device'
	assert_line made
}

@test "a rule looks at arguments" {
	profile '{"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [
		{"names": ["kill"], "action": "SCMP_ACT_ERRNO", "errnoRet": 13,
		 "args": [{"index": 1, "value": 10, "op": "SCMP_CMP_EQ"}]}]}'
	inside 'trap "echo twelve" USR2; kill -USR1 $$; kill -USR2 $$'
	assert_contains 'Permission denied'
	assert_line twelve
}

@test "a call that kills the process ends the container by SIGSYS" {
	profile '{"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [{"names": ["mkdir", "mkdirat"], "action": "SCMP_ACT_KILL_PROCESS"}]}'
	args mkdir /x
	run_container
	assert_equal "$status" 159
}

@test "a call newer than the profile gets ENOSYS, an older one the default" {
	[[ $(uname -m) == x86_64 ]] || skip "the numbers in this test are those of x86_64"
	profile "$(cat "$REPO/tests/bench/seccomp.json")"
	cp "$PEER" "$BUNDLE/rootfs/bin/peer"
	args /bin/peer syscall 246 1000 # kexec_load, and one that is not there yet
	run_container
	assert_success
	assert_line '246 operation not permitted'
	assert_line '1000 function not implemented'
}

@test "the filter is there with and without noNewPrivileges, for root and for others, and takes no capability along" {
	profile '{"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [{"names": ["mkdir", "mkdirat"], "action": "SCMP_ACT_ERRNO"}]}'
	config '.process.capabilities = {bounding: ["CAP_KILL"], permitted: ["CAP_KILL"], effective: ["CAP_KILL"]}'
	local privileges uid
	for privileges in true false; do
		for uid in 0 1000; do
			config ".process.noNewPrivileges = $privileges | .process.user.uid = $uid"
			args grep -E '^(Seccomp|CapPrm|NoNewPrivs):' /proc/self/status
			run_container
			assert_success
			assert_line $'Seccomp:\t2'
			[[ $privileges == false ]] || assert_line $'NoNewPrivs:\t1'
			if [[ $uid == 0 ]]; then
				assert_line $'CapPrm:\t0000000000000020'
			else
				assert_line $'CapPrm:\t0000000000000000'
			fi
		done
	done
}

@test "a program started by exec is under the same filter" {
	profile '{"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [{"names": ["mkdir", "mkdirat"], "action": "SCMP_ACT_ERRNO"}]}'
	args sleep 100
	local id
	id=$(new_id)
	rt_alone run -d -b "$BUNDLE" "$id"
	runtime exec "$id" mkdir /x
	assert_failure 1
	assert_contains 'Operation not permitted'
}

@test "a rule for an agent is refused as long as there is no way to it" {
	profile '{"defaultAction": "SCMP_ACT_ALLOW", "listenerPath": "/run/agent.sock", "syscalls": [{"names": ["mkdir"], "action": "SCMP_ACT_NOTIFY"}]}'
	args true
	run_container
	assert_failure 1
	assert_contains SCMP_ACT_NOTIFY
}
