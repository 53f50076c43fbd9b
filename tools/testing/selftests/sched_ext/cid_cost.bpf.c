// SPDX-License-Identifier: GPL-2.0
/*
 * The same scheduler in both forms, to compare what a change of affinity costs.
 */
#include <scx/common.bpf.h>

char _license[] SEC("license") = "GPL";

struct {
	__uint(type, BPF_MAP_TYPE_ARENA);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 64);
} cid_arena SEC(".maps");

u64 nr_calls, first_word;
s32 measured_pid;

void BPF_STRUCT_OPS(cid_cost_enqueue, struct task_struct *p, u64 enq_flags)
{
	scx_bpf_dispatch(p, SCX_DSQ_GLOBAL, SCX_SLICE_DFL, enq_flags);
}

void BPF_STRUCT_OPS(cid_cost_set_cpumask, struct task_struct *p, const struct cpumask *cpumask)
{
	if (p->pid != measured_pid)
		return;
	nr_calls++;
	first_word = cpumask->bits[0];
}

SCX_OPS_DEFINE(cpu_cost_ops,
	       .enqueue		= (void *)cid_cost_enqueue,
	       .set_cpumask	= (void *)cid_cost_set_cpumask,
	       .name		= "cpu_cost");

/* each program belongs to one form */
void BPF_STRUCT_OPS(cid_cost_enqueue_cid, struct task_struct *p, u64 enq_flags)
{
	scx_bpf_dispatch(p, SCX_DSQ_GLOBAL, SCX_SLICE_DFL, enq_flags);
}

void BPF_STRUCT_OPS(cid_cost_set_cmask, struct task_struct *p, struct scx_cmask __arena *cmask)
{
	ARENA_ASSOCIATE(cid_arena);
	if (p->pid != measured_pid)
		return;
	nr_calls++;
	first_word = cmask->bits[0];
}

SCX_OPS_CID_DEFINE(cid_cost_ops,
		   .enqueue		= (void *)cid_cost_enqueue_cid,
		   .set_cmask	= (void *)cid_cost_set_cmask,
		   .name		= "cid_cost");
