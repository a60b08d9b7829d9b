#!/usr/bin/env bats
# linux.sysctl: kernel parameters of the container's own namespaces, and of no others.

setup() {
	load helpers
	load inside
	load mounts
	setup_bundle
}

teardown() {
	teardown_all
}

# sysctl KEY VALUE sets one parameter.
sysctl() {
	config '.linux.sysctl[$key] = $value' --arg key "$1" --arg value "$2"
}

# without TYPE takes a namespace out of the config.
without() {
	config 'del(.linux.namespaces[] | select(.type == $type))' --arg type "$1"
}

@test "parameters of the network and ipc namespaces are set inside and not outside" {
	sysctl net.ipv4.ip_default_ttl 77
	sysctl kernel.shmmni 1234
	sysctl fs.mqueue.msg_max 7
	inside 'cd /proc/sys; cat net/ipv4/ip_default_ttl kernel/shmmni fs/mqueue/msg_max'
	assert_success
	assert_output $'77\n1234\n7'
	[[ $(cat /proc/sys/net/ipv4/ip_default_ttl) != 77 ]]
	[[ $(cat /proc/sys/kernel/shmmni) != 1234 ]]
	[[ $(cat /proc/sys/fs/mqueue/msg_max) != 7 ]]
}

@test "every parameter of the ipc namespace" {
	local name
	for name in msgmax msgmnb msgmni shmall shmmax shmmni; do
		sysctl "kernel.$name" 4321
	done
	sysctl kernel.sem "111	222	33	44"
	sysctl kernel.shm_rmid_forced 1
	inside 'cd /proc/sys/kernel; cat msgmax msgmnb msgmni shmall shmmax shmmni sem shm_rmid_forced'
	assert_success
	assert_output $'4321\n4321\n4321\n4321\n4321\n4321\n111\t222\t33\t44\n1'
}

@test "a slash separates as well as a dot, and then dots are literal" {
	sysctl net/ipv4/ip_default_ttl 76
	sysctl net/ipv4/conf/lo/log_martians 1
	inside 'cd /proc/sys/net/ipv4; cat ip_default_ttl conf/lo/log_martians'
	assert_success
	assert_output $'76\n1'
	setup_bundle other
	sysctl net/ipv4/conf/no.such/log_martians 1
	fails net/ipv4/conf/no.such/log_martians 'no such file or directory'
}

@test "a parameter is set before /proc/sys becomes read-only" {
	sysctl net.ipv4.ip_default_ttl 77
	config '.process.capabilities |= map_values(. + ["CAP_NET_ADMIN"])'
	inside 'cat /proc/sys/net/ipv4/ip_default_ttl; echo 78 >/proc/sys/net/ipv4/ip_default_ttl'
	assert_failure
	assert_line 77
	assert_contains 'Read-only file system'
}

@test "a container without /proc has its parameters, too" {
	sysctl net.ipv4.ip_default_ttl 77
	config '.mounts |= map(select(.destination != "/proc"))'
	args sleep 600
	id=$(new_id)
	runtime run -d -b "$BUNDLE" "$id"
	assert_success
	assert_equal "$(nsenter --net --target "$(container_pid "$id")" cat /proc/sys/net/ipv4/ip_default_ttl)" 77
}

@test "a joined network namespace has its parameters set" {
	skip_in userns 'the network namespace belongs to the host, and so do its parameters'
	unshare --net sleep 600 3>&- &
	HOLDER=$!
	wait_until 5 holds_network
	config '(.linux.namespaces[] | select(.type == "network").path) = $path' --arg path "/proc/$HOLDER/ns/net"
	sysctl net.ipv4.ip_default_ttl 77
	inside true
	held=$(nsenter --net --target "$HOLDER" cat /proc/sys/net/ipv4/ip_default_ttl)
	kill -KILL "$HOLDER"
	assert_success
	assert_equal "$held" 77
}

holds_network() {
	[[ $(readlink "/proc/$HOLDER/ns/net") != "$(readlink /proc/self/ns/net)" ]]
}

@test "a missing parameter is an error that names it" {
	sysctl net.ipv4.no_such_thing 1
	fails net.ipv4.no_such_thing 'no such file or directory'
}

@test "a value that the kernel does not take is an error that names the parameter" {
	sysctl net.ipv4.ip_default_ttl many
	fails net.ipv4.ip_default_ttl 'invalid argument'
}

@test "net parameters are refused with the host's network" {
	without network
	sysctl net.ipv4.ip_default_ttl 77
	refused linux.sysctl net.ipv4.ip_default_ttl network
}

@test "net parameters are refused when the path leads to the caller's network" {
	skip_in rootless 'the namespaces of root, who runs the tests, are not for the user to see'
	config '(.linux.namespaces[] | select(.type == "network").path) = $path' --arg path "/proc/$$/ns/net"
	sysctl net.ipv4.ip_default_ttl 77
	refused linux.sysctl net.ipv4.ip_default_ttl network
}

@test "ipc parameters are refused without an ipc namespace" {
	without ipc
	config '.mounts |= map(select(.type != "mqueue"))'
	sysctl kernel.shmmax 4321
	sysctl fs.mqueue.msg_max 7
	refused kernel.shmmax fs.mqueue.msg_max ipc
}

@test "parameters that belong to no namespace of the container are refused" {
	skip_in userns 'those of user.* do belong to one of the container'
	local key
	for key in vm.swappiness kernel.core_pattern kernel.panic fs.file-max dev.cdrom.info kernel.pid_max user.max_user_namespaces nonsense; do
		config '.linux.sysctl = {}'
		sysctl "$key" 1
		refused linux.sysctl "$key"
	done
}

@test "a key cannot lead out of its directory" {
	local key
	for key in net/../kernel/core_pattern net.../kernel/core_pattern fs/mqueue/../../vm/swappiness /net/ipv4/ip_forward net//ipv4; do
		config '.linux.sysctl = {}'
		sysctl "$key" 1
		runtime create -b "$BUNDLE" "$(new_id)"
		assert_failure 1
		assert_contains linux.sysctl
		nothing_made
	done
}

@test "kernel.hostname is refused: that is what hostname is for" {
	sysctl kernel.hostname other
	refused kernel.hostname
	without uts
	config 'del(.hostname)'
	refused kernel.hostname
}

@test "kernel.domainname is set in a uts namespace and refused without one" {
	skip_in userns 'the kernel lets only root of the host write it; the field domainname works'
	sysctl kernel.domainname example.org
	inside 'cat /proc/sys/kernel/domainname'
	assert_success
	assert_output example.org
	without uts
	config 'del(.hostname)'
	refused kernel.domainname uts
}
