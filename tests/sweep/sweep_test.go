// Package sweep makes every call of a container's plan fail, one after the
// other, through the real init stage, and looks at what is said and what is
// left.
package sweep

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	specs "github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"

	"rt/libns"
	"rt/libns/kernel"
	"rt/libns/plan"
	"rt/spec"
)

// injected is an errno that no call gives and no outcome names.
const injected = unix.ENOTRECOVERABLE

func TestEveryFailureIsExplainedAndUndone(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("making a container takes root")
	}
	everyStep := func(*plan.Step) bool { return true }
	sweep(t, everyStep)
}

// What is different in a user namespace is the way there.
func TestEveryFailureOnTheWayIntoAUserNamespaceIsExplainedAndUndone(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("making a container takes root")
	}
	sweep(t, func(s *plan.Step) bool {
		// Two processes would fail in the step that forks, of which the
		// runtime knows one.
		return strings.Contains(s.Title, "namespaces") || strings.Contains(s.Title, "user namespace") || s.Title == "leave the caller's groups"
	}, mapIDs)
}

// mapIDs gives the container a user namespace of its own.
func mapIDs(c *spec.Config) {
	ids := []specs.LinuxIDMapping{{ContainerID: 0, HostID: 100000, Size: 65536}}
	c.Linux.UIDMappings, c.Linux.GIDMappings = ids, ids
	c.Linux.Namespaces = append(c.Linux.Namespaces, specs.LinuxNamespace{Type: specs.UserNamespace})
}

// sweep makes the calls of the wanted steps fail, one by one.
func sweep(t *testing.T, wanted func(*plan.Step) bool, changes ...func(*spec.Config)) {
	bundle := makeBundle(t)
	request := newRequest(t, bundle, changes...)
	runToEnd(t, request) // the cgroup library keeps a descriptor from its first use on
	before := snapshot(t, bundle)
	whole, err := plan.ForCreate(&request.Request)
	if err != nil {
		t.Fatal(err)
	}
	failedSteps := map[string]bool{}
	reached := 0
	for call := range whole.Calls {
		if !wanted(stepOf(whole, call)) {
			continue
		}
		request := newRequest(t, bundle, changes...)
		request.Inject = func(p *plan.Plan) *plan.Plan { return failing(p, call) }
		container, err := libns.Create(request)
		if err == nil {
			// The call is on a branch that this container does not take.
			end(t, container)
		} else {
			reached++
			checkError(t, whole, call, err)
			failedSteps[stepOf(whole, call).Title+stepOf(whole, call).Field] = true
		}
		if after := snapshot(t, bundle); after != before {
			t.Fatalf("after a failure of call %d, %s:\n%s", call, whole.CallString(call), difference(before, after))
		}
		if left, _ := os.ReadDir(request.Dir); len(left) > 0 {
			t.Errorf("call %d left %v in the state directory", call, left)
		}
	}
	for i := range whole.Steps {
		s := &whole.Steps[i]
		if s.Side == plan.Container && wanted(s) && !failedSteps[s.Title+s.Field] {
			t.Errorf("no call of the step %q was reached", s.Title)
		}
	}
	t.Logf("%d calls, %d reached and failed", len(whole.Calls), reached)
}

// runToEnd makes a container to which nothing happens.
func runToEnd(t *testing.T, r *libns.Request) {
	t.Helper()
	container, err := libns.Create(r)
	if err != nil {
		t.Fatal(err)
	}
	end(t, container)
}

// end waits for a container that ran, and removes it.
func end(t *testing.T, c *libns.NewContainer) {
	t.Helper()
	if code, err := c.Wait(); code != 0 || err != nil {
		t.Errorf("the container ended with %d, %v", code, err)
	}
	c.Release() // Wait keeps the pidfd, for signals that it passes on
	if err := c.Destroy(); err != nil {
		t.Error(err)
	}
}

// failing is the plan with one call replaced by one that fails.
func failing(p *plan.Plan, call int) *plan.Plan {
	changed := *p
	changed.Calls = slices.Clone(p.Calls)
	changed.Calls[call] = plan.Call{
		Op: plan.OpIs, NArg: 4, Success: plan.Next,
		Args: [6]plan.Arg{{Value: 0}, {Value: 1}, {Value: 1}, {Value: uint64(injected)}},
	}
	return &changed
}

func checkError(t *testing.T, p *plan.Plan, call int, err error) {
	t.Helper()
	if !errors.Is(err, injected) {
		t.Errorf("call %d: the errno is lost: %v", call, err)
	}
	var step *plan.StepError
	if !errors.As(err, &step) {
		t.Errorf("call %d: not the error of a step: %v", call, err)
		return
	}
	want := stepOf(p, call)
	if !strings.Contains(err.Error(), want.Title) || !strings.Contains(err.Error(), want.Field) {
		t.Errorf("call %d: %q does not name step %q and field %q", call, err, want.Title, want.Field)
	}
	if step.Call != p.CallString(call) {
		t.Errorf("call %d: reported as %q, is %q", call, step.Call, p.CallString(call))
	}
	if want.Field != "" && !strings.Contains(err.Error(), "config.json:") {
		t.Errorf("call %d: %q does not say where the field is", call, err)
	}
}

func stepOf(p *plan.Plan, call int) *plan.Step {
	for i := range p.Steps {
		s := &p.Steps[i]
		if s.Side == plan.Container && call >= s.First && call < s.First+s.Count {
			return s
		}
	}
	return &plan.Step{}
}

// makeBundle makes a bundle with a real root file system and the config that
// `rt spec` writes, without its terminal, and with a little of everything else.
func makeBundle(t *testing.T) string {
	t.Helper()
	busybox, err := exec.LookPath("busybox")
	if err != nil {
		t.Skip("busybox (Debian: busybox-static) is not installed")
	}
	bundle := t.TempDir()
	rootfs := filepath.Join(bundle, "rootfs")
	for _, d := range []string{"bin", "proc", "sys", "dev", "etc"} {
		if err := os.MkdirAll(filepath.Join(rootfs, d), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	program, err := os.ReadFile(busybox)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(rootfs, "bin/busybox"), program, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("busybox", filepath.Join(rootfs, "bin/true")); err != nil {
		t.Fatal(err)
	}
	return bundle
}

func newRequest(t *testing.T, bundle string, changes ...func(*spec.Config)) *libns.Request {
	t.Helper()
	facts, err := kernel.Probe()
	if err != nil {
		t.Fatal(err)
	}
	config := &spec.Config{Spec: spec.Example(facts.Cgroup == kernel.CgroupUnified), Bundle: bundle, File: "config.json"}
	config.Process.Terminal = false
	config.Process.Args = []string{"true"}
	config.Process.OOMScoreAdj = new(int)
	config.Linux.Namespaces = append(config.Linux.Namespaces, specs.LinuxNamespace{Type: specs.CgroupNamespace})
	config.Linux.Sysctl = map[string]string{"net.ipv4.ip_forward": "1"}
	config.Linux.Resources = nil
	config.Mounts = append(config.Mounts, specs.Mount{Destination: "/made/deep", Source: bundle, Options: []string{"rbind", "ro", "rnosuid"}})
	for _, change := range changes {
		change(config)
	}
	config = reparse(t, config)
	id := fmt.Sprintf("sweep-%d", os.Getpid())
	cgroup, err := plan.CgroupFor("/"+id, id, facts)
	if err != nil {
		t.Fatal(err)
	}
	return &libns.Request{
		Request: plan.Request{Config: config, ID: id, Dir: t.TempDir(), Facts: facts, Cgroup: cgroup},
		Save:    func(libns.Init) error { return nil },
	}
}

// reparse gives the config lines, which only a file has.
func reparse(t *testing.T, c *spec.Config) *spec.Config {
	t.Helper()
	data, err := marshal(c.Spec)
	if err != nil {
		t.Fatal(err)
	}
	parsed, err := spec.Parse(data, c.Bundle, c.File)
	if err != nil {
		t.Fatal(err)
	}
	return parsed
}
