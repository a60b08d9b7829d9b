package plan

import (
	"path/filepath"
	"testing"

	specs "github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"
)

const allNamespaces = unix.CLONE_NEWCGROUP | unix.CLONE_NEWIPC | unix.CLONE_NEWNET | unix.CLONE_NEWNS | unix.CLONE_NEWPID | unix.CLONE_NEWUTS

// joins are the plans that are not ForCreate's: a file of testdata
// each. The containers are those of the golden cases.
var joins = map[string]func(t *testing.T) (*Plan, error){
	"exec": func(t *testing.T) (*Plan, error) {
		return ForExec(joining(t, "default", allNamespaces))
	},
	"exec-attributes": func(t *testing.T) (*Plan, error) {
		return ForExec(joining(t, "attributes", allNamespaces|unix.CLONE_NEWTIME))
	},
	"exec-labels": func(t *testing.T) (*Plan, error) {
		r := joining(t, "labels", allNamespaces)
		r.NoNewKeyring = true
		return ForExec(r)
	},
	"exec-terminal-user": func(t *testing.T) (*Plan, error) {
		r := joining(t, "user", allNamespaces)
		r.Config.Process.Terminal, r.OrCgroup = true, "/sys/fs/cgroup/box/init"
		r.ConsoleSocket, r.PidfdSocket, r.PidFile = "/run/console.sock", "/run/pidfd.sock", "/run/box.pid"
		return ForExec(r)
	},
	"exec-no-namespaces": func(t *testing.T) (*Plan, error) {
		return ForExec(joining(t, "no-namespaces", 0))
	},
	"restore": func(t *testing.T) (*Plan, error) {
		r := request(t, "binds")
		r.PidFile, r.PidfdSocket, r.ConsoleSocket = "/run/box.pid", "/run/pidfd.sock", "/run/console.sock"
		return ForRestore(r)
	},
	"restore-no-namespaces": func(t *testing.T) (*Plan, error) { return ForRestore(request(t, "no-namespaces")) },
	"restore-systemd":       func(t *testing.T) (*Plan, error) { return ForRestore(request(t, "systemd")) },
	"restore-joined":        func(t *testing.T) (*Plan, error) { return ForRestore(request(t, "joined-namespaces")) },
	"hook-createContainer": func(t *testing.T) (*Plan, error) {
		return ForHook(hooking(t, CreateContainer))
	},
	"hook-startContainer": func(t *testing.T) (*Plan, error) {
		return ForHook(hooking(t, StartContainer))
	},
}

// joining is the request for one more process in the container of a golden case.
func joining(t *testing.T, name string, namespaces uint64) *ExecRequest {
	t.Helper()
	return &ExecRequest{Request: *request(t, name), Init: 4711, Join: namespaces}
}

func hooking(t *testing.T, kind HookKind) *HookRequest {
	t.Helper()
	hook := specs.Hook{Path: "/usr/bin/hook", Args: []string{"hook", "-v"}, Env: []string{"A=1"}}
	return &HookRequest{*joining(t, "user", allNamespaces), RunHook{Kind: kind, Index: 1, Hook: hook}}
}

func TestJoiningPlansAreThoseOfTheGoldenFiles(t *testing.T) {
	for name, compile := range joins {
		t.Run(name, func(t *testing.T) {
			p, err := compile(t)
			if err != nil {
				t.Fatal(err)
			}
			compareGolden(t, p, filepath.Join("testdata", name+".txt"))
		})
	}
}

// What was opened before the container's namespaces were entered, and is not
// closed when the program is executed, would lead out of the container.
func TestWhoJoinsAContainerLeavesTheHostsDescriptorsBehind(t *testing.T) {
	for name, compile := range joins {
		p, err := compile(t)
		if err != nil {
			t.Fatal(err)
		}
		closed := false
		for i := range p.Calls {
			c := &p.Calls[i]
			closed = closed || c.Op == unix.SYS_CLOSE_RANGE && c.Args[0].Value == 3 && c.Args[2].Value == unix.CLOSE_RANGE_CLOEXEC
			if c.Op == unix.SYS_EXECVE && !closed {
				t.Errorf("%s: nothing closes descriptors before execve", name)
			}
		}
	}
}

// The program's limits and the pid that the caller is told are those of the
// process that is inside the pid namespace, which the runtime has to know first.
func TestWhoForksStandsStillUntilTheRuntimeKnows(t *testing.T) {
	r := joining(t, "default", allNamespaces)
	r.Config.Process.Rlimits = nil
	r.Config.Process.Env = append(r.Config.Process.Env, "HOME=/") // nothing is asked of the host
	p, err := ForExec(r)
	if err != nil {
		t.Fatal(err)
	}
	forked, met := false, false
	for _, s := range p.Steps {
		for i := s.First; i < s.First+s.Count; i++ {
			forked = forked || p.Calls[i].Op == unix.SYS_EXIT_GROUP
			if p.Calls[i].Op == unix.SYS_EXECVE && !met {
				t.Error("between the fork and execve there is no barrier")
			}
		}
		met = met || forked && s.Barrier != nil
	}
	if !forked {
		t.Error("nothing is forked")
	}
}
