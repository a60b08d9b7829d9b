package spec

import (
	"reflect"
	"strings"
)

// nulBytes finds strings with a NUL byte in all that reaches the kernel, where
// the byte would silently end a path or an option. In JSON it can only be
// written as \u0000, which makes its absence cheap to see.
func (v *validator) nulBytes() {
	c := v.config
	if c.source != nil && !strings.Contains(c.source.text, `\u0000`) {
		return
	}
	v.nulBytesIn("process", reflect.ValueOf(c.Process))
	v.nulBytesIn("root", reflect.ValueOf(c.Root))
	v.nulBytesIn("hostname", reflect.ValueOf(c.Hostname))
	v.nulBytesIn("domainname", reflect.ValueOf(c.Domainname))
	v.nulBytesIn("mounts", reflect.ValueOf(c.Mounts))
	v.nulBytesIn("hooks", reflect.ValueOf(c.Hooks))
	v.nulBytesIn("linux", reflect.ValueOf(c.Linux))
}

// nulBytesIn walks a value of the specification's types.
func (v *validator) nulBytesIn(field string, value reflect.Value) {
	switch value.Kind() {
	case reflect.String:
		v.nulByte(field, value.String())
	case reflect.Pointer:
		v.nulBytesIn(field, value.Elem())
	case reflect.Slice:
		for i := range value.Len() {
			v.nulBytesIn(item(field, i), value.Index(i))
		}
	case reflect.Map:
		for _, key := range value.MapKeys() {
			v.nulByte(element(field, key.String()), key.String())
			v.nulBytesIn(element(field, key.String()), value.MapIndex(key))
		}
	case reflect.Struct:
		for i := range value.NumField() {
			v.nulBytesIn(memberField(field, value.Type().Field(i)), value.Field(i))
		}
	}
}

// memberField is the path of a struct's member; an embedded struct's members
// are written as if they were the outer one's own.
func memberField(field string, member reflect.StructField) string {
	if member.Anonymous {
		return field
	}
	name, _, _ := strings.Cut(member.Tag.Get("json"), ",")
	return field + "." + name
}

func (v *validator) nulByte(field, text string) {
	if strings.IndexByte(text, 0) < 0 {
		return
	}
	if strings.HasPrefix(field, "mounts[") {
		v.report(field, "mount field contains null byte: %q", text)
		return
	}
	v.report(field, "contains nul byte: %q", text)
}
