package libns

import (
	"errors"
	"fmt"
	"os"

	"golang.org/x/sys/unix"

	"rt/libns/plan"
)

// setTimeOffsets writes the offsets of the time namespace that a process made
// for its children (time_namespaces(7), "/proc/PID/timens_offsets").
func setTimeOffsets(pid int, a plan.SetTimeOffsets) error {
	err := os.WriteFile(fmt.Sprintf("/proc/%d/timens_offsets", pid), []byte(a.Text()), 0)
	if errors.Is(err, unix.ERANGE) {
		return fmt.Errorf("%w: no clock may show a time before 0, or one after 146 years", err)
	}
	return err
}
