package plan

import (
	"errors"
	"fmt"
	"path/filepath"
	"strings"

	specs "github.com/opencontainers/runtime-spec/specs-go"

	"rt/libns/kernel"
)

// Annotations that crun made, and what runs on it relies on.
const (
	// subGroupAnnotation names the cgroup below that of the unit in which the
	// container is put, "" for none.
	subGroupAnnotation = "run.oci.systemd.subgroup"
	// delegateAnnotation names one more, below the container's cgroup and in
	// its cgroup namespace, which is the program's to manage.
	delegateAnnotation = "run.oci.delegate-cgroup"
)

// WithSubGroup moves the container's cgroup below that of its unit, if an
// annotation asks for that. Only cgroup v2 leaves the cgroups of a unit to
// others.
func WithSubGroup(c Cgroup, annotations map[string]string, facts kernel.Facts) (Cgroup, error) {
	name := annotations[subGroupAnnotation]
	if name == "" || c.Unit == nil {
		return c, nil
	}
	if err := checkGroupName(subGroupAnnotation, name, facts); err != nil {
		return c, err
	}
	c.Unified = filepath.Join(c.Unified, name)
	return c, nil
}

// checkGroupName refuses what is not a name, or several, of cgroups below
// another one.
func checkGroupName(annotation, name string, facts kernel.Facts) error {
	var err error
	switch {
	case facts.Cgroup != kernel.CgroupUnified:
		err = errors.New("needs cgroup v2 alone, which this host does not have")
	case filepath.Clean("/"+name) != "/"+strings.Trim(name, "/") || strings.Trim(name, "/") == "":
		err = fmt.Errorf("%q is not a path below the container's cgroup", name)
	default:
		return nil
	}
	return fmt.Errorf("%s: %w", annotationField(annotation), err)
}

// enterDelegated moves the init stage into the cgroup that is the program's own.
// The cgroup namespace has been made: its root is the container's cgroup.
func (c *compiler) enterDelegated() {
	name := c.Config.Annotations[delegateAnnotation]
	if name == "" || c.Cgroup.Unified == "" {
		return
	}
	if err := checkGroupName(delegateAnnotation, name, c.Facts); err != nil {
		c.missing = append(c.missing, err)
		return
	}
	field := annotationField(delegateAnnotation)
	directory := filepath.Join(c.Cgroup.Unified, name)
	c.host(field, EnterCgroup2{directory})
	if _, ok := c.namespace(specs.UserNamespace); ok {
		c.host(field, DelegateCgroup{directory, c.hostUID(0)})
	}
}
