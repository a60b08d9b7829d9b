package spec

import "strings"

// readAsOlder gives the values of a configuration the meaning that they had in
// the version of the specification that it was written for.
//
// Up to 1.2 the specification did not say what linux.resources.pids.limit 0
// means. To runtimes it was no limit, and engines of that time write it for that:
// Podman 4 does for --pids-limit=-1. Since 1.3.0 it is a limit.
func (c *Config) readAsOlder() {
	if !writtenBefore13(c.Version) || c.Linux == nil || c.Linux.Resources == nil {
		return
	}
	if pids := c.Linux.Resources.Pids; pids != nil && pids.Limit != nil && *pids.Limit == 0 {
		// Not none at all: systemd has a limit of its own for those who ask for none.
		unlimited := int64(-1)
		pids.Limit = &unlimited
	}
}

func writtenBefore13(version string) bool {
	return strings.HasPrefix(version, "1.0.") || strings.HasPrefix(version, "1.1.") || strings.HasPrefix(version, "1.2.")
}
