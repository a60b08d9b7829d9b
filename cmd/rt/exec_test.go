package main

import (
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/opencontainers/runtime-spec/specs-go"
	"github.com/urfave/cli/v2"

	"rt/spec"
	"rt/state"
)

// described gives the process that a command line of exec describes, in a bundle
// whose configuration has this one.
func described(t *testing.T, process, line string) (*specs.Process, error) {
	t.Helper()
	bundle := t.TempDir()
	path := filepath.Join(bundle, spec.DefaultFile)
	text := `{"ociVersion": "1.0.2", "process": ` + process + `}`
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	var config *spec.Config
	var failure error
	tool := newTool(nil, nil)
	app := tool.app("rt")
	app.Before = nil
	app.Command(execName).Action = func(c *cli.Context) error {
		config, failure = execConfig(c, &state.Record{Bundle: bundle, Config: path}, &spec.Config{Spec: new(specs.Spec), Bundle: bundle})
		return nil
	}
	if err := app.Run(arrange(app, append([]string{"rt", "exec"}, strings.Fields(line)...))); err != nil {
		t.Fatal(err)
	}
	if failure != nil {
		return nil, failure
	}
	return config.Process, nil
}

func TestFlagsDescribeTheProcessOfExec(t *testing.T) {
	const process = `{"terminal": true, "args": ["init"], "cwd": "/old", "env": ["A=1"], "user": {"uid": 1, "gid": 2, "additionalGids": [3]},
		"capabilities": {"bounding": ["CAP_KILL"], "ambient": ["CAP_KILL"]}, "noNewPrivileges": true}`
	got, err := described(t, process, "-t --cwd /new -e B=2,3 --env A=4 -u 10:20 -g 30 -g=31 -c CAP_CHOWN --no-new-privs=false "+
		"--apparmor profile --process-label label web -- run -t")
	if err != nil {
		t.Fatal(err)
	}
	want := &specs.Process{
		Terminal: true, Args: []string{"run", "-t"}, Cwd: "/new", Env: []string{"A=1", "B=2,3", "A=4"},
		User: specs.User{UID: 10, GID: 20, AdditionalGids: []uint32{3, 30, 31}},
		Capabilities: &specs.LinuxCapabilities{
			Bounding: []string{"CAP_KILL", "CAP_CHOWN"}, Effective: []string{"CAP_CHOWN"},
			Permitted: []string{"CAP_CHOWN"}, Ambient: []string{"CAP_KILL"},
		},
		ApparmorProfile: "profile", SelinuxLabel: "label",
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
}

func TestWithoutFlagsTheProcessOfExecIsTheConfigs(t *testing.T) {
	got, err := described(t, `{"terminal": true, "args": ["init"], "cwd": "/old", "env": ["A=1"], "user": {"uid": 1}, "noNewPrivileges": true}`, "web run")
	if err != nil {
		t.Fatal(err)
	}
	want := &specs.Process{Args: []string{"run"}, Cwd: "/old", Env: []string{"A=1"}, User: specs.User{UID: 1}, NoNewPrivileges: true}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
}

// Without capabilities in the configuration nothing was taken away, to which
// the flag could add.
func TestCapabilityOfExecDoesNotTakeOthersAway(t *testing.T) {
	got, err := described(t, `{"args": ["init"], "cwd": "/"}`, "--cap CAP_CHOWN web run")
	if err != nil {
		t.Fatal(err)
	}
	if got.Capabilities != nil {
		t.Errorf("got %+v", got.Capabilities)
	}
}

func TestExecRefusesWhatItCannotUnderstand(t *testing.T) {
	for line, want := range map[string]string{
		"web":                            "exec args cannot be empty",
		"web --":                         "exec args cannot be empty",
		"--user root web run":            `bad uid "root"`,
		"--user 1:users web run":         `bad gid "users"`,
		"--user 4294967296 web run":      "bad uid",
		"-g -1 web run":                  "additional-gids must be a positive number",
		"-g 4294967296 web run":          "additional-gids must be a positive number",
		"--cap CHOWN web run":            `unknown capability "CHOWN"`,
		"--process /no/such/file web ls": "no such file or directory",
	} {
		if _, err := described(t, `{"args": ["init"], "cwd": "/"}`, line); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v, want %s", line, err, want)
		}
	}
}

// Callers tell an error of rt from one of the program by its exit code.
func TestErrorsOfExecHaveACodeOfTheirOwn(t *testing.T) {
	root := t.TempDir()
	rtIn(root, "exec", "web", "ls").wantCode(t, execFailedCode).wantStderr(t, "rt: exec web: container does not exist")
	rtIn(root, "exec", "../web", "ls").wantCode(t, execFailedCode).wantStderr(t, "invalid container ID format")
	claimed(t, root, "web").Unlock()
	rtIn(root, "exec", "--preserve-fds", "-1", "web", "ls").wantCode(t, execFailedCode).wantStderr(t, "must not be negative")
	rtIn(root, "exec", "--cgroup", "a/../..", "web", "ls").wantCode(t, execFailedCode).wantStderr(t, "bad sub cgroup path: a/../..")
}

func TestValuesOfRepeatedFlagsAreKeptAsTheyAre(t *testing.T) {
	app := newTool(nil, nil).app("rt")
	app.Before = nil
	var got []string
	app.Command(execName).Action = func(c *cli.Context) error {
		got = listed(c, "env")
		return nil
	}
	args := []string{"rt", execName, "-e", " A=1, 2 ", "--env", "", "-e=B", "web", "-e", "C"}
	if err := app.Run(arrange(app, args)); err != nil {
		t.Fatal(err)
	}
	if want := []string{" A=1, 2 ", "", "B"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}
