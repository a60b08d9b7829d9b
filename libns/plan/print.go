package plan

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"strconv"
	"strings"
	"unicode/utf8"

	"golang.org/x/sys/unix"
)

// PrintOptions says how much of a plan is printed.
type PrintOptions struct {
	Calls bool // the calls of each container step too
}

// Print writes the plan for people: one line per step, in columns, with its
// number, side, title and the place in config.json that asked for it. A line
// that begins with "═" is a barrier. Below a step are its calls, if they are
// wanted, each with its index, and what the parent may be asked to help with.
func (p *Plan) Print(w io.Writer, o PrintOptions) error {
	var out strings.Builder
	numbers := p.numbers()
	assists := p.assistsByStep()
	width := p.titleWidth()
	for i := range p.Steps {
		s := &p.Steps[i]
		printStep(&out, numbers[i], p.sideOf(s), p.titleOf(i, numbers), s.Field, width)
		if o.Calls && s.Side == Container {
			for call := s.First; call < s.First+s.Count; call++ {
				fmt.Fprintf(&out, "%10d  %s\n", call, p.callLine(call))
			}
		}
		for _, a := range assists[i] {
			fmt.Fprintf(&out, "%10s  asks host, if need be: %s\n", a.name, printable(a.Action.Title()))
		}
	}
	_, err := io.WriteString(w, out.String())
	return err
}

// printStep writes a step's line; title is padded if something follows.
func printStep(out *strings.Builder, number, side, title, field string, width int) {
	line := fmt.Sprintf("%4s  %-9s  %s", number, side, title)
	if field != "" {
		line += strings.Repeat(" ", max(0, width-utf8.RuneCountInString(title))) + "  " + printable(field)
	}
	out.WriteString(line + "\n")
}

// widestTitle bounds the title's column: a longer title moves only the rest of
// its own line.
const widestTitle = 64

func (p *Plan) titleWidth() int {
	width := 0
	for i := range p.Steps {
		if n := utf8.RuneCountInString(printable(p.Steps[i].Title)); n <= widestTitle && p.Steps[i].Field != "" {
			width = max(width, n)
		}
	}
	return width
}

// numbers are what steps are called: they count from 1, and barriers, which
// nobody asked for, are not counted.
func (p *Plan) numbers() []string {
	numbers := make([]string, len(p.Steps))
	n := 0
	for i := range p.Steps {
		if p.Steps[i].Barrier != nil {
			numbers[i] = "═"
			continue
		}
		n++
		numbers[i] = strconv.Itoa(n)
	}
	return numbers
}

func (p *Plan) sideOf(s *Step) string {
	if s.Barrier != nil {
		return fmt.Sprintf("barrier %d", s.Barrier.Number)
	}
	return s.Side.String()
}

func (p *Plan) titleOf(i int, numbers []string) string {
	if p.Steps[i].Barrier == nil {
		return printable(p.Steps[i].Title)
	}
	b := p.Steps[i].Barrier
	title := "container waits until "
	if b.Ahead {
		title = "container goes on while "
	}
	if b.Holds == 1 {
		title += "step " + numbers[i+1] + " is done"
	} else {
		title += fmt.Sprintf("steps %s to %s are done", numbers[i+1], numbers[i+b.Holds])
	}
	if len(b.Sends) > 0 {
		title += ", and sends " + strings.Join(p.names(b.Sends), ", ")
	}
	return title
}

func (p *Plan) names(refs []Ref) []string {
	names := make([]string, len(refs))
	for i, r := range refs {
		names[i] = p.placeName(r)
	}
	return names
}

// namedAssist is an assist with the name that calls have for it.
type namedAssist struct {
	Assist
	name string
}

func (p *Plan) assistsByStep() map[int][]namedAssist {
	by := map[int][]namedAssist{}
	for i, a := range p.Assists {
		by[a.Step] = append(by[a.Step], namedAssist{a, fmt.Sprintf("assist %d", i)})
	}
	return by
}

// ---- calls ----

// CallString is call i the way strace(1) would show it, with words by name:
// `fsconfig(fs, "size", "64m")`.
func (p *Plan) CallString(i int) string {
	v := callView{p, i}
	c := v.call()
	switch {
	case v.isComparison() && v.neverHolds():
		return "fail(" + formatErrno(v.comparisonErrno()) + ")"
	case v.isComparison():
		return "is(" + v.comparison() + ")"
	case c.Op == OpSet && c.Result.IsZero():
		return "go on"
	case c.Op == OpSet:
		return "set(" + v.value(0, formatNumber) + ")"
	}
	return c.Op.String() + "(" + strings.Join(v.arguments(), ", ") + ")"
}

// callLine is a call with what comes of it.
func (p *Plan) callLine(i int) string {
	line := p.CallString(i)
	if r := p.Calls[i].Result; !r.IsZero() {
		line += " → " + p.placeName(r)
	}
	for _, effect := range p.effects(i) {
		line += "; " + effect
	}
	if v := (callView{p, i}); v.isComparison() && v.neverHolds() && p.Calls[i].Meaning != "" {
		line += ": " + printable(p.Calls[i].Meaning)
	}
	return line
}

// effects says where call i leads to, other than to the next call or to failure.
func (p *Plan) effects(i int) []string {
	c := &p.Calls[i]
	var effects []string
	if to := p.targetName(i, c.Success); to != "next" {
		effects = append(effects, "then "+to)
	}
	if (callView{p, i}).isComparison() {
		return append(effects, p.otherwise(i)...)
	}
	for _, o := range c.On {
		effects = append(effects, p.outcomeString(i, o))
	}
	return effects
}

// otherwise says what happens when a comparison does not hold.
func (p *Plan) otherwise(i int) []string {
	v := callView{p, i}
	errno := v.comparisonErrno()
	for _, o := range v.call().On {
		if o.To != Fail && (o.Errno == errno || o.Errno == AnyErrno) {
			return []string{"else " + p.targetName(i, o.To)}
		}
	}
	if v.neverHolds() {
		return nil
	}
	return []string{"else fail with " + formatErrno(errno)}
}

func (p *Plan) outcomeString(i int, o Outcome) string {
	errno := formatErrno(o.Errno)
	switch {
	case o.To == Next:
		return errno + " ok"
	case o.To == Fail:
		return errno + " fails"
	case int(o.To) == i:
		return errno + " again"
	}
	return errno + " → " + p.targetName(i, o.To)
}

// targetName says where call i goes on.
func (p *Plan) targetName(i int, to int32) string {
	switch {
	case to == Next, int(to) == i+1:
		return "next"
	case to == Fail:
		return "fail"
	}
	return fmt.Sprintf("call %d", to)
}

// callView is one call of a plan, for printing.
type callView struct {
	p     *Plan
	index int
}

func (v callView) call() *Call   { return &v.p.Calls[v.index] }
func (v callView) arg(i int) Arg { return v.call().Args[i] }

// immediate is argument i if its value is known before the call is made.
func (v callView) immediate(i int) (uint64, bool) {
	a := v.arg(i)
	return a.Value, a.Kind == Immediate
}

// object is what argument i is the address of the beginning of.
func (v callView) object(i int) (*Object, bool) {
	a := v.arg(i)
	if a.Kind != Address || a.Ref().Offset != 0 {
		return nil, false
	}
	return &v.p.Objects[a.Ref().Object], true
}

// bytes are the contents of the structure that argument i is the address of.
func (v callView) bytes(i int) ([]byte, bool) {
	o, ok := v.object(i)
	if !ok || o.Kind != Struct {
		return nil, false
	}
	return o.Bytes, true
}

// value prints argument i: an immediate one as f says, any other by its name.
func (v callView) value(i int, f func(uint64) string) string {
	switch a := v.arg(i); a.Kind {
	case Address:
		return v.p.place(a.Ref())
	case Contents:
		return v.p.placeName(a.Ref())
	default:
		return f(a.Value)
	}
}

// arguments prints each argument in its format. Further arguments than the
// format has are printed only when they are not zero.
func (v callView) arguments() []string {
	s, known := signatureOf(v.call().Op)
	if s.all != nil {
		return s.all(v)
	}
	var printed []string
	for i := range int(v.call().NArg) {
		switch {
		case i < len(s.args):
			if text := s.args[i](v, i); text != "" {
				printed = append(printed, text)
			}
		case !known || v.arg(i) != null:
			printed = append(printed, structArg(v, i))
		}
	}
	return printed
}

func (v callView) isComparison() bool {
	return v.call().Op == OpIs || v.call().Op == OpIsNot
}

// comparisonErrno is what OpIs and OpIsNot fail with.
func (v callView) comparisonErrno() unix.Errno { return unix.Errno(v.arg(3).Value) }

// neverHolds reports whether a comparison is there to fail: both of its sides
// are known, and they are not as they should be.
func (v callView) neverHolds() bool {
	left, known := v.immediate(0)
	mask, _ := v.immediate(1)
	want, alsoKnown := v.immediate(2)
	return known && alsoKnown && (left&mask == want) != (v.call().Op == OpIs)
}

// comparison prints the arguments of OpIs and OpIsNot: word, mask, wanted
// value, errno.
func (v callView) comparison() string {
	operator := "=="
	if v.call().Op == OpIsNot {
		operator = "!="
	}
	mask, _ := v.immediate(1)
	want, known := v.immediate(2)
	if k, ok := v.knownTest(mask); ok {
		name := k.name
		if k.mask == anyMask {
			name += " & (" + k.how(mask) + ")"
		}
		return name + " " + operator + " " + k.how(want)
	}
	left := v.value(0, formatNumber)
	if mask != ^uint64(0) {
		left += " & " + formatHex(mask)
	}
	if !known {
		return left + " " + operator + " " + v.value(2, formatHex)
	}
	if want > 1<<16 {
		return left + " " + operator + " " + formatHex(want)
	}
	return left + " " + operator + " " + formatNumber(want)
}

// knownTest is a comparison of a member of a structure that the kernel filled in.
type knownTest struct {
	buffer string
	offset int32
	mask   uint64
	name   string
	how    func(uint64) string
}

// anyMask is for a member of flags, of which any may be compared.
const anyMask = 0

var knownTests = []knownTest{
	{"stat", 24, unix.S_IFMT << 32, "stat.mode & S_IFMT", func(v uint64) string { return fileTypes.format(v >> 32) }},
	{"stat", 128, ^uint64(0), "stat.rdev", func(v uint64) string { return fmt.Sprintf("%d:%d", uint32(v), v>>32) }},
	{"statfs", 0, ^uint64(0), "statfs.type", func(v uint64) string { return filesystems.format(v) }},
	{"statfs", statfsFlags, anyMask, "statfs.flags", func(v uint64) string { return statfsFlagNames.format(v) }},
	{"cwd", 0, 0xff, "cwd[0]", func(v uint64) string { return strconv.QuoteRune(rune(v)) }},
}

func (v callView) knownTest(mask uint64) (knownTest, bool) {
	a := v.arg(0)
	if _, known := v.immediate(2); a.Kind != Contents || !known {
		return knownTest{}, false
	}
	buffer := v.p.Objects[a.Ref().Object].Name
	for _, k := range knownTests {
		if k.buffer == buffer && k.offset == a.Ref().Offset && (k.mask == mask || k.mask == anyMask) {
			return k, true
		}
	}
	return knownTest{}, false
}

// ---- memory ----

// place prints the address r: a text by what it says, all else by its name.
func (p *Plan) place(r Ref) string {
	if text, ok := p.textAt(r); ok {
		return strconv.Quote(text)
	}
	if o := &p.Objects[r.Object]; o.Kind == Word {
		return "&" + p.placeName(r)
	}
	return p.placeName(r)
}

// textAt is the string at r, up to its NUL.
func (p *Plan) textAt(r Ref) (string, bool) {
	o := &p.Objects[r.Object]
	if o.Kind != Text || int(r.Offset) >= len(o.Bytes) {
		return "", false
	}
	text, _, _ := strings.Cut(string(o.Bytes[r.Offset:]), "\x00")
	return text, true
}

// placeName is what the memory at r is called.
func (p *Plan) placeName(r Ref) string {
	name := p.Objects[r.Object].Name
	switch {
	case name != "":
	case p.isMessage(r):
		name = "message"
	default:
		name = fmt.Sprintf("object%d", r.Object)
	}
	if r.Offset != 0 {
		name += fmt.Sprintf("+%d", r.Offset)
	}
	return name
}

// isMessage reports whether r is in a message to the parent that is not
// complete before the program runs.
func (p *Plan) isMessage(r Ref) bool {
	o := &p.Objects[r.Object]
	m, _, ok := ParseMessage(o.Bytes)
	return ok && o.Kind == Struct && m.Kind == MessageForked
}

// printable keeps what comes from a config from acting on a terminal or
// breaking a line.
func printable(s string) string {
	for _, r := range s {
		if !strconv.IsPrint(r) {
			quoted := strconv.Quote(s)
			return quoted[1 : len(quoted)-1]
		}
	}
	return s
}

// ---- JSON ----

// The JSON form of a plan. What is absent does not apply.
type (
	planJSON struct {
		Steps []stepJSON `json:"steps"`
	}
	stepJSON struct {
		Index   int          `json:"index,omitempty"` // the number that Print gives; barriers have none
		Side    string       `json:"side"`
		Title   string       `json:"title"`
		Field   string       `json:"field,omitempty"`
		Action  *actionJSON  `json:"action,omitempty"`
		Barrier *barrierJSON `json:"barrier,omitempty"`
		Calls   []callJSON   `json:"calls,omitempty"`
		Asks    []actionJSON `json:"asks,omitempty"`
	}
	actionJSON struct {
		Type  string `json:"type"`
		Title string `json:"title"`
		Data  Action `json:"data"`
	}
	barrierJSON struct {
		Number int      `json:"number"`
		Holds  int      `json:"holds"`
		Ahead  bool     `json:"ahead,omitempty"` // the container does not wait here
		Sends  []string `json:"sends,omitempty"`
	}
	callJSON struct {
		Index   int      `json:"index"`
		Call    string   `json:"call"`
		Result  string   `json:"result,omitempty"`
		On      []string `json:"on,omitempty"`
		Meaning string   `json:"meaning,omitempty"`
	}
)

// MarshalJSON gives the plan as it is printed with all its calls.
func (p *Plan) MarshalJSON() ([]byte, error) {
	assists := p.assistsByStep()
	steps := make([]stepJSON, 0, len(p.Steps))
	number := 0
	for i := range p.Steps {
		step := p.stepJSON(&p.Steps[i])
		if step.Barrier == nil {
			number++
			step.Index = number
		}
		for _, a := range assists[i] {
			step.Asks = append(step.Asks, *newActionJSON(a.Action))
		}
		steps = append(steps, step)
	}
	// No HTML escapes: calls are full of "&" and "→".
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	err := e.Encode(planJSON{steps})
	return b.Bytes(), err
}

func (p *Plan) stepJSON(s *Step) stepJSON {
	j := stepJSON{Side: s.Side.String(), Title: s.Title, Field: s.Field}
	if s.Side == Host {
		j.Action = newActionJSON(s.Action)
		return j
	}
	if b := s.Barrier; b != nil {
		j.Barrier = &barrierJSON{b.Number, b.Holds, b.Ahead, p.names(b.Sends)}
	}
	for i := s.First; i < s.First+s.Count; i++ {
		j.Calls = append(j.Calls, p.callJSON(i))
	}
	return j
}

func (p *Plan) callJSON(i int) callJSON {
	c := &p.Calls[i]
	j := callJSON{Index: i, Call: p.CallString(i), On: p.effects(i), Meaning: c.Meaning}
	if !c.Result.IsZero() {
		j.Result = p.placeName(c.Result)
	}
	return j
}

func newActionJSON(a Action) *actionJSON {
	_, name, _ := strings.Cut(fmt.Sprintf("%T", a), ".")
	return &actionJSON{name, a.Title(), a}
}
