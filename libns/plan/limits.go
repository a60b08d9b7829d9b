package plan

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	specs "github.com/opencontainers/runtime-spec/specs-go"

	"rt/libns/kernel"
	"rt/spec"
)

// resourceLimit is one value of linux.resources that asks for something.
type resourceLimit struct {
	field      string // below linux.resources
	value      string
	controller controller
}

// controller is what carries out a limit, by its name in both versions of
// cgroups. An empty name means that this version has none, and that the limit
// is without effect there.
type controller struct{ v1, v2 string }

var (
	memoryController = controller{"memory", "memory"}
	cpuController    = controller{"cpu", "cpu"}
	cpusetController = controller{"cpuset", "cpuset"}
	pidsController   = controller{"pids", "pids"}
	ioController     = controller{"blkio", "io"}
	hugeController   = controller{"hugetlb", "hugetlb"}
	rdmaController   = controller{"rdma", "rdma"}
)

// onlyV1 is the part of a controller that v2 does not have any more.
func onlyV1(name string) controller { return controller{v1: name} }

// limitsIn lists what a container's resources ask for, but the devices. A zero
// that means "not set" (config-linux.md, "Control groups") asks for nothing.
func limitsIn(r *specs.LinuxResources) []resourceLimit {
	var l limitList
	if r == nil {
		return nil
	}
	l.memory(r.Memory)
	l.cpu(r.CPU)
	if r.Pids != nil {
		l.given("pids.limit", r.Pids.Limit, pidsController)
	}
	l.blockIO(r.BlockIO)
	for i, h := range r.HugepageLimits {
		l.add(fmt.Sprintf("hugepageLimits[%d]", i), fmt.Sprintf("%s:%d", h.Pagesize, h.Limit), hugeController)
	}
	l.network(r.Network)
	for _, device := range slices.Sorted(maps.Keys(r.Rdma)) {
		l.add(fmt.Sprintf("rdma[%q]", device), rdmaValue(r.Rdma[device]), rdmaController)
	}
	for _, file := range slices.Sorted(maps.Keys(r.Unified)) {
		name, _, _ := strings.Cut(file, ".")
		l.add(fmt.Sprintf("unified[%q]", file), r.Unified[file], controller{v2: name})
	}
	return l
}

type limitList []resourceLimit

func (l *limitList) add(field string, value any, c controller) {
	*l = append(*l, resourceLimit{field, fmt.Sprint(value), c})
}

// given adds a limit whose zero counts.
func (l *limitList) given(field string, value *int64, c controller) {
	if value != nil {
		l.add(field, *value, c)
	}
}

// set adds a limit whose zero means "not set".
func set[T comparable](l *limitList, field string, value *T, c controller) {
	if value != nil && *value != *new(T) {
		l.add(field, *value, c)
	}
}

func (l *limitList) memory(m *specs.LinuxMemory) {
	if m == nil {
		return
	}
	set(l, "memory.limit", m.Limit, memoryController)
	set(l, "memory.reservation", m.Reservation, memoryController)
	set(l, "memory.swap", m.Swap, memoryController)
	if m.Swappiness != nil {
		l.add("memory.swappiness", *m.Swappiness, onlyV1("memory"))
	}
	set(l, "memory.disableOOMKiller", m.DisableOOMKiller, onlyV1("memory"))
}

func (l *limitList) cpu(c *specs.LinuxCPU) {
	if c == nil {
		return
	}
	set(l, "cpu.shares", c.Shares, cpuController)
	set(l, "cpu.quota", c.Quota, cpuController)
	set(l, "cpu.period", c.Period, cpuController)
	set(l, "cpu.burst", c.Burst, cpuController)
	set(l, "cpu.realtimeRuntime", c.RealtimeRuntime, onlyV1("cpu"))
	set(l, "cpu.realtimePeriod", c.RealtimePeriod, onlyV1("cpu"))
	l.given("cpu.idle", c.Idle, cpuController)
	set(l, "cpu.cpus", &c.Cpus, cpusetController)
	set(l, "cpu.mems", &c.Mems, cpusetController)
}

func (l *limitList) blockIO(b *specs.LinuxBlockIO) {
	if b == nil {
		return
	}
	set(l, "blockIO.weight", b.Weight, ioController)
	set(l, "blockIO.leafWeight", b.LeafWeight, onlyV1("blkio"))
	for i, d := range b.WeightDevice {
		field := fmt.Sprintf("blockIO.weightDevice[%d]", i)
		device := fmt.Sprintf("%d:%d:", d.Major, d.Minor)
		if d.Weight != nil {
			l.add(field+".weight", device+fmt.Sprint(*d.Weight), ioController)
		}
		if d.LeafWeight != nil {
			l.add(field+".leafWeight", device+fmt.Sprint(*d.LeafWeight), onlyV1("blkio"))
		}
	}
	l.throttle("ReadBps", b.ThrottleReadBpsDevice)
	l.throttle("WriteBps", b.ThrottleWriteBpsDevice)
	l.throttle("ReadIOPS", b.ThrottleReadIOPSDevice)
	l.throttle("WriteIOPS", b.ThrottleWriteIOPSDevice)
}

func (l *limitList) throttle(what string, devices []specs.LinuxThrottleDevice) {
	for i, d := range devices {
		l.add(fmt.Sprintf("blockIO.throttle%sDevice[%d]", what, i), fmt.Sprintf("%d:%d:%d", d.Major, d.Minor, d.Rate), ioController)
	}
}

func (l *limitList) network(n *specs.LinuxNetwork) {
	if n == nil {
		return
	}
	set(l, "network.classID", n.ClassID, onlyV1("net_cls"))
	for i, p := range n.Priorities {
		l.add(fmt.Sprintf("network.priorities[%d]", i), fmt.Sprintf("%s:%d", p.Name, p.Priority), onlyV1("net_prio"))
	}
}

func rdmaValue(r specs.LinuxRdma) string {
	var parts []string
	if r.HcaHandles != nil {
		parts = append(parts, fmt.Sprintf("hcaHandles:%d", *r.HcaHandles))
	}
	if r.HcaObjects != nil {
		parts = append(parts, fmt.Sprintf("hcaObjects:%d", *r.HcaObjects))
	}
	return strings.Join(parts, ",")
}

// MissingControllers finds the limits that nothing on this host can carry out:
// the hierarchy or controller is not there. They are problems of the config,
// to be reported before anything is made.
func MissingControllers(r *specs.LinuxResources, facts kernel.Facts) []spec.Problem {
	var problems []spec.Problem
	for _, l := range limitsIn(r) {
		name, version := l.controller.v1, "v1"
		if facts.Cgroup == kernel.CgroupUnified {
			name, version = l.controller.v2, "v2"
		}
		if name == "" || name == "cgroup" || slices.Contains(facts.Controllers(), name) {
			continue
		}
		problems = append(problems, spec.Problem{
			Field: "linux.resources." + l.field,
			Text:  fmt.Sprintf("needs the %s controller, which this host does not have in cgroup %s", name, version),
		})
	}
	return problems
}
