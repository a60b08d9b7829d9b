package spec

import (
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// maxDepth is how deep objects and arrays may be nested. It is encoding/json's
// limit, and keeps hostile input from growing the stack without end.
const maxDepth = 10000

// syntaxError says where a text stops being JSON, and why.
type syntaxError struct {
	offset int // of the byte that was refused; the length of the text if it ended early
	text   string
}

// scanner reads one JSON text (RFC 8259) from front to back. It accepts exactly
// what encoding/json accepts, and says the same about what it does not.
//
// The first error stays and moves the scanner to the end of the text, where
// nothing is left to read: loops over members and elements end by themselves,
// and whoever began reading looks at malformed once, when all is done.
type scanner struct {
	text      string
	pos       int  // of the next byte
	keyPos    int  // of the key that member returned last
	depth     int  // objects and arrays entered and not yet left
	fresh     bool // an object or array was entered just now: what comes first has no comma
	malformed *syntaxError
}

// fail records that the byte at the current position cannot stand there.
func (s *scanner) fail(context string) {
	if s.malformed != nil {
		return
	}
	s.malformed = &syntaxError{offset: s.pos, text: "unexpected end of JSON input"}
	if s.pos < len(s.text) {
		s.malformed.text = "invalid character " + strconv.QuoteRune(rune(s.text[s.pos])) + " " + context
	}
	s.pos = len(s.text)
}

// next skips white space and returns the byte behind it without reading it, or
// 0 at the end of the text.
func (s *scanner) next() byte {
	for s.pos < len(s.text) {
		switch c := s.text[s.pos]; c {
		case ' ', '\t', '\r', '\n':
			s.pos++
		default:
			return c
		}
	}
	return 0
}

// enter reads the bracket that begins an object or array.
func (s *scanner) enter() {
	s.depth++
	if s.depth > maxDepth {
		s.fail("exceeded max depth")
		return
	}
	s.pos++
	s.fresh = true
}

// leave reads the bracket that ends an object or array.
func (s *scanner) leave() {
	s.depth--
	s.pos++
	s.fresh = false
}

// member reads on to the next value of the object that was entered, and returns
// its key. It is false when the object is over, which it then has left.
func (s *scanner) member() (key string, ok bool) {
	c := s.next()
	if c == '}' {
		s.leave()
		return "", false
	}
	if !s.fresh {
		if c != ',' {
			s.fail("after object key:value pair")
			return "", false
		}
		s.pos++
		c = s.next()
	}
	s.fresh = false
	if c != '"' {
		s.fail("looking for beginning of object key string")
		return "", false
	}
	s.keyPos = s.pos
	key = s.string()
	if s.next() != ':' {
		s.fail("after object key")
		return "", false
	}
	s.pos++
	return key, true
}

// element reads on to the next value of the array that was entered. It is false
// when the array is over, which it then has left.
func (s *scanner) element() bool {
	switch c := s.next(); {
	case c == ']':
		s.leave()
		return false
	case s.fresh:
		s.fresh = false
		return true
	case c == ',':
		s.pos++
		return true
	default:
		s.fail("after array element")
		return false
	}
}

// skip reads a value of any kind.
func (s *scanner) skip() {
	switch s.next() {
	case '{':
		s.enter()
		for _, ok := s.member(); ok; _, ok = s.member() {
			s.skip()
		}
	case '[':
		s.enter()
		for s.element() {
			s.skip()
		}
	case '"':
		s.string()
	case 't':
		s.literal("true")
	case 'f':
		s.literal("false")
	case 'n':
		s.literal("null")
	case '-', '0', '1', '2', '3', '4', '5', '6', '7', '8', '9':
		s.number()
	default:
		s.fail("looking for beginning of value")
	}
}

// end reads white space up to the end of the text.
func (s *scanner) end() {
	if s.next(); s.pos < len(s.text) {
		s.fail("after top-level value")
	}
}

// literal reads true, false or null, the first letter of which has been seen.
func (s *scanner) literal(word string) {
	if strings.HasPrefix(s.text[s.pos:], word) {
		s.pos += len(word)
		return
	}
	for i := range len(word) {
		if s.pos == len(s.text) || s.text[s.pos] != word[i] {
			s.fail("in literal " + word + " (expecting " + strconv.QuoteRune(rune(word[i])) + ")")
			return
		}
		s.pos++
	}
}

// number reads a number, the first character of which has been seen, and
// returns it as it is written.
func (s *scanner) number() string {
	start := s.pos
	if s.text[s.pos] == '-' {
		s.pos++
	}
	if s.at('0') {
		s.pos++
	} else {
		s.digits("in numeric literal")
	}
	if s.at('.') {
		s.pos++
		s.digits("after decimal point in numeric literal")
	}
	if s.at('e') || s.at('E') {
		s.pos++
		if s.at('+') || s.at('-') {
			s.pos++
		}
		s.digits("in exponent of numeric literal")
	}
	return s.text[start:s.pos]
}

func (s *scanner) at(c byte) bool {
	return s.pos < len(s.text) && s.text[s.pos] == c
}

// digits reads one digit or more.
func (s *scanner) digits(context string) {
	start := s.pos
	for s.pos < len(s.text) && isDigit(s.text[s.pos]) {
		s.pos++
	}
	if s.pos == start {
		s.fail(context)
	}
}

func isDigit(c byte) bool { return '0' <= c && c <= '9' }

// string reads a string, the opening quote of which has been seen. The result
// shares the text's memory unless it had to be rewritten: escapes give way to
// what they stand for, and bytes that are not UTF-8 to U+FFFD.
func (s *scanner) string() string {
	start := s.pos + 1
	ascii, escaped := true, false
	for i := start; i < len(s.text); i++ {
		switch c := s.text[i]; {
		case c == '"':
			s.pos = i + 1
			inside := s.text[start:i]
			if escaped || !ascii && !utf8.ValidString(inside) {
				return unescape(inside)
			}
			return inside
		case c == '\\':
			escaped = true
			s.pos = i + 1
			if !s.escape() {
				return ""
			}
			i = s.pos - 1
		case c < ' ':
			s.pos = i
			s.fail("in string literal")
			return ""
		case c >= utf8.RuneSelf:
			ascii = false
		}
	}
	s.pos = len(s.text)
	s.fail("in string literal")
	return ""
}

// escape reads what follows a backslash.
func (s *scanner) escape() bool {
	if s.pos == len(s.text) || strings.IndexByte(`"\/bfnrtu`, s.text[s.pos]) < 0 {
		s.fail("in string escape code")
		return false
	}
	s.pos++
	if s.text[s.pos-1] != 'u' {
		return true
	}
	for range 4 {
		if s.pos == len(s.text) || !isHex(s.text[s.pos]) {
			s.fail(`in \u hexadecimal character escape`)
			return false
		}
		s.pos++
	}
	return true
}

func isHex(c byte) bool {
	return isDigit(c) || 'a' <= c && c <= 'f' || 'A' <= c && c <= 'F'
}

// unescape returns what the inside of a string means. Its escapes are known to
// be well-formed.
func unescape(inside string) string {
	b := make([]byte, 0, len(inside))
	for len(inside) > 0 {
		r, size := utf8.DecodeRuneInString(inside)
		if r == '\\' {
			r, size = unescapeRune(inside)
		}
		b = utf8.AppendRune(b, r)
		inside = inside[size:]
	}
	return string(b)
}

// unescapeRune returns the character that the escape at the beginning of text
// stands for, and how long it is. What is above U+FFFF takes two escapes, the
// halves of a surrogate pair; half of a pair alone means nothing.
func unescapeRune(text string) (r rune, size int) {
	switch c := text[1]; c {
	case 'b':
		return '\b', 2
	case 'f':
		return '\f', 2
	case 'n':
		return '\n', 2
	case 'r':
		return '\r', 2
	case 't':
		return '\t', 2
	case 'u':
		first := hexRune(text)
		if !utf16.IsSurrogate(first) {
			return first, 6
		}
		if strings.HasPrefix(text[6:], `\u`) {
			if pair := utf16.DecodeRune(first, hexRune(text[6:])); pair != utf8.RuneError {
				return pair, 12
			}
		}
		return utf8.RuneError, 6
	default:
		return rune(c), 2
	}
}

// hexRune returns the value of the \u escape at the beginning of text.
func hexRune(text string) rune {
	value, _ := strconv.ParseUint(text[2:6], 16, 16)
	return rune(value)
}
