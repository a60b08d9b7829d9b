package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"

	"github.com/urfave/cli/v2"
)

const psName = "ps"

func (t *tool) psCommand() *cli.Command {
	return &cli.Command{
		Name:      psName,
		Usage:     "list the processes of a container",
		ArgsUsage: "ID [PS-OPTION...]",
		Description: `The options are those of the host's ps, -ef if there are none. What they show
must contain the column PID.`,
		Flags: []cli.Flag{
			choice("format", "`FORMAT` of the list:", "table", jsonFormat).or("f"),
		},
		Action: func(c *cli.Context) error {
			if err := atLeast(c, 1); err != nil {
				return err
			}
			return onContainer(c, t.ps)
		},
	}
}

func (t *tool) ps(c *cli.Context, id string) error {
	record, err := t.store.Load(id)
	if err != nil {
		return err
	}
	container, err := t.container(record)
	if err != nil {
		return err
	}
	pids, err := container.Processes()
	if err != nil {
		return err
	}
	switch c.String("format") {
	case "table":
		return t.psTable(pids, psOptions(c.Args().Tail()))
	case jsonFormat:
		return json.NewEncoder(t.stdout).Encode(append([]int{}, pids...))
	default:
		return errors.New("invalid format option")
	}
}

// psOptions are those of the host's ps. Some callers give all of them as one
// argument, which may be empty.
func psOptions(args []string) []string {
	if len(args) == 1 {
		args = strings.Fields(args[0])
	}
	if len(args) == 0 {
		return []string{"-ef"}
	}
	return args
}

// psTable prints what the host's ps says about these processes.
func (t *tool) psTable(pids []int, options []string) error {
	if os.Getenv("PATH") == "" { // as some callers leave it
		os.Setenv("PATH", "/usr/bin:/bin")
	}
	output, err := exec.Command("ps", options...).Output()
	var failed *exec.ExitError
	if errors.As(err, &failed) {
		return fmt.Errorf("ps %s: %w: %s", strings.Join(options, " "), err, bytes.TrimSpace(failed.Stderr))
	}
	if err != nil {
		return err
	}
	table, err := linesOf(string(output), pids)
	if err != nil {
		return err
	}
	_, err = t.stdout.Write([]byte(table))
	return err
}

// linesOf keeps the header of a table and the lines of these processes.
func linesOf(table string, pids []int) (string, error) {
	header, rows, _ := strings.Cut(table, "\n")
	column := slices.Index(strings.Fields(header), "PID")
	if column < 0 {
		return "", errors.New("couldn't find PID field in ps output")
	}
	kept := header + "\n"
	for row := range strings.Lines(rows) {
		fields := strings.Fields(row)
		if len(fields) <= column {
			continue
		}
		pid, err := strconv.Atoi(fields[column])
		if err != nil {
			return "", fmt.Errorf("unexpected pid %q in ps output", fields[column])
		}
		if slices.Contains(pids, pid) {
			kept += row
		}
	}
	return kept, nil
}
