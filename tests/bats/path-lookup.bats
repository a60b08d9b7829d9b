#!/usr/bin/env bats
# Finding args[0]: in the container's PATH and root, as the container's user, and already at create.

setup() {
	load helpers
	load inside
	load mounts
	setup_bundle
	config '.process.env = ["PATH=/opt/first:/opt/second:/bin", "HOME=/"]'
	mkdir -p "$BUNDLE"/rootfs/opt/{first,second}
}

teardown() {
	teardown_all
}

# program PATH MODE TEXT makes a program that prints the text.
program() {
	printf '#!/bin/sh\necho %s\n' "$3" >"$BUNDLE/rootfs$1"
	chmod "$2" "$BUNDLE/rootfs$1"
}

# not_found TEXT... wants create to fail with each text, and nothing to be left.
not_found() {
	runtime create -b "$BUNDLE" "$(new_id)"
	assert_failure 1
	assert_all_contained "$@"
	nothing_made
}

@test "directories of PATH are searched in order" {
	program /opt/first/tool 755 first
	program /opt/second/tool 755 second
	args tool
	run_container
	assert_success
	assert_output first
}

@test "a directory, or a file that is not executable, is passed over in PATH" {
	mkdir "$BUNDLE/rootfs/opt/first/tool"
	program /opt/second/tool 644 second
	program /bin/tool 755 third
	args tool
	run_container
	assert_success
	assert_output third
}

@test "a name in no directory of PATH" {
	args tool
	not_found tool 'executable file not found in $PATH'
}

@test "without PATH no name is found" {
	config '.process.env = ["HOME=/"]'
	args sh
	not_found sh 'executable file not found in $PATH'
}

@test "with an empty PATH no name is found" {
	config '.process.env = ["HOME=/", "PATH="]'
	args sh
	not_found sh 'executable file not found in $PATH'
}

@test "of several PATH entries the last counts" {
	program /opt/second/tool 755 second
	config '.process.env = ["PATH=/opt/first", "HOME=/", "PATH=/opt/second:/bin"]'
	args tool
	run_container
	assert_success
	assert_output second
}

@test "an absolute path is not looked up" {
	args /bin/echo found
	run_container
	assert_success
	assert_output found
}

@test "a path with a slash is relative to the working directory" {
	program /opt/second/tool 755 second
	config '.process.cwd = "/opt"'
	args second/tool
	run_container
	assert_success
	assert_output second
	args ./second/tool
	run_container
	assert_success
	assert_output second
}

@test "a missing path" {
	args /opt/missing
	not_found /opt/missing 'no such file or directory'
}

@test "a path below a file" {
	args /etc/passwd/tool
	not_found /etc/passwd/tool 'not a directory'
}

@test "a file that is not executable" {
	program /opt/first/tool 644 first
	args /opt/first/tool
	not_found /opt/first/tool 'permission denied'
}

@test "a directory" {
	args /opt/first
	not_found /opt/first 'permission denied, it is a directory'
}

@test "a program on a noexec mount" {
	mkdir "$WORK/tools"
	cp "$BUNDLE/rootfs/bin/busybox" "$WORK/tools/true"
	add_mount /tools none "$WORK/tools" bind noexec
	args /tools/true
	not_found /tools/true 'permission denied'
}

@test "a program that the user may not execute" {
	program /opt/first/tool 700 first
	config '.process.user = {uid: 1000, gid: 1000}'
	args /opt/first/tool
	not_found /opt/first/tool 'permission denied'
}

@test "a program that the user may execute only by CAP_DAC_OVERRIDE" {
	cp "$BUNDLE/rootfs/bin/busybox" "$BUNDLE/rootfs/opt/first/true"
	chmod 744 "$BUNDLE/rootfs/opt/first/true"
	config '.process.user = {uid: 1000, gid: 1000} | .process.capabilities |= (map_values(. + ["CAP_DAC_OVERRIDE"]) | .inheritable = .bounding | .ambient = .bounding)'
	args true
	run_container
	assert_success
}

@test "a program in a directory of a group of the user" {
	skip_in rootless 'without setgroups there are no further groups'
	program /opt/first/tool 755 first
	chmod 750 "$BUNDLE/rootfs/opt/first"
	chgrp 77 "$BUNDLE/rootfs/opt/first"
	config '.process.user = {uid: 1000, gid: 1000, additionalGids: [77]}'
	args tool
	run_container
	assert_success
	assert_output first
}

@test "a symlink is followed inside the root" {
	mkdir -p "$BUNDLE/rootfs$WORK"
	program "$WORK/tool" 755 inside
	printf '#!/bin/sh\necho outside\n' >"$WORK/tool"
	chmod 755 "$WORK/tool"
	ln -s "$WORK/tool" "$BUNDLE/rootfs/opt/first/tool"
	args tool
	run_container
	assert_success
	assert_output inside
}

@test "a program that appears in a mount" {
	mkdir "$WORK/tools"
	printf '#!/bin/sh\necho mounted\n' >"$WORK/tools/tool"
	chmod 755 "$WORK/tools/tool"
	add_mount /opt/first none "$WORK/tools" bind
	args tool
	run_container
	assert_success
	assert_output mounted
}

# What can only be known when the kernel executes the file is found by start: see exit.bats for the
# line that the container process itself prints.
@test "a script whose interpreter is missing passes create" {
	printf '#!/no/such/interpreter\n' >"$BUNDLE/rootfs/opt/first/tool"
	chmod 755 "$BUNDLE/rootfs/opt/first/tool"
	args tool
	runtime create -b "$BUNDLE" "$(new_id)"
	assert_success
}

@test "no arguments at all, or an empty first one" {
	config '.process.args = []'
	refused process.args
	config 'del(.process.args)'
	refused process.args
	config '.process.args = [""]'
	runtime create -b "$BUNDLE" "$(new_id)"
	assert_failure 1
	nothing_made
}
