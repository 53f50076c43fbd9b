// SPDX-License-Identifier: GPL-2.0
/*
 * What the verifier accepts and refuses of programs that use resilient locks, and what
 * it says.
 */
#include "test_steps.h"
#include "res_lock_verify.bpf.skel.h"

/* The programs are tried in a kernel that knows their types: all but syscall are common. */
static const struct {
	const char *prog;
	const char *said;	/* NULL: accepted */
} cases[] = {
	{ "ok_lock" },
	{ "ok_irq" },
	{ "ok_two" },
	{ "ok_loops" },
	{ "ok_functions" },
	{ "ok_flags_of_caller" },
	{ "ok_value" },
	{ "ok_two_values" },
	{ "ok_for_each" },
	{ "ok_timer" },
	{ "ok_tracing" },
	{ "ok_kprobe" },
	{ "ok_perf_event" },
	{ "ok_socket" },
	{ "ok_tc" },
	{ "ok_tc_calls_on_error" },
	{ "no_result_ignored", "bpf_res_spin_unlock() without a resilient lock held" },
	{ "no_result_misread", "1 resilient lock is not released" },
	{ "no_result_positive", "bpf_res_spin_unlock() without a resilient lock held" },
	{ "no_double_acquire", "1 resilient lock is not released" },
	{ "no_release", "1 resilient lock is not released" },
	{ "no_release_in_loop", "1 resilient lock is not released" },
	{ "no_acquire", "bpf_res_spin_unlock() without a resilient lock held" },
	{ "no_acquire_on_one_path", "bpf_res_spin_unlock() without a resilient lock held" },
	{ "no_merged_paths", "bpf_res_spin_unlock() without a resilient lock held" },
	{ "no_order", "bpf_res_spin_unlock() of another lock than the one taken last" },
	{ "no_other_value", "bpf_res_spin_unlock() of another lock than the one taken last" },
	{ "no_other_callback_value",
	  "bpf_res_spin_unlock() of another lock than the one taken last" },
	{ "no_release_in_callback", "1 resilient lock is not released" },
	{ "no_nine", "can't hold more than 8 resilient locks" },
	{ "no_sleep", "copy_from_user is not allowed with a resilient lock held" },
	{ "no_sleeping_kfunc", "kernel function calls are not allowed with a resilient lock held" },
	{ "no_helper", "ktime_get_ns is not allowed with a resilient lock held" },
	{ "no_rcu", "kernel function calls are not allowed with a resilient lock held" },
	{ "no_global_function",
	  "global function calls are not allowed with a resilient lock held" },
	{ "no_tail_call", "tail_call is not allowed with a resilient lock held" },
	{ "no_spin_lock_inside", "spin_lock is not allowed with a resilient lock held" },
	{ "no_inside_spin_lock", "function calls are not allowed while holding a lock" },
	{ "no_stack_lock",
	  "R1 is fp, bpf_res_spin_lock() wants a bpf_res_spin_lock in a map's value" },
	{ "no_arena_lock", "wants a bpf_res_spin_lock in a map's value" },
	{ "no_maybe_null", "R1 is map_value_or_null, bpf_res_spin_lock() wants" },
	{ "no_wrong_offset",
	  "there is no bpf_res_spin_lock at offset 4 of a value of map 'values'" },
	{ "no_variable_offset", "bpf_res_spin_lock has to be at the constant offset" },
	{ "no_direct_access", "bpf_res_spin_lock cannot be accessed directly by load/store" },
	{ "no_twice", "there is no bpf_res_spin_lock at offset 0 of a value of map 'twice'" },
	{ "no_both", "there is no bpf_res_spin_lock at offset 0 of a value of map 'both'" },
	{ "no_flags_for_plain", "R2 doesn't point to saved irq flags" },
	{ "no_plain_for_flags", "of a lock taken by bpf_res_spin_lock_irqsave()" },
	{ "no_flags_mixed_up", "with the irq flags of another lock" },
	{ "no_flags_used_twice", "R2 points to irq flags that are still needed" },
	{ "no_flags_overwritten", "R2 doesn't point to saved irq flags" },
	{ "no_flags_partly_overwritten", "R2 doesn't point to saved irq flags" },
	{ "no_flags_by_path", "R2 doesn't point to saved irq flags" },
	{ "no_flags_elsewhere",
	  "R2 is map_value, bpf_res_spin_lock_irqsave() wants flags on the stack" },
	{ "no_flags_at_fp", "cannot pass in irq flags at an offset=0" },
	{ "no_flags_of_callee",
	  "irq flags of a resilient lock are on the stack of a function that returns" },
	{}
};

static int silent(enum libbpf_print_level level, const char *fmt, va_list args)
{
	return 0;
}

static enum scx_test_status verify(const char *name, const char *want)
{
	struct res_lock_verify *skel = res_lock_verify__open();
	libbpf_print_fn_t print;
	struct bpf_program *prog;
	static char log[1 << 20];
	int err;

	SCX_FAIL_IF(!skel, "Failed to open");
	prog = bpf_object__find_program_by_name(skel->obj, name);
	SCX_FAIL_IF(!prog, "no program %s", name);
	bpf_program__set_autoload(prog, true);
	bpf_program__set_log_buf(prog, log, sizeof(log));
	bpf_program__set_log_level(prog, want ? 1 : 0);
	/* libbpf creates a map without type information when the kernel refuses that */
	bpf_map__set_autocreate(skel->maps.twice, !strcmp(name, "no_twice"));
	bpf_map__set_autocreate(skel->maps.both, !strcmp(name, "no_both"));
	log[0] = '\0';

	print = libbpf_set_print(silent);
	err = res_lock_verify__load(skel);
	libbpf_set_print(print);
	if (want) {
		SCX_FAIL_IF(!err, "%s: accepted instead of '%s'", name, want);
		SCX_FAIL_IF(!strstr(log, want), "%s: '%s' is not in '%s'", name, want,
			    strlen(log) > 1500 ? log + strlen(log) - 1500 : log);
	} else {
		SCX_FAIL_IF(err, "%s: refused (%d): '%s'", name, err, log);
	}
	res_lock_verify__destroy(skel);
	return SCX_TEST_PASS;
}

/* An iterator over a map with locks may not write values as a whole. */
static enum scx_test_status iterator(void)
{
	struct res_lock_verify *skel = res_lock_verify__open();
	union bpf_iter_link_info info = {};
	LIBBPF_OPTS(bpf_iter_attach_opts, opts, .link_info = &info, .link_info_len = sizeof(info));
	libbpf_print_fn_t print;
	struct bpf_link *link;

	SCX_FAIL_IF(!skel, "Failed to open");
	bpf_program__set_autoload(skel->progs.writes_values, true);
	bpf_map__set_autocreate(skel->maps.twice, false);
	bpf_map__set_autocreate(skel->maps.both, false);
	SCX_FAIL_IF(res_lock_verify__load(skel), "Failed to load");
	info.map.map_fd = bpf_map__fd(skel->maps.values);
	print = libbpf_set_print(silent);
	link = bpf_program__attach_iter(skel->progs.writes_values, &opts);
	libbpf_set_print(print);
	SCX_FAIL_IF(link, "attached");
	SCX_EQ(errno, EACCES);
	res_lock_verify__destroy(skel);
	return SCX_TEST_PASS;
}

static enum scx_test_status run(void *ctx)
{
	int i;

	for (i = 0; cases[i].prog; i++)
		TRY(verify(cases[i].prog, cases[i].said));
	TRY(iterator());
	return SCX_TEST_PASS;
}

struct scx_test res_lock_verify = {
	.name = "res_lock_verify",
	.description = "Verify that programs with resilient locks are accepted or refused rightly",
	.run = run,
};
REGISTER_SCX_TEST(&res_lock_verify)
