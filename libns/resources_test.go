package libns

import (
	"encoding/json"
	"errors"
	"io/fs"
	"reflect"
	"testing"

	"github.com/opencontainers/cgroups"
	specs "github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"

	"rt/libns/plan"
)

func pointer[T any](v T) *T { return &v }

func TestConvertResources(t *testing.T) {
	for _, test := range []struct {
		resources string
		want      cgroups.Resources
	}{
		{`{}`, cgroups.Resources{}},
		{`{"memory": {"limit": 100, "reservation": 50, "swap": 200, "swappiness": 0, "disableOOMKiller": true, "checkBeforeUpdate": true, "kernel": 7}}`,
			cgroups.Resources{Memory: 100, MemoryReservation: 50, MemorySwap: 200, MemorySwappiness: pointer(uint64(0)), OomKillDisable: true, MemoryCheckBeforeUpdate: true}},
		{`{"memory": {"limit": -1}}`, cgroups.Resources{Memory: -1}},
		{`{"cpu": {"shares": 1024, "quota": 5000, "period": 10000, "burst": 0, "realtimeRuntime": 1, "realtimePeriod": 2, "cpus": "0-1", "mems": "0"}}`,
			cgroups.Resources{
				CpuShares: 1024, CpuWeight: 100, CpuQuota: 5000, CpuPeriod: 10000, CpuBurst: pointer(uint64(0)),
				CpuRtRuntime: 1, CpuRtPeriod: 2, CpusetCpus: "0-1", CpusetMems: "0",
			}},
		// The kernel refuses a weight for what only runs when nothing else does.
		{`{"cpu": {"shares": 1024, "idle": 1}}`, cgroups.Resources{CPUIdle: pointer(int64(1))}},
		{`{"cpu": {"shares": 2, "idle": 0}}`, cgroups.Resources{CPUIdle: pointer(int64(0)), CpuShares: 2, CpuWeight: 1}},
		{`{"pids": {"limit": 0}}`, cgroups.Resources{PidsLimit: pointer(int64(0))}},
		{`{"pids": {}}`, cgroups.Resources{}},
		{`{"blockIO": {"weight": 10, "leafWeight": 20, "weightDevice": [{"major": 8, "minor": 0, "weight": 30}],
			"throttleReadBpsDevice": [{"major": 8, "minor": 1, "rate": 1}], "throttleWriteBpsDevice": [{"major": 8, "minor": 2, "rate": 2}],
			"throttleReadIOPSDevice": [{"major": 8, "minor": 3, "rate": 3}], "throttleWriteIOPSDevice": [{"major": 8, "minor": 4, "rate": 4}]}}`,
			cgroups.Resources{
				BlkioWeight: 10, BlkioLeafWeight: 20,
				BlkioWeightDevice:            []*cgroups.WeightDevice{cgroups.NewWeightDevice(8, 0, 30, 0)},
				BlkioThrottleReadBpsDevice:   []*cgroups.ThrottleDevice{cgroups.NewThrottleDevice(8, 1, 1)},
				BlkioThrottleWriteBpsDevice:  []*cgroups.ThrottleDevice{cgroups.NewThrottleDevice(8, 2, 2)},
				BlkioThrottleReadIOPSDevice:  []*cgroups.ThrottleDevice{cgroups.NewThrottleDevice(8, 3, 3)},
				BlkioThrottleWriteIOPSDevice: []*cgroups.ThrottleDevice{cgroups.NewThrottleDevice(8, 4, 4)},
			}},
		{`{"hugepageLimits": [{"pageSize": "2MB", "limit": 3}]}`,
			cgroups.Resources{HugetlbLimit: []*cgroups.HugepageLimit{{Pagesize: "2MB", Limit: 3}}}},
		{`{"network": {"classID": 5, "priorities": [{"name": "eth0", "priority": 6}]}}`,
			cgroups.Resources{NetClsClassid: 5, NetPrioIfpriomap: []*cgroups.IfPrioMap{{Interface: "eth0", Priority: 6}}}},
		{`{"rdma": {"mlx": {"hcaHandles": 7}}}`,
			cgroups.Resources{Rdma: map[string]cgroups.LinuxRdma{"mlx": {HcaHandles: pointer(uint32(7))}}}},
		{`{"unified": {"memory.high": "8"}}`, cgroups.Resources{Unified: map[string]string{"memory.high": "8"}}},
		// Devices are not the library's to set: a list without rules would allow all.
		{`{"devices": [{"allow": true, "access": "rwm"}]}`, cgroups.Resources{}},
	} {
		var r specs.LinuxResources
		if err := json.Unmarshal([]byte(test.resources), &r); err != nil {
			t.Fatal(err)
		}
		test.want.SkipDevices = true
		if got := convertResources(&r); !reflect.DeepEqual(*got, test.want) {
			t.Errorf("%s:\n%+v, want\n%+v", test.resources, *got, test.want)
		}
	}
}

func TestRefusedLimitIsNamed(t *testing.T) {
	for file, want := range map[string]string{
		"cpu.cfs_quota_us":                "linux.resources.cpu.quota",
		"memory.swap.max":                 "linux.resources.memory.swap",
		"hugetlb.64KB.rsvd.max":           "linux.resources.hugepageLimits",
		"hugetlb.2MB.limit_in_bytes":      "linux.resources.hugepageLimits",
		"blkio.throttle.write_bps_device": "linux.resources.blockIO.throttleWriteBpsDevice",
		"unknown.file":                    "",
	} {
		refused := &fs.PathError{Op: "write", Path: "/sys/fs/cgroup/box/" + file, Err: unix.EINVAL}
		err := limitError(refused)
		var named *fieldError
		switch {
		case !errors.Is(err, unix.EINVAL):
			t.Errorf("%s: the reason is lost: %v", file, err)
		case want == "" && errors.As(err, &named):
			t.Errorf("%s: taken for %s", file, named.field)
		case want != "" && (!errors.As(err, &named) || named.field != want):
			t.Errorf("%s: %v, want field %s", file, err, want)
		}
	}
	if err := limitError(nil); err != nil {
		t.Errorf("no error became %v", err)
	}
}

// A hierarchy can have several controllers, each of which the library looks for
// by its own name.
func TestEveryControllerHasItsDirectory(t *testing.T) {
	got := directoriesByController(plan.Cgroup{
		Unified: "/u",
		V1: []plan.V1Group{
			{Hierarchy: "cpu", Controllers: []string{"cpu", "cpuacct"}, Directory: "/c"},
			{Hierarchy: "name=systemd", Directory: "/s"},
		},
	})
	want := map[string]string{"cpu": "/c", "cpuacct": "/c", "name=systemd": "/s"}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}
