package main

import (
	"slices"
	"strings"

	"github.com/urfave/cli/v2"
)

// arrange puts the flags of a command before its arguments, because the parser
// stops at the first argument while people, and callers of runc, write
// `delete ID --force`. Behind "--" everything is an argument. Some commands keep
// their order.
func arrange(app *cli.App, args []string) []string {
	at := commandAt(app, args)
	if at < 0 {
		return args
	}
	command := app.Command(args[at])
	switch {
	case command == nil:
		return args
	case command.Name == execName:
		return append(slices.Clone(args[:at+1]), longNames(command.Flags, args[at+1:])...)
	case keepsOrder(command.Name):
		return args
	}
	flags, arguments, complete := splitFlags(command.Flags, args[at+1:])
	arranged := append(slices.Clone(args[:at+1]), flags...)
	if complete && len(arguments) > 0 {
		arranged = append(arranged, "--")
		arranged = append(arranged, arguments...)
	}
	return arranged
}

// keepsOrder tells the commands whose arguments behind the id may look like
// flags.
func keepsOrder(name string) bool {
	switch name {
	case execName, killName, psName:
		return true
	default:
		return false
	}
}

// longNames spells the flags before the first argument out: the parser refuses
// `-e A=1 --env B=2`, two forms of one flag.
func longNames(known []cli.Flag, args []string) []string {
	spelled := slices.Clone(args)
	for i := 0; i < len(args) && args[i] != "--" && isFlag(args[i]); i++ {
		name, value, hasValue := strings.Cut(strings.TrimPrefix(args[i][1:], "-"), "=")
		for _, flag := range known {
			if !slices.Contains(flag.Names(), name) {
				continue
			}
			spelled[i] = "--" + flag.Names()[0]
			if hasValue {
				spelled[i] += "=" + value
			}
		}
		if wantsNext(known, args[i]) {
			i++
		}
	}
	return spelled
}

// commandAt is the index of the command's name behind the global flags, -1 if
// there is none.
func commandAt(app *cli.App, args []string) int {
	for i := 1; i < len(args); i++ {
		switch {
		case args[i] == "--":
			return -1
		case !isFlag(args[i]):
			return i
		case wantsNext(app.Flags, args[i]):
			i++
		}
	}
	return -1
}

// splitFlags tells flags, with their values, from arguments. It is not complete
// if the last flag lacks its value: nothing may then be put behind it, as it
// would be taken for that value.
func splitFlags(known []cli.Flag, args []string) (flags, arguments []string, complete bool) {
	for i := 0; i < len(args); i++ {
		switch {
		case args[i] == "--":
			return flags, append(arguments, args[i+1:]...), true
		case !isFlag(args[i]):
			arguments = append(arguments, args[i])
		case !wantsNext(known, args[i]):
			flags = append(flags, args[i])
		case i+1 == len(args):
			return append(flags, args[i]), arguments, false
		default:
			flags = append(flags, args[i], args[i+1])
			i++
		}
	}
	return flags, arguments, true
}

// isFlag follows package flag: a dash alone is an argument.
func isFlag(arg string) bool { return len(arg) > 1 && arg[0] == '-' }

// wantsNext reports whether the value of a flag is the argument after it.
func wantsNext(known []cli.Flag, arg string) bool {
	name := strings.TrimPrefix(arg[1:], "-")
	for _, flag := range known {
		if _, isSwitch := flag.(*lightSwitch); !isSwitch && slices.Contains(flag.Names(), name) {
			return true
		}
	}
	return false
}
