package plan

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"maps"
	"math"
	"reflect"
	"slices"
	"strings"

	"github.com/godbus/dbus/v5"

	"rt/spec"
)

// propertyAnnotation is what the names of annotations begin with that set a
// property of the container's unit. The value is in the text format of GVariant.
const propertyAnnotation = "org.systemd.property."

// annotatedProperties are the properties that annotations ask for, sorted by
// name, or everything that is wrong with them.
func annotatedProperties(annotations map[string]string) ([]UnitProperty, []spec.Problem) {
	var properties []UnitProperty
	var problems []spec.Problem
	for _, key := range slices.Sorted(maps.Keys(annotations)) {
		name, ok := strings.CutPrefix(key, propertyAnnotation)
		if !ok {
			continue
		}
		p, err := annotatedProperty(name, annotations[key])
		if err != nil {
			problems = append(problems, spec.Problem{Field: fmt.Sprintf("annotations[%q]", key), Text: err.Error()})
			continue
		}
		properties = append(properties, p)
	}
	return properties, problems
}

func annotatedProperty(name, text string) (UnitProperty, error) {
	const shortest = 3
	notLetter := func(r rune) bool { return (r < 'A' || r > 'Z') && (r < 'a' || r > 'z') }
	if len(name) < shortest || strings.ContainsFunc(name, notLetter) {
		return UnitProperty{}, fmt.Errorf("%q is not the name of a property of systemd: it has at least %d letters, and nothing else", name, shortest)
	}
	value, err := parseVariant(text)
	if err != nil {
		return UnitProperty{}, fmt.Errorf("%q is not a value in the text format of GVariant: %w", text, err)
	}
	// In files systemd knows "Sec", over D-Bus only microseconds.
	if stem, ok := strings.CutSuffix(name, "Sec"); ok && stem[len(stem)-1] >= 'a' {
		microseconds, err := toMicroseconds(value)
		if err != nil {
			return UnitProperty{}, fmt.Errorf("%s: %w", text, err)
		}
		return property(stem+"USec", microseconds), nil
	}
	return UnitProperty{name, value}, nil
}

// parseVariant reads a value that can be sent and printed. The library panics on
// some that it cannot read ("signature [] 1" is one), and does not look at what
// follows a value; in a list it does.
func parseVariant(text string) (value dbus.Variant, err error) {
	defer func() {
		if reason := recover(); reason != nil {
			err = fmt.Errorf("%v", reason)
		}
	}()
	if value, err = dbus.ParseVariant(text, dbus.Signature{}); err != nil {
		return value, err
	}
	list, err := dbus.ParseVariant("["+text+"]", dbus.Signature{})
	if err != nil {
		return value, err
	}
	if reflect.ValueOf(list.Value()).Len() != 1 {
		return value, errors.New("it is more than one")
	}
	_ = value.String()
	call := dbus.Message{
		Type: dbus.TypeMethodCall,
		Headers: map[dbus.HeaderField]dbus.Variant{
			dbus.FieldPath:      dbus.MakeVariant(dbus.ObjectPath("/")),
			dbus.FieldMember:    dbus.MakeVariant("Try"),
			dbus.FieldSignature: dbus.MakeVariant(dbus.SignatureOf(value)),
		},
		Body: []any{value},
	}
	return value, call.EncodeTo(io.Discard, binary.LittleEndian)
}

// toMicroseconds converts a number of seconds of whatever type.
func toMicroseconds(seconds dbus.Variant) (uint64, error) {
	const second = 1_000_000 // in microseconds
	switch v := reflect.ValueOf(seconds.Value()); {
	case v.CanInt() && v.Int() >= 0 && v.Int() <= math.MaxInt64/second:
		return uint64(v.Int()) * second, nil
	case v.CanUint() && v.Uint() <= math.MaxUint64/second:
		return v.Uint() * second, nil
	case v.CanFloat() && v.Float() >= 0 && v.Float() <= math.MaxInt64/second:
		return uint64(v.Float() * second), nil
	}
	return 0, errors.New("not a number of seconds")
}
