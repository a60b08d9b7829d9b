package libns

import (
	"errors"
	"io/fs"
	"maps"
	"path/filepath"
	"slices"
	"strings"

	"github.com/opencontainers/cgroups"
	cgroups1 "github.com/opencontainers/cgroups/fs"
	cgroups2 "github.com/opencontainers/cgroups/fs2"
	specs "github.com/opencontainers/runtime-spec/specs-go"

	"rt/libns/plan"
)

// setResources carries out the step of that name.
func (d *driver) setResources(a plan.SetResources) error {
	d.oomKills = oomKills(d.request.Cgroup)
	if err := setLimits(d.request.Cgroup, a.Resources); err != nil {
		return err
	}
	return setDevices(d.request.Cgroup, a.Devices)
}

// resources is linux.resources, nil if there is none.
func (d *driver) resources() *specs.LinuxResources {
	if d.request.Config.Linux == nil {
		return nil
	}
	return d.request.Config.Linux.Resources
}

// setLimits writes all limits but those on devices. A failure names the field
// of linux.resources that the refused file belongs to.
func setLimits(c plan.Cgroup, r *specs.LinuxResources) error {
	if r == nil {
		return nil
	}
	manager, err := managerOf(c)
	if err != nil {
		return err
	}
	limits := convertResources(r)
	if limits.CPUIdle != nil && limits.CpuShares != 0 {
		// The library sets the weight first, which the kernel refuses for as
		// long as the cgroup is idle.
		first := &cgroups.Resources{SkipDevices: true, CPUIdle: limits.CPUIdle}
		if err := manager.Set(first); err != nil {
			return limitError(err)
		}
	}
	return limitError(manager.Set(limits))
}

// managerOf gives the library's view of a container's cgroup. On hybrid hosts
// the v1 hierarchies have the controllers.
func managerOf(c plan.Cgroup) (cgroups.Manager, error) {
	config := &cgroups.Cgroup{Resources: &cgroups.Resources{SkipDevices: true}}
	if len(c.V1) == 0 {
		return cgroups2.NewManager(config, c.Unified)
	}
	return cgroups1.NewManager(config, directoriesByController(c))
}

func directoriesByController(c plan.Cgroup) map[string]string {
	paths := map[string]string{}
	for _, g := range c.V1 {
		paths[g.Hierarchy] = g.Directory
		for _, name := range g.Controllers {
			paths[name] = g.Directory
		}
	}
	return paths
}

// convertResources puts limits into the library's words, for both versions of
// cgroups: a manager looks only at what is its own. Devices are not among them
// ([setDevices]).
func convertResources(r *specs.LinuxResources) *cgroups.Resources {
	to := &cgroups.Resources{SkipDevices: true}
	if r == nil {
		return to
	}
	convertMemory(r.Memory, to)
	convertCPU(r.CPU, to)
	convertBlockIO(r.BlockIO, to)
	convertNetwork(r.Network, to)
	if r.Pids != nil {
		to.PidsLimit = r.Pids.Limit
	}
	for _, h := range r.HugepageLimits {
		to.HugetlbLimit = append(to.HugetlbLimit, &cgroups.HugepageLimit{Pagesize: h.Pagesize, Limit: h.Limit})
	}
	if len(r.Rdma) > 0 {
		to.Rdma = map[string]cgroups.LinuxRdma{}
	}
	for device, limit := range r.Rdma {
		to.Rdma[device] = cgroups.LinuxRdma{HcaHandles: limit.HcaHandles, HcaObjects: limit.HcaObjects}
	}
	if len(r.Unified) > 0 {
		to.Unified = maps.Clone(r.Unified)
	}
	return to
}

func convertMemory(m *specs.LinuxMemory, to *cgroups.Resources) {
	if m == nil {
		return
	}
	to.Memory = value(m.Limit)
	to.MemoryReservation = value(m.Reservation)
	to.MemorySwap = value(m.Swap)
	to.MemorySwappiness = m.Swappiness
	to.OomKillDisable = value(m.DisableOOMKiller)
	to.MemoryCheckBeforeUpdate = value(m.CheckBeforeUpdate)
}

func convertCPU(c *specs.LinuxCPU, to *cgroups.Resources) {
	if c == nil {
		return
	}
	to.CpuShares = value(c.Shares)
	to.CpuWeight = cgroups.ConvertCPUSharesToCgroupV2Value(to.CpuShares)
	to.CpuQuota = value(c.Quota)
	to.CpuPeriod = value(c.Period)
	to.CpuBurst = c.Burst
	to.CpuRtRuntime = value(c.RealtimeRuntime)
	to.CpuRtPeriod = value(c.RealtimePeriod)
	to.CpusetCpus = c.Cpus
	to.CpusetMems = c.Mems
	to.CPUIdle = c.Idle
	if value(c.Idle) == 1 {
		// The kernel refuses a weight for a group that is idle.
		to.CpuShares, to.CpuWeight = 0, 0
	}
}

func convertBlockIO(b *specs.LinuxBlockIO, to *cgroups.Resources) {
	if b == nil {
		return
	}
	to.BlkioWeight = value(b.Weight)
	to.BlkioLeafWeight = value(b.LeafWeight)
	for _, d := range b.WeightDevice {
		to.BlkioWeightDevice = append(to.BlkioWeightDevice,
			cgroups.NewWeightDevice(d.Major, d.Minor, value(d.Weight), value(d.LeafWeight)))
	}
	to.BlkioThrottleReadBpsDevice = convertThrottle(b.ThrottleReadBpsDevice)
	to.BlkioThrottleWriteBpsDevice = convertThrottle(b.ThrottleWriteBpsDevice)
	to.BlkioThrottleReadIOPSDevice = convertThrottle(b.ThrottleReadIOPSDevice)
	to.BlkioThrottleWriteIOPSDevice = convertThrottle(b.ThrottleWriteIOPSDevice)
}

func convertThrottle(devices []specs.LinuxThrottleDevice) []*cgroups.ThrottleDevice {
	var to []*cgroups.ThrottleDevice
	for _, d := range devices {
		to = append(to, cgroups.NewThrottleDevice(d.Major, d.Minor, d.Rate))
	}
	return to
}

func convertNetwork(n *specs.LinuxNetwork, to *cgroups.Resources) {
	if n == nil {
		return
	}
	to.NetClsClassid = value(n.ClassID)
	for _, p := range n.Priorities {
		to.NetPrioIfpriomap = append(to.NetPrioIfpriomap, &cgroups.IfPrioMap{Interface: p.Name, Priority: int64(p.Priority)})
	}
}

// value is what a pointer leads to, zero for none.
func value[T any](p *T) T {
	if p == nil {
		return *new(T)
	}
	return *p
}

// fieldError is a failure that belongs to a more special field than its step.
type fieldError struct {
	field string
	err   error
}

func (e *fieldError) Error() string { return e.field + ": " + e.err.Error() }
func (e *fieldError) Unwrap() error { return e.err }

// limitError finds out which limit was refused from the name of its file.
func limitError(err error) error {
	var refused *fs.PathError
	if !errors.As(err, &refused) {
		return err
	}
	name, fields := filepath.Base(refused.Path), limitFields()
	if field, ok := fields[name]; ok {
		return &fieldError{"linux.resources." + field, err}
	}
	for _, file := range slices.Sorted(maps.Keys(fields)) {
		if prefix, ok := strings.CutSuffix(file, "*"); ok && strings.HasPrefix(name, prefix) {
			return &fieldError{"linux.resources." + fields[file], err}
		}
	}
	return err
}

// limitFields says which limit a cgroup file is for: v1, then v2.
func limitFields() map[string]string {
	return map[string]string{
		"memory.limit_in_bytes":            "memory.limit",
		"memory.memsw.limit_in_bytes":      "memory.swap",
		"memory.soft_limit_in_bytes":       "memory.reservation",
		"memory.swappiness":                "memory.swappiness",
		"memory.oom_control":               "memory.disableOOMKiller",
		"cpu.shares":                       "cpu.shares",
		"cpu.cfs_quota_us":                 "cpu.quota",
		"cpu.cfs_period_us":                "cpu.period",
		"cpu.cfs_burst_us":                 "cpu.burst",
		"cpu.rt_runtime_us":                "cpu.realtimeRuntime",
		"cpu.rt_period_us":                 "cpu.realtimePeriod",
		"blkio.leaf_weight":                "blockIO.leafWeight",
		"blkio.leaf_weight_device":         "blockIO.weightDevice",
		"blkio.weight":                     "blockIO.weight",
		"blkio.weight_device":              "blockIO.weightDevice",
		"blkio.bfq.weight":                 "blockIO.weight",
		"blkio.bfq.weight_device":          "blockIO.weightDevice",
		"blkio.throttle.read_bps_device":   "blockIO.throttleReadBpsDevice",
		"blkio.throttle.write_bps_device":  "blockIO.throttleWriteBpsDevice",
		"blkio.throttle.read_iops_device":  "blockIO.throttleReadIOPSDevice",
		"blkio.throttle.write_iops_device": "blockIO.throttleWriteIOPSDevice",
		"net_cls.classid":                  "network.classID",
		"net_prio.ifpriomap":               "network.priorities",

		"memory.max":      "memory.limit",
		"memory.swap.max": "memory.swap",
		"memory.low":      "memory.reservation",
		"cpu.weight":      "cpu.shares",
		"cpu.max":         "cpu.quota",
		"cpu.max.burst":   "cpu.burst",
		"io.weight":       "blockIO.weight",
		"io.bfq.weight":   "blockIO.weight",
		"io.max":          "blockIO",

		"cpu.idle":    "cpu.idle",
		"cpuset.cpus": "cpu.cpus",
		"cpuset.mems": "cpu.mems",
		"pids.max":    "pids.limit",
		"rdma.max":    "rdma",
		"hugetlb.*":   "hugepageLimits",
	}
}
