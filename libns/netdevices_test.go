package libns

import (
	"bytes"
	"slices"
	"testing"

	"golang.org/x/sys/unix"
)

func TestFreeName(t *testing.T) {
	taken := map[string]bool{"c0": true, "c1": true, "c3": true}
	for template, want := range map[string]string{"c%d": "c2", "eth%d": "eth0", "%dx": "0x"} {
		if got := freeName(template, taken); got != want {
			t.Errorf("%s: %s, want %s", template, got, want)
		}
	}
}

func TestAttributesAreReadAsTheyWereWritten(t *testing.T) {
	list := appendAttribute(nil, 1, []byte("abcde"))
	list = appendAttribute(list, 7, nil)
	list = appendAttribute(list, 2, []byte{9})
	var kinds []uint16
	var values [][]byte
	for kind, value := range attributes(list) {
		kinds, values = append(kinds, kind), append(values, value)
	}
	if !slices.Equal(kinds, []uint16{1, 7, 2}) || string(values[0]) != "abcde" || len(values[1]) != 0 || !bytes.Equal(values[2], []byte{9}) {
		t.Errorf("%v %q", kinds, values)
	}
}

// What the kernel sends is not taken on trust: an attribute that says it is
// longer than the message, or shorter than its own head, ends the list.
func TestAttributesEndWithABadLength(t *testing.T) {
	for _, data := range [][]byte{{255, 0, 1, 0, 1}, {3, 0, 1, 0}, {0, 0, 0, 0}, {1}, nil} {
		for kind := range attributes(data) {
			t.Errorf("% x: attribute %d", data, kind)
		}
	}
}

func TestAnErrorHasTheKernelsWords(t *testing.T) {
	data := make([]byte, unix.SizeofNlMsgerr)
	data[0], data[1], data[2], data[3] = 0xef, 0xff, 0xff, 0xff // -17
	if err := acknowledgement(data); err != unix.EEXIST {
		t.Errorf("%v", err)
	}
	err := acknowledgement(appendAttribute(data, 1, []byte("no such luck\x00")))
	if err == nil || err.Error() != "file exists (no such luck)" {
		t.Errorf("%v", err)
	}
	if err := acknowledgement(make([]byte, unix.SizeofNlMsgerr)); err != nil {
		t.Errorf("0 is no error, got %v", err)
	}
	if acknowledgement(nil) == nil {
		t.Error("an empty answer is an error")
	}
}
