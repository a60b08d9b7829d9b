package libns

import (
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"runtime"
	"unsafe"

	"golang.org/x/sys/unix"
)

// bpfAttributes is the argument of bpf(2), union bpf_attr. It is larger than
// any kernel's: Linux 6.17 to 7.1 write to the end of theirs whatever size
// they were told, over whatever lies behind a shorter one.
type bpfAttributes [256]byte

func (a *bpfAttributes) put32(offset int, value uint32) {
	binary.LittleEndian.PutUint32(a[offset:], value)
}

func (a *bpfAttributes) get32(offset int) uint32 {
	return binary.LittleEndian.Uint32(a[offset:])
}

// point stores the address of data, which the pinner keeps in place.
func (a *bpfAttributes) point(offset int, pinner *runtime.Pinner, data unsafe.Pointer) {
	pinner.Pin(data)
	binary.LittleEndian.PutUint64(a[offset:], uint64(uintptr(data)))
}

func bpf(command int, attributes *bpfAttributes) (int, error) {
	n, _, errno := unix.Syscall(unix.SYS_BPF, uintptr(command), uintptr(unsafe.Pointer(attributes)), unsafe.Sizeof(*attributes))
	if errno != 0 {
		return -1, errno
	}
	return int(n), nil
}

// loadDeviceFilter gives the kernel a program, and the caller its descriptor.
func loadDeviceFilter(program []instruction) (int, error) {
	const retries = 30 // a signal interrupts the verifier with EAGAIN
	var err error
	for range retries {
		var fd int
		if fd, err = loadOnce(program); !errors.Is(err, unix.EAGAIN) {
			return fd, err
		}
	}
	return -1, err
}

func loadOnce(program []instruction) (int, error) {
	const (
		kind         = 0
		instructions = 4
		code         = 8
		license      = 16
		name         = 48
	)
	bytes, terms := encode(program), []byte("Apache-2.0\x00")
	var pinner runtime.Pinner
	defer pinner.Unpin()
	var a bpfAttributes
	a.put32(kind, unix.BPF_PROG_TYPE_CGROUP_DEVICE)
	a.put32(instructions, uint32(len(program)))
	a.point(code, &pinner, unsafe.Pointer(&bytes[0]))
	a.point(license, &pinner, unsafe.Pointer(&terms[0]))
	copy(a[name:], "rt_devices")
	return bpf(unix.BPF_PROG_LOAD, &a)
}

// attachDeviceFilter has the kernel ask the program about the processes of a
// cgroup, and no longer any that was attached to the same cgroup before: one
// that a container of the same cgroup left behind could forbid what this one
// is allowed. Programs of cgroups above are asked in any case. At no moment is
// there none.
func attachDeviceFilter(cgroup, program int) error {
	old, err := attachedFilters(cgroup)
	if err != nil {
		return fmt.Errorf("bpf(BPF_PROG_QUERY): %w", err)
	}
	if err := changeAttachment(unix.BPF_PROG_ATTACH, cgroup, program); err != nil {
		return fmt.Errorf("bpf(BPF_PROG_ATTACH): %w", err)
	}
	for _, id := range old {
		if err := detachFilter(cgroup, id); err != nil {
			return fmt.Errorf("bpf(BPF_PROG_DETACH): %w", err)
		}
	}
	return nil
}

func changeAttachment(command, cgroup, program int) error {
	const (
		target     = 0
		attached   = 4
		attachType = 8
		flags      = 12
	)
	var a bpfAttributes
	a.put32(target, uint32(cgroup))
	a.put32(attached, uint32(program))
	a.put32(attachType, unix.BPF_CGROUP_DEVICE)
	if command == unix.BPF_PROG_ATTACH {
		a.put32(flags, unix.BPF_F_ALLOW_MULTI)
	}
	_, err := bpf(command, &a)
	return err
}

// attachedFilters lists the ids of the programs that are attached to a cgroup
// itself.
func attachedFilters(cgroup int) ([]uint32, error) {
	const (
		target     = 0
		attachType = 4
		ids        = 16
		count      = 24
	)
	found := make([]uint32, 64) // the kernel allows no more
	var pinner runtime.Pinner
	defer pinner.Unpin()
	var a bpfAttributes
	a.put32(target, uint32(cgroup))
	a.put32(attachType, unix.BPF_CGROUP_DEVICE)
	a.point(ids, &pinner, unsafe.Pointer(&found[0]))
	a.put32(count, uint32(len(found)))
	_, err := bpf(unix.BPF_PROG_QUERY, &a)
	return found[:min(int(a.get32(count)), len(found))], err
}

func detachFilter(cgroup int, id uint32) error {
	var a bpfAttributes
	a.put32(0, id)
	program, err := bpf(unix.BPF_PROG_GET_FD_BY_ID, &a)
	if errors.Is(err, unix.ENOENT) {
		return nil // gone meanwhile
	}
	if err != nil {
		return err
	}
	defer unix.Close(program)
	return changeAttachment(unix.BPF_PROG_DETACH, cgroup, program)
}

// allowMemoryLock lifts the limit that kernels before 5.11 count the memory of
// programs against. The container was cloned before and does not have it.
func allowMemoryLock() error {
	unlimited := unix.Rlimit{Cur: unix.RLIM_INFINITY, Max: unix.RLIM_INFINITY}
	return os.NewSyscallError("prlimit", unix.Prlimit(0, unix.RLIMIT_MEMLOCK, &unlimited, nil))
}
