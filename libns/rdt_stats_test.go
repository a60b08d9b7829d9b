package libns

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	specs "github.com/opencontainers/runtime-spec/specs-go"

	"rt/libns/plan"
)

// write makes files below a directory.
func write(t *testing.T, directory string, files map[string]string) {
	t.Helper()
	for name, text := range files {
		path := filepath.Join(directory, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// rdtStats is what `rt events` prints as intel_rdt.
func rdtStats(t *testing.T, r plan.RDT, top string) string {
	t.Helper()
	stats, err := readRDT(r, top)
	if err != nil {
		t.Fatal(err)
	}
	text, err := json.Marshal(stats)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func TestStatisticsOfResctrlAreThoseOfTheContainersGroups(t *testing.T) {
	top, fs := fakeResctrl(t)
	write(t, top, map[string]string{
		"info/L3/cbm_mask": "7ff\n", "info/L3/min_cbm_bits": "2\n", "info/L3/num_closids": "16\n",
		"info/MB/bandwidth_gran": "10\n", "info/MB/delay_linear": "1\n", "info/MB/min_bandwidth": "20\n", "info/MB/num_closids": "8\n",
	})
	r, _, err := joined(t, fs, top, &specs.LinuxIntelRdt{EnableMonitoring: true})
	if err != nil {
		t.Fatal(err)
	}
	write(t, r.Group, map[string]string{
		"schemata":                         "    MB:0= 50;1= 50\n    L3:0=00f;1=7ff\n",
		"mon_data/mon_L3_00/llc_occupancy": "999\n", // of the class, to which others may belong
	})
	write(t, r.Monitor, map[string]string{
		"mon_data/mon_L3_00/llc_occupancy": "1000\n", "mon_data/mon_L3_00/mbm_total_bytes": "2000\n", "mon_data/mon_L3_00/mbm_local_bytes": "1500\n",
		"mon_data/mon_L3_01/llc_occupancy": "3000\n", "mon_data/mon_L3_01/mbm_total_bytes": "Unavailable\n", "mon_data/mon_L3_01/mbm_local_bytes": "7\n",
	})
	want := `{"l3_cache_info":{"cbm_mask":"7ff","min_cbm_bits":2,"num_closids":16},` +
		`"l3_cache_schema_root":"L3:0=7ff;1=7ff","l3_cache_schema":"L3:0=00f;1=7ff",` +
		`"mem_bw_info":{"bandwidth_gran":10,"delay_linear":1,"min_bandwidth":20,"num_closids":8},` +
		`"mem_bw_schema_root":"MB:0=100;1=100","mem_bw_schema":"MB:0= 50;1= 50",` +
		`"schemata":["MB:0= 50;1= 50","L3:0=00f;1=7ff"],` +
		`"mbm_stats":[{"mbm_total_bytes":2000,"mbm_local_bytes":1500},{"mbm_local_bytes":7}],` +
		`"cmt_stats":[{"llc_occupancy":1000},{"llc_occupancy":3000}]}`
	if got := rdtStats(t, r, top); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	r.Monitor = ""
	if got := rdtStats(t, r, top); !strings.Contains(got, `"cmt_stats":[{"llc_occupancy":999}]`) {
		t.Errorf("without a monitoring group: got %s", got)
	}
}

func TestStatisticsOfResctrlAreEmptyForWhatIsNotThere(t *testing.T) {
	top, fs := fakeResctrl(t)
	if got := rdtStats(t, plan.RDT{}, top); got != "{}" {
		t.Errorf("without linux.intelRdt: got %s", got)
	}
	r, _, err := joined(t, fs, top, &specs.LinuxIntelRdt{})
	if err != nil {
		t.Fatal(err)
	}
	if got, want := rdtStats(t, r, top), `{"schemata":["L3:0=7ff;1=7ff","MB:0=100;1=100"]}`; got != want {
		t.Errorf("on a processor without either: got %s, want %s", got, want)
	}
}

func TestAStatisticThatIsNoNumberIsAnError(t *testing.T) {
	top, fs := fakeResctrl(t)
	write(t, top, map[string]string{"info/L3/num_closids": "many\n"})
	r, _, err := joined(t, fs, top, &specs.LinuxIntelRdt{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := readRDT(r, top); err == nil || !strings.Contains(err.Error(), "num_closids") {
		t.Errorf("got %v", err)
	}
}
