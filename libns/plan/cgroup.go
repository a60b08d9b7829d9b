package plan

// Cgroup is where the container's processes are: one directory in the unified
// hierarchy, and on cgroup v1 and hybrid hosts one in each v1 hierarchy. The
// paths are absolute in the host's file system.
type Cgroup struct {
	Unified string   `json:"unified,omitempty"`
	V1      []string `json:"v1,omitempty"`
}

func (c Cgroup) String() string {
	if c.Unified != "" {
		return c.Unified
	}
	if len(c.V1) > 0 {
		return c.V1[0]
	}
	return "(none)"
}
