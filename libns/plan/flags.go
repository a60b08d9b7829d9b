package plan

import (
	"fmt"
	"strings"

	"golang.org/x/sys/unix"
)

// flagSet names the bits of one kernel flag word, for printing.
type flagSet []struct {
	bits uint64
	name string
}

// format gives the names joined by "|"; bits without a name come last, in hex.
func (set flagSet) format(v uint64) string {
	if v == 0 {
		return "0"
	}
	var names []string
	for _, f := range set {
		if v&f.bits == f.bits {
			names = append(names, f.name)
			v &^= f.bits
		}
	}
	if v != 0 {
		names = append(names, fmt.Sprintf("%#x", v))
	}
	return strings.Join(names, "|")
}

var cloneFlags = flagSet{
	{unix.CLONE_NEWUSER, "CLONE_NEWUSER"},
	{unix.CLONE_NEWNS, "CLONE_NEWNS"},
	{unix.CLONE_NEWPID, "CLONE_NEWPID"},
	{unix.CLONE_NEWNET, "CLONE_NEWNET"},
	{unix.CLONE_NEWUTS, "CLONE_NEWUTS"},
	{unix.CLONE_NEWIPC, "CLONE_NEWIPC"},
	{unix.CLONE_NEWCGROUP, "CLONE_NEWCGROUP"},
	{unix.CLONE_NEWTIME, "CLONE_NEWTIME"},
	{unix.CLONE_PARENT, "CLONE_PARENT"},
}
