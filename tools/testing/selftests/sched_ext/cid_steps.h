/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Steps that tests of cid-form schedulers have in common: tasks that change each
 * other's affinity all the time, and CPUs that go on and off.
 */
#ifndef __CID_STEPS_H__
#define __CID_STEPS_H__

#include <sched.h>
#include <sys/mman.h>
#include "test_steps.h"

#define CID_STORM_TASKS		8
#define CID_STORM_BYSTANDERS	4

struct cid_storm {
	int		nr_cpus;
	volatile int	stop;
	pid_t		tasks[CID_STORM_TASKS];
	pid_t		bystanders[CID_STORM_BYSTANDERS];
	volatile pid_t	last_child;
	volatile unsigned long changes;
};

static inline int cid_nr_cpus(void)
{
	return sysconf(_SC_NPROCESSORS_CONF);
}

static inline void cid_storm_task(struct cid_storm *storm, int me)
{
	unsigned int seed = me + 1;

	while (!storm->stop) {
		pid_t victim = storm->tasks[rand_r(&seed) % CID_STORM_TASKS];
		cpu_set_t set;
		int cpu;

		/* one forks, and some change what it forks before that runs */
		if (!me) {
			pid_t pid = fork_child();

			if (!pid)
				_exit(0);
			storm->last_child = pid;
			if (pid < 0 || waitpid(pid, NULL, 0) != pid)
				_exit(3);
			continue;
		}
		if (me % 2 && storm->last_child)
			victim = storm->last_child + 1;

		CPU_ZERO(&set);
		CPU_SET(rand_r(&seed) % storm->nr_cpus, &set);
		for (cpu = 0; cpu < storm->nr_cpus; cpu++)
			if (rand_r(&seed) % 3 == 0)
				CPU_SET(cpu, &set);
		/* fails when no such CPU is online */
		if (!sched_setaffinity(victim, sizeof(set), &set))
			__sync_fetch_and_add(&storm->changes, 1);
		if (rand_r(&seed) % (me % 2 ? 8 : 2) == 0)
			usleep(rand_r(&seed) % 300);
	}
	_exit(0);
}

static inline void cid_bystander(struct cid_storm *storm, int me)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(me % storm->nr_cpus, &set);
	CPU_SET((me * 7 + 3) % storm->nr_cpus, &set);
	if (sched_setaffinity(0, sizeof(set), &set))
		_exit(1);
	while (!storm->stop) {
		cpu_set_t now;

		usleep(500);
		if (sched_getaffinity(0, sizeof(now), &now) || !CPU_EQUAL(&now, &set))
			_exit(2);
	}
	_exit(0);
}

/*
 * Start it. @keep: with bystanders, who notice when their affinity changes. They do
 * when their CPUs go off, too.
 */
static inline enum scx_test_status cid_storm_start(struct cid_storm **stormp, bool keep)
{
	struct cid_storm *storm;
	int i;

	storm = mmap(NULL, sizeof(*storm), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS,
		     -1, 0);
	SCX_ASSERT(storm != MAP_FAILED);
	storm->nr_cpus = cid_nr_cpus();
	*stormp = storm;
	/* first, so that they are not what somebody takes for the next child */
	for (i = 0; i < CID_STORM_BYSTANDERS && keep; i++) {
		pid_t pid = fork_child();

		SCX_GE(pid, 0);
		if (!pid)
			cid_bystander(storm, i);
		storm->bystanders[i] = pid;
	}
	for (i = 0; i < CID_STORM_TASKS; i++) {
		pid_t pid = fork_child();

		SCX_GE(pid, 0);
		if (!pid)
			cid_storm_task(storm, i);
		storm->tasks[i] = pid;
	}
	return SCX_TEST_PASS;
}

static inline enum scx_test_status cid_storm_end(struct cid_storm *storm)
{
	int i, status;

	/* it may have had little time on a slow machine */
	SCX_ASSERT(BECOMES(storm->changes > 10));
	storm->stop = 1;
	for (i = 0; i < CID_STORM_TASKS; i++) {
		SCX_EQ(waitpid(storm->tasks[i], &status, 0), storm->tasks[i]);
		SCX_EQ(status, 0);
	}
	for (i = 0; i < CID_STORM_BYSTANDERS && storm->bystanders[i]; i++) {
		SCX_EQ(waitpid(storm->bystanders[i], &status, 0), storm->bystanders[i]);
		SCX_EQ(status, 0);
	}
	munmap(storm, sizeof(*storm));
	return SCX_TEST_PASS;
}

static inline bool cid_set_online(int cpu, bool online)
{
	char path[64];
	bool done;
	int fd;

	snprintf(path, sizeof(path), "/sys/devices/system/cpu/cpu%d/online", cpu);
	fd = open(path, O_WRONLY);
	if (fd < 0)
		return false;
	done = write(fd, online ? "1" : "0", 1) == 1;
	close(fd);
	return done;
}

#endif  // # __CID_STEPS_H__
