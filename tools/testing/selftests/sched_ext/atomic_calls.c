// SPDX-License-Identifier: GPL-2.0
/*
 * With preemption disabled, a program may call a global function, but for one that may
 * sleep, or that doesn't come back. In an RCU critical section it may call one that doesn't
 * sleep, and outside of any it may call one that needs none.
 */
#include "verify_steps.h"
#include "atomic_calls.bpf.skel.h"

static const struct {
	const char *prog;
	const char *said;	/* NULL: accepted */
} cases[] = {
	{ "ok_plain" },
	{ "ok_not_sleepable" },
	{ "ok_two_levels" },
	{ "ok_own_preempt" },
	{ "ok_locks" },
	{ "ok_sleeps_before" },
	{ "ok_loops" },
	{ "ok_storage" },
	{ "ok_wq" },
	{ "ok_rcu" },
	{ "ok_rcu_storage" },
	{ "ok_rcu_program" },
	{ "ok_rcu_in_callback" },
#define SLEEPS(func) "global function " #func "() may sleep, it can't be called with preemption disabled"
	{ "no_helper", SLEEPS(g_sleeps) },
	{ "no_kfunc", SLEEPS(g_sleeps_in_kfunc) },
	{ "no_two_levels", SLEEPS(g_calls_one_that_sleeps) },
	{ "no_three_levels", SLEEPS(g_three_levels) },
	{ "no_second_call", SLEEPS(g_sleeps) },
	{ "no_known_to_sleep", SLEEPS(g_calls_one_that_sleeps) },
	{ "no_in_static_function", SLEEPS(g_sleeps) },
	{ "no_callback", SLEEPS(g_callback_sleeps) },
	{ "no_storage", SLEEPS(g_storage) },
	{ "no_cycle", SLEEPS(g_back_to_start) },
	{ "no_throw", "global function g_throws() may throw an exception, it can't be called" },
	{ "no_tail_call", "global function g_tail_call() may make a tail call, it can't be" },
	{ "no_direct_sleep", "sleepable helper bpf_copy_from_user#148 in non-preemptible region" },
	{ "no_enable_in_callee", "unmatched attempt to enable preemption" },
	{ "no_lock_held", "global function calls are not allowed while holding a lock" },
#define IN_RCU(func) "global function " #func "() may sleep, it can't be called in an RCU critical section"
	{ "no_rcu_sleeps", IN_RCU(g_sleeps) },
	{ "no_rcu_kfunc", IN_RCU(g_sleeps_in_kfunc) },
	{ "no_rcu_callback", "global function g_two_levels_curr() must be called in an RCU" },
	{}
};

/* those that are run, and return 7 */
static const char * const runs[] = {
	"ok_plain", "ok_not_sleepable", "ok_two_levels", "ok_own_preempt", "ok_locks",
	"ok_sleeps_before", "ok_loops", "ok_rcu", NULL
};

static int retval(const struct bpf_program *prog)
{
	char packet[64] = {};
	LIBBPF_OPTS(bpf_test_run_opts, opts);

	if (bpf_program__type(prog) == BPF_PROG_TYPE_SCHED_CLS) {
		opts.data_in = packet;
		opts.data_size_in = sizeof(packet);
	}
	return bpf_prog_test_run_opts(bpf_program__fd(prog), &opts) ? -1 : (int)opts.retval;
}

static struct bpf_object *open_case(const char *name, struct bpf_program **prog)
{
	size_t size;
	const void *elf = atomic_calls__elf_bytes(&size);

	return open_program(elf, size, name, prog);
}

static enum scx_test_status verify(const char *name, const char *want)
{
	struct bpf_program *prog;
	struct bpf_object *obj = open_case(name, &prog);
	int i;

	SCX_FAIL_IF(!obj, "%s: can't be opened", name);
	TRY(verified_as(name, load_quietly(obj), want));
	for (i = 0; runs[i]; i++)
		if (!strcmp(name, runs[i]))
			SCX_FAIL_IF(retval(prog) != 7, "%s returned %d", name, retval(prog));
	bpf_object__close(obj);
	return SCX_TEST_PASS;
}

/* What replaces a function that was found not to sleep doesn't sleep either. */
static enum scx_test_status extend(const char *name, u32 flags, const char *want)
{
	struct bpf_program *target, *prog;
	struct bpf_object *target_obj = open_case("ok_not_sleepable", &target), *obj;
	struct bpf_link *link;

	SCX_FAIL_IF(!target_obj || load_quietly(target_obj), "there is nothing to replace");
	obj = open_case(name, &prog);
	SCX_FAIL_IF(!obj, "%s: can't be opened", name);
	SCX_EQ(bpf_program__set_attach_target(prog, bpf_program__fd(target), "g_plain"), 0);
	SCX_EQ(bpf_program__set_flags(prog, flags), 0);
	TRY(verified_as(name, load_quietly(obj), want));
	SCX_EQ(retval(target), 7);
	if (!want) {
		link = bpf_program__attach_freplace(prog, bpf_program__fd(target), "g_plain");
		SCX_FAIL_IF(!link, "%s: can't be attached (%d)", name, errno);
		SCX_EQ(retval(target), 14);
		bpf_link__destroy(link);
	}
	bpf_object__close(obj);
	bpf_object__close(target_obj);
	return SCX_TEST_PASS;
}

static enum scx_test_status run(void *ctx)
{
	int i;

	for (i = 0; cases[i].prog; i++)
		TRY(verify(cases[i].prog, cases[i].said));
	TRY(extend("replace_plain", 0, NULL));
	TRY(extend("replace_sleeps", 0, "program must be sleepable to call sleepable kfunc"));
	TRY(extend("replace_sleeps", BPF_F_SLEEPABLE, "programs can be sleepable"));
	return SCX_TEST_PASS;
}

struct scx_test atomic_calls = {
	.name = "atomic_calls",
	.description = "Verify where global functions can be called",
	.run = run,
};
REGISTER_SCX_TEST(&atomic_calls)
