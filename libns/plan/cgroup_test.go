package plan

import "testing"

func TestCgroupForChoosesTheDirectories(t *testing.T) {
	const unified = "/sys/fs/cgroup/unified"
	for _, test := range []struct {
		path string
		want string // in the unified hierarchy of a hybrid host
	}{
		{"", unified + "/box"},
		{"/a/b", unified + "/a/b"},
		{"a/b", unified + "/a/b"}, // beside /user, in which the runtime is
		{"/../../etc", unified + "/etc"},
		{"../../etc", unified + "/etc"},
	} {
		got, err := CgroupFor(test.path, "box", hybridFacts())
		if err != nil || got.Unified != test.want {
			t.Errorf("%q: got %q, %v, want %q", test.path, got.Unified, err, test.want)
		}
	}
	if got, err := CgroupFor("a:b:c", "box", hybridFacts()); err == nil {
		t.Errorf("a:b:c without the systemd driver gives %v", got)
	}
	if got, _ := CgroupFor("/a", "box", hybridFacts()); got.V1[0].Directory != "/sys/fs/cgroup/cpu,cpuacct/a" {
		t.Errorf("the v1 directory is %q", got.V1[0].Directory)
	}
	if got, _ := CgroupFor("a", "box", hybridFacts()); got.V1[0].Directory != "/sys/fs/cgroup/cpu,cpuacct/user/a" {
		t.Errorf("the v1 directory of a relative path is %q", got.V1[0].Directory)
	}
}
