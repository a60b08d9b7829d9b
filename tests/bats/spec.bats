# The config.json that `rt spec` writes.

load helpers

setup() {
	begin_test
	mkdir "$WORK/new" && cd "$WORK/new"
}
teardown() { teardown_all; }

@test "spec writes config.json into the current directory and says nothing" {
	runtime spec
	[ "$status" -eq 0 ]
	[ -z "$output" ]
	[ "$(ls -A)" == config.json ]
	jq -e . config.json
}

@test "spec --bundle writes into that directory" {
	mkdir "$WORK/other"
	rt spec --bundle "$WORK/other"
	[ -e "$WORK/other/config.json" ]
	[ -z "$(ls -A)" ]
	mkdir "$WORK/third"
	rt spec -b "$WORK/third"
	cmp "$WORK/other/config.json" "$WORK/third/config.json"
}

@test "spec does not overwrite a config.json" {
	echo mine >config.json
	runtime spec
	[ "$status" -eq 1 ]
	[[ $output == *"File config.json exists. Remove it first"* ]]
	[ "$(<config.json)" == mine ]
}

@test "spec does not write through a symbolic link in the place of config.json" {
	ln -s "$WORK/target" config.json
	runtime spec
	[ "$status" -eq 1 ]
	[ ! -e "$WORK/target" ]
}

@test "spec fails for a directory that does not exist" {
	runtime spec --bundle "$WORK/nowhere"
	[ "$status" -eq 1 ]
	[[ $output == *"no such file or directory"* ]]
}

@test "the file honours the umask and is indented with tabs" {
	(umask 027 && rt spec)
	[ "$(stat -c %a config.json)" == 640 ]
	[ "$(sed -n 2p config.json | cut -c 1-2)" == $'\t"' ]
	! grep -q '^ ' config.json || false
}

@test "the default is a shell on a terminal in a read-only root with few capabilities" {
	rt spec
	jq -e '
		["CAP_AUDIT_WRITE", "CAP_KILL", "CAP_NET_BIND_SERVICE"] as $few |
		(.ociVersion | test("^1\\.[0-9]+\\.[0-9]+$")) and
		.process.args == ["sh"] and .process.terminal == true and .process.cwd == "/" and
		.process.noNewPrivileges == true and (.process.env | any(startswith("PATH="))) and
		.root == {path: "rootfs", readonly: true} and (.hostname | length > 0) and
		(.process.capabilities | .bounding == $few and .permitted == $few and .effective == $few and (.inheritable // []) == []) and
		.process.rlimits == [{type: "RLIMIT_NOFILE", hard: 1024, soft: 1024}]' config.json
}

@test "the default has the seven mounts of the specification, hidden paths and namespaces" {
	rt spec
	jq -e '
		[.mounts[].destination] == ["/proc", "/dev", "/dev/pts", "/dev/shm", "/dev/mqueue", "/sys", "/sys/fs/cgroup"] and
		(.linux.maskedPaths | index("/proc/kcore") and index("/sys/firmware")) and
		(.linux.readonlyPaths | index("/proc/sys") and index("/proc/sysrq-trigger")) and
		([.linux.namespaces[].type] - ["cgroup"] | sort) == ["ipc", "mount", "network", "pid", "uts"] and
		.linux.resources.devices == [{allow: false, access: "rwm"}]' config.json
}

@test "the default has a cgroup namespace where cgroups are unified" {
	[[ $(stat -f -c %T /sys/fs/cgroup) == cgroup2fs ]] || in_v2=("$(command -v unshare)" --mount --propagation private sh -c 'mount -t cgroup2 cgroup2 /sys/fs/cgroup && exec "$@"' sh)
	"${in_v2[@]}" "$RT" spec
	jq -e '[.linux.namespaces[].type] | index("cgroup")' config.json
}

@test "--rootless maps the caller to root and asks for nothing that needs privileges" {
	chmod 711 "$BATS_RUN_TMPDIR" "$BATS_RUN_TMPDIR/test" "$BATS_TEST_TMPDIR" "$WORK"
	chmod 777 .
	setpriv --reuid 1234 --regid 2345 --clear-groups "$RT" spec --rootless
	jq -e '
		([.linux.namespaces[].type] | index("user") and (index("network") | not)) and
		.linux.uidMappings == [{containerID: 0, hostID: 1234, size: 1}] and
		.linux.gidMappings == [{containerID: 0, hostID: 2345, size: 1}] and
		(.linux.resources == null) and
		([.mounts[].options // [] | .[] | select(startswith("uid=") or startswith("gid="))] == []) and
		(.mounts[] | select(.destination == "/sys") | .source == "/sys" and (.options | index("rbind") and index("ro")))' config.json
}

@test "the default runs as it is, but for the terminal" {
	setup_bundle
	rm "$BUNDLE/config.json"
	rt spec --bundle "$BUNDLE"
	config '.process.terminal = false | .process.args = ["sh", "-c", "hostname; echo pid $$; touch /x || echo read-only"]'
	runtime run --bundle "$BUNDLE" "$(new_id)"
	[ "$status" -eq 0 ]
	[ "${lines[0]}" == "$(jq -r .hostname "$BUNDLE/config.json")" ]
	[ "${lines[1]}" == "pid 1" ]
	[[ $output == *read-only ]]
}
