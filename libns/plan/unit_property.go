package plan

import (
	"encoding/json"
	"fmt"
	"math"
	"strings"

	"github.com/godbus/dbus/v5"
)

// UnitProperty is a property of a unit, as systemd takes it over D-Bus
// (org.freedesktop.systemd1(5)).
type UnitProperty struct {
	Name  string
	Value dbus.Variant
}

// property makes one of a value whose Go type is that of D-Bus.
func property(name string, value any) UnitProperty {
	return UnitProperty{name, dbus.MakeVariant(value)}
}

// unlimited is what systemd calls infinity.
const unlimited = uint64(math.MaxUint64)

// DeviceAllow is one entry of the property of that name.
type DeviceAllow struct {
	Device string // a path, or a kind and a major number: "char-136"
	Access string // of the letters r, w and m
}

// text is the value for people.
func (p UnitProperty) text() string {
	switch value := p.Value.Value().(type) {
	case uint64:
		if value == unlimited {
			return "infinity"
		}
		return fmt.Sprint(value)
	case []DeviceAllow:
		entries := make([]string, len(value))
		for i, v := range value {
			entries[i] = v.Device + " " + v.Access
		}
		return "[" + strings.Join(entries, ", ") + "]"
	case []byte:
		return fmt.Sprintf("%#x", value)
	case string, bool:
		return fmt.Sprint(value)
	}
	return p.Value.String()
}

// String gives "MemoryMax=1048576". A long list is not spelled out.
func (p UnitProperty) String() string {
	if list, ok := p.Value.Value().([]DeviceAllow); ok {
		return fmt.Sprintf("%s=[%d entries]", p.Name, len(list))
	}
	return p.Name + "=" + p.text()
}

// MarshalJSON gives the name, the type (a signature of D-Bus) and the value for
// people.
func (p UnitProperty) MarshalJSON() ([]byte, error) {
	return json.Marshal(struct {
		Name  string `json:"name"`
		Type  string `json:"type"`
		Value string `json:"value"`
	}{p.Name, p.Value.Signature().String(), p.text()})
}

// unitProperties is a list in which each name is there once: what is set last
// counts, and the order is that of the first.
type unitProperties []UnitProperty

func (l *unitProperties) set(name string, value any) { l.add(property(name, value)) }

func (l *unitProperties) add(p UnitProperty) {
	for i := range *l {
		if (*l)[i].Name == p.Name {
			(*l)[i] = p
			return
		}
	}
	*l = append(*l, p)
}

// titles joins properties for a step's title.
func titles(properties []UnitProperty) string {
	var words []string
	for _, p := range properties {
		if list, ok := p.Value.Value().([]DeviceAllow); !ok || len(list) > 0 { // an empty one clears the list
			words = append(words, p.String())
		}
	}
	return strings.Join(words, " ")
}
