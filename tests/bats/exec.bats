#!/usr/bin/env bats
# One more program in a container. The container of most tests sleeps.
# shellcheck disable=SC2016,SC2030,SC2031

setup() {
	load helpers
	load inside
	load cgroups
	setup_bundle
}

teardown() {
	teardown_all
}

# sleeper starts the container of the current bundle.
sleeper() {
	run_detached sleep 1000
}

# execute [FLAG...] [-- SCRIPT] runs a script in the container.
execute() {
	local flags=()
	while (($# > 1)); do
		flags+=("$1")
		shift
	done
	runtime exec "${flags[@]}" "$ID" sh -c "$1"
}

# process FILTER prints a process file for exec: a shell command, changed by the jq filter.
process() {
	jq -n '{args: ["sh", "-c", $script], cwd: "/", user: {uid: 0, gid: 0}, env: ["PATH=/bin"]} | '"${2:-.}" --arg script "$1"
}

@test "exec runs a program with the caller's stdio and gives its exit code" {
	sleeper
	run rt_alone exec "$ID" sh -c 'cat; echo err >&2; exit 42' <<<typed
	assert_failure 42
	assert_output $'typed\nerr'
}

@test "a program that a signal ends gives 128 and its number" {
	sleeper
	execute 'kill -9 $$'
	assert_failure 137
}

@test "what follows the id is the command, and -- in front of it is dropped" {
	sleeper
	runtime exec "$ID" echo -d --tty -- x
	assert_output '-d --tty -- x'
	runtime exec "$ID" -- echo -- x
	assert_output '-- x'
}

@test "the process is that of config.json as it is now, without its terminal" {
	local group=56
	! ordinary || group=
	config '.process.user = {uid: 12, gid: 34, additionalGids: ['$group'], umask: 63} | .process.cwd = "/tmp" | .process.env += ["FROM=config"]'
	sleeper
	execute 'echo "$(id -u) $(id -g) $(id -G) $PWD $FROM $(umask)"'
	assert_output "12 34 34${group:+ 56} /tmp config 0077"
	config '.process.terminal = true | .process.user.uid = 13'
	execute 'id -u; test -t 0 || echo none'
	assert_output $'13\nnone'
}

@test "--process: what the file leaves open is the container's, whatever has become of the bundle" {
	config '.process.capabilities |= map_values(["CAP_KILL"]) | .process.rlimits = [{type: "RLIMIT_NOFILE", hard: 77, soft: 77}]
		| .linux.seccomp = {defaultAction: "SCMP_ACT_ALLOW", syscalls: [{names: ["mkdir", "mkdirat"], action: "SCMP_ACT_ERRNO", errnoRet: 28}]}'
	sleeper
	process 'grep CapBnd /proc/self/status; ulimit -n; mkdir /dev/shm/x' >"$WORK/process.json"
	local wanted=$'CapBnd:\t0000000000000020\n77\nmkdir: can\'t create directory \'/dev/shm/x\': No space left on device'
	config 'del(.linux.seccomp) | .process.capabilities |= map_values(["CAP_CHOWN"]) | .process.rlimits = []'
	runtime exec --process "$WORK/process.json" "$ID"
	assert_output "$wanted"
	echo broken >"$BUNDLE/config.json"
	runtime exec --process "$WORK/process.json" "$ID"
	assert_output "$wanted"
	rm "$BUNDLE/config.json"
	runtime exec --process "$WORK/process.json" "$ID"
	assert_output "$wanted"
	execute true
	assert_failure 255
	assert_contains 'config.json not found'
}

@test "the bundle's process does not loosen what confines the container" {
	config '.linux.seccomp = {defaultAction: "SCMP_ACT_ALLOW", syscalls: [{names: ["mkdir", "mkdirat"], action: "SCMP_ACT_ERRNO", errnoRet: 28}]}'
	sleeper
	config 'del(.linux.seccomp)'
	execute 'mkdir /dev/shm/x'
	assert_failure 1
	assert_contains 'No space left on device'
}

@test "--cwd" {
	sleeper
	execute --cwd /usr pwd
	assert_output /usr
	execute --cwd usr/bin pwd
	assert_failure 255
	assert_contains 'must be an absolute path'
}

@test "--env adds to the environment, the last one wins, and a comma is part of the value" {
	config '.process.env += ["A=old", "B=kept"]'
	sleeper
	execute -e A=1,2 --env C=x -e C=y 'echo "$A $B $C $TERM"'
	assert_output '1,2 kept y xterm'
}

@test "HOME is the user's" {
	sleeper
	execute --user 1000 'echo $HOME'
	assert_output /home/user
}

@test "--user takes numbers, and without a group that of the config stays" {
	config '.process.user.gid = 5'
	sleeper
	execute --user 1000 'echo $(id -u) $(id -g)'
	assert_output '1000 5'
	execute -u 1000:7 'echo $(id -u) $(id -g)'
	assert_output '1000 7'
	local user
	for user in user -1 '' 1:x 1: 4294967296; do
		execute --user "$user" true
		assert_failure 255
		[[ $output == *'bad uid'* || $output == *'bad gid'* ]]
	done
}

@test "--additional-gids" {
	skip_in rootless 'the user has none but his own group'
	config '.process.user.additionalGids = [5]'
	sleeper
	execute -g 6 --additional-gids 7 'grep Groups /proc/self/status'
	assert_output $'Groups:\t5 6 7 '
	execute -g -1 true
	assert_failure 255
	assert_contains 'additional-gids must be a positive number'
}

# capabilities prints the five sets of the caller in words.
capabilities='sed -n "s/^Cap\(...\):[[:space:]]*0*/\1 /p" /proc/self/status'

@test "the program has the container's capabilities" {
	sleeper
	execute "$capabilities"
	assert_output $'Inh \nPrm 20000420\nEff 20000420\nBnd 20000420\nAmb '
}

@test "--cap adds to all sets but the inheritable and the ambient ones" {
	sleeper
	execute --cap CAP_CHOWN -c CAP_FOWNER "$capabilities"
	assert_output $'Inh \nPrm 20000429\nEff 20000429\nBnd 20000429\nAmb '
	config '.process.capabilities = {}'
	execute --cap CAP_CHOWN "$capabilities"
	assert_output $'Inh \nPrm 1\nEff 1\nBnd 1\nAmb '
}

@test "--cap adds an ambient capability that is inheritable" {
	config '.process.capabilities.inheritable = ["CAP_KILL", "CAP_CHOWN"] | .process.capabilities.bounding += ["CAP_CHOWN"] | .process.user.uid = 1000'
	sleeper
	execute --cap CAP_CHOWN "$capabilities"
	assert_output $'Inh 21\nPrm 1\nEff 1\nBnd 20000421\nAmb 1'
}

@test "--cap wants a capability" {
	sleeper
	execute --cap CHOWN true
	assert_failure 255
	assert_contains 'unknown capability "CHOWN"'
}

@test "--no-new-privs overrides the config only when it is given" {
	sleeper
	local flag='grep -h NoNewPrivs /proc/self/status'
	execute "$flag"
	assert_output $'NoNewPrivs:\t1'
	execute --no-new-privs=false "$flag"
	assert_output $'NoNewPrivs:\t0'
	config '.process.noNewPrivileges = false'
	execute "$flag"
	assert_output $'NoNewPrivs:\t0'
	execute --no-new-privs "$flag"
	assert_output $'NoNewPrivs:\t1'
}

@test "--apparmor and --process-label are never ignored" {
	sleeper
	execute --apparmor some-profile true
	assert_failure 255
	assert_contains 'process.apparmorProfile'
	execute --process-label some-label true
	assert_failure 255
	assert_contains 'process.selinuxLabel'
}

@test "rlimits are the container's" {
	config '.process.rlimits = [{type: "RLIMIT_NOFILE", soft: 333, hard: 444}]'
	sleeper
	execute 'ulimit -Sn; ulimit -Hn'
	assert_output $'333\n444'
}

@test "the OOM score is the container's" {
	config '.process.oomScoreAdj = 321'
	sleeper
	execute 'cat /proc/self/oom_score_adj'
	assert_output 321
	process 'cat /proc/self/oom_score_adj' >"$WORK/process.json"
	runtime exec --process "$WORK/process.json" "$ID"
	assert_output 321
}

@test "--process is the whole process: the flags that describe one have no effect" {
	sleeper
	process 'echo "$(id -u) $PWD $A"; env' '.user.uid = 1000 | .cwd = "/tmp" | .env += ["A=file"]' >"$WORK/process.json"
	runtime exec --process "$WORK/process.json" --user 5 --cwd /usr -e A=flag "$ID" false
	assert_success
	assert_equal "${lines[0]}" '1000 /tmp file'
	assert_line HOME=/home/user
	refute_contains TERM=
}

@test "--process may be a pipe" {
	skip_in rootless 'the pipe belongs to root, who runs the tests'
	sleeper
	run rt_alone exec --process /dev/fd/0 "$ID" < <(process 'echo $((6 * 7))')
	assert_success
	assert_output 42
	RT_KEEP_FDS=7 run rt_alone exec -p /dev/fd/7 "$ID" 7< <(process 'ls /proc/self/fd | wc -l')
	assert_success
	assert_output 4
}

@test "a process file without capabilities, rlimits and umask has the container's" {
	config '.process.rlimits = [{type: "RLIMIT_NOFILE", soft: 333, hard: 444}] | .process.user.umask = 63'
	sleeper
	process "ulimit -n; umask; $capabilities" >"$WORK/process.json"
	runtime exec -p "$WORK/process.json" "$ID"
	assert_output $'333\n0077\nInh \nPrm 20000420\nEff 20000420\nBnd 20000420\nAmb '
}

@test "noNewPrivileges is always the process file's" {
	sleeper
	process 'grep NoNewPrivs /proc/self/status' >"$WORK/process.json"
	runtime exec -p "$WORK/process.json" "$ID"
	assert_output $'NoNewPrivs:\t0'
}

@test "a process file is checked before anything is started" {
	sleeper
	echo '{"args": ["true"], "cwd": "relative", "env": ["x"]}' >"$WORK/process.json"
	runtime exec -p "$WORK/process.json" "$ID"
	assert_failure 255
	assert_all_contained 'process.json: process.cwd: Cwd must be an absolute path' 'process.env[0]'
	echo '{"args": "true"}' >"$WORK/process.json"
	runtime exec -p "$WORK/process.json" "$ID"
	assert_failure 255
	assert_contains 'process.json:1: args: must be an array, got a string'
	echo '{"args": [' >"$WORK/process.json"
	runtime exec -p "$WORK/process.json" "$ID"
	assert_failure 255
	assert_contains 'process.json:2:1: malformed JSON'
	runtime exec -p "$WORK/no-such-file" "$ID"
	assert_failure 255
	assert_contains 'no such file or directory'
}

@test "--detach returns when the program was executed, and the caller inherits it" {
	sleeper
	runtime exec --detach --pid-file "$WORK/pid" "$ID" sleep 1234
	assert_success
	assert_output ''
	local pid
	pid=$(<"$WORK/pid")
	assert_equal "$(tr '\0' ' ' <"/proc/$pid/cmdline")" 'sleep 1234 '
	assert_equal "$(wc -c <"$WORK/pid")" "${#pid}"
	kill "$pid"
	wait_until 5 gone "$pid"
	assert_equal "$(container_status "$ID")" running
}

@test "there is no pid file of a program that was not executed" {
	sleeper
	echo '#!/no/such/interpreter' >"$BUNDLE/rootfs/tmp/script"
	chmod +x "$BUNDLE/rootfs/tmp/script"
	local program
	for program in no-such-program /tmp/script; do
		runtime exec --detach --pid-file "$WORK/pid" "$ID" "$program"
		assert_failure 255
		[[ ! -e $WORK/pid ]]
	done
}

@test "every error of rt is exit code 255" {
	sleeper
	runtime exec "$(new_id)" true
	assert_failure 255
	assert_contains 'container does not exist'
	runtime exec "$ID"
	assert_failure 255
	assert_contains 'exec args cannot be empty'
	runtime exec ../x true
	assert_failure 255
	runtime exec "$ID" no-such-program
	assert_failure 255
	assert_contains 'exec: "no-such-program": executable file not found in $PATH'
	runtime exec "$ID" /no/such/program
	assert_failure 255
	assert_contains 'stat /no/such/program: no such file or directory'
	runtime exec "$ID" /etc/passwd
	assert_failure 255
	assert_contains 'permission denied'
	runtime exec "$ID" /etc
	assert_failure 255
	assert_contains 'is a directory'
	runtime exec --cwd /no/such/directory "$ID" true
	assert_failure 255
	assert_contains 'no such file or directory'
}

@test "a script without its interpreter says so itself, and that is all" {
	sleeper
	printf '#!/no/such/interpreter\n' >"$BUNDLE/rootfs/tmp/script"
	chmod +x "$BUNDLE/rootfs/tmp/script"
	runtime exec "$ID" /tmp/script
	assert_failure 255
	assert_output 'exec /tmp/script: no such file or directory'
}

@test "the log has one entry for an error, and stderr one line" {
	sleeper
	run "$RT" --root "$ROOT" --log "$WORK/log" --log-format json exec "$ID" no-such-program
	assert_failure 255
	assert_equal "${#lines[@]}" 1
	assert_equal "$(jq -r .level "$WORK/log")" error
	assert_contains "$(jq -r .msg "$WORK/log")"
}

@test "exec into a created container" {
	args sleep 1000
	ID=$(new_id)
	rt create -b "$BUNDLE" "$ID"
	execute 'hostname; cat /proc/1/comm'
	assert_success
	assert_output $'container\nrt-init'
	assert_equal "$(container_status "$ID")" created
	rt start "$ID"
	assert_equal "$(container_status "$ID")" running
}

@test "exec into a stopped container" {
	run_detached true
	wait_for_status "$ID" stopped
	execute true
	assert_failure 255
	assert_contains 'cannot exec in a stopped container'
}

@test "exec into a paused container waits for the resume if it is allowed to" {
	needs_cgroup
	unified || needs_controller freezer
	sleeper
	rt pause "$ID"
	execute true
	assert_failure 255
	assert_contains 'cannot exec in a paused container (use --ignore-paused to override)'
	rt_background exec --ignore-paused "$ID" echo resumed
	sleep 0.3
	assert_equal "$(<"$WORK/background.out")" ''
	rt resume "$ID"
	wait "$RT_PID"
	assert_equal "$(<"$WORK/background.out")" resumed
}

# affinity FILTER executes a process with that change of the process file, from a caller that is bound
# to CPU 0, and prints the CPUs that it may run on.
affinity() {
	process 'sed -n "s/^Cpus_allowed_list:[[:space:]]*//p" /proc/self/status' "$1" >"$WORK/process.json"
	run taskset -c 0 "$RT" --root "$ROOT" exec --process "$WORK/process.json" "$ID"
}

@test "a caller that is bound to a CPU does not bind the program" {
	needs taskset
	(($(nproc) > 1)) || skip "there is one CPU"
	sleeper
	affinity .
	assert_output "$(sed -n 's/^Cpus_allowed_list:[[:space:]]*//p' /proc/self/status)"
}

@test "execCPUAffinity is the process file's, or else the config's" {
	needs taskset
	(($(nproc) > 1)) || skip "there is one CPU"
	config '.process.execCPUAffinity = {initial: "0", final: "1"}'
	sleeper
	affinity .
	assert_output 1
	affinity '.execCPUAffinity = {final: "0"}'
	assert_output 0
	affinity '.execCPUAffinity = {final: "60000"}'
	assert_failure 255
	assert_contains process.execCPUAffinity.final
}

@test "exec on a host with cgroup v2 alone" {
	needs_cgroup
	unified && skip "every other test is one"
	[[ -e /sys/fs/cgroup/unified/cgroup.procs ]] || skip "cgroup v2 is not mounted"
	args sleep 1000
	config 'del(.linux.resources) | .mounts |= map(select(.type != "cgroup"))'
	# shellcheck disable=SC2016
	in_mount_namespace private '
		mount --bind /sys/fs/cgroup/unified /sys/fs/cgroup
		"$RT" --root "$ROOT" run --detach -b "$BUNDLE" "$1" >"$WORK/out" 2>&1
		"$RT" --root "$ROOT" exec --detach --pid-file "$WORK/pid" "$1" sleep 1234 >"$WORK/out" 2>&1
		grep ^0:: "/proc/$(<"$WORK/pid")/cgroup" "/proc/$("$RT" --root "$ROOT" state "$1" | jq .pid)/cgroup" | sed "s/.*:0:://" | uniq -c
		"$RT" --root "$ROOT" delete --force "$1"
	' "$(new_id)"
	assert_success
	[[ $output =~ ^\ *2\ /${TOKEN}-[^/]*$ ]]
}

# namespaces PID prints the ids of a process's namespaces.
namespaces() {
	readlink "/proc/$1"/ns/{cgroup,ipc,mnt,net,pid,time,user,uts}
}

# in_its_place starts the container, executes a sleep in it, and checks that this has the namespaces,
# root directory, cgroups and session of a process of the container.
in_its_place() {
	sleeper
	rt exec --detach --pid-file "$WORK/pid" "$ID" sleep 1234
	local init pid
	init=$(container_pid "$ID") pid=$(<"$WORK/pid")
	assert_equal "$(namespaces "$pid")" "$(namespaces "$init")"
	assert_equal "$(stat -Lc %d:%i "/proc/$pid/root")" "$(stat -Lc %d:%i "/proc/$init/root")"
	assert_equal "$(stat -Lc %d:%i "/proc/$pid/cwd")" "$(stat -Lc %d:%i "/proc/$init/cwd")"
	assert_equal "$(<"/proc/$pid/cgroup")" "$(<"/proc/$init/cgroup")"
	assert_equal "$(ps -o sid= -p "$pid" | tr -d ' ')" "$pid"
	[[ -n ${SHARED:-} ]] || rt ps -f json "$ID" | jq -e "index($pid)"
}

@test "exec enters all namespaces and cgroups of the container" {
	in_its_place
}

@test "exec enters a container without a pid namespace" {
	config 'del(.linux.namespaces[] | select(.type == "pid"))'
	in_its_place
}

@test "exec enters a container without a mount namespace" {
	skip_in rootless 'the mount namespace that the user runs rt in is a new one each time'
	config 'del(.linux.namespaces[] | select(.type == "mount")) | .mounts = [] | del(.linux.maskedPaths, .linux.readonlyPaths, .root.readonly)'
	in_its_place
}

@test "exec enters a container without any namespace" {
	skip_in rootless 'the mount namespace that the user runs rt in is a new one each time'
	config '.linux.namespaces |= map(select(.type == "user")) | .mounts = [] | del(.linux.maskedPaths, .linux.readonlyPaths, .root.readonly, .hostname)'
	in_its_place
}

@test "exec enters a container in the namespaces of another" {
	sleeper
	local other kinds
	other=$(container_pid "$ID")
	setup_bundle second
	kinds='{pid: "pid", ipc: "ipc", uts: "uts", network: "net", user: "user"}'
	config "del(.hostname, .linux.uidMappings, .linux.gidMappings) | .linux.namespaces |= map(if (${kinds})[.type] then .path = \"/proc/$other/ns/\" + (${kinds})[.type] else . end)"
	# Without a cgroup, nothing tells whose processes they are.
	! ordinary || SHARED=yes
	in_its_place
	assert_equal "$(readlink "/proc/$(<"$WORK/pid")/ns/pid")" "$(readlink "/proc/$other/ns/pid")"
}

@test "exec enters a container whose root is the host's" {
	config '.root = {path: "/"} | .mounts = [{destination: "/proc", type: "proc", source: "proc"}] | del(.linux.maskedPaths, .linux.readonlyPaths, .hostname)'
	in_its_place
}

# descriptors prints what is open in the shell itself, whose look at it opens no other this way.
descriptors='n=0; while [ $n -lt 200 ]; do [ -e /proc/self/fd/$n ] && echo $n; n=$((n + 1)); done'

@test "nothing but stdio is open in the program" {
	sleeper
	RT_KEEP_FDS='5 20 100' runtime exec "$ID" sh -c "$descriptors" 5</etc/hostname 20</ 100</
	assert_output $'0\n1\n2'
}

@test "--preserve-fds passes on so many, and LISTEN_FDS none" {
	sleeper
	echo three >"$WORK/3"
	export RT_KEEP_FDS='3 4 5'
	# LISTEN_PID has to be rt's own.
	run_as() { (close_descriptors && exec bash -c 'LISTEN_FDS=3 LISTEN_PID=$$ exec "$@"' bash "$RT" --root "$ROOT" "$@"); }
	run_as exec --preserve-fds 2 "$ID" sh -c 'cat <&3; echo four >&4; echo "$LISTEN_FDS"; '"$descriptors" 3<"$WORK/3" 4>"$WORK/4" 5</etc/hostname >"$WORK/out"
	assert_equal "$(<"$WORK/out")" $'three\n\n0\n1\n2\n3\n4'
	assert_equal "$(<"$WORK/4")" four
	RT_KEEP_FDS='' runtime exec --preserve-fds 1 "$ID" true
	assert_failure 255
	assert_contains 'unable to stat preserved-fd 0 (of 1)'
}

@test "stdio on the host's null device is the container's inside" {
	config '.mounts |= map(if .destination == "/dev" then .options += ["mode=711"] else . end)'
	sleeper
	run rt_alone exec "$ID" sh -c 'stat -Lc %d /proc/self/fd/0 /dev/null | sort -u | wc -l' </dev/null
	assert_output 1
}

@test "a terminal over the console socket" {
	sleeper
	mkfifo "$WORK/script"
	"${PEER:?}" console "$WORK/console.sock" <"$WORK/script" >"$WORK/screen" 2>&1 3>&- &
	local peer=$! script
	exec {script}>"$WORK/script"
	wait_until 5 test -S "$WORK/console.sock"
	for_container "$WORK/console.sock"
	rt exec --detach --tty --console-socket "$WORK/console.sock" --user 1000 "$ID" sh -c 'tty; stat -c %u -L /proc/self/fd/0; read -r line; echo "got $line"; cat /proc/self/stat'
	printf '%s\n' 'expect /dev/pts/0' 'expect 1000' 'send hello' 'expect got hello' end >&"$script"
	exec {script}>&-
	wait "$peer" || { cat "$WORK/screen" && false; }
}

@test "a terminal in the foreground is the caller's, of the same size, and keys become signals" {
	sleeper
	(close_descriptors && exec timeout --foreground 60 "$PEER" terminal "$RT" --root "$ROOT" exec --tty "$ID" \
		sh -c 'trap "echo interrupted; exit 5" INT; test -t 0 && test -t 1 && echo ready; while :; do sleep 0.05; done') >"$WORK/screen" 2>&1 <<-'END' || code=$?
		expect ready
		type "\x03"
		expect interrupted
		end
	END
	cat "$WORK/screen"
	grep -q interrupted "$WORK/screen"
}

@test "a terminal without somebody at its other end is refused, and a socket without a terminal" {
	sleeper
	execute --detach --tty true
	assert_failure 255
	assert_contains 'cannot allocate tty if rt will detach without setting console socket'
	execute --console-socket "$WORK/x" true
	assert_failure 255
	assert_contains 'cannot use console socket if rt will not detach or allocate tty'
}

@test "signals to a foreground exec go to its program" {
	sleeper
	rt_background exec "$ID" sh -c 'trap "echo caught; exit 7" USR1; echo ready; while :; do sleep 0.05; done'
	wait_until 5 grep -q ready "$WORK/background.out"
	# The program may be ready before rt catches what is sent to it.
	wait_until 5 caught
	local code=0
	wait "$RT_PID" || code=$?
	assert_equal "$code" 7
}

caught() {
	kill -USR1 "$RT_PID" 2>/dev/null
	grep -q caught "$WORK/background.out"
}

@test "the end of the container ends what is executed in it" {
	sleeper
	rt_background exec "$ID" sleep 1234
	wait_until 5 pgrep -f '^sleep 1234$' -g 0,1 || wait_until 5 sleeping 1234
	rt delete --force "$ID"
	local code=0
	wait "$RT_PID" || code=$?
	assert_equal "$code" 137
}

sleeping() {
	[[ $(rt ps "$ID") == *"sleep $1"* ]]
}

# sub_cgroup [CONTROLLER] NAME makes a cgroup below the container's: in one hierarchy, or in all.
sub_cgroup() {
	local line key directory file
	while IFS= read -r line; do
		key=${line#*:} key=${key%%:*}
		unified && directory=/sys/fs/cgroup || directory=/sys/fs/cgroup/${key:-unified}
		[[ $# -eq 2 && ,$key, != *,$1,* ]] && continue
		directory=${directory/name=/}/${line#*:*:/}
		mkdir "$directory/${*: -1}"
		[[ $key != *cpuset* ]] || for file in cpuset.cpus cpuset.mems; do
			cat "$directory/$file" >"$directory/${*: -1}/$file"
		done
	done <"/proc/$(container_pid "$ID")/cgroup"
}

# cgroups_of PID prints the paths of its cgroups as seen from outside.
cgroups_of() {
	sed 's/^[0-9]*://' "/proc/$1/cgroup" | sort
}

# bats test_tags=vm,systemd
@test "--cgroup puts the program into a cgroup below the container's, in every hierarchy" {
	needs_cgroup
	sleeper
	sub_cgroup sub
	rt exec --detach --pid-file "$WORK/pid" --cgroup /sub "$ID" sleep 1234
	assert_equal "$(cgroups_of "$(<"$WORK/pid")")" "$(cgroups_of "$(container_pid "$ID")" | sed 's|$|/sub|')"
	rt delete --force "$ID"
	nothing_made
}

@test "--cgroup CONTROLLER:PATH is for one v1 hierarchy" {
	needs_cgroup
	unified && skip "cgroup v2 has one hierarchy"
	sleeper
	sub_cgroup memory sub
	sub_cgroup pids other
	rt exec --detach --pid-file "$WORK/pid" --cgroup memory:sub --cgroup pids:/other "$ID" sleep 1234
	assert_equal "$(cgroups_of "$(<"$WORK/pid")")" \
		"$(cgroups_of "$(container_pid "$ID")" | sed '/^memory:/s|$|/sub|; /^pids:/s|$|/other|')"
}

@test "--cgroup does not lead out of the container's cgroup, nor to one that is missing" {
	needs_cgroup
	sleeper
	local path
	for path in .. ../x sub/../.. memory:..; do
		execute --cgroup "$path" true
		assert_failure 255
		assert_contains 'bad sub cgroup path: '
	done
	execute --cgroup no-such-cgroup true
	assert_failure 255
	assert_contains 'no such file or directory'
	execute --cgroup a --cgroup b true
	assert_failure 255
	execute --cgroup no-such-controller:a true
	assert_failure 255
	assert_contains no-such-controller
	execute --cgroup / 'echo same'
	assert_output same
}

# bats test_tags=vm,systemd
@test "where the container's cgroup takes no processes any more, the program joins the first one's" {
	needs_cgroup
	unified || skip "only cgroup v2 with controllers refuses processes"
	config '.mounts |= map(if .type == "cgroup" then .options -= ["ro"] else . end)'
	run_detached sh -c 'cd /sys/fs/cgroup && mkdir init && echo 1 >init/cgroup.procs && echo +pids >cgroup.subtree_control && echo ready; sleep 1000'
	wait_until 5 grep -q ready "$WORK/out"
	rt exec --detach --pid-file "$WORK/pid" "$ID" sleep 1234
	assert_equal "$(cgroups_of "$(<"$WORK/pid")")" "$(cgroups_of "$(container_pid "$ID")")"
	execute --cgroup / true
	assert_failure 255
}

@test "--pidfd-socket gets the process, called setns" {
	sleeper
	python3 - "$WORK/socket" >"$WORK/received" 3>&- <<-'END' &
		import os, re, socket, sys
		listener = socket.socket(socket.AF_UNIX)
		listener.bind(sys.argv[1])
		listener.listen()
		text, fds, _, _ = socket.recv_fds(listener.accept()[0], 100, 2)
		info = open(f"/proc/self/fdinfo/{fds[0]}").read()
		print(text.decode(), len(fds), re.search(r"Pid:\s*(\d+)", info)[1])
	END
	local peer=$!
	wait_until 5 test -S "$WORK/socket"
	for_container "$WORK/socket"
	rt exec --detach --pid-file "$WORK/pid" --pidfd-socket "$WORK/socket" "$ID" sleep 1234
	wait "$peer"
	assert_equal "$(<"$WORK/received")" "setns 1 $(<"$WORK/pid")"
}

@test "many programs, one after the other and at once, leave nothing behind" {
	sleeper
	local init before n
	init=$(container_pid "$ID")
	before=$(left_of_execs)
	for n in {1..20}; do
		rt exec "$ID" true >"$WORK/log" 2>&1
	done
	local job jobs=()
	for n in {1..10}; do
		rt exec "$ID" sh -c "exit $n" >"$WORK/log.$n" 2>&1 3>&- && false || assert_equal "$?" "$n" &
		jobs+=($!) # bats has a job of its own, which ends when the test has taken too long
	done
	for job in "${jobs[@]}"; do
		wait "$job"
	done
	rm "$WORK"/output.* "$WORK"/log.* 2>/dev/null || true
	assert_equal "$(left_of_execs)" "$before"
}

# left_of_execs prints what executed programs could leave: processes, descriptors of the first one, and
# files.
left_of_execs() {
	rt ps -f json "$ID"
	ls "/proc/$init/fd"
	find "$ROOT" -mindepth 1
	for pid in $(marked_processes "$TOKEN"); do
		echo "$pid $(cat "/proc/$pid/comm")"
	done
}

# traces prints what execs could leave behind: processes, descriptors of the first one, cgroups, files.
traces() {
	local init
	init=$(container_pid "$ID")
	pgrep --ns "$init" --nslist pid | wc -l
	find "/proc/$init/fd" -mindepth 1 | wc -l
	marked_cgroups "$TOKEN" | wc -l
	find "$ROOT" "$WORK" -not -name 'output.*' | wc -l
}

@test "of many execs, in a row and at once, nothing is left" {
	# EXECS=2000 EXECS_AT_ONCE=50 is the long run.
	local i before pids=()
	sleeper
	before=$(traces)
	for ((i = 0; i < ${EXECS:-200}; i++)); do
		rt_alone exec "$ID" true </dev/null
	done
	assert_equal "$(traces)" "$before"
	for ((i = 0; i < ${EXECS_AT_ONCE:-20}; i++)); do
		rt_alone exec "$ID" sh -c "exit $i" </dev/null 3>&- &
		pids+=($!)
	done
	for i in "${!pids[@]}"; do
		local code=0
		wait "${pids[i]}" || code=$?
		assert_equal "$code" "$i"
	done
	assert_equal "$(traces)" "$before"
}
