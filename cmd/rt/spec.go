package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/opencontainers/runtime-spec/specs-go"
	"github.com/urfave/cli/v2"

	"rt/libns/kernel"
	"rt/spec"
)

func (t *tool) specCommand() *cli.Command {
	return &cli.Command{
		Name:  "spec",
		Usage: "write a config.json to start from",
		Flags: []cli.Flag{
			&cli.StringFlag{Name: "bundle", Aliases: []string{"b"}, Usage: "write it to the bundle `DIR`", DefaultText: "the current directory"},
			boolFlag("rootless", "write one for a container that does without root"),
		},
		Action: t.spec,
	}
}

func (t *tool) spec(c *cli.Context) error {
	if err := exactly(c, 0); err != nil {
		return err
	}
	example, err := exampleConfig(c.Bool("rootless"))
	if err != nil {
		return err
	}
	data, err := json.MarshalIndent(example, "", "\t")
	if err != nil {
		return err
	}
	return writeNew(filepath.Join(c.String("bundle"), spec.DefaultFile), append(data, '\n'))
}

func exampleConfig(rootless bool) (*specs.Spec, error) {
	facts, err := kernel.Probe()
	if err != nil {
		return nil, err
	}
	unified := facts.Cgroup == kernel.CgroupUnified
	if rootless {
		return spec.ExampleRootless(os.Geteuid(), os.Getegid(), unified), nil
	}
	return spec.Example(unified), nil
}

// writeNew writes a file that must not exist yet.
func writeNew(path string, data []byte) error {
	file, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o666)
	if errors.Is(err, os.ErrExist) {
		return fmt.Errorf("File %s exists. Remove it first", filepath.Base(path)) //nolint:revive,staticcheck // callers know this text
	}
	if err != nil {
		return err
	}
	_, err = file.Write(data)
	return errors.Join(err, file.Close())
}
