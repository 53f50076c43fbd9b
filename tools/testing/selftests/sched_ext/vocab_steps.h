/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What tests of the newer kfuncs and flags have in common: schedulers that are run for
 * a while, that are refused when they are loaded, and that end on their own.
 */
#ifndef __VOCAB_STEPS_H__
#define __VOCAB_STEPS_H__

#include <signal.h>
#include <sys/mman.h>
#include "prog_steps.h"

#define NO_PROG		((struct bpf_program *)NULL)

static inline int vocab_silent(enum libbpf_print_level level, const char *fmt, va_list args)
{
	return 0;
}

/* @obj isn't loaded, and the verifier says @want about @prog. */
static inline enum scx_test_status no_load(struct bpf_object *obj, struct bpf_program *prog,
					   const char *want)
{
	static char log[65536];
	libbpf_print_fn_t print;
	int err;

	bpf_program__set_log_buf(prog, log, sizeof(log));
	bpf_program__set_log_level(prog, 1);
	print = libbpf_set_print(vocab_silent);
	err = bpf_object__load(obj);
	libbpf_set_print(print);
	SCX_FAIL_IF(!err, "accepted instead of '%s'", want);
	SCX_FAIL_IF(!strstr(log, want), "'%s' is not in '%s'", want, log);
	return SCX_TEST_PASS;
}

/* The scheduler of @ops ends on its own; why is in @uei and begins with @want. */
#define ENDS(ops, uei, want) do {						\
	struct bpf_link *__link = bpf_map__attach_struct_ops(ops);		\
										\
	SCX_FAIL_IF(!__link, "Failed to attach scheduler");			\
	SCX_FAIL_IF(!BECOMES((uei).kind != EXIT_KIND(SCX_EXIT_NONE)),		\
		    "still there instead of '%s'", (want));			\
	bpf_link__destroy(__link);						\
	SCX_EQ((uei).kind, EXIT_KIND(SCX_EXIT_ERROR));				\
	SCX_FAIL_IF(strncmp((uei).msg, (want), strlen(want)),			\
		    "exit message '%s' instead of '%s'", (uei).msg, (want));	\
} while (0)

/*
 * A task that never sleeps, and is on CPU @cpu by now. It doesn't wake this one to say
 * so, which would be put behind it.
 */
static inline pid_t fork_busy(int cpu)
{
	volatile bool *there = mmap(NULL, sizeof(*there), PROT_READ | PROT_WRITE,
				    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	pid_t pid;

	if (there == MAP_FAILED)
		return -1;
	pid = fork_child();
	if (!pid) {
		run_on(cpu);
		*there = true;
		for (;;)
			;
	}
	BECOMES(*there);
	munmap((void *)there, sizeof(*there));
	return pid;
}

/* A task that sleeps until it can read from a pipe, again and again. */
static inline pid_t fork_reader(int fd, int from_cpu, int to_cpu)
{
	pid_t pid = fork_child();
	cpu_set_t set;
	char c;

	if (!pid) {
		CPU_ZERO(&set);
		for (; from_cpu <= to_cpu; from_cpu++)
			CPU_SET(from_cpu, &set);
		sched_setaffinity(0, sizeof(set), &set);
		while (read(fd, &c, 1) == 1)
			;
		_exit(0);
	}
	return pid;
}

/*
 * Wake whoever reads from @fd until @cond is true. A task that is about to sleep when it
 * is woken up just goes on, and the scheduler hears nothing of it.
 */
#define WAKE_UNTIL(fd, cond)							\
	BECOMES((cond) || (write(fd, "", 1), usleep(2000), (cond)))

static inline void end_child(pid_t pid)
{
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
}

static inline bool sleeps(pid_t pid)
{
	return state_of(pid) == 'S';
}

#endif /* __VOCAB_STEPS_H__ */
