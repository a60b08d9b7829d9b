package spec

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/opencontainers/runtime-spec/specs-go"
)

const containerOfProcess = `{"process": {"args": ["init"], "cwd": "/old", "env": ["A=1"], "oomScoreAdj": 5, "noNewPrivileges": true, "terminal": true,
	"user": {"uid": 1, "umask": 63}, "capabilities": {"bounding": ["CAP_KILL"]}, "rlimits": [{"type": "RLIMIT_CORE", "soft": 1, "hard": 1}],
	"apparmorProfile": "a", "selinuxLabel": "s", "ioPriority": {"class": "IOPRIO_CLASS_BE"}, "scheduler": {"policy": "SCHED_BATCH"},
	"execCPUAffinity": {"final": "1"}}}`

func loadProcess(t *testing.T, text string) (*Config, error) {
	t.Helper()
	config, err := Parse([]byte(containerOfProcess), "/bundle", "")
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "process.json")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	loaded, err := config.LoadProcess(path)
	if config.Process.Args[0] != "init" {
		t.Error("the container's own process was changed")
	}
	return loaded, err
}

func TestProcessInheritsWhatConfinesTheContainer(t *testing.T) {
	config, err := loadProcess(t, `{"args": ["ls"]}`)
	if err != nil {
		t.Fatal(err)
	}
	p := config.Process
	if p.Args[0] != "ls" || p.Cwd != "" || p.Env != nil || p.User.UID != 0 || p.NoNewPrivileges || p.Terminal {
		t.Errorf("more than what confines it: %+v", p)
	}
	if p.Capabilities == nil || len(p.Rlimits) != 1 || p.ApparmorProfile != "a" || p.SelinuxLabel != "s" || *p.OOMScoreAdj != 5 ||
		*p.User.Umask != 63 || p.IOPriority == nil || p.Scheduler == nil || p.ExecCPUAffinity.Final != "1" {
		t.Errorf("something is not inherited: %+v", p)
	}
}

func TestProcessKeepsWhatItStates(t *testing.T) {
	config, err := loadProcess(t, `{"capabilities": {}, "rlimits": [], "oomScoreAdj": 0, "user": {"umask": 0}, "apparmorProfile": "mine",
		"selinuxLabel": "mine", "execCPUAffinity": {}, "scheduler": {"policy": "SCHED_OTHER"}, "ioPriority": {"class": "IOPRIO_CLASS_RT"}}`)
	if err != nil {
		t.Fatal(err)
	}
	p := config.Process
	if p.Capabilities.Bounding != nil || len(p.Rlimits) != 0 || p.ApparmorProfile != "mine" || p.SelinuxLabel != "mine" || *p.OOMScoreAdj != 0 ||
		*p.User.Umask != 0 || p.IOPriority.Class != "IOPRIO_CLASS_RT" || p.Scheduler.Policy != specs.SchedOther || p.ExecCPUAffinity.Final != "" {
		t.Errorf("something was overwritten: %+v", p)
	}
}

func TestWrongProcess(t *testing.T) {
	for text, want := range map[string]string{
		`{"args": [}`:       "process.json:1:11: malformed JSON",
		`{"args":` + "\n1}": "process.json:2: args: must be an array, got a number",
		``:                  "malformed JSON",
	} {
		if _, err := loadProcess(t, text); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v, want %s", text, err, want)
		}
	}
	config, err := loadProcess(t, `{"args": ["a\u0000b"], "cwd": "x"}`)
	if err != nil {
		t.Fatal(err)
	}
	err = ValidateProcess(config, Host{})
	for _, want := range []string{"process.json: process.cwd: Cwd must be an absolute path", "process.args[0]: contains nul byte"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %s", err, want)
		}
	}
}

// The rest of the configuration has had its effect, and may have changed since.
func TestOnlyTheProcessIsValidated(t *testing.T) {
	config, err := Parse([]byte(`{"ociVersion": "?", "process": {"args": ["ls"], "cwd": "/"}}`), "/bundle", "")
	if err != nil {
		t.Fatal(err)
	}
	if err := ValidateProcess(config, Host{}); err != nil {
		t.Error(err)
	}
}
