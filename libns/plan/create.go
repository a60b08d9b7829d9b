package plan

import (
	"errors"

	specs "github.com/opencontainers/runtime-spec/specs-go"

	"rt/libns/kernel"
	"rt/libns/seccomp"
	"rt/spec"
)

// Request is everything that a new container's plan is compiled from.
type Request struct {
	Config *spec.Config
	ID     string
	Dir    string // the container's state directory
	Facts  kernel.Facts
	Cgroup Cgroup // from [CgroupFor]
	RDT    RDT    // from [RDTFor], and whose group it is
	// Filter is from [FilterFor], if the caller could have it faster than by
	// compiling it; nil leaves it to the compiler.
	Filter *seccomp.Filter
	// IDMap is the mapping of the user namespace that is joined, if it is
	// known. That of a new one is in the config.
	IDMap *IDMap

	NoPivot      bool // move the root over / and chroot instead of pivot_root
	NoNewKeyring bool // stay in the caller's session keyring
	Gated        bool // create: wait for start before executing the program
	ExtraFDs     int  // descriptors 3..2+n are passed on to the program
	ListenFDs    int  // how many of them are socket-activation descriptors (sd_listen_fds(3))
	NotifySocket bool // a socket for sd_notify(3) is made under Dir and shown to the program
	Trace        bool // the container side stores the times of its steps

	// Where the caller wants to be told about the container; "" = nowhere.
	ConsoleSocket string
	PidfdSocket   string
	PidFile       string
}

// compiler turns one request into one plan.
type compiler struct {
	*builder
	*Request
	entries  []mountEntry    // mounts[], read once
	mappings []MakeIDMapping // those of the mounts
	joining  bool            // the container exists, and gets one more process
	mapped   bool            // the container has a user namespace that the runtime is not in
	filter   *seccomp.Filter // linux.seccomp, nil if there is none
	missing  []error         // what the plan takes and the kernel does not have

	root    Ref // word: the container's root directory
	dev     Ref // word: the container's /dev
	exe     Ref // word: address of the path that is executed
	home    Ref // buffer: the entry HOME=… that the parent answers with
	oldMask Ref // word: the caller's umask
	procfs  Ref // word: the host's procfs, for mounts that are made or changed by name
}

// newCompiler estimates how long the plan will be.
func newCompiler(r *Request) *compiler {
	const fixed, mount = 512, 18
	return &compiler{builder: newBuilder(fixed + mount*len(r.Config.Mounts)), Request: r}
}

// ForCreate compiles the plan of a new container. It follows the order of
// operations of the OCI runtime specification 1.3.0 (runtime.md, "Lifecycle"):
// this function is the only place where that order is written down.
func ForCreate(r *Request) (*Plan, error) {
	c := newCompiler(r)
	_, c.mapped = c.namespace(specs.UserNamespace)
	if err := c.refuseImpossibleLimits(); err != nil {
		return nil, err
	}
	if err := c.findFilter(); err != nil {
		return nil, err
	}
	c.begin(c.passed()...)

	c.makeNetwork()
	c.makeCgroup()
	c.makeGate()
	c.makeNotifySocket()
	c.launch()
	c.saveState()
	c.makeIDMappings()

	c.shareTrace()
	c.isolateProcess()
	c.oomScoreAdj()
	c.execLabels()
	c.startUnit()
	c.joinCgroup()
	c.joinRDT()
	c.delegateCgroup()
	c.setResources(whileMounting)
	c.allCPUs()
	c.keepProcfs()
	c.ownStdio()
	c.openProc()
	c.joinNamespaces()
	c.makeUserNamespace()
	c.ownStdioInside()
	c.makeTimeNamespace()
	c.joinNetwork()
	c.unshareNamespaces()
	c.enterDelegated()
	c.enterPIDNamespace()
	c.joinKeyring()
	c.loopbackUp()
	c.netDevices()

	c.openRoot()
	c.mounts()
	c.defaultDevices()
	c.devices()
	c.setResources(afterMounting)
	c.hooks(Prestart)
	c.hooks(CreateRuntime)
	c.hooks(CreateContainer)
	c.makeCwd()
	c.console()
	c.reopenNull()
	c.prepareAhead()
	c.readonlyMounts()
	c.names()
	c.sysctl()
	c.readonlyPaths()
	c.maskedPaths()
	c.enterRoot()

	c.process()
	c.ready()
	c.waitForStart()
	c.confine()
	c.execute()
	c.afterExec()
	return c.finish()
}

// finish gives the plan, unless this kernel could not carry it out.
func (c *compiler) finish() (*Plan, error) {
	if len(c.missing) > 0 {
		return nil, errors.Join(c.missing...)
	}
	return c.build(), nil
}

// passed lists the descriptors that a new container's init stage needs.
func (c *compiler) passed() []Passed {
	list := []Passed{Control}
	if c.Gated {
		list = append(list, Gate, Result)
	}
	if c.makesNetwork() {
		list = append(list, Network)
	}
	return list
}

// begin sets up what every step refers to.
func (c *compiler) begin(passed ...Passed) {
	if c.Trace {
		passed = append(passed, Trace)
	}
	c.p.Extra = c.ExtraFDs
	c.p.Passed = passed
	c.control = c.preset("control", uint64(c.p.FD(Control)))
	c.p.ReportFD = c.preset("report", uint64(c.p.FD(Control)))
	c.root = c.word("root")
	c.dev = c.word("dev")
	c.exe = c.word("exe")
}

// hasMountNamespace says whether the container's mounts are its own.
func (c *compiler) hasMountNamespace() bool {
	_, ok := c.namespace("mount")
	return ok
}
