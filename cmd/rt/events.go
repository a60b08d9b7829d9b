package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/urfave/cli/v2"

	"rt/libns"
)

func (t *tool) eventsCommand() *cli.Command {
	return &cli.Command{
		Name:      "events",
		Usage:     "print what a container uses, and when it runs out of memory",
		ArgsUsage: "ID",
		Description: `Each line is a JSON object. The command ends when the container's cgroup is
removed.`,
		Flags: []cli.Flag{
			&cli.DurationFlag{Name: "interval", Usage: "print statistics every `DURATION`", Value: 5 * time.Second},
			boolFlag("stats", "print statistics once"),
		},
		Action: forContainer(t.events),
	}
}

// event is one line of the output.
type event struct {
	Type string `json:"type"`
	ID   string `json:"id"`
	Data any    `json:"data,omitempty"`
}

func (t *tool) events(c *cli.Context, id string) error {
	interval := c.Duration("interval")
	if interval <= 0 {
		return errors.New("duration interval must be greater than 0")
	}
	record, err := t.store.Load(id)
	if err != nil {
		return err
	}
	container, err := t.container(record)
	if err != nil {
		return err
	}
	if container.Status() == libns.Stopped {
		return fmt.Errorf("container with id %s is not running", id)
	}
	if c.Bool("stats") {
		return t.printStats(container)
	}
	return t.stream(container, interval)
}

// removalTime is how long a cgroup may be there after files in it are gone.
const removalTime = time.Second

func (t *tool) stream(container *libns.Container, interval time.Duration) error {
	watch, err := container.Watch()
	if err != nil {
		return err
	}
	defer watch.Close()
	next := time.Now().Add(interval)
	for {
		happened, err := watch.Next(next)
		if err != nil {
			return err
		}
		switch happened {
		case libns.CgroupIsGone:
			return nil
		case libns.OutOfMemory:
			err = t.printEvent(event{Type: "oom", ID: container.ID})
		case libns.Nothing:
			if err = t.printStats(container); err != nil && watch.Ends(removalTime) {
				return nil // they were read while the hierarchies were removed, one after another
			}
			next = time.Now().Add(interval)
		}
		if err != nil {
			return err
		}
	}
}

func (t *tool) printStats(container *libns.Container) error {
	stats, err := container.Stats()
	if err != nil {
		return err
	}
	return t.printEvent(event{Type: "stats", ID: container.ID, Data: stats})
}

func (t *tool) printEvent(e event) error {
	return json.NewEncoder(t.stdout).Encode(e)
}
