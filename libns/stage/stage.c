//go:build ignore
// (The line above keeps `go build` from compiling this file where cgo is on.)

/*
 * The init stage: everything of rt that runs inside a container before the
 * user's program does.
 *
 * It is the text of a static ELF image whose other parts (the program below,
 * constants, writable memory) package stage assembles from a plan. It decides
 * nothing, allocates nothing, calls no library and has no data of its own.
 * It makes one call after the other, until an execve succeeds or a call fails
 * in a way that the program does not provide for.
 *
 * The machine code in text_amd64.go and text_arm64.go is this file, compiled
 * by generate.go (`make stage`); a test holds that it still is.
 */

#if defined(__x86_64__)

enum { SYS_read = 0, SYS_write = 1, SYS_exit_group = 231 };

static long system_call(long number, const long a[6])
{
	long result;
	register long a3 __asm__("r10") = a[3];
	register long a4 __asm__("r8") = a[4];
	register long a5 __asm__("r9") = a[5];
	__asm__ volatile("syscall"
			 : "=a"(result)
			 : "0"(number), "D"(a[0]), "S"(a[1]), "d"(a[2]), "r"(a3), "r"(a4), "r"(a5)
			 : "rcx", "r11", "memory");
	return result;
}

#elif defined(__aarch64__)

enum { SYS_read = 63, SYS_write = 64, SYS_exit_group = 94 };

static long system_call(long number, const long a[6])
{
	register long x8 __asm__("x8") = number;
	register long x0 __asm__("x0") = a[0];
	register long x1 __asm__("x1") = a[1];
	register long x2 __asm__("x2") = a[2];
	register long x3 __asm__("x3") = a[3];
	register long x4 __asm__("x4") = a[4];
	register long x5 __asm__("x5") = a[5];
	__asm__ volatile("svc 0"
			 : "+r"(x0)
			 : "r"(x8), "r"(x1), "r"(x2), "r"(x3), "r"(x4), "r"(x5)
			 : "memory");
	return x0;
}

#endif

/* The numbers that layout.go and package plan state too. */
enum {
	PROGRAM = 0x411000,               /* address of the program */
	IS = 0xfff0, IS_NOT = 0xfff1, SET = 0xfff2, /* operations that are no system calls */
	ANY_ERROR = 0xffff,
	OUTCOMES = 4,
	HEAD = 16, LONGEST_REPORT = 512,  /* bytes */
	EINTR = 4, LAST_ERROR = 4095,
};

/* A 64-bit word of the program's memory. It may be unaligned: descriptors are
 * put together in control messages 4 bytes apart. */
typedef long word __attribute__((aligned(1), may_alias));

struct call {
	int argument[6];           /* a value, or the address of the word that has it ... */
	unsigned result;           /* address of the word for the result, or 0 */
	unsigned log;              /* address of the word with an fs-context descriptor, or 0 */
	int success;               /* the call to go on with */
	unsigned short op;         /* number of the system call, IS, IS_NOT or SET */
	unsigned char contents;    /* ... if its bit is set here */
	unsigned char unused;
	unsigned short error[OUTCOMES]; /* on this error ... (0: none) */
	int target[OUTCOMES];      /* ... go on with this call; negative: fail */
};

struct report {
	int kind;                  /* already there */
	int call;
	int error;
	int zero;
	char text[LONGEST_REPORT - HEAD];
};

struct program {
	unsigned report;           /* address of a struct report */
	unsigned report_fd;        /* address of the word with the descriptor it goes to */
	unsigned unused[14];
	struct call call[];
};

static word *at(long address)
{
	return (word *)address;
}

/* The call's result, or an error as a small negative number. */
static long carry_out(const struct call *c, const long a[6])
{
	switch (c->op) {
	case IS:
		return (a[0] & a[1]) == a[2] ? 0 : -a[3];
	case IS_NOT:
		return (a[0] & a[1]) != a[2] ? 0 : -a[3];
	default:
		return system_call(c->op, a);
	}
}

/* Says which call failed and why, with what the kernel itself has to say about
 * it: each read of an fs-context gives one message, and an error in the end. */
static void fail(const struct program *p, int call, int error)
{
	struct report *r = (struct report *)at(p->report);
	long size = HEAD;
	r->call = call;
	r->error = error;
	if (p->call[call].log) {
		long n;
		do {
			long a[6] = { *at(p->call[call].log), (long)r + size, LONGEST_REPORT - size };
			n = system_call(SYS_read, a);
			if (n > 0)
				size += n;
		} while (n > 0);
	}
	long a[6] = { *at(p->report_fd), (long)r, size };
	system_call(SYS_write, a);
	long status[6] = { 1 };
	system_call(SYS_exit_group, status);
	/* A seccomp filter may forbid even that. The kernel does not let anything
	 * live on that executes no instruction, the first process of a pid
	 * namespace included. */
	__builtin_trap();
}

/* Where to go on after an error. An interrupted call is made again, unless the
 * program says by name what to do about it. */
static int after_error(const struct call *c, int call, int error)
{
	for (int i = 0; i < OUTCOMES; i++)
		if (c->error[i] == error || (c->error[i] == ANY_ERROR && error != EINTR))
			return c->target[i];
	return error == EINTR ? call : -1;
}

/* The kernel starts the process here. After a clone call there are two that go
 * on from the same place: nothing is kept but in memory that both have. */
__attribute__((noreturn)) void _start(void)
{
	const struct program *p = (const struct program *)at(PROGRAM);
	int next = 0;
	for (;;) {
		const struct call *c = &p->call[next];
		long a[6], result;
		for (int i = 0; i < 6; i++)
			a[i] = c->contents >> i & 1 ? *at(c->argument[i]) : c->argument[i];
		if (c->op == SET) {
			result = a[0];
		} else {
			result = carry_out(c, a);
			if (result < 0 && result >= -LAST_ERROR) {
				int to = after_error(c, next, -result);
				if (to < 0)
					fail(p, next, -result);
				next = to;
				continue;
			}
		}
		if (c->result)
			*at(c->result) = result;
		next = c->success;
	}
}
