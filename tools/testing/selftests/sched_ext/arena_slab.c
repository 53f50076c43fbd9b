// SPDX-License-Identifier: GPL-2.0
#include "arena_slab_util.h"

#define NR_WAITERS	100
#define NR_WORKERS	8
#define NR_ROUNDS	40
#define NR_CHILDREN	16

/* Fork in batches, so that entries are taken and returned on all CPUs at once. */
static void churn(void)
{
	int round, i;

	for (round = 0; round < NR_ROUNDS; round++) {
		for (i = 0; i < NR_CHILDREN; i++) {
			pid_t pid = fork_child();

			if (pid < 0)
				_exit(1);
			if (!pid) {
				usleep((round * 7 + i * 13) % 50);
				_exit(0);
			}
		}
		while (wait(NULL) > 0)
			;
	}
	_exit(0);
}

static enum scx_test_status run(void *ctx)
{
	int release[2], before, i;
	struct scx_slab *slab;

	TRY(slab_start(nr_tasks_and_slack()));
	slab = &skel->arena->st.slab;
	SCX_EQ(skel->arena->st.nr_refused, 1);
	SCX_EQ(skel->arena->st.nr_accepted, 0);
	before = slab->nr_used;

	SCX_FAIL_IF(pipe(release), "no pipe");
	for (i = 0; i < NR_WAITERS; i++)
		SCX_GT(spawn_waiter(release), 0);
	/* give or take what else lives and dies here, such as kworkers */
	SCX_GE(slab->nr_used, before + NR_WAITERS - 20);

	for (i = 0; i < NR_WORKERS; i++) {
		pid_t pid = fork_child();

		SCX_GE(pid, 0);
		if (!pid) {
			close(release[1]);
			churn();
		}
	}
	TRY(reap(NR_WORKERS));
	SCX_GE(skel->arena->st.nr_owners, NR_WORKERS * NR_ROUNDS * NR_CHILDREN);
	SCX_GE(slab->nr_used, before + NR_WAITERS - 20);

	close(release[1]);
	TRY(reap(NR_WAITERS));
	SCX_ASSERT(BECOMES((int)slab->nr_used < before + 20));
	SCX_EQ(skel->data->uei.kind, EXIT_KIND(SCX_EXIT_NONE));

	slab_detach();
	TRY(slab_check_exit(EXIT_KIND(SCX_EXIT_UNREG), NULL));
	TRY(slab_check_empty_and_gone());
	close(release[0]);
	return SCX_TEST_PASS;
}

struct scx_test arena_slab = {
	.name = "arena_slab",
	.description = "Verify that a slab in an arena hands out distinct entries "
		       "and takes them back",
	.run = run,
	.cleanup = slab_cleanup,
};
REGISTER_SCX_TEST(&arena_slab)
