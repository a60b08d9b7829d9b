package spec

import (
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/opencontainers/runtime-spec/specs-go"
)

// baseConfig is valid; the cases below change one thing each.
const baseConfig = `{
	"ociVersion": "1.3.0",
	"root": {"path": "rootfs"},
	"process": {"args": ["true"], "cwd": "/", "user": {"uid": 0, "gid": 0}},
	"linux": {"namespaces": [{"type": "mount"}]}
}`

// rule is one promise of Validate: what it says about a fragment of
// configuration that is merged (RFC 7396) into baseConfig.
type rule struct {
	name     string
	fragment string
	host     Host
	want     []string // "field: text"; BUNDLE stands for the bundle's path
}

func checkRules(t *testing.T, rules []rule) {
	t.Helper()
	for _, r := range rules {
		t.Run(r.name, func(t *testing.T) {
			c := configWith(t, r.fragment)
			r.host.Creating = true
			compareProblems(t, c, Validate(c, r.host), r.want)
		})
	}
}

// configWith returns baseConfig with a fragment merged in, in a bundle that has
// a root filesystem.
func configWith(t testing.TB, fragment string) *Config {
	t.Helper()
	bundle := t.TempDir()
	if err := os.Mkdir(filepath.Join(bundle, "rootfs"), 0o755); err != nil {
		t.Fatal(err)
	}
	data, err := json.MarshalIndent(merge(decodeJSON(t, baseConfig), decodeJSON(t, fragment)), "", "\t")
	if err != nil {
		t.Fatal(err)
	}
	c, err := Parse(data, bundle, "")
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// decodeJSON keeps numbers as they are written: a float64 would round RLIM_INFINITY.
func decodeJSON(t testing.TB, text string) (value any) {
	t.Helper()
	decoder := json.NewDecoder(strings.NewReader(text))
	decoder.UseNumber()
	if err := decoder.Decode(&value); err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return value
}

func merge(base, patch any) any {
	members, ok := patch.(map[string]any)
	if !ok {
		return patch
	}
	merged, ok := base.(map[string]any)
	if !ok {
		merged = map[string]any{}
	}
	for key, value := range members {
		if value == nil {
			delete(merged, key)
			continue
		}
		merged[key] = merge(merged[key], value)
	}
	return merged
}

func compareProblems(t *testing.T, c *Config, err error, want []string) {
	t.Helper()
	var problems Problems
	if err != nil && !errors.As(err, &problems) {
		t.Fatalf("not Problems: %v", err)
	}
	var got []string
	for _, problem := range problems {
		if problem.File != DefaultFile || problem.Line < 1 {
			t.Errorf("no place given: %+v", problem)
		}
		got = append(got, problem.Field+": "+strings.ReplaceAll(problem.Text, c.Bundle, "BUNDLE"))
	}
	if !slices.Equal(got, want) {
		t.Errorf("got:\n\t%s\nwant:\n\t%s", strings.Join(got, "\n\t"), strings.Join(want, "\n\t"))
	}
}

func TestVersion(t *testing.T) {
	checkRules(t, []rule{
		{"a release", `{"ociVersion": "1.0.0"}`, Host{}, nil},
		{"a later minor version", `{"ociVersion": "1.99.7"}`, Host{}, nil},
		{"a development version", `{"ociVersion": "1.0.2-dev"}`, Host{}, nil},
		{"a pre-release with build", `{"ociVersion": "1.1.0-rc.1+dev.2"}`, Host{}, nil},
		{"missing", `{"ociVersion": null}`, Host{}, []string{
			`ociVersion: is required: the version of the OCI runtime specification, such as "1.3.0"`}},
		{"not a version", `{"ociVersion": "latest"}`, Host{}, []string{
			`ociVersion: must be a semantic version such as "1.3.0", got "latest"`}},
		{"two numbers", `{"ociVersion": "1.0"}`, Host{}, []string{
			`ociVersion: must be a semantic version such as "1.3.0", got "1.0"`}},
		{"leading zero", `{"ociVersion": "1.02.0"}`, Host{}, []string{
			`ociVersion: must be a semantic version such as "1.3.0", got "1.02.0"`}},
		{"empty suffix", `{"ociVersion": "1.0.0-"}`, Host{}, []string{
			`ociVersion: must be a semantic version such as "1.3.0", got "1.0.0-"`}},
		{"odd suffix", `{"ociVersion": "1.0.0-a b"}`, Host{}, []string{
			`ociVersion: must be a semantic version such as "1.3.0", got "1.0.0-a b"`}},
		{"another major version", `{"ociVersion": "2.0.0"}`, Host{}, []string{
			`ociVersion: unsupported version "2.0.0": only 1.x is supported`}},
		{"major version that begins with 1", `{"ociVersion": "10.0.0"}`, Host{}, []string{
			`ociVersion: unsupported version "10.0.0": only 1.x is supported`}},
	})
}

func TestAnnotations(t *testing.T) {
	checkRules(t, []rule{
		{"any key and value", `{"annotations": {"a": "", "b.c/d": "x\u0000"}}`, Host{}, nil},
		{"empty key", `{"annotations": {"": "x"}}`, Host{}, []string{
			`annotations[""]: key must not be empty`}},
	})
}

func TestHostname(t *testing.T) {
	long := strings.Repeat("h", 65)
	const uts = `"linux": {"namespaces": [{"type": "uts"}]}`
	checkRules(t, []rule{
		{"both", `{"hostname": "a", "domainname": "b", ` + uts + `}`, Host{}, nil},
		{"without uts namespace", `{"hostname": "a"}`, Host{}, []string{
			"hostname: needs a uts namespace in linux.namespaces: without one it would rename the host"}},
		{"domainname without uts namespace", `{"domainname": "a"}`, Host{}, []string{
			"domainname: needs a uts namespace in linux.namespaces: without one it would rename the host"}},
		{"longest", `{"hostname": "` + long[1:] + `", ` + uts + `}`, Host{}, nil},
		{"too long", `{"hostname": "` + long + `", ` + uts + `}`, Host{}, []string{
			"hostname: must be at most 64 bytes long, is 65"}},
	})
}

func TestHooks(t *testing.T) {
	checkRules(t, []rule{
		{"all kinds", `{"hooks": {"prestart": [{"path": "/a"}], "createRuntime": [{"path": "/a", "timeout": 1}],
			"createContainer": [{"path": "/a", "args": ["a"]}], "startContainer": [{"path": "/a", "env": ["A=b", "C="]}],
			"poststart": [{"path": "/a"}], "poststop": [{"path": "/a"}]}}`, Host{}, nil},
		{"no path", `{"hooks": {"prestart": [{}]}}`, Host{}, []string{
			"hooks.prestart[0].path: is required: the absolute path of a program"}},
		{"relative path", `{"hooks": {"createRuntime": [{"path": "/a"}, {"path": "bin/a"}]}}`, Host{}, []string{
			`hooks.createRuntime[1].path: must be absolute, got "bin/a"`}},
		{"every list is checked", `{"hooks": {"createContainer": [{"path": "a"}], "startContainer": [{"path": "b"}],
			"poststart": [{"path": "c"}], "poststop": [{"path": "d"}]}}`, Host{}, []string{
			`hooks.createContainer[0].path: must be absolute, got "a"`,
			`hooks.poststart[0].path: must be absolute, got "c"`,
			`hooks.poststop[0].path: must be absolute, got "d"`,
			`hooks.startContainer[0].path: must be absolute, got "b"`}},
		{"timeout 0", `{"hooks": {"poststop": [{"path": "/a", "timeout": 0}]}}`, Host{}, []string{
			"hooks.poststop[0].timeout: must be greater than 0 seconds, got 0"}},
		{"negative timeout", `{"hooks": {"poststop": [{"path": "/a", "timeout": -3}]}}`, Host{}, []string{
			"hooks.poststop[0].timeout: must be greater than 0 seconds, got -3"}},
		{"environment", `{"hooks": {"poststop": [{"path": "/a", "env": ["A", "=b", "C=d"]}]}}`, Host{}, []string{
			`hooks.poststop[0].env[0]: must have the form NAME=VALUE, got "A"`,
			`hooks.poststop[0].env[1]: must have the form NAME=VALUE, got "=b"`}},
	})
}

func TestNULBytes(t *testing.T) {
	checkRules(t, []rule{
		{"in mounts", `{"mounts": [{"destination": "/a\u0000b", "type": "tmpfs", "source": "a\u0000", "options": ["size=1\u0000"]}]}`, Host{}, []string{
			`mounts[0].destination: mount field contains null byte: "/a\x00b"`,
			`mounts[0].options[0]: mount field contains null byte: "size=1\x00"`,
			`mounts[0].source: mount field contains null byte: "a\x00"`}},
		{"in the process", `{"process": {"args": ["a", "b\u0000"], "env": ["A=\u0000"], "cwd": "/\u0000"}}`, Host{}, []string{
			`process.args[1]: contains nul byte: "b\x00"`,
			`process.cwd: contains nul byte: "/\x00"`,
			`process.env[0]: contains nul byte: "A=\x00"`}},
		{"in a map", `{"linux": {"namespaces": [{"type": "network"}], "sysctl": {"net.a\u0000": "1", "net.b": "2\u0000"}}}`, Host{}, []string{
			`linux.sysctl["net.a\x00"]: contains nul byte: "net.a\x00"`,
			`linux.sysctl["net.b"]: contains nul byte: "2\x00"`}},
		{"in resources", `{"linux": {"resources": {"blockIO": {"weightDevice": [{"major": 8, "minor": 0, "weight": 10}]}, "hugepageLimits": [{"pageSize": "2MB"}], "cpu": {"cpus": "\u0000"}}}}`, Host{}, []string{
			`linux.resources.cpu.cpus: must be a list of numbers and ranges such as "0-3,7", got "\x00"`,
			`linux.resources.cpu.cpus: contains nul byte: "\x00"`}},
		{"in a hook", `{"hooks": {"poststop": [{"path": "/a\u0000"}]}}`, Host{}, []string{
			`hooks.poststop[0].path: contains nul byte: "/a\x00"`}},
		{"in an annotation or an unknown key", `{"annotations": {"a": "\u0000"}, "x-unknown": "\u0000"}`, Host{}, nil},
	})
}

// A configuration that was built in memory has no text to search for the escape.
func TestNULBytesWithoutFile(t *testing.T) {
	c := &Config{Spec: Example(true), Bundle: t.TempDir(), File: DefaultFile}
	if err := Validate(c, Host{}); err != nil {
		t.Fatal(err)
	}
	c.Process.Args = []string{"sh\x00"}
	err := Validate(c, Host{})
	if err == nil || err.Error() != `config.json: process.args[0]: contains nul byte: "sh\x00"` {
		t.Errorf("got %v", err)
	}
}

func TestAllProblemsAtOnceInTheOrderOfTheFile(t *testing.T) {
	data := []byte(`{
	"hostname": "web",
	"mounts": [
		{"destination": "/tmp", "type": "tmpfs"},
		{"destination": "data", "type": "tmpfs"}
	],
	"process": {
		"args": ["sh"],
		"cwd": "home"
	},
	"linux": {
		"namespaces": [
			{"type": "mount"},
			{"type": "mount"}
		]
	}
}`)
	c, err := Parse(data, t.TempDir(), "")
	if err != nil {
		t.Fatal(err)
	}
	err = Validate(c, Host{})
	want := `config.json:1: ociVersion: is required: the version of the OCI runtime specification, such as "1.3.0"; ` +
		`config.json:1: root: root must be specified; ` +
		`config.json:2: hostname: needs a uts namespace in linux.namespaces: without one it would rename the host; ` +
		`config.json:5: mounts[1].destination: must be absolute, got "data"; ` +
		`config.json:9: process.cwd: Cwd must be an absolute path, got "home"; ` +
		`config.json:14: linux.namespaces[1].type: malformed spec file: duplicated ns: "mount" is in linux.namespaces[0] already`
	if err == nil || err.Error() != want {
		t.Errorf("got\n%v\nwant\n%s", err, want)
	}
	var problems Problems
	if !errors.As(err, &problems) || !slices.Equal(problems.Lines(), strings.Split(want, "; ")) {
		t.Errorf("Lines: %q", problems.Lines())
	}
}

func TestEmptyConfigurationDoesNotPanic(t *testing.T) {
	for _, c := range []*Config{{}, {Spec: new(specs.Spec)}} {
		if err := Validate(c, Host{Creating: true}); err == nil {
			t.Error("an empty configuration is valid")
		}
		if warnings := Warnings(c, Host{}); len(warnings) != 0 {
			t.Errorf("warnings: %v", warnings)
		}
	}
}

// Everything about the machine is left out when nothing is to be created, so
// that a plan can be printed anywhere, by anybody.
func TestPlanningNeedsNeitherPrivilegesNorFiles(t *testing.T) {
	c, err := Parse([]byte(`{
		"ociVersion": "1.3.0",
		"root": {"path": "missing"},
		"process": {"args": ["true"], "cwd": "/", "terminal": true, "selinuxLabel": "a", "apparmorProfile": "b",
			"user": {"additionalGids": [1]}},
		"mounts": [{"destination": "/proc", "source": "/missing", "options": ["bind"]}],
		"linux": {
			"namespaces": [{"type": "mount"}, {"type": "network", "path": "/missing"}],
			"sysctl": {"net.core.somaxconn": "1"},
			"intelRdt": {}, "mountLabel": "c",
			"resources": {"unified": {"memory.high": "1"}}
		}
	}`), t.TempDir(), "")
	if err != nil {
		t.Fatal(err)
	}
	if err := Validate(c, Host{EUID: 1000, Detached: true, CgroupV1: true}); err != nil {
		t.Error(err)
	}
}
