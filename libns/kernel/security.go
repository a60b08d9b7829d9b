package kernel

import (
	"os"
	"strings"

	"golang.org/x/sys/unix"
)

// ProbeSecurity finds out which of the security modules that confine a program
// by its configuration are active.
func (f *Facts) ProbeSecurity() {
	enabled, _ := os.ReadFile("/sys/module/apparmor/parameters/enabled")
	f.AppArmor = strings.HasPrefix(string(enabled), "Y")

	// Without a policy every process has the label "kernel".
	magic, err := filesystem("/sys/fs/selinux")
	label, _ := os.ReadFile("/proc/self/attr/current")
	own := strings.TrimRight(string(label), "\x00\n")
	f.SELinux = err == nil && magic == unix.SELINUX_MAGIC && own != "" && own != "kernel"
}
