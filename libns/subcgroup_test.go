package libns

import (
	"reflect"
	"strings"
	"testing"

	"rt/libns/plan"
)

func TestSubCgroups(t *testing.T) {
	container := plan.Cgroup{Unified: "/u/c", V1: []plan.V1Group{
		{Hierarchy: "cpu", Controllers: []string{"cpu", "cpuacct"}, Directory: "/cpu/c"},
		{Hierarchy: "name=systemd", Directory: "/systemd/c"},
	}}
	for values, want := range map[string][]string{
		"":                      {"/u/c", "/cpu/c", "/systemd/c"},
		"/":                     {"/u/c", "/cpu/c", "/systemd/c"},
		"a/b":                   {"/u/c/a/b", "/cpu/c/a/b", "/systemd/c/a/b"},
		"cpu:a":                 {"/u/c", "/cpu/c/a", "/systemd/c"},
		"cpu,cpuacct:a":         {"/u/c", "/cpu/c/a", "/systemd/c"},
		"cpu:a name=systemd:/b": {"/u/c", "/cpu/c/a", "/systemd/c/b"},
	} {
		subs, err := ParseSubCgroups(strings.Fields(values))
		if err != nil {
			t.Errorf("%s: %v", values, err)
			continue
		}
		got, err := below(container, subs)
		if err != nil || !reflect.DeepEqual(got.Directories(), want) {
			t.Errorf("%s: got %v, %v, want %v", values, got.Directories(), err, want)
		}
	}
	if container.V1[0].Directory != "/cpu/c" {
		t.Error("the container's own cgroup was changed")
	}
}

func TestWrongSubCgroups(t *testing.T) {
	for values, want := range map[string]string{
		"..":          "bad sub cgroup path: ..",
		"a/../b":      "bad sub cgroup path: a/../b",
		"cpu:../b":    "bad sub cgroup path: ../b",
		"a b":         "missing <controller>: prefix",
		"cpu:a b":     "missing <controller>: prefix",
		":a":          "empty <controller> prefix",
		"cpu,:a":      "empty <controller> prefix",
		"cpu:a cpu:b": `several entries for controller "cpu"`,
		"memory:a":    `no v1 hierarchy with the controller "memory"`,
	} {
		subs, err := ParseSubCgroups(strings.Fields(values))
		if err == nil {
			_, err = below(plan.Cgroup{V1: []plan.V1Group{{Hierarchy: "cpu", Directory: "/cpu/c"}}}, subs)
		}
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v, want %s", values, err, want)
		}
	}
}
