// SPDX-License-Identifier: GPL-2.0
/*
 * Looks at what runs on a CPU.
 */
#include <scx/common.bpf.h>
#include "cpu_curr_test.h"

char _license[] SEC("license") = "GPL";

const volatile u32 wrong;

UEI_DEFINE(uei);

u32 nr_ticks;		/* ops.tick() ... */
u32 nr_others;		/* ... with another task on that CPU than the one it is for */
u32 nr_lost;		/* ... in which a slice that was stored wasn't the task's */
s32 look_at;		/* the CPU that curr_of looks at */

void BPF_STRUCT_OPS(cpu_curr_tick, struct task_struct *p)
{
	struct task_struct *curr = scx_bpf_cpu_curr(bpf_get_smp_processor_id());
	u64 slice = p->scx.slice;

	if (wrong == CPU_CURR_UNCHECKED) {
		nr_ticks = curr->pid;
		return;
	}

	__sync_fetch_and_add(&nr_ticks, 1);
	if (!curr || curr->pid != p->pid) {
		__sync_fetch_and_add(&nr_others, 1);
		return;
	}
	curr->scx.slice = 123456789;
	if (p->scx.slice != 123456789)
		__sync_fetch_and_add(&nr_lost, 1);
	p->scx.slice = slice;
}

void BPF_STRUCT_OPS(cpu_curr_running, struct task_struct *p)
{
	if (wrong == CPU_CURR_NEGATIVE)
		scx_bpf_cpu_curr(-1);
	if (wrong == CPU_CURR_TOO_BIG)
		scx_bpf_cpu_curr(1 << 20);
}

void BPF_STRUCT_OPS(cpu_curr_exit, struct scx_exit_info *ei)
{
	UEI_RECORD(uei, ei);
}

/* The task on CPU @look_at. */
SEC("syscall")
int curr_of(void *ctx)
{
	struct task_struct *curr;
	int pid = -1;

	if (wrong != CPU_CURR_NO_RCU)
		bpf_rcu_read_lock();
	curr = scx_bpf_cpu_curr(look_at);
	if (curr)
		pid = curr->pid;
	if (wrong != CPU_CURR_NO_RCU)
		bpf_rcu_read_unlock();
	return pid;
}

SEC(".struct_ops.link")
struct sched_ext_ops cpu_curr_ops = {
	.tick			= (void *)cpu_curr_tick,
	.running		= (void *)cpu_curr_running,
	.exit			= (void *)cpu_curr_exit,
	.name			= "cpu_curr",
};
