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
	lightText   struct{ *cli.StringFlag }
	lightSwitch struct{ *cli.BoolFlag }
	lightNumber struct{ *cli.IntFlag }
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
		return lightText{f}
	case *cli.BoolFlag:
		return lightSwitch{f}
	case *cli.IntFlag:
		return lightNumber{f}
	default:
		return f
	}
}

func (f lightText) Names() []string   { return names(f.Name, f.Aliases) }
func (f lightSwitch) Names() []string { return names(f.Name, f.Aliases) }
func (f lightNumber) Names() []string { return names(f.Name, f.Aliases) }

func names(name string, aliases []string) []string { return append([]string{name}, aliases...) }

// Apply makes the flag known to the parser.
func (f lightText) Apply(set *flag.FlagSet) error {
	for _, name := range f.Names() {
		set.String(name, f.Value, f.Usage)
	}
	return nil
}

// Apply makes the flag known to the parser.
func (f lightSwitch) Apply(set *flag.FlagSet) error {
	for _, name := range f.Names() {
		set.Bool(name, f.Value, f.Usage)
	}
	return nil
}

// Apply makes the flag known to the parser.
func (f lightNumber) Apply(set *flag.FlagSet) error {
	for _, name := range f.Names() {
		set.Int(name, f.Value, f.Usage)
	}
	return nil
}
