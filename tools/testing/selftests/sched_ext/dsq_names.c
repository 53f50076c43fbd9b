// SPDX-License-Identifier: GPL-2.0
/*
 * Operations on DSQs do the same by their old names and by those of today, in each form
 * that these have, and are refused in the same places.
 */
#include "vocab_steps.h"
#include "dsq_names_test.h"
#include "dsq_names.bpf.skel.h"

#define THE_CPU		1
#define OTHER_CPU	2

static pid_t readers[NR_TASKS];
static int fds[NR_TASKS][2];

static struct dsq_names *load(enum dsq_form form, enum dsq_way way)
{
	struct dsq_names *skel = dsq_names__open();
	int i;

	skel->rodata->form = form;
	skel->rodata->way = way;
	skel->rodata->the_cpu = THE_CPU;
	skel->rodata->other_cpu = OTHER_CPU;
	if (dsq_names__load(skel)) {
		SCX_ERR("Form %d, way %d: refused by the verifier", form, way);
		dsq_names__destroy(skel);
		return NULL;
	}
	for (i = 0; i < NR_TASKS; i++)
		skel->bss->tasks[i] = readers[i];
	return skel;
}

static enum scx_test_status in_order(enum dsq_form form, enum dsq_way way)
{
	bool reversed = way != WAY_MOVE && (way != WAY_HEAD || form >= FORM_V2);
	struct dsq_names *skel = load(form, way);
	struct bpf_link *link;
	int i, from;

	SCX_ASSERT(skel);
	link = bpf_map__attach_struct_ops(skel->maps.dsq_names_ops);
	SCX_FAIL_IF(!link, "Failed to attach scheduler");

	for (i = 0; i < NR_TASKS; i++) {
		SCX_EQ(write(fds[i][1], "", 1), 1);
		SCX_ASSERT(BECOMES(skel->bss->nr_queued == i + 1));
	}
	SCX_EQ(skel->bss->nr_ran, 0);
	run_prog(skel->progs.release);
	SCX_ASSERT(BECOMES(skel->bss->nr_ran == NR_TASKS));
	for (i = 0; i < NR_TASKS; i++) {
		from = reversed ? NR_TASKS - 1 - i : i;
		SCX_FAIL_IF(skel->bss->ran[i] != skel->bss->queued[from],
			    "form %d, way %d: task %u ran at %d", form, way, skel->bss->ran[i], i);
		SCX_FAIL_IF(skel->bss->slices[i] != SLICE_OF(from),
			    "form %d, way %d: slice %llu at %d", form, way,
			    (unsigned long long)skel->bss->slices[i], i);
	}
	SCX_EQ(skel->bss->nr_false, 0);
	if (form >= FORM_V2 || way == WAY_MOVE || way == WAY_MOVE_VTIME)
		SCX_GE(skel->bss->nr_true, NR_TASKS);
	SCX_EQ(skel->data->uei.kind, EXIT_KIND(SCX_EXIT_NONE));
	bpf_link__destroy(link);
	dsq_names__destroy(skel);
	return SCX_TEST_PASS;
}

/* Tasks that are woken up on another CPU than the one that takes them. */
static enum scx_test_status from_elsewhere(enum dsq_form form)
{
	cpu_set_t one, both;
	int i;

	CPU_ZERO(&one);
	CPU_SET(THE_CPU, &one);
	both = one;
	CPU_SET(OTHER_CPU, &both);
	for (i = 0; i < NR_TASKS; i++)
		SCX_EQ(sched_setaffinity(readers[i], sizeof(both), &both), 0);
	TRY(in_order(form, WAY_PREEMPT));
	for (i = 0; i < NR_TASKS; i++)
		SCX_EQ(sched_setaffinity(readers[i], sizeof(one), &one), 0);
	return SCX_TEST_PASS;
}

static enum scx_test_status ends(enum dsq_form form, enum dsq_way way, const char *want)
{
	bool insertion = way == WAY_BAD_FLAGS || way == WAY_TWICE || way == WAY_INSERT_IN_RUNNING;
	struct dsq_names *skel = load(form, way);
	struct bpf_link *link;
	int i;

	SCX_ASSERT(skel);
	link = bpf_map__attach_struct_ops(skel->maps.dsq_names_ops);
	SCX_FAIL_IF(!link, "Failed to attach scheduler");
	run_prog(skel->progs.release);
	for (i = 0; i < NR_TASKS; i++)
		SCX_EQ(write(fds[i][1], "", 1), 1);
	SCX_FAIL_IF(!BECOMES(skel->data->uei.kind != EXIT_KIND(SCX_EXIT_NONE)),
		    "form %d, way %d: still there instead of '%s'", form, way, want);
	bpf_link__destroy(link);
	SCX_EQ(skel->data->uei.kind, EXIT_KIND(SCX_EXIT_ERROR));
	SCX_FAIL_IF(!strstr(skel->data->uei.msg, want),
		    "form %d, way %d: exit message '%s' instead of '%s'", form, way,
		    skel->data->uei.msg, want);
	if (form >= FORM_V2 && insertion)
		SCX_GT(skel->bss->nr_false, 0);
	dsq_names__destroy(skel);
	return SCX_TEST_PASS;
}

static enum scx_test_status setup(void **ctx)
{
	int i;

	if (sysconf(_SC_NPROCESSORS_ONLN) <= THE_CPU)
		return SCX_TEST_SKIP;
	for (i = 0; i < NR_TASKS; i++) {
		SCX_EQ(pipe(fds[i]), 0);
		readers[i] = fork_reader(fds[i][0], THE_CPU, THE_CPU);
	}
	for (i = 0; i < NR_TASKS; i++)
		SCX_ASSERT(BECOMES(sleeps(readers[i])));
	SCX_ASSERT(run_on(0));
	return SCX_TEST_PASS;
}

static enum scx_test_status run(void *ctx)
{
	enum dsq_form form;

	for (form = 0; form < NR_FORMS; form++) {
		TRY(in_order(form, WAY_INSERT_VTIME));
		TRY(in_order(form, WAY_MOVE));
		TRY(in_order(form, WAY_MOVE_VTIME));
		TRY(in_order(form, WAY_HEAD));
		if (form >= FORM_V2 && sysconf(_SC_NPROCESSORS_ONLN) > OTHER_CPU)
			TRY(from_elsewhere(form));
		TRY(ends(form, WAY_BAD_FLAGS, "invalid enq_flags 0x100000000000000"));
		if (form >= FORM_V2)
			TRY(ends(form, WAY_BAD_MOVE_FLAGS, "invalid enq_flags 0x100000000000000"));
		TRY(ends(form, WAY_TWICE, "already direct-dispatched"));
		TRY(ends(form, WAY_INSERT_IN_RUNNING,
			 "kfunc with mask 0x6 called from an operation only allowing 0x10"));
		TRY(ends(form, WAY_TO_LOCAL_IN_ENQUEUE,
			 "kfunc with mask 0x2 called from an operation only allowing 0x4"));
		TRY(ends(form, WAY_NO_DSQ, "invalid DSQ ID 0x00000000000003e7"));
	}
	return SCX_TEST_PASS;
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

struct scx_test dsq_names = {
	.name = "dsq_names",
	.description = "Operations on DSQs do the same by old and new names",
	.setup = setup,
	.run = run,
	.cleanup = cleanup,
};
REGISTER_SCX_TEST(&dsq_names)
