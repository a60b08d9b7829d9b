package main

import (
	"encoding/json"

	"rt/libns/plan"
	"rt/state"
)

// A container's cgroup is remembered as encoding/json writes and reads it. What it
// is usually made of is written and read here without its reflection, which takes
// longer than all else that some commands do.

// encodeCgroup gives a cgroup as it is remembered.
func encodeCgroup(c plan.Cgroup) json.RawMessage {
	b := []byte{'{'}
	if c.Unified != "" {
		b = appendMember(b, "unified", c.Unified)
	}
	if len(c.V1) > 0 {
		b = append(appendKey(b, "v1"), '[')
		for _, group := range c.V1 {
			b = append(appendV1Group(separated(b), group), '}')
		}
		b = append(b, ']')
	}
	if c.Unit != nil {
		b = append(appendUnit(appendKey(b, "unit"), c.Unit), '}')
	}
	return append(b, '}')
}

func appendV1Group(b []byte, group plan.V1Group) []byte {
	b = appendMember(append(b, '{'), "hierarchy", group.Hierarchy)
	if len(group.Controllers) > 0 {
		b = append(appendKey(b, "controllers"), '[')
		for _, controller := range group.Controllers {
			b = state.AppendText(separated(b), controller)
		}
		b = append(b, ']')
	}
	return appendMember(b, "directory", group.Directory)
}

func appendUnit(b []byte, unit *plan.Unit) []byte {
	b = appendMember(append(b, '{'), "name", unit.Name)
	b = appendMember(b, "slice", unit.Slice)
	if unit.User {
		b = append(appendKey(b, "user"), "true"...)
	}
	if unit.Directory != "" {
		b = appendMember(b, "directory", unit.Directory)
	}
	return b
}

func appendMember(b []byte, key, value string) []byte {
	return state.AppendText(appendKey(b, key), value)
}

func appendKey(b []byte, key string) []byte {
	return append(state.AppendText(separated(b), key), ':')
}

// separated appends a comma, unless what comes next is the first of its kind.
func separated(b []byte) []byte {
	if last := b[len(b)-1]; last == '{' || last == '[' {
		return b
	}
	return append(b, ',')
}

// decodeCgroup reads a cgroup that is remembered.
func decodeCgroup(data json.RawMessage) (plan.Cgroup, error) {
	if c, ok := scanCgroup(data); ok {
		return c, nil
	}
	var c plan.Cgroup
	err := json.Unmarshal(data, &c)
	return c, err
}

func scanCgroup(data json.RawMessage) (c plan.Cgroup, ok bool) {
	s := state.Scan(data)
	s.Object(func(key string) {
		switch key {
		case "unified":
			c.Unified = s.Text()
		case "v1":
			s.List(func() { c.V1 = append(c.V1, scanV1Group(s)) })
		case "unit":
			c.Unit = scanUnit(s)
		default:
			s.Fail()
		}
	})
	return c, s.Done()
}

func scanV1Group(s *state.Scanner) (group plan.V1Group) {
	s.Object(func(key string) {
		switch key {
		case "hierarchy":
			group.Hierarchy = s.Text()
		case "controllers":
			s.List(func() { group.Controllers = append(group.Controllers, s.Text()) })
		case "directory":
			group.Directory = s.Text()
		default:
			s.Fail()
		}
	})
	return group
}

func scanUnit(s *state.Scanner) *plan.Unit {
	unit := new(plan.Unit)
	s.Object(func(key string) {
		switch key {
		case "name":
			unit.Name = s.Text()
		case "slice":
			unit.Slice = s.Text()
		case "user":
			unit.User = s.Boolean()
		case "directory":
			unit.Directory = s.Text()
		default:
			s.Fail()
		}
	})
	return unit
}
