package main

import (
	"encoding/json"
	"reflect"
	"testing"
	"testing/quick"
	"time"
)

func TestPrintedStateIsThatOfJSON(t *testing.T) {
	same := func(id, bundle, owner string, pid int, annotations map[string]string, seconds int32) bool {
		c := containerState{ID: id, Bundle: bundle, Owner: owner, PID: pid, Annotations: annotations}
		c.Created = time.Unix(int64(seconds), 5).UTC()
		var got, want containerState
		text, err := json.MarshalIndent(c, "", "  ")
		if err != nil {
			t.Fatal(err)
		}
		return json.Unmarshal(text, &want) == nil && json.Unmarshal(c.indented(), &got) == nil && reflect.DeepEqual(got, want)
	}
	if err := quick.Check(same, &quick.Config{MaxCount: 500}); err != nil {
		t.Error(err)
	}
	for _, c := range []containerState{{}, {PID: 7, ID: "web", Annotations: map[string]string{"b": "2", "a": "\x00\t\n\f\b\r\x1f <>& \u2028\u2029\\\"\x7fü"}}} {
		want, err := json.MarshalIndent(c, "", "  ")
		if err != nil {
			t.Fatal(err)
		}
		if string(c.indented()) != string(want) {
			t.Errorf("got %s, want %s", c.indented(), want)
		}
	}
}
