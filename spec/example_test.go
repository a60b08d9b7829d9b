package spec

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"testing"

	"github.com/opencontainers/runtime-spec/specs-go"
)

var update = flag.Bool("update", false, "rewrite the golden files")

func TestExamples(t *testing.T) {
	for _, test := range []struct {
		golden  string
		example *specs.Spec
		host    Host
	}{
		{"example.json", Example(true), Host{Creating: true}},
		{"example-cgroup-v1.json", Example(false), Host{Creating: true, CgroupV1: true}},
		{"example-rootless.json", ExampleRootless(1000, 1001, true), Host{Creating: true, EUID: 1000}},
	} {
		t.Run(test.golden, func(t *testing.T) {
			data, err := json.MarshalIndent(test.example, "", "\t")
			if err != nil {
				t.Fatal(err)
			}
			compareGolden(t, filepath.Join("testdata", test.golden), append(data, '\n'))

			bundle := t.TempDir()
			if err := os.Mkdir(filepath.Join(bundle, "rootfs"), 0o755); err != nil {
				t.Fatal(err)
			}
			c, err := Parse(data, bundle, "")
			if err != nil {
				t.Fatal(err)
			}
			if err := Validate(c, test.host); err != nil {
				t.Error(err)
			}
			if warnings := Warnings(c, test.host); len(warnings) > 0 {
				t.Error(warnings)
			}
		})
	}
}

func compareGolden(t *testing.T, path string, got []byte) {
	t.Helper()
	if *update {
		if err := os.WriteFile(path, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("differs from %s (rewrite it with -update if that is meant):\n%s", path, got)
	}
}
