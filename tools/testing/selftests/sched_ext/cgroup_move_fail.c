// SPDX-License-Identifier: GPL-2.0
/*
 * ops.init_task() fails while a task waits to be moved to another cgroup. The scheduler isn't
 * told of the move: it hasn't heard of the task.
 */
#include <pthread.h>
#include <sys/stat.h>
#include "test_steps.h"
#include "cgroup_move_fail.bpf.skel.h"

#define ROOT	"/sys/fs/cgroup"
#define DIR	ROOT "/scx_move_fail"

static struct cgroup_move_fail *skel;
static int start[2];
static pid_t mover;

static enum scx_test_status setup(void **ctx)
{
	/* who refuses may not keep the only CPU from who moves */
	if (sysconf(_SC_NPROCESSORS_ONLN) == 1 ||
	    put_text(ROOT "/cgroup.subtree_control", "+cpu") ||
	    (mkdir(DIR, 0755) && errno != EEXIST))
		return SCX_TEST_SKIP;
	return SCX_TEST_PASS;
}

/* It waits for the scheduler, in the kernel, and goes on doing so. */
static bool waits(pid_t pid)
{
	int i;

	for (i = 0; i < 20; i++) {
		if (state_of(pid) != 'D')
			return false;
		usleep(10000);
	}
	return true;
}

/* A thread, as none can be made when the scheduler is being enabled. */
static void *move(void *arg)
{
	bool *waited = arg;

	if (BECOMES(skel->bss->refusing) && write(start[1], "", 1) == 1)
		*waited = BECOMES(waits(mover));
	skel->bss->release = true;
	return NULL;
}

static enum scx_test_status run(void *ctx)
{
	struct bpf_link *link;
	bool waited = false;
	pthread_t thread;
	int status;
	char c;

	skel = SCX_OPS_OPEN(cgroup_move_fail_ops, cgroup_move_fail);
	UEI_SET_SIZE(skel, cgroup_move_fail_ops, uei);
	SCX_FAIL_IF(cgroup_move_fail__load(skel), "Failed to load");
	SCX_EQ(pipe(start), 0);
	mover = fork_child();
	SCX_GE(mover, 0);
	if (!mover)
		_exit(read(start[0], &c, 1) != 1 || put_text(DIR "/cgroup.procs", "0"));
	SCX_EQ(pthread_create(&thread, NULL, move, &waited), 0);
	link = bpf_map__attach_struct_ops(skel->maps.cgroup_move_fail_ops);
	SCX_EQ(pthread_join(thread, NULL), 0);
	SCX_FAIL_IF(!waited, "the move didn't wait for the scheduler");
	SCX_ASSERT(BECOMES(skel->data->uei.kind != EXIT_KIND(SCX_EXIT_NONE)));
	SCX_EQ(skel->data->uei.kind, EXIT_KIND(SCX_EXIT_ERROR));
	SCX_FAIL_IF(strncmp(skel->data->uei.msg, "ops.init_task() failed (-2) for ", 32),
		    "exit message '%s'", skel->data->uei.msg);
	SCX_EQ(waitpid(mover, &status, 0), mover);
	SCX_EQ(status, 0);
	SCX_ASSERT(BECOMES(scx_state_is("disabled")));
	bpf_link__destroy(link);

	SCX_EQ(skel->bss->nr_prepared, 0);
	SCX_EQ(skel->bss->nr_moved, 0);
	SCX_GE(skel->bss->nr_inits, 2);
	SCX_EQ(skel->bss->nr_exits, skel->bss->nr_inits);
	return SCX_TEST_PASS;
}

static void cleanup(void *ctx)
{
	cgroup_move_fail__destroy(skel);
	close(start[0]);
	close(start[1]);
	rmdir(DIR);
}

struct scx_test cgroup_move_fail = {
	.name = "cgroup_move_fail",
	.description = "Move a task to another cgroup while ops.init_task() fails",
	.setup = setup,
	.run = run,
	.cleanup = cleanup,
};
REGISTER_SCX_TEST(&cgroup_move_fail)
