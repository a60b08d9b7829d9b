package main

import (
	"fmt"

	"github.com/urfave/cli/v2"
)

const appDescription = `rt compiles the config.json of a bundle into a plan, a list of kernel
operations, and has the container's first process carry it out.

   rt run bundle/    runs a container and waits for it
   rt plan bundle/   shows what that would do, without doing it

An argument that contains a slash is a bundle, any other one a container id.`

// withoutCommand is what happens if no command is named, or none that exists.
func (t *tool) withoutCommand(c *cli.Context) error {
	if c.Bool("version") {
		return t.printVersion()
	}
	if c.Args().Present() {
		return fmt.Errorf("No help topic for '%s'", c.Args().First()) //nolint:revive,staticcheck // callers know this text
	}
	return cli.ShowAppHelp(c)
}

// usageError shows how a command, or rt, is used after it was called wrongly.
func (t *tool) usageError(c *cli.Context, err error, isCommand bool) error {
	if isCommand {
		return badUsage(c, err)
	}
	all := t.app(c.App.Name)
	all.Setup()
	_ = cli.ShowAppHelp(cli.NewContext(all, nil, nil))
	return err
}

func badUsage(c *cli.Context, err error) error {
	cli.HelpPrinter(c.App.Writer, cli.CommandHelpTemplate, c.Command)
	return err
}

// exactly checks the number of a command's arguments.
func exactly(c *cli.Context, count int) error {
	if c.NArg() != count {
		return badUsage(c, fmt.Errorf("%q requires exactly %d argument(s)", c.Command.Name, count))
	}
	return nil
}

func atLeast(c *cli.Context, count int) error {
	if c.NArg() < count {
		return badUsage(c, fmt.Errorf("%q requires a minimum of %d argument(s)", c.Command.Name, count))
	}
	return nil
}

func atMost(c *cli.Context, count int) error {
	if c.NArg() > count {
		return badUsage(c, fmt.Errorf("%q requires a maximum of %d argument(s)", c.Command.Name, count))
	}
	return nil
}
