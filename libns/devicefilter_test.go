package libns

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"strconv"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"rt/libns/plan"
)

// request is one question to a device filter.
type request struct {
	kind         plan.DeviceType
	major, minor int64
	access       string
}

// rule reads "allow c 1:3 rw", as plan.DeviceRule prints it.
func rule(t testing.TB, text string) plan.DeviceRule {
	t.Helper()
	var verb, kind, numbers, access string
	if _, err := fmt.Sscan(text, &verb, &kind, &numbers, &access); err != nil {
		t.Fatal(err)
	}
	major, minor, _ := strings.Cut(numbers, ":")
	r := plan.DeviceRule{
		Allow: verb == "allow", Type: plan.DeviceType(kind),
		Major: deviceNumber(t, major), Minor: deviceNumber(t, minor), Access: access,
	}
	if r.String() != text {
		t.Fatalf("%q is printed as %q", text, r)
	}
	return r
}

func deviceNumber(t testing.TB, text string) int64 {
	t.Helper()
	if text == "*" {
		return plan.AnyNumber
	}
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func rules(t testing.TB, text string) []plan.DeviceRule {
	var list []plan.DeviceRule
	for line := range strings.FieldsFuncSeq(text, func(r rune) bool { return r == ';' || r == '\n' }) {
		list = append(list, rule(t, strings.TrimSpace(line)))
	}
	return list
}

func TestDeviceFilterDecides(t *testing.T) {
	null := request{plan.CharDevices, 1, 3, "rw"}
	for _, test := range []struct {
		rules   string
		request request
		want    bool
	}{
		{"", null, false},
		{"allow c 1:3 rw", null, true},
		{"allow c 1:3 rw", request{plan.CharDevices, 1, 3, "r"}, true},
		{"allow c 1:3 rw", request{plan.CharDevices, 1, 3, "m"}, false},
		{"allow c 1:3 rw", request{plan.CharDevices, 1, 3, "rwm"}, false},
		{"allow c 1:3 rw", request{plan.CharDevices, 1, 5, "r"}, false},
		{"allow c 1:3 rw", request{plan.CharDevices, 3, 3, "r"}, false},
		{"allow c 1:3 rw", request{plan.BlockDevices, 1, 3, "r"}, false},
		{"allow b 1:3 rw", request{plan.BlockDevices, 1, 3, "w"}, true},
		{"allow c 1:* r", request{plan.CharDevices, 1, 1 << 19, "r"}, true},
		{"allow c *:3 r", request{plan.CharDevices, 4095, 3, "r"}, true},
		{"allow a *:* rwm", request{plan.BlockDevices, 8, 0, "rwm"}, true},
		{"deny a *:* rwm; allow c 1:3 rw", null, true},
		{"allow c 1:3 rw; deny a *:* rwm", null, false},
		{"allow a *:* rwm; deny c 1:3 w", request{plan.CharDevices, 1, 3, "r"}, true},
		{"allow a *:* rwm; deny c 1:3 w", null, false},
		{"deny c 1:3 w; allow a *:* rwm", null, true},
		// Rights that two rules give count together, wherever they stand.
		{"allow c 1:3 r; allow c *:* w", null, true},
		{"allow c 1:3 r; deny c 2:2 rw; allow c 1:* w", null, true},
		{"allow c 1:3 r; deny c 1:3 r; allow c 1:* w", null, false},
		// A hole in a wildcard.
		{"allow c *:* rwm; deny c 10:200 rwm", request{plan.CharDevices, 10, 200, "r"}, false},
		{"allow c *:* rwm; deny c 10:200 rwm", request{plan.CharDevices, 10, 201, "r"}, true},
		// Numbers of 32 bits are compared as such.
		{"allow c 4294967295:4294967294 r", request{plan.CharDevices, 0xffffffff, 0xfffffffe, "r"}, true},
		// A number that no device has matches none, and not its lower half.
		{"allow c 4294967297:3 rw", null, false},
		{"allow c 1:3 rw; deny c 4294967297:3 rw", null, true},
	} {
		if got := simulate(t, deviceFilter(rules(t, test.rules)), test.request); got != test.want {
			t.Errorf("rules %q, %v: %v, want %v", test.rules, test.request, got, test.want)
		}
	}
}

// Random rules are compared with what the specification says in so many words:
// of the rules that are about a device and an access, the last one counts.
func TestDeviceFilterMeansWhatTheRulesSay(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	pick := func(words ...string) string { return words[random.IntN(len(words))] }
	for range 3000 {
		var lines []string
		for range random.IntN(8) {
			lines = append(lines, fmt.Sprintf("%s %s %s:%s %s", pick("allow", "deny"),
				pick("b", "c"), pick("1", "2", "*"), pick("1", "2", "*"), pick("r", "w", "m", "rw", "rm", "wm", "rwm")))
			if random.IntN(6) == 0 {
				lines = append(lines, pick("allow", "deny")+" a *:* rwm")
			}
		}
		list := rules(t, strings.Join(lines, ";"))
		q := request{
			plan.DeviceType(pick("b", "c")), random.Int64N(3), random.Int64N(3),
			pick("r", "w", "m", "rw", "rwm"),
		}
		if got, want := simulate(t, deviceFilter(list), q), allowed(list, q); got != want {
			t.Fatalf("rules %q, %v: %v, want %v", lines, q, got, want)
		}
	}
}

func allowed(rules []plan.DeviceRule, q request) bool {
	for _, letter := range q.access {
		ok := false
		for _, r := range rules {
			if (r.Type == plan.AllDevices || r.Type == q.kind) &&
				(r.Major == plan.AnyNumber || r.Major == q.major) &&
				(r.Minor == plan.AnyNumber || r.Minor == q.minor) &&
				strings.ContainsRune(r.Access, letter) {
				ok = r.Allow
			}
		}
		if !ok {
			return false
		}
	}
	return true
}

// simulate runs a program as the kernel would, and fails on anything that the
// verifier would not accept.
func simulate(t testing.TB, program []instruction, q request) bool {
	t.Helper()
	kinds := map[plan.DeviceType]uint32{plan.BlockDevices: unix.BPF_DEVCG_DEV_BLOCK, plan.CharDevices: unix.BPF_DEVCG_DEV_CHAR}
	memory := map[int16]uint32{
		offsetType: kinds[q.kind], offsetAccess: accessBits(q.access),
		offsetMajor: uint32(q.major), offsetMinor: uint32(q.minor),
	}
	registers := map[uint8]uint32{}
	read := func(register uint8) uint32 {
		v, ok := registers[register]
		if !ok {
			t.Fatalf("register %d is read before it is written", register)
		}
		return v
	}
	for at := 0; at < len(program); at++ {
		i := program[at]
		switch i.code {
		case codeLoad16, codeLoad32:
			v, ok := memory[i.offset]
			if !ok || i.source != access || (i.code == codeLoad16) != (i.offset < offsetMajor) {
				t.Fatalf("instruction %d loads what is not there", at)
			}
			registers[i.destination] = v
		case codeCopy:
			registers[i.destination] = read(i.source)
		case codeSet:
			registers[i.destination] = i.immediate
		case codeAnd:
			registers[i.destination] = read(i.destination) & i.immediate
		case codeJumpEquals, codeJumpDiffer:
			if i.offset < 0 {
				t.Fatalf("instruction %d jumps back", at)
			}
			if (read(i.destination) == i.immediate) == (i.code == codeJumpEquals) {
				at += int(i.offset)
			}
		case codeExit:
			return read(verdict) == 1
		default:
			t.Fatalf("instruction %d has code %#x", at, i.code)
		}
	}
	t.Fatal("the program has no end")
	return false
}

func TestDeviceFilterReadsLikeItsRules(t *testing.T) {
	got := disassemble(deviceFilter(rules(t, "allow c *:* m; allow c 1:3 rwm; deny b 8:* w")))
	const want = `
 0  undecided = access
 1  scratch = type
 2  if scratch != 1 goto 10
 3  scratch = major
 4  if scratch != 8 goto 10
 5  scratch = undecided
 6  scratch &= 0x4
 7  if scratch == 0 goto 10
 8  verdict = 0
 9  exit
10  scratch = type
11  if scratch != 2 goto 18
12  scratch = major
13  if scratch != 1 goto 18
14  scratch = minor
15  if scratch != 3 goto 18
16  verdict = 1
17  exit
18  scratch = type
19  if scratch != 2 goto 24
20  undecided &= 0xfffffffe
21  if undecided != 0 goto 24
22  verdict = 1
23  exit
24  verdict = 0
25  exit
`
	if got != want {
		t.Errorf("got%swant%s", got, want)
	}
}

func disassemble(program []instruction) string {
	registers := map[uint8]string{verdict: "verdict", undecided: "undecided", scratch: "scratch"}
	members := map[int16]string{offsetType: "type", offsetAccess: "access", offsetMajor: "major", offsetMinor: "minor"}
	var b strings.Builder
	b.WriteByte('\n')
	for at, i := range program {
		to, goal := registers[i.destination], at+1+int(i.offset)
		line := ""
		switch i.code {
		case codeLoad16, codeLoad32:
			line = to + " = " + members[i.offset]
		case codeCopy:
			line = to + " = " + registers[i.source]
		case codeSet:
			line = fmt.Sprintf("%s = %d", to, i.immediate)
		case codeAnd:
			line = fmt.Sprintf("%s &= %#x", to, i.immediate)
		case codeJumpEquals:
			line = fmt.Sprintf("if %s == %d goto %d", to, i.immediate, goal)
		case codeJumpDiffer:
			line = fmt.Sprintf("if %s != %d goto %d", to, i.immediate, goal)
		case codeExit:
			line = "exit"
		}
		fmt.Fprintf(&b, "%2d  %s\n", at, line)
	}
	return b.String()
}

// The verifier's work must not grow faster than the number of rules.
func TestKernelLoadsDeviceFilters(t *testing.T) {
	many := make([]string, 2000)
	for i := range many {
		many[i] = fmt.Sprintf("%s %s %d:%d %s", []string{"allow", "deny"}[i%2], []string{"b", "c"}[i/2%2], i%100, i, []string{"r", "w", "rwm"}[i%3])
	}
	for name, text := range map[string]string{
		"none":      "",
		"all":       "allow a *:* rwm",
		"behind it": "allow a *:* rwm; deny c 1:1 rw",
		"before it": "deny c 1:1 rw; allow a *:* rwm",
		"many":      strings.Join(many, ";"),
	} {
		fd, err := loadDeviceFilter(deviceFilter(rules(t, text)))
		if errors.Is(err, unix.EPERM) && os.Geteuid() != 0 {
			t.Skip("loading a program takes root")
		}
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		unix.Close(fd)
	}
}
