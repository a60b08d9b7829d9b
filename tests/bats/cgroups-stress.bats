#!/usr/bin/env bats
# Many containers, one after the other and at once, leave nothing in any hierarchy.

setup() {
	load helpers
	load inside
	load cgroups
	setup_bundle
	config 'del(.linux.cgroupsPath)'
	args true
}

teardown() {
	teardown_all
}

# fewer N prints the number of containers that stands for N on a machine that is slower than others.
fewer() {
	echo "$(($1 / ${RT_SLOWNESS:-1}))"
}

# cgroups counts the cgroups of all hierarchies.
cgroups() {
	find /sys/fs/cgroup -type d | wc -l
}

# Other tests may be running; but a cgroup for each container would show.
no_more_cgroups_than() {
	(($(cgroups) - $1 < 20))
}

# bats test_tags=vm,systemd
@test "two hundred containers, one after the other, leave nothing" {
	local before id n
	before=$(cgroups)
	for ((n = 0; n < $(fewer 200); n += 2)); do
		id=$TOKEN-$n
		"$RT" --root "$ROOT" run --bundle "$BUNDLE" "$id"
		"$RT" --root "$ROOT" create --bundle "$BUNDLE" "$id" >"$WORK/out" 2>&1
		"$RT" --root "$ROOT" start "$id"
		"$RT" --root "$ROOT" delete --force "$id"
	done
	nothing_made
	no_more_cgroups_than "$before"
}

@test "twenty containers at once leave nothing" {
	local before jobs=() job
	before=$(cgroups)
	for _ in {1..20}; do
		rt run --bundle "$BUNDLE" "$(new_id)" &
		jobs+=($!) # bats has a job of its own, which ends when the test has taken too long
	done
	for job in "${jobs[@]}"; do
		wait "$job"
	done
	nothing_made
	no_more_cgroups_than "$before"
}
