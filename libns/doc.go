// Package libns carries plans out: it makes containers and acts on those that
// exist. What is done, and in which order, is decided by package plan; this
// package is the parent's half of doing it.
//
// A container's life:
//
//   - [Create] compiles the plan, makes the cgroup, clones the init stage into
//     it and walks through the plan's host steps, meeting the init stage at
//     each barrier. When the program is to run at once, Create returns after
//     execve; when it is gated, the init stage is left waiting.
//   - [Container.Start] opens the gate, and returns when execve has happened or
//     with the reason why not.
//   - [Container.Kill] signals it; [Container.Status] computes what it is doing
//     now, from the kernel's own record and never from a remembered word.
//   - [Container.Destroy] ends whatever is left and removes the cgroup.
//
// Whatever fails in Create is undone before it returns. Whatever kills the
// runtime half-way leaves a state directory from which Destroy can clean up:
// the cgroup's place is recorded before it is made, and the init stage ends
// itself when its parent is gone.
package libns
