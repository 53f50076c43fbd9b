// SPDX-License-Identifier: GPL-2.0
#include "arena_slab_util.h"

#define NR_CHILDREN	SLAB_TEST_ENTRIES

/* A slab that is too small for the tasks there are: the scheduler never starts. */
static enum scx_test_status exhaust_at_load(void)
{
	struct arena_slab *skel = arena_slab_load(1);
	struct bpf_link *link = bpf_map__attach_struct_ops(skel->maps.arena_slab_ops);

	SCX_ASSERT(scx_state_becomes("disabled"));
	if (link)
		bpf_link__destroy(link);
	SCX_EQ(skel->data->uei.kind, EXIT_KIND(SCX_EXIT_ERROR_BPF));
	SCX_ASSERT(!strcmp(skel->data->uei.msg, "slab of 1 used up"));
	TRY(arena_slab_check_empty(skel));
	arena_slab__destroy(skel);
	return SCX_TEST_PASS;
}

/*
 * Fork more children than there are entries. The scheduler exits and says why.
 * No fork fails for it, and the children go on under the default class.
 */
static enum scx_test_status exhaust_by_fork(void)
{
	int release[2], status, i;
	struct arena_slab *skel;
	struct bpf_link *link;
	pid_t *children;
	char want[64];

	children = calloc(NR_CHILDREN, sizeof(*children));
	SCX_FAIL_IF(!children, "no memory");
	skel = arena_slab_load(SLAB_TEST_ENTRIES);
	link = bpf_map__attach_struct_ops(skel->maps.arena_slab_ops);
	SCX_FAIL_IF(!link, "Failed to attach scheduler");
	SCX_EQ(skel->data->uei.kind, EXIT_KIND(SCX_EXIT_NONE));

	SCX_FAIL_IF(pipe(release), "no pipe");
	for (i = 0; i < NR_CHILDREN; i++) {
		children[i] = spawn_waiter(release);
		SCX_FAIL_IF(children[i] < 0, "fork %d failed (%d)", i, children[i]);
	}
	SCX_ASSERT(scx_state_becomes("disabled"));

	close(release[1]);
	for (i = 0; i < NR_CHILDREN; i++) {
		SCX_EQ(waitpid(children[i], &status, 0), children[i]);
		SCX_EQ(status, 0);
	}

	bpf_link__destroy(link);
	SCX_EQ(skel->data->uei.kind, EXIT_KIND(SCX_EXIT_ERROR_BPF));
	snprintf(want, sizeof(want), "slab of %u used up", SLAB_TEST_ENTRIES);
	SCX_ASSERT(!strcmp(skel->data->uei.msg, want));
	TRY(arena_slab_check(skel));
	TRY(arena_slab_check_empty(skel));

	arena_slab__destroy(skel);
	close(release[0]);
	free(children);
	return SCX_TEST_PASS;
}

/*
 * Children that have exited and that nobody waits for hold no entry: many more
 * of them than the slab has entries do no harm.
 */
static enum scx_test_status zombies_need_none(void)
{
	int status, i, nr = 2 * SLAB_TEST_ENTRIES;
	struct arena_slab *skel;
	struct bpf_link *link;
	siginfo_t info;
	pid_t pid;

	skel = arena_slab_load(SLAB_TEST_ENTRIES);
	link = bpf_map__attach_struct_ops(skel->maps.arena_slab_ops);
	SCX_FAIL_IF(!link, "Failed to attach scheduler");

	for (i = 0; i < nr; i++) {
		pid = fork();
		SCX_FAIL_IF(pid < 0, "fork %d failed (%d)", i, errno);
		if (!pid)
			_exit(0);
		/* wait for its end, but leave it a zombie */
		SCX_EQ(waitid(P_PID, pid, &info, WEXITED | WNOWAIT), 0);
	}
	SCX_EQ(skel->data->uei.kind, EXIT_KIND(SCX_EXIT_NONE));
	SCX_GE(skel->arena->st.nr_owners, nr);

	for (i = 0; i < nr; i++) {
		SCX_GT(wait(&status), 0);
		SCX_EQ(status, 0);
	}
	bpf_link__destroy(link);
	SCX_EQ(skel->data->uei.kind, EXIT_KIND(SCX_EXIT_UNREG));
	TRY(arena_slab_check(skel));
	TRY(arena_slab_check_empty(skel));
	arena_slab__destroy(skel);
	return SCX_TEST_PASS;
}

static enum scx_test_status run(void *ctx)
{
	int maps = nr_arena_maps();

	TRY(exhaust_at_load());
	TRY(exhaust_by_fork());
	TRY(zombies_need_none());
	SCX_ASSERT(arena_maps_become(maps));
	return SCX_TEST_PASS;
}

struct scx_test arena_slab_exhaust = {
	.name = "arena_slab_exhaust",
	.description = "Verify that a scheduler whose slab is used up exits with "
		       "its error, fails no fork, and leaves nothing",
	.run = run,
};
REGISTER_SCX_TEST(&arena_slab_exhaust)
