package spec

import (
	"fmt"
	"strconv"
	"strings"
	"unicode"
)

// Problem is one thing that is wrong with a configuration.
type Problem struct {
	File  string // name of the configuration, for example "config.json"
	Field string // path of the field, for example "mounts[3].destination"
	Line  int    // line in File, 0 when unknown
	Text  string // what is wrong and what would be right
	Minor bool   // of a warning: worth a line in a log, not on a screen
}

// String renders "config.json:61: mounts[3].destination: must be absolute".
// Parts that are unknown are left out.
func (p Problem) String() string {
	var b strings.Builder
	if p.File != "" {
		b.WriteString(p.File)
		if p.Line > 0 {
			fmt.Fprintf(&b, ":%d", p.Line)
		}
		b.WriteString(": ")
	}
	if p.Field != "" {
		b.WriteString(p.Field + ": ")
	}
	b.WriteString(p.Text)
	return b.String()
}

// Problems is all that is wrong with a configuration. As an error it is a
// single line, because callers read one message per failure from the log.
type Problems []Problem

// Error joins all problems with "; ".
func (p Problems) Error() string {
	return strings.Join(p.Lines(), "; ")
}

// Lines returns one line per problem, for display to a person.
func (p Problems) Lines() []string {
	lines := make([]string, len(p))
	for i, problem := range p {
		lines[i] = problem.String()
	}
	return lines
}

// oneLine writes control characters as escapes. Values of a configuration come
// back in messages, and must neither break a line of the log nor reach a terminal.
func oneLine(text string) string {
	if !strings.ContainsFunc(text, unicode.IsControl) {
		return text
	}
	var b strings.Builder
	for _, r := range text {
		if unicode.IsControl(r) {
			b.WriteString(strings.Trim(strconv.QuoteRune(r), "'"))
		} else {
			b.WriteRune(r)
		}
	}
	return b.String()
}
