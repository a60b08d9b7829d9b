package main

import (
	"fmt"
	"slices"
	"strings"

	"github.com/urfave/cli/v2"

	"rt/spec"
)

const completionName = "completion"

// shells are those that completions are made for.
var shells = []string{"bash", "zsh", "fish"}

func (t *tool) completionCommand() *cli.Command {
	return &cli.Command{
		Name:      completionName,
		Usage:     "print what makes a shell complete rt's command line",
		ArgsUsage: "SHELL",
		Description: `SHELL is bash, zsh or fish. For the shell that is running:

   bash:  source <(rt completion bash)
   zsh:   source <(rt completion zsh)
   fish:  rt completion fish | source

"make install" puts the files where the shells find them.`,
		Action: func(c *cli.Context) error {
			if err := exactly(c, 1); err != nil {
				return err
			}
			line := commandLineOf(c.App)
			var script string
			switch shell := c.Args().First(); shell {
			case "bash":
				script = bashCompletion(line)
			case "zsh":
				script = zshCompletion(line)
			case "fish":
				script = fishCompletion(line)
			default:
				return fmt.Errorf("no completion for %q: a shell is %s", shell, strings.Join(shells, ", "))
			}
			_, err := fmt.Fprint(t.stdout, script)
			return err
		},
	}
}

// commandLine is what a shell has to know of rt.
type commandLine struct {
	flags    []signature
	commands []commandSignature
}

// commandSignature is a command with its flags and what its arguments are.
type commandSignature struct {
	name      string
	usage     string
	flags     []signature
	arguments []completed
}

// completed is what a shell offers for a value or an argument.
type completed struct {
	kind  completedKind
	words []string // of kind oneOf
}

type completedKind int

const (
	anything completedKind = iota
	oneOf
	aFile
	aDirectory
	aContainer
)

func commandLineOf(app *cli.App) commandLine {
	line := commandLine{flags: signatures(app.Flags)}
	for _, command := range app.VisibleCommands() {
		described := commandSignature{name: command.Name, usage: command.Usage}
		if command.Name == "help" {
			described.arguments = []completed{{oneOf, commandNames(app)}}
		} else {
			described.flags = signatures(command.Flags)
			for i, argument := range strings.Fields(command.ArgsUsage) {
				described.arguments = append(described.arguments, argumentOf(app, i, argument))
			}
		}
		line.commands = append(line.commands, described)
	}
	return line
}

func commandNames(app *cli.App) []string {
	var names []string
	for _, command := range app.VisibleCommands() {
		names = append(names, command.Name)
	}
	return names
}

// argumentOf reads the word for an argument in a command's usage. An id that
// comes first is that of a container, one behind a bundle is still to be made up.
func argumentOf(app *cli.App, position int, word string) completed {
	switch strings.Trim(word, "[]/") {
	case "ID":
		if position > 0 {
			return completed{kind: oneOf}
		}
		return completed{kind: aContainer}
	case "BUNDLE":
		return completed{kind: aDirectory}
	case "SIGNAL":
		return completed{oneOf, spec.SignalNames()}
	case "SHELL":
		return completed{oneOf, shells}
	case "RT-COMMAND":
		return completed{oneOf, commandNames(app)}
	default:
		return completed{kind: anything}
	}
}

// completed is what is offered for the flag's value.
func (s signature) completed() completed {
	switch {
	case len(s.values) > 0:
		return completed{oneOf, s.values}
	case s.value == "FILE" || s.value == "PATH":
		return completed{kind: aFile}
	case s.value == "DIR":
		return completed{kind: aDirectory}
	default:
		return completed{kind: anything}
	}
}

// withValue gives the flags that have values.
func withValue(flags []signature) []signature {
	return slices.DeleteFunc(slices.Clone(flags), func(s signature) bool { return s.value == "" })
}
