package main

import (
	"flag"

	"github.com/urfave/cli/v2"
)

// cli looks for the end of a flag's name with a regular expression, because in its
// first version more than the name could stand there. It does so every time that
// it wants the name: a dozen times for every flag, in every command. The flags here
// are cli's, with names that are what they are.
type (
	lightText struct {
		*cli.StringFlag
		names
	}
	lightSwitch struct {
		*cli.BoolFlag
		names
	}
	lightNumber struct {
		*cli.IntFlag
		names
	}
)

func init() { cli.HelpFlag = lightFlag(cli.HelpFlag) }

// light exchanges flags of the usual kinds.
func light(flags []cli.Flag) []cli.Flag {
	for i, f := range flags {
		flags[i] = lightFlag(f)
	}
	return flags
}

func lightFlag(f cli.Flag) cli.Flag {
	switch f := f.(type) {
	case *cli.StringFlag:
		return &lightText{StringFlag: f}
	case *cli.BoolFlag:
		return &lightSwitch{BoolFlag: f}
	case *cli.IntFlag:
		return &lightNumber{IntFlag: f}
	case *cli.StringSliceFlag:
		return &lightList{StringSliceFlag: f}
	default:
		return f
	}
}

// names are what a flag is called, put together when they are first asked for.
type names []string

func (n *names) of(name string, aliases []string) []string {
	if *n == nil {
		*n = append([]string{name}, aliases...)
	}
	return *n
}

// Names gives the flag's long name first.
func (f *lightText) Names() []string { return f.of(f.Name, f.Aliases) }

// Names gives the flag's long name first.
func (f *lightSwitch) Names() []string { return f.of(f.Name, f.Aliases) }

// Names gives the flag's long name first.
func (f *lightNumber) Names() []string { return f.of(f.Name, f.Aliases) }

// Apply makes the flag known to the parser.
func (f *lightText) Apply(set *flag.FlagSet) error {
	for _, name := range f.Names() {
		set.String(name, f.Value, f.Usage)
	}
	return nil
}

// Apply makes the flag known to the parser.
func (f *lightSwitch) Apply(set *flag.FlagSet) error {
	for _, name := range f.Names() {
		set.Bool(name, f.Value, f.Usage)
	}
	return nil
}

// Apply makes the flag known to the parser.
func (f *lightNumber) Apply(set *flag.FlagSet) error {
	for _, name := range f.Names() {
		set.Int(name, f.Value, f.Usage)
	}
	return nil
}
