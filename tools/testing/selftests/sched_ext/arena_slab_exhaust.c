// SPDX-License-Identifier: GPL-2.0
#include "arena_slab_util.h"

/* A slab that is too small for the tasks there are. */
static enum scx_test_status exhaust_at_load(void)
{
	TRY(slab_start(1));
	TRY(slab_check_exit(EXIT_KIND(SCX_EXIT_ERROR_BPF), "slab of 1 used up"));
	return slab_check_empty_and_gone();
}

/*
 * Fork more children than there are entries. The scheduler exits and says why.
 * No fork fails for it, and the children go on under the default class.
 */
static enum scx_test_status exhaust_by_fork(void)
{
	u32 nr = nr_tasks_and_slack(), i;
	int release[2];
	char want[64];

	TRY(slab_start(nr));
	SCX_EQ(skel->data->uei.kind, EXIT_KIND(SCX_EXIT_NONE));

	SCX_FAIL_IF(pipe(release), "no pipe");
	for (i = 0; i < nr; i++)
		SCX_GT(spawn_waiter(release), 0);
	SCX_ASSERT(BECOMES(scx_state_is("disabled")));
	close(release[1]);
	TRY(reap(nr));
	close(release[0]);

	snprintf(want, sizeof(want), "slab of %u used up", nr);
	TRY(slab_check_exit(EXIT_KIND(SCX_EXIT_ERROR_BPF), want));
	return slab_check_empty_and_gone();
}

/* Start @nr children that exit, and leave them zombies. */
static enum scx_test_status make_zombies(u32 nr)
{
	siginfo_t info;
	pid_t pid;

	while (nr--) {
		pid = fork_child();
		SCX_GE(pid, 0);
		if (!pid)
			_exit(0);
		SCX_EQ(waitid(P_PID, pid, &info, WEXITED | WNOWAIT), 0);
	}
	return SCX_TEST_PASS;
}

/*
 * Children that have exited and that nobody waits for hold no entry, be they
 * from before the scheduler or not: more of them than there are entries in the
 * slab do no harm.
 */
static enum scx_test_status zombies_need_none(void)
{
	u32 nr = nr_tasks_and_slack();

	TRY(make_zombies(nr));
	TRY(slab_start(nr));
	TRY(make_zombies(nr));
	SCX_EQ(skel->data->uei.kind, EXIT_KIND(SCX_EXIT_NONE));
	SCX_GE(skel->arena->st.nr_owners, nr);
	SCX_LT(skel->arena->st.slab.nr_used, nr / 2 + nr / 4);

	TRY(reap(2 * nr));
	slab_detach();
	TRY(slab_check_exit(EXIT_KIND(SCX_EXIT_UNREG), NULL));
	return slab_check_empty_and_gone();
}

static enum scx_test_status run(void *ctx)
{
	TRY(exhaust_at_load());
	TRY(exhaust_by_fork());
	return zombies_need_none();
}

struct scx_test arena_slab_exhaust = {
	.name = "arena_slab_exhaust",
	.description = "Verify that a scheduler whose slab is used up exits with "
		       "its error, fails no fork, and leaves nothing",
	.run = run,
	.cleanup = slab_cleanup,
};
REGISTER_SCX_TEST(&arena_slab_exhaust)
