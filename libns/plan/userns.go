package plan

import (
	"fmt"
	"strings"

	specs "github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"
)

// IDMap says what the ids inside of a user namespace are outside of it
// (user_namespaces(7)).
type IDMap struct {
	UIDs []specs.LinuxIDMapping `json:"uids"`
	GIDs []specs.LinuxIDMapping `json:"gids"`
}

// HostUID is what a user inside is outside; ok is false for one without a
// mapping.
func (m IDMap) HostUID(uid uint32) (host uint32, ok bool) { return hostID(m.UIDs, uid) }

// HostGID is the same for a group.
func (m IDMap) HostGID(gid uint32) (host uint32, ok bool) { return hostID(m.GIDs, gid) }

func hostID(mappings []specs.LinuxIDMapping, id uint32) (uint32, bool) {
	for _, m := range mappings {
		if id-m.ContainerID < m.Size {
			return id - m.ContainerID + m.HostID, true
		}
	}
	return id, false
}

// WriteIDMap maps the ids of the user namespace that the init stage has made.
type WriteIDMap struct {
	IDMap
	// DenySetgroups takes setgroups(2) away for good. An unprivileged caller,
	// who may map just his own group, has to do so first.
	DenySetgroups bool `json:"denySetgroups,omitempty"`
	// Helpers says that newuidmap(1) and newgidmap(1) write the mapping, who
	// have the right to map what /etc/subuid and /etc/subgid give the caller.
	Helpers bool `json:"helpers,omitempty"`
	// Keep notes the namespace in the state directory, for later commands:
	// without a cgroup and a pid namespace, nothing else tells the processes
	// of the container from others.
	Keep bool `json:"keep,omitempty"`
}

// Title names the action, with as much of the mapping as a line can hold.
func (a WriteIDMap) Title() string {
	title := "map uids " + FormatIDMap(a.UIDs) + "; gids " + FormatIDMap(a.GIDs)
	switch {
	case a.Helpers:
		title += " by newuidmap and newgidmap"
	case a.DenySetgroups:
		title += "; deny setgroups"
	}
	if a.Keep {
		title += "; note whose processes are the container's"
	}
	return title
}

// Holds is true: without a mapping the init stage is nobody.
func (WriteIDMap) Holds() bool { return true }

// FormatIDMap says what ids inside are outside, as far as it fits into a line:
// "0-65535→100000-165535".
func FormatIDMap(mappings []specs.LinuxIDMapping) string {
	const most = 3
	var parts []string
	for _, m := range mappings[:min(most, len(mappings))] {
		parts = append(parts, idRange(m.ContainerID, m.Size)+"→"+idRange(m.HostID, m.Size))
	}
	if more := len(mappings) - most; more > 0 {
		parts = append(parts, fmt.Sprintf("and %d more", more))
	}
	return strings.Join(parts, ", ")
}

func idRange(first, size uint32) string {
	if size == 1 {
		return fmt.Sprint(first)
	}
	return fmt.Sprintf("%d-%d", first, first+size-1)
}

// ReadIDMap finds out how the ids of the init stage's user namespace are mapped.
type ReadIDMap struct{}

// Title names the action.
func (ReadIDMap) Title() string { return "read how ids are mapped there" }

// Holds is true: the init stage lives only as long as it is held.
func (ReadIDMap) Holds() bool { return true }

// ForIDMap compiles the plan that finds the mapping of the user namespace out
// which the config joins: only a process inside shows it (proc_pid_uid_map(5)).
// It is nil if no user namespace is joined.
func ForIDMap(r *Request) *Plan {
	c := newCompiler(r)
	if ns, ok := c.namespace(specs.UserNamespace); !ok || ns.Path == "" {
		return nil
	}
	c.begin(Control)
	c.host("", Launch{})
	c.openNamespaces([]specs.LinuxNamespaceType{specs.UserNamespace})
	c.joinNamespace(specs.UserNamespace)
	c.host("", ReadIDMap{})
	return c.build()
}

// idMap is the mapping of the container's user namespace. That of one which is
// joined may not be known: then it is empty.
func (c *compiler) idMap() IDMap {
	if c.IDMap != nil {
		return *c.IDMap
	}
	return IDMap{c.Config.Linux.UIDMappings, c.Config.Linux.GIDMappings}
}

// hostUID is what a user of the container is on the host.
func (c *compiler) hostUID(uid uint32) uint32 {
	if !c.mapped {
		return uid
	}
	uid, _ = c.idMap().HostUID(uid)
	return uid
}

// mappedRoot is what the root of the container is on the host: the owner of what
// the parent makes for it.
func (c *compiler) mappedRoot() Owner {
	if !c.mapped {
		return Owner{}
	}
	uid, _ := c.idMap().HostUID(0)
	gid, _ := c.idMap().HostGID(0)
	return Owner{uid, gid}
}

// Owner is a user and a group, as they are on the host.
type Owner struct {
	UID uint32 `json:"uid,omitempty"`
	GID uint32 `json:"gid,omitempty"`
}

// makeUserNamespace makes the new user namespace before all other namespaces, so
// that it owns them. The init stage is in every namespace by now that it joins
// with the caller's rights, which are gone afterwards.
func (c *compiler) makeUserNamespace() {
	field, ns, ok := c.namespaceEntry(specs.UserNamespace)
	if !ok || ns.Path != "" {
		return
	}
	c.leaveGroups()
	c.step(field, "make the new user namespace")
	c.call(unix.SYS_UNSHARE, imm(unix.CLONE_NEWUSER))
	c.host("linux.uidMappings", c.writeIDMap())
	c.becomeRoot(field)
}

// writeIDMap says who maps the ids (user_namespaces(7), "Defining user and group
// ID mappings"): the parent, who may map an ordinary user to nobody but himself,
// or the helpers that the system has for such users.
func (c *compiler) writeIDMap() WriteIDMap {
	a := WriteIDMap{IDMap: c.idMap(), Keep: c.Cgroup.IsZero() && !c.ownsPIDNamespace()}
	if c.unprivileged() {
		a.DenySetgroups = isAlone(a.UIDs, c.Facts.EUID) && isAlone(a.GIDs, c.Facts.EGID)
		a.Helpers = !a.DenySetgroups
	}
	return a
}

// isAlone says that a mapping is of one id, the caller's own.
func isAlone(mappings []specs.LinuxIDMapping, id int) bool {
	return len(mappings) == 1 && mappings[0].Size == 1 && int(mappings[0].HostID) == id
}

// joinUserNamespace enters the user namespace that has been opened.
func (c *compiler) joinUserNamespace() {
	field, _, _ := c.namespaceEntry(specs.UserNamespace)
	c.leaveGroups()
	c.joinNamespace(specs.UserNamespace)
	c.becomeRoot(field)
}

// leaveGroups gives the caller's groups up with the caller's rights: inside they
// could not be, where setgroups is denied.
//
// An ordinary user cannot: the groups stay, as a group that has no name inside.
func (c *compiler) leaveGroups() {
	if c.unprivileged() || c.Config.KeepsGroups() {
		return
	}
	c.step("", "leave the caller's groups")
	c.setGroups(nil)
}

// becomeRoot takes the ids of root in the user namespace, which what is made
// from here on will belong to.
func (c *compiler) becomeRoot(field string) {
	c.step(field, "become root of the user namespace")
	c.call(unix.SYS_SETRESGID, imm(0), imm(0), imm(0))
	c.call(unix.SYS_SETRESUID, imm(0), imm(0), imm(0))
	c.afterChangeOfIDs()
}
