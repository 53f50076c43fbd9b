// SPDX-License-Identifier: GPL-2.0
/*
 * scx_bpf_task_set_slice() and scx_bpf_task_set_dsq_vtime() set what they say, also in
 * programs that can't write to a task, and the slice counts.
 */
#include "vocab_steps.h"
#include "task_set.bpf.skel.h"

static enum scx_test_status refused(void)
{
	struct task_set *skel = task_set__open();

	skel->rodata->untrusted = true;
	TRY(no_load(skel->obj, skel->progs.task_set_tick, "must be a rcu pointer"));
	task_set__destroy(skel);
	return SCX_TEST_PASS;
}

static enum scx_test_status setup(void **ctx)
{
	return sysconf(_SC_NPROCESSORS_ONLN) > 1 ? SCX_TEST_PASS : SCX_TEST_SKIP;
}

static enum scx_test_status run(void *ctx)
{
	struct task_set *skel = task_set__open();
	pid_t busy, other, sleeper;
	struct bpf_link *link;
	int fds[2], i;
	u32 before;

	SCX_FAIL_IF(task_set__load(skel), "Failed to load");
	link = bpf_map__attach_struct_ops(skel->maps.task_set_ops);
	SCX_FAIL_IF(!link, "Failed to attach scheduler");

	SCX_EQ(pipe(fds), 0);
	sleeper = fork_reader(fds[0], 0, 0);
	SCX_ASSERT(BECOMES(sleeps(sleeper)));
	skel->bss->sleeper = sleeper;
	for (i = 1; i <= 3; i++) {
		skel->bss->slice = 1000 * i;
		skel->bss->vtime = i == 3 ? -1LLU : 1LLU << (20 * i);
		SCX_EQ(run_prog(skel->progs.set_sleeper), 1);
		skel->bss->slice = 0;
		skel->bss->vtime = 0;
		SCX_EQ(run_prog(skel->progs.get_sleeper), 1);
		SCX_EQ(skel->bss->slice, 1000 * i);
		SCX_EQ(skel->bss->vtime, i == 3 ? -1LLU : 1LLU << (20 * i));
	}

	/* an endless slice ends when it is set to 0, and not before */
	busy = fork_busy(0);
	skel->bss->busy = busy;
	SCX_ASSERT(run_on(1));
	other = fork_reader(fds[0], 0, 0);
	skel->bss->other = other;
	SCX_ASSERT(BECOMES(run_prog(skel->progs.other_waits) == 1));
	before = skel->bss->nr_enqueued;
	usleep(300000);
	SCX_EQ(skel->bss->nr_enqueued, before);
	skel->bss->stop = true;
	SCX_ASSERT(BECOMES(sleeps(other)));
	SCX_GT(skel->bss->nr_enqueued, before);

	SCX_GT(skel->bss->nr_set, 0);
	SCX_EQ(skel->bss->nr_wrong, 0);
	SCX_EQ(skel->data->uei.kind, EXIT_KIND(SCX_EXIT_NONE));
	run_on_any();
	end_child(other);
	end_child(busy);
	end_child(sleeper);
	bpf_link__destroy(link);
	task_set__destroy(skel);

	return refused();
}

struct scx_test task_set = {
	.name = "task_set",
	.description = "Slices and virtual times are what kfuncs set them to",
	.setup = setup,
	.run = run,
};
REGISTER_SCX_TEST(&task_set)
