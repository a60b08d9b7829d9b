package plan

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/opencontainers/cgroups"
	specs "github.com/opencontainers/runtime-spec/specs-go"

	"rt/libns/kernel"
	"rt/spec"
)

// SetUnitProperties tells systemd about the limits, which it would otherwise
// take back when it next writes its own: at a daemon-reload, for example.
type SetUnitProperties struct {
	Unit       Unit           `json:"unit"`
	Properties []UnitProperty `json:"properties"`
	// AfterMounts is that of [SetResources].
	AfterMounts bool `json:"afterMounts,omitempty"`
}

// Title names the action.
func (a SetUnitProperties) Title() string {
	return fmt.Sprintf("have systemd set %s of %s", titles(a.Properties), a.Unit.Name)
}

// Holds is as for [SetResources].
func (a SetUnitProperties) Holds() bool { return a.AfterMounts }

// UnitLimits gives the properties of a unit for limits, and what is wrong with
// these. There is not a property for each; all are set in the cgroup's files
// too.
func UnitLimits(r *specs.LinuxResources, facts kernel.Facts) ([]UnitProperty, []spec.Problem) {
	if r == nil {
		return nil, nil
	}
	l := limitProperties{v2: facts.Cgroup == kernel.CgroupUnified, version: facts.Systemd.Version}
	l.memory(r.Memory)
	l.cpu(r.CPU)
	if r.Pids != nil && r.Pids.Limit != nil {
		l.set("TasksMax", tasksMax(*r.Pids.Limit))
	}
	if r.BlockIO != nil && r.BlockIO.Weight != nil && *r.BlockIO.Weight != 0 {
		if l.v2 {
			l.set("IOWeight", cgroups.ConvertBlkIOToIOWeightValue(*r.BlockIO.Weight))
		} else {
			l.set("BlockIOWeight", uint64(*r.BlockIO.Weight))
		}
	}
	if l.v2 {
		l.unified(r.Unified)
	}
	return l.unitProperties, l.problems
}

// limitProperties are the properties for linux.resources that are collected.
type limitProperties struct {
	unitProperties
	v2      bool
	version int // of systemd

	problems []spec.Problem
}

// report notes what is wrong with a field of linux.resources.
func (l *limitProperties) report(field string, err error) {
	l.problems = append(l.problems, spec.Problem{Field: "linux.resources." + field, Text: err.Error()})
}

func (l *limitProperties) memory(m *specs.LinuxMemory) {
	if m == nil {
		return
	}
	limit, swap := value(m.Limit), value(m.Swap)
	if !l.v2 {
		if limit != 0 {
			l.set("MemoryLimit", uint64(limit))
		}
		return
	}
	if limit != 0 {
		l.set("MemoryMax", uint64(limit)) // -1 is infinity
	}
	if reservation := value(m.Reservation); reservation != 0 {
		l.set("MemoryLow", uint64(reservation))
	}
	only, err := cgroups.ConvertMemorySwapToCgroupV2Value(swap, limit)
	switch {
	case err != nil:
		l.report("memory.swap", err)
	case only != 0 || swap > 0:
		l.set("MemorySwapMax", uint64(only))
	}
}

func (l *limitProperties) cpu(c *specs.LinuxCPU) {
	if c == nil {
		return
	}
	switch shares := value(c.Shares); {
	case l.v2 && value(c.Idle) == 1 && l.knowsIdle():
		l.set("CPUWeight", uint64(0)) // that is how systemd says idle
	case shares != 0 && l.v2:
		l.set("CPUWeight", cgroups.ConvertCPUSharesToCgroupV2Value(shares))
	case shares != 0:
		l.set("CPUShares", shares)
	case l.v2 && c.Idle != nil && l.knowsIdle():
		l.set("CPUWeight", unlimited) // not set, and no longer idle
	}
	l.quota(value(c.Quota), value(c.Period))
	if err := l.numbers("AllowedCPUs", c.Cpus); err != nil {
		l.report("cpu.cpus", err)
	}
	if err := l.numbers("AllowedMemoryNodes", c.Mems); err != nil {
		l.report("cpu.mems", err)
	}
}

func (l *limitProperties) knowsIdle() bool {
	const since = 252
	return l.version >= since
}

// quota is a share of processor time, which systemd states for each second.
func (l *limitProperties) quota(quota int64, period uint64) {
	if quota == 0 && period == 0 {
		return
	}
	if period != 0 {
		l.set("CPUQuotaPeriodUSec", period)
	}
	perSecond := unlimited
	if quota > 0 {
		perSecond = quotaPerSecond(quota, period)
	}
	l.set("CPUQuotaPerSecUSec", perSecond)
}

// quotaPerSecond rounds up to hundredths of a processor, as systemd keeps them.
func quotaPerSecond(quota int64, period uint64) uint64 {
	const second, percent = 1_000_000, 10_000
	exact := float64(quota) * second / float64(orDefault(period))
	return uint64(math.Ceil(exact/percent)) * percent
}

func orDefault(period uint64) uint64 {
	const usual = 100_000 // the kernel's own
	if period == 0 {
		return usual
	}
	return period
}

// RoundQuota gives limits whose quota of processor time is what systemd makes of
// it. Were the exact one written to the cgroup, systemd would change it later.
func RoundQuota(r *specs.LinuxResources) *specs.LinuxResources {
	if r == nil || r.CPU == nil || value(r.CPU.Quota) <= 0 {
		return r
	}
	rounded, cpu := *r, *r.CPU
	period := value(cpu.Period)
	quota := int64(float64(quotaPerSecond(*cpu.Quota, period)) * float64(orDefault(period)) / 1_000_000)
	cpu.Quota, rounded.CPU = &quota, &cpu
	return &rounded
}

// tasksMax is a limit of tasks: systemd has none that is zero.
func tasksMax(limit int64) uint64 {
	if limit < 0 {
		return unlimited
	}
	return uint64(max(limit, 1))
}

// numbers sets a property that is a set of numbers, from a list as cpuset(7) has
// it.
func (l *limitProperties) numbers(name, list string) error {
	if list == "" {
		return nil
	}
	bits, err := bitsOf(list)
	if err == nil {
		l.set(name, bits)
	}
	return err
}

// bitsOf reads a list like "0-2,7" into bytes, of which the first has the bits
// of 0 to 7.
func bitsOf(list string) ([]byte, error) {
	const most = 1 << 16 // no kernel has as many processors or memory nodes
	bits := []byte{}
	for part := range strings.SplitSeq(list, ",") {
		if part = strings.TrimSpace(part); part == "" {
			continue
		}
		from, to, isRange := strings.Cut(part, "-")
		if !isRange {
			to = from
		}
		first, err := strconv.ParseUint(from, 10, 32)
		last, err2 := strconv.ParseUint(to, 10, 32)
		if err != nil || err2 != nil || first > last || last >= most {
			return nil, fmt.Errorf("%q is not a list of numbers and ranges", list)
		}
		for n := first; n <= last; n++ {
			if missing := int(n/8) + 1 - len(bits); missing > 0 {
				bits = append(bits, make([]byte, missing)...)
			}
			bits[n/8] |= 1 << (n % 8)
		}
	}
	return bits, nil
}

// unified converts those of the files for which there is a property. They have
// the last word over the other limits.
func (l *limitProperties) unified(files map[string]string) {
	idle := strings.TrimSpace(files["cpu.idle"]) == "1" && l.knowsIdle()
	for _, file := range slices.Sorted(maps.Keys(files)) {
		text := strings.TrimSpace(files[file])
		if err := l.file(file, text, idle); err != nil {
			l.report("unified["+strconv.Quote(file)+"]", err)
		}
	}
}

func (l *limitProperties) file(file, text string, idle bool) error {
	switch file {
	case "cpu.idle":
		switch {
		case idle:
			l.set("CPUWeight", uint64(0))
		case l.knowsIdle():
			l.set("CPUWeight", unlimited) // cpu.weight follows
		}
	case "cpu.weight":
		if !idle {
			return l.number("CPUWeight", text)
		}
	case "cpu.max":
		return l.cpuMax(text)
	case "cpuset.cpus":
		return l.numbers("AllowedCPUs", text)
	case "cpuset.mems":
		return l.numbers("AllowedMemoryNodes", text)
	case "pids.max":
		if text == "0" {
			text = "1"
		}
		return l.number("TasksMax", text)
	case "memory.high":
		return l.number("MemoryHigh", text)
	case "memory.low":
		return l.number("MemoryLow", text)
	case "memory.max":
		return l.number("MemoryMax", text)
	case "memory.min":
		return l.number("MemoryMin", text)
	case "memory.swap.max":
		return l.number("MemorySwapMax", text)
	}
	return nil
}

// number sets a property that is a number, or "max".
func (l *limitProperties) number(name, text string) error {
	n := unlimited
	if text != "max" {
		var err error
		if n, err = strconv.ParseUint(text, 10, 64); err != nil {
			return fmt.Errorf("%q is neither a number nor max", text)
		}
	}
	l.set(name, n)
	return nil
}

// cpuMax reads "QUOTA [PERIOD]".
func (l *limitProperties) cpuMax(text string) error {
	wrong := fmt.Errorf("%q is not a quota and a period in microseconds", text)
	words := strings.Fields(text)
	if len(words) < 1 || len(words) > 2 {
		return wrong
	}
	quota, period := int64(-1), orDefault(0)
	var err, err2 error
	if words[0] != "max" {
		quota, err = strconv.ParseInt(words[0], 10, 64)
	}
	if len(words) == 2 {
		period, err2 = strconv.ParseUint(words[1], 10, 64)
	}
	if err != nil || err2 != nil || period == 0 {
		return wrong
	}
	l.quota(quota, period)
	return nil
}

// value is what a pointer leads to, zero for none.
func value[T any](p *T) T {
	if p == nil {
		return *new(T)
	}
	return *p
}
