# What `rt features` tells engines (runtime-spec, features.md), and that it is true.

load helpers

setup() {
	begin_test
	"$RT" features >"$WORK/features.json"
}
teardown() { teardown_all; }

features() { jq -e "$1" "$WORK/features.json"; }

@test "features prints JSON on stdout and nothing on stderr" {
	run --separate-stderr "$RT" features
	[ "$status" -eq 0 ]
	[ -z "$stderr" ]
	[[ ${lines[1]} == '    "ociVersionMin": '* ]]
	jq -e . <<<"$output"
}

@test "the range of specification versions begins with 1.0.0 and goes to that of --version" {
	features '.ociVersionMin == "1.0.0"'
	[ "$(jq -r .ociVersionMax "$WORK/features.json")" == "$("$RT" --version | sed -n 's/^spec: //p')" ]
}

@test "the first and last version of the range are accepted in a config, and versions outside are not" {
	setup_bundle
	local version
	for version in 1.0.0 "$(jq -r .ociVersionMax "$WORK/features.json")"; do
		config '.ociVersion = $v' --arg v "$version"
		rt run --bundle "$BUNDLE" "$(new_id)"
	done
	config '.ociVersion = "2.0.0"'
	runtime run --bundle "$BUNDLE" "$(new_id)"
	[ "$status" -eq 1 ]
}

@test "namespaces are those that a config may name" {
	features '.linux.namespaces | sort | . == ["cgroup", "ipc", "mount", "network", "pid", "time", "user", "uts"]'
}

@test "what engines look for before they use user namespaces is there" {
	features '.linux | (.namespaces | index("user") != null) and (.mountExtensions.idmap.enabled | type == "boolean")'
}

@test "hooks are the six of the specification" {
	features '.hooks == ["prestart", "createRuntime", "createContainer", "startContainer", "poststart", "poststop"]'
}

@test "mount options are sorted, without duplicates, and rro is among them" {
	features '.mountOptions | . == (. | unique) and index("rro") != null and index("rbind") != null and index("tmpcopyup") != null'
}

@test "every capability of the running kernel is known" {
	features '.linux.capabilities | length'
	[ "$(jq '.linux.capabilities | length' "$WORK/features.json")" -gt "$(</proc/sys/kernel/cap_last_cap)" ]
	features '.linux.capabilities | index("CAP_SYS_ADMIN") != null and index("CAP_CHECKPOINT_RESTORE") != null'
}

@test "cgroups, seccomp, AppArmor, SELinux and RDT are answered with yes or no" {
	features '.linux | (.cgroup | .v1, .v2, .systemd, .systemdUser | type == "boolean"),
		(.seccomp.enabled, .apparmor.enabled, .selinux.enabled, .intelRdt.enabled, .netDevices.enabled | type == "boolean")'
	features '.linux.cgroup | .v1 and .v2'
}

@test "annotations that change what is done are named" {
	features '.potentiallyUnsafeConfigAnnotations | type == "array"'
}
