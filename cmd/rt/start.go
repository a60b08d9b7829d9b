package main

import (
	"os"

	"github.com/urfave/cli/v2"

	"rt/libns"
	"rt/state"
)

func (t *tool) startCommand() *cli.Command {
	return &cli.Command{
		Name:      "start",
		Usage:     "execute the program of a created container",
		ArgsUsage: "ID",
		Action:    forContainer(t.start),
	}
}

// start returns when the program was executed, and where the caller wants to
// know that it is ready, when it has said so.
func (t *tool) start(_ *cli.Context, id string) error {
	held, err := t.store.Lock(id, state.Exclusive, state.Patience)
	if err != nil {
		return err
	}
	defer held.Unlock()
	record, container, err := t.load(held)
	if err != nil {
		return err
	}
	hooks, err := t.startHooks(record)
	if err != nil {
		return err
	}
	manager := os.Getenv("NOTIFY_SOCKET")
	if manager == "" {
		return container.Start(hooks)
	}
	socket, err := libns.ListenNotify(container.Dir)
	if err != nil {
		return err
	}
	defer socket.Close()
	if err := container.Start(hooks); err != nil {
		return err
	}
	// The program may take its time, and others may want to delete it meanwhile.
	held.Unlock()
	return socket.Relay(container, manager)
}
