package main

import (
	"runtime/debug"
	"time"

	"rt/spec"
)

// manyMounts is the number of mounts from which on a plan is so large that the
// garbage collector would run while it is made.
const manyMounts = 100

// spareCollector has Go's collector wait until there are tens of megabytes. What
// rt makes of a configuration lives until the container does: to look through it
// for garbage meanwhile took a quarter of the time that a thousand mounts take.
func spareCollector(config *spec.Config) {
	if len(config.Mounts) >= manyMounts {
		debug.SetGCPercent(1000)
	}
}

// giveMemoryBack is for an rt that stays with its container: it has no more use
// for what it made, once it is clear that the program takes longer than that took.
func giveMemoryBack(config *spec.Config) {
	if len(config.Mounts) < manyMounts {
		return
	}
	time.AfterFunc(time.Second, func() {
		debug.SetGCPercent(100)
		debug.FreeOSMemory()
	})
}
