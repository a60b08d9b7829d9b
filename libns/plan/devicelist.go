package plan

import (
	"fmt"
	"slices"
	"strings"
)

// DeviceList is what device rules come to, of which the last that matches
// decides, as cgroup v1 and systemd know it: one word about all devices, and
// exceptions.
type DeviceList struct {
	// Allow is the word: what is no exception is allowed, or denied.
	Allow bool
	// Exceptions are rules of the other kind. None is for the same devices
	// as another.
	Exceptions []DeviceRule
}

// NewDeviceList puts rules into that form, in their order. It fails on a rule that
// makes an exception from an exception, for some of the devices that the latter
// is for: such a list cannot be.
func NewDeviceList(rules []DeviceRule) (DeviceList, error) {
	var list DeviceList
	for i, r := range slices.Backward(rules) {
		if r.Type == AllDevices { // whatever was said before
			list.Allow, rules = r.Allow, rules[i+1:]
			break
		}
	}
	for _, r := range rules {
		if r.Allow != list.Allow {
			list.except(r)
		} else if err := list.takeBack(r); err != nil {
			return DeviceList{}, err
		}
	}
	return list, nil
}

// except makes a rule an exception, or a part of the one for the same devices.
func (l *DeviceList) except(r DeviceRule) {
	for i := range l.Exceptions {
		if same := &l.Exceptions[i]; same.SameDevices(r) {
			same.Access = withAccess(same.Access, r.Access, true)
			return
		}
	}
	l.Exceptions = append(l.Exceptions, r)
}

// takeBack takes what a rule is about out of the exceptions.
func (l *DeviceList) takeBack(r DeviceRule) error {
	var left []DeviceRule
	for _, e := range l.Exceptions {
		if e.Type == r.Type && matches(r.Major, e.Major) && matches(r.Minor, e.Minor) {
			e = e.Without(r.Access)
		} else if overlap(e, r) {
			return fmt.Errorf("%q makes an exception from %q", r, e)
		}
		if e.Access != "" {
			left = append(left, e)
		}
	}
	l.Exceptions = left
	return nil
}

// SameDevices reports whether two rules are for the very same devices.
func (r DeviceRule) SameDevices(other DeviceRule) bool {
	return r.Type == other.Type && r.Major == other.Major && r.Minor == other.Minor
}

// Without is the rule for what it says about access, some letters of it left out.
func (r DeviceRule) Without(access string) DeviceRule {
	r.Access = withAccess(r.Access, access, false)
	return r
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
