package plan

import (
	"encoding/binary"
	"fmt"
	"strings"

	specs "github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"

	"rt/spec"
)

// scheduling decides when the program runs, how fast its files are read and
// where its memory is. All of it takes privileges that the program may not have,
// and none of it is lost in execve.
func (c *compiler) scheduling() {
	c.scheduler()
	c.ioPriority()
	c.memoryPolicy()
}

// scheduler sets the scheduling policy (config.md, "Linux Process", scheduler).
func (c *compiler) scheduler() {
	s := c.Config.Process.Scheduler
	if s == nil {
		return
	}
	c.step("process.scheduler", "be scheduled by "+string(s.Policy))
	c.call(unix.SYS_SCHED_SETATTR, imm(0), c.constant(schedulerAttributes(s)), imm(0))
}

// sizeofSchedAttr is that of struct sched_attr with its utilisation clamps,
// without which the kernel refuses the flags for them (Linux 5.3).
const sizeofSchedAttr = 56

// schedulerAttributes is struct sched_attr of sched_setattr(2).
func schedulerAttributes(s *specs.Scheduler) []byte {
	policy, _ := spec.SchedulerPolicy(s.Policy)
	var flags uint64
	for _, name := range s.Flags {
		flag, _ := spec.SchedulerFlag(name)
		flags |= flag
	}
	b := make([]byte, 0, sizeofSchedAttr)
	b = binary.LittleEndian.AppendUint32(b, sizeofSchedAttr)
	b = binary.LittleEndian.AppendUint32(b, uint32(policy))
	b = binary.LittleEndian.AppendUint64(b, flags)
	b = binary.LittleEndian.AppendUint32(b, uint32(s.Nice))
	b = binary.LittleEndian.AppendUint32(b, uint32(s.Priority))
	b = binary.LittleEndian.AppendUint64(b, s.Runtime)
	b = binary.LittleEndian.AppendUint64(b, s.Deadline)
	b = binary.LittleEndian.AppendUint64(b, s.Period)
	return b[:sizeofSchedAttr]
}

// ioPriority sets the priority of the init stage, which is alone in its process
// group, for its reads and writes (config.md, "Linux Process", ioPriority).
func (c *compiler) ioPriority() {
	p := c.Config.Process.IOPriority
	if p == nil {
		return
	}
	value, _ := spec.IOPriority(p.Class, p.Priority)
	c.step("process.ioPriority", fmt.Sprintf("do I/O with %s, level %d", p.Class, p.Priority))
	const whoProcessGroup = 2 // IOPRIO_WHO_PGRP of ioprio_set(2)
	c.call(unix.SYS_IOPRIO_SET, imm(whoProcessGroup), imm(0), imm(value))
}

// memoryPolicy says on which NUMA nodes memory is taken (config-linux.md,
// "Memory policy").
func (c *compiler) memoryPolicy() {
	if c.Config.Linux == nil || c.Config.Linux.MemoryPolicy == nil {
		return
	}
	policy := c.Config.Linux.MemoryPolicy
	mode, _ := spec.MemoryPolicyMode(policy.Mode)
	for _, name := range policy.Flags {
		flag, _ := spec.MemoryPolicyFlag(name)
		mode |= flag
	}
	title := "take memory by " + string(policy.Mode)
	nodes, length := null, 0
	if policy.Nodes != "" {
		title += " on the nodes " + policy.Nodes
		mask := bitMask(policy.Nodes, spec.MaxNUMANode)
		// The kernel takes one bit less than it is told (set_mempolicy(2)).
		nodes, length = c.constant(mask), 8*len(mask)+1
	}
	c.step("linux.memoryPolicy", title)
	c.call(unix.SYS_SET_MEMPOLICY, imm(mode), nodes, imm(length))
}

// personality sets the execution domain (config-linux.md, "Personality"). Like
// everything that a seccomp filter may forbid, it is done before that.
func (c *compiler) personality() {
	if c.Config.Linux == nil || c.Config.Linux.Personality == nil {
		return
	}
	domain := c.Config.Linux.Personality.Domain
	persona, _ := spec.PersonalityDomain(domain)
	c.step("linux.personality", "become a process of the domain "+string(domain))
	c.call(unix.SYS_PERSONALITY, imm(persona))
}

// bitMask is a list of numbers below limit, which was found valid, as the kernel
// takes sets of CPUs and of memory nodes: one bit each, in words of 64.
func bitMask(list string, limit int) []byte {
	ranges, _ := spec.ParseList(list, limit)
	highest := 0
	for _, r := range ranges {
		highest = max(highest, r.Last)
	}
	mask := make([]byte, (highest/64+1)*8)
	for _, r := range ranges {
		for n := r.First; n <= r.Last; n++ {
			mask[n/8] |= 1 << (n % 8)
		}
	}
	return mask
}

// ---- how the calls are printed ----

func schedAttrArg(c callView, i int) string {
	b, ok := c.bytes(i)
	if !ok || len(b) < sizeofSchedAttr {
		return structArg(c, i)
	}
	fields := []string{"policy=" + schedulerPolicies.format(uint64(binary.LittleEndian.Uint32(b[4:])))}
	if flags := word64(b, 1); flags != 0 {
		fields = append(fields, "flags="+schedulerFlags.format(flags))
	}
	for _, field := range []struct {
		name  string
		value int64
	}{
		{"nice", int64(int32(binary.LittleEndian.Uint32(b[16:])))},
		{"priority", int64(binary.LittleEndian.Uint32(b[20:]))},
		{"runtime", int64(word64(b, 3))},
		{"deadline", int64(word64(b, 4))},
		{"period", int64(word64(b, 5))},
	} {
		if field.value != 0 {
			fields = append(fields, fmt.Sprintf("%s=%d", field.name, field.value))
		}
	}
	return "{" + strings.Join(fields, ", ") + "}"
}

// maskArg is a set of numbers, one bit each.
func maskArg(c callView, i int) string {
	b, ok := c.bytes(i)
	if !ok {
		return memory(c, i)
	}
	var ranges []string
	has := func(n int) bool { return n < 8*len(b) && b[n/8]&(1<<(n%8)) != 0 }
	for n := 0; n < 8*len(b); n++ {
		if !has(n) {
			continue
		}
		first := n
		for has(n + 1) {
			n++
		}
		if first == n {
			ranges = append(ranges, fmt.Sprint(n))
		} else {
			ranges = append(ranges, fmt.Sprintf("%d-%d", first, n))
		}
	}
	return "{" + strings.Join(ranges, ",") + "}"
}

func formatIOPriority(v uint64) string {
	return fmt.Sprintf("%s|%d", ioClasses.format(v>>13), v&(1<<13-1))
}

func formatMemoryPolicy(v uint64) string {
	const flags = unix.MPOL_F_STATIC_NODES | unix.MPOL_F_RELATIVE_NODES | unix.MPOL_F_NUMA_BALANCING
	text := memoryPolicyModes.format(v &^ flags)
	if v&flags != 0 {
		text += "|" + memoryPolicyFlags.format(v&flags)
	}
	return text
}
