package plan

import "testing"

func TestCgroupForChoosesTheDirectories(t *testing.T) {
	const unified = "/sys/fs/cgroup/unified"
	for _, test := range []struct {
		path    string
		systemd bool
		want    string // in the unified hierarchy of a hybrid host
	}{
		{"", false, unified + "/box"},
		{"/a/b", false, unified + "/a/b"},
		{"a/b", false, unified + "/a/b"}, // beside /user, in which the runtime is
		{"/../../etc", false, unified + "/etc"},
		{"../../etc", false, unified + "/etc"},
		{"system.slice:rt:box", true, unified + "/system.slice/rt-box.scope"},
		{":rt:box", true, unified + "/system.slice/rt-box.scope"},
		{"-.slice::box", true, unified + "/box.scope"},
		{"a-b.slice:rt:box", true, unified + "/a.slice/a-b.slice/rt-box.scope"},
		{"a.slice:rt:c.slice", true, unified + "/a.slice/c.slice"},
	} {
		got, err := CgroupFor(test.path, "box", test.systemd, hybridFacts())
		if err != nil || got.Unified != test.want {
			t.Errorf("%q: got %q, %v, want %q", test.path, got.Unified, err, test.want)
		}
	}
	if got, err := CgroupFor("a:b:c", "box", false, hybridFacts()); err == nil {
		t.Errorf("a:b:c without the systemd driver gives %v", got)
	}
	if got, _ := CgroupFor("/a", "box", false, hybridFacts()); got.V1[0].Directory != "/sys/fs/cgroup/cpu,cpuacct/a" {
		t.Errorf("the v1 directory is %q", got.V1[0].Directory)
	}
	if got, _ := CgroupFor("a", "box", false, hybridFacts()); got.V1[0].Directory != "/sys/fs/cgroup/cpu,cpuacct/user/a" {
		t.Errorf("the v1 directory of a relative path is %q", got.V1[0].Directory)
	}
}
