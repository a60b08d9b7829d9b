package seccomp

import (
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"
)

var generated = flag.Int("profiles", 10000, "how many generated profiles are compared with libseccomp's")

// TestVerdictsOfGeneratedProfiles compares with libseccomp on random profiles. Those
// that both refuse are not counted.
func TestVerdictsOfGeneratedProfiles(t *testing.T) {
	const shards = 4
	profiles := *generated
	program := buildLibseccomp(t)
	names := learnNames(t, startLibseccomp(t, program))
	var total tally
	t.Run("shards", func(t *testing.T) {
		for shard := range shards {
			t.Run(fmt.Sprint(shard), func(t *testing.T) {
				t.Parallel()
				c := &comparison{names: names, libseccomp: startLibseccomp(t, program), Rand: rand.New(rand.NewPCG(1, uint64(shard)))}
				g := &generator{Rand: c.Rand, names: names.usable}
				for c.profiles < profiles/shards && !t.Failed() {
					archs := one(g, names.sets)
					profile := g.profile(archs)
					if err := c.compare(profile, archs); err != nil {
						t.Errorf("%v\n%s", err, indented(profile))
					}
				}
				total.add(&c.tally)
			})
		}
	})
	t.Log(total.String())
}

// TestVerdictsOfProfiles compares with libseccomp on the profiles of testdata.
func TestVerdictsOfProfiles(t *testing.T) {
	program := buildLibseccomp(t)
	c := &comparison{libseccomp: startLibseccomp(t, program), Rand: rand.New(rand.NewPCG(2, 2)), thorough: true}
	c.names = learnNames(t, c.libseccomp)
	for _, test := range readProfiles(t) {
		t.Run(test.name, func(t *testing.T) {
			profile, left := c.names.without(test.profile)
			if len(left) > 0 {
				t.Logf("left out, as this libseccomp has other numbers for them or none: %s", strings.Join(left, " "))
			}
			archs, err := architectures(profile, test.native)
			if err != nil {
				t.Fatal(err)
			}
			if !c.names.knows(archs) {
				t.Skip("this libseccomp does not know the architectures")
			}
			if err := c.compare(profile, archs); err != nil {
				t.Error(err)
			}
		})
	}
	t.Log(c.tally.String())
}

// tally is what has been compared.
type tally struct {
	sync.Mutex
	profiles  int // that were compared
	verdicts  int
	defective int // filters of libseccomp that do not do what its pseudo code says
	refused   int // profiles refused by both
	broken    int // profiles that libseccomp did not come back from
}

func (t *tally) add(other *tally) {
	t.Lock()
	defer t.Unlock()
	t.profiles += other.profiles
	t.verdicts += other.verdicts
	t.defective += other.defective
	t.refused += other.refused
	t.broken += other.broken
}

func (t *tally) String() string {
	return fmt.Sprintf("no difference in %d verdicts on %d profiles (%d of them compared with libseccomp's pseudo code, as its filter tests the wrong word); "+
		"refused by both: %d; libseccomp broke down on: %d", t.verdicts, t.profiles, t.defective, t.refused, t.broken)
}

// comparison compares profile after profile.
type comparison struct {
	*rand.Rand
	tally
	names      *names
	libseccomp *libseccomp
	thorough   bool // more arguments for each call
}

// compare gives an error if the verdicts on any system call differ.
func (c *comparison) compare(profile *specs.LinuxSeccomp, archs []Arch) error {
	theirs, theirErr := c.libseccomp.compile(profile, archs)
	plain, ourErr := compileWithoutENOSYS(profile, archs)
	switch {
	case errors.Is(theirErr, errBroke):
		c.broken++
		return nil
	case errors.Is(theirErr, errRefused) && ourErr != nil:
		c.refused++
		return nil
	case theirErr != nil || ourErr != nil:
		return fmt.Errorf("error %v, libseccomp %v", ourErr, theirErr)
	}
	whole, err := Compile(profile, archs[0], Options{})
	if err != nil {
		return err
	}
	if err := errors.Join(check(plain, archs), check(whole.Program, archs)); err != nil {
		return err
	}
	c.profiles++
	o := newOracle(theirs, profile, archs)
	if o.program == nil {
		c.defective++
	}
	return errors.Join(c.numbers(o, plain, whole.Program), c.arguments(o, plain))
}

// compileWithoutENOSYS compiles a profile for what libseccomp can do alone.
func compileWithoutENOSYS(profile *specs.LinuxSeccomp, archs []Arch) ([]unix.SockFilter, error) {
	p, err := newPolicy(profile)
	if err != nil {
		return nil, err
	}
	p.enosys = false
	return compile(p, archs)
}

// check holds a filter to the kernel's rules and to sense.
func check(program []unix.SockFilter, archs []Arch) error {
	return errors.Join(verify(program), defect(program, audits(archs)))
}

func audits(archs []Arch) []uint32 {
	var audits []uint32
	for _, a := range archs {
		audits = append(audits, a.abi().audit)
	}
	return audits
}

// numbers compares every number of every architecture, and of foreign ones.
func (c *comparison) numbers(o *oracle, plain, whole []unix.SockFilter) error {
	try := func(audit, number uint32) error {
		theirs := o.answer(audit, number, &[6]uint64{})
		if ours, _ := o.run(plain); ours != theirs {
			return c.difference(audit, number, &[6]uint64{}, ours, theirs)
		}
		if c.names.tooNew(o.profile, o.archs, audit, number) {
			theirs = answerENOSYS
		}
		if ours, _ := o.run(whole); ours != theirs {
			return c.difference(audit, number, &[6]uint64{}, ours, theirs)
		}
		c.verdicts += 2
		return nil
	}
	for a := range abis {
		numbers := strangeNumbers
		if slices.Contains(o.archs, Arch(a)) {
			numbers = c.names.around[a]
		}
		for _, number := range numbers {
			if err := try(abis[a].audit, number); err != nil {
				return err
			}
		}
	}
	return try(c.Uint32(), c.Uint32())
}

// strangeNumbers are those at which an ABI may begin or end.
var strangeNumbers = []uint32{0, 1, 2, x32Bit - 1, x32Bit, x32Bit + 1, 1<<31 - 1, 1 << 31, 3 << 30, maxNumber - 1, maxNumber}

// arguments compares the calls that have conditional rules, with arguments around
// the constants in them.
func (c *comparison) arguments(o *oracle, plain []unix.SockFilter) error {
	constants := conditionConstants(o.profile)
	for _, name := range slices.Sorted(maps.Keys(constants)) {
		values := constants[name]
		row, known := findSyscall(name)
		if !known {
			continue
		}
		for _, a := range o.archs {
			number, ok := row.number(a.abi())
			if !ok {
				continue
			}
			for _, arguments := range c.combinations(values) {
				theirs := o.answer(a.abi().audit, uint32(number), &arguments)
				if ours, _ := o.run(plain); ours != theirs {
					return c.difference(a.abi().audit, uint32(number), &arguments, ours, theirs)
				}
				c.verdicts++
			}
		}
	}
	return nil
}

// conditionConstants gives, for each call that has conditional rules, and for the
// calls that can carry such calls, the values that each argument should have.
func conditionConstants(profile *specs.LinuxSeccomp) map[string]*[6][]uint64 {
	constants := map[string]*[6][]uint64{}
	add := func(name string, argument uint, values ...uint64) {
		if constants[name] == nil {
			constants[name] = &[6][]uint64{}
		}
		constants[name][argument] = append(constants[name][argument], values...)
	}
	for _, entry := range profile.Syscalls {
		for _, name := range entry.Names {
			by, operation := multiplexed(name)
			carrier := map[family]string{bySocketcall: "socketcall", byIPC: "ipc"}[by]
			if carrier != "" {
				add(carrier, 0, operation-1, operation, operation+1, operation|1<<32)
			}
			for _, arg := range entry.Args {
				values := around(arg)
				add(name, arg.Index, values...)
				if carrier != "" {
					add(carrier, arg.Index, values...)
				}
			}
		}
	}
	return constants
}

// around gives values at which a condition may change.
func around(arg specs.LinuxSeccompArg) []uint64 {
	const high, low = 0xffffffff << 32, 0xffffffff
	var values []uint64
	for _, v := range []uint64{arg.Value, arg.ValueTwo, arg.Value & arg.ValueTwo, arg.ValueTwo | ^arg.Value} {
		values = append(values, v, v-1, v+1, v+1<<32, v-1<<32, v^1<<63, v&low, v&high, v^low, v^high)
	}
	return append(values, 0, 1<<64-1)
}

// combinations gives arguments: all combinations of the values if they are few, and
// some of them otherwise.
func (c *comparison) combinations(values *[6][]uint64) [][6]uint64 {
	limit := 250
	if c.thorough {
		limit = 4000
	}
	product := 1
	for argument := range values {
		slices.Sort(values[argument])
		values[argument] = slices.Compact(values[argument])
		if product <= limit {
			product *= max(1, len(values[argument]))
		}
	}
	list := make([][6]uint64, 0, limit)
	if product <= limit {
		return appendProduct(list, values, 0, [6]uint64{})
	}
	for range limit {
		var arguments [6]uint64
		for argument := range arguments {
			if n := len(values[argument]); n > 0 {
				arguments[argument] = values[argument][c.IntN(n)]
			}
		}
		list = append(list, arguments)
	}
	return list
}

func appendProduct(list [][6]uint64, values *[6][]uint64, argument int, arguments [6]uint64) [][6]uint64 {
	if argument == len(values) {
		return append(list, arguments)
	}
	if len(values[argument]) == 0 {
		return appendProduct(list, values, argument+1, arguments)
	}
	for _, v := range values[argument] {
		arguments[argument] = v
		list = appendProduct(list, values, argument+1, arguments)
	}
	return list
}

func (c *comparison) difference(audit, number uint32, arguments *[6]uint64, ours, theirs answer) error {
	return fmt.Errorf("architecture %#x, call %d, arguments %#x: %v, libseccomp: %v", audit, number, *arguments, ours, theirs)
}

// oracle answers as libseccomp's filter does.
type oracle struct {
	machine
	program []unix.SockFilter // nil if it is defective
	code    pseudocode
	profile *specs.LinuxSeccomp
	archs   []Arch
}

func newOracle(c *compiled, profile *specs.LinuxSeccomp, archs []Arch) *oracle {
	o := &oracle{program: c.program, code: c.code, profile: profile, archs: archs}
	o.big = archs[0].abi().big
	if defect(c.program, audits(archs)) != nil || foreignAnswer(c.program, profile) {
		o.program = nil
	}
	return o
}

// foreignAnswer says that a filter gives an answer that is not in the profile. For
// a machine of the other byte order, libseccomp turns some of them round twice.
func foreignAnswer(program []unix.SockFilter, profile *specs.LinuxSeccomp) bool {
	known := map[uint32]bool{uint32(answerBadArch): true, scmpAct(profile.DefaultAction, profile.DefaultErrnoRet): true}
	for _, entry := range profile.Syscalls {
		known[scmpAct(entry.Action, entry.ErrnoRet)] = true
	}
	return slices.ContainsFunc(program, func(i unix.SockFilter) bool { return i.Code == codeReturn && !known[i.K] })
}

// answer makes a system call.
func (o *oracle) answer(audit, number uint32, arguments *[6]uint64) answer {
	o.set(audit, number, arguments)
	if o.program != nil {
		result, _ := o.run(o.program)
		return result
	}
	for _, a := range o.archs {
		if a.abi().audit != audit || !o.responsible(a, number) {
			continue
		}
		if result, ok := o.interpret(o.code[a][number]); ok && number < 1<<31 {
			return result
		}
		return answer(scmpAct(o.profile.DefaultAction, o.profile.DefaultErrnoRet))
	}
	return answerBadArch
}

// responsible says whether an architecture's rules are for a number, which x86_64
// and x32 have to share.
func (o *oracle) responsible(a Arch, number uint32) bool {
	both := slices.Contains(o.archs, X86_64) && slices.Contains(o.archs, X32)
	switch {
	case a == X86_64:
		return number < x32Bit || number == maxNumber || both && number >= 1<<31
	case a == X32:
		return number >= x32Bit
	}
	return true
}

// names is what libseccomp knows about names.
type names struct {
	numbers map[string][]int32 // by Arch
	usable  []string           // where its numbers are ours
	sets    [][]Arch           // whose architectures it knows
	around  [][]uint32         // by Arch: its numbers, and those next to them
}

// learnNames asks libseccomp for all numbers, and holds the table to them. It may
// lack calls, being older, but not have other numbers for them.
func learnNames(t testing.TB, l *libseccomp) *names {
	t.Helper()
	all := make([]Arch, len(abis))
	for a := range all {
		all[a] = Arch(a)
	}
	n := &names{numbers: map[string][]int32{}, around: make([][]uint32, len(abis))}
	compared := 0
	for _, call := range syscalls {
		var err error
		if n.numbers[call.name], err = l.numbers(call.name, all); err != nil {
			t.Fatal(err)
		}
	}
	for _, call := range syscalls {
		theirs := n.numbers[call.name]
		usable := theirs[0] != ambiguous && slices.Max(theirs) >= 0
		for a := range all {
			ours := call.numbers[abis[a].column]
			family, _ := multiplexed(call.name)
			_, carried := family.carrier(&abis[a])
			switch {
			case ours >= 0 && theirs[a] >= 0 && ours != theirs[a]:
				t.Errorf("%s on %s: %d, libseccomp %d", call.name, Arch(a), ours, theirs[a])
			case ours >= 0 && theirs[a] >= 0:
				compared++
			case ours >= 0 != (theirs[a] >= 0) && !carried && n.knows(all[a:a+1]):
				usable = false
			}
		}
		if usable {
			n.usable = append(n.usable, call.name)
		}
	}
	for _, set := range archSets {
		if n.knows(set) {
			n.sets = append(n.sets, set)
		}
	}
	for a := range abis {
		n.around[a] = slices.Clone(strangeNumbers)
		for _, call := range syscalls {
			if number := call.numbers[abis[a].column]; number >= 0 {
				n.around[a] = append(n.around[a], uint32(number-1), uint32(number), uint32(number+1))
			}
		}
		slices.Sort(n.around[a])
		n.around[a] = slices.Compact(n.around[a])
	}
	t.Logf("%d numbers agree; %d of %d names are the same on all architectures", compared, len(n.usable), len(syscalls))
	return n
}

// knows says whether libseccomp knows architectures: all of them have close(2).
func (n *names) knows(archs []Arch) bool {
	return !slices.ContainsFunc(archs, func(a Arch) bool { return n.numbers["close"][a] < 0 })
}

// without gives a profile without names that libseccomp has other numbers for.
func (n *names) without(profile *specs.LinuxSeccomp) (rest *specs.LinuxSeccomp, left []string) {
	clone := *profile
	clone.Syscalls = slices.Clone(profile.Syscalls)
	for i := range clone.Syscalls {
		var names []string
		for _, name := range clone.Syscalls[i].Names {
			if _, ours := findSyscall(name); ours && !slices.Contains(n.usable, name) {
				left = append(left, name)
			} else {
				names = append(names, name)
			}
		}
		clone.Syscalls[i].Names = names
	}
	return &clone, left
}

// tooNew says whether runc answers a call with ENOSYS because it is newer than all
// those that a profile names.
func (n *names) tooNew(profile *specs.LinuxSeccomp, archs []Arch, audit, number uint32) bool {
	switch profile.DefaultAction {
	case specs.ActAllow, specs.ActLog, specs.ActTrace:
		return false
	}
	for _, a := range archs {
		newest := uint32(0)
		for _, entry := range profile.Syscalls {
			for _, name := range entry.Names {
				if numbers, ok := n.numbers[name]; ok && numbers[a] > 0 {
					newest = max(newest, uint32(numbers[a]))
				}
			}
		}
		switch {
		case a.abi().audit != audit || newest == 0:
		case a == X86_64 && number&x32Bit != 0 || a == X32 && number&x32Bit == 0:
		case number > newest || number == 0 && (a == S390 || a == S390X):
			return true
		}
	}
	return false
}

// profileTest is a profile of testdata with the machine that it is for.
type profileTest struct {
	name    string
	native  Arch
	profile *specs.LinuxSeccomp
}

// readProfiles reads testdata/profiles. A name that ends with @ARCH is for a
// machine of that GOARCH, others are for amd64.
func readProfiles(t testing.TB) []profileTest {
	t.Helper()
	files, err := filepath.Glob("testdata/profiles/*.json")
	if err != nil || len(files) == 0 {
		t.Fatalf("%d profiles, %v", len(files), err)
	}
	var tests []profileTest
	for _, file := range files {
		test := profileTest{name: strings.TrimSuffix(filepath.Base(file), ".json"), native: X86_64, profile: &specs.LinuxSeccomp{}}
		content, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal(content, test.profile); err != nil {
			t.Fatalf("%s: %v", file, err)
		}
		if _, goarch, found := strings.Cut(test.name, "@"); found {
			if test.native, found = Native(goarch); !found {
				t.Fatalf("%s: no architecture %q", file, goarch)
			}
		}
		tests = append(tests, test)
	}
	return tests
}

func indented(profile *specs.LinuxSeccomp) []byte {
	b, err := json.MarshalIndent(profile, "", " ")
	if err != nil {
		return []byte(err.Error())
	}
	return b
}
