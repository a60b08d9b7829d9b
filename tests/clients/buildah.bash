# shellcheck shell=bash
# Buildah, and podman build, of the test's own. Buildah has Podman's configuration and storage.
#
#   setup_file()    { load buildah; start_buildah; }
#   teardown_file() { load buildah; stop_podman; }
#   setup()         { load buildah; begin_test; }
#   teardown()      { end_buildah_test; }

load podman

start_buildah() {
	needs_engine buildah buildah
	start_podman
	export BUILDAH_RUNTIME
	BUILDAH_RUNTIME=$(runtime_binary)
}

# build_cgroup prints the cgroup for the RUN steps of the test. They have no cgroup below that which they
# are given.
build_cgroup() { echo "/$ENGINE_NAME-build-$BATS_TEST_NUMBER"; }

# buildah ARGUMENT... runs Buildah, whose cgroups are called like the engine.
buildah() {
	case $1 in
	bud | from) set -- "$1" --cgroup-parent "$(build_cgroup)" "${@:2}" ;;
	esac
	podman_host buildah "$@"
}

# build COMMAND [OPTION...] builds the Containerfile on stdin with "buildah bud" or "podman build", calls
# the image like the test, and sets $status and $output.
build() {
	local command=$1
	shift
	mkdir -p "$WORK/context"
	cat >"$WORK/context/Containerfile"
	case $command in
	buildah) answer buildah bud --isolation oci --tag "localhost/$TOKEN" "$@" "$WORK/context" ;;
	podman) answer podman build --isolation oci --cgroup-parent "$(build_cgroup)" --runtime "$BUILDAH_RUNTIME" --tag "localhost/$TOKEN" "$@" "$WORK/context" ;;
	esac
}

# end_buildah_test removes the working containers and the image of the test.
end_buildah_test() {
	local failed=0
	[[ -n ${CONTAINER:-} ]] && { buildah rm "$CONTAINER" >/dev/null || failed=1; }
	podman rmi --ignore --force "localhost/$TOKEN" >/dev/null 2>&1 || true
	end_podman_test || failed=1
	return "$failed"
}
