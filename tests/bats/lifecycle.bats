# A container's life in separate commands: create, start, kill, delete.

load helpers

setup() {
	setup_bundle
	ID=$(new_id)
}
teardown() { teardown_all; }

create() { rt create --bundle "$BUNDLE" "$ID"; }

# writing_to_host lets the container show on the host that its program ran: by a file in $WORK/shared.
writing_to_host() {
	mkdir -p "$WORK/shared"
	for_container "$WORK/shared"
	config '.mounts += [{destination: "/shared", type: "bind", source: $dir, options: ["bind", "rw"]}]' --arg dir "$WORK/shared"
}

@test "the whole life: created, running, stopped, gone" {
	args sleep 1000
	runtime create --bundle "$BUNDLE" "$ID"
	[ "$status" -eq 0 ]
	[ "$(container_status "$ID")" == created ]
	local pid
	pid=$(container_pid "$ID")
	runtime start "$ID"
	[ "$status" -eq 0 ]
	[ "$(container_status "$ID")" == running ]
	[ "$(container_pid "$ID")" -eq "$pid" ]
	[[ $(tr '\0' ' ' <"/proc/$pid/cmdline") == "sleep 1000 " ]]
	runtime kill "$ID" KILL
	[ "$status" -eq 0 ]
	wait_for_status "$ID" stopped
	gone "$pid"
	runtime delete "$ID"
	[ "$status" -eq 0 ]
	runtime state "$ID"
	[ "$status" -eq 1 ]
	nothing_left "$TOKEN"
	[ -z "$(ls -A "$ROOT")" ]
}

@test "the user's program does not run before start" {
	writing_to_host
	args sh -c 'touch /shared/ran; sleep 1000'
	create
	sleep 0.3
	[ ! -e "$WORK/shared/ran" ]
	rt start "$ID"
	wait_until 5 test -e "$WORK/shared/ran"
}

@test "create takes the bundle of the current directory" {
	args sleep 1000
	cd "$BUNDLE"
	rt create "$ID"
	[ "$(rt state "$ID" | jq -r .bundle)" == "$BUNDLE" ]
}

@test "create finds a bundle given relative to the current directory" {
	args sleep 1000
	cd "$WORK"
	rt create --bundle bundle "$ID"
	[ "$(rt state "$ID" | jq -r .bundle)" == "$BUNDLE" ]
}

@test "after create only the container's process is left, and not as a child of rt" {
	args sleep 1000
	create
	local pid
	pid=$(container_pid "$ID")
	[ "$(marked_processes "$TOKEN")" == "$pid" ]
	[ "$(sed -n 's/^PPid:\t//p' "/proc/$pid/status")" -ne 0 ]
}

@test "the config may change after create: the container is what it was at create" {
	writing_to_host
	args sh -c 'echo first >/shared/ran; sleep 1000'
	create
	args sh -c 'echo second >/shared/ran; sleep 1000'
	rt start "$ID"
	wait_until 5 test -s "$WORK/shared/ran"
	[ "$(<"$WORK/shared/ran")" == first ]
}

@test "start returns only when the user's program has begun" {
	args sleep 1000
	create
	rt start "$ID"
	[[ $(tr '\0' ' ' <"/proc/$(container_pid "$ID")/cmdline") == "sleep 1000 " ]]
}

@test "start of a running container is refused" {
	args sleep 1000
	create
	rt start "$ID"
	runtime start "$ID"
	[ "$status" -eq 1 ]
	[[ $output == *"cannot start an already running container"* ]]
	[ "$(container_status "$ID")" == running ]
}

@test "start of a stopped container is refused" {
	args true
	create
	rt start "$ID"
	wait_for_status "$ID" stopped
	runtime start "$ID"
	[ "$status" -eq 1 ]
	[[ $output == *"cannot start a container that has stopped"* ]]
}

@test "start of a container that was killed before start is refused" {
	args sleep 1000
	create
	rt kill "$ID" KILL
	wait_for_status "$ID" stopped
	runtime start "$ID"
	[ "$status" -eq 1 ]
	[[ $output == *"cannot start a container that has stopped"* ]]
}

@test "start of an unknown container is refused" {
	runtime start "$ID"
	[ "$status" -eq 1 ]
	[[ $output == *"container does not exist"* ]]
}

@test "an id is given once: the second create fails and harms nothing" {
	args sleep 1000
	create
	local pid
	pid=$(container_pid "$ID")
	runtime create --bundle "$BUNDLE" "$ID"
	[ "$status" -eq 1 ]
	[[ $output == *"container with given ID already exists"* ]]
	[ "$(container_status "$ID")" == created ]
	[ "$(container_pid "$ID")" -eq "$pid" ]
	rt start "$ID"
	[ "$(container_status "$ID")" == running ]
}

@test "a deleted id can be used again" {
	args sleep 1000
	for _ in 1 2 3; do
		create
		rt start "$ID"
		rt delete --force "$ID"
	done
	create
	[ "$(container_status "$ID")" == created ]
}

@test "containers of one bundle do not know of each other" {
	args sleep 1000
	config 'del(.linux.cgroupsPath)'
	local other
	other=$(new_id)
	create
	rt create --bundle "$BUNDLE" "$other"
	rt start "$ID"
	[ "$(container_status "$other")" == created ]
	rt delete --force "$ID"
	[ "$(container_status "$other")" == created ]
	rt start "$other"
	[ "$(container_status "$other")" == running ]
}

@test "one state root does not see the containers of another" {
	args sleep 1000
	create
	run "$RT" --root "$WORK/elsewhere" state "$ID"
	[ "$status" -eq 1 ]
	[[ $output == *"container does not exist"* ]]
	[ "$(container_status "$ID")" == created ]
}

# refused_at_create TEXT: create itself fails with the text, not start, and leaves nothing.
refused_at_create() {
	runtime create --bundle "$BUNDLE" "$ID"
	[ "$status" -eq 1 ]
	[[ $output == *"$1"* ]]
	runtime state "$ID"
	[ "$status" -eq 1 ]
	nothing_left "$TOKEN"
	[ -z "$(ls -A "$ROOT")" ]
}

@test "create fails for a program that PATH does not find" {
	args no-such-program
	refused_at_create 'executable file not found in $PATH'
}

@test "create fails for a program that is not there" {
	args /bin/no-such-program
	refused_at_create "no such file or directory"
}

@test "create fails for a program that is not executable" {
	echo '#!/bin/sh' >"$BUNDLE/rootfs/bin/plain"
	chmod 644 "$BUNDLE/rootfs/bin/plain"
	args /bin/plain
	refused_at_create "permission denied"
}

@test "create fails for a program that is a directory" {
	args /etc
	runtime create --bundle "$BUNDLE" "$ID"
	[ "$status" -eq 1 ]
	[[ $output == *"is a directory"* || $output == *"permission denied"* ]]
	nothing_left "$TOKEN"
}

@test "create looks args[0] up in the container's PATH, not in the host's" {
	mkdir "$BUNDLE/rootfs/special"
	mv "$BUNDLE/rootfs/bin/sleep" "$BUNDLE/rootfs/special/doze"
	ln -sf /bin/busybox "$BUNDLE/rootfs/special/sleep"
	rm "$BUNDLE/rootfs/special/doze"
	config '.process.env = ["PATH=/special"]'
	args sleep 1000
	create
	rt start "$ID"
	[ "$(container_status "$ID")" == running ]
	rt delete --force "$ID"
	config '.process.env = ["PATH=/nowhere"]'
	refused_at_create 'executable file not found in $PATH'
}

@test "create fails for a working directory that is none" {
	config '.process.cwd = "/etc/passwd"'
	args true
	refused_at_create "not a directory"
}

@test "a program that the kernel refuses to execute is told by start or run" {
	printf '#!/no/interpreter\n' >"$BUNDLE/rootfs/bin/broken"
	chmod 755 "$BUNDLE/rootfs/bin/broken"
	args /bin/broken
	runtime run --bundle "$BUNDLE" "$ID"
	[ "$status" -ne 0 ]
	[[ $output == *"/bin/broken"*"no such file or directory"* ]]
}

@test "a created container does not execute the runtime's own binary" {
	args sleep 1000
	create
	local pid
	pid=$(container_pid "$ID")
	[ "$(stat -Lc %i "/proc/$pid/exe")" != "$(stat -Lc %i "$RT")" ]
}

@test "a container that waits for start costs less than 1 MiB" {
	args sleep 1000
	create
	local kib
	kib=$(sed -n 's/^VmRSS:[[:space:]]*\([0-9]*\).*/\1/p' "/proc/$(container_pid "$ID")/status")
	[ "$kib" -lt 1024 ]
}
