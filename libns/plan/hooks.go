package plan

import (
	"fmt"
	"strconv"

	specs "github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"

	"rt/spec"
)

// HookKind is when and where a hook runs (config.md, "POSIX-platform Hooks").
type HookKind string

const (
	Prestart        HookKind = "prestart"
	CreateRuntime   HookKind = "createRuntime"
	CreateContainer HookKind = "createContainer"
	StartContainer  HookKind = "startContainer"
	Poststart       HookKind = "poststart"
	Poststop        HookKind = "poststop"
)

// Inside says that hooks of this kind run in the container's namespaces. The
// others run in the runtime's.
func (k HookKind) Inside() bool { return k == CreateContainer || k == StartContainer }

// Of gives the hooks of this kind.
func (k HookKind) Of(hooks *specs.Hooks) []specs.Hook {
	if hooks == nil {
		return nil
	}
	switch k {
	case Prestart:
		return hooks.Prestart //nolint:staticcheck // deprecated, and still in use
	case CreateRuntime:
		return hooks.CreateRuntime
	case CreateContainer:
		return hooks.CreateContainer
	case StartContainer:
		return hooks.StartContainer
	case Poststart:
		return hooks.Poststart
	default:
		return hooks.Poststop
	}
}

// RunHook runs one hook and waits for it.
type RunHook struct {
	Kind  HookKind
	Index int
	Hook  specs.Hook
	// Stdout and Stderr are files that its output is appended to; "" = none.
	Stdout, Stderr string
}

// HooksOf gives a config's hooks of one kind, in their order.
func HooksOf(config *spec.Config, kind HookKind) []RunHook {
	list := kind.Of(config.Hooks)
	hooks := make([]RunHook, len(list))
	stdout, stderr := config.HookOutput()
	for i, hook := range list {
		hooks[i] = RunHook{Kind: kind, Index: i, Hook: hook, Stdout: stdout, Stderr: stderr}
	}
	return hooks
}

// Title names the action.
func (a RunHook) Title() string { return fmt.Sprintf("run %s hook %s", a.Kind, a.Hook.Path) }

// Holds is true: hooks may change what the container's next steps find.
func (RunHook) Holds() bool { return true }

// AwaitExec waits for the program to be executed.
type AwaitExec struct{}

// Title names the action.
func (AwaitExec) Title() string { return "wait until the program is executed" }

// Holds is false: there is nobody left to be held.
func (AwaitExec) Holds() bool { return false }

// hooks lays down the hooks of one kind, in their order.
func (c *compiler) hooks(kind HookKind) {
	for i, hook := range HooksOf(c.Config, kind) {
		c.host(fmt.Sprintf("hooks.%s[%d]", kind, i), hook)
	}
}

// HookRequest is what the plan of a hook inside a container is compiled from.
type HookRequest struct {
	ExecRequest
	RunHook
}

// ForHook compiles the plan of a hook that runs in the container's namespaces,
// while the container's own process stands still.
//
// A createContainer hook is a program of the host: the container has not
// entered its root yet, so that the host's files are still where they were. Its
// working directory is the container's root directory. A startContainer hook is
// a program of the container, with the rights, the limits and, if it has none
// of its own, the environment of the container's.
func ForHook(r *HookRequest) (*Plan, error) {
	c := newCompiler(&r.Request)
	c.joining, c.mapped = true, r.Join&unix.CLONE_NEWUSER != 0
	if r.Kind == StartContainer {
		if err := c.findFilter(); err != nil {
			return nil, err
		}
	}
	c.begin(Control, Target)
	c.host("", Launch{IntoCgroup: c.Cgroup.Unified, OrCgroup: r.OrCgroup})
	c.isolateProcess()
	if r.Kind == StartContainer {
		c.execLabels()
	}
	c.enterCgroup()
	if r.Kind == StartContainer {
		c.enterNamespaces(&r.ExecRequest)
		c.setRlimits()
		if r.Hook.Env == nil {
			c.findHome()
		}
		c.noNewPrivileges()
		c.scheduling()
		c.personality()
		c.boundingSet()
		c.enterCwd()
		c.changeUser()
		c.capabilities()
		c.checkCwd()
	} else {
		c.enterHostRoot(r)
	}
	c.closeOnExec()
	if r.Kind == StartContainer && c.filterAsks() {
		c.loadFilter()
	}
	c.host("", Release{})
	if r.Kind == StartContainer {
		c.confine()
	}
	c.executeHook(r)
	c.afterExec()
	return c.finish()
}

// enterHostRoot joins the namespaces of a container that still has the host's
// root directory.
func (c *compiler) enterHostRoot(r *HookRequest) {
	c.joinTarget(r.Join)
	c.step("root.path", "change to the container's root directory")
	root := c.word("source")
	c.reach(c.call(unix.SYS_CHDIR, c.str(c.Config.RootPath())), c.Config.RootPath(), root, func() {
		c.call(unix.SYS_FCHDIR, load(root))
		c.close(root)
	})
	c.step("", "restore the caller's umask")
	c.call(unix.SYS_UMASK, load(c.oldMask))
}

func (c *compiler) executeHook(r *HookRequest) {
	c.step("hooks."+string(r.Kind)+"["+strconv.Itoa(r.Index)+"]", "execute "+r.Hook.Path)
	args := r.Hook.Args
	if len(args) == 0 {
		args = []string{r.Hook.Path}
	}
	envp := c.texts(r.Hook.Env)
	if r.Kind == StartContainer && r.Hook.Env == nil {
		envp = c.environment()
	}
	c.call(unix.SYS_EXECVE, c.str(r.Hook.Path), addr(c.pointers(c.texts(args))), addr(c.pointers(envp)))
}

// texts are the places of several constants.
func (b *builder) texts(list []string) []Ref {
	refs := make([]Ref, len(list))
	for i, s := range list {
		refs[i] = b.text(s)
	}
	return refs
}
