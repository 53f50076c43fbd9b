// SPDX-License-Identifier: GPL-2.0
/*
 * callcost [NAME]: what some system calls cost, in units of the clock, which counts
 * instructions where the VM runs with -icount. A line each, "NAME COST TIMES", where
 * TIMES is how often it was done. With NAME, that one alone.
 *
 * Each cost is the median of BATCHES batches, so that a timer tick, or what else
 * wakes now and then, counts where it happens in half of them only.
 */
#define _GNU_SOURCE
#include <err.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define BATCHES	15

static long nr_cpus;
static const char *only;

static long long now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000000000LL + t.tv_nsec;
}

static void run_on(long first, long last)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	for (long cpu = first; cpu <= last; cpu++)
		CPU_SET(cpu, &set);
	if (sched_setaffinity(0, sizeof(set), &set))
		err(1, "sched_setaffinity");
}

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static void measure(const char *name, void (*once)(void), int times)
{
	double cost[BATCHES];

	if (only && strcmp(only, name))
		return;
	for (int warm_up = 0; warm_up < times / 4; warm_up++)
		once();
	for (int i = 0; i < BATCHES; i++) {
		long long start = now();

		for (int n = 0; n < times; n++)
			once();
		cost[i] = (double)(now() - start) / times;
	}
	qsort(cost, BATCHES, sizeof(cost[0]), compare);
	printf("%s %.1f %d\n", name, cost[BATCHES / 2], times / 4 + BATCHES * times);
	fflush(stdout);
}

static int there[2], back[2];

static void round_trip(void)
{
	char c = 0;

	if (write(there[1], &c, 1) != 1 || read(back[0], &c, 1) != 1)
		err(1, "pipe");
}

/* a byte to a process on CPU @cpu and back */
static void pipe_with(const char *name, long cpu)
{
	pid_t pid;

	if (pipe(there) || pipe(back))
		err(1, "pipe");
	pid = fork();
	if (pid < 0)
		err(1, "fork");
	if (!pid) {
		char c;

		close(there[1]);
		run_on(cpu, cpu);
		while (read(there[0], &c, 1) == 1)
			if (write(back[1], &c, 1) != 1)
				break;
		_exit(0);
	}
	measure(name, round_trip, 400);
	close(there[0]);
	close(there[1]);
	close(back[0]);
	close(back[1]);
	waitpid(pid, NULL, 0);
}

static void fork_exit(void)
{
	int status;
	pid_t pid = fork();

	if (!pid)
		_exit(0);
	if (pid < 0 || waitpid(pid, &status, 0) != pid || status)
		err(1, "fork");
}

/* this CPU is in both masks: nothing moves */
static void affinity(void)
{
	static int narrow;

	narrow = !narrow;
	run_on(narrow ? 1 : 0, nr_cpus - 1);
}

int main(int argc, char **argv)
{
	long home;

	only = argc > 1 ? argv[1] : NULL;
	nr_cpus = sysconf(_SC_NPROCESSORS_ONLN);
	home = nr_cpus > 1;	/* CPU 0 does more than others */
	run_on(home, home);
	pipe_with("pipe", home);
	measure("fork+exit", fork_exit, 50);
	if (nr_cpus > 2)
		pipe_with("pipe-idle-cpu", 2);
	if (nr_cpus > 1) {
		run_on(1, nr_cpus - 1);
		measure("affinity", affinity, 500);
	}
	return 0;
}
