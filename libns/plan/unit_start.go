package plan

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"rt/libns/kernel"
)

// StartUnit has systemd make the container's unit. The init stage is what a
// scope is made for; whatever it starts later is in that scope too.
type StartUnit struct {
	Unit       Unit           `json:"unit"`
	Properties []UnitProperty `json:"properties"`
}

// Title names the action, and what is not the same for every container.
func (a StartUnit) Title() string {
	title := fmt.Sprintf("have systemd start %s in %s", a.Unit.Name, a.Unit.Slice)
	special := slices.DeleteFunc(slices.Clone(a.Properties), func(p UnitProperty) bool { return slices.Contains(usualProperties, p.Name) })
	if len(special) > 0 {
		title += " with " + titles(special)
	}
	return title
}

// usualProperties are those of every container's unit.
var usualProperties = []string{
	"Description", "Slice", "Wants", "Delegate", "DefaultDependencies",
	"CPUAccounting", "MemoryAccounting", "IOAccounting", "BlockIOAccounting", "TasksAccounting",
}

// Holds is true: only what exists can be in a scope, and it must not make
// anything that would be left behind outside.
func (StartUnit) Holds() bool { return true }

// EnterCgroup2 makes a cgroup below one that the init stage is in or may be in,
// and moves the init stage there.
type EnterCgroup2 struct{ Directory string }

// Title names the action.
func (a EnterCgroup2) Title() string { return "make and join cgroup " + a.Directory }

// Holds is true: a cgroup namespace is that of the cgroup in which it is made.
func (EnterCgroup2) Holds() bool { return true }

// startUnit leaves the container's cgroup to systemd. What is passed here holds
// from the unit's first moment; limits follow with the others ([SetResources]).
func (c *compiler) startUnit() {
	unit := c.Cgroup.Unit
	if unit == nil {
		return
	}
	annotated, problems := annotatedProperties(c.Config.Annotations)
	if err := c.problems(problems); err != nil {
		c.missing = append(c.missing, err)
	}
	var properties unitProperties
	properties.set("Description", "container "+c.ID)
	if unit.IsSlice() {
		properties.set("Wants", []string{unit.Slice})
	} else {
		properties.set("Slice", unit.Slice)
		properties.set("Delegate", true)
	}
	properties.set("MemoryAccounting", true)
	properties.set("CPUAccounting", true)
	if c.Facts.Cgroup == kernel.CgroupUnified {
		properties.set("IOAccounting", true)
	} else {
		properties.set("BlockIOAccounting", true)
	}
	properties.set("TasksAccounting", true)
	properties.set("DefaultDependencies", false) // it does not stop at shutdown before its runtime
	if policy := c.oomPolicy(); policy != "" {
		properties.set("OOMPolicy", policy)
	}
	for _, p := range annotated {
		properties.add(p)
	}
	c.host("linux.cgroupsPath", StartUnit{*unit, properties})
	c.enterSubGroup()
}

// oomPolicy is the property for memory.oom.group, which cannot be changed later
// (of scopes since systemd 253).
func (c *compiler) oomPolicy() string {
	const since = 253
	if r := c.resources(); r != nil && c.Facts.Systemd.Version >= since {
		switch strings.TrimSpace(r.Unified["memory.oom.group"]) {
		case "0":
			return "continue"
		case "1":
			return "kill"
		}
	}
	return ""
}

// enterSubGroup moves the init stage to where systemd has not put it.
func (c *compiler) enterSubGroup() {
	switch unit := c.Cgroup.Unit; {
	case c.Cgroup.Unified == "":
	case unit.Directory != c.Cgroup.Unified:
		c.host(annotationField(subGroupAnnotation), EnterCgroup2{c.Cgroup.Unified})
	case unit.IsSlice():
		c.host("linux.cgroupsPath", EnterCgroup2{c.Cgroup.Unified})
	}
}

// AttachToUnit has systemd move the init stage of one more process into a cgroup
// of the container's unit. A user may not do that: the cgroup that both are
// below is not the user's (cgroups(7), "Delegation containment").
type AttachToUnit struct {
	Unit    Unit   `json:"unit"`
	Group   string `json:"group"`             // below the unit's own, which is "/"
	OrGroup string `json:"orGroup,omitempty"` // if that one takes no processes
}

// Title names the action.
func (a AttachToUnit) Title() string {
	return fmt.Sprintf("have systemd move it to %s of %s", a.Group, a.Unit.Name)
}

// Holds is true: the program must not start before it is confined.
func (AttachToUnit) Holds() bool { return true }

// attachToUnit moves the init stage to where it could not be born.
func (c *compiler) attachToUnit(orCgroup string) {
	unit := c.Cgroup.Unit
	if unit == nil || !unit.User {
		return
	}
	a := AttachToUnit{Unit: *unit, Group: unit.group(c.Cgroup.Unified)}
	if orCgroup != "" {
		a.OrGroup = unit.group(orCgroup)
	}
	c.host("linux.cgroupsPath", a)
}

// group is the path of a directory below the unit's cgroup, "" if it is not
// there.
func (u Unit) group(directory string) string {
	path, ok := strings.CutPrefix(directory+"/", u.Directory+"/")
	if !ok {
		return ""
	}
	return "/" + strings.TrimSuffix(path, "/")
}

func annotationField(key string) string { return "annotations[" + strconv.Quote(key) + "]" }
