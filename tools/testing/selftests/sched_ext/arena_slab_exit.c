// SPDX-License-Identifier: GPL-2.0
#include "arena_slab_util.h"

#define NR_WORKERS	8
#define NR_CYCLES	10

static pid_t workers[NR_WORKERS];

static void fork_forever(void)
{
	for (;;) {
		pid_t pid = fork_child();

		if (!pid)
			_exit(0);
		if (pid > 0)
			waitpid(pid, NULL, 0);
	}
}

static enum scx_test_status run(void *ctx)
{
	u32 nr_entries = nr_tasks_and_slack();
	int i;

	for (i = 0; i < NR_WORKERS; i++) {
		workers[i] = fork_child();
		SCX_GE(workers[i], 0);
		if (!workers[i])
			fork_forever();
	}

	for (i = 0; i < NR_CYCLES; i++) {
		TRY(slab_start(nr_entries));
		usleep(i * 20000);
		slab_detach();
		TRY(slab_check_exit(EXIT_KIND(SCX_EXIT_UNREG), NULL));
		TRY(slab_check_empty_and_gone());
	}
	return SCX_TEST_PASS;
}

static void cleanup(void *ctx)
{
	int i;

	for (i = 0; i < NR_WORKERS; i++) {
		if (workers[i] > 0) {
			kill(workers[i], SIGKILL);
			waitpid(workers[i], NULL, 0);
		}
	}
	slab_cleanup(ctx);
}

struct scx_test arena_slab_exit = {
	.name = "arena_slab_exit",
	.description = "Verify that a scheduler with a slab that is unloaded while "
		       "tasks fork and exit gets every entry back and leaves no map",
	.run = run,
	.cleanup = cleanup,
};
REGISTER_SCX_TEST(&arena_slab_exit)
