package libns

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/godbus/dbus/v5"

	"rt/libns/plan"
)

// unitProperty is a property in D-Bus's structure of a name and a variant.
type unitProperty struct {
	Name  string
	Value dbus.Variant
}

func unitProperties(list []plan.UnitProperty) []unitProperty {
	converted := make([]unitProperty, len(list))
	for i, p := range list {
		converted[i] = unitProperty(p)
	}
	return converted
}

// startUnit makes a unit, for a scope around a process, and returns when it is
// active. One of the same name that has failed is forgotten: its container is
// gone, and what could not be deleted then must not be in the way now.
func (m *Manager) startUnit(unit plan.Unit, properties []plan.UnitProperty, pid int) error {
	list := unitProperties(properties)
	if !unit.IsSlice() {
		list = append(list, unitProperty{"PIDs", dbus.MakeVariant([]uint32{uint32(pid)})})
	}
	start := func() error {
		var others []struct { // further units; systemd takes none so far
			Name       string
			Properties []unitProperty
		}
		return m.job(unit.Name, "StartTransientUnit", unit.Name, "replace", list, others)
	}
	err := start()
	if isError(err, "UnitExists") {
		if err := m.forgetFailed(unit); err != nil {
			return err
		}
		err = start()
	}
	return err
}

// stopUnit removes a unit in whose cgroup is nobody any more, and what systemd
// remembers of its failure. It is no error if there is none.
func (m *Manager) stopUnit(unit plan.Unit) error {
	err := m.job(unit.Name, "StopUnit", unit.Name, "replace")
	if isError(err, "NoSuchUnit") {
		return nil
	}
	return errors.Join(err, m.forgetFailed(unit))
}

// forgetFailed lets systemd remove a unit that it keeps because it has failed.
func (m *Manager) forgetFailed(unit plan.Unit) error {
	err := m.ask("ResetFailedUnit", []any{unit.Name})
	if isError(err, "NoSuchUnit") {
		return nil
	}
	return err
}

// setProperties changes a unit until it is removed.
func (m *Manager) setProperties(unit plan.Unit, list []unitProperty) error {
	const untilRemoved = true
	return m.ask("SetUnitProperties", []any{unit.Name, untilRemoved, list})
}

// attach moves a process to a cgroup of a unit, "/" for the unit's own.
func (m *Manager) attach(unit plan.Unit, group string, pid int) error {
	return m.ask("AttachProcessesToUnit", []any{unit.Name, group, []uint32{uint32(pid)}})
}

// unitState gives the properties that all units with cgroups have.
func (m *Manager) unitState(unit plan.Unit) (map[string]dbus.Variant, error) {
	var path dbus.ObjectPath
	if err := m.ask("GetUnit", []any{unit.Name}, &path); err != nil {
		return nil, err
	}
	of := managerName + ".Scope"
	if unit.IsSlice() {
		of = managerName + ".Slice"
	}
	return m.properties(path, of)
}

// job has systemd do something that takes its time, and waits for the end.
func (m *Manager) job(unit, method string, arguments ...any) error {
	const room = 16
	signals := make(chan *dbus.Signal, room)
	m.conn.Signal(signals)
	defer m.conn.RemoveSignal(signals)
	if err := m.listenFor("JobRemoved", unit); err != nil {
		return err
	}
	var job dbus.ObjectPath
	if err := m.ask(method, arguments, &job); err != nil {
		return err
	}
	deadline := time.After(m.patience)
	for {
		select {
		case signal, open := <-signals:
			if !open {
				return errors.New("systemd has closed the connection")
			}
			if result, ok := jobResult(signal, job); ok {
				return resultError(unit, result)
			}
		case <-deadline:
			return fmt.Errorf("systemd has not finished %s of %s within %v", method, unit, m.patience)
		}
	}
}

// listenFor asks the bus for a signal about one unit, for as long as the
// connection lasts.
func (m *Manager) listenFor(signal, unit string) error {
	if !m.onBus {
		return nil
	}
	const unitArgument = 2
	ctx, cancel := context.WithTimeout(context.Background(), m.patience)
	defer cancel()
	return m.conn.AddMatchSignalContext(ctx, dbus.WithMatchInterface(managerName+".Manager"),
		dbus.WithMatchMember(signal), dbus.WithMatchArg(unitArgument, unit))
}

// jobResult reads the signal that a job has ended, if it is that.
func jobResult(signal *dbus.Signal, job dbus.ObjectPath) (result string, ok bool) {
	var id uint32
	var path dbus.ObjectPath
	var unit string
	if signal.Name != managerName+".Manager.JobRemoved" || dbus.Store(signal.Body, &id, &path, &unit, &result) != nil {
		return "", false
	}
	return result, path == job
}

func resultError(unit, result string) error {
	if result == "done" {
		return nil
	}
	return fmt.Errorf("systemd's job for %s ended with %q (see systemctl status %s)", unit, result, unit)
}

// isError reports whether systemd refused for one of its own reasons.
func isError(err error, reason string) bool {
	var refusal dbus.Error
	return errors.As(err, &refusal) && refusal.Name == managerName+"."+reason
}
