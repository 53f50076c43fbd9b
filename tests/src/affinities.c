// SPDX-License-Identifier: GPL-2.0
/*
 * affinities SECONDS TASKS: tasks that run, sleep and yield, while others change the CPUs
 * that they may run on, at random and as fast as they can. Fails when a change does, or
 * when a task gets nothing done. Says how many changes there were.
 */
#define _GNU_SOURCE
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define CHANGERS	2

static unsigned long *turns;	/* of each task, and of each changer */

static void work(unsigned long *turn, unsigned int seed)
{
	for (;; (*turn)++) {
		unsigned int kind = rand_r(&seed);

		for (volatile unsigned int i = 0; i < kind % 20000; i++)
			;
		if (kind & 1 << 20)
			sched_yield();
		else if (kind & 1 << 21)
			usleep(kind % 500);
	}
}

static int change(unsigned long *turn, unsigned int seed, const pid_t *pids, long tasks, time_t end)
{
	int cpus = sysconf(_SC_NPROCESSORS_ONLN);
	cpu_set_t set;

	for (; time(NULL) < end; (*turn)++) {
		CPU_ZERO(&set);
		do
			CPU_SET(rand_r(&seed) % cpus, &set);
		while (rand_r(&seed) % 3);
		if (sched_setaffinity(pids[rand_r(&seed) % tasks], sizeof(set), &set)) {
			perror("affinities: sched_setaffinity");
			return 1;
		}
	}
	return 0;
}

int main(int argc, char **argv)
{
	long seconds = argc == 3 ? atol(argv[1]) : 0, tasks = argc == 3 ? atol(argv[2]) : 0;
	pid_t pids[1024], changers[CHANGERS];
	unsigned long changes = 0, least = -1;
	int status, failed = 0;

	if (seconds < 1 || tasks < 1 || tasks > 1024) {
		fprintf(stderr, "usage: affinities SECONDS TASKS\n");
		return 2;
	}
	turns = mmap(NULL, (tasks + CHANGERS) * sizeof(*turns), PROT_READ | PROT_WRITE,
		     MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	for (long i = 0; i < tasks; i++) {
		pids[i] = fork();
		if (!pids[i])
			work(&turns[i], i);
	}
	for (long i = 0; i < CHANGERS; i++) {
		changers[i] = fork();
		if (!changers[i])
			_exit(change(&turns[tasks + i], tasks + i, pids, tasks, time(NULL) + seconds));
	}
	for (long i = 0; i < CHANGERS; i++) {
		if (waitpid(changers[i], &status, 0) < 0 || status)
			failed = 1;
		changes += turns[tasks + i];
	}
	for (long i = 0; i < tasks; i++) {
		if (turns[i] < least)
			least = turns[i];
		kill(pids[i], SIGKILL);
		waitpid(pids[i], &status, 0);
	}
	printf("affinities: %lu changes, tasks took at least %lu turns\n", changes, least);
	return failed || !changes || !least;
}
