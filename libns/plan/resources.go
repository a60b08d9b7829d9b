package plan

import (
	"fmt"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	specs "github.com/opencontainers/runtime-spec/specs-go"

	"rt/spec"
)

// SetResources limits what the container's cgroup may use.
type SetResources struct {
	Resources *specs.LinuxResources `json:"resources,omitempty"` // linux.resources, nil if there is none
	// Devices decides about devices, the last rule that matches first; what
	// no rule allows is denied.
	Devices []DeviceRule `json:"devices"`
	// AfterMounts says that the limits have to wait for the mounts: these do
	// what the limits may forbid the program.
	AfterMounts bool `json:"afterMounts,omitempty"`
	// Piecewise says that on cgroup v1 the device rules come into force one
	// by one, beginning with one that denies everything: meanwhile the init
	// stage could not make a device.
	Piecewise bool `json:"piecewise,omitempty"`
}

// DeviceRule allows or denies access to devices (config-linux.md, "Allowed
// Device list").
type DeviceRule struct {
	Allow  bool       `json:"allow"`
	Type   DeviceType `json:"type"`
	Major  int64      `json:"major"` // AnyNumber for all
	Minor  int64      `json:"minor"` // AnyNumber for all
	Access string     `json:"access"`
}

// DeviceType is a kind of device as the config writes it.
type DeviceType string

const (
	// AllDevices is only used with any number and full access: every other
	// rule for both kinds is one rule for each.
	AllDevices   DeviceType = "a"
	BlockDevices DeviceType = "b"
	CharDevices  DeviceType = "c"
)

// AnyNumber matches every major or minor number.
const AnyNumber = -1

// fullAccess is reading, writing and making nodes.
const fullAccess = "rwm"

func (r DeviceRule) String() string {
	verb := "deny"
	if r.Allow {
		verb = "allow"
	}
	return verb + " " + r.Subject()
}

// Subject is the rule without its verb, as the lists of cgroup v1 have it:
// "c 1:3 rwm".
func (r DeviceRule) Subject() string {
	return string(r.Type) + " " + deviceNumber(r.Major) + ":" + deviceNumber(r.Minor) + " " + r.Access
}

func deviceNumber(n int64) string {
	if n == AnyNumber {
		return "*"
	}
	return strconv.FormatInt(n, 10)
}

// alwaysAllowed are what every container has, whatever its config says: the
// default devices (config-linux.md, "Default Devices"), terminals, tun, and
// making nodes, which the right to open them does not follow from.
var alwaysAllowed = []DeviceRule{
	{true, CharDevices, AnyNumber, AnyNumber, "m"},
	{true, BlockDevices, AnyNumber, AnyNumber, "m"},
	{true, CharDevices, 1, 3, fullAccess},           // null
	{true, CharDevices, 1, 5, fullAccess},           // zero
	{true, CharDevices, 1, 7, fullAccess},           // full
	{true, CharDevices, 1, 8, fullAccess},           // random
	{true, CharDevices, 1, 9, fullAccess},           // urandom
	{true, CharDevices, 5, 0, fullAccess},           // tty
	{true, CharDevices, 136, AnyNumber, fullAccess}, // pts/*
	{true, CharDevices, 5, 2, fullAccess},           // ptmx
	{true, CharDevices, 10, 200, fullAccess},        // net/tun
}

// deviceRules are those of the config, in its order, and the default ones.
func deviceRules(r *specs.LinuxResources) []DeviceRule {
	var rules []DeviceRule
	if r != nil {
		for _, d := range r.Devices {
			rules = append(rules, newDeviceRules(d)...)
		}
	}
	return append(rules, alwaysAllowed...)
}

// newDeviceRules reads one entry of the config. An entry for both kinds of
// device that says anything more is taken apart: cgroup v1 would not look at
// the rest of it, and allow everything.
func newDeviceRules(d specs.LinuxDeviceCgroup) []DeviceRule {
	rule := DeviceRule{d.Allow, DeviceType(d.Type), AnyNumber, AnyNumber, ""}
	if d.Major != nil {
		rule.Major = *d.Major
	}
	if d.Minor != nil {
		rule.Minor = *d.Minor
	}
	for _, access := range fullAccess {
		if strings.ContainsRune(d.Access, access) {
			rule.Access += string(access)
		}
	}
	if rule.Type != "" && rule.Type != AllDevices {
		return []DeviceRule{rule}
	}
	if rule.Major == AnyNumber && rule.Minor == AnyNumber && rule.Access == fullAccess {
		rule.Type = AllDevices
		return []DeviceRule{rule}
	}
	char, block := rule, rule
	char.Type, block.Type = CharDevices, BlockDevices
	return []DeviceRule{char, block}
}

// Title names the limits, and says in a word what devices there are.
func (a SetResources) Title() string {
	var b strings.Builder
	if limits := limitsIn(a.Resources); len(limits) > 0 {
		b.WriteString("set limits")
		for _, l := range limits {
			fmt.Fprintf(&b, " %s=%s", l.field, l.value)
		}
		b.WriteString(", and ")
	}
	return b.String() + a.deviceTitle()
}

func (a SetResources) deviceTitle() string {
	own, all := a.Devices[:len(a.Devices)-len(alwaysAllowed)], false
	// What comes before a rule for everything does not matter any more.
	for i, r := range slices.Backward(own) {
		if r.Type == AllDevices {
			own, all = own[i+1:], r.Allow
			break
		}
	}
	var rules []string
	if all {
		rules = append(rules, "allow all devices")
	}
	for _, r := range own {
		rules = append(rules, r.String())
	}
	if !all || len(own) > 0 {
		rules = append(rules, "allow the default devices")
	}
	return strings.Join(rules, ", ")
}

// Holds is true if the limits have to wait for the container: otherwise they
// are set while it mounts. They are in force before the barrier that is last,
// because host steps are done in order.
func (a SetResources) Holds() bool { return a.AfterMounts || a.Piecewise }

// moment is when limits are set.
type moment bool

const (
	whileMounting moment = false
	afterMounting moment = true
)

// setResources lays the step down if now is the moment for it: when the cgroup
// has just been made and joined, or after the mounts.
func (c *compiler) setResources(now moment) {
	if c.Cgroup.IsZero() || c.mountsNeedMore() != (now == afterMounting) {
		return
	}
	resources := c.resources()
	rules := deviceRules(resources)
	if c.Cgroup.Unit != nil {
		resources = RoundQuota(resources)
		c.setUnitProperties(resources, rules, now)
	}
	c.host("linux.resources", SetResources{
		Resources: resources, Devices: rules,
		AfterMounts: now == afterMounting, Piecewise: len(c.Cgroup.V1) > 0,
	})
}

// setUnitProperties is before the limits themselves: systemd writes those of the
// cgroup's files for which it has a property.
func (c *compiler) setUnitProperties(r *specs.LinuxResources, rules []DeviceRule, now moment) {
	limits, problems := UnitLimits(r, c.Facts)
	if err := c.problems(problems); err != nil {
		c.missing = append(c.missing, err)
	}
	c.host("linux.resources", SetUnitProperties{
		Unit: *c.Cgroup.Unit, Properties: append(deviceProperties(rules), limits...), AfterMounts: now == afterMounting,
	})
}

func (c *compiler) resources() *specs.LinuxResources {
	if c.Config.Linux == nil {
		return nil
	}
	return c.Config.Linux.Resources
}

// mountsNeedMore says whether the set-up may do what the limits forbid: open the
// device of a filesystem (the mounting process needs the access), or fork into
// a pid namespace, which takes a second process.
func (c *compiler) mountsNeedMore() bool {
	if c.forks() {
		return true
	}
	return slices.ContainsFunc(c.Config.Mounts, func(m specs.Mount) bool {
		return m.Type != "" && m.Type != "none" && m.Type != "bind" && filepath.IsAbs(m.Source)
	})
}

// refuseImpossibleLimits reports limits that this host cannot set.
func (c *compiler) refuseImpossibleLimits() error {
	if c.Cgroup.IsZero() {
		return nil
	}
	return c.problems(MissingControllers(c.resources(), c.Facts))
}

// problems gives what is wrong with the config its place in the file.
func (c *compiler) problems(problems []spec.Problem) error {
	if len(problems) == 0 {
		return nil
	}
	for i := range problems {
		problems[i].File, problems[i].Line = c.Config.File, c.Config.Line(problems[i].Field)
	}
	return spec.Problems(problems)
}
