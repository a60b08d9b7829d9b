package spec

import (
	"encoding/json"
	"reflect"
	"slices"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

func TestParseMountOptions(t *testing.T) {
	const atime = unix.MOUNT_ATTR__ATIME
	for _, test := range []struct {
		options string // separated by blanks
		want    MountOptions
	}{
		{"", MountOptions{}},
		{"defaults", MountOptions{}},
		{"bind", MountOptions{Bind: true}},
		{"rbind", MountOptions{Bind: true, Recursive: true}},
		{"rbind bind", MountOptions{Bind: true, Recursive: true}},
		{"remount", MountOptions{Remount: true}},

		{"nosuid nodev noexec nosymfollow nodiratime", MountOptions{AttrsGiven: true, AttrSet: unix.MOUNT_ATTR_NOSUID |
			unix.MOUNT_ATTR_NODEV | unix.MOUNT_ATTR_NOEXEC | unix.MOUNT_ATTR_NOSYMFOLLOW | unix.MOUNT_ATTR_NODIRATIME}},
		{"suid dev exec symfollow diratime", MountOptions{AttrsGiven: true, AttrClear: unix.MOUNT_ATTR_NOSUID |
			unix.MOUNT_ATTR_NODEV | unix.MOUNT_ATTR_NOEXEC | unix.MOUNT_ATTR_NOSYMFOLLOW | unix.MOUNT_ATTR_NODIRATIME}},
		{"nosuid suid", MountOptions{AttrsGiven: true, AttrClear: unix.MOUNT_ATTR_NOSUID}},
		{"suid nosuid", MountOptions{AttrsGiven: true, AttrSet: unix.MOUNT_ATTR_NOSUID}},

		{"ro", MountOptions{AttrsGiven: true, AttrSet: unix.MOUNT_ATTR_RDONLY, SuperFlags: []string{"ro"}}},
		{"rw", MountOptions{AttrsGiven: true, AttrClear: unix.MOUNT_ATTR_RDONLY}},
		{"ro rw", MountOptions{AttrsGiven: true, AttrClear: unix.MOUNT_ATTR_RDONLY, SuperFlags: []string{}}},
		{"rw ro ro", MountOptions{AttrsGiven: true, AttrSet: unix.MOUNT_ATTR_RDONLY, SuperFlags: []string{"ro"}}},

		{"noatime", MountOptions{AttrsGiven: true, AttrSet: unix.MOUNT_ATTR_NOATIME, AttrClear: atime}},
		{"relatime", MountOptions{AttrsGiven: true, AttrClear: atime}},
		{"strictatime", MountOptions{AttrsGiven: true, AttrSet: unix.MOUNT_ATTR_STRICTATIME, AttrClear: atime}},
		{"noatime strictatime", MountOptions{AttrsGiven: true, AttrSet: unix.MOUNT_ATTR_STRICTATIME, AttrClear: atime}},
		{"strictatime relatime", MountOptions{AttrsGiven: true, AttrClear: atime}},
		{"noatime atime", MountOptions{AttrsGiven: true, AttrClear: atime}},
		{"strictatime atime", MountOptions{AttrsGiven: true, AttrSet: unix.MOUNT_ATTR_STRICTATIME, AttrClear: atime}},
		{"norelatime", MountOptions{AttrsGiven: true, AttrClear: atime}},
		{"strictatime nostrictatime", MountOptions{AttrsGiven: true, AttrClear: atime}},

		{"rro rnosuid rnodev rnoexec rnosymfollow rnodiratime", MountOptions{RecSet: unix.MOUNT_ATTR_RDONLY | unix.MOUNT_ATTR_NOSUID |
			unix.MOUNT_ATTR_NODEV | unix.MOUNT_ATTR_NOEXEC | unix.MOUNT_ATTR_NOSYMFOLLOW | unix.MOUNT_ATTR_NODIRATIME}},
		{"rrw rsuid rdev rexec rsymfollow rdiratime", MountOptions{RecClear: unix.MOUNT_ATTR_RDONLY | unix.MOUNT_ATTR_NOSUID |
			unix.MOUNT_ATTR_NODEV | unix.MOUNT_ATTR_NOEXEC | unix.MOUNT_ATTR_NOSYMFOLLOW | unix.MOUNT_ATTR_NODIRATIME}},
		{"rnoatime", MountOptions{RecSet: unix.MOUNT_ATTR_NOATIME, RecClear: atime}},
		{"rrelatime", MountOptions{RecClear: atime}},
		{"rstrictatime", MountOptions{RecSet: unix.MOUNT_ATTR_STRICTATIME, RecClear: atime}},
		{"rnoatime ratime", MountOptions{RecClear: atime}},
		{"rnorelatime", MountOptions{RecClear: atime}},
		{"rstrictatime rnostrictatime", MountOptions{RecClear: atime}},
		{"rro rrw", MountOptions{RecClear: unix.MOUNT_ATTR_RDONLY}},
		{"ro rro", MountOptions{AttrsGiven: true, AttrSet: unix.MOUNT_ATTR_RDONLY, SuperFlags: []string{"ro"}, RecSet: unix.MOUNT_ATTR_RDONLY}},

		{"sync dirsync mand lazytime", MountOptions{SuperFlags: []string{"sync", "dirsync", "mand", "lazytime"}}},
		{"sync lazytime mand dirsync async nolazytime nomand", MountOptions{SuperFlags: []string{"dirsync"}}},
		{"silent iversion", MountOptions{Silent: true, IVersion: true}},
		{"silent iversion loud noiversion", MountOptions{}},

		{"private rshared slave runbindable", MountOptions{Propagation: []Propagation{
			{Flag: unix.MS_PRIVATE}, {Flag: unix.MS_SHARED, Recursive: true}, {Flag: unix.MS_SLAVE}, {Flag: unix.MS_UNBINDABLE, Recursive: true}}}},
		{"rprivate shared rslave unbindable", MountOptions{Propagation: []Propagation{
			{Flag: unix.MS_PRIVATE, Recursive: true}, {Flag: unix.MS_SHARED}, {Flag: unix.MS_SLAVE, Recursive: true}, {Flag: unix.MS_UNBINDABLE}}}},

		{"tmpcopyup", MountOptions{CopyUp: true}},
		{"idmap", MountOptions{IDMap: true}},
		{"ridmap", MountOptions{IDMap: true, IDMapRecursive: true}},
		{"ridmap idmap", MountOptions{IDMap: true}},

		{"size=64m newinstance RO acl", MountOptions{Data: []string{"size=64m", "newinstance", "RO", "acl"}}},
		{"size=64m,mode=755,,", MountOptions{Data: []string{"size=64m", "mode=755"}}},
		{`context="system_u:object_r:t:s0:c1,c2",size=1m`, MountOptions{Data: []string{`context="system_u:object_r:t:s0:c1,c2"`, "size=1m"}}},
		{`lowerdir=/a\,b:/c,upperdir=/d`, MountOptions{Data: []string{`lowerdir=/a\,b:/c`, "upperdir=/d"}}},
		{`trailing\`, MountOptions{Data: []string{`trailing\`}}},
	} {
		got := ParseMountOptions(strings.Fields(test.options))
		if !reflect.DeepEqual(got, test.want) {
			t.Errorf("%s:\ngot  %+v\nwant %+v", test.options, got, test.want)
		}
	}
	if got := ParseMountOptions([]string{""}); got.Data != nil {
		t.Errorf("an empty option became data: %q", got.Data)
	}
}

// The names are those of OCI runtime-spec 1.3.0, "Linux mount options", and
// nothing of it is missing or passed on as data.
func TestMountOptionNames(t *testing.T) {
	names := MountOptionNames()
	want := strings.Fields(`async atime bind defaults dev diratime dirsync exec idmap iversion lazytime loud mand noatime
		nodev nodiratime noexec noiversion nolazytime nomand norelatime nostrictatime nosuid nosymfollow private ratime
		rbind rdev rdiratime relatime remount rexec ridmap rnoatime rnodev rnodiratime rnoexec rnorelatime rnostrictatime
		rnosuid rnosymfollow ro rprivate rrelatime rro rrw rshared rslave rstrictatime rsuid rsymfollow runbindable rw
		shared silent slave strictatime suid symfollow sync tmpcopyup unbindable`)
	if !slices.Equal(names, want) {
		t.Errorf("got  %q\nwant %q", names, want)
	}
	if !slices.IsSorted(names) {
		t.Error("not sorted: the look-up depends on it")
	}
	for _, name := range names {
		if parsed := ParseMountOptions([]string{name}); parsed.Data != nil {
			t.Errorf("%s became data", name)
		}
	}
}

func TestCutData(t *testing.T) {
	for _, test := range []struct {
		option, key, value string
		hasValue           bool
	}{
		{"newinstance", "newinstance", "", false},
		{"size=64m", "size", "64m", true},
		{"size=", "size", "", true},
		{"lowerdir=/a=b", "lowerdir", "/a=b", true},
		{`context="a,b"`, "context", "a,b", true},
		{`context="`, "context", `"`, true},
	} {
		key, value, hasValue := CutData(test.option)
		if key != test.key || value != test.value || hasValue != test.hasValue {
			t.Errorf("%s: got %q, %q, %v", test.option, key, value, hasValue)
		}
	}
}

// FuzzParseMountOptions holds what every caller relies on, for any options.
func FuzzParseMountOptions(f *testing.F) {
	f.Add(`["ro", "noatime", "size=64m,mode=755"]`)
	f.Add(`["rro", "rstrictatime", "context=\"a,b\""]`)
	f.Add(`["\\", "\"", ","]`)
	for _, name := range MountOptionNames() {
		f.Add(`["` + name + `"]`)
	}
	f.Fuzz(func(t *testing.T, text string) {
		var options []string
		if json.Unmarshal([]byte(text), &options) != nil {
			return
		}
		parsed := ParseMountOptions(options)
		checkAttributes(t, parsed.AttrSet, parsed.AttrClear)
		checkAttributes(t, parsed.RecSet, parsed.RecClear)
		for _, option := range parsed.Data {
			if option == "" {
				t.Error("empty data option")
			}
			CutData(option)
		}
	})
}

// checkAttributes holds the rules of mount_setattr(2).
func checkAttributes(t *testing.T, set, clear uint64) {
	t.Helper()
	const atime = unix.MOUNT_ATTR__ATIME
	if accessTime := clear & atime; accessTime != 0 && accessTime != atime {
		t.Errorf("attr_clr has %#x, a part of MOUNT_ATTR__ATIME", accessTime)
	}
	if set&atime != 0 && clear&atime != atime {
		t.Errorf("attr_set has %#x without MOUNT_ATTR__ATIME in attr_clr", set&atime)
	}
	if set&atime == unix.MOUNT_ATTR_NOATIME|unix.MOUNT_ATTR_STRICTATIME {
		t.Error("noatime and strictatime together")
	}
	if both := set & clear &^ atime; both != 0 {
		t.Errorf("%#x is both set and cleared", both)
	}
}
