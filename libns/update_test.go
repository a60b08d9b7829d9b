package libns

import (
	"encoding/json"
	"reflect"
	"slices"
	"testing"

	specs "github.com/opencontainers/runtime-spec/specs-go"
)

func limits(t *testing.T, text string) *specs.LinuxResources {
	t.Helper()
	r := new(specs.LinuxResources)
	if err := json.Unmarshal([]byte(text), r); err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return r
}

func TestUpdateChangesWhatItNames(t *testing.T) {
	for name, test := range map[string]struct{ old, change, result, set string }{
		"nothing": {
			`{"memory": {"limit": 5}}`, `{}`,
			`{"memory": {"limit": 5}}`, `{}`,
		},
		"the first limits": {
			`{}`, `{"memory": {"limit": 5, "reservation": 4}, "cpu": {"shares": 7, "cpus": "0"}, "pids": {"limit": 3}}`,
			`{"memory": {"limit": 5, "reservation": 4}, "cpu": {"shares": 7, "cpus": "0"}, "pids": {"limit": 3}}`,
			`{"memory": {"limit": 5, "reservation": 4}, "cpu": {"shares": 7, "cpus": "0"}, "pids": {"limit": 3}}`,
		},
		"zero and empty name nothing": {
			`{"memory": {"limit": 5}, "cpu": {"shares": 7, "cpus": "0"}}`, `{"memory": {"limit": 0}, "cpu": {"shares": 0, "cpus": "", "quota": 0}, "pids": {}}`,
			`{"memory": {"limit": 5}, "cpu": {"shares": 7, "cpus": "0"}}`, `{"memory": {}, "cpu": {}}`,
		},
		"but no process more, no burst and no idling": {
			`{"cpu": {"burst": 5, "idle": 1}, "pids": {"limit": 3}}`, `{"cpu": {"burst": 0, "idle": 0}, "pids": {"limit": 0}}`,
			`{"cpu": {"burst": 0, "idle": 0}, "pids": {"limit": 0}}`, `{"cpu": {"burst": 0, "idle": 0}, "pids": {"limit": 0}}`,
		},
		"memory keeps its swap space, which is set with it": {
			`{"memory": {"limit": 5, "swap": 10, "reservation": 2}}`, `{"memory": {"limit": 6}}`,
			`{"memory": {"limit": 6, "swap": 10, "reservation": 2}}`, `{"memory": {"limit": 6, "swap": 10}}`,
		},
		"swap space is set with memory": {
			`{"memory": {"limit": 5}}`, `{"memory": {"swap": 7}}`,
			`{"memory": {"limit": 5, "swap": 7}}`, `{"memory": {"limit": 5, "swap": 7}}`,
		},
		"without limit of memory there is none of both": {
			`{"memory": {"limit": 5, "swap": 10}}`, `{"memory": {"limit": -1}}`,
			`{"memory": {"limit": -1, "swap": -1}}`, `{"memory": {"limit": -1, "swap": -1}}`,
		},
		"whether to look at the usage first is remembered": {
			`{"memory": {"checkBeforeUpdate": true}}`, `{"memory": {"limit": 9}}`,
			`{"memory": {"limit": 9, "checkBeforeUpdate": true}}`, `{"memory": {"limit": 9, "checkBeforeUpdate": true}}`,
		},
		"a quota keeps its period": {
			`{"cpu": {"quota": 5, "period": 10, "shares": 2}}`, `{"cpu": {"quota": -1}}`,
			`{"cpu": {"quota": -1, "period": 10, "shares": 2}}`, `{"cpu": {"quota": -1, "period": 10}}`,
		},
		"a period keeps its quota": {
			`{"cpu": {"quota": 5}}`, `{"cpu": {"period": 20}}`,
			`{"cpu": {"quota": 5, "period": 20}}`, `{"cpu": {"quota": 5, "period": 20}}`,
		},
		"idling resets the shares": {
			`{"cpu": {"shares": 5}}`, `{"cpu": {"idle": 1}}`,
			`{"cpu": {"idle": 1}}`, `{"cpu": {"idle": 1}}`,
		},
		"devices keep their place, and the last entry counts": {
			`{"blockIO": {"weight": 10, "throttleReadBpsDevice": [{"major": 8, "minor": 0, "rate": 1}, {"major": 8, "minor": 16, "rate": 2}]}}`,
			`{"blockIO": {"throttleReadBpsDevice": [{"major": 8, "minor": 32, "rate": 3}, {"major": 8, "minor": 0, "rate": 4}, {"major": 8, "minor": 0, "rate": 5}],
				"weightDevice": [{"major": 8, "minor": 0, "weight": 20}]}}`,
			`{"blockIO": {"weight": 10, "weightDevice": [{"major": 8, "minor": 0, "weight": 20}],
				"throttleReadBpsDevice": [{"major": 8, "minor": 0, "rate": 5}, {"major": 8, "minor": 16, "rate": 2}, {"major": 8, "minor": 32, "rate": 3}]}}`,
			`{"blockIO": {"weightDevice": [{"major": 8, "minor": 0, "weight": 20}],
				"throttleReadBpsDevice": [{"major": 8, "minor": 32, "rate": 3}, {"major": 8, "minor": 0, "rate": 5}]}}`,
		},
		"unified files": {
			`{"unified": {"memory.high": "5", "pids.max": "6"}}`, `{"unified": {"pids.max": "7"}}`,
			`{"unified": {"memory.high": "5", "pids.max": "7"}}`, `{"unified": {"pids.max": "7"}}`,
		},
		"what update does not change": {
			`{"hugepageLimits": [{"pageSize": "2MB", "limit": 1}]}`,
			`{"hugepageLimits": [{"pageSize": "2MB", "limit": 2}], "rdma": {"x": {"hcaHandles": 1}}, "network": {"classID": 3}, "devices": [{"allow": true, "access": "rwm"}]}`,
			`{"hugepageLimits": [{"pageSize": "2MB", "limit": 1}]}`, `{}`,
		},
	} {
		old := limits(t, test.old)
		u := NewUpdate(old, limits(t, test.change))
		if want := limits(t, test.result); !reflect.DeepEqual(u.Result, want) {
			t.Errorf("%s: result %s, want %s", name, inJSON(t, u.Result), test.result)
		}
		if want := limits(t, test.set); !reflect.DeepEqual(u.Set, want) {
			t.Errorf("%s: sets %s, want %s", name, inJSON(t, u.Set), test.set)
		}
		if !reflect.DeepEqual(old, limits(t, test.old)) {
			t.Errorf("%s: what was remembered has changed: %s", name, inJSON(t, old))
		}
	}
}

func inJSON(t *testing.T, v any) string {
	t.Helper()
	text, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func TestNewDevicesAreUnlimitedAgain(t *testing.T) {
	for _, test := range []struct {
		file, before, now string
		want              []string
	}{
		{"pids.max", "max\n", "5\n", nil},
		{"io.max", "8:0 rbps=5 wbps=max riops=max wiops=max\n", "8:0 rbps=6 wbps=max riops=max wiops=max\n", nil},
		{"io.max", "8:0 rbps=5\n", "8:0 rbps=5\n8:16 wbps=7\n", []string{"8:16 rbps=max wbps=max riops=max wiops=max"}},
		{"io.max", "18:0 rbps=5\n", "8:0 rbps=5\n18:0 rbps=5\n", []string{"8:0 rbps=max wbps=max riops=max wiops=max"}},
		{"blkio.throttle.read_bps_device", "", "8:0 100\n", []string{"8:0 0"}},
		{"blkio.bfq.weight_device", "", "8:0 100\n", []string{"8:0 default"}},
		{"io.weight", "default 100\n", "default 200\n8:0 100\n", []string{"8:0 default"}},
	} {
		if got := unlimit(test.file, test.now, test.before); !slices.Equal(got, test.want) {
			t.Errorf("%s: %q instead of %q: %q, want %q", test.file, test.now, test.before, got, test.want)
		}
	}
}
