package main

import (
	"path/filepath"
	"slices"
	"time"

	"github.com/urfave/cli/v2"
)

// verb is a command and what describes it.
type verb struct {
	name    string
	command func(*tool) *cli.Command
}

// verbs are all commands, as help lists them.
func verbs() []verb {
	return []verb{
		{"checkpoint", (*tool).checkpointCommand},
		{completionName, (*tool).completionCommand},
		{"create", (*tool).createCommand},
		{"delete", (*tool).deleteCommand},
		{"events", (*tool).eventsCommand},
		{execName, (*tool).execCommand},
		{"features", (*tool).featuresCommand},
		{killName, (*tool).killCommand},
		{"list", (*tool).listCommand},
		{manName, (*tool).manCommand},
		{"pause", (*tool).pauseCommand},
		{"plan", (*tool).planCommand},
		{psName, (*tool).psCommand},
		{"restore", (*tool).restoreCommand},
		{"resume", (*tool).resumeCommand},
		{"run", (*tool).runCommand},
		{"spec", (*tool).specCommand},
		{"start", (*tool).startCommand},
		{"state", (*tool).stateCommand},
		{"update", (*tool).updateCommand},
		{"version", (*tool).versionCommand},
	}
}

// app describes the whole command line. name is what help calls the program:
// that by which the caller called it.
func (t *tool) app(name string) *cli.App {
	app := t.appWithoutCommands(name)
	t.addCommands(app, verbs())
	return app
}

// appFor describes as much of the command line as args need: to describe all
// commands takes longer than to carry most of them out.
func (t *tool) appFor(args []string) *cli.App {
	app := t.appWithoutCommands(filepath.Base(args[0]))
	t.addCommands(app, needed(app, args))
	return app
}

// needed are the commands that args have to do with: one, unless help or another
// description of the command line is asked for.
func needed(app *cli.App, args []string) []verb {
	all := verbs()
	at := commandAt(app, args)
	if at < 0 || args[at] == completionName || args[at] == manName {
		return all
	}
	one := slices.IndexFunc(all, func(v verb) bool { return v.name == args[at] })
	if one < 0 {
		return all
	}
	return all[one : one+1]
}

func (t *tool) appWithoutCommands(name string) *cli.App {
	return &cli.App{
		Name:           name,
		Usage:          "create and run containers from OCI bundles",
		Description:    appDescription,
		Flags:          light(globalFlags()),
		Before:         t.readOptions,
		Action:         t.withoutCommand,
		OnUsageError:   t.usageError,
		ExitErrHandler: func(*cli.Context, error) {}, // run decides about exit codes
		Writer:         t.stdout,
		// Nothing shows it, but if it is missing cli looks at the binary's age.
		Compiled: time.Unix(0, 0),
	}
}

func (t *tool) addCommands(app *cli.App, verbs []verb) {
	for _, v := range verbs {
		command := v.command(t)
		command.Flags = light(command.Flags)
		command.OnUsageError = t.usageError
		command.CustomHelpTemplate = cli.CommandHelpTemplate
		// Without it a container called "help" could not be named.
		command.HideHelpCommand = true
		app.Commands = append(app.Commands, command)
	}
}
