package plan

import (
	"encoding/binary"
	"fmt"

	"golang.org/x/sys/unix"

	"rt/libns/seccomp"
)

// compileFilter compiles linux.seccomp (config-linux.md, "Seccomp"). A profile
// that decides about nothing is none.
func (c *compiler) compileFilter() error {
	if c.Config.Linux == nil || c.Config.Linux.Seccomp == nil {
		return nil
	}
	profile := c.Config.Linux.Seccomp
	if profile.DefaultAction == "" && len(profile.Syscalls) == 0 {
		return nil
	}
	native, ok := seccomp.Native(c.Facts.Arch)
	if !ok {
		return fmt.Errorf("linux.seccomp: there is no table of system calls for %s", c.Facts.Arch)
	}
	var err error
	c.filter, err = seccomp.Compile(profile, native, seccomp.Options{KernelFlags: c.Facts.SeccompFlags})
	return err
}

// filterNeedsAdmin says that loading the filter takes CAP_SYS_ADMIN, which is
// then kept until that is done: without no_new_privs, an unprivileged process
// could lie to set-user-id programs with a filter (seccomp(2)).
func (c *compiler) filterNeedsAdmin() bool {
	return c.filter != nil && !c.Config.Process.NoNewPrivileges
}

// loadFilter is as late as it can be: from here on the profile decides about
// the init stage's own calls, too, and those that follow are few.
func (c *compiler) loadFilter() {
	if c.filter == nil {
		return
	}
	program := c.filter.Bytes()
	c.step("linux.seccomp", fmt.Sprintf("filter system calls, by %d instructions", len(c.filter.Program)))
	code := c.constant(program)
	header := binary.LittleEndian.AppendUint64(nil, uint64(len(c.filter.Program))) // struct sock_fprog
	header = append(header, make([]byte, 8)...)
	fprog := c.object(Object{Kind: Struct, Bytes: header, Pointers: []Pointer{{8, code.Ref}}})
	c.call(unix.SYS_SECCOMP, imm(unix.SECCOMP_SET_MODE_FILTER), imm(c.filter.Flags), addr(fprog))
	if c.filterNeedsAdmin() {
		c.dropAdmin()
	}
}
