package state

import (
	"encoding/json"
	"errors"
	"reflect"
	"strings"
	"testing"
	"testing/quick"
	"time"
)

func fullRecord() *Record {
	return &Record{
		Version:       RecordVersion,
		ID:            "web",
		OCIVersion:    "1.3.0",
		Bundle:        "/bundles/web \"one\"\\",
		Config:        "/bundles/web/config.json",
		Rootfs:        "/bundles/web/rootfs",
		Created:       time.Date(2026, 11, 23, 13, 4, 5, 123456789, time.UTC),
		Annotations:   map[string]string{"a": "line\nbreak", "ü": "\x00\x1f\u2028"},
		Init:          Process{PID: 4711, StartTime: 1 << 63},
		SharedPID:     true,
		LaterHooks:    true,
		Program:       "sh",
		Cgroup:        json.RawMessage(`{"unified":"/sys/fs/cgroup/web"}`),
		RDT:           json.RawMessage(`{"group":"/sys/fs/resctrl/web"}`),
		Resources:     json.RawMessage(`{"pids":{"limit":7}}`),
		CgroupManager: "systemd",
		Rootless:      "auto",
	}
}

func TestRecordSurvivesEncoding(t *testing.T) {
	want := fullRecord()
	for i, value := 0, reflect.ValueOf(*want); i < value.NumField(); i++ {
		if value.Field(i).IsZero() {
			t.Errorf("the test's record leaves %s out", value.Type().Field(i).Name)
		}
	}
	got, err := decode(want.encode(), "web")
	if err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
}

// What encode writes is read without encoding/json, and means the same to it.
func TestOwnRecordsAreReadAsJSON(t *testing.T) {
	same := func(id, bundle, key, value string, pid uint16, started uint64, shared bool, created int32) bool {
		r := fullRecord()
		r.ID, r.Bundle, r.Init = id, bundle, Process{PID: int(pid), StartTime: started}
		r.SharedPID, r.Created = shared, time.Unix(int64(created), int64(pid)).UTC()
		r.Annotations[key] = value
		var want Record
		if err := json.Unmarshal(r.encode(), &want); err != nil {
			t.Fatal(err)
		}
		got, ok := decodeOwn(r.encode())
		return ok && reflect.DeepEqual(got, &want)
	}
	if err := quick.Check(same, &quick.Config{MaxCount: 2000}); err != nil {
		t.Error(err)
	}
	for _, other := range []string{`{"version":1,"new":{}}`, "{\n}", `{"version": 1}`, `{"version":1} `} {
		if _, ok := decodeOwn([]byte(other)); ok {
			t.Errorf("%s was taken for a record of our own", other)
		}
	}
}

func BenchmarkDecode(b *testing.B) {
	data := fullRecord().encode()
	for b.Loop() {
		if _, ok := decodeOwn(data); !ok {
			b.Fatal("not our own")
		}
	}
}

func TestDamagedRecords(t *testing.T) {
	whole := string(fullRecord().encode())
	for name, data := range map[string]string{
		"empty":            "",
		"cut off":          whole[:len(whole)/2],
		"null":             "null",
		"of nobody":        "{}",
		"without version":  strings.Replace(whole, `"version":1`, `"version":0`, 1),
		"of another id":    strings.Replace(whole, `"id":"web"`, `"id":"db"`, 1),
		"with a wrong pid": strings.Replace(whole, `"pid":4711`, `"pid":-1`, 1),
	} {
		if _, err := decode([]byte(data), "web"); !errors.Is(err, ErrDamaged) {
			t.Errorf("record %s: error %v, want %v", name, err, ErrDamaged)
		}
	}
}

// The record of a newer rt is not garbage: its container may be running.
func TestNewerRecordIsNotDamaged(t *testing.T) {
	for _, data := range []string{
		`{"version":2,"id":"web"}`,
		`{"version":2,"id":"web","init":"changed"}`,
		`{"bundle":["changed"],"version":1000,"id":"web"}`,
	} {
		_, err := decode([]byte(data), "web")
		if err == nil || errors.Is(err, ErrDamaged) || !strings.Contains(err.Error(), "newer rt") {
			t.Errorf("%s: error %v", data, err)
		}
	}
}

func FuzzDecode(f *testing.F) {
	f.Add(fullRecord().encode(), "web")
	f.Add([]byte(`{"version":1,"id":"x"}`), "x")
	f.Add([]byte(`{"version":2}`), "x")
	f.Fuzz(func(t *testing.T, data []byte, id string) {
		first, err := decode(data, id)
		if err != nil {
			return
		}
		first.Version = RecordVersion
		first.Created = first.Created.UTC()
		if len(first.Annotations) == 0 {
			first.Annotations = nil
		}
		second, err := decode(first.encode(), first.ID)
		if err != nil {
			t.Fatalf("a record that was accepted is refused after encoding: %v\n%s", err, first.encode())
		}
		if !reflect.DeepEqual(first, second) {
			t.Errorf("changed by encoding:\nbefore %+v\nafter  %+v", first, second)
		}
	})
}
