// SPDX-License-Identifier: GPL-2.0
/*
 * A scheduler of the cid form that refuses tasks in ops.init_task(), and keeps account
 * of those that it has accepted.
 */
#include <scx/common.bpf.h>
#include "init_task_fail_test.h"

#define BPF_MAX_LOOPS	(8 << 20)
#define HOLD_NS		(20ULL * 1000 * 1000 * 1000)

char _license[] SEC("license") = "GPL";

UEI_DEFINE(uei);

struct {
	__uint(type, BPF_MAP_TYPE_ARENA);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, INIT_TASK_FAIL_PAGES);
} init_task_arena SEC(".maps");

struct init_task_fail_test __arena_global st;

#define COUNT(what)	__sync_fetch_and_add(&st.what, 1)

s32 BPF_STRUCT_OPS_SLEEPABLE(init_task_fail_init_task, struct task_struct *p,
			     struct scx_init_task_args *args)
{
	/* the process that forks; 0 for the tasks that there are already */
	s32 forker = args->fork ? bpf_get_current_task_btf()->tgid : 0;
	u64 start = bpf_ktime_get_ns();
	int i, j;

	/* not what others fork meanwhile */
	if (!args->fork && COUNT(nr_calls) + 1 >= st.refuse_from && st.refuse_from)
		return -ENOENT;
	if (forker && forker == st.refuse_forks_of)
		return -EDOM;
	if (forker && forker == st.hold_forks_of) {
		COUNT(held);
		/* one loop alone may have too few rounds */
		bpf_for(i, 0, BPF_MAX_LOOPS) {
			bpf_for(j, 0, BPF_MAX_LOOPS)
				if (st.release || bpf_ktime_get_ns() - start > HOLD_NS)
					break;
			if (st.release || bpf_ktime_get_ns() - start > HOLD_NS)
				break;
		}
	}
	COUNT(nr_accepted);
	return 0;
}

void BPF_STRUCT_OPS(init_task_fail_exit_task, struct task_struct *p,
		    struct scx_exit_task_args *args)
{
	COUNT(nr_exits);
	if (args->cancelled)
		COUNT(nr_cancelled);
}

void BPF_STRUCT_OPS(init_task_fail_exit, struct scx_exit_info *ei)
{
	UEI_RECORD(uei, ei);
}

SCX_OPS_CID_DEFINE(init_task_fail_ops,
		   .init_task	= (void *)init_task_fail_init_task,
		   .exit_task	= (void *)init_task_fail_exit_task,
		   .exit	= (void *)init_task_fail_exit,
		   .name	= "init_task_fail");
