// SPDX-License-Identifier: GPL-2.0
/*
 * Counts what a scheduler is told of a CPU that others take from it: those of the fair class,
 * as it has only the tasks of SCHED_EXT.
 */
#include <scx/common.bpf.h>

char _license[] SEC("license") = "GPL";

UEI_DEFINE(uei);

volatile s32 watched_cpu;
volatile u32 nr_released, nr_acquired, nr_running;

void BPF_STRUCT_OPS(cpu_release_cpu_release, s32 cpu, struct scx_cpu_release_args *args)
{
	if (cpu == watched_cpu)
		__sync_fetch_and_add(&nr_released, 1);
}

void BPF_STRUCT_OPS(cpu_release_cpu_acquire, s32 cpu, struct scx_cpu_acquire_args *args)
{
	if (cpu == watched_cpu)
		__sync_fetch_and_add(&nr_acquired, 1);
}

void BPF_STRUCT_OPS(cpu_release_running, struct task_struct *p)
{
	if (scx_bpf_task_cpu(p) == watched_cpu)
		__sync_fetch_and_add(&nr_running, 1);
}

void BPF_STRUCT_OPS(cpu_release_exit, struct scx_exit_info *ei)
{
	UEI_RECORD(uei, ei);
}

SEC(".struct_ops.link")
struct sched_ext_ops cpu_release_ops = {
	.cpu_release	= (void *)cpu_release_cpu_release,
	.cpu_acquire	= (void *)cpu_release_cpu_acquire,
	.running	= (void *)cpu_release_running,
	.exit		= (void *)cpu_release_exit,
	.flags		= SCX_OPS_SWITCH_PARTIAL,
	.name		= "cpu_release",
};
