// SPDX-License-Identifier: GPL-2.0
/*
 * A scheduler with idle masks for each node. Those of its programs that user space runs
 * look at the masks and pick CPUs from them.
 */
#include <scx/common.bpf.h>
#include "idle_node_test.h"

char _license[] SEC("license") = "GPL";

UEI_DEFINE(uei);

void bpf_preempt_disable(void) __ksym;
void bpf_preempt_enable(void) __ksym;

const volatile u32 wrong;

u64 cpu_masks[IDLE_NODE_MAX], smt_masks[IDLE_NODE_MAX];
u64 no_node_mask;
u32 nr_node_ids;
s32 cpu_nodes[IDLE_NODE_MAX];
struct idle_node_picks picks;
s32 claim_cpu;
bool claimed, claimed_again;
u64 claimed_mask;

/* wakeups of a task whose node had an idle CPU for it, and those that went elsewhere */
s32 watched;
u64 nr_found, nr_strayed;

static u64 bits(const struct cpumask *mask)
{
	u64 ret = 0;
	u32 cpu;

	bpf_for(cpu, 0, IDLE_NODE_MAX)
		if (bpf_cpumask_test_cpu(cpu, mask))
			ret |= 1ULL << cpu;
	return ret;
}

static u64 idle_in(s32 node)
{
	const struct cpumask *mask = scx_bpf_get_idle_cpumask_node(node);
	u64 ret = bits(mask);

	scx_bpf_put_idle_cpumask(mask);
	return ret;
}

static u64 idle_cores_in(s32 node)
{
	const struct cpumask *mask = scx_bpf_get_idle_smtmask_node(node);
	u64 ret = bits(mask);

	scx_bpf_put_idle_cpumask(mask);
	return ret;
}

SEC("syscall") int look(void *ctx)
{
	u32 i;

	nr_node_ids = scx_bpf_nr_node_ids();
	no_node_mask = idle_in(NUMA_NO_NODE) | idle_cores_in(NUMA_NO_NODE);
	bpf_for(i, 0, IDLE_NODE_MAX) {
		cpu_nodes[i] = i < scx_bpf_nr_cpu_ids() ? scx_bpf_cpu_node(i) : NUMA_NO_NODE;
		if (i >= nr_node_ids)
			continue;
		cpu_masks[i] = idle_in(i);
		smt_masks[i] = idle_cores_in(i);
	}
	return 0;
}

/* Without an interruption, so that few CPUs go idle or wake up meanwhile. */
static void pick_from(const struct cpumask *mask)
{
	s32 cpu = 0;
	u32 i;

	bpf_preempt_disable();
	bpf_for(i, 0, IDLE_NODE_MAX + 1) {
		if (i >= picks.nr || cpu < 0)
			break;
		cpu = scx_bpf_pick_idle_cpu_node(mask, picks.node, picks.flags);
		picks.picked[i] = cpu;
	}
	bpf_for(i, 0, IDLE_NODE_MAX) {
		if (i >= picks.nr_any)
			break;
		picks.any[i] = scx_bpf_pick_any_cpu_node(mask, picks.node, picks.flags);
	}
	if (picks.then_anywhere) {
		bpf_for(i, 0, IDLE_NODE_MAX)
			picks.idle[i] = i < nr_node_ids ? idle_in(i) : 0;
		picks.anywhere = scx_bpf_pick_idle_cpu_node(mask, picks.node, 0);
	}
	bpf_preempt_enable();
}

SEC("syscall") int pick(void *ctx)
{
	struct bpf_cpumask *mask = bpf_cpumask_create();
	u32 cpu;

	if (!mask)
		return -ENOMEM;
	bpf_for(cpu, 0, IDLE_NODE_MAX)
		if (picks.allowed & (1ULL << cpu))
			bpf_cpumask_set_cpu(cpu, mask);
	pick_from((const struct cpumask *)mask);
	bpf_cpumask_release(mask);
	return 0;
}

SEC("syscall") int claim(void *ctx)
{
	s32 node = scx_bpf_cpu_node(claim_cpu);

	bpf_preempt_disable();
	claimed = scx_bpf_test_and_clear_cpu_idle(claim_cpu);
	claimed_mask = idle_in(node) | idle_cores_in(node);
	claimed_again = scx_bpf_test_and_clear_cpu_idle(claim_cpu);
	bpf_preempt_enable();
	return 0;
}

s32 BPF_STRUCT_OPS(idle_node_select_cpu, struct task_struct *p, s32 prev_cpu, u64 wake_flags)
{
	s32 node = scx_bpf_cpu_node(prev_cpu), cpu;
	u64 near = wrong ? 0 : idle_in(node) & bits(p->cpus_ptr);
	bool found;

	cpu = scx_bpf_select_cpu_dfl(p, prev_cpu, wake_flags, &found);
	if (found) {
		scx_bpf_dispatch(p, SCX_DSQ_LOCAL, SCX_SLICE_DFL, 0);
		if (near && p->pid == watched && !(wake_flags & SCX_WAKE_SYNC)) {
			__sync_fetch_and_add(&nr_found, 1);
			if (scx_bpf_cpu_node(cpu) != node)
				__sync_fetch_and_add(&nr_strayed, 1);
		}
	}
	return cpu;
}

void BPF_STRUCT_OPS(idle_node_running, struct task_struct *p)
{
	switch (wrong) {
	case WRONG_get_cpumask:
		scx_bpf_put_idle_cpumask(scx_bpf_get_idle_cpumask());
		break;
	case WRONG_get_smtmask:
		scx_bpf_put_idle_cpumask(scx_bpf_get_idle_smtmask());
		break;
	case WRONG_pick_idle:
		scx_bpf_pick_idle_cpu(p->cpus_ptr, 0);
		break;
	case WRONG_pick_any:
		scx_bpf_pick_any_cpu(p->cpus_ptr, 0);
		break;
	case WRONG_get_cpumask_node:
		idle_in(0);
		break;
	case WRONG_get_smtmask_node:
		idle_cores_in(0);
		break;
	case WRONG_pick_idle_node:
		scx_bpf_pick_idle_cpu_node(p->cpus_ptr, 0, 0);
		break;
	case WRONG_pick_any_node:
		scx_bpf_pick_any_cpu_node(p->cpus_ptr, 0, 0);
		break;
	case WRONG_high_node_cpumask:
		idle_in(5000);
		break;
	case WRONG_high_node_smtmask:
		idle_cores_in(5000);
		break;
	case WRONG_high_node_pick_idle:
		scx_bpf_pick_idle_cpu_node(p->cpus_ptr, 5000, 0);
		break;
	case WRONG_high_node_pick_any:
		scx_bpf_pick_any_cpu_node(p->cpus_ptr, 5000, 0);
		break;
	case WRONG_low_node:
		scx_bpf_pick_idle_cpu_node(p->cpus_ptr, -2, 0);
		break;
	case WRONG_no_cpu:
		scx_bpf_cpu_node(5000);
		break;
	}
}

void BPF_STRUCT_OPS(idle_node_update_idle, s32 cpu, bool idle)
{
}

void BPF_STRUCT_OPS(idle_node_exit, struct scx_exit_info *ei)
{
	UEI_RECORD(uei, ei);
}

SEC(".struct_ops.link")
struct sched_ext_ops idle_node_ops = {
	.select_cpu	= (void *)idle_node_select_cpu,
	.running	= (void *)idle_node_running,
	.update_idle	= (void *)idle_node_update_idle,
	.exit		= (void *)idle_node_exit,
	.name		= "idle_node",
};
