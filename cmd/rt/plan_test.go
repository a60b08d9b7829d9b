package main

import (
	"encoding/json"
	"os"
	"strings"
	"testing"
)

func TestPlan(t *testing.T) {
	bundle := newBundle(t, "web")
	t.Chdir(bundle)
	root := t.TempDir()
	text := rtIn(root, "plan").wantCode(t, 0)
	for _, want := range []string{"mount tmpfs on /dev/shm", "mounts[3]", `fsconfig(fs, "size", "65536k")`, "pivot_root(", bundle + "/rootfs", "═"} {
		text.wantStdout(t, want)
	}
	for _, args := range [][]string{{"."}, {bundle}, {"-b", bundle}, {"./", "--config", "config.json"}, {"--format", "text"}, {"--for", "run"}} {
		if got := rtIn(root, append([]string{"plan"}, args...)...).wantCode(t, 0); got.stdout != text.stdout {
			t.Errorf("rt plan %v differs from rt plan", args)
		}
	}
	steps := rtIn(root, "plan", "--no-calls").wantCode(t, 0).wantStdout(t, "mount tmpfs on /dev/shm")
	if strings.Contains(steps.stdout, "fsconfig") {
		t.Errorf("calls in spite of --no-calls:\n%s", steps.stdout)
	}
	if got := rtIn(root, "plan", "--for", "create").wantCode(t, 0); strings.Count(got.stdout, "gate") <= strings.Count(text.stdout, "gate") {
		t.Error("the plan of create has no gate")
	}
	rtIn(root, "plan", bundle, "--bundle", ".").wantCode(t, 1).wantStderr(t, "as the bundle")
}

func TestPlanAsJSON(t *testing.T) {
	got := rtIn(t.TempDir(), "plan", newBundle(t, "web"), "--format=json").wantCode(t, 0)
	var plan map[string]any
	if err := json.Unmarshal([]byte(got.stdout), &plan); err != nil {
		t.Fatalf("%v\n%s", err, got.stdout)
	}
	if steps, ok := plan["steps"].([]any); !ok || len(steps) < 10 {
		t.Errorf("steps: %v", plan["steps"])
	}
}

func TestPlanDoesNothing(t *testing.T) {
	root := t.TempDir()
	bundle := newBundle(t, "web")
	edit(t, bundle, `"path": "rootfs"`, `"path": "missing"`)
	rtIn(root, "plan", bundle).wantCode(t, 0)
	if left, err := os.ReadDir(root); err != nil || len(left) != 0 {
		t.Errorf("in the state root: %v, %v", left, err)
	}
}

func TestPlanReportsAllProblems(t *testing.T) {
	bundle := twoProblems(t)
	rtIn(t.TempDir(), "plan", bundle).wantCode(t, 1).wantStderr(t, "rt: plan "+bundle+": config.json has 2 problems:\n")
}
