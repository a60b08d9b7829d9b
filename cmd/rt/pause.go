package main

import (
	"github.com/urfave/cli/v2"

	"rt/libns"
)

func (t *tool) pauseCommand() *cli.Command {
	return &cli.Command{
		Name:      "pause",
		Usage:     "stop all processes of a container for a while",
		ArgsUsage: "ID",
		Action:    forContainer(t.pause),
	}
}

func (t *tool) pause(_ *cli.Context, id string) error {
	return t.locked(id, (*libns.Container).Pause)
}
