#!/usr/bin/env bats
# Images built with buildah and podman build, whose RUN steps are containers.
# shellcheck disable=SC2016,SC2030,SC2031

setup_file() {
	# Steps of other builds would be in the state root, too.
	export BATS_NO_PARALLELIZE_WITHIN_FILE=true
	load buildah
	start_buildah
}
teardown_file() { load buildah && stop_podman; }
setup() { load buildah && begin_test; }
teardown() { end_buildah_test; }

@test "buildah bud: RUN steps, as the user and in the directory that the file says" {
	build buildah <<-'END'
		FROM localhost/box
		ENV GREETING=hello
		WORKDIR /new/directory
		RUN echo "$GREETING $(id -u) $(pwd)" >/root.txt
		USER 1000:1000
		RUN echo "$GREETING $(id -u):$(id -g)" >/tmp/user.txt
		ENTRYPOINT ["cat", "/root.txt", "/tmp/user.txt"]
	END
	assert_success
	once "localhost/$TOKEN"
	assert_output $'hello 0 /new/directory\nhello 1000:1000'
}

@test "podman build: RUN steps with secrets, caches and build arguments" {
	echo hidden >"$WORK/secret"
	build podman --secret "id=key,src=$WORK/secret" --build-arg NAME=value <<-'END'
		FROM localhost/box
		ARG NAME
		RUN --mount=type=secret,id=key cp /run/secrets/key /seen
		RUN --mount=type=tmpfs,target=/scratch touch /scratch/x && echo "$NAME" >/name
	END
	assert_success
	once "localhost/$TOKEN" sh -c 'cat /seen /name; ! test -e /scratch/x'
	assert_output $'hidden\nvalue'
}

@test "a RUN step that fails fails the build, with its exit code, and leaves nothing" {
	local command
	for command in buildah podman; do
		build "$command" <<-'END'
			FROM localhost/box
			RUN echo this is why; exit 7
		END
		assert_failure
		assert_contains 'this is why'
		assert_contains 'exit status 7'
		build "$command" <<-'END'
			FROM localhost/box
			RUN ["/no/such/program"]
		END
		assert_failure
		assert_contains 'no such file or directory'
	done
	assert_equal "$(podman_host find "/run/$RUNTIME" -mindepth 1)" ''
}

@test "buildah run: a working container, its exit codes, and its terminal" {
	CONTAINER=$(buildah from localhost/box)
	answer buildah run --isolation oci "$CONTAINER" sh -c 'echo out; exit 9'
	assert_failure 9
	assert_contains out
	answer buildah run --isolation oci --volume "$WORK:/host" --cap-add CAP_NET_ADMIN --hostname build "$CONTAINER" \
		sh -c 'hostname >/host/name; grep CapEff /proc/self/status >/host/caps'
	assert_success
	assert_equal "$(<"$WORK/name")" build
	run podman_host timeout --foreground 60 "$PEER" terminal buildah run --isolation oci --tty "$CONTAINER" sh <<-'END'
		send tty; echo $((6 * 7))
		expect /dev/pts/
		expect 42
		send exit 4
		end
	END
	assert_failure 4
}

@test "buildah from --cgroup-parent: the steps run in that cgroup, which is gone after them" {
	CONTAINER=$(buildah from localhost/box)
	mkfifo "$WORK/step"
	buildah run --isolation oci --volume "$WORK:/host" "$CONTAINER" sh -c 'echo up >/host/step; read -r _ </host/step' >"$WORK/log" 2>&1 &
	local step=$! line
	read -r line <"$WORK/step"
	assert_equal "$line" up
	[[ -n $(marked_cgroups "$(build_cgroup)") ]]
	echo end >"$WORK/step"
	wait "$step"
	[[ -z $(marked_cgroups "$(build_cgroup)") ]]
}

@test "README: podman run, podman build and buildah bud with rt" {
	load readme
	prepare_readme
	tag_for_readme
	try_example 'Use it with Podman, Buildah and CRI-O' 'podman --runtime' 'podman --runtime'
	assert_success
	assert_output hello
	was_called create
	printf '%s\n' 'FROM docker.io/library/alpine' 'RUN echo built >/built' >"$WORK/Containerfile"
	local command
	for command in 'podman build' 'buildah bud'; do
		: >"$WORK/calls"
		try_example 'Use it with Podman, Buildah and CRI-O' "$command" "$command"
		assert_success
		if [[ $command == buildah* ]]; then
			was_called create
		fi
		answer podman run --rm localhost/hello cat /built
		assert_output built
		podman rmi --force localhost/hello >/dev/null
	done
}

@test "README: Podman's configuration makes rt the runtime" {
	load readme
	prepare_readme
	tag_for_readme
	cp -a /etc/containers "$ENGINE/etc"
	# That of the tests, without what README is about.
	sed '/^runtime/d; /^\[engine.runtimes\]/,/^$/{/^\[network\]/!{/network/!d}}' "$CONTAINERS_CONF" >"$ENGINE/etc/containers.conf"
	in_place_of /etc/containers "$ENGINE/etc"
	unset CONTAINERS_CONF
	try_example 'Use it with Podman, Buildah and CRI-O' 'mkdir -p /etc/containers' '^sudo podman run'
	assert_success
	assert_contains hello
	was_called create
	assert_equal "$(podman_host podman info --format '{{.Host.OCIRuntime.Name}} {{.Host.OCIRuntime.Path}}')" 'rt /usr/local/bin/rt'
}

# tag_for_readme gives the image of the tests the name that README has.
tag_for_readme() {
	podman tag localhost/box docker.io/library/alpine
}
