package plan

import (
	"fmt"
	"slices"
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

// allowList is what rules come to as a list of what is allowed, if there can be
// one that systemd has names for.
func allowList(rules []DeviceRule) (allowed []DeviceRule, ok bool) {
	list, err := NewDeviceList(rules)
	nameless := func(r DeviceRule) bool { return r.Major == AnyNumber && r.Minor != AnyNumber }
	if err != nil || list.Allow || slices.ContainsFunc(list.Exceptions, nameless) {
		return nil, false
	}
	return list.Exceptions, true
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
