package spec

import (
	"path/filepath"
	"slices"
)

// Annotations that crun has brought up and callers set. Those about seccomp are
// beside the rest of seccomp. What is not known is ignored (OCI runtime-spec,
// config.md, "Annotations").
const (
	// keepOriginalGroups, whatever its value, leaves the program the
	// supplementary groups of the caller.
	keepOriginalGroups = "run.oci.keep_original_groups"
	// pidfdReceiver is the path of a socket that gets a pidfd of the first process.
	pidfdReceiver = "run.oci.pidfd_receiver"
	// hooksStdout and hooksStderr are paths of files that get the output of hooks.
	hooksStdout = "run.oci.hooks.stdout"
	hooksStderr = "run.oci.hooks.stderr"
	// mountContextType is the option by which linux.mountLabel is applied.
	mountContextType = "run.oci.mount_context_type"
	// handler asks for another back end: krun, wasm and so on.
	handler = "run.oci.handler"
	// criuConfig is the path of a file with options for criu(8); empty for none.
	criuConfig = "org.criu.config"
	// containerType tells a pod's own container, which no handler is meant for.
	containerType = "io.kubernetes.cri.container-type"
)

// UnsafeAnnotations are the annotations that take paths of the host or weaken
// the container: callers must not take them from somebody they do not trust.
func UnsafeAnnotations() []string {
	return []string{hooksStderr, hooksStdout, keepOriginalGroups, pidfdReceiver, criuConfig, SeccompBPF, SeccompReceiver}
}

// KeepsGroups says that the program is to have the caller's supplementary groups,
// and not those of process.user.
func (c *Config) KeepsGroups() bool {
	_, keep := c.Annotations[keepOriginalGroups]
	return keep
}

// PidfdReceiver is the path of the socket that the configuration names for a
// pidfd of the first process, "" if none.
func (c *Config) PidfdReceiver() string { return c.annotatedPath(pidfdReceiver) }

// CRIUConfig is the path of the file with options for criu that the configuration
// names, "" for none. It is not given if the configuration does not say.
func (c *Config) CRIUConfig() (path string, given bool) {
	_, given = c.Annotations[criuConfig]
	return c.annotatedPath(criuConfig), given
}

// HookOutput gives the paths of the files to which the output of hooks is to be
// appended, "" for none.
func (c *Config) HookOutput() (stdout, stderr string) {
	return c.annotatedPath(hooksStdout), c.annotatedPath(hooksStderr)
}

// annotatedPath is an annotation that is a path of the host, "" if it is absent.
func (c *Config) annotatedPath(key string) string {
	path := c.Annotations[key]
	if path == "" || filepath.IsAbs(path) {
		return path
	}
	return filepath.Join(c.Bundle, path)
}

// mountContextTypes are the options of filesystems that take an SELinux label.
var mountContextTypes = []string{"context", "defcontext", "fscontext", "rootcontext"}

// MountContextType is the option of filesystems by which linux.mountLabel is
// applied.
func (c *Config) MountContextType() string {
	if option := c.Annotations[mountContextType]; option != "" {
		return option
	}
	return "context"
}

// annotations checks config.md, "Annotations", and the values of those that rt
// knows.
func (v *validator) annotations() {
	all := v.config.Annotations
	if _, found := all[""]; found {
		v.report(element("annotations", ""), "key must not be empty")
	}
	if option := v.config.MountContextType(); !slices.Contains(mountContextTypes, option) {
		v.report(element("annotations", mountContextType), "must be %s, got %q", quoted(mountContextTypes, "or"), option)
	}
	if back := all[handler]; back != "" && all[containerType] != "sandbox" {
		v.report(element("annotations", handler), "rt has no back end %q: it makes containers of Linux namespaces only", back)
	}
}
