package spec

import (
	"strings"

	"github.com/opencontainers/runtime-spec/specs-go"
)

const (
	minBlockIOWeight = 10
	maxBlockIOWeight = 1000
	maxSwappiness    = 100
)

// cgroupsPath checks config-linux.md, "Cgroups Path". With systemd it names a
// slice and a unit instead of a directory.
func (v *validator) cgroupsPath() {
	path := v.linux.CgroupsPath
	if path == "" || !v.host.SystemdCgroup {
		return
	}
	if strings.Count(path, ":") != 2 {
		v.report("linux.cgroupsPath", "expected cgroupsPath to be of format \"slice:prefix:name\" for systemd cgroups, got %q instead", path)
	}
}

// ValidateResources checks limits that are not part of a configuration file:
// nil or Problems, as of Validate.
func ValidateResources(resources *specs.LinuxResources, h Host) error {
	config := &Config{Spec: &specs.Spec{Linux: &specs.Linux{Resources: resources}}}
	v := newValidator(config, h)
	v.resources()
	if len(v.problems) == 0 {
		return nil
	}
	return v.sorted()
}

// resources checks config-linux.md, "Control groups". What a value means for
// the machine at hand (so much memory, such a device) is the kernel's to say.
func (v *validator) resources() {
	resources := v.linux.Resources
	if resources == nil {
		return
	}
	v.deviceRules(resources.Devices)
	v.memoryLimits(resources.Memory)
	v.cpuLimits(resources.CPU)
	v.blockIO(resources.BlockIO)
	v.hugepages(resources.HugepageLimits)
	v.networkPriorities(resources.Network)
	v.rdma(resources.Rdma)
	v.unified(resources.Unified)
	if pids := resources.Pids; pids != nil && pids.Limit != nil && *pids.Limit < -1 {
		v.report("linux.resources.pids.limit", "must be -1 (no limit) or above, got %d", *pids.Limit)
	}
}

func (v *validator) deviceRules(rules []specs.LinuxDeviceCgroup) {
	for i, rule := range rules {
		field := item("linux.resources.devices", i)
		switch rule.Type {
		case "", "a", "b", "c":
		default:
			v.report(field+".type", "invalid device type %q: must be \"a\", \"b\" or \"c\"", rule.Type)
		}
		if rule.Access == "" {
			v.report(field+".access", "device access at %d field cannot be empty", i)
		} else if strings.Trim(rule.Access, "rwm") != "" {
			v.report(field+".access", "must consist of \"r\", \"w\" and \"m\", got %q", rule.Access)
		}
		v.deviceWildcard(field+".major", rule.Major)
		v.deviceWildcard(field+".minor", rule.Minor)
	}
}

// deviceWildcard checks a number of a device rule. Rules may name numbers that
// no device has, so there is no upper limit to check.
func (v *validator) deviceWildcard(field string, number *int64) {
	if number != nil && *number < -1 {
		v.report(field, "must be -1 (any) or above, got %d", *number)
	}
}

func (v *validator) memoryLimits(memory *specs.LinuxMemory) {
	if memory == nil {
		return
	}
	const field = "linux.resources.memory"
	v.limit(field+".limit", memory.Limit)
	v.limit(field+".reservation", memory.Reservation)
	v.limit(field+".swap", memory.Swap)
	if memory.Swappiness != nil && *memory.Swappiness > maxSwappiness {
		v.report(field+".swappiness", "must be from 0 to %d, got %d", maxSwappiness, *memory.Swappiness)
	}
	v.swapLimit(field+".swap", memory)
}

// swapLimit checks memory and swap together: swap is the limit of both, so it
// needs a memory limit, and cannot be below it. 0 means unset, -1 no limit.
func (v *validator) swapLimit(field string, memory *specs.LinuxMemory) {
	if memory.Swap == nil || *memory.Swap <= 0 {
		return
	}
	switch swap, limit := *memory.Swap, valueOf(memory.Limit); {
	case limit == 0:
		v.report(field, "unable to set swap limit without memory limit")
	case limit > swap:
		v.report(field, "memory+swap limit should be >= memory limit (%d), got %d", limit, swap)
	}
}

// kernelMemory warns about limits that are without effect since Linux 5.11 and
// on cgroup v2.
func (v *validator) kernelMemory() {
	if v.linux.Resources == nil || v.linux.Resources.Memory == nil {
		return
	}
	const field = "linux.resources.memory"
	memory := v.linux.Resources.Memory
	if valueOf(memory.Kernel) != 0 { //nolint:staticcheck // deprecated for this reason
		v.report(field+".kernel", "has no effect: kernels have no such limit any more")
	}
	if valueOf(memory.KernelTCP) != 0 {
		v.report(field+".kernelTCP", "has no effect: kernels have no such limit any more")
	}
}

func (v *validator) limit(field string, limit *int64) {
	if limit != nil && *limit < -1 {
		v.report(field, "must be -1 (no limit) or above, got %d", *limit)
	}
}

func (v *validator) cpuLimits(cpu *specs.LinuxCPU) {
	if cpu == nil {
		return
	}
	const field = "linux.resources.cpu"
	v.list(field+".cpus", cpu.Cpus, maxCPU)
	v.list(field+".mems", cpu.Mems, MaxNUMANode)
	if cpu.Idle != nil && *cpu.Idle != 0 && *cpu.Idle != 1 {
		v.report(field+".idle", "must be 0 or 1, got %d", *cpu.Idle)
	}
	burst, quota := valueOf(cpu.Burst), valueOf(cpu.Quota)
	if quota > 0 && burst > uint64(quota) {
		v.report(field+".burst", "must not be above quota (%d), got %d", quota, burst)
	}
}

func (v *validator) blockIO(io *specs.LinuxBlockIO) {
	if io == nil {
		return
	}
	const field = "linux.resources.blockIO"
	v.blockIOWeight(field+".weight", io.Weight)
	v.blockIOWeight(field+".leafWeight", io.LeafWeight)
	for i, device := range io.WeightDevice {
		field := item(field+".weightDevice", i)
		if device.Weight == nil && device.LeafWeight == nil {
			v.report(field, "must have weight, leafWeight or both")
		}
		v.blockIOWeight(field+".weight", device.Weight)
		v.blockIOWeight(field+".leafWeight", device.LeafWeight)
	}
}

// blockIOWeight checks a weight; 0 means unset.
func (v *validator) blockIOWeight(field string, weight *uint16) {
	if w := valueOf(weight); w != 0 && (w < minBlockIOWeight || w > maxBlockIOWeight) {
		v.report(field, "must be from %d to %d, got %d", minBlockIOWeight, maxBlockIOWeight, w)
	}
}

// hugepages checks the page sizes, which become part of file names
// (hugetlb.2MB.max) and must not lead out of the container's cgroup.
func (v *validator) hugepages(limits []specs.LinuxHugepageLimit) {
	for i, limit := range limits {
		if !isPageSize(limit.Pagesize) {
			v.report(item("linux.resources.hugepageLimits", i)+".pageSize", "must be a size such as \"64KB\", \"2MB\" or \"1GB\", got %q", limit.Pagesize)
		}
	}
}

func isPageSize(size string) bool {
	if len(size) < 3 || !strings.HasSuffix(size, "B") {
		return false
	}
	number, unit := size[:len(size)-2], size[len(size)-2]
	return strings.IndexByte("KMGTPE", unit) >= 0 && number[0] != '0' && strings.Trim(number, "0123456789") == ""
}

func (v *validator) networkPriorities(network *specs.LinuxNetwork) {
	if network == nil {
		return
	}
	for i, priority := range network.Priorities {
		v.interfaceName(item("linux.resources.network.priorities", i)+".name", priority.Name)
	}
}

func (v *validator) rdma(limits map[string]specs.LinuxRdma) {
	for _, name := range sortedKeys(limits) {
		field := element("linux.resources.rdma", name)
		if name == "" || strings.ContainsAny(name, " \t\n") {
			v.report(field, "must be the name of an RDMA device, without white space")
		}
		if limits[name].HcaHandles == nil && limits[name].HcaObjects == nil {
			v.report(field, "must have hcaHandles, hcaObjects or both")
		}
	}
}

// unified checks the file names that are written as they are. Anything but a
// name of a single file could reach another cgroup.
func (v *validator) unified(files map[string]string) {
	const field = "linux.resources.unified"
	if len(files) > 0 && v.host.Creating && v.host.CgroupV1 {
		v.report(field, "needs cgroup v2, but this host controls resources with cgroup v1")
	}
	for _, name := range sortedKeys(files) {
		if !strings.Contains(name, ".") || strings.Contains(name, "/") || strings.Trim(name, ".") == "" {
			v.report(element(field, name), "must be the name of a cgroup file such as \"memory.high\", without slashes")
		}
	}
}

// valueOf returns what a pointer points to, and zero for none.
func valueOf[T any](pointer *T) T {
	if pointer == nil {
		return *new(T)
	}
	return *pointer
}
