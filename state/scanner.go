package state

import (
	"bytes"
	"encoding/json"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// Scanner takes JSON apart that was written by this package and by those who
// remember something with it: without white space, and with no keys but those
// that its reader knows. What is not like that it refuses, for encoding/json to
// have the last word about: the reflection of that takes longer than all else that
// some commands do.
//
// After a failure nothing that a Scanner gives means anything, and every loop
// ends by itself. Whoever is done asks whether all went well ([Scanner.Done]).
type Scanner struct {
	rest   []byte
	failed bool
	depth  int // objects and arrays that are being taken
}

// maxDepth bounds what a damaged record can do to the stack.
const maxDepth = 100

// Scan begins to take data apart.
func Scan(data []byte) *Scanner { return &Scanner{rest: data} }

// Done reports whether everything was taken, and was as it was expected to be.
func (s *Scanner) Done() bool { return !s.failed && len(s.rest) == 0 }

// Fail gives up: what came is not known to the reader.
func (s *Scanner) Fail() { s.rest, s.failed = nil, true }

// Object takes an object. member is called with each key, to take the value.
func (s *Scanner) Object(member func(key string)) {
	s.enter('{')
	for more := !s.ends('}'); more; more = s.more('}') {
		key := s.Text()
		s.take(':')
		member(key)
	}
	s.depth--
}

// List takes an array. element is called to take each of its values.
func (s *Scanner) List(element func()) {
	s.enter('[')
	for more := !s.ends(']'); more; more = s.more(']') {
		element()
	}
	s.depth--
}

// Text takes a string.
func (s *Scanner) Text() string {
	s.take('"')
	end := bytes.IndexByte(s.rest, '"')
	if end < 0 {
		s.Fail()
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

// Boolean takes true or false.
func (s *Scanner) Boolean() bool {
	word := s.word()
	if word != "true" && word != "false" {
		s.Fail()
	}
	return word == "true"
}

func (s *Scanner) number() uint64 {
	word := s.word()
	number, err := strconv.ParseUint(word, 10, 64)
	if err != nil || word != "0" && word[0] == '0' {
		s.Fail()
	}
	return number
}

func (s *Scanner) time() time.Time {
	at, err := time.Parse(time.RFC3339Nano, s.Text())
	if err != nil {
		s.Fail()
	}
	return at
}

// raw takes an object as it is.
func (s *Scanner) raw() json.RawMessage {
	begin := s.rest
	if s.next() != '{' {
		s.Fail()
	}
	s.skip()
	return json.RawMessage(begin[:len(begin)-len(s.rest)])
}

// skip takes a value of any kind.
func (s *Scanner) skip() {
	switch s.next() {
	case '{':
		s.Object(func(string) { s.skip() })
	case '[':
		s.List(s.skip)
	case '"':
		s.Text()
	case 't', 'f':
		s.Boolean()
	case '-':
		s.take('-')
		s.number()
	default:
		s.number()
	}
}

// next is the byte that comes next, 0 if none does.
func (s *Scanner) next() byte {
	if len(s.rest) == 0 {
		return 0
	}
	return s.rest[0]
}

// take goes past one byte, which has to be c.
func (s *Scanner) take(c byte) {
	if len(s.rest) == 0 || s.rest[0] != c {
		s.Fail()
		return
	}
	s.rest = s.rest[1:]
}

// enter goes past the bracket that begins an object or array.
func (s *Scanner) enter(bracket byte) {
	if s.depth++; s.depth > maxDepth {
		s.Fail()
	}
	s.take(bracket)
}

// ends goes past the bracket of an object or array that has nothing in it.
func (s *Scanner) ends(bracket byte) bool {
	if s.failed || s.next() == bracket {
		s.take(bracket)
		return true
	}
	return false
}

// more goes past what follows a member or element: whether another comes.
func (s *Scanner) more(bracket byte) bool {
	if s.next() == ',' {
		s.take(',')
		return true
	}
	s.take(bracket)
	return false
}

// unusual takes the rest of a string in which, at an index, something other than
// printable ASCII begins, and leaves it to those who know all of that.
func (s *Scanner) unusual(at int) string {
	for ; at < len(s.rest) && s.rest[at] != '"'; at++ {
		if s.rest[at] == '\\' {
			at++
		}
	}
	if at >= len(s.rest) {
		s.Fail()
		return ""
	}
	var text string
	if json.Unmarshal(append(append([]byte{'"'}, s.rest[:at]...), '"'), &text) != nil {
		s.Fail()
		return ""
	}
	s.rest = s.rest[at+1:]
	return text
}

// word takes what is made of letters and digits: a number, true or false.
func (s *Scanner) word() string {
	end := 0
	for end < len(s.rest) && (s.rest[end] >= '0' && s.rest[end] <= '9' || s.rest[end] >= 'a' && s.rest[end] <= 'z') {
		end++
	}
	word := string(s.rest[:end])
	s.rest = s.rest[end:]
	return word
}

// AppendText appends a JSON string (RFC 8259, section 7), with the characters
// escaped that encoding/json escapes. Bytes that are not UTF-8 become U+FFFD, as JSON
// has no way to say them.
func AppendText(b []byte, s string) []byte {
	b = append(b, '"')
	for _, r := range s {
		switch {
		case r == '"' || r == '\\':
			b = append(b, '\\', byte(r))
		case r < ' ' || r == '<' || r == '>' || r == '&' || r == '\u2028' || r == '\u2029':
			b = appendEscaped(b, r)
		default:
			b = utf8.AppendRune(b, r)
		}
	}
	return append(b, '"')
}

func appendEscaped(b []byte, r rune) []byte {
	if at := strings.IndexRune("\b\f\n\r\t", r); at >= 0 {
		return append(b, '\\', "bfnrt"[at])
	}
	const digits = "0123456789abcdef"
	return append(b, '\\', 'u', digits[r>>12], digits[r>>8&0xf], digits[r>>4&0xf], digits[r&0xf])
}
