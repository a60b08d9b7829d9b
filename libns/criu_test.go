package libns

import (
	"os"
	"path/filepath"
	"testing"
)

func TestParseCRIUVersion(t *testing.T) {
	for text, want := range map[string]criuVersion{
		"Version: 3.17.1\n":              31701,
		"Version: 4.1\nGitID: v4.1\n":    40100,
		"Warning: x\nVersion: 3.0\n":     30000,
		"Version: 2.12":                  21200,
		"criu 3.17\n":                    0,
		"":                               0,
		"Version: unknown\nVersion: 4\n": 0,
	} {
		got, err := parseCRIUVersion(text)
		if got != want || (err != nil) != (want == 0) {
			t.Errorf("%q: %d, %v; want %d", text, got, err, want)
		}
	}
}

func TestExplainCRIUQuotesTheFirstFailureOfTheLog(t *testing.T) {
	log := filepath.Join(t.TempDir(), "dump.log")
	text := "(00.1) mnt: fine\n(00.1) Error (criu/util.c:642): exited, status=1\n(00.2) Error (criu/mount.c:1088): mnt: FS mnt ./data dev unsupported\n(00.3) Error (criu/cr-dump.c:1): Dumping FAILED.\n"
	if err := os.WriteFile(log, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	c := &criu{log: log}
	want := "criu failed: mnt: FS mnt ./data dev unsupported (see " + log + ")"
	if got := c.explain(&criuError{"something"}).Error(); got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if got := c.explain(os.ErrClosed); got != os.ErrClosed {
		t.Errorf("an error of somebody else's became %v", got)
	}
	if err := c.explain(nil); err != nil {
		t.Errorf("success became %v", err)
	}
}

func TestMountPointsAreUnescaped(t *testing.T) {
	path := filepath.Join(t.TempDir(), "mountinfo")
	text := "36 35 98:0 /m /a\\040b\\134c rw - ext3 /dev/root rw\n37 36 0:5 / /proc rw - proc proc rw\n"
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	points, err := mountPoints(path)
	if err != nil || points[36] != `/a b\c` || points[37] != "/proc" {
		t.Errorf("got %v, %v", points, err)
	}
}
