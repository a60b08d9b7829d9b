# shellcheck shell=bash disable=SC2154
# A systemd to leave cgroups to: the host's own, or where none runs one that peer plays, on a bus of
# the test's own.

# real_systemd succeeds where the host's systemd takes part.
real_systemd() {
	[[ -d /run/systemd/system ]]
}

# start_systemd has `rt --systemd-cgroup` find a systemd, and sets $UNIT, the name of the scope that
# belongs to the bundle's cgroupsPath.
start_systemd() {
	UNIT=$TOKEN-$(unique)
	config '.linux.cgroupsPath = "-.slice::" + $unit' --arg unit "$UNIT"
	UNIT+=.scope
	real_systemd && return
	needs dbus-daemon
	CALLS=$WORK/calls
	start_bus "$WORK/bus" || return
	export DBUS_SYSTEM_BUS_ADDRESS=unix:path=$WORK/bus
	start_background "$PEER" systemd "$DBUS_SYSTEM_BUS_ADDRESS" "$CALLS"
	wait_until 10 grep -q ready "$WORK/systemd.log"
}

# start_bus SOCKET has a message bus run until stop_systemd.
start_bus() {
	cat >"$WORK/bus.conf" <<-EOF
		<busconfig>
			<type>system</type>
			<listen>unix:path=$1</listen>
			<auth>EXTERNAL</auth>
			<policy context="default">
				<allow user="*"/><allow own="*"/>
				<allow send_destination="*" eavesdrop="false"/><allow receive_sender="*"/>
			</policy>
		</busconfig>
	EOF
	start_background dbus-daemon --config-file="$WORK/bus.conf" --nofork --nopidfile --nosyslog
	wait_until 10 test -S "$1"
}

# start_background COMMAND... runs until stop_systemd.
start_background() {
	(
		close_descriptors
		exec "$@" </dev/null >>"$WORK/systemd.log" 2>&1
	) &
	BACKGROUND+=($!)
}

stop_systemd() {
	local pid
	for pid in "${BACKGROUND[@]}"; do
		kill "$pid" || true
		wait "$pid" || true
	done 2>/dev/null
	BACKGROUND=()
}

# mood [WORD] has the systemd that is played misbehave from now on, or no more.
mood() {
	echo "${1:-}" >"$CALLS.mood"
}

# property NAME prints what systemd says about the test's unit.
property() {
	if real_systemd; then
		systemctl show --value -p "$1" "$UNIT"
	else
		jq -rs --arg unit "$UNIT" --arg name "$1" 'map(select(.unit == $unit) | .properties[$name] // empty) | last // empty' "$CALLS"
	fi
}

# unit_known succeeds while systemd knows the test's unit, active or failed.
unit_known() {
	if real_systemd; then
		[[ $(systemctl show --value -p LoadState "$UNIT") == loaded ]]
	else
		grep -qsxF "$UNIT" "$CALLS.units"
	fi
}

# nothing_left_of_unit wants that neither systemd nor the kernel knows it any more.
nothing_left_of_unit() {
	if unit_known; then
		echo "systemd still knows $UNIT"
		return 1
	fi
	nothing_made_but_systemd
}

# nothing_made_but_systemd is nothing_made, with the processes of this file still running.
nothing_made_but_systemd() {
	local rest
	rest=$(ls -A "$ROOT")$(marked_cgroups "$TOKEN")
	[[ -z $rest ]] && return
	echo "left behind: $rest"
	return 1
}
