package kernel

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"

	"golang.org/x/sys/unix"
)

// cgroupRoot is where every distribution mounts the cgroup hierarchies.
const cgroupRoot = "/sys/fs/cgroup"

// Probe finds the facts about the running kernel out. It works without
// privileges and parses nothing whose size depends on what the host does.
func Probe() (Facts, error) {
	f := probeProcess()
	f.ProbeSeccomp()
	f.KCore = unix.Access("/proc/kcore", unix.F_OK) == nil
	if err := f.probeCgroups(); err != nil {
		return Facts{}, fmt.Errorf("find the cgroup hierarchies: %w", err)
	}
	return f, nil
}

// ProbeProcess finds out what one more process in a container depends on. Of the
// cgroup hierarchies that is where the unified one is mounted. About filters of system
// calls it does not ask: see [Facts.ProbeSeccomp].
func ProbeProcess() (Facts, error) {
	f := probeProcess()
	for _, mount := range []string{cgroupRoot, cgroupRoot + "/unified"} {
		if magic, err := filesystem(mount); err == nil && magic == unix.CGROUP2_SUPER_MAGIC {
			f.Unified = mount
			return f, nil
		}
	}
	// It has another name, or is not there.
	if err := f.probeCgroups(); err != nil {
		return Facts{}, fmt.Errorf("find the cgroup hierarchies: %w", err)
	}
	return f, nil
}

func probeProcess() Facts {
	f := Facts{
		EUID:          os.Geteuid(),
		EGID:          os.Getegid(),
		UserNamespace: inUserNamespace(),
		LastCap:       lastCap(),
		Capabilities:  permitted(),
		Arch:          runtime.GOARCH,
	}
	f.probeMountSetattr()
	return f
}

// inUserNamespace tells the host's user namespace by its inode number, which
// is the same on every kernel (USER_NS_INIT_INO of linux/nsfs.h).
func inUserNamespace() bool {
	const initial = 0xeffffffd
	var st unix.Stat_t
	return unix.Stat("/proc/self/ns/user", &st) == nil && st.Ino != initial
}

// lastCap is the highest capability that the bounding set knows
// (PR_CAPBSET_READ of prctl(2) fails beyond it).
func lastCap() int {
	n := unix.CAP_LAST_CAP
	for ; n < 63 && known(n+1); n++ {
	}
	for ; n > 0 && !known(n); n-- {
	}
	return n
}

func known(capability int) bool {
	_, err := unix.PrctlRetInt(unix.PR_CAPBSET_READ, uintptr(capability), 0, 0, 0)
	return err == nil
}

// permitted is this process's permitted capability set (capget(2)).
func permitted() uint64 {
	header := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
	var data [2]unix.CapUserData
	if unix.Capget(&header, &data[0]) != nil {
		return 0
	}
	return uint64(data[0].Permitted) | uint64(data[1].Permitted)<<32
}

// ProbeSeccomp asks for a filter with each flag and without a program: a kernel
// that knows the flag complains about the program's address.
func (f *Facts) ProbeSeccomp() {
	const waitKillable = 0x20 // SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV, Linux 5.19
	for _, flags := range []uintptr{
		unix.SECCOMP_FILTER_FLAG_TSYNC, unix.SECCOMP_FILTER_FLAG_LOG, unix.SECCOMP_FILTER_FLAG_SPEC_ALLOW,
		unix.SECCOMP_FILTER_FLAG_NEW_LISTENER, waitKillable | unix.SECCOMP_FILTER_FLAG_NEW_LISTENER,
	} {
		_, _, err := unix.Syscall(unix.SYS_SECCOMP, unix.SECCOMP_SET_MODE_FILTER, flags, 0)
		if err == unix.EFAULT {
			f.SeccompFlags |= uint(flags)
		}
	}
}

// probeMountSetattr asks for a flag on a descriptor that cannot be valid. Who
// may not mount is told that first: then the flag is believed to be known.
func (f *Facts) probeMountSetattr() {
	err := unix.MountSetattr(-1, "", unix.AT_EMPTY_PATH, &unix.MountAttr{Attr_set: unix.MOUNT_ATTR_NOSYMFOLLOW})
	f.MountSetattr = err != unix.ENOSYS
	f.NoSymfollow = f.MountSetattr && err != unix.EINVAL
}

func (f *Facts) probeCgroups() error {
	f.Cgroup = CgroupNone
	magic, err := filesystem(cgroupRoot)
	if err != nil {
		return nil // nothing is mounted: not an error before something needs it
	}
	own, err := ownCgroups()
	if err != nil {
		return err
	}
	switch magic {
	case unix.CGROUP2_SUPER_MAGIC:
		f.Cgroup, f.Unified, f.UnifiedSelf = CgroupUnified, cgroupRoot, own[""]
		controllers, err := ReadFile(filepath.Join(cgroupRoot, "cgroup.controllers"))
		f.UnifiedControllers = strings.Fields(string(controllers))
		return err
	case unix.TMPFS_MAGIC:
		return f.probeHierarchies(own)
	}
	return nil
}

// probeHierarchies looks at the directories of a v1 or hybrid layout. Links in
// it are further names of hierarchies that hold several controllers.
func (f *Facts) probeHierarchies(own map[string]string) error {
	entries, err := os.ReadDir(cgroupRoot)
	if err != nil {
		return err
	}
	aliases := map[string][]string{}
	for _, e := range entries {
		path := filepath.Join(cgroupRoot, e.Name())
		if e.Type()&os.ModeSymlink != 0 {
			if target, err := os.Readlink(path); err == nil {
				aliases[target] = append(aliases[target], e.Name())
			}
			continue
		}
		switch magic, err := filesystem(path); {
		case err != nil:
		case magic == unix.CGROUP2_SUPER_MAGIC:
			f.Unified, f.UnifiedSelf = path, own[""]
		case magic == unix.CGROUP_SUPER_MAGIC:
			if h, ok := hierarchy(path, own); ok {
				f.Hierarchies = append(f.Hierarchies, h)
			}
		}
	}
	for i, h := range f.Hierarchies {
		f.Hierarchies[i].Aliases = aliases[filepath.Base(h.Mount)]
	}
	switch {
	case len(f.Hierarchies) == 0:
	case f.Unified != "":
		f.Cgroup = CgroupHybrid
	default:
		f.Cgroup = CgroupV1
	}
	return nil
}

// hierarchy describes the v1 hierarchy mounted on path, which is named after
// its controllers, or its name if it has none.
func hierarchy(path string, own map[string]string) (Hierarchy, bool) {
	name := filepath.Base(path)
	if self, ok := own["name="+name]; ok {
		return Hierarchy{Mount: path, Name: name, Self: self}, true
	}
	wanted := strings.Split(name, ",")
	slices.Sort(wanted)
	for key, self := range own {
		controllers := strings.Split(key, ",")
		sorted := slices.Sorted(slices.Values(controllers))
		if slices.Equal(sorted, wanted) {
			return Hierarchy{Mount: path, Controllers: controllers, Self: self}, true
		}
	}
	return Hierarchy{}, false
}

// ownCgroups reads /proc/self/cgroup (cgroups(7)): controllers, or "" for the
// unified hierarchy → path.
func ownCgroups() (map[string]string, error) {
	data, err := ReadFile("/proc/self/cgroup")
	if err != nil {
		return nil, err
	}
	own := map[string]string{}
	for line := range strings.Lines(string(data)) {
		parts := strings.SplitN(strings.TrimSuffix(line, "\n"), ":", 3)
		if len(parts) == 3 {
			own[parts[1]] = parts[2]
		}
	}
	return own, nil
}

func filesystem(path string) (int64, error) {
	var s unix.Statfs_t
	if err := unix.Statfs(path, &s); err != nil {
		return 0, err
	}
	return s.Type, nil
}
