# rt --trace: when every step began and ended, on both sides.

load helpers
load inside

setup() {
	setup_bundle
	trace=$WORK/trace.json
}
teardown() { teardown_all; }

# spans FILTER prints what jq's filter makes of every span.
spans() { jq -r ".traceEvents[] | select(.ph == \"X\") | $1" "$trace"; }

@test "a trace of run has the steps of both sides, within the time of the command, in order" {
	args true
	rt --trace "$trace" run -b "$BUNDLE" "$(new_id)"
	assert_equal "$(jq -r '[.traceEvents[] | select(.ph == "M").args.name] | join(" ")' "$trace")" 'rt init stage'
	# All that the plan says happened, but for what was jumped over, and in its order.
	rt plan --format json "$BUNDLE" | jq -r '.steps[] | select(.side == "container").title' >"$WORK/planned"
	jq -r '(.traceEvents[] | select(.args.name == "init stage").pid) as $init |
		[.traceEvents[] | select(.ph == "X" and .pid == $init)] | sort_by(.ts) | .[].name' "$trace" |
		sed '/^share a page of times/d' >"$WORK/happened"
	(($(wc -l <"$WORK/happened") > 30))
	assert_equal "$(diff "$WORK/planned" "$WORK/happened" | grep '^>')" ''
	for step in 'save the container'"'"'s state' 'wait for the program' 'delete the container' 'compile the plan'; do
		spans .name | grep -qxF "$step"
	done
	assert_equal "$(spans 'select(.name == "mount proc on /proc").args.config')" 'mounts[0]'
	jq -e '[.traceEvents[] | select(.ph == "X")] | (.[] | select(.name == "rt run")) as $all |
		all(.ts >= $all.ts and .dur >= 0 and .ts + .dur <= $all.ts + $all.dur + 1)' "$trace"
}

@test "a trace tells where the time went: a program that sleeps is waited for, a slow hook is the hook's step" {
	printf '#!/bin/sh\nsleep 0.3\n' >"$WORK/hook"
	chmod 755 "$WORK/hook"
	config '.hooks.createRuntime = [{path: $path}]' --arg path "$WORK/hook"
	args sleep 0.4
	rt --trace "$trace" run -b "$BUNDLE" "$(new_id)"
	jq -e '[.traceEvents[] | select(.name == "wait for the program").dur] | .[0] > 3e5' "$trace"
	jq -e '[.traceEvents[] | select(.args.config? == "hooks.createRuntime[0]").dur] | .[0] > 3e5' "$trace"
}

@test "create, start, exec and delete are traced too" {
	args sleep 600
	id=$(new_id)
	rt --trace "$trace" create -b "$BUNDLE" "$id"
	spans .name | grep -qx 'mount proc on /proc'
	rt --trace "$trace" start "$id"
	assert_equal "$(spans .name)" 'rt start'
	rt --trace "$trace" exec "$id" true
	spans .name | grep -qx "join the container's namespaces"
	spans .name | grep -qx 'execute true'
	rt --trace "$trace" delete --force "$id"
	assert_equal "$(spans .name)" 'rt delete'
}

@test "a run that fails is traced up to its failure" {
	add_failing_mount
	run rt --trace "$trace" run -b "$BUNDLE" "$(new_id)"
	assert_failure
	spans .name | grep -qx 'mount proc on /proc'
	assert_equal "$(spans 'select(.name == "make the default devices").name')" ''
	nothing_made
}

add_failing_mount() {
	config '.mounts += [{destination: "/fails", type: "tmpfs", source: "tmpfs", options: ["size=nonsense"]}]'
}

@test "a program whose profile forbids reading the clock runs under a trace" {
	config '.linux.seccomp = {defaultAction: "SCMP_ACT_ALLOW", syscalls: [{names: ["clock_gettime", "mmap2"], action: "SCMP_ACT_KILL_PROCESS"}]}'
	args true
	rt --trace "$trace" run -b "$BUNDLE" "$(new_id)"
	spans .name | grep -q 'filter system calls'
}

@test "nothing of a trace reaches the program, and without one nothing is there" {
	inside 'ls -l /proc/self/fd; cat /proc/self/maps'
	refute_contains rt-times
	run rt --trace "$trace" run -b "$BUNDLE" "$(new_id)"
	refute_contains rt-times
	run rt plan --format json "$BUNDLE"
	refute_contains clock_gettime
}

@test "a trace that cannot be written fails the command" {
	args echo executed
	run rt --trace "$WORK/no/such/file" run -b "$BUNDLE" "$(new_id)"
	assert_failure
	assert_contains 'option --trace: open '
	refute_contains executed
}
