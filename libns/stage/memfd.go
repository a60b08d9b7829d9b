package stage

import (
	"errors"
	"fmt"
	"os"
	"syscall"

	"golang.org/x/sys/unix"
)

// Name is what the init stage's memory is called: its /proc/PID/exe is a link to
// "/memfd:rt-init (deleted)".
const Name = "rt-init"

// Seal puts image into a file that nobody can change any more, and gives its
// descriptor, to be executed as /proc/self/fd/N and closed by the caller. The
// container sees it as its /proc/self/exe: were it the runtime's own binary,
// root in the container could overwrite that (CVE-2019-5736).
//
// The file is a sealed memfd. Where the administrator forbids executing those
// (sysctl vm.memfd_noexec=2, Linux 6.3), it is a file without a name in dir or,
// if programs cannot be executed from there, in another temporary directory.
func Seal(image []byte, dir string) (*os.File, error) {
	file, err := sealedMemory(image)
	if errors.Is(err, unix.EACCES) {
		return namelessFile(image, dir)
	}
	return file, err
}

// sealedMemory is a memfd with image in it, sealed.
func sealedMemory(image []byte) (*os.File, error) {
	fd, err := executableMemory()
	if err != nil {
		return nil, os.NewSyscallError("memfd_create", err)
	}
	file := os.NewFile(uintptr(fd), "/memfd:"+Name)
	if _, err := file.Write(image); err != nil {
		file.Close()
		return nil, err
	}
	const seals = unix.F_SEAL_SEAL | unix.F_SEAL_SHRINK | unix.F_SEAL_GROW | unix.F_SEAL_WRITE
	if _, err := unix.FcntlInt(uintptr(fd), unix.F_ADD_SEALS, seals); err != nil {
		file.Close()
		return nil, fmt.Errorf("seal the init stage: %w", err)
	}
	return file, nil
}

// executableMemory makes an empty memfd. MFD_EXEC, without which newer kernels
// may refuse its execution, is unknown (EINVAL) before Linux 6.3.
func executableMemory() (int, error) {
	const flags = unix.MFD_CLOEXEC | unix.MFD_ALLOW_SEALING
	fd, err := unix.MemfdCreate(Name, flags|unix.MFD_EXEC)
	if errors.Is(err, unix.EINVAL) {
		return unix.MemfdCreate(Name, flags)
	}
	return fd, err
}

// namelessFile is a read-only file without a name, with image in it, in the
// first directory from which programs may be executed.
func namelessFile(image []byte, dir string) (*os.File, error) {
	for _, dir := range []string{dir, "/dev/shm", "/var/tmp"} {
		if executable(dir) {
			return namelessFileIn(image, dir)
		}
	}
	return nil, fmt.Errorf("no place for the init stage: vm.memfd_noexec forbids executable memory, and %s, /dev/shm and /var/tmp are mounted noexec", dir)
}

// executable reports whether dir is on a mount without noexec.
func executable(dir string) bool {
	var s unix.Statfs_t
	return unix.Statfs(dir, &s) == nil && s.Flags&unix.ST_NOEXEC == 0
}

func namelessFileIn(image []byte, dir string) (*os.File, error) {
	// A process forked while the file is open for writing would inherit that
	// descriptor and, until it executes something, make our execve fail with
	// ETXTBSY.
	syscall.ForkLock.RLock()
	defer syscall.ForkLock.RUnlock()
	writable, err := os.OpenFile(dir, os.O_WRONLY|unix.O_TMPFILE|os.O_EXCL, 0o500)
	if err != nil {
		return nil, err
	}
	defer writable.Close()
	if _, err := writable.Write(image); err != nil {
		return nil, err
	}
	// The umask may have taken bits away.
	if err := writable.Chmod(0o500); err != nil {
		return nil, err
	}
	return os.Open(fmt.Sprintf("/proc/self/fd/%d", writable.Fd()))
}
