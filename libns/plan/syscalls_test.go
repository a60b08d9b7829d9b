package plan

import (
	"encoding/binary"
	"testing"

	"golang.org/x/sys/unix"
)

// printer is a builder with one open step, for printing single calls.
func printer() *builder {
	b := newBuilder(64)
	b.control = b.preset("control", 3)
	b.step("", "step")
	return b
}

func structOf(values ...any) []byte {
	var out []byte
	for _, v := range values {
		out, _ = binary.Append(out, binary.LittleEndian, v)
	}
	return out
}

func TestCallsArePrintedLikeStrace(t *testing.T) {
	minusOne := imm(^uint32(0))
	cases := []struct {
		want string
		call func(b *builder)
	}{
		// every kind of argument
		{`close(7)`, func(b *builder) { b.call(unix.SYS_CLOSE, imm(7)) }},
		{`close(-1)`, func(b *builder) { b.call(unix.SYS_CLOSE, imm(-1)) }},
		{`close(root)`, func(b *builder) { b.call(unix.SYS_CLOSE, load(b.word("root"))) }},
		{`chdir("/a \"b\"\n")`, func(b *builder) { b.call(unix.SYS_CHDIR, b.str("/a \"b\"\n")) }},
		{`chdir("/b")`, func(b *builder) { b.call(unix.SYS_CHDIR, addr(b.text("/a/b").At(2))) }},
		{`chdir(exe)`, func(b *builder) { b.call(unix.SYS_CHDIR, load(b.word("exe"))) }},
		{`chdir(NULL)`, func(b *builder) { b.call(unix.SYS_CHDIR, null) }},
		{`getcwd(cwd+8, 100)`, func(b *builder) { b.call(unix.SYS_GETCWD, addr(b.buffer("cwd", 128).At(8)), imm(100)) }},
		{`pipe2(&w, O_CLOEXEC)`, func(b *builder) { b.call(unix.SYS_PIPE2, addr(b.word("w")), imm(unix.O_CLOEXEC)) }},
		{`umask(022)`, func(b *builder) { b.call(unix.SYS_UMASK, imm(0o22)) }},

		// files
		{`openat(AT_FDCWD, "/x", O_RDONLY)`, func(b *builder) { b.call(unix.SYS_OPENAT, cwdFD, b.str("/x"), imm(0), imm(0)) }},
		{`openat(AT_FDCWD, "/x", O_PATH|O_CLOEXEC)`, func(b *builder) {
			b.call(unix.SYS_OPENAT, cwdFD, b.str("/x"), imm(unix.O_PATH|unix.O_CLOEXEC), imm(0))
		}},
		{`openat(AT_FDCWD, "/x", O_WRONLY|O_CREAT|O_EXCL, 0600)`, func(b *builder) {
			b.call(unix.SYS_OPENAT, cwdFD, b.str("/x"), imm(unix.O_WRONLY|unix.O_CREAT|unix.O_EXCL), imm(0o600))
		}},
		{`openat2(root, "a", {flags=O_RDWR|O_NOFOLLOW, mode=0644, resolve=RESOLVE_IN_ROOT|RESOLVE_NO_XDEV})`, func(b *builder) {
			how := b.constant(openHow(unix.O_RDWR|unix.O_NOFOLLOW, 0o644, unix.RESOLVE_IN_ROOT|unix.RESOLVE_NO_XDEV))
			b.call(unix.SYS_OPENAT2, load(b.word("root")), b.str("a"), how, imm(sizeofOpenHow))
		}},
		{`mknodat(d, "null", S_IFCHR|0666, makedev(1, 3))`, func(b *builder) {
			b.call(unix.SYS_MKNODAT, load(b.word("d")), b.str("null"), imm(unix.S_IFCHR|0o666), imm(unix.Mkdev(1, 3)))
		}},
		{`mknodat(d, "file", S_IFREG|0755, 0)`, func(b *builder) {
			b.call(unix.SYS_MKNODAT, load(b.word("d")), b.str("file"), imm(unix.S_IFREG|0o755), imm(0))
		}},
		{`fchownat(d, "", 0, -1, AT_EMPTY_PATH)`, func(b *builder) {
			b.call(unix.SYS_FCHOWNAT, load(b.word("d")), b.str(""), imm(0), minusOne, imm(unix.AT_EMPTY_PATH))
		}},
		{`faccessat2(AT_FDCWD, "/x", X_OK, AT_EACCESS)`, func(b *builder) {
			b.call(unix.SYS_FACCESSAT2, cwdFD, b.str("/x"), imm(unix.X_OK), imm(unix.AT_EACCESS))
		}},
		{`write(t, "100")`, func(b *builder) { b.call(unix.SYS_WRITE, load(b.word("t")), b.str("100"), imm(3)) }},
		{`write(t, "100", 2)`, func(b *builder) { b.call(unix.SYS_WRITE, load(b.word("t")), b.str("100"), imm(2)) }},
		{`write(control, message barrier 2)`, func(b *builder) { b.announce(MessageBarrier, 2, nil) }},
		{`close_range(3, ~0, CLOSE_RANGE_CLOEXEC)`, func(b *builder) {
			b.call(unix.SYS_CLOSE_RANGE, imm(3), minusOne, imm(unix.CLOSE_RANGE_CLOEXEC))
		}},
		{`fcntl(t, F_DUPFD_CLOEXEC, 0)`, func(b *builder) { b.call(unix.SYS_FCNTL, load(b.word("t")), imm(unix.F_DUPFD_CLOEXEC), imm(0)) }},
		{`ioctl(t, SIOCSIFFLAGS, {"lo", IFF_UP|IFF_RUNNING})`, func(b *builder) {
			request := append(append([]byte("lo"), make([]byte, 14)...), structOf(uint16(unix.IFF_UP|unix.IFF_RUNNING), make([]byte, 22))...)
			b.call(unix.SYS_IOCTL, load(b.word("t")), imm(unix.SIOCSIFFLAGS), b.constant(request))
		}},
		{`ioctl(t, TIOCSPTLCK, [0])`, func(b *builder) {
			b.call(unix.SYS_IOCTL, load(b.word("t")), imm(unix.TIOCSPTLCK), b.constant(make([]byte, 4)))
		}},
		{`ioctl(t, TIOCSWINSZ, {rows=24, columns=80})`, func(b *builder) {
			b.call(unix.SYS_IOCTL, load(b.word("t")), imm(unix.TIOCSWINSZ), b.constant(winsize(24, 80)))
		}},

		// mounts
		{`mount(NULL, "/", NULL, MS_SLAVE|MS_REC, NULL)`, func(b *builder) {
			b.call(unix.SYS_MOUNT, null, b.str("/"), null, imm(unix.MS_SLAVE|unix.MS_REC), null)
		}},
		{`mount("a", "/b", "ext4", MS_RDONLY|0x40000000, "x=1")`, func(b *builder) {
			b.call(unix.SYS_MOUNT, b.str("a"), b.str("/b"), b.str("ext4"), imm(unix.MS_RDONLY|1<<30), b.str("x=1"))
		}},
		{`umount2(".", MNT_DETACH)`, func(b *builder) { b.call(unix.SYS_UMOUNT2, b.str("."), imm(unix.MNT_DETACH)) }},
		{`fsconfig(fs, "size", "64m")`, func(b *builder) { b.configure(b.word("fs"), "size", "64m", true) }},
		{`fsconfig(fs, "ro")`, func(b *builder) { b.configure(b.word("fs"), "ro", "", false) }},
		{`fsconfig(fs, FSCONFIG_SET_FD, "source", t)`, func(b *builder) {
			b.call(unix.SYS_FSCONFIG, load(b.word("fs")), imm(unix.FSCONFIG_SET_FD), b.str("source"), null, load(b.word("t")))
		}},
		{`fsconfig(fs, FSCONFIG_CMD_CREATE)`, func(b *builder) {
			b.call(unix.SYS_FSCONFIG, load(b.word("fs")), imm(unix.FSCONFIG_CMD_CREATE), null, null, imm(0))
		}},
		{`fsmount(fs, FSMOUNT_CLOEXEC, MOUNT_ATTR_RDONLY|MOUNT_ATTR_NOATIME)`, func(b *builder) {
			b.call(unix.SYS_FSMOUNT, load(b.word("fs")), imm(unix.FSMOUNT_CLOEXEC), imm(unix.MOUNT_ATTR_RDONLY|unix.MOUNT_ATTR_NOATIME))
		}},
		{`mount_setattr(m, "", AT_EMPTY_PATH|AT_RECURSIVE, {attr_set=MOUNT_ATTR_NOSUID, attr_clr=MOUNT_ATTR__ATIME})`, func(b *builder) {
			b.call(unix.SYS_MOUNT_SETATTR, load(b.word("m")), b.str(""), imm(unix.AT_EMPTY_PATH|unix.AT_RECURSIVE), b.constant(mountAttr(unix.MOUNT_ATTR_NOSUID, unix.MOUNT_ATTR__ATIME, 0)), imm(sizeofMountAttr))
		}},
		{`mount_setattr(m, "", AT_EMPTY_PATH, {propagation=MS_PRIVATE})`, func(b *builder) {
			b.call(unix.SYS_MOUNT_SETATTR, load(b.word("m")), b.str(""), imm(unix.AT_EMPTY_PATH), b.constant(mountAttr(0, 0, unix.MS_PRIVATE)), imm(sizeofMountAttr))
		}},

		// processes
		{`clone(CLONE_PARENT|SIGCHLD)`, func(b *builder) {
			b.call(unix.SYS_CLONE, imm(unix.CLONE_PARENT|int(unix.SIGCHLD)), imm(0), imm(0), imm(0), imm(0))
		}},
		{`unshare(CLONE_NEWNS|CLONE_NEWUTS)`, func(b *builder) { b.call(unix.SYS_UNSHARE, imm(unix.CLONE_NEWNS|unix.CLONE_NEWUTS)) }},
		{`execve("/bin/sh", ["sh", "-c", "exit"], {PATH, SECRET, home})`, func(b *builder) {
			argv := b.pointers([]Ref{b.text("sh"), b.text("-c"), b.text("exit")})
			envp := b.pointers([]Ref{b.text("PATH=/bin"), b.text("SECRET=xyzzy"), b.buffer("home", 64)})
			b.call(unix.SYS_EXECVE, b.str("/bin/sh"), addr(argv), addr(envp))
		}},
		{`execve("/bin/sh", ["sh"], {})`, func(b *builder) {
			b.call(unix.SYS_EXECVE, b.str("/bin/sh"), addr(b.pointers([]Ref{b.text("sh")})), addr(b.pointers(nil)))
		}},
		{`prctl(PR_CAPBSET_DROP, CAP_SYS_ADMIN)`, func(b *builder) {
			b.call(unix.SYS_PRCTL, imm(unix.PR_CAPBSET_DROP), imm(unix.CAP_SYS_ADMIN), imm(0), imm(0), imm(0))
		}},
		{`prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, CAP_KILL)`, func(b *builder) {
			b.call(unix.SYS_PRCTL, imm(unix.PR_CAP_AMBIENT), imm(unix.PR_CAP_AMBIENT_RAISE), imm(unix.CAP_KILL), imm(0), imm(0))
		}},
		{`prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL)`, func(b *builder) {
			b.call(unix.SYS_PRCTL, imm(unix.PR_CAP_AMBIENT), imm(unix.PR_CAP_AMBIENT_CLEAR_ALL), imm(0), imm(0), imm(0))
		}},
		{`prctl(PR_SET_PDEATHSIG, SIGKILL)`, func(b *builder) { b.call(unix.SYS_PRCTL, imm(unix.PR_SET_PDEATHSIG), imm(9)) }},
		{`prctl(12345, 1)`, func(b *builder) { b.call(unix.SYS_PRCTL, imm(12345), imm(1)) }},
		{`capset({effective=CAP_CHOWN|CAP_BPF, permitted=CAP_CHOWN, inheritable=0})`, func(b *builder) {
			data := structOf(uint32(1), uint32(1), uint32(0), uint32(1<<(unix.CAP_BPF-32)), uint32(0), uint32(0))
			b.call(unix.SYS_CAPSET, b.constant(make([]byte, 8)), b.constant(data))
		}},
		{`setgroups(2, [10, 20])`, func(b *builder) {
			b.call(unix.SYS_SETGROUPS, imm(2), b.constant(structOf(uint32(10), uint32(20))))
		}},
		{`setresuid(1000, -1, 0)`, func(b *builder) { b.call(unix.SYS_SETRESUID, imm(1000), minusOne, imm(0)) }},
		{`prlimit64(0, RLIMIT_NOFILE, {soft=1024, hard=unlimited}, NULL)`, func(b *builder) {
			b.call(unix.SYS_PRLIMIT64, imm(0), imm(unix.RLIMIT_NOFILE), b.constant(structOf(uint64(1024), ^uint64(0))), null)
		}},
		{`kill(1, SIGTERM)`, func(b *builder) { b.call(unix.SYS_KILL, imm(1), imm(15)) }},

		// sockets
		{`socket(AF_UNIX, SOCK_SEQPACKET|SOCK_CLOEXEC, 0)`, func(b *builder) {
			b.call(unix.SYS_SOCKET, imm(unix.AF_UNIX), imm(unix.SOCK_SEQPACKET|unix.SOCK_CLOEXEC), imm(0))
		}},
		{`sendmsg(control, message assist 1 with root, dev, 0)`, func(b *builder) {
			b.announce(MessageAssist, 1, []Ref{b.word("root"), b.word("dev")})
		}},

		// what the interpreter does itself
		{`is(n == 0)`, func(b *builder) { b.call(OpIs, load(b.word("n")), imm(^uint64(0)), imm(0), imm(unix.EPIPE)) }},
		{`is(n & 0xf0 != 0x12345)`, func(b *builder) { b.call(OpIsNot, load(b.word("n")), imm(0xf0), imm(0x12345), imm(unix.EPIPE)) }},
		{`is(n == m)`, func(b *builder) {
			b.call(OpIs, load(b.word("n")), imm(^uint64(0)), load(b.word("m")), imm(unix.EPIPE))
		}},
		{`is(stat.mode & S_IFMT == S_IFDIR)`, func(b *builder) { b.fileType(b.buffer("stat", sizeofStatx), unix.S_IFDIR, unix.ENOTDIR) }},
		{`is(stat.rdev == 5:1)`, func(b *builder) { b.rdev(b.buffer("stat", sizeofStatx), 5, 1, unix.ENODEV) }},
		{`fail(ENOENT)`, func(b *builder) { b.fail(unix.ENOENT, "not there") }},
		{`set("/bin/sh")`, func(b *builder) { b.call(OpSet, b.str("/bin/sh")).to(b.word("exe")) }},

		// what nobody thought of
		{`syscall_999(1, "text", {3 bytes}, w)`, func(b *builder) {
			b.call(999, imm(1), b.str("text"), b.constant([]byte("abc")), load(b.word("w")))
		}},
	}
	for _, c := range cases {
		b := printer()
		c.call(b)
		p := b.build()
		if got := p.CallString(len(p.Calls) - 1); got != c.want {
			t.Errorf("got  %s\nwant %s", got, c.want)
		}
	}
}

func TestEffectsArePrinted(t *testing.T) {
	b := printer()
	w, far := b.word("w"), b.label()
	near := b.label()
	b.call(unix.SYS_CLOSE, imm(1)).to(w).then(far).ignore(unix.EBADF).retry(unix.EAGAIN).on(unix.EPERM, near).on(AnyErrno, far)
	b.bind(near)
	b.call(unix.SYS_CLOSE, imm(2)).on(unix.EIO, fail)
	b.call(OpIs, load(w), imm(^uint64(0)), imm(0), imm(unix.EEXIST)).on(unix.EEXIST, far)
	b.call(OpIsNot, load(w), imm(^uint64(0)), imm(0), imm(unix.EEXIST)).then(far)
	b.goTo(far)
	b.fail(unix.ENOENT, "it is not there")
	b.bind(far)
	b.call(OpSet, imm(5)).to(b.p.ReportFD)
	b.call(unix.SYS_READ, imm(4), addr(b.buffer("answer", 8)), imm(1)).to(w)
	b.p.Calls[6].Result = w.At(0)
	p := b.build()
	want := []string{
		"close(1) → w; then call 6; EBADF ok; EAGAIN again; EPERM → next; any error → call 6",
		"close(2); EIO fails",
		"is(w == 0); else call 6",
		"is(w != 0); then call 6; else fail with EEXIST",
		"go on; then call 6",
		"fail(ENOENT): it is not there",
		"set(5) → w",
		"read(4, answer, 1) → w",
	}
	for i := range want {
		if got := p.callLine(i); got != want[i] {
			t.Errorf("call %d: got %q, want %q", i, got, want[i])
		}
	}
}

func TestKernelWritesOnlyToWritableMemory(t *testing.T) {
	if !writes(unix.SYS_READ, 1) || !writes(unix.SYS_STATX, 4) || writes(unix.SYS_WRITE, 1) || writes(unix.SYS_READ, 0) {
		t.Error("wrong about read, statx or write")
	}
	b := printer()
	defer func() {
		if recover() == nil {
			t.Error("a read into constant memory was laid down")
		}
	}()
	b.call(unix.SYS_READ, imm(0), b.constant(make([]byte, 8)), imm(8))
}
