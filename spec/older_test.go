package spec

import "testing"

func TestALimitOfNoProcessesIsNoneBefore13(t *testing.T) {
	for version, limited := range map[string]bool{"1.0.2-dev": false, "1.2.1": false, "1.3.0": true, "1.10.0": true} {
		c, err := Parse([]byte(`{"ociVersion": "`+version+`", "linux": {"resources": {"pids": {"limit": 0}}}}`), "/bundle", "")
		if err != nil {
			t.Fatal(err)
		}
		if got := *c.Linux.Resources.Pids.Limit >= 0; got != limited {
			t.Errorf("ociVersion %s, pids.limit 0: a limit is set: %t, want %t", version, got, limited)
		}
	}
	c, err := Parse([]byte(`{"ociVersion": "1.0.2", "linux": {"resources": {"pids": {"limit": 5}}}}`), "/bundle", "")
	if err != nil || *c.Linux.Resources.Pids.Limit != 5 {
		t.Errorf("ociVersion 1.0.2, pids.limit 5: error %v, the limit is not kept", err)
	}
}
