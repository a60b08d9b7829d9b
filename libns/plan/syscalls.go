package plan

import (
	"encoding/binary"
	"fmt"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"

	"rt/spec"
)

// writes reports whether the kernel writes to the memory that argument arg of
// op points to. Memory that only some uses of a call are written to (the third
// argument of ioctl) is not meant.
func writes(op Op, arg int) bool {
	switch op {
	case unix.SYS_GETCWD, unix.SYS_PIPE2:
		return arg == 0
	case unix.SYS_READ, unix.SYS_FSTAT, unix.SYS_STATFS, unix.SYS_FSTATFS,
		unix.SYS_CLOCK_GETTIME, unix.SYS_WAIT4, unix.SYS_RECVMSG:
		return arg == 1
	case unix.SYS_READLINKAT:
		return arg == 2
	case unix.SYS_PRLIMIT64, unix.SYS_SOCKETPAIR:
		return arg == 3
	case unix.SYS_STATX:
		return arg == 4
	case unix.SYS_RECVFROM:
		return arg == 1 || arg >= 4
	}
	return false
}

// signature says how a system call is printed.
type signature struct {
	name string
	args []format                  // how each argument is; further ones are left out while they are 0
	all  func(c callView) []string // instead of args, where they depend on each other
}

// format gives one argument of a call the way a person would write it.
type format func(c callView, arg int) string

// The formats that most arguments have.
func number(c callView, i int) string   { return c.value(i, formatNumber) }
func hex(c callView, i int) string      { return c.value(i, formatHex) }
func fd(c callView, i int) string       { return c.value(i, formatFD) }
func id(c callView, i int) string       { return c.value(i, formatID) }
func mode(c callView, i int) string     { return c.value(i, formatMode) }
func fileMode(c callView, i int) string { return c.value(i, formatFileMode) }
func device(c callView, i int) string   { return c.value(i, formatDevice) }
func signal(c callView, i int) string   { return c.value(i, formatSignal) }

// arg is the format of an argument that is a word of flags.
func (set flagSet) arg(c callView, i int) string { return c.value(i, set.format) }

// arg is the format of an argument that is one of some named numbers.
func (e enum) arg(c callView, i int) string { return c.value(i, e.format) }

func valueFormat(f func(uint64) string) format {
	return func(c callView, i int) string { return c.value(i, f) }
}

// memory is the format of a pointer: the text there, or the place's name.
func memory(c callView, i int) string { return c.value(i, formatPointer) }

func formatPointer(v uint64) string {
	if v == 0 {
		return "NULL"
	}
	return formatHex(v)
}

// signatureOf describes the system calls that plans are made of. The second
// result is false for any other.
func signatureOf(op Op) (signature, bool) {
	s := signatures(op)
	return s, s.name != ""
}

// signatures is a switch rather than a map: a map would be built at every start
// of the program, and is needed only when something is printed.
func signatures(op Op) signature {
	switch op {
	// files
	case unix.SYS_READ:
		return signature{name: "read", args: []format{fd, memory, number}}
	case unix.SYS_WRITE:
		return signature{name: "write", all: writeArgs}
	case unix.SYS_CLOSE:
		return signature{name: "close", args: []format{fd}}
	case unix.SYS_CLOSE_RANGE:
		return signature{name: "close_range", args: []format{fd, valueFormat(formatLastFD), closeRangeFlags.arg}}
	case unix.SYS_DUP3:
		return signature{name: "dup3", args: []format{fd, fd, valueFormat(formatOpenFlagsOnly)}}
	case unix.SYS_FCNTL:
		return signature{name: "fcntl", args: []format{fd, fcntlCommands.arg, number}}
	case unix.SYS_PIPE2:
		return signature{name: "pipe2", args: []format{memory, valueFormat(formatOpenFlagsOnly)}}
	case unix.SYS_OPENAT:
		return signature{name: "openat", all: openatArgs}
	case unix.SYS_OPENAT2:
		return signature{name: "openat2", args: []format{fd, memory, openHowArg, omitted}}
	case unix.SYS_MKDIRAT:
		return signature{name: "mkdirat", args: []format{fd, memory, mode}}
	case unix.SYS_MKNODAT:
		return signature{name: "mknodat", args: []format{fd, memory, fileMode, device}}
	case unix.SYS_SYMLINKAT:
		return signature{name: "symlinkat", args: []format{memory, fd, memory}}
	case unix.SYS_LINKAT:
		return signature{name: "linkat", args: []format{fd, memory, fd, memory, atFlags.arg}}
	case unix.SYS_READLINKAT:
		return signature{name: "readlinkat", args: []format{fd, memory, memory, number}}
	case unix.SYS_UNLINKAT:
		return signature{name: "unlinkat", args: []format{fd, memory, unlinkFlags.arg}}
	case unix.SYS_FCHOWNAT:
		return signature{name: "fchownat", args: []format{fd, memory, id, id, atFlags.arg}}
	case unix.SYS_FCHOWN:
		return signature{name: "fchown", args: []format{fd, id, id}}
	case unix.SYS_FCHMODAT:
		return signature{name: "fchmodat", args: []format{fd, memory, mode}}
	case unix.SYS_FCHMOD:
		return signature{name: "fchmod", args: []format{fd, mode}}
	case unix.SYS_FSETXATTR:
		return signature{name: "fsetxattr", args: []format{fd, memory, memory, number, hex}}
	case unix.SYS_FTRUNCATE:
		return signature{name: "ftruncate", args: []format{fd, number}}
	case unix.SYS_FACCESSAT2:
		return signature{name: "faccessat2", args: []format{fd, memory, accessModes.arg, accessFlags.arg}}
	case unix.SYS_FSTAT:
		return signature{name: "fstat", args: []format{fd, memory}}
	case unix.SYS_STATX:
		return signature{name: "statx", args: []format{fd, memory, atFlags.arg, statxMasks.arg, memory}}
	case unix.SYS_STATFS:
		return signature{name: "statfs", args: []format{memory, memory}}
	case unix.SYS_FSTATFS:
		return signature{name: "fstatfs", args: []format{fd, memory}}
	case unix.SYS_CHDIR:
		return signature{name: "chdir", args: []format{memory}}
	case unix.SYS_FCHDIR:
		return signature{name: "fchdir", args: []format{fd}}
	case unix.SYS_CHROOT:
		return signature{name: "chroot", args: []format{memory}}
	case unix.SYS_GETCWD:
		return signature{name: "getcwd", args: []format{memory, number}}
	case unix.SYS_UMASK:
		return signature{name: "umask", args: []format{mode}}
	case unix.SYS_IOCTL:
		return signature{name: "ioctl", all: ioctlArgs}
	case unix.SYS_MMAP:
		return signature{name: "mmap", args: []format{memory, number, protections.arg, mapFlags.arg, fd, number}}

	// mounts
	case unix.SYS_MOUNT:
		return signature{name: "mount", args: []format{memory, memory, memory, mountFlags.arg, memory}}
	case unix.SYS_UMOUNT2:
		return signature{name: "umount2", args: []format{memory, umountFlags.arg}}
	case unix.SYS_PIVOT_ROOT:
		return signature{name: "pivot_root", args: []format{memory, memory}}
	case unix.SYS_OPEN_TREE:
		return signature{name: "open_tree", args: []format{fd, memory, openTreeFlags.arg}}
	case unix.SYS_MOVE_MOUNT:
		return signature{name: "move_mount", args: []format{fd, memory, fd, memory, moveMountFlags.arg}}
	case unix.SYS_FSOPEN:
		return signature{name: "fsopen", args: []format{memory, fsopenFlags.arg}}
	case unix.SYS_FSCONFIG:
		return signature{name: "fsconfig", all: fsconfigArgs}
	case unix.SYS_FSMOUNT:
		return signature{name: "fsmount", args: []format{fd, fsmountFlags.arg, mountAttributes.arg}}
	case unix.SYS_FSPICK:
		return signature{name: "fspick", args: []format{fd, memory, fspickFlags.arg}}
	case unix.SYS_MOUNT_SETATTR:
		return signature{name: "mount_setattr", args: []format{fd, memory, atFlags.arg, mountAttrArg, omitted}}

	// namespaces and names
	case unix.SYS_UNSHARE:
		return signature{name: "unshare", args: []format{cloneFlags.arg}}
	case unix.SYS_SETNS:
		return signature{name: "setns", args: []format{fd, cloneFlags.arg}}
	case unix.SYS_SETHOSTNAME:
		return signature{name: "sethostname", args: []format{memory, number}}
	case unix.SYS_SETDOMAINNAME:
		return signature{name: "setdomainname", args: []format{memory, number}}

	// processes
	case unix.SYS_PIDFD_SEND_SIGNAL:
		return signature{name: "pidfd_send_signal", args: []format{fd, number, memory, number}}
	case unix.SYS_CLONE:
		return signature{name: "clone", args: []format{valueFormat(formatClone)}}
	case unix.SYS_EXECVE:
		return signature{name: "execve", args: []format{memory, stringsArg, environmentArg}}
	case unix.SYS_EXIT_GROUP:
		return signature{name: "exit_group", args: []format{number}}
	case unix.SYS_WAIT4:
		return signature{name: "wait4", args: []format{number, memory, number}}
	case unix.SYS_KILL:
		return signature{name: "kill", args: []format{number, signal}}
	case unix.SYS_GETPID:
		return signature{name: "getpid"}
	case unix.SYS_SETSID:
		return signature{name: "setsid"}
	case unix.SYS_PRCTL:
		return signature{name: "prctl", all: prctlArgs}
	case unix.SYS_PRLIMIT64:
		return signature{name: "prlimit64", args: []format{number, rlimitNames.arg, rlimitArg, memory}}
	case unix.SYS_PERSONALITY:
		return signature{name: "personality", args: []format{personalities.arg}}
	case unix.SYS_SCHED_SETATTR:
		return signature{name: "sched_setattr", args: []format{number, schedAttrArg, number}}
	case unix.SYS_SCHED_SETAFFINITY:
		return signature{name: "sched_setaffinity", args: []format{number, number, maskArg}}
	case unix.SYS_IOPRIO_SET:
		return signature{name: "ioprio_set", args: []format{ioTargets.arg, number, valueFormat(formatIOPriority)}}
	case unix.SYS_SET_MEMPOLICY:
		return signature{name: "set_mempolicy", args: []format{valueFormat(formatMemoryPolicy), maskArg, number}}
	case unix.SYS_CLOCK_GETTIME:
		return signature{name: "clock_gettime", args: []format{clocks.arg, memory}}

	// rights
	case unix.SYS_CAPSET:
		return signature{name: "capset", args: []format{omitted, capabilitiesArg}}
	case unix.SYS_SETRESUID:
		return signature{name: "setresuid", args: []format{id, id, id}}
	case unix.SYS_SETRESGID:
		return signature{name: "setresgid", args: []format{id, id, id}}
	case unix.SYS_SETGROUPS:
		return signature{name: "setgroups", args: []format{number, groupsArg}}
	case unix.SYS_SECCOMP:
		return signature{name: "seccomp", args: []format{seccompOperations.arg, seccompFlags.arg, structArg}}
	case unix.SYS_KEYCTL:
		return signature{name: "keyctl", args: []format{keyctlOps.arg, memory}}

	// sockets
	case unix.SYS_SOCKET:
		return signature{name: "socket", args: []format{socketDomains.arg, valueFormat(formatSocketType), number}}
	case unix.SYS_SOCKETPAIR:
		return signature{name: "socketpair", args: []format{socketDomains.arg, valueFormat(formatSocketType), number, memory}}
	case unix.SYS_CONNECT:
		return signature{name: "connect", args: []format{fd, structArg, number}}
	case unix.SYS_SENDMSG:
		return signature{name: "sendmsg", args: []format{fd, messageArg, messageFlags.arg}}
	case unix.SYS_RECVMSG:
		return signature{name: "recvmsg", args: []format{fd, structArg, messageFlags.arg}}
	case unix.SYS_RECVFROM:
		return signature{name: "recvfrom", args: []format{fd, memory, number, messageFlags.arg}}
	}
	return signature{}
}

// String is the name of the system call, or of the interpreter's own operation.
func (o Op) String() string {
	switch o {
	case OpIs:
		return "is"
	case OpIsNot:
		return "is not"
	case OpSet:
		return "set"
	}
	if s, ok := signatureOf(o); ok {
		return s.name
	}
	return "syscall_" + strconv.Itoa(int(o))
}

// ---- calls whose arguments depend on each other ----

func openatArgs(c callView) []string {
	args := []string{fd(c, 0), memory(c, 1), c.value(2, formatOpenFlags)}
	if v, ok := c.immediate(2); ok && v&(unix.O_CREAT|unix.O_TMPFILE&^unix.O_DIRECTORY) != 0 {
		args = append(args, mode(c, 3))
	}
	return args
}

// formatOpenFlagsOnly is for calls that take O_CLOEXEC but no access mode.
func formatOpenFlagsOnly(v uint64) string { return openFlags.format(v) }

// writeArgs shows what is written: a text by the length that is given, or a
// message to the parent by its meaning.
func writeArgs(c callView) []string {
	length, _ := c.immediate(2)
	o, ok := c.object(1)
	switch {
	case ok && o.Kind == Text && int(length) == len(o.Bytes)-1:
		return []string{fd(c, 0), memory(c, 1)}
	case ok && o.Kind == Struct:
		return []string{fd(c, 0), c.message(1)}
	}
	return []string{fd(c, 0), memory(c, 1), number(c, 2)}
}

func ioctlArgs(c callView) []string {
	args := []string{fd(c, 0), ioctlRequests.arg(c, 1)}
	request, _ := c.immediate(1)
	b, isStruct := c.bytes(2)
	switch {
	case !isStruct:
		args = append(args, number(c, 2))
	case request == unix.SIOCSIFFLAGS && len(b) >= unix.IFNAMSIZ+2:
		name, _, _ := strings.Cut(string(b[:unix.IFNAMSIZ]), "\x00")
		flags := binary.LittleEndian.Uint16(b[unix.IFNAMSIZ:])
		args = append(args, fmt.Sprintf("{%q, %s}", name, interfaceFlags.format(uint64(flags))))
	case request == unix.TIOCSPTLCK && len(b) >= 4:
		args = append(args, fmt.Sprintf("[%d]", int32(binary.LittleEndian.Uint32(b))))
	case request == unix.TIOCSWINSZ && len(b) >= 4:
		args = append(args, fmt.Sprintf("{rows=%d, columns=%d}", binary.LittleEndian.Uint16(b), binary.LittleEndian.Uint16(b[2:])))
	default:
		args = append(args, structArg(c, 2))
	}
	return args
}

// fsconfigArgs leaves the command out where key and value tell it.
func fsconfigArgs(c callView) []string {
	command, _ := c.immediate(1)
	switch command {
	case unix.FSCONFIG_SET_FLAG:
		return []string{fd(c, 0), memory(c, 2)}
	case unix.FSCONFIG_SET_STRING:
		return []string{fd(c, 0), memory(c, 2), memory(c, 3)}
	case unix.FSCONFIG_SET_FD:
		return []string{fd(c, 0), fsconfigCommands.arg(c, 1), memory(c, 2), fd(c, 4)}
	case unix.FSCONFIG_SET_BINARY, unix.FSCONFIG_SET_PATH, unix.FSCONFIG_SET_PATH_EMPTY:
		return []string{fd(c, 0), fsconfigCommands.arg(c, 1), memory(c, 2), memory(c, 3), number(c, 4)}
	}
	return []string{fd(c, 0), fsconfigCommands.arg(c, 1)}
}

func prctlArgs(c callView) []string {
	option, _ := c.immediate(0)
	args := []string{prctlOptions.arg(c, 0)}
	switch option {
	case unix.PR_CAPBSET_DROP, unix.PR_CAPBSET_READ:
		return append(args, c.value(1, formatCapability))
	case unix.PR_CAP_AMBIENT:
		args = append(args, ambientCommands.arg(c, 1))
		if command, _ := c.immediate(1); command != unix.PR_CAP_AMBIENT_CLEAR_ALL {
			args = append(args, c.value(2, formatCapability))
		}
		return args
	case unix.PR_SET_PDEATHSIG:
		return append(args, signal(c, 1))
	case unix.PR_SET_SECUREBITS, unix.PR_SET_MDWE:
		return append(args, hex(c, 1))
	case unix.PR_SET_NAME:
		return append(args, memory(c, 1))
	}
	return append(args, number(c, 1))
}

// ---- structures ----

// omitted is for the size of a structure that is printed, and the like.
func omitted(callView, int) string { return "" }

// structArg is a structure that has no form of its own: its size.
func structArg(c callView, i int) string {
	if b, ok := c.bytes(i); ok {
		return fmt.Sprintf("{%d bytes}", len(b))
	}
	return memory(c, i)
}

// field is one member of a printed structure; zero ones are left out.
type field struct {
	name  string
	value uint64
	how   func(uint64) string
}

func formatFields(fields ...field) string {
	var parts []string
	for _, f := range fields {
		if f.value != 0 {
			parts = append(parts, f.name+"="+f.how(f.value))
		}
	}
	return "{" + strings.Join(parts, ", ") + "}"
}

func openHowArg(c callView, i int) string {
	b, ok := c.bytes(i)
	if !ok || len(b) < 24 {
		return structArg(c, i)
	}
	flags, mode, resolve := word64(b, 0), word64(b, 1), word64(b, 2)
	how := "flags=" + formatOpenFlags(flags)
	if mode != 0 {
		how += ", mode=" + formatMode(mode)
	}
	if resolve != 0 {
		how += ", resolve=" + resolveFlags.format(resolve)
	}
	return "{" + how + "}"
}

func mountAttrArg(c callView, i int) string {
	b, ok := c.bytes(i)
	if !ok || len(b) < 32 {
		return structArg(c, i)
	}
	return formatFields(
		field{"attr_set", word64(b, 0), mountAttributes.format},
		field{"attr_clr", word64(b, 1), mountAttributes.format},
		field{"propagation", word64(b, 2), mountFlags.format},
		field{"userns_fd", word64(b, 3), formatNumber},
	)
}

func rlimitArg(c callView, i int) string {
	b, ok := c.bytes(i)
	if !ok || len(b) < 16 {
		return memory(c, i)
	}
	return fmt.Sprintf("{soft=%s, hard=%s}", limit(word64(b, 0)), limit(word64(b, 1)))
}

// capabilitiesArg is the data of capset(2), version 3: the lower and the upper
// halves of three sets.
func capabilitiesArg(c callView, i int) string {
	b, ok := c.bytes(i)
	if !ok || len(b) < 24 {
		return structArg(c, i)
	}
	set := func(n int) uint64 {
		return uint64(binary.LittleEndian.Uint32(b[4*n:])) | uint64(binary.LittleEndian.Uint32(b[12+4*n:]))<<32
	}
	return fmt.Sprintf("{effective=%s, permitted=%s, inheritable=%s}",
		formatCapabilities(set(0)), formatCapabilities(set(1)), formatCapabilities(set(2)))
}

func formatCapabilities(set uint64) string {
	if set == 0 {
		return "0"
	}
	var names []string
	for n := uint64(0); n < 64; n++ {
		if set&(1<<n) != 0 {
			names = append(names, formatCapability(n))
		}
	}
	return strings.Join(names, "|")
}

func formatCapability(n uint64) string {
	if names := spec.CapabilityNames(); n < uint64(len(names)) {
		return names[n]
	}
	return formatNumber(n)
}

func groupsArg(c callView, i int) string {
	b, ok := c.bytes(i)
	if !ok {
		return memory(c, i)
	}
	var groups []string
	for ; len(b) >= 4; b = b[4:] {
		groups = append(groups, strconv.FormatUint(uint64(binary.LittleEndian.Uint32(b)), 10))
	}
	return "[" + strings.Join(groups, ", ") + "]"
}

// stringsArg is an array of pointers to strings: argv.
func stringsArg(c callView, i int) string {
	o, ok := c.object(i)
	if !ok || len(o.Pointers) == 0 {
		return memory(c, i)
	}
	var texts []string
	for _, p := range o.Pointers {
		texts = append(texts, c.p.place(p.To))
	}
	return "[" + strings.Join(texts, ", ") + "]"
}

// environmentArg is envp. Only the names are shown: values may be secrets, and
// calls are quoted in error messages and logs.
func environmentArg(c callView, i int) string {
	o, ok := c.object(i)
	if !ok || o.Kind != Struct {
		return memory(c, i)
	}
	var names []string
	for _, p := range o.Pointers {
		names = append(names, c.p.variable(p.To))
	}
	return "{" + strings.Join(names, ", ") + "}"
}

// variable is the name of the environment variable at r.
func (p *Plan) variable(r Ref) string {
	if text, ok := p.textAt(r); ok {
		name, _, _ := strings.Cut(text, "=")
		return printable(name)
	}
	return p.place(r)
}

// messageArg is a message with descriptors to the parent.
func messageArg(c callView, i int) string {
	header, ok := c.object(i)
	if !ok || len(header.Pointers) != 2 {
		return structArg(c, i)
	}
	iov := &c.p.Objects[header.Pointers[0].To.Object]
	if len(iov.Pointers) != 1 {
		return structArg(c, i)
	}
	text := c.p.messageAt(iov.Pointers[0].To)
	if sent := c.sent(header.Pointers[1].To); len(sent) > 0 {
		text += " with " + strings.Join(sent, ", ")
	}
	return text
}

// sent names the words whose values earlier calls of the step put into rights.
func (c callView) sent(rights Ref) []string {
	var names []string
	for i := c.index - 1; i >= 0; i-- {
		earlier := &c.p.Calls[i]
		if earlier.Op != OpSet || earlier.Result.Object != rights.Object {
			break
		}
		names = append([]string{callView{c.p, i}.value(0, formatFD)}, names...)
	}
	return names
}

// message is what the init stage tells the parent with argument i.
func (c callView) message(i int) string { return c.p.messageAt(c.arg(i).Ref()) }

func (p *Plan) messageAt(r Ref) string {
	m, _, ok := ParseMessage(p.Objects[r.Object].Bytes)
	if !ok {
		return p.place(r)
	}
	switch m.Kind {
	case MessageBarrier:
		return fmt.Sprintf("message barrier %d", m.Index)
	case MessageAssist:
		return fmt.Sprintf("message assist %d", m.Index)
	case MessageFailure:
		return "message failure"
	case MessageForked:
		return "message forked"
	}
	return p.place(r)
}

func word64(b []byte, n int) uint64 { return binary.LittleEndian.Uint64(b[8*n:]) }
