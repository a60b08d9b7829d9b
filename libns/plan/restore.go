package plan

import (
	"fmt"
	"path"
	"path/filepath"
	"strings"

	specs "github.com/opencontainers/runtime-spec/specs-go"

	"rt/libns/kernel"
	"rt/spec"
)

// ForRestore compiles the plan of a container whose processes criu(8) makes out
// of images. It has no container side: where ForCreate has the init stage, criu
// stands, and waits twice for the host: when the namespaces are there, and when
// the processes are, before they go on.
func ForRestore(r *Request) (*Plan, error) {
	c := newCompiler(r)
	_, c.mapped = c.namespace(specs.UserNamespace)
	if err := c.refuseImpossibleLimits(); err != nil {
		return nil, err
	}
	mounts, err := ExternalMounts(r)
	if err != nil {
		return nil, err
	}
	mounts = append(mounts, c.maskedByRunc()...)
	c.makeCgroup()
	c.host("", MakeNotifySocket{})
	c.restoreMountPoints()
	c.host("root.path", LaunchCRIU{Root: c.Config.RootPath(), IntoCgroup: c.birthplace()})
	c.startUnit()
	c.joinCgroup()
	c.joinRDT()
	c.delegateCgroup()

	c.host("", RestoreProcesses{Mounts: mounts, Namespaces: ExternalNamespaces(r.Config), ConsoleSocket: c.ConsoleSocket})
	c.hooks(Prestart)
	c.hooks(CreateRuntime)
	c.host("", AwaitRestored{})
	// Limits are for the program: criu, in the same cgroup, may need more.
	c.setResources(whileMounting)
	c.setResources(afterMounting)
	c.host("", SaveState{Forked: true})
	if c.PidfdSocket != "" {
		c.host("", SendPidfd{Socket: c.PidfdSocket, Word: "standard"})
	}
	if c.PidFile != "" {
		c.host("", WritePidFile{Path: c.PidFile})
	}
	c.host("", ResumeRestored{})
	return c.finish()
}

// ExternalMount is a mount of a container that has its source outside, so that
// an image has only its name.
type ExternalMount struct {
	Field  string
	Name   string // the destination in the container, as the config has it
	Source string // path on the host
}

// ExternalMounts lists the mounts that criu neither saves nor restores the
// contents of. Images know them by their destination.
//
// criu writes name and source in one word, NAME]:SOURCE. A destination with "]:"
// in it would so choose the source, any path of the host, and is refused.
func ExternalMounts(r *Request) ([]ExternalMount, error) {
	c := newCompiler(r)
	var mounts []ExternalMount
	for _, m := range c.mountEntries() {
		switch name := "/" + m.path; {
		case m.options.Bind:
			mounts = append(mounts, ExternalMount{m.field, name, c.Config.BindSource(m.Mount)})
		case m.Type == "cgroup" || m.Type == "cgroup2":
			mounts = append(mounts, c.externalCgroups(m.field, name)...)
		}
	}
	mounts = append(mounts, ExternalMount{"", "/" + notifyDirectory, filepath.Join(c.Dir, "notify")})
	at := map[string]int{}
	list := mounts[:0]
	for _, m := range mounts {
		if err := CheckExternalName(m.Name); err != nil {
			return nil, fmt.Errorf("%s.destination: %w", m.Field, err)
		}
		if i, covered := at[m.Name]; covered {
			list[i] = m
			continue
		}
		at[m.Name] = len(list)
		list = append(list, m)
	}
	return list, nil
}

// maskedByRunc is what masks files in images of runc's: the host's null device,
// under its own name, where rt's are masked by the container's. criu ignores a
// mount that the images do not have.
func (c *compiler) maskedByRunc() []ExternalMount {
	if c.Config.Linux == nil || len(c.Config.Linux.MaskedPaths) == 0 {
		return nil
	}
	return []ExternalMount{{"linux.maskedPaths", "/dev/null", "/dev/null"}}
}

// CheckExternalName refuses the name of an external mount that criu would take
// for a name and a source.
func CheckExternalName(name string) error {
	if strings.Contains(name, "]:") {
		return fmt.Errorf("%q contains \"]:\", behind which criu would look for another source of the mount", name)
	}
	return nil
}

// externalCgroups are the mounts of cgroup hierarchies outside of a cgroup
// namespace, which are bind mounts (see cgroupMount).
func (c *compiler) externalCgroups(field, name string) []ExternalMount {
	if c.hasCgroupNamespace() {
		return nil
	}
	if c.Facts.Cgroup == kernel.CgroupUnified {
		return []ExternalMount{{field, name, c.Facts.Unified}}
	}
	var mounts []ExternalMount
	for i, h := range c.Facts.Hierarchies {
		mounts = append(mounts, ExternalMount{field, path.Join(name, filepath.Base(h.Mount)), c.hierarchyDirectory(i)})
	}
	if c.Facts.Cgroup == kernel.CgroupHybrid {
		mounts = append(mounts, ExternalMount{field, path.Join(name, filepath.Base(c.Facts.Unified)), c.unifiedDirectory()})
	}
	return mounts
}

// ExternalNamespaces are the namespaces that the config names by path. criu puts
// a process back into them and saves nothing of what is in them.
func ExternalNamespaces(config *spec.Config) []specs.LinuxNamespace {
	var list []specs.LinuxNamespace
	if config.Linux == nil {
		return nil
	}
	for _, ns := range config.Linux.Namespaces {
		if ns.Path != "" {
			list = append(list, ns)
		}
	}
	return list
}

// restoreMountPoints makes the mount points that the root filesystem lacks: the
// bundle need not be the one that the container was created from.
func (c *compiler) restoreMountPoints() {
	if !c.hasMountNamespace() {
		return
	}
	entries := c.mountEntries()
	for i, m := range entries {
		point := MakeRestorePoint{Root: c.Config.RootPath(), Path: m.path, Owner: c.mappedRoot()}
		if m.options.Bind {
			point.Like = c.Config.BindSource(m.Mount)
		}
		if m.options.Remount || !c.findCover(&point, entries[:i]) {
			continue
		}
		c.host(m.field, point)
	}
}

// findCover finds the directory of the host that a mount point is below: that of the
// mount that covers it. In any other than a bind mount criu restores it.
func (c *compiler) findCover(point *MakeRestorePoint, earlier []mountEntry) bool {
	for i := len(earlier) - 1; i >= 0; i-- {
		rest, below := strings.CutPrefix(point.Path, earlier[i].path+"/")
		if !below {
			continue
		}
		point.Root, point.Path = c.Config.BindSource(earlier[i].Mount), rest
		return earlier[i].options.Bind
	}
	return true
}

// MakeRestorePoint makes a mount point if it is missing: a directory, or a file
// if that is what Like, a path of the host, is.
type MakeRestorePoint struct {
	Root  string // directory of the host that Path is below
	Path  string
	Like  string // "" for a directory
	Owner Owner
}

// Title names the action.
func (a MakeRestorePoint) Title() string {
	return "make the mount point " + path.Join(a.Root, a.Path) + " if it is missing"
}

// Holds is false: there is no container yet.
func (MakeRestorePoint) Holds() bool { return false }

// LaunchCRIU starts criu in the container's cgroup, and in a mount namespace
// that goes away with it, in which the root filesystem is a mount, as criu needs
// it to be.
type LaunchCRIU struct {
	Root       string
	IntoCgroup string // directory of the cgroup v2 that it is born in, or ""
}

// Title names the action.
func (a LaunchCRIU) Title() string {
	title := "start criu, where " + a.Root + " is a mount"
	if a.IntoCgroup != "" {
		title += ", in cgroup " + a.IntoCgroup
	}
	return title
}

// Holds is false: there is no container yet.
func (LaunchCRIU) Holds() bool { return false }

// RestoreProcesses tells criu what to restore, and returns when the namespaces
// are there and the first process is known.
type RestoreProcesses struct {
	Mounts        []ExternalMount
	Namespaces    []specs.LinuxNamespace
	ConsoleSocket string // where the master of a restored terminal goes; "" = the foreground
}

// Title names the action.
func (RestoreProcesses) Title() string { return "have criu restore the namespaces" }

// Holds is false: criu waits by itself.
func (RestoreProcesses) Holds() bool { return false }

// AwaitRestored lets criu go on until all processes are restored, and stand.
type AwaitRestored struct{}

// Title names the action.
func (AwaitRestored) Title() string { return "have criu restore the processes" }

// Holds is false: criu waits by itself.
func (AwaitRestored) Holds() bool { return false }

// ResumeRestored lets the restored processes run.
type ResumeRestored struct{}

// Title names the action.
func (ResumeRestored) Title() string { return "let the restored processes go on" }

// Holds is false: it is the end of the plan.
func (ResumeRestored) Holds() bool { return false }
