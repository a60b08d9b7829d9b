//go:build ignore

/*
 * floor - the least that `run` of a default container can cost
 *
 * usage: floor ROOTFS CGROUP-PARENT PROGRAM [ARGUMENT...]
 *
 * Asks the kernel for exactly what the default configuration of an OCI runtime asks
 * for, runs PROGRAM in it, waits for it and takes the cgroup away again:
 *
 *   six namespaces (pid, network, ipc, uts, mount, cgroup) in a fresh cgroup of its
 *   own, loopback up, hostname, the root file system bound and made the root, the
 *   seven default mounts, the six default devices, the links in /dev, masked and
 *   read-only paths, a read-only root, one resource limit, three capabilities.
 *
 * It reads no configuration, keeps no state, checks nothing that the kernel does not
 * check, and is a static program without threads. A runtime that does its duty cannot
 * be faster by leaving something out, only by doing it in a cheaper way; so this is
 * what the runtimes' times are compared with. CGROUP-PARENT is a directory of
 * cgroup v2. Needs root and Linux 5.7 (CLONE_INTO_CGROUP).
 *
 * The device rules of the default configuration (a BPF program on the cgroup) are not
 * part of it.
 *
 * Built with -DFLOOR_STEPS it also prints, on standard error, one line for each step:
 * its name, a tab, and what it took in nanoseconds.
 */

#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/sched.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define LENGTH(array) (sizeof(array) / sizeof((array)[0]))

/* fail says what could not be done, and ends the process. */
static void fail(const char *what)
{
	dprintf(2, "floor: %s: %s\n", what, strerror(errno));
	_exit(1);
}

static long check(const char *what, long result)
{
	if (result < 0)
		fail(what);
	return result;
}

/* STEP makes a call, ends the process when it fails, and has the call's result. */
#ifndef FLOOR_STEPS
#define STEP(what, call) check(what, (long)(call))
#else
#define STEP(what, call)                                   \
	({                                                 \
		long long began_ = now();                  \
		long result_ = check(what, (long)(call));  \
		record(what, now() - began_);              \
		result_;                                   \
	})

/* steps is shared with the child, which cannot report anything after execve. */
static struct steps {
	int count;
	struct {
		const char *what;
		long long nanoseconds;
	} step[200];
} *steps;

static long long now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return time.tv_sec * 1000000000LL + time.tv_nsec;
}

static void record(const char *what, long long nanoseconds)
{
	int place = __atomic_fetch_add(&steps->count, 1, __ATOMIC_RELAXED);

	if (place >= (int)LENGTH(steps->step))
		return;
	steps->step[place].what = what;
	steps->step[place].nanoseconds = nanoseconds;
}

__attribute__((constructor)) static void share_steps(void)
{
	steps = mmap(NULL, sizeof(*steps), PROT_READ | PROT_WRITE,
		     MAP_SHARED | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
	if (steps == MAP_FAILED)
		fail("share the step times");
}

/* The strings are constants of the program, hence at the same place in both processes. */
static void print_steps(void)
{
	for (int i = 0; i < steps->count && i < (int)LENGTH(steps->step); i++)
		dprintf(2, "%s\t%lld\n", steps->step[i].what, steps->step[i].nanoseconds);
}
#endif

/* Loopback exists in every new network namespace, but is down. */
static void raise_loopback(void)
{
	struct ifreq request = { .ifr_name = "lo", .ifr_flags = IFF_UP };
	int socket_fd = STEP("socket", socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));

	STEP("raise loopback", ioctl(socket_fd, SIOCSIFFLAGS, &request));
	close(socket_fd);
}

/* Paths are relative to the root file system, which is the working directory. */
static void mount_defaults(void)
{
	const unsigned long locked = MS_NOSUID | MS_NOEXEC | MS_NODEV;

	STEP("mount proc", mount("proc", "proc", "proc", 0, NULL));
	STEP("mount tmpfs on /dev", mount("tmpfs", "dev", "tmpfs", MS_NOSUID | MS_STRICTATIME,
					  "mode=755,size=65536k"));
	mkdir("dev/pts", 0755);
	mkdir("dev/shm", 0755);
	mkdir("dev/mqueue", 0755);
	STEP("mount devpts", mount("devpts", "dev/pts", "devpts", MS_NOSUID | MS_NOEXEC,
				   "newinstance,ptmxmode=0666,mode=0620,gid=5"));
	STEP("mount tmpfs on /dev/shm", mount("shm", "dev/shm", "tmpfs", locked,
					      "mode=1777,size=65536k"));
	STEP("mount mqueue", mount("mqueue", "dev/mqueue", "mqueue", locked, NULL));
	STEP("mount sysfs", mount("sysfs", "sys", "sysfs", locked | MS_RDONLY, NULL));
	STEP("mount cgroup2", mount("cgroup", "sys/fs/cgroup", "cgroup2",
				    locked | MS_RELATIME | MS_RDONLY, NULL));
}

static void make_devices(void)
{
	static const struct {
		const char *path;
		int major, minor;
	} devices[] = {
		{ "dev/null", 1, 3 },   { "dev/zero", 1, 5 },    { "dev/full", 1, 7 },
		{ "dev/random", 1, 8 }, { "dev/urandom", 1, 9 }, { "dev/tty", 5, 0 },
	};
	static const char *const links[][2] = {
		{ "/proc/self/fd", "dev/fd" },        { "/proc/self/fd/0", "dev/stdin" },
		{ "/proc/self/fd/1", "dev/stdout" },  { "/proc/self/fd/2", "dev/stderr" },
		{ "/proc/kcore", "dev/core" },        { "pts/ptmx", "dev/ptmx" },
	};

	umask(0);
	for (size_t i = 0; i < LENGTH(devices); i++)
		STEP("make a device", mknod(devices[i].path, S_IFCHR | 0666,
					    makedev(devices[i].major, devices[i].minor)));
	for (size_t i = 0; i < LENGTH(links); i++)
		STEP("make a link", symlink(links[i][0], links[i][1]));
	umask(022);
}

/* Root and old root are the same directory for a moment, one on top of the other;
 * "." then is the old one, so that no directory is needed to put it on. */
static void change_root(void)
{
	STEP("pivot_root", syscall(SYS_pivot_root, ".", "."));
	STEP("unmount the old root", umount2(".", MNT_DETACH));
	STEP("chdir", chdir("/"));
}

/* hide covers a file with /dev/null, and a directory with an empty file system. To find
 * out which by letting a mount fail would cost a grace period of RCU: what was made for
 * it has to be unmade. */
static void hide(const char *path)
{
	int directory = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);

	if (directory >= 0) {
		check(path, mount("tmpfs", path, "tmpfs", MS_RDONLY, NULL));
		close(directory);
	} else if (errno == ENOTDIR) {
		check(path, mount("/dev/null", path, NULL, MS_BIND, NULL));
	} else if (errno != ENOENT) {
		fail(path);
	}
}

/* protect makes what is at path read-only, by a bind mount of itself. */
static void protect(const char *path)
{
	const unsigned long flags = MS_BIND | MS_REC | MS_REMOUNT | MS_RDONLY;

	if (mount(path, path, NULL, MS_BIND | MS_REC, NULL) < 0) {
		if (errno == ENOENT)
			return;
		fail(path);
	}
	check(path, mount(NULL, path, NULL, flags, NULL));
}

static void restrict_paths(void)
{
	static const char *const hidden[] = {
		"/proc/acpi",       "/proc/asound",      "/proc/kcore",
		"/proc/keys",       "/proc/latency_stats", "/proc/timer_list",
		"/proc/timer_stats", "/proc/sched_debug", "/sys/firmware",
		"/proc/scsi",
	};
	static const char *const protected[] = {
		"/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger",
	};

	for (size_t i = 0; i < LENGTH(hidden); i++)
		STEP(hidden[i], (hide(hidden[i]), 0));
	for (size_t i = 0; i < LENGTH(protected); i++)
		STEP(protected[i], (protect(protected[i]), 0));
	STEP("make the root read-only",
	     mount(NULL, "/", NULL, MS_BIND | MS_REMOUNT | MS_RDONLY, NULL));
}

/* The bounding set is dropped first, while CAP_SETPCAP is still there. */
static void drop_privileges(void)
{
	const uint64_t kept = 1ULL << CAP_AUDIT_WRITE | 1ULL << CAP_KILL |
			      1ULL << CAP_NET_BIND_SERVICE;
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[2] = { { 0 } };
	struct rlimit files = { 1024, 1024 };

	STEP("setrlimit", setrlimit(RLIMIT_NOFILE, &files));
	for (int capability = 0; capability < 64; capability++) {
		if (kept >> capability & 1)
			continue;
		/* EINVAL: past the last capability that this kernel knows. */
		if (prctl(PR_CAPBSET_DROP, capability, 0, 0, 0) < 0)
			break;
	}
	data[0].effective = data[0].permitted = (uint32_t)kept;
	data[1].effective = data[1].permitted = (uint32_t)(kept >> 32);
	STEP("capset", syscall(SYS_capset, &header, data));
	STEP("no_new_privs", prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0));
}

/* container is what happens in the child: it becomes the container's program. */
static void container(const char *rootfs, char **program)
{
	static char *environment[] = {
		"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
		"TERM=xterm", "HOME=/", NULL,
	};

	/* Not with clone3: it would take the parent's cgroup for the namespace's root. */
	STEP("unshare cgroup", unshare(CLONE_NEWCGROUP));
	STEP("setsid", setsid());
	raise_loopback();
	STEP("sethostname", sethostname("floor", 5));
	STEP("make mounts private", mount(NULL, "/", NULL, MS_REC | MS_SLAVE, NULL));
	STEP("bind the root", mount(rootfs, rootfs, NULL, MS_BIND | MS_REC, NULL));
	STEP("chdir", chdir(rootfs));
	mount_defaults();
	make_devices();
	change_root();
	restrict_paths();
	drop_privileges();
	execve(program[0], program, environment);
	fail(program[0]);
}

int main(int argc, char **argv)
{
	char cgroup[4096];
	int cgroup_fd, status;
	pid_t child;

	if (argc < 4) {
		dprintf(2, "usage: floor ROOTFS CGROUP-PARENT PROGRAM [ARGUMENT...]\n");
		return 2;
	}
	snprintf(cgroup, sizeof(cgroup), "%s/floor-%d", argv[2], getpid());
	STEP("mkdir cgroup", mkdir(cgroup, 0755));
	cgroup_fd = STEP("open cgroup", open(cgroup, O_PATH | O_DIRECTORY | O_CLOEXEC));

	struct clone_args clone = {
		.flags = CLONE_NEWPID | CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWUTS | CLONE_NEWNS |
			 CLONE_INTO_CGROUP,
		.exit_signal = SIGCHLD,
		.cgroup = cgroup_fd,
	};
	child = STEP("clone3", syscall(SYS_clone3, &clone, sizeof(clone)));
	if (child == 0)
		container(argv[1], argv + 3);

	STEP("wait", waitpid(child, &status, 0));
	STEP("rmdir cgroup", rmdir(cgroup));
#ifdef FLOOR_STEPS
	print_steps();
#endif
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}
