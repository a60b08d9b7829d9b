package plan

import (
	"testing"

	specs "github.com/opencontainers/runtime-spec/specs-go"
)

func TestWithoutACgroupAndAPIDNamespaceTheUserNamespaceIsNoted(t *testing.T) {
	for name, want := range map[string]struct{ cgroup, pid, keep bool }{
		"neither":       {keep: true},
		"a cgroup":      {cgroup: true},
		"its own pids":  {pid: true},
		"both of these": {cgroup: true, pid: true},
	} {
		r := request(t, "rootless")
		if !want.cgroup {
			r.Cgroup = Cgroup{}
		}
		if !want.pid {
			namespaces := r.Config.Linux.Namespaces[:0:0]
			for _, ns := range r.Config.Linux.Namespaces {
				if ns.Type != specs.PIDNamespace {
					namespaces = append(namespaces, ns)
				}
			}
			r.Config.Linux.Namespaces = namespaces
		}
		p, err := ForCreate(r)
		if err != nil {
			t.Fatal(err)
		}
		found := false
		for _, step := range p.Steps {
			if a, ok := step.Action.(WriteIDMap); ok {
				found = true
				if a.Keep != want.keep {
					t.Errorf("%s: noted: %v, want %v", name, a.Keep, want.keep)
				}
			}
		}
		if !found {
			t.Fatalf("%s: no ids are mapped", name)
		}
	}
}
