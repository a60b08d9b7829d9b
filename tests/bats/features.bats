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

# true_of LISTED FILTER [JQ OPTION...]: a config changed by the filter runs if the feature is listed, and
# is refused, before anything is made, if it is not.
true_of() {
	local listed=$1 filter=$2
	shift 2
	setup_bundle "$(unique)"
	config "$filter" "$@"
	runtime run --bundle "$BUNDLE" "$(new_id)"
	echo "listed: $listed, exit code $status: $output"
	if [[ $listed == true ]]; then
		[ "$status" -eq 0 ]
	else
		[ "$status" -eq 1 ] && [ -z "$(ls -A "$ROOT")$(leftovers "$TOKEN")" ]
	fi
}

@test "the namespaces listed can be made, and those that are not are refused" {
	local type listed
	features '.linux.namespaces | . - ["cgroup", "ipc", "mount", "network", "pid", "time", "user", "uts"] == []'
	for type in cgroup ipc mount network pid time user uts; do
		listed=$(jq --arg type "$type" '.linux.namespaces | index($type) != null' "$WORK/features.json")
		true_of "$listed" '
			.linux.namespaces = (.linux.namespaces | map(select(.type != $type))) + [{type: $type}] |
			if $type == "user" then .linux.uidMappings = [{containerID: 0, hostID: 0, size: 65536}] | .linux.gidMappings = .linux.uidMappings else . end' \
			--arg type "$type"
	done
}

@test "the hooks listed are run, and those that are not are refused" {
	local hook listed
	features '(.hooks // []) - ["prestart", "createRuntime", "createContainer", "startContainer", "poststart", "poststop"] == []'
	for hook in prestart createRuntime createContainer startContainer poststart poststop; do
		listed=$(jq --arg hook "$hook" '(.hooks // []) | index($hook) != null' "$WORK/features.json")
		true_of "$listed" '.hooks = {($hook): [{path: "/bin/true"}]}' --arg hook "$hook"
	done
}

@test "seccomp is as enabled as it says" {
	true_of "$(jq .linux.seccomp.enabled "$WORK/features.json")" \
		'.linux.seccomp = {defaultAction: "SCMP_ACT_ALLOW", syscalls: [{names: ["kexec_load"], action: "SCMP_ACT_ERRNO"}]}'
}

@test "of seccomp all actions, operators and flags of the specification are listed" {
	features '.linux.seccomp | (.actions | length == 9 and index("SCMP_ACT_NOTIFY") != null) and (.operators | length == 7) and
		(.archs | index("SCMP_ARCH_X86_64") != null and index("SCMP_ARCH_AARCH64") != null) and
		.knownFlags == .supportedFlags and (.knownFlags | index("SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV") != null)'
}

@test "what engines look for before they use user namespaces is there" {
	features '.linux.mountExtensions.idmap.enabled and (.mountOptions | index("idmap") != null and index("ridmap") != null)'
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
	features '.linux.cgroup | .v1 and .v2 and .systemd and .systemdUser'
}
