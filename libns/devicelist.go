package libns

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/opencontainers/cgroups"
	"golang.org/x/sys/unix"

	"rt/libns/plan"
)

// setDeviceList puts rules into force in a directory of the devices hierarchy of
// cgroup v1 (Documentation/admin-guide/cgroup-v1/devices.rst). The library's way
// to do this brings the BPF assembler and the systemd driver along, and with them
// a third of the size of rt; it also lets an allowed device be where a later rule
// denies all devices of its kind.
func setDeviceList(directory string, rules []plan.DeviceRule) error {
	wanted, err := plan.NewDeviceList(slices.DeleteFunc(slices.Clone(rules), cannotMatch))
	if err != nil {
		return fmt.Errorf("devices: the lists of cgroup v1 cannot say that %w", err)
	}
	text, err := cgroups.ReadFile(directory, "devices.list")
	if err != nil {
		return err
	}
	current, err := parseDeviceList(text)
	if err != nil {
		return fmt.Errorf("%s/devices.list: %w", directory, err)
	}
	general, exceptions := deviceChanges(current, wanted)
	if err := writeDeviceRules(directory, general); err != nil {
		return err
	}
	return writeDeviceRules(directory, exceptions)
}

func cannotMatch(r plan.DeviceRule) bool { return !canMatch(r) }

// deviceChanges gives what has to be written to make one list of another: first
// rules of the kind that the new list has for all devices, then its exceptions.
// What both lists allow stays allowed meanwhile, and nothing is allowed that
// neither does; where the word for all devices changes, the kernel offers no way
// to keep the first promise, and none to keep the second if it changes to "allow".
func deviceChanges(current, wanted plan.DeviceList) (general, exceptions []plan.DeviceRule) {
	if current.Allow || wanted.Allow {
		// The exceptions of a list that allows all others cannot be read,
		// so they are unknown.
		everything := plan.DeviceRule{Type: plan.AllDevices, Major: plan.AnyNumber, Minor: plan.AnyNumber, Access: "rwm"}
		general, current.Exceptions = []plan.DeviceRule{everything}, nil
	} else {
		general = missing(current.Exceptions, wanted.Exceptions)
	}
	exceptions = missing(wanted.Exceptions, current.Exceptions)
	for i := range general {
		general[i].Allow = wanted.Allow
	}
	for i := range exceptions {
		exceptions[i].Allow = !wanted.Allow
	}
	return general, exceptions
}

// missing is what there is in some exceptions and not in others. The kernel, too,
// looks only at the entry for the very same devices when it is told to remove one.
func missing(exceptions, others []plan.DeviceRule) []plan.DeviceRule {
	var list []plan.DeviceRule
	for _, e := range exceptions {
		if at := slices.IndexFunc(others, e.SameDevices); at >= 0 {
			e = e.Without(others[at].Access)
		}
		if e.Access != "" {
			list = append(list, e)
		}
	}
	return list
}

// writeDeviceRules tells the kernel rules that are all of one kind. It reads one of
// them from every write.
func writeDeviceRules(directory string, rules []plan.DeviceRule) error {
	if len(rules) == 0 {
		return nil
	}
	name := "devices.deny"
	if rules[0].Allow {
		name = "devices.allow"
	}
	file, err := cgroups.OpenFile(directory, name, unix.O_WRONLY)
	if err != nil {
		return err
	}
	defer file.Close()
	for _, r := range rules {
		if _, err := file.WriteString(r.Subject()); err != nil {
			return fmt.Errorf("%s: %w", r, err)
		}
	}
	return nil
}

// parseDeviceList reads devices.list, which has a line for every exception, or one
// that stands for a list that allows everything else.
func parseDeviceList(text string) (plan.DeviceList, error) {
	var list plan.DeviceList
	for line := range strings.Lines(text) {
		rule, err := parseDeviceSubject(strings.TrimSuffix(line, "\n"))
		if err != nil {
			return plan.DeviceList{}, fmt.Errorf("line %q: %w", line, err)
		}
		if rule.Type == plan.AllDevices {
			return plan.DeviceList{Allow: true}, nil
		}
		rule.Allow = true
		list.Exceptions = append(list.Exceptions, rule)
	}
	return list, nil
}

// parseDeviceSubject reads what [plan.DeviceRule.Subject] writes.
func parseDeviceSubject(text string) (r plan.DeviceRule, err error) {
	kind, rest, _ := strings.Cut(text, " ")
	numbers, access, _ := strings.Cut(rest, " ")
	major, minor, _ := strings.Cut(numbers, ":")
	r.Type, r.Access = plan.DeviceType(kind), access
	if r.Major, err = parseDeviceNumber(major); err != nil {
		return r, err
	}
	r.Minor, err = parseDeviceNumber(minor)
	return r, err
}

func parseDeviceNumber(text string) (int64, error) {
	if text == "*" {
		return plan.AnyNumber, nil
	}
	number, err := strconv.ParseUint(text, 10, 32)
	return int64(number), err
}
