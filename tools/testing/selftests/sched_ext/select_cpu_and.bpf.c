// SPDX-License-Identifier: GPL-2.0
/*
 * Selects idle CPUs out of some.
 */
#include <scx/common.bpf.h>
#include "select_cpu_and_test.h"

char _license[] SEC("license") = "GPL";

const volatile u32 where, form;
const volatile u64 pick_flags;
const volatile bool per_node;	/* with SCX_OPS_BUILTIN_IDLE_PER_NODE */

UEI_DEFINE(uei);

s32 wakee;
u64 allowed;			/* CPUs to select from, a bit each */
u64 waking;			/* wake_flags when no task wakes */
u32 nr_got, nr_busy, nr_other;	/* calls that found a CPU, -EBUSY, or something else */
u32 nr_outside;			/* ... a CPU outside of what is allowed, or of the task's */
u32 nr_not_idle;		/* ... one that others see as idle still */
u64 seen;			/* all CPUs found, a bit each */
s32 last;

static s32 select_cpu_and(struct task_struct *p, s32 prev_cpu, u64 wake_flags,
			  const struct cpumask *mask)
{
	struct scx_bpf_select_cpu_and_args___compat args = {
		.prev_cpu = prev_cpu, .wake_flags = wake_flags, .flags = pick_flags,
	};

	switch (form) {
	case AND_V1:
		return scx_bpf_select_cpu_and___v1(p, prev_cpu, wake_flags, mask, pick_flags);
	case AND_STRUCT:
		return __scx_bpf_select_cpu_and(p, mask, &args);
	default:
		return scx_bpf_select_cpu_and(p, prev_cpu, wake_flags, mask, pick_flags);
	}
}

static s32 select_allowed(struct task_struct *p, s32 prev_cpu)
{
	struct bpf_cpumask *mask = bpf_cpumask_create();
	const struct cpumask *idle;
	s32 cpu;
	int i;

	if (!mask)
		return -ENOMEM;
	bpf_for(i, 0, 64)
		if (allowed & (1LLU << i))
			bpf_cpumask_set_cpu(i, mask);

	cpu = select_cpu_and(p, prev_cpu, waking, cast_mask(mask));
	last = cpu;
	if (cpu >= 0) {
		__sync_fetch_and_add(&nr_got, 1);
		if (!bpf_cpumask_test_cpu(cpu, cast_mask(mask)) ||
		    !bpf_cpumask_test_cpu(cpu, p->cpus_ptr))
			__sync_fetch_and_add(&nr_outside, 1);
		idle = per_node ? scx_bpf_get_idle_cpumask_node(scx_bpf_cpu_node(cpu)) :
				  scx_bpf_get_idle_cpumask();
		if (bpf_cpumask_test_cpu(cpu, idle))
			__sync_fetch_and_add(&nr_not_idle, 1);
		scx_bpf_put_idle_cpumask(idle);
		seen |= 1LLU << (cpu & 63);
	} else if (cpu == -EBUSY) {
		__sync_fetch_and_add(&nr_busy, 1);
	} else {
		__sync_fetch_and_add(&nr_other, 1);
	}
	bpf_cpumask_release(mask);
	return cpu;
}

s32 BPF_STRUCT_OPS(select_cpu_and_select_cpu, struct task_struct *p, s32 prev_cpu, u64 wake_flags)
{
	s32 cpu;

	if (p->pid == wakee && where == AND_SELECT_CPU) {
		cpu = select_allowed(p, prev_cpu);
		return cpu >= 0 ? cpu : prev_cpu;
	}
	return prev_cpu;
}

void BPF_STRUCT_OPS(select_cpu_and_enqueue, struct task_struct *p, u64 enq_flags)
{
	s32 cpu;

	if (p->pid == wakee && where == AND_ENQUEUE) {
		cpu = select_allowed(p, scx_bpf_task_cpu(p));
		if (cpu >= 0) {
			scx_bpf_dispatch(p, SCX_DSQ_LOCAL_ON | cpu, SCX_SLICE_DFL, enq_flags);
			return;
		}
	}
	scx_bpf_dispatch(p, SCX_DSQ_GLOBAL, SCX_SLICE_DFL, enq_flags);
}

void BPF_STRUCT_OPS(select_cpu_and_running, struct task_struct *p)
{
	if (where == AND_RUNNING)
		select_cpu_and(p, 0, 0, p->cpus_ptr);
	if (where == AND_BAD_PREV)
		select_cpu_and(p, -1, 0, p->cpus_ptr);
}

void BPF_STRUCT_OPS(select_cpu_and_update_idle, s32 cpu, bool idle)
{
}

void BPF_STRUCT_OPS(select_cpu_and_exit, struct scx_exit_info *ei)
{
	UEI_RECORD(uei, ei);
}

/* Select a CPU for the wakee and leave it claimed. */
SEC("syscall")
int claim(void *ctx)
{
	struct task_struct *p = bpf_task_from_pid(wakee);
	s32 cpu;

	if (!p)
		return 1000;
	bpf_rcu_read_lock();
	cpu = select_allowed(p, 0);
	bpf_rcu_read_unlock();
	bpf_task_release(p);
	return cpu;
}

SEC("syscall")
int kick_all(void *ctx)
{
	int i;

	bpf_for(i, 0, 64)
		if (i < scx_bpf_nr_cpu_ids())
			scx_bpf_kick_cpu(i, SCX_KICK_IDLE);
	return 0;
}

SEC(".struct_ops.link")
struct sched_ext_ops select_cpu_and_ops = {
	.select_cpu		= (void *)select_cpu_and_select_cpu,
	.enqueue		= (void *)select_cpu_and_enqueue,
	.running		= (void *)select_cpu_and_running,
	.exit			= (void *)select_cpu_and_exit,
	.name			= "select_cpu_and",
};

/* The same, without idle tracking by the kernel. */
SEC(".struct_ops.link")
struct sched_ext_ops no_idle_ops = {
	.select_cpu		= (void *)select_cpu_and_select_cpu,
	.enqueue		= (void *)select_cpu_and_enqueue,
	.update_idle		= (void *)select_cpu_and_update_idle,
	.running		= (void *)select_cpu_and_running,
	.exit			= (void *)select_cpu_and_exit,
	.name			= "no_idle",
};
