// SPDX-License-Identifier: GPL-2.0
/*
 * The policy of a task is changed while it is forked: when it can be found, and the scheduler
 * hasn't heard yet that it is there.
 */
#include "prog_steps.h"
#include "fork_policy.bpf.skel.h"

#define NO_POLICY	-1

static struct fork_policy *skel;
static struct bpf_link *hold_link, *ops_link;

static int set_policy(pid_t pid, int policy)
{
	const struct sched_param param = { .sched_priority = policy == SCHED_FIFO };

	return sched_setscheduler(pid, policy, &param);
}

/*
 * A process of policy @first forks, and the child gets two others meanwhile. It ends as one
 * of the scheduler's, or not.
 */
static enum scx_test_status change(int first, int second, int third)
{
	bool ours = (third == NO_POLICY ? second : third) == SCHED_OTHER;
	int start[2], go[2], i;
	pid_t forker, child;
	char c = 0;

	SCX_EQ(pipe(start), 0);
	SCX_EQ(pipe(go), 0);
	forker = fork_child();
	SCX_GE(forker, 0);
	if (!forker) {
		/* where it doesn't keep the CPU from us, whatever its policy */
		if (!run_on(1) || read(start[0], &c, 1) != 1)
			_exit(1);
		if (!fork_child())
			_exit(read(go[0], &c, 1) != 1);
		_exit(wait(NULL) < 0);
	}
	SCX_EQ(set_policy(forker, first), 0);
	skel->bss->nr_enables = 0;
	skel->bss->nr_disables = 0;
	skel->bss->nr_exits = 0;
	skel->bss->enabled = false;
	skel->bss->held = 0;
	skel->bss->release = false;
	skel->bss->hold_forks_of = forker;
	SCX_EQ(write(start[1], &c, 1), 1);
	SCX_ASSERT(BECOMES(skel->bss->held));
	child = skel->bss->held;

	SCX_EQ(set_policy(child, second), 0);
	if (third != NO_POLICY)
		SCX_EQ(set_policy(child, third), 0);
	SCX_EQ(skel->bss->nr_enables, 0);
	SCX_EQ(skel->bss->nr_disables, 0);
	skel->bss->hold_forks_of = 0;
	skel->bss->release = true;

	/* it sleeps when it has been forked */
	SCX_ASSERT(BECOMES(state_of(child) == 'S'));
	SCX_EQ(skel->bss->nr_enables, ours);
	SCX_EQ(skel->bss->nr_disables, 0);
	SCX_EQ(write(go[1], &c, 1), 1);
	SCX_EQ(waitpid(forker, &i, 0), forker);
	SCX_EQ(i, 0);
	SCX_ASSERT(BECOMES(*(volatile u32 *)&skel->bss->nr_exits));
	SCX_EQ(skel->bss->nr_exits, 1);
	SCX_EQ(skel->bss->nr_disables, ours);
	SCX_EQ(skel->bss->nr_wrong, 0);
	for (i = 0; i < 2; i++) {
		close(start[i]);
		close(go[i]);
	}
	return SCX_TEST_PASS;
}

static enum scx_test_status setup(void **ctx)
{
	return sysconf(_SC_NPROCESSORS_ONLN) > 1 ? SCX_TEST_PASS : SCX_TEST_SKIP;
}

static enum scx_test_status run(void *ctx)
{
	skel = SCX_OPS_OPEN(fork_policy_ops, fork_policy);
	UEI_SET_SIZE(skel, fork_policy_ops, uei);
	SCX_FAIL_IF(fork_policy__load(skel), "Failed to load: is CONFIG_FUNCTION_TRACER set?");
	hold_link = bpf_program__attach(skel->progs.hold_fork);
	SCX_FAIL_IF(!hold_link, "Failed to attach hold_fork");
	ops_link = bpf_map__attach_struct_ops(skel->maps.fork_policy_ops);
	SCX_FAIL_IF(!ops_link, "Failed to attach scheduler");

	SCX_ASSERT(run_on(0));
	TRY(change(SCHED_OTHER, SCHED_FIFO, NO_POLICY));
	TRY(change(SCHED_OTHER, SCHED_FIFO, SCHED_OTHER));
	TRY(change(SCHED_FIFO, SCHED_OTHER, NO_POLICY));
	TRY(change(SCHED_FIFO, SCHED_OTHER, SCHED_FIFO));
	SCX_EQ(skel->data->uei.kind, EXIT_KIND(SCX_EXIT_NONE));
	return SCX_TEST_PASS;
}

static void cleanup(void *ctx)
{
	if (skel)
		skel->bss->release = true;
	bpf_link__destroy(ops_link);
	bpf_link__destroy(hold_link);
	fork_policy__destroy(skel);
	run_on_any();
}

struct scx_test fork_policy = {
	.name = "fork_policy",
	.description = "Change the policy of a task while it is forked",
	.setup = setup,
	.run = run,
	.cleanup = cleanup,
};
REGISTER_SCX_TEST(&fork_policy)
