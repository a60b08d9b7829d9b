package main

import (
	"encoding/json"
	"reflect"
	"testing"
	"testing/quick"

	"rt/libns/plan"
)

// What is remembered of a cgroup means the same to encoding/json, in both directions.
func TestCgroupsAreRememberedAsJSON(t *testing.T) {
	same := func(want plan.Cgroup) bool {
		var read plan.Cgroup
		if err := json.Unmarshal(encodeCgroup(want), &read); err != nil {
			t.Fatal(err)
		}
		written, err := json.Marshal(want)
		if err != nil {
			t.Fatal(err)
		}
		var viaJSON plan.Cgroup
		if err := json.Unmarshal(written, &viaJSON); err != nil {
			t.Fatal(err)
		}
		own, ok := scanCgroup(encodeCgroup(want))
		others, okOthers := scanCgroup(written)
		return ok && okOthers && reflect.DeepEqual(read, viaJSON) && reflect.DeepEqual(own, read) && reflect.DeepEqual(others, read)
	}
	if err := quick.Check(same, &quick.Config{MaxCount: 500}); err != nil {
		t.Error(err)
	}
	for _, empty := range []plan.Cgroup{{}, {V1: []plan.V1Group{{}}}, {Unit: &plan.Unit{}}} {
		if !same(empty) {
			t.Errorf("%+v is remembered as %s", empty, encodeCgroup(empty))
		}
	}
}

func TestCgroupOfAnotherHandIsReadToo(t *testing.T) {
	c, err := decodeCgroup(json.RawMessage(`{ "unified": "/a", "later": 1 }`))
	if err != nil || c.Unified != "/a" {
		t.Errorf("got %+v, %v", c, err)
	}
	for _, damaged := range []string{"", "{", `{"unified":1}`, `{"v1":[{"directory":{}}]}`} {
		if _, err := decodeCgroup(json.RawMessage(damaged)); err == nil {
			t.Errorf("%q was taken for a cgroup", damaged)
		}
	}
}
