#!/usr/bin/env bats
# docker build: the steps of a Dockerfile run in containers.
# shellcheck disable=SC2016

setup_file() { load docker && start_docker; }
teardown_file() { load docker && stop_docker; }
setup() { load docker && begin_docker_test; }
teardown() {
	docker rmi --force "$TOKEN" >/dev/null 2>&1 || true
	end_docker_test
}

# build [FLAG...] builds the Dockerfile on stdin as the image $TOKEN, and sets $status and $output.
build() {
	mkdir -p "$WORK/context"
	cat >"$WORK/context/Dockerfile"
	answer docker build --tag "$TOKEN" --force-rm "$@" "$WORK/context"
}

@test "RUN: the files that it makes are in the image" {
	echo copied >"$WORK/copied"
	mkdir "$WORK/context" && mv "$WORK/copied" "$WORK/context"
	build --build-arg WORD=given <<-'END'
		FROM box
		ARG WORD
		ENV KEPT=yes
		COPY copied /copied
		WORKDIR /made/here
		RUN echo "$WORD $KEPT $PWD" >file && cat /copied >>file && id -u >>file
		USER user
		RUN ["sh", "-c", "id -un >/tmp/who"]
		ENTRYPOINT ["cat"]
		CMD ["file", "/tmp/who"]
	END
	assert_success
	once "$TOKEN"
	assert_output $'given yes /made/here\ncopied\n0\nuser'
}

@test "RUN: a command that fails fails the build with its exit code" {
	build <<-'END'
		FROM box
		RUN echo said; exit 42
	END
	assert_failure
	assert_all_contained said 'returned a non-zero code: 42'
	assert_contains 'Removing intermediate container'
}

@test "RUN: what a build may not" {
	build <<-'END'
		FROM box
		RUN unshare -U true || grep Seccomp: /proc/self/status
		RUN no-such-program
	END
	assert_failure
	assert_contains 'returned a non-zero code: 127'
	assert_contains $'Seccomp:\t2'
}

@test "BuildKit: RUN in the engine's own builder" {
	export DOCKER_BUILDKIT=1
	build --progress plain <<-'END'
		FROM box
		RUN echo "built by $(id -u)" >/file && hostname >>/file
		RUN --mount=type=tmpfs,target=/scratch touch /scratch/x && grep -c ' /scratch tmpfs' /proc/mounts >>/file
	END
	assert_success
	once "$TOKEN" cat /file
	assert_contains 'built by 0'
	build --progress plain <<-'END'
		FROM box
		RUN exit 42
	END
	assert_failure
	assert_contains 'exit code: 42'
}
