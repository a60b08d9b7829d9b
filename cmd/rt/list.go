package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"text/tabwriter"
	"time"

	"github.com/moby/sys/user"
	"github.com/urfave/cli/v2"
	"golang.org/x/sys/unix"

	"rt/state"
)

func (t *tool) listCommand() *cli.Command {
	return &cli.Command{
		Name:  "list",
		Usage: "list the containers under the state root",
		Flags: []cli.Flag{
			choice("format", "`FORMAT` of the list:", "table", jsonFormat).or("f"),
			boolFlag("quiet", "print ids only", "q"),
		},
		Action: t.list,
	}
}

func (t *tool) list(c *cli.Context) error {
	if err := exactly(c, 0); err != nil {
		return err
	}
	containers, err := t.containers()
	if err != nil {
		return about("list", t.store.Root(), err)
	}
	switch format := c.String("format"); {
	case c.Bool("quiet"):
		return t.listIDs(containers)
	case format == "table":
		return t.listTable(containers)
	case format == jsonFormat:
		return t.listJSON(containers)
	default:
		return errors.New("invalid format option")
	}
}

// containers is the state of every container. One that cannot be read is
// reported and left out.
func (t *tool) containers() ([]containerState, error) {
	found, err := state.List(t.store, t.listed)
	if err != nil {
		return nil, t.requireRoot(err)
	}
	var containers []containerState
	owners := map[uint32]string{}
	for _, one := range found {
		if one.err != nil {
			fmt.Fprintf(t.log.stderr, "load container %s: %v\n", one.ID, one.err)
			continue
		}
		if one.owned {
			if _, known := owners[one.uid]; !known {
				owners[one.uid] = userName(one.uid)
			}
			one.Owner = owners[one.uid]
		}
		containers = append(containers, one.containerState)
	}
	return containers, nil
}

// listing is a container of the list, still without the name of its owner.
type listing struct {
	containerState
	uid   uint32
	owned bool // by uid
	err   error
}

// listed finds out about one container.
func (t *tool) listed(entry state.Entry) (one listing) {
	one.ID, one.err = entry.ID, entry.Err
	if entry.Err != nil {
		return one
	}
	if one.containerState, one.err = t.stateOf(entry.Record, entry.Creating); one.err != nil {
		one.ID = entry.ID
		return one
	}
	var stat unix.Stat_t
	one.owned = unix.Lstat(t.store.Dir(entry.ID), &stat) == nil
	one.uid = stat.Uid
	return one
}

func userName(uid uint32) string {
	if owner, err := user.LookupUid(int(uid)); err == nil {
		return owner.Name
	}
	return fmt.Sprintf("#%d", uid)
}

func (t *tool) listIDs(containers []containerState) error {
	for _, container := range containers {
		if _, err := fmt.Fprintln(t.stdout, container.ID); err != nil {
			return err
		}
	}
	return nil
}

func (t *tool) listTable(containers []containerState) error {
	lines := bufio.NewWriter(t.stdout)
	table := tabwriter.NewWriter(lines, 12, 1, 3, ' ', 0)
	fmt.Fprint(table, "ID\tPID\tSTATUS\tBUNDLE\tCREATED\tOWNER\n")
	for _, c := range containers {
		fmt.Fprintf(table, "%s\t%d\t%s\t%s\t%s\t%s\n", c.ID, c.PID, c.Status, c.Bundle, c.Created.Format(time.RFC3339Nano), c.Owner)
	}
	return errors.Join(table.Flush(), lines.Flush())
}

func (t *tool) listJSON(containers []containerState) error {
	return json.NewEncoder(t.stdout).Encode(containers)
}
