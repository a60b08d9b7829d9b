package spec

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/opencontainers/runtime-spec/specs-go"
)

// Host is what Validate has to know beside the configuration: who asks, for
// what, and on what machine.
type Host struct {
	// Creating is true for create and run. For `rt plan` it is false: rules
	// about the machine and the caller are then left out, and no I/O happens.
	Creating bool

	EUID          int  // effective user id of the caller
	Detached      bool // create, and run --detach
	ConsoleSocket bool // --console-socket was given
	NoPivot       bool // --no-pivot was given
	SystemdCgroup bool // cgroups are made by systemd

	LastCap int // highest capability of the kernel, 0 when unknown
	// Capabilities has a bit for each one that the runtime has and can give on,
	// 0 when unknown.
	Capabilities uint64
	SELinux      bool // SELinux is enabled
	AppArmor     bool // AppArmor is enabled
	IntelRDT     bool // a resctrl filesystem is mounted
	CgroupV1     bool // resources are controlled by cgroup v1 hierarchies
}

// Validate checks a configuration against OCI runtime-spec 1.3.0 and what rt
// can do, and returns nil or all Problems in the order of the file. Everything
// that is certain to fail later is meant to be found here, because here nothing
// has been created yet.
func Validate(c *Config, h Host) error {
	v := newValidator(c, h)
	v.version()
	v.rootFilesystem()
	v.process()
	v.hostname()
	v.mounts()
	v.hooks()
	v.annotations()
	v.namespaces()
	v.idMappings()
	v.timeOffsets()
	v.devices()
	v.netDevices()
	v.cgroupsPath()
	v.resources()
	v.seccomp()
	v.propagation()
	v.hiddenPaths()
	v.sysctl()
	v.mountLabel()
	v.personality()
	v.memoryPolicy()
	v.intelRDT()
	v.nulBytes()
	if len(v.problems) == 0 {
		return nil
	}
	return v.sorted()
}

// Warnings returns what is questionable in a configuration but, by the
// specification, no reason to refuse it: capabilities that this kernel or the
// caller does not have, personality flags, none of which is defined, and limits
// that kernels do not have any more.
func Warnings(c *Config, h Host) []Problem {
	v := newValidator(c, h)
	v.unavailableCapabilities()
	v.repeatedMappings()
	v.personalityFlags()
	v.kernelMemory()
	return v.sorted()
}

// validator collects problems. Each of its methods checks one section of the
// specification and looks at no other than the ones it refers to.
type validator struct {
	config   *Config
	linux    *specs.Linux // never nil
	host     Host
	problems Problems
}

func newValidator(c *Config, h Host) *validator {
	if c.Spec == nil {
		c = &Config{Spec: new(specs.Spec), Bundle: c.Bundle, File: c.File}
	}
	v := &validator{config: c, host: h, linux: c.Linux}
	if v.linux == nil {
		v.linux = new(specs.Linux)
	}
	return v
}

// report notes a problem of a field.
func (v *validator) report(field, format string, args ...any) {
	v.problems = append(v.problems, Problem{
		File:  v.config.File,
		Field: field,
		Line:  v.config.Line(field),
		Text:  oneLine(fmt.Sprintf(format, args...)),
	})
}

// note reports something that old configurations have by habit, and that nobody
// has to be bothered with.
func (v *validator) note(field, format string, args ...any) {
	v.report(field, format, args...)
	v.problems[len(v.problems)-1].Minor = true
}

func (v *validator) sorted() Problems {
	slices.SortStableFunc(v.problems, func(a, b Problem) int { return cmp.Compare(a.Line, b.Line) })
	return v.problems
}

// namespace returns the entry of linux.namespaces for a type, nil if the
// container shares that namespace with the runtime.
func (v *validator) namespace(kind specs.LinuxNamespaceType) *specs.LinuxNamespace {
	for i := range v.linux.Namespaces {
		if v.linux.Namespaces[i].Type == kind {
			return &v.linux.Namespaces[i]
		}
	}
	return nil
}

func (v *validator) has(kind specs.LinuxNamespaceType) bool {
	return v.namespace(kind) != nil
}

// rootless tells that the caller has no privileges on this host.
func (v *validator) rootless() bool {
	return v.host.Creating && v.host.EUID != 0
}

// version checks ociVersion (config.md, "Specification version"). Minor versions
// only ever add: any 1.x is accepted.
func (v *validator) version() {
	const field = "ociVersion"
	text := v.config.Version
	switch {
	case text == "":
		v.report(field, "is required: the version of the OCI runtime specification, such as %q", specs.Version)
	case !isSemVer(text):
		v.report(field, "must be a semantic version such as %q, got %q", specs.Version, text)
	case !strings.HasPrefix(text, "1."):
		v.report(field, "unsupported version %q: only 1.x is supported", text)
	}
}

// isSemVer checks MAJOR.MINOR.PATCH and, after "-" or "+", the characters of
// pre-release and build names.
func isSemVer(text string) bool {
	core, suffix := text, ""
	if i := strings.IndexAny(text, "-+"); i >= 0 {
		core, suffix = text[:i], text[i+1:]
		if suffix == "" {
			return false
		}
	}
	numbers := strings.Split(core, ".")
	for _, number := range numbers {
		if number == "" || strings.Trim(number, "0123456789") != "" || len(number) > 1 && number[0] == '0' {
			return false
		}
	}
	return len(numbers) == 3 && !strings.ContainsFunc(suffix, isNotSemVerRune)
}

func isNotSemVerRune(r rune) bool {
	switch {
	case '0' <= r && r <= '9', 'a' <= r && r <= 'z', 'A' <= r && r <= 'Z', r == '-', r == '+', r == '.':
		return false
	default:
		return true
	}
}

// item is the path of an array element: mounts[3].
func item(field string, index int) string {
	return field + "[" + strconv.Itoa(index) + "]"
}

// element is the path of a map element: linux.sysctl["net.ipv4.ip_forward"].
func element(field, key string) string {
	return field + "[" + strconv.Quote(key) + "]"
}

// sortedKeys makes the order of problems independent of the order of a map.
func sortedKeys[V any](m map[string]V) []string {
	return slices.Sorted(maps.Keys(m))
}

// quoted lists names for a message: "shared", "slave" or "private".
func quoted(names []string, conjunction string) string {
	var b strings.Builder
	for i, name := range names {
		switch {
		case i == 0:
		case i == len(names)-1:
			b.WriteString(" " + conjunction + " ")
		default:
			b.WriteString(", ")
		}
		b.WriteString(strconv.Quote(name))
	}
	return b.String()
}
