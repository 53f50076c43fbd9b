// SPDX-License-Identifier: GPL-2.0
/*
 * cookies SECONDS GROUPS TASKS: that many groups of tasks that never sleep, each group with
 * a core scheduling cookie of its own, on a machine whose cores have two threads. Tells
 * how evenly they ran, and how often both threads of a core ran tasks of different groups
 * at once. "cookies 0 ..." is the same for three seconds without cookies, to compare with.
 *
 * The groups take turns in being started: CPUs whose ticks come at one moment take tasks in
 * the order of the queue, for seconds on end, and tasks of a group that follow each other
 * there would share cores without cookies, too.
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
#define ROUND_NS	20000		/* a round that took longer was interrupted */

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
	volatile int go;		/* all have their cookies: it counts */
} *shared;

static int sibling[MAX_CPUS];

static long long now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000000000LL + t.tv_nsec;
}

/*
 * The other thread of the core has run while this task did, if it looked at its clock between
 * two such looks here that nothing came in between of.
 */
static void work(int me, int group)
{
	long long now, last = 0;
	int cpu, last_cpu = -1;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	for (;; last = now, last_cpu = cpu) {
		cpu = sched_getcpu();
		now = now_ns();
		shared->cpu[cpu].group = group;
		shared->cpu[cpu].stamp = now;
		if (!shared->go)
			continue;
		shared->task[me].rounds++;
		if (cpu == last_cpu && now - last < ROUND_NS && shared->cpu[sibling[cpu]].stamp > last) {
			shared->task[me].looks++;
			shared->task[me].mixed += shared->cpu[sibling[cpu]].group != group;
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
			work(i, i % groups);
		/* the first of a group makes the cookie, the others get it by way of us */
		if (cookies && i < groups &&
		    prctl(PR_SCHED_CORE, PR_SCHED_CORE_CREATE, pids[i], PR_SCHED_CORE_SCOPE_THREAD, 0)) {
			perror("cookies: PR_SCHED_CORE_CREATE");
			return 2;
		}
		if (cookies && i >= groups) {
			if (prctl(PR_SCHED_CORE, PR_SCHED_CORE_SHARE_FROM, pids[i % groups],
				  PR_SCHED_CORE_SCOPE_THREAD, 0) ||
			    prctl(PR_SCHED_CORE, PR_SCHED_CORE_SHARE_TO, pids[i],
				  PR_SCHED_CORE_SCOPE_THREAD, 0)) {
				perror("cookies: PR_SCHED_CORE_SHARE");
				return 2;
			}
		}
	}
	shared->go = 1;
	sleep(cookies ? seconds : 3);
	for (i = 0; i < groups * per_group; i++)
		kill(pids[i], SIGKILL);
	for (g = 0; g < groups; g++) {
		long rounds = 0;

		for (i = g; i < groups * per_group; i += groups) {
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
