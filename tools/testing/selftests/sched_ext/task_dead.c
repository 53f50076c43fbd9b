// SPDX-License-Identifier: GPL-2.0
/*
 * A task leaves its scheduler when it dies, not when its parent looks.
 */
#define _GNU_SOURCE
#include <bpf/bpf.h>
#include <sched.h>
#include <scx/common.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "task_dead.bpf.skel.h"
#include "prog_steps.h"

#define SCHED_EXT	7
#define NR_POLICIES	5

static pid_t fork_sleeper(void)
{
	pid_t pid = fork();

	if (!pid) {
		pause();
		_exit(0);
	}
	return pid;
}

/* End a child and leave it a zombie. */
static int make_zombie(pid_t pid)
{
	siginfo_t info;

	return kill(pid, SIGKILL) || waitid(P_PID, pid, &info, WEXITED | WNOWAIT);
}

/* It is dead, a moment after it is a zombie. */
static bool is_dead(struct task_dead *skel, pid_t pid)
{
	skel->bss->looked_at = pid;
	return run_prog(skel->progs.is_off_list) == 1;
}

/* All that can be done to a task from outside. The kernel lets us do it to a zombie too. */
static int disturb(pid_t pid)
{
	static const int policies[NR_POLICIES] = {
		SCHED_BATCH, SCHED_FIFO, SCHED_OTHER, SCHED_EXT, SCHED_OTHER
	};
	struct sched_param param = {};
	cpu_set_t cpus;
	int i, ret = 0;

	CPU_ZERO(&cpus);
	CPU_SET(0, &cpus);
	ret |= setpriority(PRIO_PROCESS, pid, 7);
	ret |= sched_setaffinity(pid, sizeof(cpus), &cpus);
	for (i = 0; i < NR_POLICIES; i++) {
		param.sched_priority = policies[i] == SCHED_FIFO;
		ret |= sched_setscheduler(pid, policies[i], &param);
	}
	return ret;
}

static enum scx_test_status watch(struct task_dead *skel, pid_t dies, pid_t zombie)
{
	struct bpf_link *link;

	SCX_ASSERT(!make_zombie(zombie));
	SCX_ASSERT(BECOMES(is_dead(skel, zombie)));

	link = bpf_map__attach_struct_ops(skel->maps.task_dead_ops);
	SCX_ASSERT(link);

	SCX_ASSERT(!make_zombie(dies));
	SCX_ASSERT(BECOMES(skel->bss->nr_exits));
	SCX_EQ(skel->bss->nr_exits, 1);

	SCX_ASSERT(!disturb(dies));
	SCX_ASSERT(!disturb(zombie));
	SCX_EQ(skel->bss->nr_late, 0);
	SCX_EQ(skel->bss->nr_zombie, 0);

	/* and nothing more when they are gone for good, some grace periods later */
	waitpid(dies, NULL, 0);
	waitpid(zombie, NULL, 0);
	usleep(500000);
	SCX_EQ(skel->bss->nr_exits, 1);
	SCX_EQ(skel->bss->nr_late, 0);
	SCX_EQ(skel->bss->nr_zombie, 0);
	SCX_EQ(skel->data->uei.kind, EXIT_KIND(SCX_EXIT_NONE));

	bpf_link__destroy(link);
	SCX_EQ(skel->data->uei.kind, EXIT_KIND(SCX_EXIT_UNREG));
	return SCX_TEST_PASS;
}

/* The program's variables are shared with whoever is forked. */
static pid_t fork_killer(struct task_dead *skel)
{
	pid_t pid = fork();
	bool dead;

	if (pid)
		return pid;
	BECOMES_WITHIN(100, skel->bss->in_init);
	kill(skel->bss->slow, SIGKILL);
	dead = BECOMES(state_of(skel->bss->slow) == 'Z' && is_dead(skel, skel->bss->slow));
	skel->bss->is_dead = true;
	_exit(skel->bss->in_init && dead ? 0 : 1);
}

/* Whoever was initialized leaves, even one who dies meanwhile, and before the next comes. */
static enum scx_test_status dies_in_init(struct task_dead *skel)
{
	struct bpf_link *link;
	pid_t killer;
	int status;

	skel->bss->slow = fork_sleeper();
	killer = fork_killer(skel);
	SCX_ASSERT(skel->bss->slow > 0 && killer > 0);
	link = bpf_map__attach_struct_ops(skel->maps.task_dead_ops);
	SCX_ASSERT(link);
	SCX_EQ(waitpid(killer, &status, 0), killer);
	SCX_EQ(status, 0);

	SCX_EQ(skel->bss->nr_slow_inits, 1);
	SCX_EQ(skel->bss->nr_slow_exits, 1);
	SCX_ASSERT(skel->bss->slow_cancelled);
	bpf_link__destroy(link);
	SCX_EQ(skel->data->uei.kind, EXIT_KIND(SCX_EXIT_UNREG));
	waitpid(skel->bss->slow, NULL, 0);
	usleep(500000);
	SCX_EQ(skel->bss->nr_slow_exits, 1);
	return SCX_TEST_PASS;
}

static enum scx_test_status run(void *ctx)
{
	enum scx_test_status status;
	struct task_dead *skel;
	pid_t dies, zombie;

	skel = task_dead__open_and_load();
	SCX_ASSERT(skel);

	dies = fork_sleeper();
	zombie = fork_sleeper();
	SCX_ASSERT(dies > 0 && zombie > 0);
	skel->bss->dies = dies;
	skel->bss->zombie = zombie;

	status = watch(skel, dies, zombie);
	task_dead__destroy(skel);
	/* who initializes tasks has a CPU for itself */
	if (status != SCX_TEST_PASS || sysconf(_SC_NPROCESSORS_ONLN) < 2)
		return status;

	skel = task_dead__open_and_load();
	SCX_ASSERT(skel);
	status = dies_in_init(skel);
	task_dead__destroy(skel);
	return status;
}

struct scx_test task_dead = {
	.name = "task_dead",
	.description = "A task leaves its scheduler when it dies, and isn't heard of again",
	.run = run,
};
REGISTER_SCX_TEST(&task_dead)
