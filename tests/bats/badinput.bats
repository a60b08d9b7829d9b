# Bad input: refused in one line that says what to change, before anything exists.

load helpers

setup() {
	setup_bundle
	ID=$(new_id)
}
teardown() { teardown_all; }

# host prints everything of this test that a failed create could leave or change.
host() {
	leftovers "$TOKEN"
	find "$ROOT" "$BUNDLE" -printf '%p %y %m %s %l\n' | sort
}

# refused TEXT...: create and run fail with exit code 1 and one line that has every text, and the host
# is as it was.
refused() {
	local command text before
	before=$(host)
	for command in create run; do
		runtime "$command" --bundle "$BUNDLE" "$ID"
		[ "$status" -eq 1 ]
		for text in "$@"; do
			[[ $output == *"$text"* ]] || { echo "not said: $text" && return 1; }
		done
		[ "$(host)" == "$before" ]
	done
}

# line PATTERN prints the number of the first line of config.json that matches.
line() { grep -n -m1 -- "$1" "$BUNDLE/config.json" | cut -d : -f 1; }

@test "ids have letters, digits and _ + - . only" {
	local id before
	before=$(host)
	for id in 'a/b' '../escape' . .. 'with space' 'semi;colon' $'new\nline' 'ünlaut' '*' 'a:b' .hidden; do
		runtime create --bundle "$BUNDLE" -- "$id"
		[ "$status" -eq 1 ]
		[[ $output == *"invalid container ID format"* ]]
		[ "$(host)" == "$before" ]
	done
	runtime create --bundle "$BUNDLE" ''
	[ "$status" -eq 1 ]
	[[ $output == *"container id cannot be empty"* ]]
	[ "$(host)" == "$before" ]
}

@test "no command follows an id out of the state root" {
	mkdir "$WORK/victim" && echo '{}' >"$WORK/victim/state.json"
	local command
	for command in state start kill delete "delete --force"; do
		# shellcheck disable=SC2086
		runtime $command ../victim
		[ "$status" -eq 1 ]
		[ -e "$WORK/victim/state.json" ]
	done
}

@test "every allowed character works in an id" {
	local id=$TOKEN-aZ09_+-.
	args sleep 1000
	rt create --bundle "$BUNDLE" "$id"
	[ "$(container_status "$id")" == created ]
	rt delete "$id"
}

@test "a bundle that does not exist is named" {
	runtime create --bundle "$WORK/nowhere" "$ID"
	[ "$status" -eq 1 ]
	[[ $output == *nowhere*"no such file or directory"* ]]
	[ -z "$(ls -A "$ROOT")" ]
}

@test "a bundle without config.json is told so" {
	rm "$BUNDLE/config.json"
	refused "JSON specification file config.json not found"
}

@test "a root filesystem that does not exist is named" {
	config '.root.path = "no-such-root"'
	refused "root.path" "no-such-root"
}

@test "malformed JSON is told with line and column" {
	printf '{\n  "ociVersion": "1.0.2",\n  "process": {,}\n}\n' >"$BUNDLE/config.json"
	refused "config.json:3:15"
	printf '{\n  "ociVersion": "1.0.2"' >"$BUNDLE/config.json"
	refused "config.json:2:"
	: >"$BUNDLE/config.json"
	refused "config.json"
	echo null >"$BUNDLE/config.json"
	refused "config.json"
}

@test "a value of the wrong type is told with field and line" {
	config '.process.cwd = 7'
	refused "config.json:$(line '"cwd"'): process.cwd: must be a string"
}

@test "a config that is not a file is refused without waiting for it" {
	rm "$BUNDLE/config.json"
	mkfifo "$BUNDLE/config.json"
	run timeout 10 "$RT" --root "$ROOT" create --bundle "$BUNDLE" "$ID" 3>&-
	[ "$status" -eq 1 ]
	[[ $output == *config.json* ]]
}

@test "an unknown version of the specification is refused with its line" {
	local version
	for version in 2.0.0 0.9.0 one ''; do
		config '.ociVersion = $version' --arg version "$version"
		refused "config.json:$(line '"ociVersion"'): ociVersion: "
	done
	config 'del(.ociVersion)'
	refused "ociVersion"
}

@test "missing required fields are named" {
	local field
	cp "$BUNDLE/config.json" "$WORK/whole.json"
	for field in process root process.args process.cwd root.path; do
		config "del(.$field)"
		refused "$field"
		cp "$WORK/whole.json" "$BUNDLE/config.json"
	done
}

@test "an absolute path is asked for where it must be one" {
	config '.mounts[3].destination = "data"'
	refused "config.json:$(line '"data"'): mounts[3].destination: must be absolute, got \"data\""
}

@test "a relative working directory is refused" {
	config '.process.cwd = "tmp"'
	refused "config.json:$(line '"tmp"'): process.cwd: "
}

@test "an empty command is refused" {
	config '.process.args = []'
	refused "process.args"
	config '.process.args = [""]'
	refused "process.args"
}

@test "an unknown namespace type is refused with its line" {
	config '.linux.namespaces += [{type: "nets"}]'
	refused "config.json:$(line '"nets"'): linux.namespaces[6].type: " '"nets"'
}

@test "a namespace asked for twice is refused" {
	config '.linux.namespaces += [{type: "ipc"}]'
	refused "linux.namespaces[6]" duplicate
}

@test "a namespace path of the wrong type is refused" {
	config '(.linux.namespaces[] | select(.type == "network")).path = "/proc/self/ns/uts"'
	refused "linux.namespaces[1].path"
	config '(.linux.namespaces[] | select(.type == "network")).path = "/dev/null"'
	refused "linux.namespaces[1].path"
	config '(.linux.namespaces[] | select(.type == "network")).path = "/no/such/namespace"'
	refused "linux.namespaces[1].path" "no such file or directory"
}

@test "a capability that no kernel has is refused, in every set" {
	local set
	for set in bounding effective inheritable permitted ambient; do
		config '.process.capabilities[$set] = (.process.capabilities[$set] // []) + ["CAP_FLY"]' --arg set "$set"
		refused "process.capabilities.$set[" CAP_FLY
		[[ $output == *"config.json:$(line CAP_FLY): process.capabilities.$set["* ]]
		config '.process.capabilities[$set] -= ["CAP_FLY"]' --arg set "$set"
	done
}

@test "an unknown rlimit is refused" {
	config '.process.rlimits[0].type = "RLIMIT_LUCK"'
	refused "config.json:$(line RLIMIT_LUCK): process.rlimits[0].type: " RLIMIT_LUCK
}

@test "a soft limit above the hard one is refused" {
	config '.process.rlimits[0] = {type: "RLIMIT_NOFILE", soft: 2048, hard: 1024}'
	refused "process.rlimits[0]"
}

@test "a device without a type or with an unknown one is refused" {
	config '.linux.devices = [{path: "/dev/x", type: "z", major: 1, minor: 3}]'
	refused "linux.devices[0].type"
}

@test "a rootfsPropagation that does not exist is refused" {
	config '.linux.rootfsPropagation = "loud"'
	refused "config.json:$(line '"loud"'): linux.rootfsPropagation: " loud
}

@test "a hostname without a uts namespace is refused" {
	config 'del(.linux.namespaces[] | select(.type == "uts"))'
	refused "hostname"
}

@test "mounts without a mount namespace are refused" {
	config 'del(.linux.namespaces[] | select(.type == "mount"))'
	refused "mount"
}

@test "a sysctl that would change the host is refused" {
	config '.linux.sysctl = {"kernel.panic": "7"}'
	refused "kernel.panic"
	config 'del(.linux.namespaces[] | select(.type == "network")) | .linux.sysctl = {"net.ipv4.ip_forward": "1"}'
	refused "net.ipv4.ip_forward"
}

@test "all problems are told at once, each with its own line" {
	config '.process.cwd = "relative" | .mounts[1].destination = "also/relative" | .linux.namespaces += [{type: "bogus"}] | .process.rlimits[0].type = "RLIMIT_LUCK"'
	refused \
		"config.json:$(line '"relative"'): process.cwd: " \
		"config.json:$(line RLIMIT_LUCK): process.rlimits[0].type: " \
		"config.json:$(line also/relative): mounts[1].destination: " \
		"config.json:$(line '"bogus"'): linux.namespaces[6].type: "
}

@test "all problems are one entry of the log" {
	config '.process.cwd = "relative" | .mounts[1].destination = "also/relative"'
	runtime --log "$WORK/log" --log-format json create --bundle "$BUNDLE" "$ID"
	[ "$status" -eq 1 ]
	jq -se 'length == 1 and (.[0].msg | contains("process.cwd") and contains("mounts[1].destination"))' "$WORK/log"
}

@test "a terminal without a console socket is refused by create, and a console socket without a terminal" {
	config '.process.terminal = true'
	runtime create --bundle "$BUNDLE" "$ID"
	[ "$status" -eq 1 ]
	[[ $output =~ cannot\ allocate\ tty\ if\ [a-z]+\ will\ detach\ without\ setting\ console\ socket ]]
	config '.process.terminal = false'
	runtime create --console-socket "$WORK/socket" --bundle "$BUNDLE" "$ID"
	[ "$status" -eq 1 ]
	[[ $output =~ cannot\ use\ console\ socket\ if\ [a-z]+\ will\ not\ detach\ or\ allocate\ tty ]]
	[ -z "$(leftovers "$TOKEN")$(ls -A "$ROOT")" ]
}

@test "a console socket that nobody listens on is told" {
	config '.process.terminal = true'
	runtime create --console-socket "$WORK/nobody" --bundle "$BUNDLE" "$ID"
	[ "$status" -eq 1 ]
	[[ $output == *nobody* ]]
	[ -z "$(leftovers "$TOKEN")$(ls -A "$ROOT")" ]
}

@test "a state root that cannot be made is named" {
	echo file >"$WORK/file"
	run "$RT" --root "$WORK/file/below" create --bundle "$BUNDLE" "$ID" 3>&-
	[ "$status" -eq 1 ]
	[[ $output == *"$WORK/file"*"not a directory"* ]]
	[ -z "$(leftovers "$TOKEN")" ]
}
