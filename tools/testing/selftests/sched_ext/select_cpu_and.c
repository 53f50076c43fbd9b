// SPDX-License-Identifier: GPL-2.0
/*
 * scx_bpf_select_cpu_and() selects idle CPUs, out of those that both its mask and the
 * task allow.
 */
#include "vocab_steps.h"
#include "util.h"
#include "select_cpu_and_test.h"
#include "select_cpu_and.bpf.skel.h"

#define WAKEUPS		40

static pid_t wakee;
static int fds[2];
static bool per_node;

static struct select_cpu_and *load(enum and_where where, enum and_form form, u64 pick_flags)
{
	struct select_cpu_and *skel = select_cpu_and__open();

	skel->rodata->where = where;
	skel->rodata->form = form;
	skel->rodata->pick_flags = pick_flags;
	skel->rodata->per_node = per_node;
	if (per_node)
		skel->struct_ops.select_cpu_and_ops->flags |= SCX_OPS_BUILTIN_IDLE_PER_NODE;
	if (select_cpu_and__load(skel))
		return NULL;
	skel->bss->wakee = wakee;
	return skel;
}

/* The wakee can run on CPUs 1 to 3, and CPUs 0, 2 and 3 are allowed. */
static enum scx_test_status in_op(enum and_where where, enum and_form form)
{
	struct select_cpu_and *skel = load(where, form, 0);
	struct bpf_link *link;
	u32 calls;
	int i;

	SCX_FAIL_IF(!skel, "Failed to load");
	skel->bss->allowed = 0xd;
	link = bpf_map__attach_struct_ops(skel->maps.select_cpu_and_ops);
	SCX_FAIL_IF(!link, "Failed to attach scheduler");
	for (i = 0; i < WAKEUPS; i++) {
		SCX_ASSERT(WAKE_UNTIL(fds[1], skel->bss->nr_got + skel->bss->nr_busy > i));
		SCX_ASSERT(BECOMES(sleeps(wakee)));
	}
	calls = skel->bss->nr_got + skel->bss->nr_busy;
	SCX_GE(calls, WAKEUPS);
	/* others than the wakee and this task hardly run */
	SCX_GT(skel->bss->nr_got, calls / 2);
	SCX_EQ(skel->bss->nr_other, 0);
	SCX_EQ(skel->bss->nr_outside, 0);
	SCX_EQ(skel->bss->seen & ~0xcLLU, 0);
	SCX_EQ(skel->data->uei.kind, EXIT_KIND(SCX_EXIT_NONE));
	bpf_link__destroy(link);
	select_cpu_and__destroy(skel);
	return SCX_TEST_PASS;
}

/* Each idle CPU once, and then no more. What is seen is what is claimed. */
static enum scx_test_status unlocked(enum and_form form)
{
	struct select_cpu_and *skel = load(AND_NOWHERE, form, 0);
	struct bpf_link *link;
	int tries;

	SCX_FAIL_IF(!skel, "Failed to load");
	link = bpf_map__attach_struct_ops(skel->maps.select_cpu_and_ops);
	SCX_FAIL_IF(!link, "Failed to attach scheduler");

	/* CPUs wake up and idle again now and then: try until none did meanwhile */
	for (tries = 0; tries < 100; tries++) {
		run_prog(skel->progs.kick_all);
		usleep(20000);
		skel->bss->allowed = 0xf;
		skel->bss->seen = 0;
		if (run_prog(skel->progs.claim) >= 0 && run_prog(skel->progs.claim) >= 0 &&
		    run_prog(skel->progs.claim) >= 0 && skel->bss->seen == 0xe &&
		    run_prog(skel->progs.claim) == -EBUSY)
			break;
	}
	SCX_LT(tries, 100);

	run_prog(skel->progs.kick_all);
	usleep(20000);
	skel->bss->seen = 0;
	skel->bss->allowed = 0x1;	/* where the wakee can't run */
	SCX_EQ(run_prog(skel->progs.claim), -EBUSY);
	skel->bss->allowed = 0;
	SCX_EQ(run_prog(skel->progs.claim), -EBUSY);
	SCX_EQ(skel->bss->seen, 0);
	skel->bss->allowed = 1LLU << 2;
	SCX_ASSERT(BECOMES(run_prog(skel->progs.claim) == 2 ||
			   (run_prog(skel->progs.kick_all), 0)));

	SCX_EQ(skel->bss->nr_outside, 0);
	SCX_EQ(skel->bss->nr_other, 0);
	SCX_EQ(skel->data->uei.kind, EXIT_KIND(SCX_EXIT_NONE));
	bpf_link__destroy(link);
	select_cpu_and__destroy(skel);
	return SCX_TEST_PASS;
}

/* The CPUs of a core are claimed together, and only where all of them idle. */
static enum scx_test_status whole_core(enum and_form form)
{
	struct select_cpu_and *skel = load(AND_NOWHERE, form,
					   __COMPAT_ENUM_OR_ZERO("scx_pick_idle_cpu_flags",
								 "SCX_PICK_IDLE_CORE"));
	struct bpf_link *link;
	int tries, first;

	SCX_FAIL_IF(!skel, "Failed to load");
	link = bpf_map__attach_struct_ops(skel->maps.select_cpu_and_ops);
	SCX_FAIL_IF(!link, "Failed to attach scheduler");

	/* CPU 1 shares its core with this task's */
	skel->bss->allowed = 0xf;
	for (tries = 0; tries < 100; tries++) {
		run_prog(skel->progs.kick_all);
		usleep(20000);
		first = run_prog(skel->progs.claim);
		SCX_ASSERT(first == 2 || first == 3 || first == -EBUSY);
		if (first >= 0 && run_prog(skel->progs.claim) == -EBUSY)
			break;
	}
	SCX_LT(tries, 100);
	SCX_EQ(skel->data->uei.kind, EXIT_KIND(SCX_EXIT_NONE));
	bpf_link__destroy(link);
	select_cpu_and__destroy(skel);
	return SCX_TEST_PASS;
}

/* A CPU whose task is about to sleep is as good as an idle one, but no whole core. */
static enum scx_test_status sync_wakeup(enum and_form form, bool core)
{
	u64 pick = core ? __COMPAT_ENUM_OR_ZERO("scx_pick_idle_cpu_flags",
						"SCX_PICK_IDLE_CORE") : 0;
	struct select_cpu_and *skel = load(AND_NOWHERE, form, pick);
	struct bpf_link *link;
	int i, cpu, here = 0;

	SCX_FAIL_IF(!skel, "Failed to load");
	link = bpf_map__attach_struct_ops(skel->maps.select_cpu_and_ops);
	SCX_FAIL_IF(!link, "Failed to attach scheduler");

	skel->bss->allowed = 0xf;
	skel->bss->waking = __COMPAT_ENUM_OR_ZERO("scx_wake_flags", "SCX_WAKE_SYNC");
	SCX_ASSERT(skel->bss->waking);
	SCX_ASSERT(run_on(1));
	for (i = 0; i < 20; i++) {
		run_prog(skel->progs.kick_all);
		usleep(20000);
		cpu = run_prog(skel->progs.claim);
		SCX_ASSERT(cpu == -EBUSY || (cpu >= 1 && cpu <= 3));
		here += cpu == 1;
	}
	SCX_ASSERT(run_on(0));
	if (core)
		SCX_EQ(here, 0);
	else
		SCX_GT(here, 0);
	bpf_link__destroy(link);
	select_cpu_and__destroy(skel);
	return SCX_TEST_PASS;
}

static enum scx_test_status ends(enum and_where where, enum and_form form, const char *want)
{
	struct select_cpu_and *skel = load(where, form, 0);

	SCX_FAIL_IF(!skel, "Failed to load");
	ENDS(skel->maps.select_cpu_and_ops, skel->data->uei, want);
	select_cpu_and__destroy(skel);
	return SCX_TEST_PASS;
}

static enum scx_test_status no_idle(enum and_form form)
{
	struct select_cpu_and *skel = load(AND_RUNNING, form, 0);

	SCX_FAIL_IF(!skel, "Failed to load");
	ENDS(skel->maps.no_idle_ops, skel->data->uei, "built-in idle tracking is disabled");
	select_cpu_and__destroy(skel);
	return SCX_TEST_PASS;
}

static enum scx_test_status setup(void **ctx)
{
	if (sysconf(_SC_NPROCESSORS_ONLN) != 4)
		return SCX_TEST_SKIP;
	SCX_EQ(pipe(fds), 0);
	wakee = fork_reader(fds[0], 1, 3);
	SCX_ASSERT(BECOMES(sleeps(wakee)));
	SCX_ASSERT(run_on(0));
	return SCX_TEST_PASS;
}

static enum scx_test_status all_forms(void)
{
	enum and_form form;

	for (form = 0; form < NR_AND_FORMS; form++) {
		TRY(in_op(AND_SELECT_CPU, form));
		TRY(in_op(AND_ENQUEUE, form));
		TRY(unlocked(form));
		if (file_read_long("/sys/devices/system/cpu/smt/active") == 1)
			TRY(whole_core(form));
		TRY(sync_wakeup(form, false));
		TRY(sync_wakeup(form, true));
		TRY(ends(AND_RUNNING, form,
			 "kfunc with mask 0xc called from an operation only allowing 0x10"));
		TRY(ends(AND_BAD_PREV, form, "invalid CPU -1"));
		if (!per_node)
			TRY(no_idle(form));
	}
	return SCX_TEST_PASS;
}

static enum scx_test_status run(void *ctx)
{
	per_node = false;
	TRY(all_forms());
	per_node = true;
	return all_forms();
}

static void cleanup(void *ctx)
{
	end_child(wakee);
	close(fds[0]);
	close(fds[1]);
	run_on_any();
}

struct scx_test select_cpu_and = {
	.name = "select_cpu_and",
	.description = "An idle CPU is selected out of those that are allowed",
	.setup = setup,
	.run = run,
	.cleanup = cleanup,
};
REGISTER_SCX_TEST(&select_cpu_and)
