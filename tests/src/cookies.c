// SPDX-License-Identifier: GPL-2.0
/*
 * cookies SECONDS GROUPS TASKS: that many groups of tasks that never sleep, each group with
 * a core scheduling cookie of its own, on a machine whose cores have two threads. Tells
 * how evenly they ran, and how often both threads of a core ran tasks of different groups
 * at once. "cookies 0 ..." is the same for three seconds without cookies, to compare with.
 */
#define _GNU_SOURCE
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define MAX_CPUS	64
#define MAX_TASKS	64
#define FRESH_NS	20000		/* a task that looked at its clock then is still there */

static struct shared {
	struct {
		volatile int		group;
		volatile long long	stamp;
		char			pad[48];
	} cpu[MAX_CPUS];
	struct {
		volatile long		rounds, looks, mixed;
		char			pad[40];
	} task[MAX_TASKS];
} *shared;

static int sibling[MAX_CPUS];

static long long now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000000000LL + t.tv_nsec;
}

static void work(int me, int group)
{
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	for (;;) {
		int cpu = sched_getcpu(), other = sibling[cpu];
		long long now = now_ns();

		shared->cpu[cpu].group = group;
		shared->cpu[cpu].stamp = now;
		shared->task[me].rounds++;
		if (now - shared->cpu[other].stamp < FRESH_NS) {
			shared->task[me].looks++;
			shared->task[me].mixed += shared->cpu[other].group != group;
		}
	}
}

static int read_sibling(int cpu)
{
	char path[96];
	int a, b;
	FILE *f;

	snprintf(path, sizeof(path), "/sys/devices/system/cpu/cpu%d/topology/thread_siblings_list", cpu);
	f = fopen(path, "r");
	if (!f || fscanf(f, "%d%*[,-]%d", &a, &b) != 2) {
		fprintf(stderr, "cookies: CPU %d has no sibling\n", cpu);
		exit(2);
	}
	fclose(f);
	return a == cpu ? b : a;
}

int main(int argc, char **argv)
{
	int seconds, groups, per_group, i, g, nr_cpus = sysconf(_SC_NPROCESSORS_ONLN), cookies;
	long looks = 0, mixed = 0, least = -1, most = 0;
	pid_t pids[MAX_TASKS];

	if (argc != 4 || (groups = atoi(argv[2])) < 2 || (per_group = atoi(argv[3])) < 1 ||
	    groups * per_group > MAX_TASKS || nr_cpus > MAX_CPUS) {
		fprintf(stderr, "cookies: usage: cookies SECONDS GROUPS TASKS\n");
		return 2;
	}
	seconds = atoi(argv[1]);
	cookies = seconds > 0;
	for (i = 0; i < nr_cpus; i++)
		sibling[i] = read_sibling(i);
	shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (shared == MAP_FAILED) {
		perror("cookies: mmap");
		return 2;
	}
	for (i = 0; i < groups * per_group; i++) {
		pids[i] = fork();
		if (pids[i] < 0) {
			perror("cookies: fork");
			return 2;
		}
		if (!pids[i])
			work(i, i / per_group);
		/* the first of a group makes the cookie, the others get it by way of us */
		if (cookies && i % per_group == 0 &&
		    prctl(PR_SCHED_CORE, PR_SCHED_CORE_CREATE, pids[i], PR_SCHED_CORE_SCOPE_THREAD, 0)) {
			perror("cookies: PR_SCHED_CORE_CREATE");
			return 2;
		}
		if (cookies && i % per_group) {
			if (prctl(PR_SCHED_CORE, PR_SCHED_CORE_SHARE_FROM, pids[i - i % per_group],
				  PR_SCHED_CORE_SCOPE_THREAD, 0) ||
			    prctl(PR_SCHED_CORE, PR_SCHED_CORE_SHARE_TO, pids[i],
				  PR_SCHED_CORE_SCOPE_THREAD, 0)) {
				perror("cookies: PR_SCHED_CORE_SHARE");
				return 2;
			}
		}
	}
	sleep(cookies ? seconds : 3);
	for (i = 0; i < groups * per_group; i++)
		kill(pids[i], SIGKILL);
	for (g = 0; g < groups; g++) {
		long rounds = 0;

		for (i = g * per_group; i < (g + 1) * per_group; i++) {
			waitpid(pids[i], NULL, 0);
			rounds += shared->task[i].rounds;
			looks += shared->task[i].looks;
			mixed += shared->task[i].mixed;
		}
		least = least < 0 || rounds < least ? rounds : least;
		most = rounds > most ? rounds : most;
	}
	printf("cookies: groups ran least=%ld most=%ld rounds, looks=%ld mixed=%ld\n", least, most, looks, mixed);
	return 0;
}
