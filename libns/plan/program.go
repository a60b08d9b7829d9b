package plan

import (
	"fmt"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"

	"rt/spec"
)

// prepareAhead has the parent do its part for a program that runs at once while
// the rest of the container is made: both sides would otherwise wait for each other
// just before the program. Nothing that is left to do asks for the parent.
//
// In a user namespace they meet later in any case: see prepare.
func (c *compiler) prepareAhead() {
	if c.Gated || c.mapped {
		return
	}
	c.flush()
	c.findHome()
	if len(c.pending) == 0 && c.unmet {
		c.host("", Release{})
	}
	c.meetAhead()
}

// prepare does, before the init stage gives its privileges up, what takes them or
// is the parent's to do for the program.
func (c *compiler) prepare() {
	c.setRlimits()
	c.findHome()
	c.await()
}

// setRlimits sets the limits of the program as late as they can be raised: the
// set-up is not subject to them. In a user namespace nobody may raise any, but the
// parent can from outside (prlimit(2)).
func (c *compiler) setRlimits() {
	limits := c.rlimits()
	switch {
	case len(limits) == 0:
	case c.mapped || c.joining:
		c.host("process.rlimits", SetRlimits{Limits: limits})
	default:
		for _, l := range limits {
			c.step(l.Field, fmt.Sprintf("set %s to soft %s, hard %s", l.Name, limit(l.Soft), limit(l.Hard)))
			c.call(unix.SYS_PRLIMIT64, imm(0), imm(l.Resource), c.constant(append(le64(l.Soft), le64(l.Hard)...)), null)
		}
	}
}

// findHome completes an environment without HOME, unless that has been done.
func (c *compiler) findHome() {
	if _, hasHome := spec.ProcessEnv(c.Config.Process.Env); !hasHome && c.home.IsZero() {
		c.home = c.buffer("home", homeSize)
		c.hostAnswers("process.env", FindHome{UID: c.Config.Process.User.UID}, c.home, c.root)
	}
}

// ready is the last meeting of the two sides, where nothing but execve can fail
// any more. A program that runs at once needs it only if the parent has
// something to do here, or has not been met since it had: the state has to be
// saved, and limits be in force, before the program can do anything.
func (c *compiler) ready() {
	needed := c.Gated || c.barriers == 0 || c.unmet
	if c.PidfdSocket != "" {
		needed = true
		word := "standard"
		if c.joining {
			word = "setns"
		}
		c.host("", SendPidfd{Socket: c.PidfdSocket, Word: word})
	}
	if c.PidFile != "" {
		needed = true
		c.host("", WritePidFile{Path: c.PidFile})
	}
	if !c.Gated && !c.joining {
		needed = needed || len(StartContainer.Of(c.Config.Hooks)) > 0
		c.hooks(StartContainer)
	}
	if needed {
		c.host("", Release{})
	}
}

// homeSize is room for HOME=, a path and the NUL behind it.
const homeSize = 5 + unix.PathMax + 1

func (c *compiler) rlimits() []Rlimit {
	var limits []Rlimit
	for i, l := range c.Config.Process.Rlimits {
		resource, _ := spec.Rlimit(l.Type)
		limits = append(limits, Rlimit{
			Field: fmt.Sprintf("process.rlimits[%d]", i), Name: l.Type,
			Resource: int(resource), Soft: l.Soft, Hard: l.Hard,
		})
	}
	return limits
}

// waitForStart is where a created container stays until start opens the gate.
// The init stage holds the FIFO open for reading and writing, so that its read
// blocks with nobody there. From here on failures go to the result pipe: the
// socket's other end left with the runtime that made the container.
func (c *compiler) waitForStart() {
	if !c.Gated {
		return
	}
	c.step("", "wait for start")
	c.call(OpSet, imm(c.p.FD(Result))).to(c.p.ReportFD)
	c.call(unix.SYS_READ, imm(c.p.FD(Gate)), addr(c.buffer("answer", AnswerSize)), imm(1))
}

// execute becomes the user's program. When the kernel refuses a file that the
// look-up found good (a script without its interpreter, say), the program's
// own stderr says so too, because nobody else may be left to.
func (c *compiler) execute() {
	process := c.Config.Process
	c.step("process.args", "execute "+strings.Join(process.Args, " "))
	argv, envp := c.texts(process.Args), c.environment()
	said := map[unix.Errno]label{}
	call := c.call(unix.SYS_EXECVE, load(c.exe), addr(c.pointers(argv)), addr(c.pointers(envp)))
	for _, errno := range execErrors {
		said[errno] = c.label()
		call.on(errno, said[errno])
	}
	for _, errno := range execErrors {
		c.bind(said[errno])
		text := fmt.Sprintf("exec %s: %s", process.Args[0], errno.Error())
		c.call(unix.SYS_WRITE, imm(2), c.str(text+"\n"), imm(len(text)+1)).on(AnyErrno, next)
		c.fail(errno, text)
	}
}

// afterExec is what the parent does about a program that runs at once. For one
// that waits for start, start does it.
func (c *compiler) afterExec() {
	if c.Gated {
		return
	}
	c.host("", AwaitExec{})
	if !c.joining {
		c.hooks(Poststart)
	}
}

// execErrors are the errors of execve(2) that a file which may be executed can
// still give.
var execErrors = []unix.Errno{unix.ENOENT, unix.EACCES, unix.ENOEXEC}

// environment is what the program gets.
func (c *compiler) environment() []Ref {
	env, _ := spec.ProcessEnv(c.Config.Process.Env)
	if c.ListenFDs > 0 {
		env = append(env, fmt.Sprintf("LISTEN_FDS=%d", c.ListenFDs), "LISTEN_PID=1")
	}
	if c.NotifySocket {
		env = append(env, "NOTIFY_SOCKET="+filepath.Join("/", notifyDirectory, "notify.sock"))
	}
	list := c.texts(env)
	if !c.home.IsZero() {
		list = append(list, c.home)
	}
	return list
}
