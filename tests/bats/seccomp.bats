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

@test "a filter that forbids everything, the end of a process included, hangs nothing" {
	local new_privileges id
	for new_privileges in true false; do
		config '.process.noNewPrivileges = $value' --argjson value "$new_privileges"
		profile '{"defaultAction": "SCMP_ACT_ERRNO", "defaultErrnoRet": 38}'
		id=$(new_id)
		rt create -b "$BUNDLE" "$id" >/dev/null
		rt start "$id"
		wait_for_status "$id" stopped
		run timeout -s KILL "$((20 * ${RT_SLOWNESS:-1}))" "$RT" --root "$ROOT" run -b "$BUNDLE" "$(new_id)"
		assert_failure 132
		assert_contains 'killed before its program could be executed'
	done
}

@test "a filter that forbids what the init stage talks with keeps no program from starting" {
	local new_privileges action id
	args sh -c 'mkdir /made; exit 3'
	config '.hooks.startContainer = [{path: "/bin/mkdir", args: ["mkdir", "/hooked"]}]'
	for new_privileges in true false; do
		for action in ERRNO KILL_PROCESS; do
			config '.process.noNewPrivileges = $value' --argjson value "$new_privileges"
			profile '{"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [{"names": ["read", "write"], "action": "SCMP_ACT_'$action'"}]}'
			id=$(new_id)
			rt create -b "$BUNDLE" "$id" >/dev/null
			[[ ! -e $BUNDLE/rootfs/made ]]
			rt start "$id"
			wait_for_status "$id" stopped
			rmdir "$BUNDLE/rootfs/made" "$BUNDLE/rootfs/hooked"
			rt delete "$id"
			run_container
			assert_failure 3
			rmdir "$BUNDLE/rootfs/made" "$BUNDLE/rootfs/hooked"
		done
	done
}

@test "exec: a filter that forbids what the init stage talks with keeps no program from starting" {
	profile '{"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [{"names": ["read", "write"], "action": "SCMP_ACT_KILL_PROCESS"}]}'
	local id
	id=$(new_id)
	args sleep 1000
	rt run --detach -b "$BUNDLE" "$id" >/dev/null
	runtime exec "$id" sh -c 'mkdir /made; exit 4'
	assert_failure 4
	[[ -d $BUNDLE/rootfs/made ]]
}

@test "run and exec say it if the filter kills the process before it is the program" {
	local id
	profile '{"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [{"names": ["execve"], "action": "SCMP_ACT_KILL_PROCESS"}]}'
	id=$(new_id)
	runtime run -b "$BUNDLE" "$id"
	assert_failure 159
	assert_output "rt: run $id: killed before its program could be executed: does the seccomp filter (linux.seccomp) forbid execve?"
	rt create -b "$BUNDLE" "$id" >/dev/null
	runtime exec "$id" true
	assert_failure 159
	assert_output "rt: exec $id: killed before its program could be executed: does the seccomp filter (linux.seccomp) forbid execve?"
	rt delete --force "$id"
	profile '{"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [{"names": ["mkdir", "mkdirat"], "action": "SCMP_ACT_KILL_PROCESS"}]}'
	args mkdir /x
	run_container
	assert_failure 159
	assert_output ''
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

@test "startContainer hooks are under the filter of the program that they come before" {
	profile '{"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [{"names": ["mkdir", "mkdirat"], "action": "SCMP_ACT_KILL_PROCESS"}]}'
	config '.hooks = {startContainer: [{path: "/bin/mkdir", args: ["mkdir", "/x"]}]}'
	args true
	fails 'error running startContainer hook #0' 'bad system call'
}

# flags JSON VALUE: a profile with these flags is loaded with this value.
flags() {
	config 'if $flags == null then del(.linux.seccomp.flags) else .linux.seccomp.flags = $flags end' --argjson flags "$1"
	runtime --debug run -b "$BUNDLE" "$(new_id)"
	assert_success
	assert_contains "seccomp filter flags: $2"
}

@test "the filter is loaded with the flags that the profile names, or the usual ones" {
	profile '{"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [{"names": ["mkdir"], "action": "SCMP_ACT_ERRNO"}]}'
	args true
	flags null 4
	flags '[]' 0
	flags '["SECCOMP_FILTER_FLAG_LOG"]' 2
	flags '["SECCOMP_FILTER_FLAG_TSYNC"]' 0
	flags '["SECCOMP_FILTER_FLAG_LOG", "SECCOMP_FILTER_FLAG_SPEC_ALLOW"]' 6
	flags '["SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV"]' 0 # there is no listener to wait for
	config '.linux.seccomp.flags = ["SECCOMP_FILTER_FLAG_NEW"]'
	refused 'linux.seccomp.flags[0]' SECCOMP_FILTER_FLAG_NEW
}

@test "exec says with --debug with which flags it loads the filter" {
	profile '{"defaultAction": "SCMP_ACT_ALLOW", "flags": ["SECCOMP_FILTER_FLAG_LOG"], "syscalls": [{"names": ["mkdir"], "action": "SCMP_ACT_ERRNO"}]}'
	args sleep 100
	local id
	id=$(new_id)
	rt run -d -b "$BUNDLE" "$id"
	runtime --debug exec "$id" true
	assert_success
	assert_contains 'seccomp filter flags: 2'
}

@test "plan sums the filter up, and prints it on demand" {
	profile '{"defaultAction": "SCMP_ACT_ERRNO", "architectures": ["SCMP_ARCH_X86_64", "SCMP_ARCH_X32"], "syscalls": [
		{"names": ["read", "write"], "action": "SCMP_ACT_ALLOW"}, {"names": ["mkdir"], "action": "SCMP_ACT_TRAP"}]}'
	runtime plan --no-calls "$BUNDLE"
	assert_success
	assert_contains 'filter system calls: SCMP_ACT_ERRNO but for 2 rules, on x86_64 x32, by '
	runtime plan --seccomp "$BUNDLE"
	assert_success
	assert_all_contained 'instructions, for SCMP_ARCH_X86_64 SCMP_ARCH_X32, with SECCOMP_FILTER_FLAG_SPEC_ALLOW' \
		'(mkdir)' 'return allow' 'return trap' 'return errno EPERM' 'return errno ENOSYS'
	config 'del(.linux.seccomp)'
	runtime plan --seccomp "$BUNDLE"
	assert_success
	assert_contains 'no filter'
}

@test "a name that is no system call is ignored, unless an annotation makes it an error" {
	profile '{"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [{"names": ["mkdir", "make_coffee"], "action": "SCMP_ACT_ERRNO"}]}'
	inside 'mkdir /x'
	assert_contains 'Operation not permitted'
	config '.annotations["run.oci.seccomp_fail_unknown_syscall"] = "1"'
	refused 'linux.seccomp.syscalls[0].names[1]' make_coffee run.oci.seccomp_fail_unknown_syscall
}

# A program by which mkdir (83) gets errno 74, and all else is allowed: load number; if it is 83 go on,
# else leave one out; return errno 74; return allow.
raw_filter() {
	printf '\x20\0\0\0\0\0\0\0\x15\0\0\1\x53\0\0\0\6\0\0\0\x4a\0\5\0\6\0\0\0\0\0\xff\x7f' | base64 -w0
}

@test "a compiled filter can take the profile's place" {
	[[ $(uname -m) == x86_64 ]] || skip "the number in this test is that of x86_64"
	config '.root.readonly = false | .annotations["run.oci.seccomp_bpf_data"] = $data' --arg data "$(raw_filter)"
	inside 'mkdir /x; touch /y && echo made'
	assert_all_contained 'Bad message' made
	profile '{"defaultAction": "SCMP_ACT_KILL_PROCESS"}'
	args sleep 100
	local id
	id=$(new_id)
	rt run -d -b "$BUNDLE" "$id"
	runtime exec "$id" mkdir /x
	assert_failure 1
	assert_contains 'Bad message'
	runtime plan --seccomp "$BUNDLE"
	assert_contains 'if    number == 83 (mkdir)  then 2 else 3'
}

@test "a compiled filter that is none is refused" {
	local data
	for data in '###' '' AAAA "$(head -c 32776 /dev/zero | base64 -w0)" "$(printf '\x20\0\0\0\0\0\0\0' | base64)"; do
		config '.annotations["run.oci.seccomp_bpf_data"] = $data' --arg data "$data"
		refused run.oci.seccomp_bpf_data
	done
	config '.annotations["run.oci.seccomp_bpf_data"] = $data' --arg data "$(printf '\6\0\0\0\0\0\xc0\x7f' | base64)"
	refused run.oci.seccomp_bpf_data 'seccomp listenerPath is not set'
}

@test "seccomp plugins are refused" {
	config '.annotations["run.oci.seccomp.plugins"] = "/usr/lib/plugin.so"'
	refused run.oci.seccomp.plugins 'no plugins'
}

# on_empty_run SCRIPT runs a script with a /run of its own, in which the cache of filters is empty.
on_empty_run() {
	in_mount_namespace private "mount -t tmpfs tmpfs /run
		cached() { stat -c '%i %a %u' /run/rt.cache/*; }
		container() { \"\$RT\" --root \"\$ROOT\" run -b \"\$BUNDLE\" $TOKEN-\$RANDOM; }
		$1"
}

@test "a second container with the same profile takes the filter that the first one left" {
	skip_in rootless 'the cache is that of root'
	profile '{"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [{"names": ["mkdir", "mkdirat"], "action": "SCMP_ACT_ERRNO"}]}'
	args sh -c 'mkdir /x || true'
	on_empty_run '
		"$RT" plan "$BUNDLE" >/dev/null
		"$RT" plan --seccomp "$BUNDLE" >/dev/null
		[[ ! -e /run/rt.cache ]]
		container
		[[ $(stat -c "%a %u" /run/rt.cache) == "700 0" ]]
		before=$(cached)
		[[ $before == *" 600 0" ]]
		container
		[[ $(cached) == "$before" ]]'
	assert_success
	assert_equal "$(grep -c 'Operation not permitted' <<<"$output")" 2
}

@test "a damaged or foreign file in the cache is replaced, and a foreign cache not used" {
	skip_in rootless 'the cache is that of root'
	profile '{"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [{"names": ["mkdir", "mkdirat"], "action": "SCMP_ACT_ERRNO"}]}'
	args sh -c 'mkdir /x || true'
	on_empty_run '
		container
		file=$(echo /run/rt.cache/*)
		whole=$(sha256sum <"$file")
		for damage in "truncate -s -1" "chown 1000" "chmod o+w" "dd if=/dev/zero bs=1 count=1 seek=20 conv=notrunc status=none of=" ; do
			before=$(cached)
			[[ $damage == *= ]] && $damage"$file" || $damage "$file"
			container
			[[ $(sha256sum <"$file") == "$whole" && $(stat -c "%a %u" "$file") == "600 0" ]]
		done
		chmod 777 /run/rt.cache
		rm "$file"
		container
		[[ -z $(ls -A /run/rt.cache) ]]
		rmdir /run/rt.cache
		mkdir /run/elsewhere
		ln -s /run/elsewhere /run/rt.cache
		container
		[[ -z $(ls -A /run/elsewhere) ]]'
	assert_success
	assert_equal "$(grep -c 'Operation not permitted' <<<"$output")" 7
}

@test "a cache that cannot be written is no error" {
	skip_in rootless 'the cache is that of root'
	profile '{"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [{"names": ["mkdir", "mkdirat"], "action": "SCMP_ACT_ERRNO"}]}'
	args sh -c 'mkdir /x || true'
	on_empty_run '
		mkdir -m 700 /run/rt.cache
		mount -t tmpfs -o size=4k,mode=700 tmpfs /run/rt.cache
		head -c 4096 /dev/zero >/run/rt.cache/full
		container
		[[ $(ls -A /run/rt.cache) == full ]]
		mount -o remount,ro /run/rt.cache
		container'
	assert_success
	assert_equal "$(grep -c 'Operation not permitted' <<<"$output")" 2
}
