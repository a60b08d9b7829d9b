package libns

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"rt/libns/plan"
)

// kernelList does to a device list what Linux does on a write to devices.allow or
// devices.deny (security/device_cgroup.c).
type kernelList plan.DeviceList

func (l *kernelList) write(r plan.DeviceRule) {
	if r.Type == plan.AllDevices {
		*l = kernelList{Allow: r.Allow}
		return
	}
	at := slices.IndexFunc(l.Exceptions, r.SameDevices)
	switch {
	case r.Allow != l.Allow && at >= 0:
		l.Exceptions[at].Access = strings.Join([]string{l.Exceptions[at].Without(r.Access).Access, r.Access}, "")
	case r.Allow != l.Allow:
		l.Exceptions = append(l.Exceptions, r)
	case at >= 0: // an entry for other devices is not looked at
		l.Exceptions[at] = l.Exceptions[at].Without(r.Access)
		if l.Exceptions[at].Access == "" {
			l.Exceptions = slices.Delete(l.Exceptions, at, at+1)
		}
	}
}

// allows is the kernel's answer about one kind of access.
func (l kernelList) allows(q request) bool {
	matched := slices.ContainsFunc(l.Exceptions, func(e plan.DeviceRule) bool {
		return allowed([]plan.DeviceRule{{Allow: true, Type: e.Type, Major: e.Major, Minor: e.Minor, Access: e.Access}}, q)
	})
	return matched != l.Allow
}

// text is what devices.list has.
func (l kernelList) text() string {
	if l.Allow {
		return "a *:* rwm\n"
	}
	var b strings.Builder
	for _, e := range l.Exceptions {
		fmt.Fprintln(&b, e.Subject())
	}
	return b.String()
}

var requests = func() (all []request) {
	for _, kind := range []plan.DeviceType{plan.CharDevices, plan.BlockDevices} {
		for number := range int64(9) {
			for _, access := range []string{"r", "w", "m"} {
				all = append(all, request{kind, number / 3, number % 3, access})
			}
		}
	}
	return all
}()

// From whatever list a cgroup has, random rules come into force as they are meant;
// on the way nothing is allowed that neither the old list allows nor the new one.
func TestDeviceListChangesIntoWhatTheRulesSay(t *testing.T) {
	random := rand.New(rand.NewPCG(3, 4))
	pick := func(words ...string) string { return words[random.IntN(len(words))] }
	possible := 0
	for range 20000 {
		var start kernelList
		for range random.IntN(5) {
			start.write(randomRule(t, pick))
		}
		var list []plan.DeviceRule
		for range random.IntN(6) {
			list = append(list, randomRule(t, pick))
		}
		wanted, err := plan.NewDeviceList(list)
		if err != nil {
			continue
		}
		possible++
		current, err := parseDeviceList(start.text())
		if err != nil {
			t.Fatal(err)
		}
		now := kernelList{Allow: start.Allow, Exceptions: slices.Clone(start.Exceptions)}
		general, exceptions := deviceChanges(current, wanted)
		for _, r := range slices.Concat(general, exceptions) {
			now.write(r)
			for _, q := range requests {
				if !wanted.Allow && now.allows(q) && !start.allows(q) && !allowed(list, q) {
					t.Fatalf("%q on %q: %q allows %v meanwhile", list, start.text(), r, q)
				}
				if !wanted.Allow && !start.Allow && !now.allows(q) && start.allows(q) && allowed(list, q) && keeps(start, wanted, q) {
					t.Fatalf("%q on %q: %q denies %v meanwhile", list, start.text(), r, q)
				}
			}
		}
		for _, q := range requests {
			if got, want := now.allows(q), allowed(list, q); got != want {
				t.Fatalf("%q on %q leaves %v %q; %v: %v, want %v", list, start.text(), now.Allow, now.Exceptions, q, got, want)
			}
		}
	}
	if possible < 5000 {
		t.Errorf("only %d of the lists can be", possible)
	}
}

// keeps reports whether one entry of both lists allows something: it then is never
// taken away.
func keeps(start kernelList, wanted plan.DeviceList, q request) bool {
	return slices.ContainsFunc(start.Exceptions, func(e plan.DeviceRule) bool {
		at := slices.IndexFunc(wanted.Exceptions, e.SameDevices)
		return at >= 0 && allowed([]plan.DeviceRule{e}, q) && allowed(wanted.Exceptions[at:at+1], q)
	})
}

func randomRule(t *testing.T, pick func(...string) string) plan.DeviceRule {
	verb := pick("allow", "deny")
	if pick("", "", "", "", "all") == "all" {
		return rule(t, verb+" a *:* rwm")
	}
	return rule(t, fmt.Sprintf("%s %s %s:%s %s", verb, pick("b", "c"), pick("1", "2", "*"), pick("1", "2", "*"), pick("r", "w", "m", "rw", "rm", "wm", "rwm")))
}

func TestDeviceListRefusesAnExceptionFromAnException(t *testing.T) {
	for _, test := range []struct{ rules, want string }{
		{"allow c 240:* rw; deny c 240:7 w", `"deny c 240:7 w" makes an exception from "allow c 240:* rw"`},
		{"allow c 240:* rw; deny c *:7 w", `"deny c *:7 w" makes an exception from "allow c 240:* rw"`},
		{"allow a *:* rwm; deny c *:* rw; allow c 1:3 r", `"allow c 1:3 r" makes an exception from "deny c *:* rw"`},
		{"allow c 240:* r; deny c 240:7 w", ""},
		{"allow c 240:* rw; deny b 240:7 w", ""},
		{"allow c 240:* rw; deny c 240:7 w; deny a *:* rwm", ""},
	} {
		got := ""
		if _, err := plan.NewDeviceList(rules(t, test.rules)); err != nil {
			got = err.Error()
		}
		if got != test.want {
			t.Errorf("%s: %q, want %q", test.rules, got, test.want)
		}
	}
}

func TestDevicesListOfTheKernelIsUnderstoodOrRefused(t *testing.T) {
	list, err := parseDeviceList("c *:* m\nc 1:3 rwm\nb 8:* r\n")
	if got := fmt.Sprint(list, err); got != "{false [allow c *:* m allow c 1:3 rwm allow b 8:* r]} <nil>" {
		t.Error(got)
	}
	for _, text := range []string{"c 1 rwm\n", "c 1:x rwm\n", "c 4294967296:1 r\n", "\n", "c\n"} {
		if list, err := parseDeviceList(text); err == nil {
			t.Errorf("%q: %v", text, list)
		}
	}
}
