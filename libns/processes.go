package libns

// Processes lists the container's processes, those in cgroups below its own
// too, by the pids that the caller knows them by. Of a container without a cgroup
// that has no pid or user namespace of its own, only the first is known.
func (c *Container) Processes() ([]int, error) {
	if directories := c.Cgroup.Directories(); len(directories) > 0 {
		return allPids(directories[0])
	}
	if m := c.members(); m != nil {
		defer m.close()
		return m.list()
	}
	if c.Init.Alive() {
		return []int{c.Init.PID}, nil
	}
	return nil, nil
}
