// SPDX-License-Identifier: GPL-2.0
/*
 * ops.init_task() refuses a task: while the scheduler is enabled, half-way through, and
 * when a task forks. And a fork fails after it was accepted. Each task that was accepted
 * leaves once, and nothing of the scheduler stays.
 */
#define _GNU_SOURCE
#include "test_steps.h"
#include "init_task_fail_test.h"
#include "init_task_fail.bpf.skel.h"

#define NR_SLEEPERS	40

static struct init_task_fail *skel;
static struct bpf_link *fail_link;
static u32 arena_id;

static enum scx_test_status prepare(void)
{
	skel = SCX_OPS_OPEN(init_task_fail_ops, init_task_fail);
	UEI_SET_SIZE(skel, init_task_fail_ops, uei);
	SCX_FAIL_IF(init_task_fail__load(skel), "Failed to load: does the JIT support arenas?");
	arena_id = map_id(skel->maps.init_task_arena);
	SCX_ASSERT(arena_id);
	return SCX_TEST_PASS;
}

static void detach(void)
{
	bpf_link__destroy(fail_link);
	fail_link = NULL;
}

static void cleanup(void *ctx)
{
	detach();
	init_task_fail__destroy(skel);
	skel = NULL;
}

/* It has ended, and all that was accepted has left. */
static enum scx_test_status gone(void)
{
	const struct init_task_fail_test *st = &skel->arena->st;

	SCX_ASSERT(BECOMES(scx_state_is("disabled")));
	detach();
	SCX_EQ(st->nr_exits, st->nr_accepted);
	cleanup(NULL);
	SCX_FAIL_IF(!map_is_gone(arena_id), "its arena stays");
	return SCX_TEST_PASS;
}

/* Refuse a task in the midst of those that there are. */
static enum scx_test_status refuse_half_way(void)
{
	const struct init_task_fail_test *st;
	u32 half = NR_SLEEPERS / 2;
	pid_t pids[NR_SLEEPERS];
	int i;

	for (i = 0; i < NR_SLEEPERS; i++) {
		pids[i] = fork_child();
		SCX_GE(pids[i], 0);
		if (!pids[i])
			while (true)
				pause();
	}
	TRY(prepare());
	st = &skel->arena->st;
	skel->arena->st.refuse_from = half;
	fail_link = bpf_map__attach_struct_ops(skel->maps.init_task_fail_ops);
	SCX_ASSERT(BECOMES(skel->data->uei.kind != EXIT_KIND(SCX_EXIT_NONE)));
	SCX_EQ(skel->data->uei.kind, EXIT_KIND(SCX_EXIT_ERROR));
	SCX_FAIL_IF(strncmp(skel->data->uei.msg, "ops.init_task() failed (-2) for ", 32),
		    "exit message '%s'", skel->data->uei.msg);
	SCX_EQ(st->nr_calls, half);
	SCX_GE(st->nr_accepted, half - 1);
	SCX_EQ(st->nr_cancelled, 0);
	TRY(gone());

	/* they are as they were */
	for (i = 0; i < NR_SLEEPERS; i++) {
		SCX_EQ(waitpid(pids[i], NULL, WNOHANG), 0);
		SCX_EQ(kill(pids[i], SIGKILL), 0);
		SCX_EQ(waitpid(pids[i], NULL, 0), pids[i]);
	}
	return SCX_TEST_PASS;
}

/* The caller's forks fail with what ops.init_task() returned; others don't. */
static enum scx_test_status refuse_forks(void)
{
	struct init_task_fail_test *st = &skel->arena->st;
	pid_t pid;

	st->refuse_forks_of = getpid();
	pid = fork_child();
	if (!pid)
		_exit(0);
	SCX_EQ(pid, -1);
	SCX_EQ(errno, EDOM);

	st->refuse_forks_of = 0;
	pid = fork_child();
	if (!pid)
		_exit(0);
	SCX_GT(pid, 0);
	SCX_EQ(waitpid(pid, NULL, 0), pid);
	SCX_EQ(st->nr_cancelled, 0);
	return SCX_TEST_PASS;
}

/* A task is killed as it forks, when the scheduler has accepted what it forks. */
static enum scx_test_status cancel_fork(void)
{
	struct init_task_fail_test *st = &skel->arena->st;
	int start[2], status;
	pid_t forker;
	char c = 0;

	SCX_EQ(pipe(start), 0);
	forker = fork_child();
	SCX_GE(forker, 0);
	if (!forker) {
		if (read(start[0], &c, 1) == 1)
			fork();
		_exit(0);
	}
	st->hold_forks_of = forker;
	SCX_EQ(write(start[1], &c, 1), 1);
	SCX_ASSERT(BECOMES(*(volatile int *)&st->held));
	SCX_EQ(kill(forker, SIGKILL), 0);
	*(volatile int *)&st->release = 1;
	SCX_EQ(waitpid(forker, &status, 0), forker);
	SCX_ASSERT(WIFSIGNALED(status));
	SCX_EQ(st->held, 1);
	SCX_EQ(st->nr_cancelled, 1);
	close(start[0]);
	close(start[1]);
	return SCX_TEST_PASS;
}

static enum scx_test_status run(void *ctx)
{
	TRY(refuse_half_way());

	TRY(prepare());
	fail_link = bpf_map__attach_struct_ops(skel->maps.init_task_fail_ops);
	SCX_FAIL_IF(!fail_link, "Failed to attach scheduler");
	TRY(refuse_forks());
	/* the one that is held up may not keep the only CPU from us */
	if (sysconf(_SC_NPROCESSORS_ONLN) > 1)
		TRY(cancel_fork());
	SCX_EQ(skel->data->uei.kind, EXIT_KIND(SCX_EXIT_NONE));
	SCX_ASSERT(scx_state_is("enabled"));
	bpf_link__destroy(fail_link);
	fail_link = NULL;
	SCX_EQ(skel->data->uei.kind, EXIT_KIND(SCX_EXIT_UNREG));
	return gone();
}

struct scx_test init_task_fail = {
	.name = "init_task_fail",
	.description = "Refuse tasks in ops.init_task(), half-way through enabling and on fork",
	.run = run,
	.cleanup = cleanup,
};
REGISTER_SCX_TEST(&init_task_fail)
