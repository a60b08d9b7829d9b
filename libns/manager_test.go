package libns

import (
	"errors"
	"net"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"rt/libns/plan"
)

// A listener that accepts and says nothing is what a bus is whose daemon hangs.
func TestASilentBusIsNotWaitedForForLong(t *testing.T) {
	path := filepath.Join(t.TempDir(), "bus")
	listener, err := net.Listen("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	t.Setenv("DBUS_SYSTEM_BUS_ADDRESS", "unix:path="+path)
	_, err = connectManager(false, 50*time.Millisecond)
	if err == nil || !strings.Contains(err.Error(), "did not answer at unix:path="+path+" within 50ms") || errors.Is(err, ErrNoManager) {
		t.Errorf("got %v", err)
	}
}

func TestABusThatIsNotThereMeansNoManager(t *testing.T) {
	t.Setenv("DBUS_SYSTEM_BUS_ADDRESS", "unix:path="+filepath.Join(t.TempDir(), "bus"))
	if _, err := ConnectManager(false); !errors.Is(err, ErrNoManager) {
		t.Errorf("the system's: got %v", err)
	}
	t.Setenv("DBUS_SESSION_BUS_ADDRESS", "")
	t.Setenv("XDG_RUNTIME_DIR", t.TempDir())
	if _, err := ConnectManager(true); !errors.Is(err, ErrNoManager) {
		t.Errorf("the user's: got %v", err)
	}
	unit := plan.Unit{Name: "rt-box.scope", User: true}
	if err := removeUnit(unit); err != nil {
		t.Errorf("a unit of a systemd that is gone: %v", err)
	}
}

func TestParseVersionTakesTheNumber(t *testing.T) {
	for text, want := range map[string]int{"257": 257, "v245.4-1.fc32": 245, "252.39-1~deb12u1": 252, "258~rc1": 258} {
		if got, err := parseVersion(text); got != want || err != nil {
			t.Errorf("%q: got %d, %v", text, got, err)
		}
	}
	for _, text := range []string{"", "v", "systemd 257"} {
		if got, err := parseVersion(text); err == nil {
			t.Errorf("%q: got %d", text, got)
		}
	}
}
