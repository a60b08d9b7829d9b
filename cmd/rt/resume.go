package main

import (
	"github.com/urfave/cli/v2"

	"rt/libns"
)

func (t *tool) resumeCommand() *cli.Command {
	return &cli.Command{
		Name:      "resume",
		Usage:     "let a paused container go on",
		ArgsUsage: "ID",
		Action:    forContainer(t.resume),
	}
}

func (t *tool) resume(_ *cli.Context, id string) error {
	return t.locked(id, (*libns.Container).Resume)
}
