package spec

import "fmt"

// maxWrongTypes is how many values of the wrong type are reported: more than
// anybody reads, and each costs a search through the file.
const maxWrongTypes = 100

// wrongType is a value that its field cannot hold.
type wrongType struct {
	offset        int // of the value's first byte
	wanted, found string
}

func (d *decoder) addWrong(w wrongType) {
	if len(d.wrong) < maxWrongTypes {
		d.wrong = append(d.wrong, w)
	}
}

// kindOf tells the kind of a value by its first byte.
func kindOf(first byte) string {
	switch first {
	case '{':
		return "an object"
	case '[':
		return "an array"
	case '"':
		return "a string"
	case 't', 'f':
		return "true or false"
	default:
		return "a number"
	}
}

// syntaxError says where the file stops being JSON.
func (c *Config) syntaxError(err *syntaxError) error {
	line, column := c.source.position(err.offset)
	return fmt.Errorf("%s:%d:%d: malformed JSON: %s", c.File, line, column, err.text)
}

// typeErrors says which fields have values of the wrong type.
func (c *Config) typeErrors(wrong []wrongType) error {
	problems := make(Problems, len(wrong))
	for i, w := range wrong {
		line, _ := c.source.position(w.offset)
		problems[i] = Problem{
			File:  c.File,
			Field: c.source.fieldAt(w.offset),
			Line:  line,
			Text:  fmt.Sprintf("must be %s, got %s", w.wanted, w.found),
		}
	}
	return problems
}
