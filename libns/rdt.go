package libns

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	specs "github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"

	"rt/libns/kernel"
	"rt/libns/plan"
)

// resctrl makes and removes groups, which the kernel fills with files at once
// and takes away together with them. Tests have another one that does it.
type resctrl struct{ mkdir, rmdir func(path string) error }

var kernelResctrl = resctrl{
	mkdir: func(path string) error { return os.Mkdir(path, 0o755) },
	rmdir: unix.Rmdir,
}

// RDTFor gives the place of a container in resctrl. A group that has the
// container's name and exists already is not its own to remove.
func RDTFor(config *specs.LinuxIntelRdt, id string) plan.RDT {
	r := plan.RDTFor(config, id, kernel.ResctrlMount)
	if r.Own && exists(r.Group) {
		r.Own = false
	}
	return r
}

func exists(path string) bool { return unix.Access(path, unix.F_OK) == nil }

// joinRDT carries the step out and remembers what it made.
func (d *driver) joinRDT(a plan.JoinRDT) error {
	made, err := kernelResctrl.join(a, d.child.pid)
	d.madeRDT = made
	return err
}

// join makes the groups that are missing, gives the class what it is to have and
// moves the process. It returns the directories that it made, innermost last.
func (fs resctrl) join(a plan.JoinRDT, pid int) (made []string, err error) {
	switch {
	case exists(a.Group):
		if err := compareSchemata(a.Group, a.Lines); err != nil {
			return nil, err
		}
	case !a.Own && len(a.Lines) == 0:
		return nil, &fieldError{"linux.intelRdt.closID", fmt.Errorf("%w: there is no class %s, and nothing says what it would get", unix.ENOENT, a.Group)}
	default:
		if err := fs.make(a.Group); err != nil {
			return nil, err
		}
		made = append(made, a.Group)
	}
	for _, line := range a.Lines {
		if err := writeRDT(a.Group, "schemata", line.Text+"\n"); err != nil {
			return made, &fieldError{line.Field, err}
		}
	}
	if a.Monitor != "" {
		if err := fs.make(a.Monitor); err != nil {
			return made, &fieldError{"linux.intelRdt.enableMonitoring", err}
		}
		made = append(made, a.Monitor)
	}
	return made, enterRDT(a.RDT, pid)
}

func (fs resctrl) make(group string) error {
	err := fs.mkdir(group)
	if errors.Is(err, unix.ENOSPC) {
		return fmt.Errorf("%w: the processor has no more groups", err)
	}
	return err
}

// enterRDT moves a process into a group, and then into the monitoring group
// below it.
func enterRDT(r plan.RDT, pid int) error {
	for _, group := range []string{r.Group, r.Monitor} {
		if group == "" {
			continue
		}
		if err := writeRDT(group, "tasks", strconv.Itoa(pid)); err != nil {
			return err
		}
	}
	return nil
}

// remove takes the directories that join made away, or would have made.
func (fs resctrl) remove(made []string) error {
	var errs []error
	for i := len(made) - 1; i >= 0; i-- {
		if err := fs.rmdir(made[i]); err != nil && !errors.Is(err, unix.ENOENT) {
			errs = append(errs, &os.PathError{Op: "rmdir", Path: made[i], Err: err})
		}
	}
	return errors.Join(errs...)
}

// removeRDT takes away what a container had to itself.
func removeRDT(r plan.RDT) error {
	var own []string
	if r.Own {
		own = append(own, r.Group)
	}
	if r.Monitor != "" {
		own = append(own, r.Monitor)
	}
	return kernelResctrl.remove(own)
}

// writeRDT writes to a file of a group. The kernel says in words why it refuses
// something, in a file of its own at the top.
func writeRDT(group, file, text string) error {
	f, err := os.OpenFile(filepath.Join(group, file), os.O_WRONLY|os.O_APPEND, 0)
	if err != nil {
		return err
	}
	_, err = f.WriteString(text)
	if err = errors.Join(err, f.Close()); err == nil {
		return nil
	}
	if status := lastCommandStatus(group); status != "" {
		return fmt.Errorf("%w (%s)", err, status)
	}
	return err
}

func lastCommandStatus(group string) string {
	for _, top := range []string{group, filepath.Dir(group), filepath.Dir(filepath.Dir(filepath.Dir(group)))} {
		status, err := os.ReadFile(filepath.Join(top, "info", "last_cmd_status"))
		if err == nil {
			return strings.ReplaceAll(strings.TrimSpace(string(status)), "\n", "; ")
		}
	}
	return ""
}

// compareSchemata checks that an existing class has what the lines to compare
// say. They need not name every cache.
func compareSchemata(group string, lines []plan.RDTLine) error {
	var present string
	for _, line := range lines {
		if !line.Compare {
			continue
		}
		if present == "" {
			text, err := os.ReadFile(filepath.Join(group, "schemata"))
			if err != nil {
				return err
			}
			present = string(text)
		}
		if !hasSchema(present, line.Text) {
			return &fieldError{line.Field, fmt.Errorf("the class %s exists and has something else than %q: %q", group, line.Text, oneLineOf(present))}
		}
	}
	return nil
}

// hasSchema reports whether one line of schemata has all of the values of a
// schema such as "L3:0=7f0;1=1f".
func hasSchema(schemata, schema string) bool {
	resource, wanted := parseSchema(schema)
	for line := range strings.Lines(schemata) {
		name, values := parseSchema(line)
		if name != resource {
			continue
		}
		for domain, value := range wanted {
			if values[domain] != value {
				return false
			}
		}
		return true
	}
	return false
}

// parseSchema gives the resource and the value of each domain, without the
// zeros and spaces that do not count.
func parseSchema(line string) (resource string, values map[string]string) {
	resource, list, _ := strings.Cut(strings.TrimSpace(line), ":")
	values = map[string]string{}
	for part := range strings.SplitSeq(list, ";") {
		domain, value, _ := strings.Cut(part, "=")
		values[significant(domain)] = significant(strings.ToLower(value))
	}
	return strings.TrimSpace(resource), values
}

func significant(number string) string {
	number = strings.TrimLeft(strings.TrimSpace(number), "0")
	if number == "" {
		return "0"
	}
	return number
}

func oneLineOf(text string) string { return strings.Join(strings.Fields(text), " ") }

// errNoRDT is in the words of runc, which callers know.
var errNoRDT = errors.New("updating a non-existent Intel RDT configuration is not supported")

// UpdateRDT writes lines to the schemata of a container's class of service. If
// it succeeds, undo puts back what was there.
func (c *Container) UpdateRDT(lines []string) (undo func() error, err error) {
	if c.RDT.IsZero() {
		return nil, errNoRDT
	}
	old, err := os.ReadFile(filepath.Join(c.RDT.Group, "schemata"))
	if err != nil {
		return nil, err
	}
	undo = func() error { return writeRDT(c.RDT.Group, "schemata", string(old)) }
	for _, line := range lines {
		if err := writeRDT(c.RDT.Group, "schemata", line+"\n"); err != nil {
			return nil, errors.Join(fmt.Errorf("intel RDT schema %q: %w", line, err), undo())
		}
	}
	return undo, nil
}
