# What the commands ask of the kernel, counted: a change that makes rt slower shows here on any machine,
# however busy it is. The bounds are a quarter above what was counted when they were written; a change
# that needs more has to say why, and raise them. Times are measured by `make bench` and never tested.

load helpers
load inside

setup() {
	setup_bundle
	args sleep 600
	id=$(new_id)
}
teardown() { teardown_all; }

# counted CALLS BYTES FAULTS ARGUMENT... runs rt under strace and by itself, and holds what it and its
# children did against the bounds: system calls, bytes read and page faults. What Go's scheduler and collector
# call, now and then, is left out.
counted() {
	local most=("${@:1:3}") seen
	shift 3
	strace -f -qq -s 0 -e signal=none -e 'trace=!futex,nanosleep,epoll_pwait,madvise,sched_yield,tgkill,getpid,rt_sigreturn' \
		-o "$WORK/strace" "$RT" --root "$ROOT" "$@" >"$WORK/out" 2>&1
	"${undo[@]}"
	busybox time -v -o "$WORK/time" "$RT" --root "$ROOT" "$@" >"$WORK/out" 2>&1
	seen=(
		"$(grep -vc ' resumed>' "$WORK/strace")"
		"$(awk '/ (read|pread64)\(|<\.\.\. (read|pread64) resumed>/ && $NF > 0 { bytes += $NF } END { print bytes + 0 }' "$WORK/strace")"
		"$(sed -n 's/.*Minor.*: //p' "$WORK/time")"
	)
	echo "$1: ${seen[*]} calls, bytes, faults (at most ${most[*]})"
	local i
	for i in "${!seen[@]}"; do
		((seen[i] <= most[i])) || return 1
	done
}

undo=(true)

@test "run" {
	args true
	counted 1350 7000 750 run -b "$BUNDLE" "$id"
}

@test "run with 100 bind mounts" {
	args true
	config '.mounts += [range(100) | {destination: "/many/\(.)", type: "none", source: "/etc/hostname", options: ["bind", "ro"]}]'
	counted 4600 27000 1050 run -b "$BUNDLE" "$id"
}

@test "start" {
	undo=(recreate)
	rt create -b "$BUNDLE" "$id"
	counted 285 4500 460 start "$id"
}

recreate() {
	rt delete --force "$id"
	rt create -b "$BUNDLE" "$id"
}

@test "exec" {
	rt run -d -b "$BUNDLE" "$id"
	counted 670 13000 620 exec "$id" true
}

@test "state" {
	rt run -d -b "$BUNDLE" "$id"
	counted 260 4500 460 state "$id"
}

@test "kill" {
	rt run -d -b "$BUNDLE" "$id"
	counted 275 4800 460 kill "$id" 0
}

@test "list of ten containers" {
	local n
	for n in {1..10}; do
		config '.linux.cgroupsPath += "x"'
		rt create -b "$BUNDLE" "$id-$n"
	done
	counted 430 27500 530 list
}

@test "delete" {
	undo=(rt create -b "$BUNDLE" "$id")
	rt create -b "$BUNDLE" "$id"
	counted 305 5000 460 delete --force "$id"
}
