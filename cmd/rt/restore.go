package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/urfave/cli/v2"

	"rt/libns"
)

func (t *tool) restoreCommand() *cli.Command {
	return &cli.Command{
		Name:      "restore",
		Usage:     "make a container out of the images of a checkpoint, with criu",
		ArgsUsage: "ID",
		Description: `The bundle is that of the container that the images are of, or one like it.
Unless it is detached, the exit code is the program's, as of run.`,
		Flags: append(criuFlags(),
			&cli.StringFlag{Name: "bundle", Aliases: []string{"b"}, Usage: "take the bundle in `DIR`", DefaultText: "the current directory"},
			configFlag(),
			&cli.StringFlag{Name: "console-socket", Usage: "send the terminal's master to the socket at `PATH`"},
			&cli.StringFlag{Name: "pid-file", Usage: "write the pid of the first process to `FILE`"},
			boolFlag("detach", "return once the processes run", "d"),
			boolFlag("no-subreaper", "do not adopt the orphans of a foreground container"),
			boolFlag("no-pivot", "no effect: criu enters the root filesystem in its own way"),
			&cli.StringFlag{Name: "parent-path", Usage: "no effect: images know their `DIR` of older ones"},
			&cli.StringFlag{Name: "lsm-profile", Usage: "the processes get another security label, `TYPE:NAME`"},
			&cli.StringFlag{Name: "lsm-mount-context", Usage: "mounts get another SELinux `LABEL`"}),
		Action: forContainer(t.restore),
	}
}

func (t *tool) restore(c *cli.Context, id string) error {
	options, err := readCRIUOptions(c)
	if err != nil {
		return err
	}
	if err := findImages(&options); err != nil {
		return err
	}
	bundle, err := filepath.Abs(c.String("bundle"))
	if err != nil {
		return err
	}
	detached := c.Bool("detach")
	r, err := t.readCreation(c, target{bundle: bundle, id: id}, detached)
	if err != nil {
		return err
	}
	options.ConfigFile = criuConfigFile(r.config)
	r.restore = &libns.RestoreRequest{
		CRIUOptions: options, LSMProfile: c.String("lsm-profile"), LSMMountContext: c.String("lsm-mount-context"),
	}
	return t.runCreation(c, r, detached)
}

// findImages makes sure that there are images, before anything is made of them.
// The log may go where nothing is yet.
func findImages(o *libns.CRIUOptions) error {
	inventory := filepath.Join(o.Images, "inventory.img")
	if _, err := os.Stat(inventory); errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("there is no checkpoint in %s: it has no inventory.img (see --image-path)", o.Images)
	} else if err != nil {
		return err
	}
	return os.MkdirAll(o.Work, 0o700)
}
