package spec

import (
	"strings"
	"testing"
)

func TestLine(t *testing.T) {
	c, err := Parse([]byte(`{
	"ociVersion": "1.3.0",
	"process": {
		"args": [
			"sh",
			"-c"
		],
		"Cwd":
			"/"
	},
	"mounts": [
		{},
		{
			"destination": "/a"
		}, { "destination": "/b",
			"options": [ "ro" ] }
	],
	"linux": {
		"sysctl": {
			"net.ipv4.ip_forward": "1",
			"odd \"key\"[0]": "2"
		}
	},
	"hostname": "first",
	"hostname": "second"
}
`), "/b", "")
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		field string
		line  int
	}{
		{"", 1},
		{"ociVersion", 2},
		{"process", 3},
		{"process.args", 4},
		{"process.args[0]", 5},
		{"process.args[1]", 6},
		{"process.cwd", 8}, // the key's line, in whatever case it is written
		{"mounts[0]", 12},
		{"mounts[1]", 13},
		{"mounts[1].destination", 14},
		{"mounts[2]", 15},
		{"mounts[2].options[0]", 16},
		{`linux.sysctl["net.ipv4.ip_forward"]`, 20},
		{`linux.sysctl["odd \"key\"[0]"]`, 21},
		{"hostname", 25}, // the last one is the one that counts

		// What is missing stands where it should have been.
		{"root", 1},
		{"root.path", 1},
		{"process.user.uid", 3},
		{"process.args[2]", 4},
		{"process.args[0].x", 5},
		{"mounts[1].source", 13},
		{`linux.sysctl["x"]`, 19},

		// Not a path at all: no more than the nearest parent.
		{"mounts[", 11},
		{"mounts[-1]", 11},
		{"mounts[99999999999999999999]", 11},
		{"mounts.destination", 11},
		{`linux["sysctl`, 18},
		{".", 1},
		{"..", 1},
		{"]", 1},
	} {
		if got := c.Line(test.field); got != test.line {
			t.Errorf("%s: got line %d, want %d", test.field, got, test.line)
		}
	}
}

func TestLineOfAConfigurationWithoutFile(t *testing.T) {
	c := &Config{Spec: Example(true)}
	if got := c.Line("process"); got != 0 {
		t.Errorf("got %d", got)
	}
}

func TestLineInDeeplyNestedJSON(t *testing.T) {
	const depth = 9000 // encoding/json ends at 10000
	data := `{"x":` + strings.Repeat("[\n", depth) + strings.Repeat("]", depth) + `}`
	c, err := Parse([]byte(data), "/b", "")
	if err != nil {
		t.Fatal(err)
	}
	if got := c.Line("x" + strings.Repeat("[0]", depth-1)); got != depth {
		t.Errorf("got line %d, want %d", got, depth)
	}
	tooDeep := strings.Repeat("[", 10001)
	if _, err := Parse([]byte(tooDeep), "/b", ""); err == nil || err.Error() != "config.json:1:10001: malformed JSON: invalid character '[' exceeded max depth" {
		t.Errorf("got %v", err)
	}
}

// The index is what only a faulty configuration pays for.
func TestValidConfigurationBuildsNoIndex(t *testing.T) {
	c := configWith(t, `{}`)
	if err := Validate(c, Host{Creating: true}); err != nil {
		t.Fatal(err)
	}
	if c.source.root != nil {
		t.Error("the index was built")
	}
	c.Line("root")
	if c.source.root == nil {
		t.Error("this test does not see the index")
	}
}

func TestProblemLeavesOutWhatIsUnknown(t *testing.T) {
	for want, problem := range map[string]Problem{
		"c.json:3: a.b: text": {File: "c.json", Line: 3, Field: "a.b", Text: "text"},
		"c.json: a.b: text":   {File: "c.json", Field: "a.b", Text: "text"},
		"c.json:3: text":      {File: "c.json", Line: 3, Text: "text"},
		"a.b: text":           {Line: 3, Field: "a.b", Text: "text"},
	} {
		if got := problem.String(); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}
