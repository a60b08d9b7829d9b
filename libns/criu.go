package libns

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"syscall"

	"github.com/checkpoint-restore/go-criu/v8/rpc"
	"golang.org/x/sys/unix"
)

// CRIUOptions are what checkpoint and restore have in common. What each means is
// said in criu(8), under the option of the same name.
type CRIUOptions struct {
	Images string // directory of the images
	Work   string // directory of the log, and of what criu needs meanwhile
	// ConfigFile is a file with further options for criu, "" = none.
	ConfigFile string

	TCPEstablished bool
	TCPClose       bool
	ExtUnixSockets bool
	ShellJob       bool // the terminal is the caller's
	FileLocks      bool
	LazyPages      bool
	AutoDedup      bool
	EmptyNetwork   bool // the network namespace comes back with no more than loopback
	ManageCgroups  string
	NetworkLock    string
}

// cgroupModes are the values that criu has for ManageCgroups.
func cgroupModes() map[string]rpc.CriuCgMode {
	return map[string]rpc.CriuCgMode{
		"soft": rpc.CriuCgMode_SOFT, "full": rpc.CriuCgMode_FULL,
		"strict": rpc.CriuCgMode_STRICT, "ignore": rpc.CriuCgMode_IGNORE,
	}
}

// networkLocks are the values that criu has for NetworkLock.
func networkLocks() map[string]rpc.CriuNetworkLockMethod {
	return map[string]rpc.CriuNetworkLockMethod{
		"iptables": rpc.CriuNetworkLockMethod_IPTABLES,
		"nftables": rpc.CriuNetworkLockMethod_NFTABLES, "skip": rpc.CriuNetworkLockMethod_SKIP,
	}
}

// Check refuses values that there are none of.
func (o *CRIUOptions) Check() error {
	if _, ok := cgroupModes()[o.ManageCgroups]; !ok {
		return fmt.Errorf("option --manage-cgroups-mode must be soft, full, strict or ignore, got %q", o.ManageCgroups)
	}
	if _, ok := networkLocks()[o.NetworkLock]; !ok && o.NetworkLock != "" {
		return fmt.Errorf("option --network-lock must be iptables, nftables or skip, got %q", o.NetworkLock)
	}
	return nil
}

// makeDirectories makes the directories that criu works in. Images are the memory
// of processes: nobody else's to read.
func (o *CRIUOptions) makeDirectories() error {
	for _, directory := range []string{o.Images, o.Work} {
		if err := os.MkdirAll(directory, 0o700); err != nil {
			return err
		}
	}
	return nil
}

// opened are the directories that criu works in, open.
type opened struct{ images, work *os.File }

func (o *CRIUOptions) open() (*opened, error) {
	images, err := os.Open(o.Images)
	if err != nil {
		return nil, err
	}
	work, err := os.Open(o.Work)
	if err != nil {
		images.Close()
		return nil, err
	}
	return &opened{images, work}, nil
}

func (d *opened) close() {
	d.images.Close()
	d.work.Close()
}

// logDebug is the level of criu's log at which it says why it failed.
const logDebug = 4

// options puts the common options into criu's words. criu takes the descriptors
// of directories from this process.
func (o *CRIUOptions) options(d *opened, log string) *rpc.CriuOpts {
	to := &rpc.CriuOpts{
		ImagesDirFd:       new(int32(d.images.Fd())),
		WorkDirFd:         new(int32(d.work.Fd())),
		LogFile:           &log,
		LogLevel:          new(int32(logDebug)),
		NotifyScripts:     new(true),
		OrphanPtsMaster:   new(true),
		ManageCgroups:     new(true),
		ManageCgroupsMode: new(cgroupModes()[o.ManageCgroups]),
		TcpEstablished:    &o.TCPEstablished,
		TcpClose:          &o.TCPClose,
		ExtUnixSk:         &o.ExtUnixSockets,
		ShellJob:          &o.ShellJob,
		FileLocks:         &o.FileLocks,
		LazyPages:         &o.LazyPages,
		AutoDedup:         &o.AutoDedup,
	}
	if o.EmptyNetwork {
		to.EmptyNs = new(uint32(unix.CLONE_NEWNET))
	}
	if method, ok := networkLocks()[o.NetworkLock]; ok {
		to.NetworkLock = &method
	}
	if o.ConfigFile != "" {
		to.ConfigFile = &o.ConfigFile
	}
	return to
}

// criuVersion is a version of criu, as a number: 31701 is 3.17.1.
type criuVersion int

func (v criuVersion) String() string {
	return fmt.Sprintf("%d.%d", v/10000, v/100%100)
}

const (
	// oldestCRIU is the first that can be talked to about everything that rt
	// does not ask for only when it is told to.
	oldestCRIU criuVersion = 30000
	// labelsCRIU is the first that takes the options for security labels.
	labelsCRIU criuVersion = 31600
)

// findCRIU finds the program, also for callers whose PATH is a user's.
func findCRIU() (path string, version criuVersion, err error) {
	path, err = exec.LookPath("criu")
	for _, directory := range []string{"/usr/local/sbin", "/usr/sbin", "/sbin"} {
		if err == nil {
			break
		}
		path, err = exec.LookPath(filepath.Join(directory, "criu"))
	}
	if err != nil {
		return "", 0, errors.New("the criu program is not installed: checkpoint and restore are done by it (see https://criu.org)")
	}
	said, err := exec.Command(path, "--version").Output()
	if err != nil {
		return "", 0, fmt.Errorf("%s --version: %w", path, err)
	}
	if version, err = parseCRIUVersion(string(said)); err != nil {
		return "", 0, fmt.Errorf("%s --version: %w", path, err)
	}
	if version < oldestCRIU {
		return "", 0, fmt.Errorf("criu %v is too old: %v is the first that will do", version, oldestCRIU)
	}
	return path, version, nil
}

// parseCRIUVersion reads what `criu --version` prints: "Version: 3.17.1".
func parseCRIUVersion(text string) (criuVersion, error) {
	for line := range strings.Lines(text) {
		var major, minor, patch int
		// The last number may be missing.
		if n, _ := fmt.Sscanf(line, "Version: %d.%d.%d", &major, &minor, &patch); n >= 2 {
			return criuVersion(major*10000 + minor*100 + patch), nil
		}
	}
	return 0, fmt.Errorf("no version in %q", text)
}

// criu is a running `criu swrk`, which carries out one request. It asks its
// caller at certain moments, called scripts, and waits for the answer.
type criu struct {
	process child
	opened  *opened
	log     string // path
	socket  int
	asked   *rpc.CriuResp // a question that was not answered yet
	onPTY   func(master int) error
}

// criuStart says how criu is started.
type criuStart struct {
	path    string
	options *CRIUOptions
	log     string     // its name in the work directory
	root    string     // is made a mount, in a mount namespace of criu's own; "" = neither
	cgroup  string     // of the unified hierarchy, that criu is born in; "" = the caller's
	files   []*os.File // are its descriptors from firstCRIUFile on
}

// The descriptors of criu: stdio, its end of the socket, and those of the caller.
const (
	criuSocket    = 3
	firstCRIUFile = 4
)

// start starts criu. Of what the caller of rt lent, it gets stdio only.
func (s *criuStart) start() (*criu, error) {
	if err := unix.CloseRange(firstCRIUFile-1, ^uint(0), unix.CLOSE_RANGE_CLOEXEC); err != nil && err != unix.EINVAL && err != unix.ENOSYS {
		return nil, os.NewSyscallError("close_range", err)
	}
	pair, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_SEQPACKET|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, os.NewSyscallError("socketpair", err)
	}
	defer unix.Close(pair[1])
	attributes := &syscall.ProcAttr{Files: []uintptr{0, 1, 2, uintptr(pair[1])}, Env: os.Environ(), Sys: &syscall.SysProcAttr{}}
	for _, f := range s.files {
		attributes.Files = append(attributes.Files, f.Fd())
	}
	c := &criu{socket: pair[0], log: filepath.Join(s.options.Work, s.log)}
	c.process.pidfd = -1
	attributes.Sys.PidFD = &c.process.pidfd
	if s.cgroup != "" {
		fd, err := unix.Open(s.cgroup, unix.O_PATH|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
		if err != nil {
			unix.Close(pair[0])
			return nil, &os.PathError{Op: "open", Path: s.cgroup, Err: err}
		}
		defer unix.Close(fd)
		attributes.Sys.UseCgroupFD, attributes.Sys.CgroupFD = true, fd
	}
	if c.process.pid, c.opened, err = s.fork(attributes); err != nil {
		unix.Close(pair[0])
		return nil, fmt.Errorf("start %s: %w", s.path, err)
	}
	return c, nil
}

// fork starts the program, out of a thread that has a mount namespace of its own
// if it has to. That thread ends with its goroutine, and the mount with the
// namespace: whatever dies, it is not left behind.
func (s *criuStart) fork(attributes *syscall.ProcAttr) (pid int, directories *opened, err error) {
	if s.root == "" {
		return s.openAndFork(attributes)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		runtime.LockOSThread()
		if err = mountAlone(s.root); err == nil {
			pid, directories, err = s.openAndFork(attributes)
		}
	}()
	<-done
	return pid, directories, err
}

// mountAlone makes a directory a mount, in a mount namespace that only this
// thread has.
func mountAlone(root string) error {
	if err := unix.Unshare(unix.CLONE_FS | unix.CLONE_NEWNS); err != nil {
		return os.NewSyscallError("unshare", err)
	}
	// What is mounted on the host later still arrives.
	if err := unix.Mount("", "/", "", unix.MS_SLAVE|unix.MS_REC, ""); err != nil {
		return &os.PathError{Op: "mount", Path: "/", Err: err}
	}
	if err := unix.Mount(root, root, "", unix.MS_BIND|unix.MS_REC, ""); err != nil {
		return &os.PathError{Op: "mount", Path: root, Err: err}
	}
	return nil
}

// openAndFork opens criu's directories in criu's mount namespace: it mounts what
// it needs below them.
func (s *criuStart) openAndFork(attributes *syscall.ProcAttr) (int, *opened, error) {
	directories, err := s.options.open()
	if err != nil {
		return 0, nil, err
	}
	pid, err := syscall.ForkExec(s.path, []string{"criu", "swrk", strconv.Itoa(criuSocket)}, attributes)
	if err != nil {
		directories.close()
		return 0, nil, err
	}
	return pid, directories, nil
}

// request sends the request.
func (c *criu) request(kind rpc.CriuReqType, options *rpc.CriuOpts) error {
	return c.explain(c.send(&rpc.CriuReq{Type: &kind, Opts: options}))
}

func (c *criu) send(r *rpc.CriuReq) error {
	message, err := r.MarshalVT()
	if err != nil {
		return err
	}
	_, err = ignoringEINTR(func() (int, error) { return 0, unix.Sendto(c.socket, message, unix.MSG_NOSIGNAL, nil) })
	return dead(err)
}

// dead takes the end of the conversation for what it means.
func dead(err error) error {
	if err == unix.EPIPE || err == unix.ECONNRESET {
		return &criuError{}
	}
	return os.NewSyscallError("criu swrk", err)
}

// criuError says that criu did not do what it was asked for. Its log knows more.
type criuError struct {
	complaint string // criu's own, "" if it had none
}

func (e *criuError) Error() string {
	if e.complaint == "" {
		return "criu failed"
	}
	return "criu failed: " + e.complaint
}

// await lets criu go on until it asks for one of the scripts, and leaves it
// waiting there, or until it is done. It gives the pid that came along: that of
// the first restored process.
func (c *criu) await(scripts ...string) (pid int, err error) {
	for {
		if c.asked != nil {
			kind := rpc.CriuReqType_NOTIFY
			if err := c.send(&rpc.CriuReq{Type: &kind, NotifySuccess: new(true)}); err != nil {
				return 0, c.explain(err)
			}
			c.asked = nil
		}
		answer, fd, err := c.receive()
		if err != nil {
			return 0, c.explain(err)
		}
		if answer.GetType() != rpc.CriuReqType_NOTIFY {
			return int(answer.GetRestore().GetPid()), nil
		}
		c.asked = answer
		if fd >= 0 {
			err := c.takeMaster(fd)
			unix.Close(fd)
			if err != nil {
				return 0, err
			}
		}
		for _, script := range scripts {
			if answer.GetNotify().GetScript() == script {
				return int(answer.GetNotify().GetPid()), nil
			}
		}
	}
}

// at reports whether criu waits at a script.
func (c *criu) at(script string) bool { return c.asked.GetNotify().GetScript() == script }

func (c *criu) takeMaster(fd int) error {
	if c.onPTY == nil || !c.at("orphan-pts-master") {
		return nil
	}
	return c.onPTY(fd)
}

// maxCRIUAnswer is more than any answer takes.
const maxCRIUAnswer = 64 << 10

// receive takes the next message, and the descriptor that came along, or -1.
func (c *criu) receive() (answer *rpc.CriuResp, fd int, err error) {
	buffer, oob := make([]byte, maxCRIUAnswer), make([]byte, unix.CmsgSpace(4))
	var oobn int
	n, err := ignoringEINTR(func() (n int, err error) {
		n, oobn, _, _, err = unix.Recvmsg(c.socket, buffer, oob, unix.MSG_CMSG_CLOEXEC)
		return n, err
	})
	if err == nil && n == 0 {
		err = unix.EPIPE
	}
	if err != nil {
		return nil, -1, dead(err)
	}
	fd = receivedDescriptor(oob[:oobn])
	answer = &rpc.CriuResp{}
	if err = answer.UnmarshalVT(buffer[:n]); err == nil && !answer.GetSuccess() {
		complaint, _, _ := strings.Cut(answer.GetCrErrmsg(), "\n")
		err = &criuError{complaint}
	}
	if err != nil && fd >= 0 {
		unix.Close(fd)
	}
	return answer, fd, err
}

// receivedDescriptor is the one descriptor of a control message, -1 for none.
func receivedDescriptor(oob []byte) int {
	messages, err := unix.ParseSocketControlMessage(oob)
	if err != nil || len(messages) == 0 {
		return -1
	}
	fds, err := unix.ParseUnixRights(&messages[0])
	if err != nil || len(fds) == 0 {
		return -1
	}
	return fds[0]
}

// close ends the conversation and waits for criu's end. One that is waiting for
// an answer gives up, and takes back what it did.
func (c *criu) close() {
	if c == nil || c.process.pid == 0 {
		return
	}
	unix.Close(c.socket)
	c.opened.close()
	_, _ = reap(c.process.pid)
	c.process.pid = 0
	c.process.close()
}

// explain names the log, and the first failure that it tells of.
func (c *criu) explain(err error) error {
	var failed *criuError
	if !errors.As(err, &failed) {
		return err
	}
	if file, openErr := os.Open(c.log); openErr == nil {
		defer file.Close()
		failed.complaint = firstComplaint(file, failed.complaint)
	}
	return fmt.Errorf("%w (see %s)", err, c.log)
}

// firstComplaint finds a line like "(00.012345) Error (criu/mount.c:1088): mnt:
// what is wrong". What a program's end means is said later, by who started it;
// limits that criu may not raise for itself are no failure.
func firstComplaint(log io.Reader, otherwise string) string {
	for lines := bufio.NewScanner(log); lines.Scan(); {
		_, complaint, found := strings.Cut(lines.Text(), "Error (")
		_, text, ok := strings.Cut(complaint, "): ")
		if found && ok && !slices.ContainsFunc(noReasons, func(start string) bool { return strings.HasPrefix(text, start) }) {
			return text
		}
	}
	return otherwise
}

// noReasons begin complaints that are not why criu fails.
var noReasons = []string{"exited, status=", "execvp(", "rlimit: "}
