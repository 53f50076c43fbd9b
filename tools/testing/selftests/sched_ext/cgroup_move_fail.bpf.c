// SPDX-License-Identifier: GPL-2.0
/*
 * A scheduler that takes its time to refuse the first task, and counts tasks that are moved
 * to another cgroup meanwhile.
 */
#include <scx/common.bpf.h>

char _license[] SEC("license") = "GPL";

#define BPF_MAX_LOOPS	(8 << 20)
#define HOLD_NS		(20ULL * 1000 * 1000 * 1000)

UEI_DEFINE(uei);

volatile bool refusing, release;
u32 nr_prepared, nr_moved, nr_inits, nr_exits;

s32 BPF_STRUCT_OPS_SLEEPABLE(cgroup_move_fail_init_task, struct task_struct *p,
			     struct scx_init_task_args *args)
{
	u64 start = bpf_ktime_get_ns();
	int i, j;

	refusing = true;
	/* one loop alone may have too few rounds */
	bpf_for(i, 0, BPF_MAX_LOOPS) {
		bpf_for(j, 0, BPF_MAX_LOOPS)
			if (release || bpf_ktime_get_ns() - start > HOLD_NS)
				break;
		if (release || bpf_ktime_get_ns() - start > HOLD_NS)
			break;
	}
	return -ENOENT;
}

s32 BPF_STRUCT_OPS_SLEEPABLE(cgroup_move_fail_cgroup_init, struct cgroup *cgrp,
			     struct scx_cgroup_init_args *args)
{
	__sync_fetch_and_add(&nr_inits, 1);
	return 0;
}

void BPF_STRUCT_OPS_SLEEPABLE(cgroup_move_fail_cgroup_exit, struct cgroup *cgrp)
{
	__sync_fetch_and_add(&nr_exits, 1);
}

s32 BPF_STRUCT_OPS_SLEEPABLE(cgroup_move_fail_cgroup_prep_move, struct task_struct *p,
			     struct cgroup *from, struct cgroup *to)
{
	__sync_fetch_and_add(&nr_prepared, 1);
	return 0;
}

void BPF_STRUCT_OPS(cgroup_move_fail_cgroup_move, struct task_struct *p, struct cgroup *from,
		    struct cgroup *to)
{
	__sync_fetch_and_add(&nr_moved, 1);
}

void BPF_STRUCT_OPS(cgroup_move_fail_exit, struct scx_exit_info *ei)
{
	UEI_RECORD(uei, ei);
}

SEC(".struct_ops.link")
struct sched_ext_ops cgroup_move_fail_ops = {
	.init_task		= (void *)cgroup_move_fail_init_task,
	.cgroup_init		= (void *)cgroup_move_fail_cgroup_init,
	.cgroup_exit		= (void *)cgroup_move_fail_cgroup_exit,
	.cgroup_prep_move	= (void *)cgroup_move_fail_cgroup_prep_move,
	.cgroup_move		= (void *)cgroup_move_fail_cgroup_move,
	.exit			= (void *)cgroup_move_fail_exit,
	.name			= "cgroup_move_fail",
};
