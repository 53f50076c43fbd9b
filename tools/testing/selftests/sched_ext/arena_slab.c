// SPDX-License-Identifier: GPL-2.0
#include "arena_slab_util.h"

#define NR_WORKERS	8
#define NR_ROUNDS	40
#define NR_CHILDREN	16

/* Fork in batches, so that entries are taken and returned on all CPUs at once. */
static void churn(void)
{
	int round, i;

	for (round = 0; round < NR_ROUNDS; round++) {
		for (i = 0; i < NR_CHILDREN; i++) {
			pid_t pid = fork();

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
	int release[2], status, before, i;
	pid_t workers[NR_WORKERS], waiters[100];
	struct arena_slab *skel;
	struct bpf_link *link;

	skel = arena_slab_load(SLAB_TEST_ENTRIES);
	link = bpf_map__attach_struct_ops(skel->maps.arena_slab_ops);
	SCX_FAIL_IF(!link, "Failed to attach scheduler");
	SCX_EQ(skel->arena->st.nr_refused, 1);
	SCX_EQ(skel->arena->st.nr_accepted, 0);
	before = skel->arena->st.slab.nr_used;

	SCX_FAIL_IF(pipe(release), "no pipe");
	for (i = 0; i < 100; i++) {
		waiters[i] = spawn_waiter(release);
		SCX_FAIL_IF(waiters[i] < 0, "Failed to fork (%d)", waiters[i]);
	}
	SCX_GE(skel->arena->st.slab.nr_used, 100);

	for (i = 0; i < NR_WORKERS; i++) {
		workers[i] = fork();
		SCX_FAIL_IF(workers[i] < 0, "Failed to fork worker");
		if (!workers[i])
			churn();
	}
	for (i = 0; i < NR_WORKERS; i++) {
		SCX_EQ(waitpid(workers[i], &status, 0), workers[i]);
		SCX_EQ(status, 0);
	}
	SCX_GE(skel->arena->st.nr_owners, NR_WORKERS * NR_ROUNDS * NR_CHILDREN);
	SCX_GE(skel->arena->st.slab.nr_used, 100);

	close(release[1]);
	for (i = 0; i < 100; i++) {
		SCX_EQ(waitpid(waiters[i], &status, 0), waiters[i]);
		SCX_EQ(status, 0);
	}
	/* what came has gone, give or take a kworker */
	SCX_LT(abs((int)skel->arena->st.slab.nr_used - before), 50);
	SCX_EQ(skel->data->uei.kind, EXIT_KIND(SCX_EXIT_NONE));
	TRY(arena_slab_check(skel));

	bpf_link__destroy(link);
	SCX_EQ(skel->data->uei.kind, EXIT_KIND(SCX_EXIT_UNREG));
	TRY(arena_slab_check(skel));
	TRY(arena_slab_check_empty(skel));

	arena_slab__destroy(skel);
	close(release[0]);
	return SCX_TEST_PASS;
}

struct scx_test arena_slab = {
	.name = "arena_slab",
	.description = "Verify that a slab in an arena hands out distinct entries "
		       "and takes them back",
	.run = run,
};
REGISTER_SCX_TEST(&arena_slab)
