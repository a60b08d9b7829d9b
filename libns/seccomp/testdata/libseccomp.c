/*
 * Compiles profiles with libseccomp for the differential test. It reads lines
 *
 *   name NAME TOKEN...                the number of a system call on architectures
 *   profile DEFAULT TOKEN...          begins a profile for architectures
 *   rule ANSWER NAME [ARG OP A B]...  one rule: conditions on different arguments
 *   end                               ends the profile
 *
 * all numbers being hexadecimal. For a name it writes as many 32-bit integers as
 * there are tokens, after one that says whether libseccomp finds the name again
 * under the number it has on this machine. For a profile it writes the length of the filter in bytes and
 * the filter, then likewise the same as libseccomp's pseudo code; or the negative
 * error number that libseccomp gave for a rule or an architecture; or -1000 less
 * the signal that ended libseccomp.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <seccomp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

static void put(int32_t number) { fwrite(&number, sizeof(number), 1, stdout); }

static unsigned long long hex(const char *word) { return strtoull(word, NULL, 16); }

static void answer_name(char *rest)
{
	char *save;
	const char *name = strtok_r(rest, " ", &save), *token;

	char *known = seccomp_syscall_resolve_num_arch(SCMP_ARCH_NATIVE, seccomp_syscall_resolve_name(name));

	put(known && !strcmp(known, name));
	free(known);
	while ((token = strtok_r(NULL, " ", &save)))
		put(seccomp_syscall_resolve_name_arch(hex(token), name));
	fflush(stdout);
}

/* The context has the machine's architecture to begin with. Others may be of the
 * other byte order, so it has to go first, unless it is wanted. */
static int add_architectures(scmp_filter_ctx context, char **save)
{
	const char *token;
	int status, first = 1;

	while ((token = strtok_r(NULL, " ", save))) {
		if (first && hex(token) != seccomp_arch_native())
			seccomp_arch_remove(context, SCMP_ARCH_NATIVE);
		first = 0;
		status = seccomp_arch_add(context, hex(token));
		if (status && status != -EEXIST)
			return status;
	}
	return 0;
}

static int add_rule(scmp_filter_ctx context, char **save)
{
	uint32_t answer = hex(strtok_r(NULL, " ", save));
	int number = seccomp_syscall_resolve_name(strtok_r(NULL, " ", save));
	struct scmp_arg_cmp conditions[6];
	unsigned int count = 0;
	const char *word;

	if (number == __NR_SCMP_ERROR)
		return 0;
	while (count < 6 && (word = strtok_r(NULL, " ", save))) {
		struct scmp_arg_cmp *c = &conditions[count++];

		c->arg = hex(word);
		c->op = hex(strtok_r(NULL, " ", save));
		c->datum_a = hex(strtok_r(NULL, " ", save));
		c->datum_b = hex(strtok_r(NULL, " ", save));
	}
	return seccomp_rule_add_array(context, answer, number, count, conditions);
}

static void export(scmp_filter_ctx context, int (*format)(const scmp_filter_ctx, int))
{
	static char buffer[1 << 22];
	int file = memfd_create("filter", 0), status = format(context, file);
	ssize_t length = pread(file, buffer, sizeof(buffer), 0);

	put(status ? status : length);
	if (!status)
		fwrite(buffer, 1, length, stdout);
	close(file);
}

static void compile(char *profile)
{
	scmp_filter_ctx context = NULL;
	char *lines, *words;
	int status = 0;

	for (char *line = strtok_r(profile, "\n", &lines); line; line = strtok_r(NULL, "\n", &lines)) {
		const char *word = strtok_r(line, " ", &words);

		if (!strcmp(word, "profile")) {
			context = seccomp_init(hex(strtok_r(NULL, " ", &words)));
			status = context ? add_architectures(context, &words) : -EINVAL;
		} else if (!status) {
			status = add_rule(context, &words);
		}
	}
	if (status) {
		put(status);
	} else {
		export(context, seccomp_export_bpf);
		export(context, seccomp_export_pfc);
	}
	fflush(stdout);
}

/* Some rules make libseccomp loop for ever or use memory that it has freed, so
 * each profile has a process, and that a fifth of a second of the processor. */
static void answer_profile(char *profile)
{
	const struct itimerval limit = { .it_value = { .tv_usec = 200000 } };
	pid_t child = fork();
	int status;

	if (child == 0) {
		setitimer(ITIMER_VIRTUAL, &limit, NULL);
		compile(profile);
		_exit(0);
	}
	waitpid(child, &status, 0);
	if (WIFSIGNALED(status)) {
		put(-1000 - WTERMSIG(status));
		fflush(stdout);
	}
}

int main(void)
{
	static char profile[1 << 22];
	size_t used = 0, size = 0;
	char *line = NULL;
	ssize_t length;

	while ((length = getline(&line, &size, stdin)) > 0) {
		if (!strncmp(line, "name ", 5)) {
			line[length - 1] = '\0';
			answer_name(line + 5);
		} else if (!strcmp(line, "end\n")) {
			profile[used] = '\0';
			answer_profile(profile);
			used = 0;
		} else if (used + length < sizeof(profile)) {
			memcpy(profile + used, line, length);
			used += length;
		} else {
			fprintf(stderr, "a profile is too long\n");
			return 1;
		}
	}
	return 0;
}
