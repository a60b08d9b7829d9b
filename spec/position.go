package spec

import (
	"strconv"
	"strings"
	"sync"
	"unicode"
)

// source keeps the text of a configuration. Where each field stands is found
// out by a second pass over it, the first time that anybody asks: only a
// configuration with problems pays for it.
type source struct {
	text  string
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
	before := s.text[:offset]
	return 1 + strings.Count(before, "\n"), len(before) - strings.LastIndexByte(before, '\n')
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

// build makes the tree of values. The text is known to be JSON, because it was
// decoded before.
func (s *source) build() {
	s.root = readNode(&scanner{text: s.text}, "")
}

// readNode reads a value, with everything in it.
func readNode(s *scanner, key string) *node {
	first := s.next()
	n := &node{key: key, mark: s.pos, start: s.pos, isObject: first == '{'}
	switch first {
	case '{':
		s.enter()
		for key, ok := s.member(); ok; key, ok = s.member() {
			mark := s.keyPos
			child := readNode(s, key)
			child.mark = mark
			n.children = append(n.children, child)
		}
	case '[':
		s.enter()
		for s.element() {
			n.children = append(n.children, readNode(s, ""))
		}
	default:
		s.skip()
	}
	n.end = s.pos
	return n
}
