// SPDX-License-Identifier: GPL-2.0
/*
 * Kicks each CPU that begins to idle, as a scheduler does that finds a task queued for it.
 */
#include <scx/common.bpf.h>

char _license[] SEC("license") = "GPL";

UEI_DEFINE(uei);

s32 fail_on = -1;	/* the CPU that calls scx_bpf_error() */
u32 nr_idle;		/* calls that say that a CPU idles */
u32 nr_offline;		/* ... that isn't online */

void BPF_STRUCT_OPS(idle_offline_update_idle, s32 cpu, bool idle)
{
	const struct cpumask *online;

	if (!idle)
		return;

	online = scx_bpf_get_online_cpumask();
	__sync_fetch_and_add(&nr_idle, 1);
	if (!bpf_cpumask_test_cpu(cpu, online))
		__sync_fetch_and_add(&nr_offline, 1);
	scx_bpf_put_cpumask(online);

	scx_bpf_kick_cpu(cpu, SCX_KICK_IDLE);
}

void BPF_STRUCT_OPS(idle_offline_enqueue, struct task_struct *p, u64 enq_flags)
{
	if (fail_on == bpf_get_smp_processor_id())
		scx_bpf_error("on CPU %d", fail_on);
	scx_bpf_dispatch(p, SCX_DSQ_GLOBAL, SCX_SLICE_DFL, enq_flags);
}

/* These keep it from being restarted. */
void BPF_STRUCT_OPS(idle_offline_cpu_online, s32 cpu)
{
}

void BPF_STRUCT_OPS(idle_offline_cpu_offline, s32 cpu)
{
}

void BPF_STRUCT_OPS(idle_offline_exit, struct scx_exit_info *ei)
{
	UEI_RECORD(uei, ei);
}

SEC(".struct_ops.link")
struct sched_ext_ops idle_offline_ops = {
	.enqueue		= (void *)idle_offline_enqueue,
	.update_idle		= (void *)idle_offline_update_idle,
	.cpu_online		= (void *)idle_offline_cpu_online,
	.cpu_offline		= (void *)idle_offline_cpu_offline,
	.exit			= (void *)idle_offline_exit,
	.name			= "idle_offline",
};
