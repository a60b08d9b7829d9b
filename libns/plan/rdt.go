package plan

import (
	"fmt"
	"path/filepath"

	specs "github.com/opencontainers/runtime-spec/specs-go"
)

// RDT is where a container's processes are in a resctrl filesystem (kernel
// documentation, filesystems/resctrl.rst). Its zero value is nowhere.
type RDT struct {
	Group   string `json:"group"`             // directory of the class of service
	Own     bool   `json:"own,omitempty"`     // made for this container, and removed with it
	Monitor string `json:"monitor,omitempty"` // directory of its monitoring group, or ""
}

// IsZero reports whether the container leaves resctrl alone.
func (r RDT) IsZero() bool { return r == RDT{} }

// RDTFor gives the place that linux.intelRdt asks for, below the mount point of
// resctrl (config-linux.md, "IntelRdt"). Without a closID it is a group of the
// container's own.
func RDTFor(config *specs.LinuxIntelRdt, id, mount string) RDT {
	if config == nil {
		return RDT{}
	}
	r := RDT{Group: filepath.Join(mount, config.ClosID)}
	if config.ClosID == "" {
		r.Group, r.Own = filepath.Join(mount, id), true
	}
	if config.EnableMonitoring {
		r.Monitor = filepath.Join(r.Group, "mon_groups", id)
	}
	return r
}

// JoinRDT moves the process into its class of service. A class that is not there
// is made if Lines say what it gets, or if it is the container's own.
type JoinRDT struct {
	RDT
	Lines []RDTLine
}

// RDTLine is one line for the file schemata. A class that is there already must
// agree with those to Compare; the others change it.
type RDTLine struct {
	Field   string
	Text    string
	Compare bool
}

// EnterRDT moves one more process into a container's class of service.
type EnterRDT struct{ RDT }

// Title names the action.
func (a JoinRDT) Title() string { return "join the resctrl group " + a.Group }

// Holds is true: what is forked later is where its parent is.
func (JoinRDT) Holds() bool { return true }

// Title names the action.
func (a EnterRDT) Title() string { return "join the container's resctrl group " + a.Group }

// Holds is true: the program must not start before it is in its place.
func (EnterRDT) Holds() bool { return true }

// joinRDT moves the init stage, which has forked nothing yet.
func (c *compiler) joinRDT() {
	if c.RDT.IsZero() {
		return
	}
	const field = "linux.intelRdt"
	config := c.Config.Linux.IntelRdt
	join := JoinRDT{RDT: c.RDT}
	if config.L3CacheSchema != "" {
		join.Lines = append(join.Lines, RDTLine{field + ".l3CacheSchema", config.L3CacheSchema, true})
	}
	if config.MemBwSchema != "" {
		join.Lines = append(join.Lines, RDTLine{field + ".memBwSchema", config.MemBwSchema, true})
	}
	for i, text := range config.Schemata {
		join.Lines = append(join.Lines, RDTLine{fmt.Sprintf("%s.schemata[%d]", field, i), text, false})
	}
	c.host(field, join)
}

// enterRDT moves the init stage of one more process.
func (c *compiler) enterRDT() {
	if !c.RDT.IsZero() {
		c.host("linux.intelRdt", EnterRDT{c.RDT})
	}
}
