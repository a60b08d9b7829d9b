package libns

import (
	"errors"
	"maps"
	"slices"

	specs "github.com/opencontainers/runtime-spec/specs-go"

	"rt/libns/kernel"
	"rt/libns/plan"
)

// Update is a change of a container's limits.
type Update struct {
	// Result is what all limits are after the change.
	Result *specs.LinuxResources
	// Set are the limits that have to be set for that.
	Set *specs.LinuxResources
}

// NewUpdate works out a change: limits that it does not name stay as they are.
// Zero names none, as in a config, except where zero is a limit. Only memory,
// processors, pids, block I/O and unified files can be changed.
func NewUpdate(old, change *specs.LinuxResources) *Update {
	u := &Update{Result: new(specs.LinuxResources), Set: new(specs.LinuxResources)}
	*u.Result = *old
	u.memory(old.Memory, change.Memory)
	u.cpu(old.CPU, change.CPU)
	u.blockIO(old.BlockIO, change.BlockIO)
	if change.Pids != nil && change.Pids.Limit != nil {
		u.Result.Pids, u.Set.Pids = change.Pids, change.Pids
	}
	if len(change.Unified) > 0 {
		u.Result.Unified = maps.Clone(old.Unified)
		if u.Result.Unified == nil {
			u.Result.Unified = map[string]string{}
		}
		maps.Copy(u.Result.Unified, change.Unified)
		u.Set.Unified = change.Unified
	}
	return u
}

// replace takes a value over unless it is zero, and reports whether it did.
func replace[T comparable](value **T, by *T) bool {
	if by == nil || *by == *new(T) {
		return false
	}
	*value = by
	return true
}

// replaceGiven takes a value over for which zero is one.
func replaceGiven[T any](value **T, by *T) {
	if by != nil {
		*value = by
	}
}

func (u *Update) memory(old, change *specs.LinuxMemory) {
	if change == nil {
		return
	}
	result, set := new(specs.LinuxMemory), new(specs.LinuxMemory)
	if old != nil {
		*result = *old
	}
	limits := replace(&result.Limit, change.Limit)
	if replace(&result.Swap, change.Swap) {
		limits = true
	} else if value(change.Limit) == -1 && result.Swap != nil {
		result.Swap = change.Limit // no limit of memory, but one of both together, cannot be
	}
	if limits {
		// Each of the two is set with a view to the other.
		set.Limit, set.Swap = result.Limit, result.Swap
	}
	for _, m := range []*specs.LinuxMemory{result, set} {
		replace(&m.Reservation, change.Reservation)
		replaceGiven(&m.Swappiness, change.Swappiness)
	}
	replaceGiven(&result.CheckBeforeUpdate, change.CheckBeforeUpdate)
	set.CheckBeforeUpdate = result.CheckBeforeUpdate
	u.Result.Memory, u.Set.Memory = result, set
}

func (u *Update) cpu(old, change *specs.LinuxCPU) {
	if change == nil {
		return
	}
	result, set := new(specs.LinuxCPU), new(specs.LinuxCPU)
	if old != nil {
		*result = *old
	}
	quota, period := replace(&result.Quota, change.Quota), replace(&result.Period, change.Period)
	if quota || period {
		// On cgroup v2 they are one file.
		set.Quota, set.Period = result.Quota, result.Period
	}
	if change.Idle != nil && value(change.Shares) == 0 {
		result.Shares = nil // the kernel resets the weight of an idle cgroup
	}
	for _, c := range []*specs.LinuxCPU{result, set} {
		replace(&c.Shares, change.Shares)
		replaceGiven(&c.Burst, change.Burst)
		replaceGiven(&c.Idle, change.Idle)
		replace(&c.RealtimeRuntime, change.RealtimeRuntime)
		replace(&c.RealtimePeriod, change.RealtimePeriod)
		if change.Cpus != "" {
			c.Cpus = change.Cpus
		}
		if change.Mems != "" {
			c.Mems = change.Mems
		}
	}
	u.Result.CPU, u.Set.CPU = result, set
}

func (u *Update) blockIO(old, change *specs.LinuxBlockIO) {
	if change == nil {
		return
	}
	result, set := new(specs.LinuxBlockIO), new(specs.LinuxBlockIO)
	if old != nil {
		*result = *old
	}
	for _, b := range []*specs.LinuxBlockIO{result, set} {
		replace(&b.Weight, change.Weight)
		replace(&b.LeafWeight, change.LeafWeight)
		b.WeightDevice = mergeDevices(b.WeightDevice, change.WeightDevice, func(d specs.LinuxWeightDevice) device { return device{d.Major, d.Minor} })
		b.ThrottleReadBpsDevice = mergeThrottle(b.ThrottleReadBpsDevice, change.ThrottleReadBpsDevice)
		b.ThrottleWriteBpsDevice = mergeThrottle(b.ThrottleWriteBpsDevice, change.ThrottleWriteBpsDevice)
		b.ThrottleReadIOPSDevice = mergeThrottle(b.ThrottleReadIOPSDevice, change.ThrottleReadIOPSDevice)
		b.ThrottleWriteIOPSDevice = mergeThrottle(b.ThrottleWriteIOPSDevice, change.ThrottleWriteIOPSDevice)
	}
	u.Result.BlockIO, u.Set.BlockIO = result, set
}

type device struct{ major, minor int64 }

// mergeDevices puts each entry in the place of the one for the same device, or
// behind the others.
func mergeDevices[T any](list, change []T, of func(T) device) []T {
	list = slices.Clone(list)
	for _, d := range change {
		i := slices.IndexFunc(list, func(other T) bool { return of(other) == of(d) })
		if i < 0 {
			list = append(list, d)
		} else {
			list[i] = d
		}
	}
	return list
}

func mergeThrottle(list, change []specs.LinuxThrottleDevice) []specs.LinuxThrottleDevice {
	return mergeDevices(list, change, func(d specs.LinuxThrottleDevice) device { return device{d.Major, d.Minor} })
}

// Update sets limits of a container that has not stopped, and has them
// remembered. If either fails, the limits are again what they were.
func (c *Container) Update(u *Update, facts kernel.Facts, remember func() error) error {
	if c.Status() == Stopped {
		return ErrNotRunning
	}
	if c.Cgroup.IsZero() {
		return errNoCgroup
	}
	limits := u.Set
	var unit *unitChange
	if c.Cgroup.Unit != nil {
		limits = plan.RoundQuota(limits)
		var err error
		if unit, err = newUnitChange(c.Cgroup, limits, facts); err != nil {
			return err
		}
		defer unit.close()
	}
	before := takeSnapshot(c.Cgroup, limits)
	err := unit.set()
	if err == nil {
		err = setLimits(c.Cgroup, limits)
	}
	if err == nil {
		err = remember()
	}
	if err == nil {
		return nil
	}
	return errors.Join(err, unit.restore(), before.restore())
}
