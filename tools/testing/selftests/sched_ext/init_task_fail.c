// SPDX-License-Identifier: GPL-2.0
/*
 * ops.init_task() refuses a task: while the scheduler is enabled, half-way through, and
 * when a task forks. And a fork fails after it was accepted, and a task dies while the
 * scheduler is disabled. Each task that was accepted leaves once, and nothing of the scheduler
 * stays.
 */
#define _GNU_SOURCE
#include <pthread.h>
#include "test_steps.h"
#include "init_task_fail_test.h"
#include "init_task_fail.bpf.skel.h"

#define NR_SLEEPERS	120
#define NR_ATTEMPTS	10

static struct init_task_fail *skel;
static struct bpf_link *fail_link;
static struct bpf_link *hold_link;
static pid_t sleepers[NR_SLEEPERS];
static u32 arena_id;

static enum scx_test_status prepare(bool holds_exits)
{
	skel = SCX_OPS_OPEN(init_task_fail_ops, init_task_fail);
	UEI_SET_SIZE(skel, init_task_fail_ops, uei);
	bpf_program__set_autoload(skel->progs.hold_exit, holds_exits);
	SCX_FAIL_IF(init_task_fail__load(skel), "Failed to load: does the JIT support arenas?%s",
		    holds_exits ? " Is CONFIG_FUNCTION_TRACER set?" : "");
	arena_id = map_id(skel->maps.init_task_arena);
	SCX_ASSERT(arena_id);
	return SCX_TEST_PASS;
}

static void detach(void)
{
	bpf_link__destroy(fail_link);
	fail_link = NULL;
	bpf_link__destroy(hold_link);
	hold_link = NULL;
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

static enum scx_test_status fork_sleepers(void)
{
	int i;

	for (i = 0; i < NR_SLEEPERS; i++) {
		sleepers[i] = fork_child();
		SCX_GE(sleepers[i], 0);
		if (!sleepers[i])
			while (true)
				pause();
	}
	return SCX_TEST_PASS;
}

/* They are as they were. */
static enum scx_test_status reap_sleepers(void)
{
	int i;

	for (i = 0; i < NR_SLEEPERS; i++) {
		SCX_EQ(waitpid(sleepers[i], NULL, WNOHANG), 0);
		SCX_EQ(kill(sleepers[i], SIGKILL), 0);
		SCX_EQ(waitpid(sleepers[i], NULL, 0), sleepers[i]);
	}
	return SCX_TEST_PASS;
}

/* Refuse a task in the midst of those that there are. */
static enum scx_test_status refuse_half_way(void)
{
	const struct init_task_fail_test *st;
	u32 half = NR_SLEEPERS / 2;

	TRY(prepare(false));
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
	return gone();
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

static void *die_when_all_leave(void *arg)
{
	struct init_task_fail_test *st = &skel->arena->st;

	st->hold_exit_of = gettid();
	while (!*(volatile int *)&st->all_leave)
		;
	return NULL;
}

/*
 * A thread dies while the scheduler is disabled, and is held up when it's off the kernel's list
 * of tasks already. Nothing waits for it then but the scheduler's end, which has to.
 */
static enum scx_test_status die_while_disabled(bool *held)
{
	struct init_task_fail_test *st;
	pthread_t thread;

	TRY(prepare(true));
	st = &skel->arena->st;
	hold_link = bpf_program__attach(skel->progs.hold_exit);
	SCX_FAIL_IF(!hold_link, "Failed to attach hold_exit");
	fail_link = bpf_map__attach_struct_ops(skel->maps.init_task_fail_ops);
	SCX_FAIL_IF(!fail_link, "Failed to attach scheduler");

	/* the last one that there is, thus the last one to be asked to leave */
	SCX_EQ(pthread_create(&thread, NULL, die_when_all_leave, NULL), 0);
	SCX_ASSERT(BECOMES(*(volatile int *)&st->hold_exit_of));
	bpf_link__destroy(fail_link);
	fail_link = NULL;
	SCX_EQ(skel->data->uei.kind, EXIT_KIND(SCX_EXIT_UNREG));
	SCX_EQ(pthread_join(thread, NULL), 0);
	*held = st->exit_held;
	return gone();
}

static enum scx_test_status run(void *ctx)
{
	bool held = false;
	int i;

	TRY(fork_sleepers());
	TRY(refuse_half_way());

	TRY(prepare(false));
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
	TRY(gone());

	if (sysconf(_SC_NPROCESSORS_ONLN) > 1) {
		for (i = 0; i < NR_ATTEMPTS && !held; i++)
			TRY(die_while_disabled(&held));
		SCX_FAIL_IF(!held, "no task died in time in %d attempts", NR_ATTEMPTS);
	}
	return reap_sleepers();
}

struct scx_test init_task_fail = {
	.name = "init_task_fail",
	.description = "Refuse tasks in ops.init_task(), half-way through enabling and on fork",
	.run = run,
	.cleanup = cleanup,
};
REGISTER_SCX_TEST(&init_task_fail)
