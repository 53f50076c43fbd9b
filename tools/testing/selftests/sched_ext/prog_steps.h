/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Threads that run BPF programs on CPUs of their own.
 */
#ifndef __PROG_STEPS_H__
#define __PROG_STEPS_H__

#include <pthread.h>
#include <sched.h>
#include <time.h>
#include "test_steps.h"

#define NSEC_PER_MSEC	1000000ULL

static volatile bool runners_stop;

static inline u64 now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000 * NSEC_PER_MSEC + t.tv_nsec;
}

static inline bool run_on(int cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	return !sched_setaffinity(0, sizeof(set), &set);
}

static inline void run_on_any(void)
{
	cpu_set_t all;

	memset(&all, 0xff, sizeof(all));
	sched_setaffinity(0, sizeof(all), &all);
}

/* What @prog returns, or 1000 if it can't be run. */
static inline int run_prog(struct bpf_program *prog)
{
	LIBBPF_OPTS(bpf_test_run_opts, opts);

	return bpf_prog_test_run_opts(bpf_program__fd(prog), &opts) ? 1000 : (int)opts.retval;
}

/* A thread on a CPU that runs a program once, or again and again until told to stop. */
struct runner {
	pthread_t		thread;
	struct bpf_program	*prog;
	int			cpu;
	bool			again;
	int			ret;
	unsigned long long	took;
};

static void *runner(void *arg)
{
	struct runner *r = arg;
	u64 start;

	if (!run_on(r->cpu)) {
		r->ret = 1001;
		return NULL;
	}
	start = now();
	do {
		r->ret = run_prog(r->prog);
	} while (r->again && !runners_stop && r->ret != 1000);
	r->took = now() - start;
	return NULL;
}

static inline enum scx_test_status start_runner(struct runner *r, struct bpf_program *prog,
						int cpu, bool again)
{
	*r = (struct runner) { .prog = prog, .cpu = cpu, .again = again };
	SCX_EQ(pthread_create(&r->thread, NULL, runner, r), 0);
	return SCX_TEST_PASS;
}

static inline enum scx_test_status start_on(int nr_cpus, struct runner *r, struct bpf_program *prog)
{
	int cpu;

	runners_stop = false;
	for (cpu = 0; cpu < nr_cpus; cpu++)
		TRY(start_runner(&r[cpu], prog, cpu, true));
	return SCX_TEST_PASS;
}

static inline enum scx_test_status end_on(int nr_cpus, struct runner *r)
{
	int cpu, most = 0;

	runners_stop = true;
	for (cpu = 0; cpu < nr_cpus; cpu++) {
		pthread_join(r[cpu].thread, NULL);
		if (r[cpu].ret > most)
			most = r[cpu].ret;
	}
	SCX_LT(most, 1000);
	return SCX_TEST_PASS;
}

#endif /* __PROG_STEPS_H__ */
