# shellcheck shell=bash
# README's own lines, carried out where an engine of the test's own runs.

# example SECTION FIRST LAST prints what README has there, from the first line of an example that matches
# FIRST to the next one that matches LAST, which may be the same.
example() {
	awk -v section="## $1" -v first="$2" -v last="$3" '
		/^## / { inside = $0 == section }
		inside && sub(/^    /, "") {
			printing = printing || !done && $0 ~ first
			if (printing) print
			if (printing && $0 ~ last) { printing = 0; done = 1 }
		}
		END { exit !done }' "$REPO/README.md" && return
	echo "README, $1: no example from $2 to $3"
	return 1
}

# prepare_readme [SCRIPT] puts into /usr/local/bin of the engine rt, which lists in $WORK/calls what it is
# called for, sudo, and a systemctl that does what the script says.
prepare_readme() {
	[[ $RUNTIME == rt ]] || skip "README is about rt"
	local bin=$ENGINE/bin
	mkdir -p "$bin"
	printf '%s\n' '#!/bin/sh' "echo \"\$*\" >>'$WORK/calls'" "exec '$(realpath "$RT")' \"\$@\"" >"$bin/rt"
	printf '%s\n' '#!/bin/sh' 'exec env "$@"' >"$bin/sudo"
	printf '%s\n' '#!/bin/bash' "${1:-exit 1}" >"$bin/systemctl"
	chmod +x "$bin"/*
	in_place_of /usr/local/bin "$bin"
}

# in_place_of DIRECTORY OTHER has the engine, and what is run there, see the other one.
in_place_of() {
	(close_descriptors && in_engine_host mount --bind "$2" "$1")
}

# try_example ARGUMENT... carries an example out like somebody at a shell, in the directory of the test.
# It sets $status and $output.
try_example() {
	local lines
	lines=$(example "$@") || { echo "$lines" && return 1; }
	answer try_lines "$lines"
}

try_lines() {
	(close_descriptors && cd "$WORK" && in_engine_host env --chdir "$WORK" "PATH=/usr/local/bin:$PATH" bash -euc "$1")
}

# was_called COMMAND succeeds if rt was called for that.
was_called() {
	grep -qw -- "$1" "$WORK/calls"
}
