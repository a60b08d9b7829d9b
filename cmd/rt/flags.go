package main

import (
	"slices"
	"strings"

	"github.com/urfave/cli/v2"
)

// boolFlag is a flag without value, about which help need not say that it is
// false if it is not given.
func boolFlag(name, usage string, aliases ...string) *cli.BoolFlag {
	return &cli.BoolFlag{Name: name, Aliases: aliases, Usage: usage, DisableDefaultText: true}
}

// choiceFlag is a flag with one of a few values, which help lists and shells
// complete. The first value is the one that it has when it is not given.
type choiceFlag struct {
	lightText
	values []string
}

// choice makes a choiceFlag. usage ends where the values are to be listed.
func choice(name, usage string, values ...string) *choiceFlag {
	last := len(values) - 1
	usage += " " + strings.Join(values[:last], ", ") + " or " + values[last]
	return &choiceFlag{
		lightText: lightText{StringFlag: &cli.StringFlag{Name: name, Usage: usage, Value: values[0], DefaultText: values[0]}},
		values:    values,
	}
}

// or gives the flag one more name.
func (f *choiceFlag) or(alias string) *choiceFlag {
	f.Aliases = append(f.Aliases, alias)
	return f
}

// signature is what the manual and shells have to know about a flag.
type signature struct {
	names  []string // without dashes, the first is the long one
	usage  string   // without quotes
	value  string   // what its value is called, "" if it has none
	values []string // those it can have, if they are few
	repeat bool     // may be given several times
	preset string   // the value that it has if it is not given, "" = nothing to speak of
}

// signatures describes the flags that help shows, and the one for help itself.
func signatures(flags []cli.Flag) []signature {
	list := make([]signature, 0, len(flags)+1)
	for _, flag := range append(slices.Clone(flags), cli.HelpFlag) {
		described, ok := flag.(cli.DocGenerationFlag)
		if visible, isVisible := flag.(cli.VisibleFlag); !ok || isVisible && !visible.IsVisible() {
			continue
		}
		s := signature{names: described.Names(), usage: strings.ReplaceAll(described.GetUsage(), "`", "")}
		if described.TakesValue() {
			s.value = "VALUE"
			if _, quoted, ok := strings.Cut(described.GetUsage(), "`"); ok {
				s.value, _, _ = strings.Cut(quoted, "`")
			}
			s.preset = described.GetDefaultText()
		}
		if slice, ok := flag.(cli.DocGenerationSliceFlag); ok {
			s.repeat = slice.IsSliceFlag()
		}
		if choice, ok := flag.(*choiceFlag); ok {
			s.values = choice.values
		}
		if !slices.ContainsFunc(list, func(have signature) bool { return slices.Equal(have.names, s.names) }) {
			list = append(list, s)
		}
	}
	return list
}

// dashed are the names of a flag as they are typed.
func (s signature) dashed() []string {
	names := make([]string, len(s.names))
	for i, name := range s.names {
		if len(name) == 1 {
			names[i] = "-" + name
		} else {
			names[i] = "--" + name
		}
	}
	return names
}
