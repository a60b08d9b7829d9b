// Settings of the Go runtime for a program that lives for milliseconds. At its
// start Go would read /proc/self/mountinfo, however long the host's list of
// mounts is, to learn how many processors its cgroup may use; and would look
// again every second. rt has no use for more than there are.

//go:debug containermaxprocs=0
//go:debug updatemaxprocs=0

package main
