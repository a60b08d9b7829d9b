package libns

import (
	"errors"
	"fmt"
	"os"
	"os/signal"
	"slices"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"rt/libns/plan"
	"rt/libns/trace"
)

// Request is everything that a create or run was asked for. Request.Dir, the
// state directory, exists and is the caller's to remove.
type Request struct {
	plan.Request

	// Foreground says that the runtime stays until the program exits.
	Foreground bool
	// Save records the container's process, from when on every other command
	// can find it. It is called once.
	Save func(Init) error
	// Recorder, if not nil, is told what is done and when.
	Recorder *trace.Recorder
	// Manager is the systemd that Facts.Systemd are of, which is asked for the
	// container's unit; nil if there is to be none. Create closes it.
	Manager *Manager
	// Inject, if not nil, gives the container side that is carried out in the
	// plan's place. Tests make single calls fail with it; what is reported
	// are the plan's own steps.
	Inject func(*plan.Plan) *plan.Plan

	network *network // that Begin has begun
}

// Begin starts what takes long, needs nothing but the config and leaves nothing
// behind. Create does so itself, if the caller has not: who has other things to do
// before gains the time that they take, and calls End if it does not come to Create.
func (r *Request) Begin() {
	if r.network == nil && plan.MakesNetwork(&r.Request) {
		r.network = beginNetwork(r.Recorder)
	}
}

// End takes back what Begin did, unless Create has done so.
func (r *Request) End() { r.network.close() }

// NewContainer is a container made by this process, its parent.
type NewContainer struct {
	*Container
	*Process
	notify *NotifySocket
}

// Create makes a container. With Request.Gated it waits for [Container.Start];
// otherwise its program runs when Create returns. An error leaves nothing
// behind but the state directory. Errors of single steps are
// [*plan.StepError].
func Create(r *Request) (*NewContainer, error) {
	if err := r.learnIDMap(); err != nil {
		return nil, err
	}
	r.Trace = r.Recorder != nil
	r.Begin()
	d := &driver{request: r, status: Creating, network: r.network}
	defer d.close()
	compiled := r.Recorder.Span("compile the plan", "")
	p, err := plan.ForCreate(&r.Request)
	if err != nil {
		return nil, err
	}
	compiled()
	d.plan, d.program = p, p
	if r.Inject != nil {
		d.program = r.Inject(p)
	}
	if err := d.carryOut(); err != nil {
		return nil, errors.Join(err, d.undo())
	}
	return d.newContainer(), nil
}

// newContainer is what came of the plan.
func (d *driver) newContainer() *NewContainer {
	r := d.request
	return &NewContainer{
		Container: &Container{
			ID: r.ID, Dir: r.Dir, Init: d.init, Cgroup: r.Cgroup, RDT: r.RDT,
			SharedPID: SharedPID(r.Config), Program: r.Config.Process.Args[0],
		},
		Process: &Process{child: d.child, terminal: d.terminal, filtered: d.plan.Filtered, signals: d.signals},
		notify:  d.notify,
	}
}

// driver carries out one plan.
type driver struct {
	request *Request
	plan    *plan.Plan
	program *plan.Plan // the container side that is assembled: the plan, but for tests

	conversation *conversation
	child        child
	init         Init
	network      *network // nil if none is made
	gate, result *os.File
	times        *os.File   // the page of a traced plan
	launched     int        // pid of the process that began the init stage
	forker       int        // the same, when it has forked and is still to be reaped
	early        []*message // from the child that it forked, heard before it was known
	target       int        // pidfd of the process whose namespaces are joined
	status       Status     // the container's
	first        int        // pid of the container's first process, 0 if that is the child
	stdio        []*os.File // instead of the runtime's own
	mappings     []*os.File // user namespaces, by the number of their plan.MakeIDMapping less one
	madeCgroup   bool
	startedUnit  bool
	joinedV1     bool
	madeRDT      []string // directories in resctrl, outermost first
	wrotePid     string   // path of the pid file
	oomKills     uint64   // in the cgroup, before its memory was limited
	terminal     *terminal
	notify       *NotifySocket
	signals      chan os.Signal // caught since the program of a foreground container may run
	restorer     *restorer      // stands in the init stage's place at a restore
}

// carryOut walks through the plan. Container steps carry themselves out; at a
// barrier the host waits for the container to arrive, does what is to be done
// while it stands still, and lets it go on.
func (d *driver) carryOut() error {
	steps := d.plan.Steps
	for i := 0; i < len(steps); i++ {
		switch s := &steps[i]; {
		case s.Side == plan.Host:
			if _, err := d.timedHost(s, nil); err != nil {
				return err
			}
		case s.Barrier != nil:
			if err := d.meet(s.Barrier, steps[i+1:i+1+s.Barrier.Holds]); err != nil {
				return err
			}
			i += s.Barrier.Holds
			if d.request.Foreground && isLast(steps, i) {
				d.signals = catchSignals() // the time until execve is free
			}
		}
	}
	return nil
}

// meet is the host's side of a barrier.
func (d *driver) meet(b *plan.Barrier, steps []plan.Step) error {
	waited := d.request.Recorder.Span("wait for the container", "")
	m, err := d.next(plan.MessageBarrier)
	if err != nil {
		return err
	}
	waited()
	defer m.close()
	if int(m.Index) != b.Number {
		return fmt.Errorf("the init stage is at barrier %d, not %d", m.Index, b.Number)
	}
	var payload []byte
	fds := m.fds
	for i := range steps {
		taken := min(descriptorsFor(steps[i].Action), len(fds))
		answer, err := d.timedHost(&steps[i], fds[:taken])
		if err != nil {
			return err
		}
		fds = fds[taken:]
		if answer != nil {
			payload = answer
		}
	}
	return d.reply(payload)
}

// isLast reports whether step at is the last before the program that the container
// may wait for.
func isLast(steps []plan.Step, at int) bool {
	switch steps[at].Action.(type) {
	case plan.FindHome, plan.SetRlimits, plan.Release:
		return !slices.ContainsFunc(steps[at:], func(s plan.Step) bool { return s.Barrier != nil })
	}
	return false
}

// reply answers the init stage. If that is gone, it said why before.
func (d *driver) reply(payload []byte, fds ...int) error {
	err := d.conversation.answer(payload, fds...)
	if !errors.Is(err, unix.EPIPE) {
		return err
	}
	_, err = d.next(plan.MessageFailure)
	return err
}

// next waits for a message of one kind. Before it comes, the init stage may ask
// for help. The end of the conversation, or a failure report, is an error that
// says what failed.
func (d *driver) next(kind plan.MessageKind) (*message, error) {
	for {
		m, err := d.hear()
		if err != nil {
			return nil, err
		}
		switch m.Kind {
		case plan.MessageFailure:
			err = d.plan.Explain(m.Message, m.text, d.locate)
		case kind:
			return m, nil
		case plan.MessageAssist:
			err = d.assist(m)
		default:
			err = fmt.Errorf("the init stage sent message %d out of turn", m.Kind)
		}
		m.close()
		if err != nil {
			return nil, err
		}
	}
}

// hear gives what the init stage says next. When it forks, it says so, and its
// child goes on at once: what that says may come first, and is put off until it is
// known who it is.
func (d *driver) hear() (*message, error) {
	for {
		forking := d.plan.Fork != 0 && d.forker == 0
		if !forking && len(d.early) > 0 {
			m := d.early[0]
			d.early = d.early[1:]
			return m, nil
		}
		m, err := d.conversation.listen()
		if err != nil {
			return nil, d.ended(err)
		}
		switch {
		case m.Kind == plan.MessageForked && forking:
			if err := d.forked(int(m.Index)); err != nil {
				return nil, err
			}
		case forking && d.plan.AfterFork(m.Message):
			d.early = append(d.early, m)
		default:
			return m, nil
		}
	}
}

// assist does what straight-line system calls could not.
func (d *driver) assist(m *message) error {
	if int(m.Index) >= len(d.plan.Assists) {
		return fmt.Errorf("the init stage asks for help that is not in the plan (%d)", m.Index)
	}
	assist := d.plan.Assists[m.Index]
	step := d.plan.Steps[assist.Step]
	answer, err := d.help(assist.Action, m.fds)
	if err != nil {
		return d.stepError(&step, assist.Action, err)
	}
	if answer == nil {
		return d.reply(nil)
	}
	defer answer.Close()
	return d.reply(nil, int(answer.Fd()))
}

// awaitExec waits for execve to close the conversation.
func (d *driver) awaitExec() error {
	m, err := d.conversation.listen()
	switch {
	case err == errEnded && !d.conversation.unheard:
		return nil
	case err == errEnded:
		return d.ended(err)
	case err != nil:
		return err
	}
	defer m.close()
	return &ExecError{d.plan.Explain(m.Message, m.text, d.locate)}
}

// ExecError says that a container was ready, but its program could not be
// executed. For the usual reasons the program's own stderr has been told.
type ExecError struct{ *plan.StepError }

// Unwrap gives the step's error.
func (e *ExecError) Unwrap() error { return e.StepError }

// Told reports whether the reason has been written to the program's stderr.
func (e *ExecError) Told() bool { return strings.HasPrefix(e.Meaning, "exec ") }

// ended explains the end of the conversation: the init stage is dead.
func (d *driver) ended(err error) error {
	if err != errEnded {
		return err
	}
	status, waitErr := reap(d.child.pid)
	if waitErr != nil {
		return errors.Join(err, waitErr)
	}
	d.child.pid = 0
	d.child.close()
	if status.Signaled() && oomKills(d.request.Cgroup) > d.oomKills {
		return errors.New(d.subject() + " was OOM-killed (memory limit too low?)")
	}
	if status.Signaled() {
		return fmt.Errorf("%s was killed by signal %d (%s)", d.subject(), int(status.Signal()), unix.SignalName(status.Signal()))
	}
	return fmt.Errorf("%s exited with code %d before it was ready", d.subject(), status.ExitStatus())
}

// subject is what messages call the process that is being made.
func (d *driver) subject() string {
	if d.target > 0 {
		return "the new process"
	}
	return "container init"
}

// undo takes back what was made, as far as it was.
func (d *driver) undo() error {
	var errs []error
	d.child.kill()
	if d.madeCgroup || d.joinedV1 || d.startedUnit {
		errs = append(errs, removeCgroup(d.request.Cgroup, time.Now().Add(killDeadline)))
	}
	errs = append(errs, kernelResctrl.remove(d.madeRDT))
	if d.request.Gated {
		errs = append(errs, removeGate(d.request.Dir))
	}
	if d.wrotePid != "" {
		errs = append(errs, os.Remove(d.wrotePid)) // there is no such process
	}
	if d.terminal != nil {
		d.terminal.close()
	}
	if d.notify != nil {
		d.notify.Close()
	}
	if d.signals != nil {
		signal.Stop(d.signals)
	}
	return errors.Join(errs...)
}

// close gives the descriptors back that only the creation needed.
func (d *driver) close() {
	d.takeTimes()
	if d.forker != 0 {
		_, _ = reap(d.forker)
	}
	for _, m := range d.early {
		m.close()
	}
	if d.conversation != nil {
		d.conversation.close()
	}
	d.closeGate()
	d.network.close()
	for _, f := range d.mappings {
		f.Close()
	}
	d.request.Manager.Close()
}

// closeGate leaves the gate to the init stage: while the parent holds it, its
// being held says nothing.
func (d *driver) closeGate() {
	for _, f := range []*os.File{d.gate, d.result} {
		if f != nil {
			f.Close()
		}
	}
	d.gate, d.result = nil, nil
}

// locate says where a field of the config is: "config.json:61".
func (d *driver) locate(field string) string {
	line := d.request.Config.Line(field)
	if line == 0 {
		return ""
	}
	return fmt.Sprintf("%s:%d", d.request.Config.File, line)
}

// Notify is the socket on which a program that runs at once says that it is
// ready, nil unless it was asked for.
func (c *NewContainer) Notify() *NotifySocket { return c.notify }
