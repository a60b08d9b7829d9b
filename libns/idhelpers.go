package libns

import (
	"bufio"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	specs "github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"

	"rt/libns/plan"
	"rt/spec"
)

// idHelper is a program that maps ids for ordinary users, and the file in which
// the system gives them ranges (newuidmap(1), subuid(5)).
type idHelper struct {
	program string
	file    string
}

var (
	uidHelper = idHelper{"newuidmap", "/etc/subuid"}
	gidHelper = idHelper{"newgidmap", "/etc/subgid"}
)

// mapByHelpers has newuidmap and newgidmap write the mapping.
func (d *driver) mapByHelpers(a plan.WriteIDMap) error {
	if err := uidHelper.write(d.child.pid, a.UIDs, os.Geteuid()); err != nil {
		return &fieldError{"linux.uidMappings", err}
	}
	if err := gidHelper.write(d.child.pid, a.GIDs, os.Getegid()); err != nil {
		return &fieldError{"linux.gidMappings", err}
	}
	return nil
}

// write runs the helper. own is the id that the caller may map without being
// given it.
func (h idHelper) write(pid int, mappings []specs.LinuxIDMapping, own int) error {
	path, err := h.find()
	if err != nil {
		return err
	}
	args := append([]string{strconv.Itoa(pid)}, strings.Fields(spec.IDMapText(mappings))...)
	output, err := exec.Command(path, args...).CombinedOutput()
	if err == nil {
		return nil
	}
	if reason := h.refusal(mappings, own); reason != "" {
		return errors.New(reason)
	}
	if reason := notPrivileged(path); reason != "" {
		return fmt.Errorf("%s %s", path, reason)
	}
	return fmt.Errorf("%s: %w: %s", h.program, err, strings.TrimSpace(string(output)))
}

// find looks the helper up. Environments that containers are started from often
// have a PATH without it.
func (h idHelper) find() (string, error) {
	for _, directory := range append(filepath.SplitList(os.Getenv("PATH")), "/usr/bin", "/bin", "/usr/local/bin") {
		path := filepath.Join(directory, h.program)
		if filepath.IsAbs(path) && unix.Access(path, unix.X_OK) == nil {
			return path, nil
		}
	}
	return "", fmt.Errorf("an ordinary user maps more than his own id by %s, which is not installed (Debian: package uidmap)", h.program)
}

// notPrivileged says why the helper could not have the right to map ids: it has
// it by the set-user-id bit or by a file capability.
func notPrivileged(path string) string {
	var st unix.Stat_t
	if unix.Stat(path, &st) != nil {
		return ""
	}
	size, err := unix.Getxattr(path, "security.capability", nil)
	if st.Mode&unix.S_ISUID == 0 && (err != nil || size == 0) {
		return "is neither set-user-id nor has file capabilities, and may map no ids"
	}
	var mount unix.Statfs_t
	if unix.Statfs(path, &mount) == nil && mount.Flags&unix.ST_NOSUID != 0 {
		return "is on a file system mounted nosuid, and may map no ids"
	}
	if n, err := unix.PrctlRetInt(unix.PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0); err == nil && n == 1 {
		return "may map no ids, because rt was started with no_new_privs"
	}
	return ""
}

// refusal names the first range that the system's file does not give the caller.
func (h idHelper) refusal(mappings []specs.LinuxIDMapping, own int) string {
	given, err := h.given()
	if err != nil {
		return fmt.Sprintf("%s: %v", h.file, err)
	}
	for i, m := range mappings {
		if m.Size == 1 && int(m.HostID) == own || slices.ContainsFunc(given, func(g specs.LinuxIDMapping) bool {
			return m.HostID >= g.HostID && uint64(m.HostID)+uint64(m.Size) <= uint64(g.HostID)+uint64(g.Size)
		}) {
			continue
		}
		return fmt.Sprintf("entry %d, ids %d to %d of the host: no range of %s gives them to %s, which is what an ordinary user may map, besides his own id",
			i, m.HostID, uint64(m.HostID)+uint64(m.Size)-1, h.file, callerName())
	}
	return ""
}

// given are the ranges of the caller in the system's file: lines of name or
// user id, first id, count (subuid(5)). The groups are a user's, too.
func (h idHelper) given() ([]specs.LinuxIDMapping, error) {
	file, err := os.Open(h.file)
	if errors.Is(err, os.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	defer file.Close()
	names := []string{strconv.Itoa(os.Getuid())}
	if u, err := user.LookupId(names[0]); err == nil {
		names = append(names, u.Username)
	}
	var ranges []specs.LinuxIDMapping
	lines := bufio.NewScanner(file)
	for lines.Scan() {
		parts := strings.Split(lines.Text(), ":")
		if len(parts) != 3 || !slices.Contains(names, parts[0]) {
			continue
		}
		first, errFirst := strconv.ParseUint(parts[1], 10, 32)
		count, errCount := strconv.ParseUint(parts[2], 10, 32)
		if errFirst == nil && errCount == nil {
			ranges = append(ranges, specs.LinuxIDMapping{HostID: uint32(first), Size: uint32(count)})
		}
	}
	return ranges, lines.Err()
}

// callerName is how the caller is called in the system's files.
func callerName() string {
	id := strconv.Itoa(os.Getuid())
	if u, err := user.LookupId(id); err == nil {
		return fmt.Sprintf("%s (user %s)", u.Username, id)
	}
	return "user " + id
}
