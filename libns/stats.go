package libns

import (
	"github.com/opencontainers/cgroups"

	"rt/libns/kernel"
)

// Stats is what a container uses, in the shape that callers of `events` know.
// Times are in nanoseconds, sizes in bytes; no limit is the largest number.
type Stats struct {
	CPU     CPUStats    `json:"cpu"`
	CPUSet  CPUSetStats `json:"cpuset"`
	Memory  MemoryStats `json:"memory"`
	Pids    PidsStats   `json:"pids"`
	BlockIO IOStats     `json:"blkio"`
	// Hugetlb is by page size: "2MB".
	Hugetlb  map[string]HugetlbStats `json:"hugetlb"`
	IntelRDT RDTStats                `json:"intel_rdt"`
	// NetworkInterfaces is always null: callers look at the interfaces themselves.
	NetworkInterfaces []struct{} `json:"network_interfaces"`
}

// CPUStats is processor time.
type CPUStats struct {
	Usage struct {
		Total        uint64   `json:"total,omitempty"`
		PerCPU       []uint64 `json:"percpu,omitempty"`
		PerCPUKernel []uint64 `json:"percpu_kernel,omitempty"`
		PerCPUUser   []uint64 `json:"percpu_user,omitempty"`
		Kernel       uint64   `json:"kernel"`
		User         uint64   `json:"user"`
	} `json:"usage"`
	Throttling struct {
		Periods          uint64 `json:"periods,omitempty"`
		ThrottledPeriods uint64 `json:"throttledPeriods,omitempty"`
		ThrottledTime    uint64 `json:"throttledTime,omitempty"`
	} `json:"throttling"`
	PSI *cgroups.PSIStats `json:"psi,omitempty"`
}

// CPUSetStats is where the container may run. It has values on cgroup v1 only.
type CPUSetStats struct {
	CPUs                  []uint16 `json:"cpus,omitempty"`
	CPUExclusive          uint64   `json:"cpu_exclusive"`
	Mems                  []uint16 `json:"mems,omitempty"`
	MemHardwall           uint64   `json:"mem_hardwall"`
	MemExclusive          uint64   `json:"mem_exclusive"`
	MemoryMigrate         uint64   `json:"memory_migrate"`
	MemorySpreadPage      uint64   `json:"memory_spread_page"`
	MemorySpreadSlab      uint64   `json:"memory_spread_slab"`
	MemoryPressure        uint64   `json:"memory_pressure"`
	SchedLoadBalance      uint64   `json:"sched_load_balance"`
	SchedRelaxDomainLevel int64    `json:"sched_relax_domain_level"`
}

// MemoryStats is memory.
type MemoryStats struct {
	Cache     uint64            `json:"cache,omitempty"`
	Usage     MemoryUsage       `json:"usage"`
	Swap      MemoryUsage       `json:"swap"` // memory and swap space together
	Kernel    MemoryUsage       `json:"kernel"`
	KernelTCP MemoryUsage       `json:"kernelTCP"`
	Raw       map[string]uint64 `json:"raw,omitempty"` // memory.stat
	PSI       *cgroups.PSIStats `json:"psi,omitempty"`
}

// MemoryUsage is one kind of memory.
type MemoryUsage struct {
	Limit    uint64 `json:"limit"`
	Usage    uint64 `json:"usage,omitempty"`
	Max      uint64 `json:"max,omitempty"`
	Failures uint64 `json:"failcnt"`
}

// PidsStats counts processes and threads; 0 is no limit.
type PidsStats struct {
	Current uint64 `json:"current,omitempty"`
	Limit   uint64 `json:"limit,omitempty"`
}

// IOStats is block I/O, by device and operation.
type IOStats struct {
	ServiceBytes []IOStat          `json:"ioServiceBytesRecursive,omitempty"`
	Serviced     []IOStat          `json:"ioServicedRecursive,omitempty"`
	Queued       []IOStat          `json:"ioQueueRecursive,omitempty"`
	ServiceTime  []IOStat          `json:"ioServiceTimeRecursive,omitempty"`
	WaitTime     []IOStat          `json:"ioWaitTimeRecursive,omitempty"`
	Merged       []IOStat          `json:"ioMergedRecursive,omitempty"`
	Time         []IOStat          `json:"ioTimeRecursive,omitempty"`
	Sectors      []IOStat          `json:"sectorsRecursive,omitempty"`
	PSI          *cgroups.PSIStats `json:"psi,omitempty"`
}

// IOStat is one number about a block device.
type IOStat struct {
	Major     uint64 `json:"major,omitempty"`
	Minor     uint64 `json:"minor,omitempty"`
	Operation string `json:"op,omitempty"`
	Value     uint64 `json:"value,omitempty"`
}

// HugetlbStats is memory in huge pages of one size.
type HugetlbStats struct {
	Usage    uint64 `json:"usage,omitempty"`
	Max      uint64 `json:"max,omitempty"`
	Failures uint64 `json:"failcnt"`
}

// Stats reads what the container uses now.
func (c *Container) Stats() (*Stats, error) {
	if c.Cgroup.IsZero() {
		return nil, errNoCgroup
	}
	manager, err := managerOf(c.Cgroup)
	if err != nil {
		return nil, err
	}
	found, err := manager.GetStats()
	if err != nil {
		return nil, err
	}
	stats := newStats(found)
	stats.IntelRDT, err = readRDT(c.RDT, kernel.ResctrlMount)
	return stats, err
}

func newStats(from *cgroups.Stats) *Stats {
	to := &Stats{
		CPUSet:  CPUSetStats(from.CPUSetStats),
		Memory:  newMemoryStats(&from.MemoryStats),
		Pids:    PidsStats(from.PidsStats),
		BlockIO: newIOStats(&from.BlkioStats),
		Hugetlb: map[string]HugetlbStats{},
	}
	usage, throttling := &from.CpuStats.CpuUsage, &from.CpuStats.ThrottlingData
	to.CPU.Usage.Total = usage.TotalUsage
	to.CPU.Usage.PerCPU = usage.PercpuUsage
	to.CPU.Usage.PerCPUKernel = usage.PercpuUsageInKernelmode
	to.CPU.Usage.PerCPUUser = usage.PercpuUsageInUsermode
	to.CPU.Usage.Kernel = usage.UsageInKernelmode
	to.CPU.Usage.User = usage.UsageInUsermode
	to.CPU.Throttling.Periods = throttling.Periods
	to.CPU.Throttling.ThrottledPeriods = throttling.ThrottledPeriods
	to.CPU.Throttling.ThrottledTime = throttling.ThrottledTime
	to.CPU.PSI = from.CpuStats.PSI
	for size, h := range from.HugetlbStats {
		to.Hugetlb[size] = HugetlbStats{Usage: h.Usage, Max: h.MaxUsage, Failures: h.Failcnt}
	}
	return to
}

func newMemoryStats(from *cgroups.MemoryStats) MemoryStats {
	usage := func(d cgroups.MemoryData) MemoryUsage {
		return MemoryUsage{Limit: d.Limit, Usage: d.Usage, Max: d.MaxUsage, Failures: d.Failcnt}
	}
	return MemoryStats{
		Cache:     from.Cache,
		Usage:     usage(from.Usage),
		Swap:      usage(from.SwapUsage),
		Kernel:    usage(from.KernelUsage),
		KernelTCP: usage(from.KernelTCPUsage),
		Raw:       from.Stats,
		PSI:       from.PSI,
	}
}

func newIOStats(from *cgroups.BlkioStats) IOStats {
	list := func(entries []cgroups.BlkioStatEntry) []IOStat {
		var to []IOStat
		for _, e := range entries {
			to = append(to, IOStat{Major: e.Major, Minor: e.Minor, Operation: e.Op, Value: e.Value})
		}
		return to
	}
	return IOStats{
		ServiceBytes: list(from.IoServiceBytesRecursive),
		Serviced:     list(from.IoServicedRecursive),
		Queued:       list(from.IoQueuedRecursive),
		ServiceTime:  list(from.IoServiceTimeRecursive),
		WaitTime:     list(from.IoWaitTimeRecursive),
		Merged:       list(from.IoMergedRecursive),
		Time:         list(from.IoTimeRecursive),
		Sectors:      list(from.SectorsRecursive),
		PSI:          from.PSI,
	}
}
