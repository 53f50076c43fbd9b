// SPDX-License-Identifier: GPL-2.0
/*
 * A scheduler that keeps a task on a DSQ, and moves it to another one when another task
 * changes its cgroup, which is when it may not.
 */
#include <scx/common.bpf.h>

char _license[] SEC("license") = "GPL";

#define DSQ_FROM	1
#define DSQ_TO		2

UEI_DEFINE(uei);

s32 kept;
u32 nr_kept, nr_moved;

s32 BPF_STRUCT_OPS(cgroup_move_select_cpu, struct task_struct *p, s32 prev_cpu, u64 wake_flags)
{
	return prev_cpu;
}

void BPF_STRUCT_OPS(cgroup_move_enqueue, struct task_struct *p, u64 enq_flags)
{
	u64 dsq_id = SCX_DSQ_GLOBAL;

	if (p->pid == kept) {
		__sync_fetch_and_add(&nr_kept, 1);
		dsq_id = DSQ_FROM;
	}
	scx_bpf_dispatch(p, dsq_id, SCX_SLICE_DFL, enq_flags);
}

void BPF_STRUCT_OPS(cgroup_move_cgroup_move, struct task_struct *p, struct cgroup *from,
		    struct cgroup *to)
{
	struct task_struct *q;

	bpf_for_each(scx_dsq, q, DSQ_FROM, 0)
		if (scx_bpf_dsq_move(BPF_FOR_EACH_ITER, q, DSQ_TO, 0))
			__sync_fetch_and_add(&nr_moved, 1);
}

s32 BPF_STRUCT_OPS_SLEEPABLE(cgroup_move_init)
{
	return scx_bpf_create_dsq(DSQ_FROM, -1) ?: scx_bpf_create_dsq(DSQ_TO, -1);
}

void BPF_STRUCT_OPS(cgroup_move_exit, struct scx_exit_info *ei)
{
	UEI_RECORD(uei, ei);
}

SEC(".struct_ops.link")
struct sched_ext_ops cgroup_move_ops = {
	.select_cpu	= (void *)cgroup_move_select_cpu,
	.enqueue	= (void *)cgroup_move_enqueue,
	.cgroup_move	= (void *)cgroup_move_cgroup_move,
	.init		= (void *)cgroup_move_init,
	.exit		= (void *)cgroup_move_exit,
	.name		= "cgroup_move",
};
