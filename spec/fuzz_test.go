package spec

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"
)

// FuzzParse holds that no bytes make Parse or Line panic, and that errors keep
// to one line and name the file.
func FuzzParse(f *testing.F) {
	for _, seed := range seeds(f) {
		f.Add(seed, "mounts[3].destination")
	}
	f.Add("null", "")
	f.Add("[1", "[")
	f.Add(`{"a": {"b.c": [[1]]}}`, `a["b.c"][0][0]`)
	f.Add(`{"process": {"args": {"": 1}}}`, `["`)
	f.Fuzz(func(t *testing.T, data, field string) {
		c, err := Parse([]byte(data), "/bundle", "")
		if err != nil {
			if !strings.HasPrefix(err.Error(), "config.json:") {
				t.Errorf("error does not name the file: %v", err)
			}
			if strings.Contains(err.Error(), "\n") {
				t.Errorf("error has several lines: %q", err)
			}
			return
		}
		if line := c.Line(field); line < 1 || line > 1+strings.Count(data, "\n") {
			t.Errorf("line %d", line)
		}
	})
}

// FuzzValidate holds that whatever parses can be validated, and that every
// problem has its place. Nothing is looked up on the host.
func FuzzValidate(f *testing.F) {
	for _, seed := range seeds(f) {
		f.Add(seed, uint8(0))
	}
	f.Fuzz(func(t *testing.T, data string, bits uint8) {
		c, err := Parse([]byte(data), "/bundle", "")
		if err != nil {
			return
		}
		host := Host{
			EUID:          int(bits & 1),
			Detached:      bits&2 != 0,
			ConsoleSocket: bits&4 != 0,
			NoPivot:       bits&8 != 0,
			SystemdCgroup: bits&16 != 0,
			LastCap:       int(bits & 32),
		}
		if err := Validate(c, host); err != nil {
			checkProblems(t, err)
		}
		for _, warning := range Warnings(c, host) {
			checkProblem(t, warning)
		}
		useAfterValidation(c)
	})
}

func checkProblems(t *testing.T, err error) {
	t.Helper()
	var problems Problems
	if !errors.As(err, &problems) || len(problems) == 0 {
		t.Fatalf("not Problems: %#v", err)
	}
	for _, problem := range problems {
		checkProblem(t, problem)
	}
}

func checkProblem(t *testing.T, problem Problem) {
	t.Helper()
	if problem.Line < 1 || problem.Field == "" || problem.Text == "" {
		t.Errorf("incomplete: %#v", problem)
	}
	if strings.Contains(problem.String(), "\n") {
		t.Errorf("several lines: %q", problem)
	}
}

// useAfterValidation calls what the other packages call with a configuration.
func useAfterValidation(c *Config) {
	c.RootPath()
	for _, mount := range c.Mounts {
		c.MountDestination(mount)
		c.BindSource(mount)
		ParseMountOptions(mount.Options)
	}
	if c.Process != nil {
		ProcessEnv(c.Process.Env)
	}
	if c.Linux != nil {
		for _, device := range c.Linux.Devices {
			DeviceMode(device)
		}
	}
}

// seeds are configurations that reach every section, with values absent, null
// and wrong.
func seeds(f *testing.F) []string {
	f.Helper()
	list := []string{
		baseConfig,
		`{}`,
		`{"process": {}, "root": {}, "hooks": {}, "linux": {}, "mounts": [{}]}`,
		`{"linux": {"resources": {"memory": {}, "cpu": {}, "pids": {}, "blockIO": {"weightDevice": [{}]}, "network": {"priorities": [{}]},
			"rdma": {"": {}}, "unified": {"": ""}, "devices": [{}], "hugepageLimits": [{}]}}}`,
		`{"linux": {"seccomp": {"syscalls": [{"args": [{}]}]}, "intelRdt": {}, "memoryPolicy": {}, "personality": {}, "timeOffsets": {"": {}},
			"netDevices": {"": {}}, "sysctl": {"": ""}, "devices": [{}], "namespaces": [{}], "uidMappings": [{}], "gidMappings": [{}, {}]}}`,
		`{"hooks": {"prestart": [{}], "poststop": [{"timeout": 0, "env": [""]}]}, "annotations": {"": ""}}`,
		`{"process": {"scheduler": {}, "ioPriority": {}, "execCPUAffinity": {"initial": "1-"}, "capabilities": {"effective": ["CAP_X"]},
			"rlimits": [{}, {}], "consoleSize": {"height": 1, "width": 2}, "args": ["\u0000"]}}`,
	}
	data, err := json.Marshal(ExampleRootless(1000, 1000, true))
	if err != nil {
		f.Fatal(err)
	}
	return append(list, string(data))
}
