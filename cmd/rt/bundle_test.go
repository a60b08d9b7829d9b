package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"rt/spec"
)

// What is made of the arguments of create and run shows in the error for a
// configuration that is no JSON.
func TestCreationTarget(t *testing.T) {
	directory := t.TempDir()
	here := filepath.Join(directory, "here")
	for _, bundle := range []string{here, filepath.Join(directory, "web"), filepath.Join(here, "inner")} {
		if err := os.MkdirAll(bundle, 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(bundle, "config.json"), []byte("in "+bundle), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	const malformed = ": config.json:1:1: malformed JSON"
	for _, test := range []struct{ cwd, args, stderr string }{
		{directory, "run web/", "run " + directory + "/web" + malformed},
		{directory, "run ./web", "run " + directory + "/web" + malformed},
		{directory, "run " + directory + "/web", "run " + directory + "/web" + malformed},
		{directory, "run web/ id", "run id" + malformed},
		{directory, "run id web/", "run id" + malformed},
		{directory, "run -b web id", "run id" + malformed},
		{directory, "run id --bundle web", "run id" + malformed},
		{directory, "run -b web", "run " + directory + "/web" + malformed},
		{here, "run id", "run id" + malformed},
		{here, "run", "run " + here + malformed},
		{here, "create id", "create id" + malformed},
		{here, "create ./", "create " + here + malformed},
		{here, "create inner/ id", "create id" + malformed},
		{here, "create", `"create" requires exactly 1 argument(s)`},
		{directory, "run", `"run" requires exactly 1 argument(s)`},
		{directory, "run id", "run id: JSON specification file config.json not found in bundle " + directory},
		{directory, "run -f other.json id web/", "run id: JSON specification file other.json not found"},
		{directory, "run web", "for the bundle in web write web/"},
		{directory, "run none/", "no such file or directory"},
		{directory, "run no/ne", "invalid container ID format"},
		{directory, "run -b web a/b", "invalid container ID format"},
		{directory, "run here/ web/", "invalid container ID format"},
		{here, "create ..", "invalid container ID format"},
	} {
		t.Chdir(test.cwd)
		got := rtIn(filepath.Join(directory, "root"), strings.Fields(test.args)...)
		got.wantCode(t, 1).wantStderr(t, test.stderr)
	}
	rtIn(filepath.Join(directory, "root"), "create", "").wantCode(t, 1).wantStderr(t, "container id cannot be empty")
	if _, err := os.Stat(filepath.Join(directory, "root")); err == nil {
		t.Error("a create that was refused made the state root")
	}
}

func TestMadeID(t *testing.T) {
	for _, test := range []struct {
		bundle string
		n      int
		want   string
	}{
		{"/bundles/web", 1, "web"},
		{"/bundles/web", 2, "web-2"},
		{"/bundles/web", 17, "web-17"},
		{"/bundles/My App v1.0_x+y", 1, "My-App-v1.0_x+y"},
		{"/bundles/.hidden", 1, "hidden"},
		{"/bundles/größe", 1, "gr--e"},
		{"/bundles/é", 1, "container"},
		{"/", 1, "container"},
		{"/", 2, "container-2"},
		{"/" + strings.Repeat("x", 300), 1, strings.Repeat("x", 64)},
		{"/bundles/\xff\xfe", 3, "container-3"},
	} {
		got := madeID(test.bundle, test.n)
		if got != test.want {
			t.Errorf("id %d made from %s: %q, want %q", test.n, test.bundle, got, test.want)
		}
		if err := spec.ValidID(got); err != nil {
			t.Errorf("id %d made from %s: %v", test.n, test.bundle, err)
		}
	}
}
