// SPDX-License-Identifier: GPL-2.0
/*
 * scx_bpf_now() stands still while an operation has the rq of its CPU locked, goes on
 * otherwise, and never back.
 */
#include "vocab_steps.h"
#include "scx_now.bpf.skel.h"

static enum scx_test_status a_while(struct scx_now *skel)
{
	int i;

	for (i = 0; i < 5; i++) {
		SCX_EQ(run_prog(skel->progs.a_while), 1);
		SCX_GT(skel->bss->took_now, skel->bss->took_ktime / 2);
		SCX_LT(skel->bss->took_now, skel->bss->took_ktime * 2);
		/* of 400; one that waits for ticks stands still in nearly all of them */
		SCX_LT(skel->bss->nr_stuck, 200);
		skel->bss->nr_stuck = 0;
	}
	return SCX_TEST_PASS;
}

static enum scx_test_status with(bool uses_now)
{
	int cpu, nr = sysconf(_SC_NPROCESSORS_ONLN);
	struct scx_now *skel = scx_now__open();
	pid_t busy[2 * nr];
	struct bpf_link *link;

	skel->rodata->uses_now = uses_now;
	SCX_FAIL_IF(scx_now__load(skel), "Failed to load");
	TRY(a_while(skel));
	link = bpf_map__attach_struct_ops(skel->maps.now_ops);
	SCX_FAIL_IF(!link, "Failed to attach scheduler");

	/* tasks that take turns, and wakeups of this one in between */
	for (cpu = 0; cpu < 2 * nr; cpu++)
		busy[cpu] = fork_busy(cpu % nr);
	TRY(a_while(skel));
	if (uses_now)
		SCX_ASSERT(BECOMES(skel->bss->nr_ticks > 200 && skel->bss->nr_seen > 5000));
	for (cpu = 0; cpu < 2 * nr; cpu++)
		end_child(busy[cpu]);
	TRY(a_while(skel));

	SCX_EQ(skel->bss->nr_back, 0);
	SCX_EQ(skel->bss->nr_moved, 0);
	SCX_EQ(skel->data->uei.kind, EXIT_KIND(SCX_EXIT_NONE));
	bpf_link__destroy(link);
	TRY(a_while(skel));

	if (uses_now)
		printf("# 1000 calls in ns: scx_bpf_now() %lu, bpf_ktime_get_ns() %lu, loop %lu\n",
		       skel->bss->cost_now, skel->bss->cost_ktime, skel->bss->cost_loop);
	scx_now__destroy(skel);
	return SCX_TEST_PASS;
}

static enum scx_test_status run(void *ctx)
{
	TRY(with(true));
	TRY(with(false));
	TRY(with(true));
	return SCX_TEST_PASS;
}

struct scx_test scx_now_test = {
	.name = "scx_now",
	.description = "scx_bpf_now() is the time of a CPU",
	.run = run,
};
REGISTER_SCX_TEST(&scx_now_test)
