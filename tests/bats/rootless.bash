# shellcheck shell=bash disable=SC2154
# Being an ordinary user. The host has none that could be counted on, and none is made: a command runs
# in a mount namespace of its own, in which copies of /etc/passwd and the like, with one user more, hide
# the host's.

# The user's id on the host, and the ranges of subordinate ids that he has.
readonly ORDINARY=100000 SUBORDINATE=100001 SUBORDINATES=65535

# ordinary_user DIR [FIRST COUNT] makes DIR/as-user, which executes its arguments as the ordinary user.
# FIRST and COUNT are of other subordinate ids.
ordinary_user() {
	local directory=$1 ids=${2:-$SUBORDINATE}:${3:-$SUBORDINATES} file
	mkdir -p "$directory"
	for file in passwd group subuid subgid; do
		cat "/etc/$file" >"$directory/$file" 2>/dev/null || true
	done
	echo "rt-ordinary:x:$ORDINARY:$ORDINARY::/nonexistent:/bin/sh" >>"$directory/passwd"
	echo "rt-ordinary:x:$ORDINARY:" >>"$directory/group"
	echo "rt-ordinary:$ids" | tee -a "$directory/subuid" >>"$directory/subgid"
	cat >"$directory/as-user" <<-SCRIPT
		#!/bin/sh
		# \$AS_USER_FIRST is a script that root runs in the mount namespace before.
		exec unshare --mount --propagation private sh -c '
			for file in passwd group subuid subgid; do
				mount --bind "$directory/\$file" "/etc/\$file" || exit 125
			done
			eval "\$AS_USER_FIRST"
			exec setpriv --reuid $ORDINARY --regid $ORDINARY --clear-groups -- "\$@"' as-user "\$@"
	SCRIPT
	chmod 755 "$directory/as-user"
}

# needs_subordinates skips the test where an ordinary user can map no more than his own id.
needs_subordinates() {
	needs newuidmap newgidmap
	[[ -e /etc/subuid && -e /etc/subgid ]] || skip 'the host has no /etc/subuid and /etc/subgid'
}
