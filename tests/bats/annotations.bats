#!/usr/bin/env bats
# Annotations that crun has brought up and callers set.
# shellcheck disable=SC2016,SC2030,SC2031

setup() {
	load helpers
	load inside
	setup_bundle
}

teardown() {
	teardown_all
}

# annotate KEY VALUE
annotate() {
	config '.annotations[$key] = $value' --arg key "$1" --arg value "$2"
}

@test "unknown annotations are ignored" {
	annotate run.oci.unknown 1
	annotate org.example.key value
	inside 'echo ran'
	assert_output ran
}

@test "run.oci.keep_original_groups: the program has the caller's groups, and so have others in the container" {
	skip_in rootless 'the user has none but his own group'
	config '.process.user.additionalGids = [7]'
	run_container_by setpriv --groups 4321,5432
	inside 'id -G'
	assert_output '0 7'
	annotate run.oci.keep_original_groups 1
	args id -G
	run_container_by setpriv --groups 4321,5432
	assert_success
	assert_output "0 $(unmapped_id 4321) $(unmapped_id 5432)"
	local id
	id=$(new_id)
	args sleep 1000
	rt run --detach -b "$BUNDLE" "$id"
	run setpriv --groups 6543 "$RT" --root "$ROOT" exec "$id" id -G
	assert_output "0 $(unmapped_id 6543)"
}

@test "run.oci.pidfd_receiver: the socket gets the first process, as with --pidfd-socket" {
	annotate run.oci.pidfd_receiver "$WORK/socket"
	args sleep 1000
	python3 - "$WORK/socket" >"$WORK/received" 3>&- <<-'END' &
		import re, socket, sys
		listener = socket.socket(socket.AF_UNIX)
		listener.bind(sys.argv[1])
		listener.listen()
		text, fds, _, _ = socket.recv_fds(listener.accept()[0], 100, 2)
		info = open(f"/proc/self/fdinfo/{fds[0]}").read()
		print(text.decode(), len(fds), re.search(r"Pid:\s*(\d+)", info)[1])
	END
	local peer=$! id
	id=$(new_id)
	wait_until 5 test -S "$WORK/socket"
	for_container "$WORK/socket"
	rt create -b "$BUNDLE" "$id"
	wait "$peer"
	assert_equal "$(<"$WORK/received")" "standard 1 $(container_pid "$id")"
	runtime plan "$BUNDLE"
	assert_contains "$WORK/socket"
}

@test "run.oci.hooks.stdout and stderr: the output of all hooks is appended" {
	local kind id
	for kind in prestart createRuntime createContainer startContainer poststart poststop; do
		config '.hooks[$kind] = [{path: "/bin/sh", args: ["sh", "-c", "echo \($kind); echo not \($kind) >&2"]}]' --arg kind "$kind"
	done
	echo first >"$WORK/out"
	for_container "$WORK/out" "$BUNDLE"
	annotate run.oci.hooks.stdout "$WORK/out"
	annotate run.oci.hooks.stderr err
	id=$(new_id)
	rt run -b "$BUNDLE" "$id"
	assert_equal "$(<"$WORK/out")" $'first\nprestart\ncreateRuntime\ncreateContainer\nstartContainer\npoststart\npoststop'
	assert_equal "$(wc -l <"$BUNDLE/err")" 6
	assert_equal "$(tail -n1 "$BUNDLE/err")" 'not poststop'
}

@test "run.oci.hooks.stdout: a hook that fails is shown as ever, a file that cannot be opened is an error" {
	config '.hooks.prestart = [{path: "/bin/sh", args: ["sh", "-c", "echo words; exit 3"]}]'
	annotate run.oci.hooks.stdout "$WORK/out"
	fails 'error running prestart hook #0: exit status 3, stdout: words'
	assert_equal "$(<"$WORK/out")" words
	annotate run.oci.hooks.stdout /no/such/directory/out
	fails 'hooks.prestart[0]' 'stdout of hooks: open /no/such/directory/out: no such file or directory'
}

@test "run.oci.mount_context_type: a name that is none is refused" {
	annotate run.oci.mount_context_type rootcontext
	inside 'echo ran'
	assert_output ran
	annotate run.oci.mount_context_type size
	refused 'annotations["run.oci.mount_context_type"]' 'must be "context", "defcontext", "fscontext" or "rootcontext", got "size"'
}

@test "run.oci.handler: another back end is refused, but for the container of a pod itself" {
	annotate run.oci.handler krun
	refused 'annotations["run.oci.handler"]' 'rt has no back end "krun"'
	annotate io.kubernetes.cri.container-type sandbox
	inside 'echo ran'
	assert_output ran
}

@test "features names the annotations that callers must not take from anybody" {
	runtime features
	assert_contains '"potentiallyUnsafeConfigAnnotations"'
	assert_equal "$(jq -c '.potentiallyUnsafeConfigAnnotations | map(select(test("hooks|groups|pidfd")))' <<<"$output")" \
		'["run.oci.hooks.stderr","run.oci.hooks.stdout","run.oci.keep_original_groups","run.oci.pidfd_receiver"]'
}
