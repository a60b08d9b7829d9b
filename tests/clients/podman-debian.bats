#!/usr/bin/env bats
# Podman with an image like people's own: glibc, bash, a package manager, users.
# shellcheck disable=SC2016,SC2030,SC2031,SC2153

setup_file() {
	# Its storage copies the whole image for every container and for every step of a build.
	export BATS_TEST_TIMEOUT=300
	load buildah && load debian
	needs_engine podman podman
	need_debian
	start_buildah
	podman import --quiet - localhost/debian <"$DEBIAN" >/dev/null
}
teardown_file() { load buildah && stop_podman; }
setup() { load buildah && load debian && begin_test; }
teardown() { end_buildah_test; }

image=localhost/debian

@test "debian, run -it bash: a session at a terminal" {
	run at_terminal run --rm -it --hostname machine $image bash <<-'END'
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
	END
	assert_failure 5
}

@test "debian, run: programs with libraries, modules and data bases" {
	once $image bash -c "$PROGRAMS"
	assert_success
	programs_said
}

@test "debian, run: users by name, and programs that change them" {
	once --user backup:audio $image bash -c 'id -un; id -gn'
	assert_output $'backup\naudio'
	once $image bash -c "$USERS"
	assert_success
	assert_output $'person\n/home/person\nperson:person:644\n33:29\nbackup'
}

@test "debian, exec: with and without a terminal, as another user" {
	detached --hostname machine $image sleep infinity
	execute bash -c 'kill -TERM $$'
	assert_failure 143
	execute --user=www-data --workdir=/usr bash -c 'echo "$(id -un) $PWD"; exit 4'
	assert_failure 4
	assert_output 'www-data /usr'
	run at_terminal exec -it "$ID" bash --login <<-'END'
		expect root@machine:/#
		send shopt -q login_shell && echo "a login" shell
		expect a login shell
		send exit 6
		end
	END
	assert_failure 6
}

@test "debian, build: RUN with a package manager, new users, another shell" {
	build podman --layers=false < <(dockerfile $image)
	assert_success
	once "localhost/$TOKEN"
	assert_output 'HELLO FROM PERSON IN /HOME/PERSON'
	once "localhost/$TOKEN" bash -c 'cat /said; dpkg-query --show greeting; id -Gn'
	assert_output $'person\n/home/person\ngreeting\t1.2\nperson audio'
}
