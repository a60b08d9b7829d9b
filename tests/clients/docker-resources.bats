#!/usr/bin/env bats
# Limits of Docker's containers, and what they use.
# shellcheck disable=SC2016,SC2030,SC2031

setup_file() { load docker && start_docker; }
teardown_file() { load docker && stop_docker; }
setup() {
	load docker
	begin_docker_test
	[[ $(docker info --format '{{.MemoryLimit}} {{.CPUCfsQuota}} {{.PidsLimit}}') == 'true true true' ]] ||
		skip "Docker finds no controllers of memory, processors and processes in this view of cgroups"
}
teardown() { end_docker_test; }

# limit V1-FILE V2-FILE prints what the container's cgroup says, on whichever version the host has.
limit() {
	local path
	for path in /sys/fs/cgroup/{*/,}"$ENGINE_NAME/$ID"/{"$1","$2"}; do
		[[ -e $path ]] && cat "$path" && return
	done
	echo "no $1 or $2"
	return 1
}

@test "limits of memory, processors and processes are those of the cgroup" {
	detached --memory 64m --memory-swap 64m --cpus 0.5 --cpuset-cpus 0 --pids-limit 50 box sleep 1000
	assert_equal "$(limit memory.limit_in_bytes memory.max)" $((64 << 20))
	assert_equal "$(limit cpuset.cpus cpuset.cpus)" 0
	assert_equal "$(limit pids.max pids.max)" 50
	case $(limit cpu.cfs_quota_us cpu.max) in 50000 | '50000 100000') ;; *) false ;; esac
}

@test "update: new limits for a container that runs" {
	detached --memory 64m --memory-swap 64m box sleep 1000
	docker update --memory 96m --memory-swap 96m --cpus 0.25 --pids-limit 70 "$ID" >/dev/null
	assert_equal "$(limit memory.limit_in_bytes memory.max)" $((96 << 20))
	assert_equal "$(limit pids.max pids.max)" 70
	case $(limit cpu.cfs_quota_us cpu.max) in 25000 | '25000 100000') ;; *) false ;; esac
	assert_equal "$(inspect '{{.HostConfig.Memory}}')" $((96 << 20))
	docker update --pids-limit -1 "$ID" >/dev/null
	assert_equal "$(limit pids.max pids.max)" max
	docker exec "$ID" true
}

@test "a program that needs more memory than it may is killed, and Docker knows why" {
	ID=$(docker create --label "test=$TOKEN" --memory 16m --memory-swap 16m box tail -c 100m /dev/zero)
	answer docker start --attach "$ID"
	assert_failure 137
	becomes '{{.State.OOMKilled}}' true
	assert_equal "$(inspect '{{.State.ExitCode}}')" 137
}

@test "the limit of processes holds" {
	once --pids-limit 5 box sh -c 'for i in 1 2 3 4 5 6 7 8; do sleep 1 & done; wait'
	assert_contains "can't fork"
}

@test "stats: memory, processors and processes of a container" {
	detached --memory 64m box sh -c 'while :; do :; done'
	wait_until 30 uses_something
	answer docker stats --no-stream --format '{{.MemUsage}}|{{.PIDs}}' "$ID"
	assert_success
	[[ $output =~ ^[1-9].*\ /\ 64MiB\|1$ ]]
}

uses_something() {
	[[ $(docker stats --no-stream --format '{{.CPUPerc}} {{.PIDs}}' "$ID") =~ ^[1-9].*\ 1$ ]]
}

@test "a limit below what is in use is refused, and changes nothing" {
	detached --memory 64m --memory-swap 64m --tmpfs /big box sh -c 'head -c 20000000 /dev/zero >/big/file; echo ready >/big/ready; sleep 1000'
	wait_until 15 docker exec "$ID" test -e /big/ready
	answer docker update --memory 8m --memory-swap 8m "$ID"
	docker exec "$ID" true
	assert_equal "$(inspect '{{.State.Running}}')" true
}

@test "the cgroup parent of the user's choice" {
	detached --cgroup-parent "/$ENGINE_NAME/of-the-user" box sleep 1000
	grep -q ":/$ENGINE_NAME/of-the-user/$ID\$" "/proc/$(inspect '{{.State.Pid}}')/cgroup"
}

@test "processor weights" {
	detached --cpu-shares 512 box sleep 1000
	case $(limit cpu.shares cpu.weight) in 512 | 20 | 59) ;; *) limit cpu.shares cpu.weight && false ;; esac
}
