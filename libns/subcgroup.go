package libns

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"rt/libns/plan"
)

// SubCgroup is a cgroup below the container's own, for one more process.
type SubCgroup struct {
	Controllers []string // v1 controllers, or none for every hierarchy
	Path        string   // relative to the container's cgroup; "/" is that itself
}

// ParseSubCgroups reads the values of --cgroup: one PATH for all hierarchies, or
// several CONTROLLER[,CONTROLLER]:PATH, each for other v1 hierarchies.
func ParseSubCgroups(values []string) ([]SubCgroup, error) {
	var list []SubCgroup
	seen := map[string]bool{}
	for _, value := range values {
		names, path, ok := strings.Cut(value, ":")
		if !ok {
			if len(values) > 1 {
				return nil, fmt.Errorf("invalid --cgroup argument: %q (missing <controller>: prefix)", value)
			}
			return []SubCgroup{{Path: value}}, checkSubCgroup(value)
		}
		controllers := strings.Split(names, ",")
		for _, name := range controllers {
			if name == "" {
				return nil, fmt.Errorf("invalid --cgroup argument (empty <controller> prefix): %q", value)
			}
			if seen[name] {
				return nil, fmt.Errorf("invalid --cgroup argument(s): several entries for controller %q", name)
			}
			seen[name] = true
		}
		if err := checkSubCgroup(path); err != nil {
			return nil, err
		}
		list = append(list, SubCgroup{Controllers: controllers, Path: path})
	}
	return list, nil
}

// checkSubCgroup refuses a path that leads out of the container's cgroup. None
// needs "..", so that any is refused.
func checkSubCgroup(path string) error {
	if slices.Contains(strings.Split(path, "/"), "..") {
		return fmt.Errorf("bad sub cgroup path: %s", path)
	}
	return nil
}

// below gives the cgroup with the sub-cgroups in their hierarchies' places.
func below(c plan.Cgroup, subs []SubCgroup) (plan.Cgroup, error) {
	c.V1 = slices.Clone(c.V1)
	for _, sub := range subs {
		if c.IsZero() && filepath.Clean("/"+sub.Path) != "/" {
			return c, errNoCgroup
		}
		if len(sub.Controllers) == 0 {
			if c.Unified != "" {
				c.Unified = filepath.Join(c.Unified, sub.Path)
			}
			for i := range c.V1 {
				c.V1[i].Directory = filepath.Join(c.V1[i].Directory, sub.Path)
			}
			continue
		}
		if err := belowControllers(c.V1, sub); err != nil {
			return c, err
		}
	}
	return c, nil
}

// belowControllers changes each hierarchy once, although it may have several of
// the controllers.
func belowControllers(groups []plan.V1Group, sub SubCgroup) error {
	changed := map[int]bool{}
	for _, name := range sub.Controllers {
		i := slices.IndexFunc(groups, func(g plan.V1Group) bool {
			return g.Hierarchy == name || slices.Contains(g.Controllers, name)
		})
		if i < 0 {
			return fmt.Errorf("invalid --cgroup argument: the container is in no v1 hierarchy with the controller %q", name)
		}
		if !changed[i] {
			groups[i].Directory = filepath.Join(groups[i].Directory, sub.Path)
			changed[i] = true
		}
	}
	return nil
}
