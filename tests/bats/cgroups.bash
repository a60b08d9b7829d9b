# shellcheck shell=bash disable=SC2154
# Looking at a container's cgroup from outside, whichever way the host's hierarchies are laid out.

# unified succeeds where cgroup v2 has the controllers.
unified() {
	[[ $(stat -f -c %T /sys/fs/cgroup) == cgroup2fs ]]
}

# controller NAME succeeds if the hierarchies have the controller: by the name of cgroup v1, or by
# that of v2 where only v2 has it.
controller() {
	local name=$1
	if unified; then
		grep -qw "${name/#blkio/io}" /sys/fs/cgroup/cgroup.controllers
	else
		[[ -d /sys/fs/cgroup/$name ]]
	fi
}

# needs_controller NAME... skips the test when the hierarchies lack one of the controllers.
needs_controller() {
	local name
	for name; do
		controller "$name" || skip "no $name controller here"
	done
}

# cgroup_directory ID CONTROLLER prints the directory of a running container's cgroup: in the v1
# hierarchy of the controller, or in the unified one ("" for the unified one of a hybrid host).
cgroup_directory() {
	local pid line
	pid=$(container_pid "$1") || return
	if unified || [[ -z $2 ]]; then
		line=$(grep '^0::' "/proc/$pid/cgroup")
		line=${line#0::}
		unified && echo "/sys/fs/cgroup$line" || echo "/sys/fs/cgroup/unified$line"
	else
		line=$(grep -E "^[0-9]+:([^:]*,)?$2(,[^:]*)?:" "/proc/$pid/cgroup")
		echo "/sys/fs/cgroup/$2/${line#*:*:/}"
	fi
}

# limit ID V1FILE V2FILE prints what a file of the container's cgroup says. The part of the name before
# the first dot is the controller.
limit() {
	local file=$2
	unified && file=$3
	cat "$(cgroup_directory "$1" "${2%%.*}")/$file"
}

# run_detached PROGRAM [ARGUMENT...] runs it in a new container, detached, and sets $ID. Its output
# goes to $WORK/out.
run_detached() {
	args "$@"
	ID=$(new_id)
	rt run --detach --bundle "$BUNDLE" "$ID" >"$WORK/out" 2>&1
}

# resources OBJECT merges the object into linux.resources of the current bundle.
resources() {
	config ".linux.resources += $1"
}
