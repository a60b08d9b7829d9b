package main

import (
	"bytes"
	"os"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/opencontainers/runtime-spec/specs-go"
)

func TestTheCommittedDecoderFitsTheTypes(t *testing.T) {
	want, err := generate(reflect.TypeFor[specs.Spec]())
	if err != nil {
		t.Fatal(err)
	}
	committed, err := os.ReadFile("../../decode_spec.go")
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(committed, want) {
		t.Error("decode_spec.go is out of date: run go generate ./spec")
	}
}

func TestEmbeddedFieldsBelongToTheStruct(t *testing.T) {
	fields, err := fieldsOf(reflect.TypeFor[specs.LinuxWeightDevice]())
	if err != nil {
		t.Fatal(err)
	}
	var keys []string
	for _, f := range fields {
		keys = append(keys, f.key)
	}
	if got, want := strings.Join(keys, " "), "major minor weight leafWeight"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

// A type that the decoder would get wrong must not get into it unnoticed.
func TestUnknownKindsOfTypesAreRefused(t *testing.T) {
	for _, test := range []struct {
		root reflect.Type
		want string
	}{
		{reflect.TypeFor[struct{ A [2]int }](), "no decoder for [2]int"},
		{reflect.TypeFor[struct{ A float64 }](), "no decoder for float64"},
		{reflect.TypeFor[struct{ A [][]string }](), "no decoder for []string"},
		{reflect.TypeFor[struct{ A map[int]string }](), "no decoder for map[int]string"},
		{reflect.TypeFor[struct{ A error }](), "no decoder for error"},
		{reflect.TypeFor[struct{ A time.Time }](), "time.Time decodes itself"},
		{reflect.TypeFor[struct{ A strings.Reader }](), "no decoder for strings.Reader"},
		{reflect.TypeFor[struct{ *specs.Box }](), "no decoder for such a field"},
		{reflect.TypeFor[struct {
			A int `json:",string"`
		}](), "no decoder for such a field"},
		{reflect.TypeFor[struct {
			A int `json:"one"`
			B int `json:"ONE"`
		}](), `keys "one" and "ONE" are too much alike`},
		{reflect.TypeFor[struct {
			A int `json:"a key"`
		}](), `key "a key" has a space`},
	} {
		if _, err := generate(test.root); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: got %v, want %s", test.root, err, test.want)
		}
	}
}
