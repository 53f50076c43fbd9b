// SPDX-License-Identifier: GPL-2.0
/*
 * Watches where tasks with migration disabled go to, and where wakeups are done.
 */
#include <scx/common.bpf.h>

char _license[] SEC("license") = "GPL";

#define DSQ	1

UEI_DEFINE(uei);

s32 wakee, waker_cpu;
s32 split_to = -1;	/* CPU that the wakee is dispatched to when another is selected */
u32 nr_split;		/* how often that was done */
u32 nr_put;		/* tasks with migration disabled that had to give way */
u32 nr_woken;		/* ... or that woke up, or were taken off and put back, */
u32 nr_enqueued;	/* ... and were passed to ops.enqueue() */
u32 nr_selected;	/* wakeups of the wakee through ops.select_cpu(), */
u32 nr_here;		/* through ops.enqueue() on the CPU of the waker, */
u32 nr_there;		/* ... on another one */
s64 nr_skipped;		/* what the kernel says, of read_skipped */

/* To run a BPF program disables migration of the task that it runs in. */
static bool disabled(struct task_struct *p)
{
	return p->migration_disabled > (p == bpf_get_current_task_btf());
}

s32 BPF_STRUCT_OPS(ops_flags_select_cpu, struct task_struct *p, s32 prev_cpu, u64 wake_flags)
{
	if (p->pid != wakee)
		return prev_cpu;
	__sync_fetch_and_add(&nr_selected, 1);
	if (split_to >= 0 && prev_cpu != split_to && bpf_cpumask_test_cpu(split_to, p->cpus_ptr)) {
		__sync_fetch_and_add(&nr_split, 1);
		scx_bpf_dispatch(p, SCX_DSQ_LOCAL_ON | split_to, 2000000, 0);
	}
	return prev_cpu;
}

void BPF_STRUCT_OPS(ops_flags_enqueue, struct task_struct *p, u64 enq_flags)
{
	if (disabled(p))
		__sync_fetch_and_add(&nr_enqueued, 1);
	if (p->pid == wakee && (enq_flags & SCX_ENQ_WAKEUP)) {
		if (bpf_get_smp_processor_id() == waker_cpu)
			__sync_fetch_and_add(&nr_here, 1);
		else
			__sync_fetch_and_add(&nr_there, 1);
	}
	scx_bpf_dispatch(p, DSQ, 2000000, enq_flags);
}

void BPF_STRUCT_OPS(ops_flags_dispatch, s32 cpu, struct task_struct *prev)
{
	scx_bpf_consume(DSQ);
}

void BPF_STRUCT_OPS(ops_flags_runnable, struct task_struct *p, u64 enq_flags)
{
	/* one that runs stays where it is */
	if (disabled(p) && !scx_bpf_task_running(p))
		__sync_fetch_and_add(&nr_woken, 1);
}

void BPF_STRUCT_OPS(ops_flags_stopping, struct task_struct *p, bool runnable)
{
	if (runnable && !p->scx.slice && disabled(p))
		__sync_fetch_and_add(&nr_put, 1);
}

s32 BPF_STRUCT_OPS_SLEEPABLE(ops_flags_init)
{
	return scx_bpf_create_dsq(DSQ, -1);
}

void BPF_STRUCT_OPS(ops_flags_exit, struct scx_exit_info *ei)
{
	UEI_RECORD(uei, ei);
}

static int nothing(u32 i, void *ctx)
{
	return 0;
}

/* Keeps migration disabled for a while. */
SEC("syscall")
int spin(void *ctx)
{
	bpf_loop(1 << 22, nothing, NULL, 0);
	return 0;
}

SEC("syscall")
int read_skipped(void *ctx)
{
	struct scx_event_stats events;

	scx_bpf_events(&events, sizeof(events));
	nr_skipped = scx_read_event(&events, SCX_EV_ENQ_SKIP_MIGRATION_DISABLED);
	return 0;
}

SEC(".struct_ops.link")
struct sched_ext_ops ops_flags_ops = {
	.select_cpu		= (void *)ops_flags_select_cpu,
	.enqueue		= (void *)ops_flags_enqueue,
	.dispatch		= (void *)ops_flags_dispatch,
	.runnable		= (void *)ops_flags_runnable,
	.stopping		= (void *)ops_flags_stopping,
	.init			= (void *)ops_flags_init,
	.exit			= (void *)ops_flags_exit,
	.name			= "ops_flags",
};
