package state

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strconv"
	"time"
	"unicode/utf8"
)

// decode reads a record back and refuses one that cannot be that of id.
func decode(data []byte, id string) (*Record, error) {
	r, ok := decodeOwn(data)
	var err error
	if !ok {
		r = new(Record)
		err = json.Unmarshal(data, r)
	}
	switch {
	case r.Version > RecordVersion:
		// Whatever else is in it, this is not damage: the container may be running.
		return nil, fmt.Errorf("state of container %s was written by a newer rt: version %d, this one knows %d", id, r.Version, RecordVersion)
	case err != nil:
		return nil, damaged(id, err.Error())
	case r.Version < 1:
		return nil, damaged(id, "no version")
	case r.ID != id:
		return nil, damaged(id, fmt.Sprintf("belongs to container %q", r.ID))
	case r.Init.PID < 0:
		return nil, damaged(id, fmt.Sprintf("impossible pid %d", r.Init.PID))
	}
	return r, nil
}

func damaged(id, reason string) error {
	return fmt.Errorf("%w of container %s: %s", ErrDamaged, id, reason)
}

// decodeOwn reads what encode writes, and gives up on anything else: encoding/json
// then has the last word. Every command begins with reading a record, and the
// reflection of encoding/json takes longer than all else that some of them do.
func decodeOwn(data []byte) (*Record, bool) {
	r := new(Record)
	s := scanner{rest: data}
	s.take('{')
	for {
		key := s.text()
		s.take(':')
		switch key {
		case "version":
			r.Version = int(s.number())
		case "id":
			r.ID = s.text()
		case "ociVersion":
			r.OCIVersion = s.text()
		case "bundle":
			r.Bundle = s.text()
		case "config":
			r.Config = s.text()
		case "rootfs":
			r.Rootfs = s.text()
		case "created":
			r.Created = s.time()
		case "annotations":
			r.Annotations = s.texts()
		case "init":
			r.Init = s.process()
		case "program":
			r.Program = s.text()
		case "sharedPID":
			r.SharedPID = s.boolean()
		case "laterHooks":
			r.LaterHooks = s.boolean()
		case "cgroup":
			r.Cgroup = s.object()
		case "rdt":
			r.RDT = s.object()
		case "resources":
			r.Resources = s.object()
		case "cgroupManager":
			r.CgroupManager = s.text()
		case "rootless":
			r.Rootless = s.text()
		default:
			return nil, false
		}
		if !s.more() {
			break
		}
	}
	s.take('\n')
	return r, !s.failed && len(s.rest) == 0
}

// scanner takes a record apart. After a failure nothing that it gives means
// anything.
type scanner struct {
	rest   []byte
	failed bool
}

func (s *scanner) fail() { s.rest, s.failed = nil, true }

// take goes past one byte, which has to be c.
func (s *scanner) take(c byte) {
	if len(s.rest) == 0 || s.rest[0] != c {
		s.fail()
		return
	}
	s.rest = s.rest[1:]
}

// more goes past what follows a member of an object: whether another comes.
func (s *scanner) more() bool {
	if len(s.rest) > 0 && s.rest[0] == ',' {
		s.rest = s.rest[1:]
		return true
	}
	s.take('}')
	return false
}

// text takes a string.
func (s *scanner) text() string {
	s.take('"')
	end := bytes.IndexByte(s.rest, '"')
	if end < 0 {
		s.fail()
		return ""
	}
	for at, c := range s.rest[:end] {
		if c == '\\' || c < ' ' || c >= utf8.RuneSelf {
			return s.unusual(at)
		}
	}
	text := string(s.rest[:end])
	s.rest = s.rest[end+1:]
	return text
}

// unusual takes the rest of a string in which, at an index, something other than
// printable ASCII begins, and leaves it to those who know all of that.
func (s *scanner) unusual(at int) string {
	for ; at < len(s.rest) && s.rest[at] != '"'; at++ {
		if s.rest[at] == '\\' {
			at++
		}
	}
	if at >= len(s.rest) {
		s.fail()
		return ""
	}
	var text string
	if json.Unmarshal(append(append([]byte{'"'}, s.rest[:at]...), '"'), &text) != nil {
		s.fail()
		return ""
	}
	s.rest = s.rest[at+1:]
	return text
}

// word takes what is made of letters and digits: a number, true or false.
func (s *scanner) word() string {
	end := 0
	for end < len(s.rest) && (s.rest[end] >= '0' && s.rest[end] <= '9' || s.rest[end] >= 'a' && s.rest[end] <= 'z') {
		end++
	}
	word := string(s.rest[:end])
	s.rest = s.rest[end:]
	return word
}

func (s *scanner) number() uint64 {
	word := s.word()
	number, err := strconv.ParseUint(word, 10, 64)
	if err != nil || word != "0" && word[0] == '0' {
		s.fail()
	}
	return number
}

func (s *scanner) boolean() bool {
	word := s.word()
	if word != "true" && word != "false" {
		s.fail()
	}
	return word == "true"
}

func (s *scanner) time() time.Time {
	at, err := time.Parse(time.RFC3339Nano, s.text())
	if err != nil {
		s.fail()
	}
	return at
}

func (s *scanner) process() Process {
	var p Process
	s.take('{')
	for {
		key := s.text()
		s.take(':')
		switch key {
		case "pid":
			p.PID = int(s.number())
		case "startTime":
			p.StartTime = s.number()
		default:
			s.fail()
		}
		if !s.more() {
			return p
		}
	}
}

func (s *scanner) texts() map[string]string {
	texts := map[string]string{}
	s.take('{')
	for {
		key := s.text()
		s.take(':')
		texts[key] = s.text()
		if !s.more() {
			return texts
		}
	}
}

// object takes an object as it is.
func (s *scanner) object() json.RawMessage {
	depth, inText := 0, false
	for i := 0; i < len(s.rest); i++ {
		switch c := s.rest[i]; {
		case inText && c == '\\':
			i++
		case c == '"':
			inText = !inText
		case inText:
		case c == '{' || c == '[':
			depth++
		case c == '}' || c == ']':
			depth--
		}
		if depth == 0 {
			object := json.RawMessage(s.rest[:i+1])
			s.rest = s.rest[i+1:]
			if !json.Valid(object) {
				s.fail()
			}
			return object
		}
	}
	s.fail()
	return nil
}
