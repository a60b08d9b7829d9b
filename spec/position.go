package spec

import (
	"bytes"
	"encoding/json"
	"strconv"
	"strings"
	"sync"
	"unicode"
)

// source keeps the bytes of a configuration. Where each field stands is found
// out by a second pass over them, the first time that anybody asks: only a
// configuration with problems pays for it.
type source struct {
	data  []byte
	index sync.Once
	root  *node
}

// node is one JSON value of the file.
type node struct {
	key      string // name within the parent object
	mark     int    // offset a person looks for: the key's, or the array element's
	start    int    // offset of the value
	end      int    // offset behind the value
	isObject bool
	children []*node
}

// Line returns the line, counted from 1, of a field such as
// "mounts[3].destination" or `linux.sysctl["net.ipv4.ip_forward"]`. For a field
// that the file does not have it is the line of the nearest parent that exists.
// It is 0 when the configuration does not come from a file.
func (c *Config) Line(field string) int {
	if c.source == nil {
		return 0
	}
	found, _ := c.source.find(field)
	if found == nil {
		return 0
	}
	line, _ := c.source.position(found.mark)
	return line
}

// states reports whether the file has the field at all, whatever its value.
func (c *Config) states(field string) bool {
	if c.source == nil {
		return false
	}
	_, exact := c.source.find(field)
	return exact
}

// position converts a byte offset to line and column, both counted from 1.
func (s *source) position(offset int) (line, column int) {
	before := s.data[:max(0, min(offset, len(s.data)))]
	return 1 + bytes.Count(before, []byte{'\n'}), len(before) - bytes.LastIndexByte(before, '\n')
}

// find returns the value of a field, or of its nearest existing parent and false.
func (s *source) find(field string) (found *node, exact bool) {
	s.index.Do(s.build)
	found = s.root
	for field != "" && found != nil {
		var child *node
		child, field = found.descend(field)
		if child == nil {
			return found, false
		}
		found = child
	}
	return found, found != nil
}

// descend takes the first segment off a field path and returns the child it names.
func (n *node) descend(field string) (child *node, rest string) {
	if field[0] == '.' {
		field = field[1:]
	}
	if field == "" || field[0] != '[' {
		end := strings.IndexAny(field, ".[")
		if end < 0 {
			end = len(field)
		}
		return n.member(field[:end]), field[end:]
	}
	if quoted, err := strconv.QuotedPrefix(field[1:]); err == nil {
		key, _ := strconv.Unquote(quoted)
		return n.member(key), strings.TrimPrefix(field[1+len(quoted):], "]")
	}
	digits, rest, _ := strings.Cut(field[1:], "]")
	index, err := strconv.Atoi(digits)
	if err != nil || n.isObject || index < 0 || index >= len(n.children) {
		return nil, rest
	}
	return n.children[index], rest
}

// member finds a key the way encoding/json does: the exact name first, else
// regardless of case, and the last of several.
func (n *node) member(key string) *node {
	if !n.isObject {
		return nil
	}
	var folded *node
	for i := len(n.children) - 1; i >= 0; i-- {
		child := n.children[i]
		if child.key == key {
			return child
		}
		if folded == nil && strings.EqualFold(child.key, key) {
			folded = child
		}
	}
	return folded
}

// fieldAt returns the path of the innermost value that has the byte at offset
// in it.
func (s *source) fieldAt(offset int) string {
	s.index.Do(s.build)
	var path strings.Builder
	for n := s.root; n != nil; {
		var inner *node
		for i, child := range n.children {
			if child.start <= offset && offset < child.end {
				inner = child
				writeSegment(&path, n.isObject, child.key, i)
				break
			}
		}
		n = inner
	}
	return path.String()
}

func writeSegment(path *strings.Builder, isMember bool, key string, index int) {
	switch {
	case !isMember:
		path.WriteString("[" + strconv.Itoa(index) + "]")
	case key == "" || strings.ContainsFunc(key, needsQuotes):
		path.WriteString("[" + strconv.Quote(key) + "]")
	default:
		if path.Len() > 0 {
			path.WriteByte('.')
		}
		path.WriteString(key)
	}
}

// needsQuotes tells the characters that a key of the specification never has.
func needsQuotes(r rune) bool {
	return strings.ContainsRune(".[]\"", r) || !unicode.IsPrint(r)
}

// build makes the tree of values. The bytes are known to be well-formed, and no
// deeper than encoding/json's own limit, because they were decoded before.
func (s *source) build() {
	decoder := json.NewDecoder(bytes.NewReader(s.data))
	decoder.UseNumber()
	s.root = s.value(decoder, "")
	if s.root != nil {
		s.root.mark = s.root.start
	}
}

// value reads one value, with everything in it; nil at an error or at the end.
func (s *source) value(decoder *json.Decoder, key string) *node {
	n := &node{key: key, start: s.nextToken(decoder)}
	n.mark = n.start
	token, err := decoder.Token()
	if err != nil {
		return nil
	}
	if delim, ok := token.(json.Delim); ok {
		n.isObject = delim == '{'
		for decoder.More() {
			child := s.child(decoder, n.isObject)
			if child == nil {
				return n
			}
			n.children = append(n.children, child)
		}
		if _, err := decoder.Token(); err != nil {
			return n
		}
	}
	n.end = int(decoder.InputOffset())
	return n
}

func (s *source) child(decoder *json.Decoder, isMember bool) *node {
	if !isMember {
		return s.value(decoder, "")
	}
	mark := s.nextToken(decoder)
	token, err := decoder.Token()
	if err != nil {
		return nil
	}
	key, _ := token.(string)
	n := s.value(decoder, key)
	if n != nil {
		n.mark = mark
	}
	return n
}

// nextToken returns the offset of the token that the decoder will read next:
// it stands behind the last one, white space, and a comma or a colon.
func (s *source) nextToken(decoder *json.Decoder) int {
	offset := int(decoder.InputOffset())
	for offset < len(s.data) && strings.IndexByte(" \t\r\n,:", s.data[offset]) >= 0 {
		offset++
	}
	return offset
}
