package libns

import (
	"errors"
	"fmt"
	"os"

	"github.com/moby/sys/userns"
	"golang.org/x/sys/unix"

	"rt/libns/plan"
)

// setDevices puts the device rules into force: in the lists of the v1 devices
// hierarchy where there is one, otherwise as a program of the unified cgroup.
// Everything that no rule allows is denied, whatever the cgroup allowed before.
//
// In a user namespace no device can be made, and what is there was opened to
// its users on purpose; neither way of setting rules works there. Nor does it
// for an ordinary user, whose containers have a user namespace.
func setDevices(c plan.Cgroup, rules []plan.DeviceRule) error {
	err := enforceDevices(c, rules)
	refused := errors.Is(err, os.ErrPermission) || err == errNoDeviceRules
	if refused && (os.Geteuid() != 0 || userns.RunningInUserNS()) {
		return nil
	}
	return err
}

var errNoDeviceRules = errors.New("there is neither cgroup v2 nor the devices hierarchy of cgroup v1")

func enforceDevices(c plan.Cgroup, rules []plan.DeviceRule) error {
	if directory, ok := c.Controller("devices"); ok {
		return setDeviceList(directory, rules)
	}
	if c.Unified == "" {
		return errNoDeviceRules
	}
	return setDeviceFilter(c.Unified, rules)
}

func setDeviceFilter(directory string, rules []plan.DeviceRule) error {
	cgroup, err := unix.Open(directory, unix.O_RDONLY|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	if err != nil {
		return &os.PathError{Op: "open", Path: directory, Err: err}
	}
	defer unix.Close(cgroup)
	filter := deviceFilter(rules)
	program, err := loadDeviceFilter(filter)
	if errors.Is(err, unix.EPERM) && allowMemoryLock() == nil {
		program, err = loadDeviceFilter(filter)
	}
	if err != nil {
		return fmt.Errorf("bpf(BPF_PROG_LOAD): %w", err)
	}
	defer unix.Close(program)
	return attachDeviceFilter(cgroup, program)
}
