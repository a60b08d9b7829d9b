#!/usr/bin/env bats
# podman run: the program, who it is, and what it sees.
# shellcheck disable=SC2016,SC2030,SC2031

setup_file() { load podman && start_podman; }
teardown_file() { load podman && stop_podman; }
setup() { load podman && begin_test; }
teardown() { end_podman_test; }

box=localhost/box

# of_status FIELD prints a line of the /proc/PID/status that the container has shown.
of_status() { sed -n "s/^$1:[[:space:]]*//p" <<<"$output"; }

@test "run: output, errors and the exit code are the program's" {
	run --separate-stderr podman run --rm $box sh -c 'echo out; echo err >&2; exit 42'
	assert_failure 42
	assert_output out
	# shellcheck disable=SC2154
	assert_equal "$stderr" err
}

@test "run -i: what is typed into it reaches the program" {
	output=$(printf 'a\nb\n' | podman run --rm --interactive $box sh -c 'cat; echo end')
	assert_output $'a\nb\nend'
}

@test "run -it: a session at a terminal" {
	run at_terminal run --rm -it $box sh <<-'END'
		send tty; stty size
		expect /dev/pts/0
		expect 24 80
		send sh -c 'echo wait""ing; exec sleep 1000'
		expect waiting
		type "\x03"
		send echo $((6 * 7))
		expect 42
		send exit 5
		end
	END
	assert_failure 5
}

@test "run: a program that a signal ends gives 128 and its number" {
	once --init $box sh -c 'kill -9 $$'
	assert_failure 137
}

@test "run: environment, directory, user, groups and host name" {
	once --env A=1 --workdir /tmp --user 12:34 --group-add 56 --hostname box.example.org $box \
		sh -c 'echo "$A $container $HOME"; pwd; id -u; id -g; id -G; hostname'
	assert_success
	assert_output $'1 podman /tmp\n/tmp\n12\n34\n34 56\nbox.example.org'
	once --user user $box sh -c 'id -un; echo $HOME; umask'
	assert_output $'user\n/home/user\n0022'
	once --umask 0077 $box sh -c umask
	assert_output 0077
}

@test "run: an unknown program is 127, one that cannot be executed 126, and the engine's errors 125" {
	once $box no-such-program
	assert_failure 127
	assert_all_contained 'exec: "no-such-program": executable file not found in $PATH' \
		'OCI runtime attempted to invoke a command that was not found'
	once $box /no/such/program
	assert_failure 127
	assert_contains 'no such file or directory'
	once $box /etc/passwd
	assert_failure 126
	assert_all_contained 'exec: "/etc/passwd": permission denied' 'OCI permission denied'
	once $box /etc
	assert_failure 126
	assert_contains 'OCI permission denied'
	once --user no-such-user $box true
	assert_failure 126
	once --sysctl kernel.no.such=1 $box true
	assert_failure 125
	once no-such-image true
	assert_failure 125
}

@test "run --read-only: the root and its parts that are not temporary" {
	once --read-only $box sh -c 'touch /tmp/x /run/x /dev/shm/x && echo written; touch /x /etc/x'
	assert_failure 1
	assert_all_contained written 'touch: /x: Read-only file system' 'touch: /etc/x: Read-only file system'
	once --read-only --read-only-tmpfs=false $box touch /tmp/x
	assert_failure 1
}

@test "run --tmpfs: an empty file system with the wanted options" {
	once --tmpfs /t:size=1m,mode=1770,noexec $box sh -c 'stat -c %a /t; grep " /t " /proc/self/mounts; ls -A /t'
	assert_success
	assert_equal "${lines[0]}" 1770
	assert_contains 'tmpfs /t tmpfs rw,nosuid,nodev,noexec,relatime,size=1024k,mode=1770'
	assert_equal "${#lines[@]}" 2
}

@test "run --volume: directories and files of the host, read-only and not" {
	mkdir "$WORK/data"
	echo content >"$WORK/data/file"
	once --volume "$WORK/data:/data" --volume "$WORK/data/file:/etc/file:ro" $box \
		sh -c 'cat /data/file /etc/file; echo new >/data/new; echo x >/etc/file'
	assert_failure 1
	assert_contains $'content\ncontent'
	assert_contains '/etc/file: Read-only file system'
	assert_equal "$(<"$WORK/data/new")" new
}

@test "run --volume: mounts of the host arrive in a slave, and go both ways in a shared one" {
	mkdir -p "$WORK/tree/sub" "$WORK/tree/own"
	podman_host mount --bind "$WORK/tree" "$WORK/tree"
	podman_host mount --make-shared "$WORK/tree"
	detached --privileged --volume "$WORK/tree:/slave:rslave" --volume "$WORK/tree:/shared:rshared" --volume "$WORK/tree:/private" $box sleep 1000
	podman_host mount -t tmpfs late "$WORK/tree/sub"
	podman_host touch "$WORK/tree/sub/file"
	execute sh -c 'ls /slave/sub /shared/sub /private/sub; mount -t tmpfs inner /shared/own && touch /shared/own/file'
	local inner
	inner=$(podman_host ls "$WORK/tree/own")
	podman_host umount -R "$WORK/tree"
	assert_success
	assert_output $'/private/sub:\n\n/shared/sub:\nfile\n\n/slave/sub:\nfile'
	assert_equal "$inner" file
}

@test "run --volume: a named volume is filled from the image and stays" {
	once --volume "$TOKEN:/etc" $box sh -c 'grep -c root: /etc/passwd; echo kept >/etc/kept'
	assert_success
	assert_output 1
	once --volume "$TOKEN:/v:ro" $box cat /v/kept
	assert_output kept
	podman volume rm "$TOKEN"
}

@test "run --mount: bind, tmpfs and a mount of another image" {
	mkdir "$WORK/data" && touch "$WORK/data/file"
	once --mount "type=bind,src=$WORK/data,dst=/data,ro" --mount type=tmpfs,dst=/t,tmpfs-size=64k \
		--mount "type=image,src=$box,dst=/image" $box sh -c 'ls /data; ls /image/bin/busybox; df -k /t | tail -n1'
	assert_success
	assert_all_contained file /image/bin/busybox ' 64 '
}

@test "run --cap-drop and --cap-add: the capabilities that are asked for" {
	once $box cat /proc/self/status
	local usual
	usual=$(of_status CapEff)
	[[ $usual != 0000000000000000 ]]
	assert_equal "$(of_status CapBnd)" "$usual"
	once --cap-drop all --cap-add net_raw,chown $box cat /proc/self/status
	assert_equal "$(of_status CapEff)" 0000000000002001
	assert_equal "$(of_status CapBnd)" 0000000000002001
	once --user 1000 --cap-add net_raw $box cat /proc/self/status
	assert_equal "$(of_status CapAmb)" 0000000000002000
	once --user 1000 $box cat /proc/self/status
	assert_equal "$(of_status CapEff)" 0000000000000000
	assert_equal "$(of_status CapBnd)" "$usual"
}

@test "run --security-opt: the default seccomp profile, none, one of the user's, and no new privileges" {
	once $box sh -c 'cat /proc/self/status; unshare -m true'
	assert_failure 1
	assert_equal "$(of_status Seccomp)" 2
	assert_equal "$(of_status NoNewPrivs)" 0
	once --security-opt seccomp=unconfined --cap-add sys_admin $box sh -c 'cat /proc/self/status; unshare -m true'
	assert_success
	assert_equal "$(of_status Seccomp)" 0
	jq -n '{defaultAction: "SCMP_ACT_ALLOW", syscalls: [{names: ["mkdir", "mkdirat"], action: "SCMP_ACT_ERRNO", errnoRet: 28}]}' >"$WORK/profile.json"
	once --security-opt "seccomp=$WORK/profile.json" --security-opt no-new-privileges $box sh -c 'cat /proc/self/status; mkdir /x'
	assert_failure 1
	assert_equal "$(of_status NoNewPrivs)" 1
	assert_contains 'No space left on device'
}

@test "run: /proc and /sys are masked and read-only, unless --privileged or unmask=ALL" {
	once $box sh -c 'head -c1 /proc/kcore | wc -c; touch /proc/sys/kernel/hostname || ls /sys/firmware'
	assert_success
	assert_all_contained 0 'Read-only file system'
	once --privileged $box sh -c 'cat /proc/self/status; echo name >/proc/sys/kernel/hostname && hostname; test -e /dev/loop-control || test -e /dev/kmsg && echo devices'
	assert_success
	assert_equal "$(of_status Seccomp)" 0
	assert_all_contained name devices
	once --security-opt unmask=ALL $box sh -c 'grep -c " /proc/" /proc/self/mounts'
	assert_output 0
}

@test "run --device: a device under its name and another, with the rights that are given" {
	once --device /dev/kmsg:/dev/other:w $box sh -c \
		'stat -c "%F %t:%T" /dev/other; : >/dev/other && echo writable; : <>/dev/other'
	assert_failure 1
	assert_contains $'character special file 1:b\nwritable\n'
	assert_contains 'Operation not permitted'
	once --cap-add mknod $box sh -c 'mknod /tmp/kmsg c 1 11 && : >/tmp/kmsg'
	assert_failure 1
	assert_contains 'Operation not permitted'
	once --device-cgroup-rule 'c 1:11 w' --cap-add mknod $box sh -c 'mknod /tmp/kmsg c 1 11 && : >/tmp/kmsg && echo allowed'
	assert_output allowed
}

@test "run --ulimit and --sysctl: limits and settings of the container's own" {
	once --ulimit nofile=100:200 --ulimit nproc=400:400 --ulimit core=0:0 $box sh -c 'ulimit -n; ulimit -Hn; ulimit -c'
	assert_success
	assert_output $'100\n200\n0'
	once --sysctl net.ipv4.ip_forward=1 --sysctl kernel.msgmax=4096 --shm-size 1m $box \
		sh -c 'cat /proc/sys/net/ipv4/ip_forward /proc/sys/kernel/msgmax; df -k /dev/shm | tail -n1'
	assert_success
	assert_contains $'1\n4096'
	assert_contains ' 1024 '
}

@test "run: namespaces of the host, of the container, and of another container" {
	local namespaces='for n in cgroup ipc mnt net pid uts; do stat -Lc "$n %i" /proc/self/ns/$n; done' host own
	host=$(podman_host bash -c 'for n in cgroup ipc mnt net pid uts; do stat -Lc "$n %i" /proc/self/ns/$n; done')
	once --pid host --ipc host --network host --uts host --cgroupns host $box sh -c "$namespaces"
	assert_success
	assert_equal "$(grep -v mnt <<<"$output")" "$(grep -v mnt <<<"$host")"
	detached --ipc shareable --cgroupns private $box sleep 1000
	execute sh -c "$namespaces"
	assert_equal "$(grep -cxFf <(echo "$host") <<<"$output")" 0
	own=$output
	once --pid "container:$ID" --ipc "container:$ID" --network "container:$ID" $box sh -c "$namespaces; ps"
	assert_success
	assert_equal "$(grep -xFf <(echo "$own") <<<"$output" | cut -d' ' -f1 | xargs)" 'ipc net pid'
	assert_contains 'sleep 1000'
}

@test "run: the cgroup has the limits, and the container sees its own" {
	once --memory 64m --memory-reservation 32m --cpus 0.5 --cpu-shares 512 --pids-limit 50 --cpuset-cpus 0 $box sh -c '
		cd /sys/fs/cgroup
		cat memory/memory.limit_in_bytes memory/memory.soft_limit_in_bytes cpu/cpu.cfs_quota_us cpu/cpu.shares pids/pids.max cpuset/cpuset.cpus 2>/dev/null ||
		cat memory.max memory.low cpu.max cpu.weight pids.max cpuset.cpus'
	if [[ $(stat -fc %T /sys/fs/cgroup) == cgroup2fs ]]; then
		skip "the limits of cgroup v2 need its controllers"
	fi
	assert_success
	assert_output $'67108864\n33554432\n50000\n512\n50\n0'
	once --pids-limit=-1 $box cat /sys/fs/cgroup/pids/pids.max
	assert_output max
}

@test "run --cgroups=disabled: the container stays in the cgroup of its caller" {
	[[ $RUNTIME == rt ]] || skip "$RUNTIME cannot do without cgroups"
	answer podman_host podman run --rm --cgroups=disabled $box cat /proc/1/cgroup
	assert_success
	refute_contains libpod
	refute_contains "$ENGINE_NAME"
}

@test "run -v SOURCE:DIRECTORY:O and :U: an overlay over a directory of the host, and one given to the user" {
	mkdir "$WORK/lower" "$WORK/given"
	touch "$WORK/lower/file"
	once --volume "$WORK/lower:/o:O" --volume "$WORK/given:/u:U" --user 1000 --userns host $box sh -c 'ls /o; touch /u/x; stat -c %u /u'
	assert_success
	assert_output $'file\n1000'
	once --volume "$WORK/lower:/o:O" $box sh -c 'touch /o/new && ls /o'
	assert_output $'file\nnew'
	assert_equal "$(ls "$WORK/lower")" file
}

@test "run --systemd=always: the directories of a systemd are there to write to" {
	once --systemd=always $box sh -c 'for d in /run /run/lock /tmp /var/log/journal; do touch $d/x && stat -fc "$d %T" $d; done; echo $container'
	assert_success
	assert_output $'/run tmpfs\n/run/lock tmpfs\n/tmp tmpfs\n/var/log/journal tmpfs\npodman'
}

@test "run --rootfs, --timeout, --personality, --security-opt mask, --oom-score-adj, --tz" {
	mkdir "$WORK/root" && tar --create --directory "$(image_root)" . | tar --extract --directory "$WORK/root"
	once --rootfs "$WORK/root" busybox echo from a directory
	assert_output 'from a directory'
	once --timeout 1 $box sleep 1000
	assert_failure
	once --security-opt mask=/proc/cpuinfo --oom-score-adj 500 --tz=UTC $box sh -c 'wc -c </proc/cpuinfo; cat /proc/self/oom_score_adj; date +%Z'
	assert_success
	assert_output $'0\n500\nUTC'
}

@test "run --init: an init reaps for the program and hands signals on" {
	needs catatonit
	once --init $box sh -c 'cat /proc/1/comm; exit 3'
	assert_failure 3
	assert_output podman-init
	detached --init $box sh -c 'trap "exit 4" TERM; echo up; while :; do sleep 0.1; done'
	wait_until 10 logged up
	podman kill --signal TERM "$ID"
	becomes '{{.State.Status}} {{.State.ExitCode}}' 'exited 4'
}

@test "run --preserve-fds and LISTEN_FDS: descriptors of the caller reach the program" {
	echo third >"$WORK/third"
	echo fourth >"$WORK/fourth"
	answer podman_host bash -c 'exec podman run --rm --cgroup-parent "$1" --preserve-fds 2 localhost/box sh -c "cat <&3; cat <&4; ls /proc/self/fd" 3<"$2" 4<"$3"' \
		bash "/$ENGINE_NAME" "$WORK/third" "$WORK/fourth"
	assert_success
	assert_output $'third\nfourth\n0\n1\n2\n3\n4\n5'
	answer podman_host bash -c 'LISTEN_FDS=1 LISTEN_PID=$$ exec podman run --rm --cgroup-parent "$1" localhost/box sh -c "echo \$LISTEN_FDS \$LISTEN_PID; cat <&3" 3<"$2"' \
		bash "/$ENGINE_NAME" "$WORK/third"
	assert_success
	assert_output $'1 1\nthird'
}

@test "run --sdnotify: a container that says it is ready" {
	answer podman_host bash -c 'NOTIFY_SOCKET=$2 exec timeout 20 podman run --rm --cgroup-parent "$1" --sdnotify=container localhost/box sh -c "ls -l \$NOTIFY_SOCKET && echo \$NOTIFY_SOCKET"' \
		bash "/$ENGINE_NAME" "$WORK/notify.sock"
	assert_success
	assert_contains /run/notify/notify.sock
}

@test "run --group-add keep-groups: the caller's groups stay" {
	[[ $RUNTIME == rt ]] || skip "$RUNTIME does not know run.oci.keep_original_groups"
	answer podman_host setpriv --groups 4321,0 podman run --rm --cgroup-parent "/$ENGINE_NAME" --group-add keep-groups $box id -G
	assert_success
	assert_output '0 4321'
}

@test "run --uidmap and --gidmap: a user namespace with the mapping" {
	once --uidmap 0:200000:5000 --gidmap 0:300000:5000 --volume "$WORK:/host" $box sh -c '
		cat /proc/self/uid_map /proc/self/gid_map; id -u; touch /new && stat -c %u:%g /new; chown 12:34 /new && stat -c %u:%g /new
		stat -c %u:%g /bin/busybox /host; touch /host/x'
	assert_failure 1
	assert_equal "$(xargs <<<"$output")" "0 200000 5000 0 300000 5000 0 0:0 12:34 0:0 65534:65534 touch: /host/x: Permission denied"
	detached --uidmap 0:200000:5000 --user 1000 $box sleep 1000
	assert_equal "$(stat -c %u "/proc/$(inspect '{{.State.Pid}}')")" 201000
	execute --user=0 sh -c 'cat /proc/self/uid_map; id -u'
	assert_equal "$(xargs <<<"$output")" '0 200000 5000 0'
}

@test "run --userns=auto: each container has ids of its own" {
	echo containers:500000:200000 >"$WORK/subid"
	podman_host mount --bind "$WORK/subid" /etc/subuid
	podman_host mount --bind "$WORK/subid" /etc/subgid
	detached --userns=auto:size=4000 $box sleep 1000
	execute cat /proc/self/uid_map
	local first=$output
	[[ $first =~ ^\ *0\ +50[0-9]{4}\ +4000$ ]]
	detached --userns=auto $box sleep 1000
	execute cat /proc/self/uid_map
	[[ $output != "$first" ]]
	podman_host umount /etc/subuid /etc/subgid
}
