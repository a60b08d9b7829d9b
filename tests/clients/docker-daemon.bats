#!/usr/bin/env bats
# The Docker daemon itself: what it finds out about the runtime, its restart below running containers,
# and containers whose users are others on the host.
# shellcheck disable=SC2016,SC2030,SC2031

setup_file() {
	# The daemon is stopped and started: there is room for one test.
	export BATS_NO_PARALLELIZE_WITHIN_FILE=true
	load docker
	start_docker --live-restore
}
teardown_file() { load docker && stop_docker; }
setup() { load docker && begin_docker_test; }
teardown() { end_docker_test; }

@test "docker info names the runtime" {
	docker info --format '{{json .Runtimes}}' | jq -e --arg name "$RUNTIME" 'has($name)'
	assert_equal "$(docker info --format '{{.DefaultRuntime}}')" "$RUNTIME"
}

@test "a runtime that daemon.json names is there once the daemon has read it again" {
	configure_docker other
	kill -HUP "$(<"$ENGINE/dockerd.pid")"
	wait_until 15 knows_runtime other
	once --runtime other box echo by-the-other
	assert_output by-the-other
}

knows_runtime() {
	docker info --format '{{json .Runtimes}}' | jq -e --arg name "$1" 'has($name)' >/dev/null
}

# shellcheck disable=SC2016
@test "README: the daemon is told of rt, and runs a container with it" {
	load readme
	prepare_readme '[[ $* == "reload docker" ]] && kill -HUP "$(<"$ENGINE/dockerd.pid")" && for _ in {1..200}; do
		[[ $(docker info --format "{{json .Runtimes}}") != *\"/usr/local/bin/rt\"* ]] || exit 0
		sleep 0.1
	done'
	docker tag box debian
	example 'With Docker' '^{' '^}' >"$ENGINE/daemon.json"
	try_example 'With Docker' '^systemctl' '^docker run'
	assert_success
	assert_output hello
	was_called create
	configure_docker "$RUNTIME"
	kill -HUP "$(<"$ENGINE/dockerd.pid")"
	wait_until 15 defaults_to "$RUNTIME"
}

defaults_to() {
	[[ $(docker info --format '{{.DefaultRuntime}} {{json .Runtimes}}') == "$1 "* && $(docker info --format '{{json .Runtimes}}') != */usr/local/bin/rt* ]]
}

@test "live restore: containers outlive the daemon, and are its again afterwards" {
	detached --interactive box sh -c 'trap "echo bye; exit 5" TERM; i=0; while :; do echo $((i += 1)); sleep 0.1; done'
	local init
	init=$(inspect '{{.State.Pid}}')
	stop_dockerd
	[ -e "/proc/$init" ]
	start_dockerd --live-restore
	assert_equal "$(inspect '{{.State.Status}} {{.State.Pid}}')" "running $init"
	answer docker exec "$ID" echo again
	assert_output again
	docker pause "$ID" >/dev/null
	docker unpause "$ID" >/dev/null
	docker stop --time 20 "$ID" >/dev/null
	assert_equal "$(inspect '{{.State.ExitCode}}')" 5
	docker logs --tail 1 "$ID" | grep -qx bye
}

@test "live restore: a container that ended meanwhile, and one whose shim was killed" {
	local ended shim
	detached box sh -c 'sleep 3; exit 8'
	ended=$ID
	detached --init box sh -c 'trap "" TERM; sleep 1000'
	shim=$(awk '{ print $4 }' "/proc/$(inspect '{{.State.Pid}}')/stat")
	stop_dockerd
	kill -KILL "$shim"
	wait_until 20 gone "$(docker_pid_of "$ended")"
	start_dockerd --live-restore
	becomes '{{.State.Running}}' false
	docker rm --force "$ID" >/dev/null
	wait_until 15 nothing_of "$ID"
	ID=$ended
	becomes '{{.State.Status}}' exited
}

# docker_pid_of ID prints the pid that the daemon, which is down, wrote down for a container.
docker_pid_of() {
	jq .State.Pid "$ENGINE/data/containers/$1/config.v2.json"
}

@test "userns-remap: root in the container is another user on the host" {
	[[ -e /etc/subuid && -e /etc/subgid ]] || skip "this machine has no files of subordinate ids"
	stop_dockerd
	printf '%s:300000:65536\n' nobody nogroup >"$ENGINE/ids"
	(in_engine_host mount --bind "$ENGINE/ids" /etc/subuid)
	(in_engine_host mount --bind "$ENGINE/ids" /etc/subgid)
	# Others have no access to the directory of the test.
	start_dockerd --userns-remap nobody:nogroup --data-root /run/mapped
	tar --create --directory "$(image_root)" . | docker import - mapped >/dev/null
	detached mapped sh -c 'id -u; cat /proc/self/uid_map; sleep 1000'
	assert_equal "$(ps -o uid= -p "$(inspect '{{.State.Pid}}')" | tr -d ' ')" 300000
	execute sh -c 'id -u; touch /etc/mine && stat -c %u /etc/mine; hostname; mount | grep -c "^proc on /proc "'
	assert_success
	assert_equal "${lines[0]} ${lines[1]}" '0 0'
	once --read-only --tmpfs /t --init --memory 64m mapped sh -c 'touch /t/x && id -u && test -c /dev/null && echo x >/dev/null && ls -ld /dev/pts/ptmx'
	assert_success
	once --tty mapped tty
	assert_success
	assert_contains /dev/pts/0
	docker rm --force "$ID" >/dev/null
	docker rmi mapped >/dev/null
	stop_dockerd
	start_dockerd --live-restore
}
