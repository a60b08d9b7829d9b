package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"syscall"
	"time"
)

// container is a container that a contender made from a bundle, seen as the caller of
// a runtime sees it.
type container struct {
	launcher *launcher
	maker    *contender
	bundle   *bundle
	pid      int // of its first process; 0 before create and after it has been reaped
}

func (b *bench) container(c *contender, made *bundle) *container {
	return &container{launcher: b.launcher, maker: c, bundle: made}
}

// command runs one of the runtime's commands on the container.
func (c *container) command(arguments ...string) (usage, error) {
	return c.launcher.run(c.maker.command(arguments...))
}

func (c *container) create() (usage, error) {
	pidFile := filepath.Join(c.bundle.dir, "pid")
	spent, err := c.command("create", "--bundle", c.bundle.dir, "--pid-file", pidFile, c.bundle.id)
	if err != nil {
		return spent, err
	}
	text, err := os.ReadFile(pidFile)
	if err != nil {
		return spent, err
	}
	c.pid, err = strconv.Atoi(string(text))
	return spent, err
}

func (c *container) start() (usage, error) {
	return c.command("start", c.bundle.id)
}

func (c *container) delete() (usage, error) {
	return c.command("delete", c.bundle.id)
}

// reap waits for the end of the container's first process, which is a child of this
// process since the runtime that made it has gone.
func (c *container) reap() error {
	if c.pid == 0 {
		return nil
	}
	pid := c.pid
	c.pid = 0
	timeout := time.AfterFunc(commandTimeout, func() { _ = syscall.Kill(pid, syscall.SIGKILL) })
	defer timeout.Stop()
	if _, _, err := wait(pid); err != nil {
		return fmt.Errorf("wait for the container: %w", err)
	}
	return nil
}

// remove takes the container away, in whatever state it is. What is left when that
// fails goes with the cgroup, at the end.
func (c *container) remove() {
	if c.maker.name == floorName {
		return // it leaves no container
	}
	_, _ = c.command("delete", "--force", c.bundle.id)
	if c.pid != 0 {
		_ = syscall.Kill(c.pid, syscall.SIGKILL)
		_ = c.reap()
	}
}

// phase is how far a container has come.
type phase int

const (
	absent phase = iota
	created
	running
	stopped // of a program that ends by itself
)

// bring takes a container that does not exist yet to the given phase.
func (c *container) bring(to phase) error {
	if to >= created {
		if _, err := c.create(); err != nil {
			return err
		}
	}
	if to >= running {
		if _, err := c.start(); err != nil {
			return err
		}
	}
	if to == stopped {
		return c.reap()
	}
	return nil
}
