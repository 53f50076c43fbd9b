// SPDX-License-Identifier: GPL-2.0
/*
 * ops.cgroup_move() has a run queue locked, and may not do what locks another, or the same.
 */
#include <sys/stat.h>
#include "vocab_steps.h"
#include "cgroup_move.bpf.skel.h"

#define ROOT	"/sys/fs/cgroup"
#define DIR	ROOT "/scx_move"
#define WANT	"kfunc with mask 0x2 called from an operation only allowing 0x10"

static enum scx_test_status setup(void **ctx)
{
	if (put_text(ROOT "/cgroup.subtree_control", "+cpu") ||
	    (mkdir(DIR, 0755) && errno != EEXIST))
		return SCX_TEST_SKIP;
	return SCX_TEST_PASS;
}

static enum scx_test_status run(void *ctx)
{
	struct cgroup_move *skel;
	struct bpf_link *link;
	int fds[2], others[2];
	pid_t moved;

	SCX_EQ(pipe(fds), 0);
	SCX_EQ(pipe(others), 0);
	skel = cgroup_move__open_and_load();
	SCX_FAIL_IF(!skel, "Failed to load");
	/* of the same run queue */
	skel->bss->kept = fork_reader(fds[0], 0, 0);
	moved = fork_reader(others[0], 0, 0);
	SCX_ASSERT(BECOMES(sleeps(skel->bss->kept) && sleeps(moved)));
	link = bpf_map__attach_struct_ops(skel->maps.cgroup_move_ops);
	SCX_FAIL_IF(!link, "Failed to attach scheduler");
	SCX_ASSERT(WAKE_UNTIL(fds[1], skel->bss->nr_kept > 0));

	SCX_EQ(put_text(DIR "/cgroup.procs", "%d", moved), 0);
	SCX_FAIL_IF(!BECOMES(skel->data->uei.kind != EXIT_KIND(SCX_EXIT_NONE)),
		    "still there, %u tasks moved", skel->bss->nr_moved);
	SCX_EQ(skel->data->uei.kind, EXIT_KIND(SCX_EXIT_ERROR));
	SCX_FAIL_IF(strcmp(skel->data->uei.msg, WANT), "exit message '%s'",
		    skel->data->uei.msg);
	SCX_EQ(skel->bss->nr_moved, 0);
	SCX_ASSERT(BECOMES(sleeps(skel->bss->kept)));

	bpf_link__destroy(link);
	end_child(skel->bss->kept);
	end_child(moved);
	cgroup_move__destroy(skel);
	close(fds[0]);
	close(fds[1]);
	close(others[0]);
	close(others[1]);
	return SCX_TEST_PASS;
}

static void cleanup(void *ctx)
{
	rmdir(DIR);
}

struct scx_test cgroup_move = {
	.name = "cgroup_move",
	.description = "ops.cgroup_move() can't move tasks between DSQs",
	.setup = setup,
	.run = run,
	.cleanup = cleanup,
};
REGISTER_SCX_TEST(&cgroup_move)
