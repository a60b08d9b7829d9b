package main

import (
	"errors"
	"fmt"
	"os"

	"github.com/urfave/cli/v2"

	"rt/libns/trace"
)

// tracing is what --trace asked for.
type tracing struct {
	*trace.Recorder // nil without --trace
	file            *os.File
	ended           func() // ends the span of the whole command
}

// beginTrace makes the file at once: one that cannot be written is an error
// before anything is done.
func (t *tool) beginTrace(c *cli.Context) (err error) {
	if !c.IsSet("trace") {
		return nil
	}
	if t.trace.file, err = os.Create(c.String("trace")); err != nil {
		return fmt.Errorf("option --trace: %w", err)
	}
	t.trace.Recorder = trace.New()
	t.trace.ended = t.trace.Span("rt "+c.Args().First(), "")
	return nil
}

// endTrace writes the file, also of a command that failed.
func (t *tool) endTrace() error {
	if t.trace.Recorder == nil {
		return nil
	}
	t.trace.ended()
	return errors.Join(t.trace.Write(t.trace.file), t.trace.file.Close())
}
