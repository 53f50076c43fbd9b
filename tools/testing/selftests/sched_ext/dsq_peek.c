// SPDX-License-Identifier: GPL-2.0
/*
 * scx_bpf_dsq_peek() is the task that the next move from a DSQ takes.
 */
#include "vocab_steps.h"
#include "dsq_peek_test.h"
#include "dsq_peek.bpf.skel.h"

static pid_t readers[NR_TASKS];
static int fds[NR_TASKS][2];

static struct dsq_peek *open_wrong(enum dsq_peek_wrong wrong)
{
	struct dsq_peek *skel = dsq_peek__open();

	skel->rodata->wrong = wrong;
	return skel;
}

static enum scx_test_status ends(enum dsq_peek_wrong wrong, const char *want)
{
	struct dsq_peek *skel = open_wrong(wrong);

	SCX_FAIL_IF(dsq_peek__load(skel), "Failed to load");
	ENDS(skel->maps.dsq_peek_ops, skel->data->uei, want);
	dsq_peek__destroy(skel);
	return SCX_TEST_PASS;
}

static enum scx_test_status refused(void)
{
	struct dsq_peek *skel = open_wrong(PEEK_UNCHECKED);

	TRY(no_load(skel->obj, skel->progs.dsq_peek_running,
		    "invalid mem access 'rcu_ptr_or_null_'"));
	dsq_peek__destroy(skel);

	skel = open_wrong(PEEK_NO_RCU);
	TRY(no_load(skel->obj, skel->progs.peek,
		    "kernel function scx_bpf_dsq_peek must be called in an RCU critical section"));
	dsq_peek__destroy(skel);

	TRY(ends(PEEK_NONE, "can't peek into non-existent DSQ 0x3"));
	TRY(ends(PEEK_GLOBAL, "can't peek into built-in DSQ 0x8000000000000001"));
	TRY(ends(PEEK_LOCAL, "can't peek into built-in DSQ 0x8000000000000002"));
	return SCX_TEST_PASS;
}

static enum scx_test_status in_order(u64 dsq)
{
	struct dsq_peek *skel = open_wrong(PEEK_FINE);
	struct bpf_link *link;
	int i, first;

	SCX_FAIL_IF(dsq_peek__load(skel), "Failed to load");
	for (i = 0; i < NR_TASKS; i++)
		skel->bss->tasks[i] = readers[i];
	skel->bss->into = dsq;
	skel->bss->peek_at = dsq;
	link = bpf_map__attach_struct_ops(skel->maps.dsq_peek_ops);
	SCX_FAIL_IF(!link, "Failed to attach scheduler");

	SCX_EQ(run_prog(skel->progs.peek), 0);
	for (i = 0; i < NR_TASKS; i++) {
		SCX_EQ(write(fds[i][1], "", 1), 1);
		SCX_ASSERT(BECOMES(skel->bss->nr_queued == i + 1));
		/* insertion is over a moment later */
		first = skel->bss->queued[dsq == DSQ_FIFO ? 0 : i];
		SCX_ASSERT(BECOMES(run_prog(skel->progs.peek) == first));
		SCX_EQ(run_prog(skel->progs.peek), first);
	}
	for (i = 0; i < NR_TASKS; i++) {
		first = skel->bss->queued[dsq == DSQ_FIFO ? i : NR_TASKS - 1 - i];
		SCX_EQ(run_prog(skel->progs.peek), first);
		skel->bss->release = 1;
		run_prog(skel->progs.kick);
		SCX_ASSERT(BECOMES(sleeps(first)));
		SCX_EQ(skel->bss->release, 0);
	}
	SCX_EQ(run_prog(skel->progs.peek), 0);

	SCX_GE(skel->bss->nr_peeks, NR_TASKS);
	SCX_EQ(skel->bss->nr_differ, 0);
	SCX_EQ(skel->data->uei.kind, EXIT_KIND(SCX_EXIT_NONE));
	bpf_link__destroy(link);
	dsq_peek__destroy(skel);
	return SCX_TEST_PASS;
}

static enum scx_test_status setup(void **ctx)
{
	int i;

	if (sysconf(_SC_NPROCESSORS_ONLN) < 2)
		return SCX_TEST_SKIP;
	for (i = 0; i < NR_TASKS; i++) {
		SCX_EQ(pipe(fds[i]), 0);
		readers[i] = fork_reader(fds[i][0], 1, 1);
	}
	for (i = 0; i < NR_TASKS; i++)
		SCX_ASSERT(BECOMES(sleeps(readers[i])));
	SCX_ASSERT(run_on(0));
	return SCX_TEST_PASS;
}

static enum scx_test_status run(void *ctx)
{
	TRY(in_order(DSQ_FIFO));
	TRY(in_order(DSQ_VTIME));
	return refused();
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

struct scx_test dsq_peek = {
	.name = "dsq_peek",
	.description = "scx_bpf_dsq_peek() is the first task of a DSQ",
	.setup = setup,
	.run = run,
	.cleanup = cleanup,
};
REGISTER_SCX_TEST(&dsq_peek)
