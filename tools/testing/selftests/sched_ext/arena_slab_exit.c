// SPDX-License-Identifier: GPL-2.0
#include <signal.h>
#include "arena_slab_util.h"

#define NR_WORKERS	8
#define NR_CYCLES	10

static void fork_forever(void)
{
	for (;;) {
		pid_t pid = fork();

		if (!pid)
			_exit(0);
		if (pid > 0)
			waitpid(pid, NULL, 0);
	}
}

static enum scx_test_status attach_and_exit(useconds_t usecs)
{
	struct arena_slab *skel = arena_slab_load(SLAB_TEST_ENTRIES);
	struct bpf_link *link = bpf_map__attach_struct_ops(skel->maps.arena_slab_ops);

	SCX_FAIL_IF(!link, "Failed to attach scheduler");
	usleep(usecs);
	bpf_link__destroy(link);
	SCX_ASSERT(scx_state_becomes("disabled"));
	SCX_EQ(skel->data->uei.kind, EXIT_KIND(SCX_EXIT_UNREG));
	TRY(arena_slab_check(skel));
	TRY(arena_slab_check_empty(skel));
	arena_slab__destroy(skel);
	return SCX_TEST_PASS;
}

static enum scx_test_status run(void *ctx)
{
	enum scx_test_status status = SCX_TEST_PASS;
	int maps = nr_arena_maps(), i;
	pid_t workers[NR_WORKERS];

	for (i = 0; i < NR_WORKERS; i++) {
		workers[i] = fork();
		SCX_FAIL_IF(workers[i] < 0, "Failed to fork worker");
		if (!workers[i])
			fork_forever();
	}

	for (i = 0; i < NR_CYCLES && status == SCX_TEST_PASS; i++)
		status = attach_and_exit(i * 20000);

	for (i = 0; i < NR_WORKERS; i++) {
		kill(workers[i], SIGKILL);
		waitpid(workers[i], NULL, 0);
	}
	TRY(status);
	SCX_ASSERT(arena_maps_become(maps));
	return SCX_TEST_PASS;
}

struct scx_test arena_slab_exit = {
	.name = "arena_slab_exit",
	.description = "Verify that a scheduler with a slab that is unloaded while "
		       "tasks fork and exit gets every entry back and leaves no map",
	.run = run,
};
REGISTER_SCX_TEST(&arena_slab_exit)
