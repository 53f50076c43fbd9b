// SPDX-License-Identifier: GPL-2.0
/*
 * Tasks on a local DSQ come back to ops.enqueue() wherever that is asked for, and not
 * without end.
 */
#include "vocab_steps.h"
#include "reenq_local_test.h"
#include "reenq_local.bpf.skel.h"

#define MAX_REPEATS	256	/* SCX_REENQ_MAX_REPEATS */

static pid_t readers[NR_TASKS];
static int fds[NR_TASKS][2];

static struct bpf_link *attach(struct reenq_local **skel, enum reenq_where where)
{
	int i;

	*skel = reenq_local__open();
	(*skel)->rodata->where = where;
	if (reenq_local__load(*skel))
		return NULL;
	for (i = 0; i < NR_TASKS; i++)
		(*skel)->bss->tasks[i] = readers[i];
	return bpf_map__attach_struct_ops((*skel)->maps.reenq_local_ops);
}

static enum scx_test_status wake_all(void)
{
	int i;

	for (i = 0; i < NR_TASKS; i++)
		SCX_EQ(write(fds[i][1], "", 1), 1);
	return SCX_TEST_PASS;
}

static enum scx_test_status all_sleep(void)
{
	int i;

	for (i = 0; i < NR_TASKS; i++)
		SCX_ASSERT(BECOMES(sleeps(readers[i])));
	return SCX_TEST_PASS;
}

static s64 repeats(struct reenq_local *skel)
{
	run_prog(skel->progs.read_repeats);
	return skel->bss->events;
}

/* On the CPU of this task, which doesn't sleep in between. */
static enum scx_test_status here(enum reenq_where where, u32 nr_reenq, u64 nr_repeats,
				 const char *want)
{
	struct reenq_local *skel;
	struct bpf_link *link;
	int nr;

	link = attach(&skel, where);
	SCX_FAIL_IF(!link, "Failed to attach scheduler");
	usleep(100000);
	SCX_EQ(repeats(skel), 0);
	skel->data->home = 0;
	TRY(wake_all());
	nr = run_prog(skel->progs.reenqueue);
	SCX_EQ(skel->bss->nr_reenq, nr_reenq);
	SCX_EQ(nr, NR_TASKS);
	SCX_EQ(repeats(skel), nr_repeats);
	SCX_EQ(skel->bss->nr_put, NR_TASKS);
	if (want) {
		SCX_ASSERT(BECOMES(skel->data->uei.kind != EXIT_KIND(SCX_EXIT_NONE)));
		SCX_EQ(skel->data->uei.kind, EXIT_KIND(SCX_EXIT_ERROR));
		SCX_FAIL_IF(strcmp(skel->data->uei.msg, want), "exit message '%s'",
			    skel->data->uei.msg);
		TRY(all_sleep());
	} else {
		TRY(all_sleep());
		SCX_EQ(skel->data->uei.kind, EXIT_KIND(SCX_EXIT_NONE));
	}
	bpf_link__destroy(link);
	reenq_local__destroy(skel);
	return SCX_TEST_PASS;
}

static void realtime(void)
{
	struct sched_param param = { .sched_priority = 10 };

	/* before it goes there, as the busy task doesn't give way to others */
	sched_setscheduler(0, SCHED_FIFO, &param);
	run_on(1);
	_exit(0);
}

/* On a CPU that another task keeps. */
static enum scx_test_status there(enum reenq_where where, const char *want)
{
	struct reenq_local *skel;
	struct bpf_link *link;
	pid_t busy, rt = 0;

	link = attach(&skel, where);
	SCX_FAIL_IF(!link, "Failed to attach scheduler");
	busy = fork_busy(1);
	skel->bss->busy = busy;
	usleep(200000);
	skel->data->home = 1;
	TRY(wake_all());
	SCX_ASSERT(BECOMES(skel->bss->nr_put == NR_TASKS));
	/* they stay there */
	usleep(100000);
	SCX_EQ(run_prog(skel->progs.nr_on_home), NR_TASKS);
	SCX_EQ(skel->bss->nr_reenq, 0);
	skel->bss->ask = true;
	if (where != REENQ_TICK && where != REENQ_TICK_V1) {
		rt = fork_child();
		if (!rt)
			realtime();
	}
	if (want) {
		SCX_ASSERT(BECOMES(skel->data->uei.kind != EXIT_KIND(SCX_EXIT_NONE)));
		SCX_EQ(skel->data->uei.kind, EXIT_KIND(SCX_EXIT_ERROR));
		SCX_FAIL_IF(strcmp(skel->data->uei.msg, want), "exit message '%s'",
			    skel->data->uei.msg);
	} else {
		SCX_FAIL_IF(!BECOMES(skel->bss->nr_reenq == NR_TASKS),
			    "%u re-enqueued in case %d, asked %d, exit %lu: %s",
			    skel->bss->nr_reenq, where, !skel->bss->ask,
			    (unsigned long)skel->data->uei.kind, skel->data->uei.msg);
		TRY(all_sleep());
		/* the busy one was there too, though in the midst of leaving its CPU */
		if (where == REENQ_RELEASE_V1)
			SCX_EQ(skel->bss->released, NR_TASKS + 1);
		SCX_EQ(skel->bss->nr_busy, rt ? 1 : 0);
		SCX_EQ(repeats(skel), 0);
		SCX_EQ(skel->data->uei.kind, EXIT_KIND(SCX_EXIT_NONE));
	}
	if (rt)
		waitpid(rt, NULL, 0);
	end_child(busy);
	TRY(all_sleep());
	bpf_link__destroy(link);
	reenq_local__destroy(skel);
	return SCX_TEST_PASS;
}

static enum scx_test_status setup(void **ctx)
{
	int i;

	if (sysconf(_SC_NPROCESSORS_ONLN) < 4)
		return SCX_TEST_SKIP;
	for (i = 0; i < NR_TASKS; i++) {
		SCX_EQ(pipe(fds[i]), 0);
		readers[i] = fork_reader(fds[i][0], 0, 3);
	}
	TRY(all_sleep());
	SCX_ASSERT(run_on(0));
	return SCX_TEST_PASS;
}

static enum scx_test_status run(void *ctx)
{
	TRY(here(REENQ_SYSCALL, NR_TASKS, 0, NULL));
	TRY(there(REENQ_TICK, NULL));
	TRY(there(REENQ_RELEASE, NULL));
	TRY(there(REENQ_RELEASE_V1, NULL));
	TRY(there(REENQ_RELEASE_HEADER, NULL));
	TRY(here(REENQ_REPEAT, (1 + NR_REPEATS) * NR_TASKS, NR_REPEATS * NR_TASKS, NULL));
	TRY(here(REENQ_FOREVER, (1 + MAX_REPEATS) * NR_TASKS, MAX_REPEATS * NR_TASKS,
		 "ops.enqueue() keeps re-enqueueing the local DSQ of CPU 0"));
	return there(REENQ_TICK_V1,
		     "kfunc with mask 0x1 called from an operation only allowing 0x10");
}

static void cleanup(void *ctx)
{
	int i;

	for (i = 0; i < NR_TASKS; i++) {
		end_child(readers[i]);
		close(fds[i][0]);
		close(fds[i][1]);
	}
	run_on_any();
}

struct scx_test reenq_local = {
	.name = "reenq_local",
	.description = "Tasks come back from a local DSQ wherever that is asked for",
	.setup = setup,
	.run = run,
	.cleanup = cleanup,
};
REGISTER_SCX_TEST(&reenq_local)
