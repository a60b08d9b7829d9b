package plan

import (
	"fmt"
	"strings"

	"golang.org/x/sys/unix"
)

// The host actions of a plan. Each is carried out by package libns.

// MakeCgroup makes the container's cgroup in the unified hierarchy.
type MakeCgroup struct{ Directory string }

// MakeGate makes the two FIFOs of a created container in its state directory:
// the gate that `start` opens, and the pipe that tells it whether the program
// was executed.
type MakeGate struct{}

// MakeNotifySocket makes the directory that the socket for sd_notify(3) is in.
// With Listen the socket itself is bound too, for a program that runs at once.
type MakeNotifySocket struct{ Listen bool }

// Launch clones the init stage and starts the container side's program.
type Launch struct {
	CloneFlags uint64 // CLONE_NEW* flags of clone(2)
	IntoCgroup string // directory of the cgroup v2 that it is born in, or ""
	OrCgroup   string // where it is born if that one takes no processes, or ""
}

// JoinCgroup makes the container's cgroups in the v1 hierarchies and moves the
// init stage there, all of them back to back, before anything else is started
// in the container.
type JoinCgroup struct{ Groups []V1Group }

// V1Group is a cgroup of one v1 hierarchy, which is known by a controller
// ("memory") or a name ("name=systemd").
type V1Group struct {
	Hierarchy   string   `json:"hierarchy"`
	Controllers []string `json:"controllers,omitempty"` // all of the hierarchy's
	Directory   string   `json:"directory"`
}

// TakeConsole receives the terminal's master from the container and hands it
// to the console socket, or keeps it for a foreground terminal.
type TakeConsole struct {
	Socket string // path of the caller's socket; "" = foreground
}

// FindHome looks the user's home directory up in the container's /etc/passwd
// and answers with the environment entry HOME=….
type FindHome struct{ UID uint32 }

// SetRlimits sets the resource limits of the container's process from outside,
// while the parent's privileges still allow it to raise them.
type SetRlimits struct{ Limits []Rlimit }

// Rlimit is one resource limit (prlimit(2)), with the place that it came from.
type Rlimit struct {
	Field    string
	Name     string
	Resource int
	Soft     uint64
	Hard     uint64
}

// SaveState records the container's process, so that every other command finds
// it from here on. Behind a fork it waits for the process that goes on.
type SaveState struct{ Forked bool }

// SendPidfd gives the caller's socket a pidfd of the process, with a word that
// says which: "standard" for the container's first, "setns" for one more.
type SendPidfd struct{ Socket, Word string }

// WritePidFile writes the process id for the caller.
type WritePidFile struct{ Path string }

// Release lets the container go on: what it was held up for is done.
type Release struct{}

// MakeMountPoint makes a missing mount point inside the root, whose descriptor
// the init stage sends along: a directory, or an empty file if that is what the
// source of a bind mount is, whose descriptor then comes too. Parents are made
// (0755), dangling symbolic links followed within the root.
type MakeMountPoint struct {
	Path       string // inside the root
	LikeSource bool
	Owner      Owner // of what is made
}

// CopyUp fills a new tmpfs with what it is about to hide. The init stage sends
// the descriptors of the directory and of the tmpfs.
type CopyUp struct {
	Path string
	// Owner is whom files belong to that the tmpfs cannot give to theirs.
	Owner Owner
}

func (a MakeCgroup) Title() string { return "make cgroup " + a.Directory }
func (a MakeCgroup) Holds() bool   { return false }

func (MakeGate) Title() string { return "make the gate that start opens" }
func (MakeGate) Holds() bool   { return false }

func (MakeNotifySocket) Title() string { return "make the notify socket's directory" }
func (MakeNotifySocket) Holds() bool   { return false }

func (a Launch) Title() string {
	s := "clone the init stage"
	if a.CloneFlags != 0 {
		s += " with " + cloneFlags.format(a.CloneFlags)
	}
	if a.IntoCgroup != "" {
		s += " into cgroup " + a.IntoCgroup
	}
	return s
}
func (Launch) Holds() bool { return false }

func (a JoinCgroup) Title() string {
	return fmt.Sprintf("make and join cgroups in %d v1 hierarchies", len(a.Groups))
}
func (JoinCgroup) Holds() bool { return true }

func (a TakeConsole) Title() string {
	if a.Socket == "" {
		return "take the terminal's master for the foreground"
	}
	return "send the terminal's master to " + a.Socket
}
func (TakeConsole) Holds() bool { return true }

func (a FindHome) Title() string {
	return fmt.Sprintf("find the home directory of user %d in the container's /etc/passwd", a.UID)
}
func (FindHome) Holds() bool { return true }

func (a SetRlimits) Title() string {
	var names []string
	for _, l := range a.Limits {
		names = append(names, fmt.Sprintf("%s=%s:%s", strings.TrimPrefix(l.Name, "RLIMIT_"), limit(l.Soft), limit(l.Hard)))
	}
	return "set resource limits " + strings.Join(names, " ")
}
func (SetRlimits) Holds() bool { return true }

func limit(v uint64) string {
	if v == unix.RLIM_INFINITY {
		return "unlimited"
	}
	return fmt.Sprint(v)
}

func (SaveState) Title() string { return "save the container's state" }
func (a SaveState) Holds() bool { return a.Forked }

func (a SendPidfd) Title() string { return "send a pidfd to " + a.Socket }
func (SendPidfd) Holds() bool     { return true }

func (a WritePidFile) Title() string { return "write the pid to " + a.Path }
func (WritePidFile) Holds() bool     { return true }

func (Release) Title() string { return "let the container go on" }
func (Release) Holds() bool   { return true }

func (a MakeMountPoint) Title() string {
	if a.LikeSource {
		return "make the missing mount point " + a.Path
	}
	return "make the missing directory " + a.Path
}
func (MakeMountPoint) Holds() bool { return true }

func (a CopyUp) Title() string { return "copy what is in " + a.Path + " to the tmpfs" }
func (CopyUp) Holds() bool     { return true }
