# shellcheck shell=bash disable=SC2154
# Adding to mounts[], and reading $output as lines of /proc/PID/mountinfo (proc_pid_mountinfo(5)). Of
# several mounts on one place the last, which hides the others, counts.

# add_mount DESTINATION TYPE SOURCE [OPTION...] appends to mounts.
add_mount() {
	local list
	list=$(jq -n '$ARGS.positional' --args -- "${@:4}")
	config '.mounts += [{destination: $destination, type: $type, source: $source, options: $list}]' \
		--arg destination "$1" --arg type "$2" --arg source "$3" --argjson list "$list"
}

# last_mount prints the config path of the mount that was added last: "mounts[7]".
last_mount() {
	jq -r '"mounts[\(.mounts | length - 1)]"' "$BUNDLE/config.json"
}

# mount_at PLACE prints the line of the mount at the place.
mount_at() {
	awk -v place="$1" '$5 == place { line = $0 } END { if (line == "") exit 1; print line }' <<<"$output"
}

# mount_flags PLACE prints the mount's own options: "rw,nosuid,relatime".
mount_flags() {
	mount_at "$1" | cut -d' ' -f6
}

# mount_root PLACE prints which directory of its filesystem is mounted.
mount_root() {
	mount_at "$1" | cut -d' ' -f4
}

# mount_peers PLACE prints the propagation fields: "shared:3 master:1", "unbindable", or nothing.
mount_peers() {
	mount_at "$1" | sed -E 's/^([^ ]+ ){6}//; s/(^| )- .*//'
}

# mount_type PLACE prints the filesystem's type.
mount_type() {
	mount_at "$1" | sed 's/.* - //' | cut -d' ' -f1
}

# mount_source PLACE prints the source that the filesystem was mounted from.
mount_source() {
	mount_at "$1" | sed 's/.* - //' | cut -d' ' -f2
}

# superblock_options PLACE prints the options of the filesystem: "rw,size=64k".
superblock_options() {
	mount_at "$1" | sed 's/.* - //' | cut -d' ' -f3
}

# has_option LIST OPTION: the comma-separated list has the option.
has_option() {
	[[ ,$1, == *,"$2",* ]] && return
	echo "no '$2' in '$1'"
	return 1
}

# lacks_option LIST OPTION: the comma-separated list does not have the option.
lacks_option() {
	[[ ,$1, != *,"$2",* ]] && return
	echo "'$2' in '$1'"
	return 1
}
