#!/usr/bin/env bats
# Docker with an image like people's own: glibc, bash, a package manager, users.
# shellcheck disable=SC2016,SC2030,SC2031

setup_file() {
	load docker && load debian
	needs_engine dockerd docker.io
	need_debian
	start_docker
	docker import - debian <"$DEBIAN" >/dev/null
}
teardown_file() { load docker && stop_docker; }
setup() { load docker && load debian && begin_docker_test; }
teardown() {
	docker rmi --force "$TOKEN" >/dev/null 2>&1 || true
	end_docker_test
}

@test "debian, run -it bash: a session at a terminal" {
	run timeout --foreground 90 "$PEER" terminal docker run --rm --label "test=$TOKEN" --interactive --tty --hostname machine debian bash <<-'SCRIPT'
		expect root@machine:/#
		send tty; echo "$((6 * 7)) $SHLVL"
		expect /dev/pts/0
		expect 42 1
		send bash -c 'echo wait""ing; exec sleep 1000'
		expect waiting
		type "\x03"
		expect root@machine:/#
		send echo "code $?"
		expect code 130
		send exit 5
		end
	SCRIPT
	assert_failure 5
}

@test "debian, run: programs with libraries, modules and data bases" {
	once debian bash -c "$PROGRAMS"
	assert_success
	programs_said
}

@test "debian, run: users by name, and programs that change them" {
	once --user www-data debian bash -c 'id -un; id -gn; id -u'
	assert_output $'www-data\nwww-data\n33'
	once --user backup:audio debian bash -c 'id -un; id -gn'
	assert_output $'backup\naudio'
	once debian bash -c "$USERS"
	assert_success
	assert_output $'person\n/home/person\nperson:person:644\n33:29\nbackup'
}

@test "debian, exec: with and without a terminal, as another user" {
	detached --hostname machine debian sleep infinity
	execute bash -c 'kill -TERM $$'
	assert_failure 143
	execute --user=www-data --workdir=/usr bash -c 'echo "$(id -un) $PWD"; exit 4'
	assert_failure 4
	assert_output 'www-data /usr'
	run timeout --foreground 90 "$PEER" terminal docker exec --interactive --tty "$ID" bash --login <<-'SCRIPT'
		expect root@machine:/#
		send shopt -q login_shell && echo "a login" shell
		expect a login shell
		send exit 6
		end
	SCRIPT
	assert_failure 6
}

@test "debian, build: RUN with a package manager, new users, another shell" {
	mkdir "$WORK/context"
	dockerfile debian >"$WORK/context/Dockerfile"
	answer docker build --tag "$TOKEN" --force-rm "$WORK/context"
	assert_success
	once "$TOKEN"
	assert_output 'HELLO FROM PERSON IN /HOME/PERSON'
	once "$TOKEN" bash -c 'cat /said; dpkg-query --show greeting; id -Gn'
	assert_output $'person\n/home/person\ngreeting\t1.2\nperson audio'
}
