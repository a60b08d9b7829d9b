package spec

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"reflect"
	"strings"

	"github.com/opencontainers/runtime-spec/specs-go"
)

// WithProcess gives a copy of the configuration with another process, which file,
// if not empty, says in messages to come from. It has no lines.
func (c *Config) WithProcess(p *specs.Process, file string) *Config {
	changed := *c.Spec
	changed.Process = p
	return &Config{Spec: &changed, Bundle: c.Bundle, File: file}
}

// LoadProcess reads one more process for a container with this configuration.
// The file has a value like process of config.json and may be a pipe. What the
// process does not state and what confines it, is that of the configuration:
// capabilities, rlimits, labels, scheduling, umask and the OOM score.
func (c *Config) LoadProcess(path string) (*Config, error) {
	text, err := readProcess(path)
	if err != nil {
		return nil, err
	}
	changed := c.WithProcess(new(specs.Process), filepath.Base(path))
	changed.source = &source{text: text}
	d := &decoder{scanner: scanner{text: text}}
	decodeProcess(d, changed.Process)
	d.end()
	switch {
	case d.malformed != nil:
		return nil, changed.syntaxError(d.malformed)
	case len(d.wrong) > 0:
		return nil, changed.typeErrors(d.wrong)
	}
	changed.source = nil // its fields begin with "process."
	if c.Process != nil {
		inherit(changed.Process, c.Process)
	}
	return changed, nil
}

func readProcess(path string) (string, error) {
	file, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer file.Close()
	var text strings.Builder
	n, err := io.Copy(&text, io.LimitReader(file, maxFileSize+1))
	if err == nil && n > maxFileSize {
		err = fmt.Errorf("%s: larger than %d bytes", path, maxFileSize)
	}
	return text.String(), err
}

// inherit completes a process with what confines the container's own.
func inherit(p, from *specs.Process) {
	if p.Capabilities == nil {
		p.Capabilities = from.Capabilities
	}
	if p.Rlimits == nil {
		p.Rlimits = from.Rlimits
	}
	if p.ApparmorProfile == "" {
		p.ApparmorProfile = from.ApparmorProfile
	}
	if p.SelinuxLabel == "" {
		p.SelinuxLabel = from.SelinuxLabel
	}
	if p.OOMScoreAdj == nil {
		p.OOMScoreAdj = from.OOMScoreAdj
	}
	if p.Scheduler == nil {
		p.Scheduler = from.Scheduler
	}
	if p.IOPriority == nil {
		p.IOPriority = from.IOPriority
	}
	if p.ExecCPUAffinity == nil {
		p.ExecCPUAffinity = from.ExecCPUAffinity
	}
	if p.User.Umask == nil {
		p.User.Umask = from.User.Umask
	}
}

// ValidateProcess checks the process alone, of a configuration whose container
// exists: the rest of it has no effect any more.
func ValidateProcess(c *Config, h Host) error {
	v := newValidator(c, h)
	v.process()
	v.nulBytesIn("process", reflect.ValueOf(v.config.Process))
	if len(v.problems) == 0 {
		return nil
	}
	return v.sorted()
}
