package spec

import (
	"os"
	"slices"
	"testing"

	"github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"
)

// The host's own nodes say what the numbers mean.
func TestDefaultDevicesAreTheHosts(t *testing.T) {
	devices := DefaultDevices()
	if len(devices) != 6 {
		t.Errorf("got %d devices, want 6", len(devices))
	}
	for _, device := range devices {
		if mode := DeviceMode(device); mode != unix.S_IFCHR|0o666 {
			t.Errorf("%s: mode %o", device.Path, mode)
		}
		var info unix.Stat_t
		if err := unix.Stat(device.Path, &info); err != nil {
			t.Errorf("%s: %v", device.Path, err)
			continue
		}
		if number := unix.Mkdev(uint32(device.Major), uint32(device.Minor)); info.Rdev != number {
			t.Errorf("%s: the host has %#x, want %#x", device.Path, info.Rdev, number)
		}
	}
}

func TestDeviceMode(t *testing.T) {
	mode := os.FileMode(unix.S_IFBLK | 0o1640)
	for _, test := range []struct {
		device specs.LinuxDevice
		want   uint32
	}{
		{specs.LinuxDevice{Type: "c"}, unix.S_IFCHR | 0o666},
		{specs.LinuxDevice{Type: "u", FileMode: &mode}, unix.S_IFCHR | 0o1640},
		{specs.LinuxDevice{Type: "b"}, unix.S_IFBLK | 0o666},
		{specs.LinuxDevice{Type: "p", FileMode: &mode}, unix.S_IFIFO | 0o1640},
	} {
		if got := DeviceMode(test.device); got != test.want {
			t.Errorf("%+v: got %o, want %o", test.device, got, test.want)
		}
	}
}

func TestDefaultSymlinks(t *testing.T) {
	want := []Symlink{
		{"/dev/fd", "/proc/self/fd"},
		{"/dev/stdin", "/proc/self/fd/0"},
		{"/dev/stdout", "/proc/self/fd/1"},
		{"/dev/stderr", "/proc/self/fd/2"},
		{"/dev/core", "/proc/kcore"},
	}
	if got := DefaultSymlinks(); !slices.Equal(got, want) {
		t.Errorf("got %v", got)
	}
}

func TestProcessEnv(t *testing.T) {
	for _, test := range []struct {
		name string
		env  []string
		want []string
		home bool
	}{
		{"nothing", nil, nil, false},
		{"order is kept", []string{"B=1", "A=2"}, []string{"B=1", "A=2"}, false},
		{"the last one stays, at its place", []string{"A=1", "B=2", "A=3"}, []string{"B=2", "A=3"}, false},
		{"values may have equals signs", []string{"A=b=c"}, []string{"A=b=c"}, false},
		{"home", []string{"HOME=/root", "A=1"}, []string{"HOME=/root", "A=1"}, true},
		{"empty home is none", []string{"HOME=", "A=1"}, []string{"A=1"}, false},
		{"the last home counts", []string{"HOME=/a", "HOME="}, nil, false},
		{"names that begin alike", []string{"HOMEX=1", "HOME2="}, []string{"HOMEX=1", "HOME2="}, false},
	} {
		got, home := ProcessEnv(test.env)
		if !slices.Equal(got, test.want) || home != test.home {
			t.Errorf("%s: got %q, %v, want %q, %v", test.name, got, home, test.want, test.home)
		}
	}
}

func TestLookupEnv(t *testing.T) {
	env := []string{"PATH=/a", "PATHS=/b", "PATH=/c=d", "EMPTY="}
	for name, want := range map[string]string{"PATH": "/c=d", "PATHS": "/b", "EMPTY": ""} {
		if got, ok := LookupEnv(env, name); !ok || got != want {
			t.Errorf("%s: got %q, %v", name, got, ok)
		}
	}
	if got, ok := LookupEnv(env, "HOME"); ok {
		t.Errorf("HOME: got %q", got)
	}
}
