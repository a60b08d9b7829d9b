package libns

import (
	"errors"
	"fmt"
	"os"
	"strconv"
	"syscall"

	specs "github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"

	"rt/libns/plan"
	"rt/libns/stage"
	"rt/spec"
)

// makeIDMapping makes the user namespace that a mapping is. What is kept of it
// is a descriptor: the process that it takes to make one is gone on return.
func (d *driver) makeIDMapping(a plan.MakeIDMapping) error {
	holder, letGo, err := startHolder(d.request.Dir)
	if err != nil {
		return err
	}
	defer holder.kill()
	defer letGo.Close()
	if err := writeIDMap(holder.pid, "uid_map", a.UIDs); err != nil {
		return &fieldError{a.Mount + ".uidMappings", err}
	}
	if err := writeIDMap(holder.pid, "gid_map", a.GIDs); err != nil {
		return &fieldError{a.Mount + ".gidMappings", err}
	}
	namespace, err := userNamespace(holder.pid)
	if err != nil {
		return err
	}
	d.mappings = append(d.mappings, namespace)
	return nil
}

// startHolder starts a process in a new user namespace that does nothing. It
// ends by itself when the pipe is closed, so that it does not outlive this
// process, however this process ends. dir is as for [stage.Seal].
func startHolder(dir string) (holder *child, letGo *os.File, err error) {
	image, err := stage.Assemble(plan.ForHolder())
	if err != nil {
		return nil, nil, err
	}
	file, err := stage.Seal(image, dir)
	if err != nil {
		return nil, nil, err
	}
	defer file.Close()
	theirs, letGo, err := os.Pipe()
	if err != nil {
		return nil, nil, err
	}
	defer theirs.Close()
	holder = &child{pidfd: -1}
	holder.pid, err = syscall.ForkExec("/proc/self/fd/"+strconv.Itoa(int(file.Fd())), []string{stage.Name}, &syscall.ProcAttr{
		Files: []uintptr{theirs.Fd()},
		Sys:   &syscall.SysProcAttr{Cloneflags: unix.CLONE_NEWUSER, PidFD: &holder.pidfd},
	})
	switch {
	case errors.Is(err, unix.ENOSPC):
		err = fmt.Errorf("clone: %w; sysctl user.max_user_namespaces, or the depth of 32, allows no more user namespaces", err)
	case err != nil:
		err = fmt.Errorf("clone: %w", err)
	}
	if err != nil {
		letGo.Close()
		return nil, nil, err
	}
	return holder, letGo, nil
}

// writeIDMap writes the mapping of a new user namespace, which the kernel takes
// once and whole (user_namespaces(7)). file is uid_map or gid_map.
func writeIDMap(pid int, file string, mappings []specs.LinuxIDMapping) error {
	f, err := os.OpenFile(fmt.Sprintf("/proc/%d/%s", pid, file), os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	defer f.Close()
	_, err = f.WriteString(spec.IDMapText(mappings))
	switch {
	case errors.Is(err, unix.EPERM):
		return fmt.Errorf("write %s: %w; the runtime's own user namespace must have all of the ids, and the runtime be privileged there", file, err)
	case err != nil:
		return fmt.Errorf("write %s: %w", file, err)
	}
	return nil
}

// userNamespace gives a descriptor of the user namespace of a process.
func userNamespace(pid int) (*os.File, error) {
	return os.Open(fmt.Sprintf("/proc/%d/ns/user", pid))
}

// mapMount gives the detached mount that the init stage sent the ids of a
// mapping.
func (d *driver) mapMount(a plan.MapMount, fds []int) error {
	if len(fds) != 1 {
		return errors.New("the init stage sent no mount")
	}
	mapping, err := d.mapping(a.Mapping)
	if err != nil {
		return err
	}
	if a.Mapping == 0 {
		defer mapping.Close()
	}
	flags := uint(unix.AT_EMPTY_PATH)
	if a.Recursive {
		flags |= unix.AT_RECURSIVE
	}
	err = unix.MountSetattr(fds[0], "", flags, &unix.MountAttr{Attr_set: unix.MOUNT_ATTR_IDMAP, Userns_fd: uint64(mapping.Fd())})
	if err != nil {
		return fmt.Errorf("mount_setattr(MOUNT_ATTR_IDMAP): %w%s", err, whyNotMapped(err, fds[0], a.Recursive))
	}
	return nil
}

// mapping gives the user namespace of a number in the plan. That of the
// container, 0, is the caller's to close.
func (d *driver) mapping(number int) (*os.File, error) {
	if number == 0 {
		return userNamespace(d.child.pid)
	}
	return d.mappings[number-1], nil
}

// whyNotMapped says what an errno of mount_setattr(2) means for a mount.
func whyNotMapped(err error, mount int, recursive bool) string {
	switch {
	case errors.Is(err, unix.EPERM):
		return "; the source is id-mapped already, or its filesystem belongs to a user namespace in which the runtime has no CAP_SYS_ADMIN"
	case errors.Is(err, unix.EINVAL) && recursive:
		return "; a filesystem of the source or below it has no id-mapped mounts on this kernel: " + filesystemAt(mount) + " is the source's"
	case errors.Is(err, unix.EINVAL):
		return "; the source's filesystem has no id-mapped mounts on this kernel: it is " + filesystemAt(mount)
	}
	return ""
}

// filesystemAt names the filesystem that a descriptor is on, and says since when
// the kernel has id-mapped mounts of it, if it has (mount_setattr(2), "ID-mapped
// mounts").
func filesystemAt(fd int) string {
	var s unix.Statfs_t
	if err := unix.Fstatfs(fd, &s); err != nil {
		return "unknown"
	}
	for _, f := range filesystems {
		switch {
		case f.magic != s.Type:
		case f.since == "":
			return f.name + ", which has none on any"
		default:
			return f.name + ", which has them since Linux " + f.since
		}
	}
	return fmt.Sprintf("of type %#x", s.Type)
}

// filesystems are common ones, with the first kernel that maps their ids; ""
// for those of which none does.
var filesystems = []struct {
	magic int64
	name  string
	since string
}{
	{unix.BTRFS_SUPER_MAGIC, "btrfs", "5.15"},
	{unix.CEPH_SUPER_MAGIC, "ceph", "6.7"},
	{unix.CGROUP2_SUPER_MAGIC, "cgroup2", ""},
	{unix.DEVPTS_SUPER_MAGIC, "devpts", ""},
	{unix.EROFS_SUPER_MAGIC_V1, "erofs", "5.19"},
	{unix.EXT4_SUPER_MAGIC, "ext4", "5.12"},
	{unix.F2FS_SUPER_MAGIC, "f2fs", "5.18"},
	{unix.FUSE_SUPER_MAGIC, "fuse", "6.12, if its server agrees"},
	{unix.HUGETLBFS_MAGIC, "hugetlbfs", "6.9"},
	{unix.MSDOS_SUPER_MAGIC, "vfat", "5.12"},
	{unix.NFS_SUPER_MAGIC, "nfs", ""},
	{unix.OVERLAYFS_SUPER_MAGIC, "overlay", ""},
	{unix.PROC_SUPER_MAGIC, "proc", ""},
	{unix.SMB2_SUPER_MAGIC, "cifs", ""},
	{unix.SQUASHFS_MAGIC, "squashfs", "6.2"},
	{unix.SYSFS_MAGIC, "sysfs", ""},
	{unix.TMPFS_MAGIC, "tmpfs", "6.3"},
	{unix.V9FS_MAGIC, "9p", ""},
	{unix.XFS_SUPER_MAGIC, "xfs", "5.12"},
}
