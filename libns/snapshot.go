package libns

import (
	"errors"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"

	"github.com/opencontainers/cgroups"
	specs "github.com/opencontainers/runtime-spec/specs-go"

	"rt/libns/plan"
)

// snapshot is what the files say that a change of limits may write, by path.
type snapshot map[string]string

// takeSnapshot reads the files of a cgroup that an update may write. What is not
// there, or cannot be read, will not be written either.
func takeSnapshot(c plan.Cgroup, r *specs.LinuxResources) snapshot {
	s, fields := snapshot{}, limitFields()
	files := slices.AppendSeq(slices.Collect(maps.Keys(fields)), maps.Keys(r.Unified))
	for _, file := range files {
		directory := c.Unified
		if len(c.V1) > 0 {
			controller, _, _ := strings.Cut(file, ".")
			directory, _ = c.Controller(controller)
		}
		if directory == "" || fields[file] == "memory.disableOOMKiller" {
			continue
		}
		if text, err := cgroups.ReadFile(directory, file); err == nil {
			s[filepath.Join(directory, file)] = text
		}
	}
	return s
}

// restore writes back what has changed. Some limits bound each other, so that
// the first try may fail for one whose neighbour is still to be restored.
func (s snapshot) restore() error {
	paths := slices.Sorted(maps.Keys(s))
	for _, path := range paths {
		_ = s.restoreFile(path)
	}
	var errs []error
	for _, path := range paths {
		if err := s.restoreFile(path); err != nil {
			errs = append(errs, fmt.Errorf("restore the limits: %w", err))
		}
	}
	return errors.Join(errs...)
}

func (s snapshot) restoreFile(path string) error {
	directory, file := filepath.Split(path)
	now, err := cgroups.ReadFile(directory, file)
	if err != nil || now == s[path] {
		return err
	}
	var errs []error
	for _, line := range unlimit(file, now, s[path]) {
		errs = append(errs, cgroups.WriteFile(directory, file, line))
	}
	for line := range strings.Lines(s[path]) {
		errs = append(errs, cgroups.WriteFile(directory, file, line))
	}
	return errors.Join(errs...)
}

// unlimit gives the lines that take back what is said about block devices that
// nothing was said about before.
func unlimit(file, now, before string) []string {
	none := " default"
	switch {
	case file == "io.max":
		none = " rbps=max wbps=max riops=max wiops=max"
	case strings.Contains(file, ".throttle."):
		none = " 0"
	}
	var lines []string
	for line := range strings.Lines(now) {
		device, _, _ := strings.Cut(line, " ")
		if strings.Contains(device, ":") && !strings.Contains("\n"+before, "\n"+device+" ") {
			lines = append(lines, device+none)
		}
	}
	return lines
}
