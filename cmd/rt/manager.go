package main

import (
	"os"

	"github.com/moby/sys/userns"

	"rt/libns"
	"rt/libns/kernel"
)

// connectManager connects to the systemd that containers made now are left to,
// and asks it what a plan depends on.
func (t *tool) connectManager(euid int) (*libns.Manager, *kernel.Systemd, error) {
	manager, err := libns.ConnectManager(t.usesUserManager(euid))
	if err != nil {
		return nil, nil, err
	}
	facts, err := manager.Facts()
	return manager, facts, err
}

// usesUserManager reports whether containers are left to the caller's own
// systemd. Root in a user namespace is an ordinary user, unless the environment
// is root's too: then a systemd of the namespace's own is within reach.
func (t *tool) usesUserManager(euid int) bool {
	switch t.rootless {
	case "true":
		return true
	case "false":
		return false
	default:
		return euid != 0 || userns.RunningInUserNS() && os.Getenv("USER") != "root"
	}
}

// isRootless reports whether missing permissions on cgroups are no error.
func (t *tool) isRootless(facts kernel.Facts) bool {
	if t.rootless == "auto" {
		return facts.Rootless()
	}
	return t.rootless == "true"
}
