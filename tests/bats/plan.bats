# `rt plan`: what will be done, in order, without doing it.

load helpers

setup() { setup_bundle; }
teardown() { teardown_all; }

plan() { "$RT" plan "$@" 2>&1; }

# steps prints side, title and field of every step, from the JSON form.
steps() { plan --format json "$BUNDLE" | jq -r '.steps[] | [.side, .title, .field // ""] | @tsv'; }

@test "plan prints the steps of the bundle it is given, or of the current directory" {
	run plan "$BUNDLE"
	[ "$status" -eq 0 ]
	[ "${#lines[@]}" -gt 30 ]
	local whole=$output
	[ "$(plan --bundle "$BUNDLE")" == "$whole" ]
	[ "$(plan -b "$BUNDLE")" == "$whole" ]
	cd "$BUNDLE"
	[ "$(plan)" == "$whole" ]
	cd "$WORK"
	[ "$(plan bundle/)" == "$whole" ]
}

@test "steps are numbered from 1 without gaps, and each names its side" {
	plan "$BUNDLE" >"$WORK/plan"
	grep -oE '^ *[0-9]+  (host|container)  ' "$WORK/plan" | awk '{print $1}' >"$WORK/numbers"
	seq "$(wc -l <"$WORK/numbers")" | cmp - "$WORK/numbers"
	[ "$(plan --format json "$BUNDLE" | jq '[.steps[] | select(.index)] | length')" -eq "$(wc -l <"$WORK/numbers")" ]
	steps | cut -f1 | sort -u | tr '\n' ' ' | grep -qx 'container host '
}

@test "every mount of the config has its step, in the order of the config" {
	[ "$(steps | cut -f3 | grep -E '^mounts\[[0-9]+\]$' | uniq)" == "$(seq -f 'mounts[%.0f]' 0 6)" ]
	config '.mounts += [{destination: "/extra", type: "tmpfs", source: "tmpfs"}]'
	[ "$(steps | cut -f3 | grep -E '^mounts\[[0-9]+\]$' | uniq | tail -n1)" == 'mounts[7]' ]
	steps | grep -q /extra
}

@test "the fields of the config are named by the steps that they cause" {
	config '.linux.sysctl = {"net.ipv4.ip_forward": "1"} | .process.oomScoreAdj = 5 | .process.cwd = "/tmp" |
		.linux.devices = [{path: "/dev/extra", type: "c", major: 1, minor: 3}] | .domainname = "example.org"'
	steps | cut -f3 | sort -u >"$WORK/fields"
	local field
	for field in root hostname domainname linux.namespaces linux.maskedPaths linux.readonlyPaths linux.sysctl linux.devices \
		process.rlimits process.oomScoreAdj process.capabilities process.cwd process.args linux.cgroupsPath; do
		grep -F -- "$field" "$WORK/fields" || { echo "no step for $field" && return 1; }
	done
}

@test "what the config does not ask for is not in the plan" {
	steps | grep -q loopback
	config 'del(.linux.namespaces[] | select(.type == "network"))'
	! steps | grep -q loopback || false
	config 'del(.hostname)'
	! steps | cut -f3 | grep -qx hostname || false
}

@test "the last call of the plan executes the program" {
	args echo "the last word"
	plan "$BUNDLE" | grep -E '^ +[0-9]+  exec' | tail -n1 | grep -qF 'the last word' ||
		plan "$BUNDLE" | grep -F execve
	plan "$BUNDLE" | grep -qF '"the last word"'
}

@test "the same bundle gives the same plan, byte for byte" {
	local form
	for form in text json; do
		plan --format "$form" "$BUNDLE" >"$WORK/first"
		plan --format "$form" "$BUNDLE" >"$WORK/second"
		cmp "$WORK/first" "$WORK/second"
	done
}

@test "the JSON form has the steps of the text form" {
	plan "$BUNDLE" >"$WORK/text"
	plan --format json "$BUNDLE" | jq -r '.steps[] | select(.index) | .title' | while read -r title; do
		grep -qF -- "$title" "$WORK/text" || { echo "not in the text: $title" && exit 1; }
	done
}

@test "an unknown format is refused" {
	run plan --format xml "$BUNDLE"
	[ "$status" -eq 1 ]
	[[ $output == *xml* ]]
}

@test "plan does nothing: no directory, cgroup, mount or process, no change of the bundle" {
	local before
	find "$WORK" -printf '%p %s %m %T@\n' | sort >"$BATS_TEST_TMPDIR/before"
	before=$(leftovers "$TOKEN")
	rt plan "$BUNDLE" >"$BATS_TEST_TMPDIR/plan"
	find "$WORK" -printf '%p %s %m %T@\n' | sort >"$BATS_TEST_TMPDIR/after"
	diff "$BATS_TEST_TMPDIR/before" "$BATS_TEST_TMPDIR/after"
	[ "$(leftovers "$TOKEN")" == "$before" ]
	[ -z "$(ls -A "$ROOT")" ]
}

@test "plan needs no root, no root filesystem and nothing of the host" {
	local public=/tmp/$TOKEN-public
	mkdir -m 755 "$public"
	cp "$BUNDLE/config.json" "$public" && chmod 644 "$public/config.json"
	cp "$RT" "$public/rt"
	run setpriv --reuid 65534 --regid 65534 --clear-groups --bounding-set -all "$public/rt" plan "$public"
	rm -r "$public"
	[ "$status" -eq 0 ]
	[[ $output == *'mounts[0]'* ]]
}

@test "a config with problems is refused with all of them, and there is no plan" {
	config '.process.cwd = "relative" | .mounts[1].destination = "also/relative"'
	run --separate-stderr "$RT" plan "$BUNDLE"
	[ "$status" -eq 1 ]
	[ -z "$output" ]
	[[ $stderr == *"process.cwd: "* ]]
	[[ $stderr == *"mounts[1].destination: "* ]]
}

@test "a bundle that does not exist is named" {
	run plan "$WORK/nowhere"
	[ "$status" -eq 1 ]
	[[ $output == *nowhere* ]]
}

@test "an error of run names the step and the field as plan prints them" {
	config '.mounts += [{destination: "/extra", type: "tmpfs", source: "tmpfs", options: ["size=nonsense"]}]'
	local title
	title=$(steps | awk -F '\t' '$3 == "mounts[7]" {print $2; exit}')
	[ -n "$title" ]
	runtime run --bundle "$BUNDLE" "$(new_id)"
	[ "$status" -eq 1 ]
	[[ $output == *"mounts[7]"*"$title"*nonsense* ]]
}
