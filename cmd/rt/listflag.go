package main

import (
	"flag"
	"fmt"
	"slices"

	"github.com/urfave/cli/v2"
)

// lightList is a flag that may be given several times. cli's own hands the list
// from one name of the flag to the other as JSON.
type lightList struct {
	*cli.StringSliceFlag
	names
}

// Names gives the flag's long name first.
func (f *lightList) Names() []string { return f.of(f.Name, f.Aliases) }

// Apply makes the flag known to the parser: one list, whatever the flag is called.
func (f *lightList) Apply(set *flag.FlagSet) error {
	values := new(listValue)
	for _, name := range f.Names() {
		set.Var(values, name, f.Usage)
	}
	return nil
}

// listed are the values of a flag that may be given several times.
func listed(c *cli.Context, name string) []string {
	values, _ := c.Generic(name).(*listValue)
	if values == nil {
		return nil
	}
	return slices.Clone(*values)
}

// listValue collects the values of a flag. A comma is part of a value.
type listValue []string

// Set adds a value.
func (l *listValue) Set(text string) error {
	if text != sameList {
		*l = append(*l, text)
	}
	return nil
}

func (l *listValue) String() string { return fmt.Sprintf("%q", []string(*l)) }

// sameList is what cli copies from one name of a flag to another, which both have
// the list already. No argument of a program has such a byte in it.
const sameList = "\x00"

// Serialize gives what cli copies.
func (l *listValue) Serialize() string { return sameList }
