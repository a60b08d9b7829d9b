package plan

import (
	"fmt"
	"slices"
	"strings"
)

// deviceProperties gives the properties for device rules. systemd knows only a
// list of what is allowed; what that cannot say is left to the rules that the
// cgroup itself has, and systemd is to forbid nothing.
func deviceProperties(rules []DeviceRule) []UnitProperty {
	allowed, ok := allowList(rules)
	policy := "strict"
	if !ok {
		policy, allowed = "auto", nil
	}
	entries := []DeviceAllow{}
	for _, r := range allowed {
		entries = append(entries, DeviceAllow{deviceName(r), r.Access})
	}
	return []UnitProperty{
		// An empty list takes back what was allowed before; another one adds.
		property("DeviceAllow", []DeviceAllow{}),
		property("DevicePolicy", policy),
		property("DeviceAllow", entries),
	}
}

// allowList is what rules come to, of which the last that matches decides, as a
// list of what is allowed, if there can be one.
func allowList(rules []DeviceRule) (list []DeviceRule, ok bool) {
	for _, r := range rules {
		switch {
		case r.Type == AllDevices && r.Allow:
			return nil, false
		case r.Type == AllDevices:
			list = nil
		case r.Major == AnyNumber && r.Minor != AnyNumber && r.Allow:
			return nil, false // no name for one minor number of all drivers
		case r.Allow:
			list = allow(list, r)
		default:
			if list, ok = deny(list, r); !ok {
				return nil, false
			}
		}
	}
	return list, true
}

// allow adds a rule to the list, or what it allows to one for the same devices.
func allow(list []DeviceRule, r DeviceRule) []DeviceRule {
	for i := range list {
		if sameDevices(list[i], r) {
			list[i].Access = withAccess(list[i].Access, r.Access, true)
			return list
		}
	}
	return append(list, r)
}

// deny takes what a rule denies out of the list. It cannot if that is a part of
// the devices that an entry is for.
func deny(list []DeviceRule, r DeviceRule) (left []DeviceRule, ok bool) {
	for _, entry := range list {
		if entry.Type == r.Type && matches(r.Major, entry.Major) && matches(r.Minor, entry.Minor) {
			entry.Access = withAccess(entry.Access, r.Access, false)
		} else if overlap(entry, r) {
			return nil, false
		}
		if entry.Access != "" {
			left = append(left, entry)
		}
	}
	return left, true
}

func sameDevices(a, b DeviceRule) bool {
	return a.Type == b.Type && a.Major == b.Major && a.Minor == b.Minor
}

// matches reports whether a number in a rule is for all that another is for.
func matches(rule, number int64) bool { return rule == AnyNumber || rule == number }

func overlap(a, b DeviceRule) bool {
	either := func(x, y int64) bool { return matches(x, y) || matches(y, x) }
	return a.Type == b.Type && either(a.Major, b.Major) && either(a.Minor, b.Minor) && strings.ContainsAny(a.Access, b.Access)
}

// withAccess adds letters to access, or takes them away.
func withAccess(access, letters string, add bool) string {
	var result []rune
	for _, letter := range fullAccess {
		has := strings.ContainsRune(access, letter)
		if strings.ContainsRune(letters, letter) {
			has = add
		}
		if has {
			result = append(result, letter)
		}
	}
	return string(slices.Clip(result))
}

// deviceName is how systemd calls the devices of a rule (systemd.resource-control(5),
// "DeviceAllow"). A path in /dev need not exist.
func deviceName(r DeviceRule) string {
	kind := "char"
	if r.Type == BlockDevices {
		kind = "block"
	}
	switch {
	case r.Major == AnyNumber:
		return kind + "-*"
	case r.Minor == AnyNumber:
		return fmt.Sprintf("%s-%d", kind, r.Major)
	}
	return fmt.Sprintf("/dev/%s/%d:%d", kind, r.Major, r.Minor)
}
