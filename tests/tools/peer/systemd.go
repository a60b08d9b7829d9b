package main

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/godbus/dbus/v5"
)

const (
	systemdName = "org.freedesktop.systemd1"
	systemdPath = dbus.ObjectPath("/org/freedesktop/systemd1")
)

// playSystemd is on the bus at address what systemd is there, as far as a runtime asks for it: units
// that are cgroups right below the root of cgroup v2. It appends each call, with its arguments, to a
// file, and lists its units in FILE.units. Another file, FILE.mood, may say what is wrong at the moment:
//
//	leftover   there is a failed unit of the name that is started
//	refusing   a start fails, and leaves a failed unit
//	mute       a unit is started, but nobody told
//	elsewhere  a unit's cgroup is not where it belongs
func playSystemd(address, file string) error {
	conn, err := dbus.Connect(address)
	if err != nil {
		return err
	}
	record, err := os.Create(file)
	if err != nil {
		return err
	}
	s := &systemd{conn: conn, record: json.NewEncoder(record), mood: file + ".mood", list: file + ".units", units: map[string]*unit{}}
	if err := conn.Export(s, systemdPath, systemdName+".Manager"); err != nil {
		return err
	}
	if err := conn.ExportSubtree(properties{s}, systemdPath, "org.freedesktop.DBus.Properties"); err != nil {
		return err
	}
	if _, err := conn.RequestName(systemdName, dbus.NameFlagDoNotQueue); err != nil {
		return err
	}
	remark("ready")
	<-conn.Context().Done()
	return nil
}

type systemd struct {
	conn   *dbus.Conn
	mood   string // a file
	mutex  sync.Mutex
	record *json.Encoder
	units  map[string]*unit
	list   string // a file
	left   bool   // the leftover has been there
	jobs   uint32
}

type unit struct {
	failed     bool
	properties map[string]dbus.Variant
}

type unitProperty struct {
	Name  string
	Value dbus.Variant
}

func (s *systemd) is(mood string) bool {
	text, _ := os.ReadFile(s.mood)
	return strings.TrimSpace(string(text)) == mood
}

// called notes a call.
func (s *systemd) called(method, unit string, list []unitProperty) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	texts := map[string]string{}
	for _, p := range list {
		texts[p.Name] = propertyText(p.Value)
	}
	_ = s.record.Encode(map[string]any{"method": method, "unit": unit, "properties": texts})
}

// propertyText is a value as systemctl shows it.
func propertyText(v dbus.Variant) string {
	switch value := v.Value().(type) {
	case uint64:
		if value == ^uint64(0) {
			return "infinity"
		}
	case bool:
		if value {
			return "yes"
		}
		return "no"
	case string:
		return value
	case [][]any:
		return fmt.Sprint(value)
	}
	return strings.TrimPrefix(v.String(), "@"+v.Signature().String()+" ")
}

func (s *systemd) writeList() {
	names := slices.Collect(maps.Keys(s.units))
	_ = os.WriteFile(s.list, []byte(strings.Join(names, "\n")+"\n"), 0o644)
}

func refusal(name, text string) *dbus.Error {
	return dbus.NewError(systemdName+"."+name, []any{text})
}

func (s *systemd) StartTransientUnit(name, mode string, list []unitProperty, others []struct {
	Name       string
	Properties []unitProperty
}) (dbus.ObjectPath, *dbus.Error) {
	s.called("StartTransientUnit", name, list)
	job, err := s.start(name, list)
	if s.is("mute") {
		select {}
	}
	return job, err
}

func (s *systemd) start(name string, list []unitProperty) (dbus.ObjectPath, *dbus.Error) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	if s.is("leftover") && !s.left {
		s.left, s.units[name] = true, &unit{failed: true}
	}
	if s.units[name] != nil {
		return "", refusal("UnitExists", "Unit "+name+" was already loaded or has a fragment file.")
	}
	u := &unit{properties: map[string]dbus.Variant{}}
	s.units[name] = u
	s.writeList()
	if s.is("refusing") {
		u.failed = true
		return s.job(name, "failed"), nil
	}
	directory := cgroupOf(name)
	if s.is("elsewhere") {
		directory += ".elsewhere"
	}
	if err := os.Mkdir(directory, 0o755); err != nil {
		return "", dbus.MakeFailedError(err)
	}
	if err := u.set(directory, list); err != nil {
		return "", dbus.MakeFailedError(err)
	}
	return s.job(name, "done"), nil
}

func cgroupOf(unit string) string { return filepath.Join("/sys/fs/cgroup", unit) }

// set keeps properties and moves the processes that are among them.
func (u *unit) set(directory string, list []unitProperty) error {
	for _, p := range list {
		u.properties[p.Name] = p.Value
		pids, _ := p.Value.Value().([]uint32)
		for _, pid := range pids {
			if err := join(directory, pid); err != nil {
				return err
			}
		}
	}
	return nil
}

func join(directory string, pid uint32) error {
	return os.WriteFile(filepath.Join(directory, "cgroup.procs"), []byte(strconv.Itoa(int(pid))), 0)
}

// job promises a job, and says soon after that it has ended.
func (s *systemd) job(unit, result string) dbus.ObjectPath {
	s.jobs++
	number := s.jobs
	path := dbus.ObjectPath(fmt.Sprintf("%s/job/%d", systemdPath, number))
	go func() {
		time.Sleep(20 * time.Millisecond) // the answer to the call goes first
		_ = s.conn.Emit(systemdPath, systemdName+".Manager.JobRemoved", number, path, unit, result)
	}()
	return path
}

func (s *systemd) StopUnit(name, mode string) (dbus.ObjectPath, *dbus.Error) {
	s.called("StopUnit", name, nil)
	s.mutex.Lock()
	defer s.mutex.Unlock()
	u := s.units[name]
	if u == nil {
		return "", refusal("NoSuchUnit", "Unit "+name+" not loaded.")
	}
	for _, directory := range []string{cgroupOf(name), cgroupOf(name) + ".elsewhere"} {
		_ = os.Remove(directory)
	}
	if !u.failed {
		delete(s.units, name)
		s.writeList()
	}
	return s.job(name, "done"), nil
}

func (s *systemd) ResetFailedUnit(name string) *dbus.Error {
	s.called("ResetFailedUnit", name, nil)
	s.mutex.Lock()
	defer s.mutex.Unlock()
	u := s.units[name]
	if u == nil {
		return refusal("NoSuchUnit", "Unit "+name+" not loaded.")
	}
	if u.failed {
		delete(s.units, name)
		s.writeList()
	}
	return nil
}

func (s *systemd) SetUnitProperties(name string, runtime bool, list []unitProperty) *dbus.Error {
	s.called("SetUnitProperties", name, list)
	s.mutex.Lock()
	defer s.mutex.Unlock()
	u := s.units[name]
	if u == nil {
		return refusal("NoSuchUnit", "Unit "+name+" not loaded.")
	}
	if err := u.set(cgroupOf(name), list); err != nil {
		return dbus.MakeFailedError(err)
	}
	return nil
}

func (s *systemd) GetUnit(name string) (dbus.ObjectPath, *dbus.Error) {
	s.called("GetUnit", name, nil)
	s.mutex.Lock()
	defer s.mutex.Unlock()
	if s.units[name] == nil {
		return "", refusal("NoSuchUnit", "Unit "+name+" not loaded.")
	}
	return unitPath(name), nil
}

func unitPath(name string) dbus.ObjectPath {
	return dbus.ObjectPath(fmt.Sprintf("%s/unit/%x", systemdPath, name))
}

func (s *systemd) AttachProcessesToUnit(name, group string, pids []uint32) *dbus.Error {
	s.called("AttachProcessesToUnit", name, nil)
	for _, pid := range pids {
		if err := join(filepath.Join(cgroupOf(name), group), pid); err != nil {
			return dbus.MakeFailedError(err)
		}
	}
	return nil
}

// properties answers for the manager and all units.
type properties struct{ *systemd }

func (p properties) GetAll(message dbus.Message, of string) (map[string]dbus.Variant, *dbus.Error) {
	path := message.Headers[dbus.FieldPath].Value().(dbus.ObjectPath)
	p.called("GetAll", of, nil)
	if path == systemdPath {
		return map[string]dbus.Variant{"Version": dbus.MakeVariant("257.9-1"), "ControlGroup": dbus.MakeVariant("")}, nil
	}
	p.mutex.Lock()
	defer p.mutex.Unlock()
	for name, u := range p.units {
		if unitPath(name) == path {
			return u.properties, nil
		}
	}
	return nil, refusal("NoSuchUnit", "There is no such unit.")
}
