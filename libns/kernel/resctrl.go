package kernel

import "golang.org/x/sys/unix"

// ResctrlMount is where the control of processor resources (Intel RDT, AMD QoS)
// is mounted, if it is.
const ResctrlMount = "/sys/fs/resctrl"

// ProbeResctrl finds out whether it is.
func (f *Facts) ProbeResctrl() {
	magic, err := filesystem(ResctrlMount)
	f.Resctrl = err == nil && magic == unix.RDTGROUP_SUPER_MAGIC
}
