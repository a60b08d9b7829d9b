package plan

import (
	"golang.org/x/sys/unix"

	"rt/spec"
)

// maxCPUs is more than any machine has; the kernel ignores what it has not.
const maxCPUs = 65536

// initialAffinity is where one more process is until it is in the container's
// cgroup (process.execCPUAffinity.initial). On cgroup v2 it is born there, and
// may not have these CPUs.
func (c *compiler) initialAffinity() {
	const field = "process.execCPUAffinity.initial"
	if affinity := c.Config.Process.ExecCPUAffinity; affinity != nil && affinity.Initial != "" {
		c.step(field, "run on the CPUs "+affinity.Initial)
		c.setAffinity(cpuMask(affinity.Initial)).ignore(unix.EINVAL)
	}
}

// finalAffinity is where its program runs. Without a setting that is wherever
// the cgroup lets it: a caller that is bound to some CPUs does not bind the
// container.
func (c *compiler) finalAffinity() {
	const field = "process.execCPUAffinity.final"
	if affinity := c.Config.Process.ExecCPUAffinity; affinity != nil && affinity.Final != "" {
		c.step(field, "run on the CPUs "+affinity.Final)
		c.setAffinity(cpuMask(affinity.Final)).means("the machine or the container's cpuset has none of these CPUs")
		return
	}
	c.step("", "run on all CPUs that the cgroup has")
	c.setAffinity(cpuMask("0-8191"))
}

func (c *compiler) setAffinity(mask []byte) *callBuilder {
	return c.call(unix.SYS_SCHED_SETAFFINITY, imm(0), imm(len(mask)), c.constant(mask))
}

// cpuMask is a list of CPUs, which was found valid, as the kernel takes it: one
// bit each, in words of 64.
func cpuMask(list string) []byte {
	ranges, _ := spec.ParseList(list, maxCPUs)
	highest := 0
	for _, r := range ranges {
		highest = max(highest, r.Last)
	}
	mask := make([]byte, (highest/64+1)*8)
	for _, r := range ranges {
		for cpu := r.First; cpu <= r.Last; cpu++ {
			mask[cpu/8] |= 1 << (cpu % 8)
		}
	}
	return mask
}
