package spec

import "github.com/opencontainers/runtime-spec/specs-go"

const (
	maxRealTimePriority = 99    // sched(7)
	maxIOPriority       = 7     // ioprio_set(2)
	maxCPU              = 65536 // no machine has more; a bound on what a mask may cost
)

// MaxNUMANode is one more than the highest number that a memory node has on the
// kernel with the largest configuration (MAX_NUMNODES).
const MaxNUMANode = 1024

// scheduler checks config.md, "Linux Process", scheduler, by the rules of
// sched_setattr(2).
func (v *validator) scheduler(s *specs.Scheduler) {
	if s == nil {
		return
	}
	const field = "process.scheduler"
	if s.Policy == "" {
		v.report(field+".policy", "scheduler policy is required, such as \"SCHED_OTHER\"")
		return
	}
	if _, known := SchedulerPolicy(s.Policy); !known {
		v.report(field+".policy", "invalid scheduler policy %q: must be one of %s", s.Policy, quoted(namesOf(schedulerPolicies), "or"))
		return
	}
	v.schedulerPriority(field, s)
	v.schedulerDeadline(field, s)
	for i, flag := range s.Flags {
		if _, known := SchedulerFlag(flag); !known {
			v.report(item(field+".flags", i), "invalid scheduler flag %q: must be one of %s", flag, quoted(namesOf(schedulerFlags), "or"))
		}
	}
}

func (v *validator) schedulerPriority(field string, s *specs.Scheduler) {
	switch s.Policy {
	case specs.SchedOther, specs.SchedBatch:
		if s.Nice < -20 || s.Nice > 19 {
			v.report(field+".nice", "must be from -20 to 19, got %d", s.Nice)
		}
	case specs.SchedFIFO, specs.SchedRR:
		if s.Priority < 1 || s.Priority > maxRealTimePriority {
			v.report(field+".priority", "must be from 1 to %d for %s, got %d", maxRealTimePriority, s.Policy, s.Priority)
		}
		return
	}
	if s.Priority != 0 {
		v.report(field+".priority", "is only for SCHED_FIFO and SCHED_RR, policy is %s", s.Policy)
	}
}

func (v *validator) schedulerDeadline(field string, s *specs.Scheduler) {
	if s.Policy != specs.SchedDeadline {
		if s.Runtime != 0 || s.Deadline != 0 || s.Period != 0 {
			v.report(field, "runtime, deadline and period are only for SCHED_DEADLINE, policy is %s", s.Policy)
		}
		return
	}
	period := s.Period
	if period == 0 {
		period = s.Deadline
	}
	if s.Runtime == 0 || s.Runtime > s.Deadline || s.Deadline > period {
		v.report(field, "SCHED_DEADLINE needs 0 < runtime <= deadline <= period, got %d, %d, %d", s.Runtime, s.Deadline, s.Period)
	}
}

func (v *validator) ioPriority(p *specs.LinuxIOPriority) {
	if p == nil {
		return
	}
	if _, known := IOPriority(p.Class, 0); !known {
		v.report("process.ioPriority.class", "must be one of %s, got %q", quoted(namesOf(ioClasses), "or"), p.Class)
	}
	if p.Priority < 0 || p.Priority > maxIOPriority {
		v.report("process.ioPriority.priority", "must be from 0 to %d, got %d", maxIOPriority, p.Priority)
	}
}

func (v *validator) cpuAffinity(affinity *specs.CPUAffinity) {
	if affinity == nil {
		return
	}
	v.list("process.execCPUAffinity.initial", affinity.Initial, maxCPU)
	v.list("process.execCPUAffinity.final", affinity.Final, maxCPU)
}

// list checks a list of numbers such as "0-3,7" (cpuset(7), "List format").
func (v *validator) list(field, text string, limit int) {
	if text == "" {
		return
	}
	if _, err := ParseList(text, limit); err != nil {
		v.report(field, "%v", err)
	}
}

// memoryPolicy checks config-linux.md, "Memory Policy", by the rules of
// set_mempolicy(2).
func (v *validator) memoryPolicy() {
	policy := v.linux.MemoryPolicy
	if policy == nil {
		return
	}
	const field = "linux.memoryPolicy"
	if _, known := MemoryPolicyMode(policy.Mode); !known {
		v.report(field+".mode", "invalid memory policy mode %q: must be one of %s", policy.Mode, quoted(MemoryPolicyModes(), "or"))
		return
	}
	v.memoryPolicyNodes(field+".nodes", policy)
	v.memoryPolicyFlags(field+".flags", policy)
}

func (v *validator) memoryPolicyNodes(field string, policy *specs.LinuxMemoryPolicy) {
	var count int
	if policy.Nodes != "" {
		nodes, err := ParseList(policy.Nodes, MaxNUMANode)
		if err != nil {
			v.report(field, "invalid memory policy nodes: %v", err)
			return
		}
		for _, r := range nodes {
			count += r.Last - r.First + 1
		}
	}
	switch policy.Mode {
	case specs.MpolDefault, specs.MpolLocal:
		if count > 0 {
			v.report(field, "invalid memory policy: %s mode requires 0 nodes but got %d", policy.Mode, count)
		}
	case specs.MpolPreferred:
		// Without nodes it means the local node.
	default:
		if count == 0 {
			v.report(field, "invalid memory policy: %s mode requires at least 1 node but got 0", policy.Mode)
		}
	}
}

func (v *validator) memoryPolicyFlags(field string, policy *specs.LinuxMemoryPolicy) {
	var static, relative bool
	for i, flag := range policy.Flags {
		if _, known := MemoryPolicyFlag(flag); !known {
			v.report(item(field, i), "invalid memory policy flag %q: must be one of %s", flag, quoted(MemoryPolicyFlags(), "or"))
		}
		static = static || flag == specs.MpolFStaticNodes
		relative = relative || flag == specs.MpolFRelativeNodes
	}
	if static && relative {
		v.report(field, "invalid memory policy: %s and %s exclude each other", specs.MpolFStaticNodes, specs.MpolFRelativeNodes)
	}
}
