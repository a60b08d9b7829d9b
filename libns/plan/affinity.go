package plan

import "golang.org/x/sys/unix"

// maxCPUs is more than any machine has; the kernel ignores what it has not.
const maxCPUs = 65536

// initialAffinity is where one more process is until it is in the container's
// cgroup (process.execCPUAffinity.initial). On cgroup v2 it is born there, and
// may not have these CPUs.
func (c *compiler) initialAffinity() {
	const field = "process.execCPUAffinity.initial"
	if affinity := c.Config.Process.ExecCPUAffinity; affinity != nil && affinity.Initial != "" {
		c.step(field, "run on the CPUs "+affinity.Initial)
		c.setAffinity(bitMask(affinity.Initial, maxCPUs)).ignore(unix.EINVAL)
	}
}

// finalAffinity is where its program runs.
func (c *compiler) finalAffinity() {
	const field = "process.execCPUAffinity.final"
	if affinity := c.Config.Process.ExecCPUAffinity; affinity != nil && affinity.Final != "" {
		c.step(field, "run on the CPUs "+affinity.Final)
		c.setAffinity(bitMask(affinity.Final, maxCPUs)).means("the machine or the container's cpuset has none of these CPUs")
		return
	}
	c.allCPUs()
}

// allCPUs undoes what binds the caller to some CPUs: where the container runs is
// its cgroup's business.
func (c *compiler) allCPUs() {
	c.step("", "run on all CPUs that the cgroup has")
	c.setAffinity(bitMask("0-8191", maxCPUs))
}

func (c *compiler) setAffinity(mask []byte) callBuilder {
	return c.call(unix.SYS_SCHED_SETAFFINITY, imm(0), imm(len(mask)), c.constant(mask))
}
