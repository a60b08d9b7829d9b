package main

import (
	"github.com/urfave/cli/v2"

	"rt/spec"
)

const killName = "kill"

func (t *tool) killCommand() *cli.Command {
	return &cli.Command{
		Name:      killName,
		Usage:     "send a signal to a container's first process",
		ArgsUsage: "ID [SIGNAL]",
		Description: `SIGNAL is a name with or without SIG (KILL, sigterm, RTMIN+3) or a number.
Without it the signal is SIGTERM.`,
		Flags: []cli.Flag{
			boolFlag("all", "signal every process in the container's cgroup; a stopped container is no error", "a"),
		},
		Action: func(c *cli.Context) error {
			if err := atLeast(c, 1); err != nil {
				return err
			}
			if err := atMost(c, 2); err != nil {
				return err
			}
			return onContainer(c, t.kill)
		},
	}
}

// kill takes no lock: a container must be killable whoever is busy with it.
func (t *tool) kill(c *cli.Context, id string) error {
	name := "SIGTERM"
	if c.NArg() == 2 {
		name = c.Args().Get(1)
	}
	signal, err := spec.ParseSignal(name)
	if err != nil {
		return err
	}
	record, err := t.store.Load(id)
	if err != nil {
		return err
	}
	container, err := t.container(record)
	if err != nil {
		return err
	}
	return container.Kill(signal, c.Bool("all"))
}
