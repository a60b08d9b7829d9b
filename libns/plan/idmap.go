package plan

import (
	"fmt"
	"slices"

	specs "github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"
)

// Id-mapped mounts (config.md, "POSIX-platform Mounts"; mount_setattr(2),
// MOUNT_ATTR_IDMAP): the ids that the files of a mount have on disk are others
// where they are seen. The kernel takes the mapping from a user namespace, and
// wants the mount detached, and the caller privileged over the filesystem. The
// init stage of a container with a user namespace is not, so the parent does it
// for all containers, on the clone that the init stage sends: the source is
// still looked up where the container's earlier mounts are seen, and no
// descriptor of a user namespace ever enters the container.

// MakeIDMapping makes a user namespace that serves as a mapping for mounts. No
// process stays in it.
type MakeIDMapping struct {
	Number int    // by which MapMount refers to it; the first is 1
	Mount  string // the first that has it: "mounts[3]"
	UIDs   []specs.LinuxIDMapping
	GIDs   []specs.LinuxIDMapping
}

// MapMount applies a mapping to the detached mount whose descriptor the init
// stage sends along.
type MapMount struct {
	Source    string // what the mount is a clone of
	Mapping   int    // MakeIDMapping.Number, 0 for the container's user namespace
	Recursive bool   // to the mounts below it as well
}

// Title names the action, with as much of the mapping as a line can hold.
func (a MakeIDMapping) Title() string {
	return fmt.Sprintf("make id mapping %d: uids %s; gids %s", a.Number, FormatIDMap(a.UIDs), FormatIDMap(a.GIDs))
}

// Holds is false: nothing needs the mapping before the first MapMount.
func (MakeIDMapping) Holds() bool { return false }

// Title names the action.
func (a MapMount) Title() string {
	title := fmt.Sprintf("give the clone of %s id mapping %d", a.Source, a.Mapping)
	if a.Mapping == 0 {
		title = fmt.Sprintf("give the clone of %s the ids of the container's user namespace", a.Source)
	}
	if a.Recursive {
		title += ", and all mounts below it"
	}
	return title
}

// Holds is true: the container attaches the mount next.
func (MapMount) Holds() bool { return true }

// idMapped says that a mount shows other ids than its filesystem has.
func (m *mountEntry) idMapped() bool {
	return m.options.IDMap || len(m.UIDMappings) > 0
}

// makeIDMappings makes the mappings of all mounts, each once, while the init
// stage does its first steps.
func (c *compiler) makeIDMappings() {
	if !c.hasMountNamespace() {
		return
	}
	for _, m := range c.mountEntries() {
		if !m.options.Bind || len(m.UIDMappings) == 0 || c.idMapping(m) > 0 {
			continue
		}
		mapping := MakeIDMapping{Number: len(c.mappings) + 1, Mount: m.field, UIDs: m.UIDMappings, GIDs: m.GIDMappings}
		c.mappings = append(c.mappings, mapping)
		c.host(m.field, mapping)
	}
}

// idMapping is the number of the mapping that a mount wants. It is 0 when none
// was made: for a mount that brings no mapping along, the container's user
// namespace is it.
func (c *compiler) idMapping(m mountEntry) int {
	for _, made := range c.mappings {
		if slices.Equal(made.UIDs, m.UIDMappings) && slices.Equal(made.GIDs, m.GIDMappings) {
			return made.Number
		}
	}
	return 0
}

// mapMount has the parent change the ids of a clone that nobody can reach yet.
func (c *compiler) mapMount(m mountEntry, source string, mount Ref) {
	if !c.Facts.MountSetattr {
		c.needs("mount_setattr(2)", "5.12")
	}
	c.host(m.field, MapMount{Source: source, Mapping: c.idMapping(m), Recursive: m.options.IDMapRecursive}, mount)
}

// ForHolder compiles the program of a process whose only use is the user
// namespace that it was born in. It ends when the other end of the pipe on its
// stdin is closed: by the runtime, or with it.
func ForHolder() *Plan {
	b := newBuilder(6)
	b.p.ReportFD = b.preset("report", 0)
	b.step("", "hold the user namespace until the runtime lets go")
	b.call(unix.SYS_READ, imm(0), addr(b.buffer("answer", AnswerSize)), imm(AnswerSize))
	b.call(unix.SYS_EXIT_GROUP, imm(0))
	return b.build()
}
