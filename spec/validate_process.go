package spec

import (
	"iter"
	"math"
	"path/filepath"
	"slices"
	"strings"

	"github.com/opencontainers/runtime-spec/specs-go"
)

const (
	// noID is (uid_t)-1, which every call that sets ids takes for "leave alone".
	noID = math.MaxUint32
	// maxGroups is the kernel's limit for setgroups(2), NGROUPS_MAX.
	maxGroups = 65536
	// maxTerminalSize is what fits into the fields of TIOCSWINSZ (ioctl_tty(2)).
	maxTerminalSize = math.MaxUint16
)

// process checks config.md, "Process".
func (v *validator) process() {
	p := v.config.Process
	if p == nil {
		v.report("process", "process property must not be empty")
		return
	}
	v.arguments(p)
	v.environment(p.Env)
	v.workingDirectory(p.Cwd)
	v.terminal(p)
	v.user(p.User)
	v.capabilitySets(p.Capabilities)
	v.rlimits(p.Rlimits)
	v.securityLabels(p)
	v.oomScore(p.OOMScoreAdj)
	v.scheduler(p.Scheduler)
	v.ioPriority(p.IOPriority)
	v.cpuAffinity(p.ExecCPUAffinity)
}

func (v *validator) arguments(p *specs.Process) {
	switch {
	case len(p.Args) == 0:
		v.report("process.args", "args must not be empty")
	case p.Args[0] == "":
		v.report("process.args[0]", "must name the program to execute, is empty")
	}
}

func (v *validator) environment(env []string) {
	for i, entry := range env {
		name, _, found := strings.Cut(entry, "=")
		switch {
		case !found:
			v.report(item("process.env", i), "must have the form NAME=VALUE, %q has no \"=\"", entry)
		case name == "":
			v.report(item("process.env", i), "must have the form NAME=VALUE, the name in %q is empty", entry)
		}
	}
}

func (v *validator) workingDirectory(cwd string) {
	switch {
	case cwd == "":
		v.report("process.cwd", "Cwd property must not be empty")
	case !filepath.IsAbs(cwd):
		v.report("process.cwd", "Cwd must be an absolute path, got %q", cwd)
	}
}

// terminal checks that there will be somebody at the other end of the pty.
func (v *validator) terminal(p *specs.Process) {
	if v.host.Creating {
		switch {
		case p.Terminal && v.host.Detached && !v.host.ConsoleSocket:
			v.report("process.terminal", "cannot allocate tty if rt will detach without setting console socket")
		case v.host.ConsoleSocket && !(p.Terminal && v.host.Detached):
			v.report("process.terminal", "cannot use console socket if rt will not detach or allocate tty")
		}
	}
	if size := p.ConsoleSize; p.Terminal && size != nil {
		if size.Height > maxTerminalSize {
			v.report("process.consoleSize.height", "must be at most %d, got %d", maxTerminalSize, size.Height)
		}
		if size.Width > maxTerminalSize {
			v.report("process.consoleSize.width", "must be at most %d, got %d", maxTerminalSize, size.Width)
		}
	}
}

// user checks config.md, "POSIX-platform User".
func (v *validator) user(user specs.User) {
	v.userID("process.user.uid", "cannot setuid to unmapped uid", user.UID, v.linux.UIDMappings)
	v.userID("process.user.gid", "cannot setgid to unmapped gid", user.GID, v.linux.GIDMappings)
	if user.Umask != nil && *user.Umask > 0o777 {
		v.report("process.user.umask", "must be at most 511 (octal 777), got %d", *user.Umask)
	}
	const groups = "process.user.additionalGids"
	if len(user.AdditionalGids) > 0 && v.rootless() {
		v.report(groups, "cannot set any additional groups in a rootless container")
		return
	}
	if len(user.AdditionalGids) > maxGroups {
		v.report(groups, "must have at most %d entries, has %d", maxGroups, len(user.AdditionalGids))
		return
	}
	for i, gid := range user.AdditionalGids {
		v.userID(item(groups, i), "cannot set unmapped gid", gid, v.linux.GIDMappings)
	}
}

// userID checks an id of the process: in a new user namespace only those ids
// exist that have a mapping. What a joined namespace maps is its own affair.
func (v *validator) userID(field, unmapped string, id uint32, mappings []specs.LinuxIDMapping) {
	if id == noID {
		v.report(field, "must be below %d, which means no id to the kernel", uint32(noID))
		return
	}
	namespace := v.namespace(specs.UserNamespace)
	if namespace != nil && namespace.Path == "" && len(mappings) > 0 && !isMapped(mappings, id) {
		v.report(field, "%s %d in user namespace", unmapped, id)
	}
}

// capabilitySets checks names that no kernel knows, and what capset(2) is sure
// to refuse. Capabilities that this kernel or the caller lacks are a warning
// (see Warnings), they are left out of the sets.
func (v *validator) capabilitySets(sets *specs.LinuxCapabilities) {
	if sets == nil {
		return
	}
	for field, names := range capabilityLists(sets) {
		for i, name := range names {
			if _, known := Capability(name); !known {
				v.report(item(field, i), "unknown capability %q: must be a name of capabilities(7), such as \"CAP_CHOWN\"", name)
			}
		}
	}
	for i, name := range sets.Effective {
		if _, known := Capability(name); known && !slices.Contains(sets.Permitted, name) {
			v.report(item("process.capabilities.effective", i), "%s must be in process.capabilities.permitted too", name)
		}
	}
}

// capabilityLists gives the five sets with the names of their fields.
func capabilityLists(sets *specs.LinuxCapabilities) iter.Seq2[string, []string] {
	const field = "process.capabilities."
	return func(yield func(string, []string) bool) {
		_ = yield(field+"bounding", sets.Bounding) &&
			yield(field+"effective", sets.Effective) &&
			yield(field+"inheritable", sets.Inheritable) &&
			yield(field+"permitted", sets.Permitted) &&
			yield(field+"ambient", sets.Ambient)
	}
}

// unavailableCapabilities warns of capabilities that this kernel does not have or
// the caller cannot give on. The specification wants them logged and the
// container started (config.md, "Linux Process").
func (v *validator) unavailableCapabilities() {
	if v.config.Process == nil || v.config.Process.Capabilities == nil {
		return
	}
	sets := v.config.Process.Capabilities
	for field, names := range capabilityLists(sets) {
		v.unavailableIn(field, names)
	}
	for i, name := range sets.Ambient {
		_, known := Capability(name)
		if known && (!slices.Contains(sets.Permitted, name) || !slices.Contains(sets.Inheritable, name)) {
			v.note(item("process.capabilities.ambient", i), "can't raise ambient capability %s: it has to be permitted and inheritable", name)
		}
	}
}

func (v *validator) unavailableIn(field string, names []string) {
	for i, name := range names {
		number, known := Capability(name)
		switch {
		case !known:
			// A problem, not a warning.
		case v.host.LastCap > 0 && number > v.host.LastCap:
			v.report(item(field, i), "ignoring capability %q: this kernel does not have it", name)
		case v.host.Capabilities != 0 && v.host.Capabilities&(1<<number) == 0 && !v.has(specs.UserNamespace):
			v.report(item(field, i), "ignoring capability %q: rt was started without it", name)
		}
	}
}

func (v *validator) rlimits(limits []specs.POSIXRlimit) {
	seen := make(map[string]int, len(limits))
	for i, limit := range limits {
		field := item("process.rlimits", i)
		if _, known := Rlimit(limit.Type); !known {
			v.report(field+".type", "wrong rlimit value: %s: must be one of the RLIMIT_* names of prlimit(2)", limit.Type)
			continue
		}
		if first, found := seen[limit.Type]; found {
			v.report(field+".type", "duplicate of process.rlimits[%d]: %s may be set once", first, limit.Type)
			continue
		}
		seen[limit.Type] = i
		if limit.Soft > limit.Hard {
			v.report(field+".soft", "must not be above hard (%d), got %d", limit.Hard, limit.Soft)
		}
	}
}

func (v *validator) securityLabels(p *specs.Process) {
	if !v.host.Creating {
		return
	}
	if p.ApparmorProfile != "" && !v.host.AppArmor {
		v.report("process.apparmorProfile", "profile %q is set, but AppArmor is not enabled on this host", p.ApparmorProfile)
	}
	if p.SelinuxLabel != "" && !v.host.SELinux {
		v.report("process.selinuxLabel", "label %q is set, but SELinux is not enabled on this host", p.SelinuxLabel)
	}
}

func (v *validator) oomScore(score *int) {
	if score != nil && (*score < -1000 || *score > 1000) {
		v.report("process.oomScoreAdj", "must be from -1000 to 1000, got %d", *score)
	}
}

// HasLabels reports whether a security module has a say: what is on the host
// has to be known then ([Host.AppArmor], [Host.SELinux]).
func (c *Config) HasLabels() bool {
	process := c.Process != nil && (c.Process.ApparmorProfile != "" || c.Process.SelinuxLabel != "")
	return process || c.Linux != nil && c.Linux.MountLabel != ""
}
