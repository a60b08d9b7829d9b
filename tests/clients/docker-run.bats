#!/usr/bin/env bats
# docker run: the program, who it is, and what it sees.
# shellcheck disable=SC2016,SC2030,SC2031

setup_file() { load docker && start_docker; }
teardown_file() { load docker && stop_docker; }
setup() { load docker && begin_docker_test; }
teardown() { end_docker_test; }

@test "run: output, errors and the exit code are the program's" {
	run --separate-stderr container --rm box sh -c 'echo out; echo err >&2; exit 42'
	assert_failure 42
	assert_output out
	# shellcheck disable=SC2154
	assert_equal "$stderr" err
}

@test "run -i: what is typed into it reaches the program" {
	output=$(printf 'a\nb\n' | container --rm --interactive box sh -c 'cat; echo end')
	assert_output $'a\nb\nend'
}

@test "run: a program that a signal ends gives 128 and its number" {
	once --init box sh -c 'kill -9 $$'
	assert_failure 137
}

@test "run: environment, directory, user, groups and host name" {
	once --env A=1 --env B --workdir /new/directory --user 12:34 --group-add 56 --hostname box.example.org box \
		sh -c 'echo "$A ${B-unset} $FROM $HOME"; pwd; id -u; id -g; id -G; hostname'
	assert_success
	assert_output $'1 unset image /\n/new/directory\n12\n34\n34 56\nbox.example.org'
	once --user user box sh -c 'id -un; echo $HOME'
	assert_output $'user\n/home/user'
}

@test "run: an unknown program is 127, one that cannot be executed 126" {
	once box no-such-program
	assert_failure 127
	assert_contains 'exec: "no-such-program": executable file not found in $PATH'
	once box /no/such/program
	assert_failure 127
	assert_contains 'exec: "/no/such/program": stat /no/such/program: no such file or directory'
	once box /etc/passwd
	assert_failure 126
	assert_contains 'exec: "/etc/passwd": permission denied'
	once box /etc
	assert_failure 126
	once box /etc/passwd/below
	assert_failure
}

@test "run: a container that cannot be made is 125, and leaves nothing" {
	once --user no-such-user box true
	assert_failure 125
	once --volume /etc:/etc/passwd box true
	assert_failure 125
	assert_contains 'Are you trying to mount a directory onto a file'
	once --sysctl kernel.no.such=1 box true
	assert_failure 125
	assert_equal "$(docker ps --all --quiet --filter "label=test=$TOKEN")" ''
}

@test "run -t: a terminal, which can be typed into" {
	run timeout --foreground 90 "$PEER" terminal docker run --rm --label "test=$TOKEN" --interactive --tty box sh <<-'SCRIPT'
		expect #
		send tty; stty size; test -t 0 && echo is-$((1+1))
		expect is-2
		send exit 9
		end
	SCRIPT
	assert_failure 9
	assert_contains /dev/pts/0
}

@test "run -t: the terminal has the size of the user's, and follows it" {
	run timeout --foreground 90 "$PEER" terminal docker run --rm --label "test=$TOKEN" --interactive --tty box sh <<-'SCRIPT'
		expect #
		run sleep 1
		resize 33 101
		send until stty size | grep '^33 101'; do sleep 0.1; done; exit
		end
	SCRIPT
	assert_success
}

@test "run --read-only: the root cannot be written, its tmpfs and volumes can" {
	once --read-only --tmpfs /scratch:size=1m,mode=700 --volume "$WORK:/data" --volume "$WORK:/fixed:ro" box sh -c '
		touch /x; touch /scratch/x && touch /data/x && echo written; touch /fixed/y
		stat -c %a /scratch; df -k /scratch | tail -n1 | { read _ size _; echo $size; }'
	assert_contains 'touch: /x: Read-only file system'
	assert_contains 'touch: /fixed/y: Read-only file system'
	assert_all_contained written 700 1024
	[ -e "$WORK/x" ]
}

@test "bind mounts: read-only, propagation, files, places that do not exist yet" {
	mkdir "$WORK/source"
	echo file >"$WORK/file"
	detached --volume "$WORK/source:/a:rslave" --volume "$WORK/source:/b:rshared" --volume "$WORK/source:/c:private" \
		--volume "$WORK/file:/deep/er/file:ro" --cap-add SYS_ADMIN --security-opt seccomp=unconfined box sleep 1000
	(in_engine_host mkdir "$WORK/source/m")
	(in_engine_host mount -t tmpfs on-host "$WORK/source/m")
	run docker exec "$ID" sh -c 'cat /deep/er/file; for d in a b c; do grep -c "^on-host /$d/m " /proc/mounts; done'
	assert_output $'file\n1\n1\n0'
	docker exec "$ID" sh -c 'mkdir /b/from-inside && mount -t tmpfs inside /b/from-inside'
	grep -F "$WORK/source/from-inside" "/proc/$(<"$ENGINE/host.pid")/mountinfo"
	(in_engine_host umount "$WORK/source/m" "$WORK/source/from-inside")
}

@test "volumes of the engine are filled from the image, and shared" {
	local volume=$TOKEN-volume
	docker volume create "$volume" >/dev/null
	once --volume "$volume:/etc" box sh -c 'grep -c ^root: /etc/passwd; echo kept >/etc/kept'
	assert_output 1
	once --mount "source=$volume,destination=/v,readonly" box sh -c 'cat /v/kept; touch /v/x'
	assert_contains kept
	assert_contains 'Read-only file system'
	docker volume rm "$volume" >/dev/null
}

@test "capabilities: Docker's fourteen, fewer and more" {
	once box grep ^Cap /proc/self/status
	assert_output $'CapInh:\t0000000000000000\nCapPrm:\t00000000a80425fb\nCapEff:\t00000000a80425fb\nCapBnd:\t00000000a80425fb\nCapAmb:\t0000000000000000'
	once --cap-drop ALL --cap-add NET_ADMIN box grep CapEff /proc/self/status
	assert_output $'CapEff:\t0000000000001000'
	once --cap-drop CHOWN box sh -c 'touch /tmp/x; chown 1 /tmp/x'
	assert_contains 'Operation not permitted'
	once --user 1000 box grep CapEff /proc/self/status
	assert_output $'CapEff:\t0000000000000000'
}

@test "no-new-privileges" {
	once --security-opt no-new-privileges box grep NoNewPrivs /proc/self/status
	assert_output $'NoNewPrivs:\t1'
	once box grep NoNewPrivs /proc/self/status
	assert_output $'NoNewPrivs:\t0'
}

@test "seccomp: Docker's profile, none, and one of the user's" {
	once --cap-add SYS_ADMIN box grep Seccomp: /proc/self/status
	assert_output $'Seccomp:\t2'
	once box unshare -U true
	assert_failure
	assert_contains 'Operation not permitted'
	once --security-opt seccomp=unconfined box sh -c 'grep Seccomp: /proc/self/status; unshare -U true && echo may'
	assert_output $'Seccomp:\t0\nmay'
	jq -n '{defaultAction: "SCMP_ACT_ALLOW", architectures: ["SCMP_ARCH_X86_64"],
		syscalls: [{names: ["mkdir", "mkdirat"], action: "SCMP_ACT_ERRNO", errnoRet: 28}]}' >"$WORK/profile.json"
	once --security-opt "seccomp=$WORK/profile.json" box mkdir /tmp/x
	assert_failure
	assert_contains 'No space left on device'
}

@test "seccomp: keyctl is refused by Docker's profile" {
	once --volume "$PEER:/peer:ro" box /peer syscall 250
	refused=$output
	once --volume "$PEER:/peer:ro" --security-opt seccomp=unconfined box /peer syscall 250
	[[ $refused != "$output" ]]
	[[ $refused == *"not permitted"* ]]
}

@test "devices: the defaults, one more with rights of its own, and none besides" {
	once box sh -c 'cd /dev; ls -d null zero full random urandom tty ptmx fd stdin; test -e /dev/kmsg || echo no-kmsg; mknod /tmp/k c 1 11 && cat /tmp/k'
	assert_contains no-kmsg
	assert_contains 'Operation not permitted'
	once --device /dev/zero:/dev/nothing:r box sh -c 'head -c1 /dev/nothing | wc -c; echo x >/dev/nothing'
	assert_contains 1
	once --device /dev/kmsg:/dev/log-of-kernel:w box sh -c 'stat -c %t:%T /dev/log-of-kernel; head -c1 /dev/log-of-kernel'
	assert_contains 1:b
	assert_contains 'Operation not permitted'
	once --device-cgroup-rule 'c 1:11 w' box sh -c 'mknod /tmp/k c 1 11 && : >/tmp/k && echo opened'
	assert_output opened
}

@test "ulimits and sysctls" {
	once --ulimit nofile=100:200 --ulimit core=0 --sysctl net.ipv4.ip_forward=1 --sysctl kernel.msgmax=4321 --ipc private box sh -c '
		ulimit -n; ulimit -Hn; ulimit -c; cat /proc/sys/net/ipv4/ip_forward /proc/sys/kernel/msgmax'
	assert_output $'100\n200\n0\n1\n4321'
}

@test "the host's namespaces: pid, network, ipc, uts, cgroup" {
	local host namespaces='cd /proc/self/ns && for n in pid net ipc uts; do readlink $n; done'
	host=$(<"$ENGINE/host.pid")
	once --pid host --net host --ipc host --uts host box sh -c "$namespaces"
	assert_output "$(cd "/proc/$host/ns" && readlink pid net ipc uts)"
	once --pid host box cat "/proc/$host/comm"
	assert_output sleep
	once --cgroupns host box readlink /proc/self/ns/cgroup
	assert_output "$(readlink /proc/self/ns/cgroup)"
	once box sh -c "$namespaces"
	assert_success
	local namespace
	for namespace in pid net ipc uts; do
		refute_contains "$(readlink "/proc/$host/ns/$namespace")"
	done
}

@test "another container's namespaces" {
	detached --ipc shareable box sleep 1000
	once --pid "container:$ID" --network "container:$ID" --ipc "container:$ID" box sh -c '
		cd /proc/1/ns && for n in pid net ipc; do test "$(readlink $n)" = "$(readlink /proc/self/ns/$n)" && echo same; done; tr "\0" " " </proc/1/cmdline'
	assert_output $'same\nsame\nsame\nsleep 1000 '
}

@test "privileged: all capabilities that the engine has, all devices, no filter, a writable /sys" {
	if [[ $RUNTIME == runc ]] && ! engine_has_all_capabilities; then
		skip "runc refuses what it cannot grant, and this machine has not all capabilities"
	fi
	once --privileged box sh -c 'grep -E "^(CapEff|Seccomp:)" /proc/self/status; test -e /dev/kmsg && echo kmsg
		mkdir /m && mount -t tmpfs t /m && echo mounted; grep -q "^sysfs /sys sysfs rw" /proc/mounts && echo writable
		grep -c " /proc/sys " /proc/mounts'
	assert_line $'Seccomp:\t0'
	assert_all_contained kmsg mounted writable
	assert_equal "${lines[-1]}" 0
	local capabilities
	capabilities=$(awk '/CapEff/ { print $2 }' <<<"$output")
	assert_equal $((0x$capabilities & 0x3ffeffffff)) $((0x3ffeffffff))
}

engine_has_all_capabilities() {
	[[ $(awk '/CapEff/ { print $2 }' "/proc/$(<"$ENGINE/dockerd.pid")/status") == 000001ffffffffff ]]
}

@test "run --init: an init process reaps, and gives the program's exit code" {
	once --init box sh -c 'tr "\0" " " </proc/1/cmdline; exit 3'
	assert_failure 3
	assert_contains 'docker-init -- sh'
}

@test "containers reach each other over the engine's network" {
	docker network inspect bridge >/dev/null 2>&1 || skip "this kernel has no network bridges"
	detached --name "$TOKEN-server" box sh -c 'while :; do echo answer | nc -l -p 8080; done'
	once --link "$TOKEN-server:server" box sh -c 'for i in 1 2 3 4 5; do nc server 8080 </dev/null && exit; sleep 1; done; exit 1'
	assert_output answer
}

@test "/dev/shm has the size that is asked for, and is shared where the ipc namespace is" {
	once --shm-size 3m box df -k /dev/shm
	[[ $output == *" 3072 "* ]]
}

@test "masked and read-only places" {
	once box sh -c 'cat /proc/keys /proc/timer_list | wc -c; ls /sys/firmware | wc -l; (echo 1 >/proc/sys/kernel/msgmax) 2>&1'
	assert_contains 'Read-only file system'
	assert_equal "${lines[0]} ${lines[1]}" '0 0'
	once --security-opt systempaths=unconfined box sh -c 'ls /sys/firmware | wc -l; grep -c /proc/sys /proc/mounts'
	assert_equal "${lines[1]}" 0
}
