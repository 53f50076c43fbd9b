// SPDX-License-Identifier: GPL-2.0
/*
 * churn SECONDS TASKS [CGROUP...]: that many tasks run, sleep, yield, wake each other and
 * fork, at random. Meanwhile their affinities and nice values change, and they move between
 * the cgroups (folders), at random as well. Fails when a task got nowhere for four seconds, or
 * little was changed.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define MAX_TASKS	1024
#define STUCK_MS	4000

static struct {
	pid_t		pid;
	int		wake[2];
	unsigned long	seen;
	long		since;
} task[MAX_TASKS];
static volatile unsigned long *progress;
static int nr_tasks;

static long now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static void work(int me)
{
	char c = 0;

	srandom(me + 1);
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	for (;;) {
		progress[me]++;
		switch (random() % 8) {
		case 0:
			usleep(random() % 3000);
			break;
		case 1:
			sched_yield();
			break;
		case 2:		/* wake one, and sleep until somebody wakes us, or not */
			if (write(task[random() % nr_tasks].wake[1], &c, 1) < 0 && errno != EAGAIN)
				_exit(1);
			usleep(1);
			while (read(task[me].wake[0], &c, 1) > 0)
				;
			break;
		case 3:
			if (random() % 16 == 0 && !vfork())
				_exit(0);
			while (waitpid(-1, NULL, WNOHANG) > 0)
				;
			break;
		default:
			for (volatile int i = random() % 100000; i; i--)
				;
		}
	}
}

static void disturb(int which, char **cgroups, int nr_cgroups, unsigned long *moves)
{
	int i = random() % nr_tasks, cpu, fd, nr_cpus = sysconf(_SC_NPROCESSORS_CONF);
	char path[256], pid[16];
	cpu_set_t cpus;

	switch (which) {
	case 0:		/* fails where none of them is online: another one then */
		CPU_ZERO(&cpus);
		for (cpu = 0; cpu < nr_cpus; cpu++)
			if (random() % 2)
				CPU_SET(cpu, &cpus);
		moves[0] += !sched_setaffinity(task[i].pid, sizeof(cpus), &cpus);
		break;
	case 1:
		moves[1] += !setpriority(PRIO_PROCESS, task[i].pid, random() % 40 - 20);
		break;
	case 2:
		if (!nr_cgroups)
			break;
		snprintf(path, sizeof(path), "%s/cgroup.procs", cgroups[random() % nr_cgroups]);
		fd = open(path, O_WRONLY);
		snprintf(pid, sizeof(pid), "%d", task[i].pid);
		moves[2] += fd >= 0 && write(fd, pid, strlen(pid)) > 0;
		close(fd);
		break;
	}
}

int main(int argc, char **argv)
{
	unsigned long moves[3] = {}, least = ~0UL, least_moves;
	long end, stuck = -1;
	int i, seconds;

	if (argc < 3 || (seconds = atoi(argv[1])) < 1 || (nr_tasks = atoi(argv[2])) < 1 ||
	    nr_tasks > MAX_TASKS) {
		fprintf(stderr, "churn: usage: churn SECONDS TASKS [CGROUP...]\n");
		return 2;
	}
	progress = mmap(NULL, sizeof(*progress) * nr_tasks, PROT_READ | PROT_WRITE,
			MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (progress == MAP_FAILED) {
		perror("churn: mmap");
		return 2;
	}
	for (i = 0; i < nr_tasks; i++) {
		if (pipe2(task[i].wake, O_NONBLOCK)) {
			perror("churn: pipe");
			return 2;
		}
	}
	for (i = 0; i < nr_tasks; i++) {
		task[i].pid = fork();
		if (!task[i].pid)
			work(i);
		if (task[i].pid < 0) {
			perror("churn: fork");
			return 2;
		}
		task[i].since = now_ms();
	}

	setpriority(PRIO_PROCESS, 0, -20);	/* or what changes them waits like any of them */
	least_moves = 1 + seconds / 4;	/* of each kind: one CPU sees three a second */
	end = now_ms() + seconds * 1000;
	while (now_ms() < end && stuck < 0) {
		disturb(random() % 3, argv + 3, argc - 3, moves);
		usleep(200);
		for (i = 0; i < nr_tasks; i++) {
			if (progress[i] != task[i].seen) {
				task[i].seen = progress[i];
				task[i].since = now_ms();
			} else if (now_ms() - task[i].since > STUCK_MS) {
				stuck = i;
			}
		}
	}
	if (stuck >= 0) {
		printf("churn: task %d stands still since %ld ms after %lu rounds\n",
		       task[stuck].pid, now_ms() - task[stuck].since, task[stuck].seen);
	}
	for (i = 0; i < nr_tasks; i++) {
		kill(task[i].pid, SIGKILL);
		waitpid(task[i].pid, NULL, 0);
		least = progress[i] < least ? progress[i] : least;
	}
	printf("churn: %d tasks, at least %lu rounds each; changed %lu affinities, %lu nice values, %lu cgroups\n",
	       nr_tasks, least, moves[0], moves[1], moves[2]);
	return stuck >= 0 || !least || moves[0] < least_moves || moves[1] < least_moves ||
	       (argc > 3 && moves[2] < least_moves);
}
