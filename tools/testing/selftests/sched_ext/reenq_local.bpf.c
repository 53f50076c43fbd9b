// SPDX-License-Identifier: GPL-2.0
/*
 * Keeps tasks on a local DSQ, and takes them back.
 */
#include <scx/common.bpf.h>
#include "reenq_local_test.h"

char _license[] SEC("license") = "GPL";

const volatile u32 where;

UEI_DEFINE(uei);

s32 tasks[NR_TASKS];
s32 home = -1;		/* the CPU that they are put on first */
bool ask;
u32 nr_put, nr_reenq;	/* ops.enqueue() of them, and with SCX_ENQ_REENQ */
u32 released;		/* what the old form said */
s32 busy;		/* what runs there until it has to give way */
u32 nr_busy;		/* ops.enqueue() of it with SCX_ENQ_REENQ */
s64 events;		/* of read_repeats */

/*
 * Global, to be verified by itself: 6.12 takes states around the loop of an iterator for
 * equal that aren't, such as with and without a flag, and drops what it hasn't seen.
 */
__noinline bool is_ours(s32 pid)
{
	int i;

	bpf_for(i, 0, NR_TASKS)
		if (tasks[i] == pid)
			return true;
	return false;
}

s32 BPF_STRUCT_OPS(reenq_local_select_cpu, struct task_struct *p, s32 prev_cpu, u64 wake_flags)
{
	return is_ours(p->pid) && home >= 0 ? home : prev_cpu;
}

void BPF_STRUCT_OPS(reenq_local_enqueue, struct task_struct *p, u64 enq_flags)
{
	u64 dsq_id = SCX_DSQ_GLOBAL;

	if (p->pid == busy && (enq_flags & SCX_ENQ_REENQ))
		__sync_fetch_and_add(&nr_busy, 1);
	if (is_ours(p->pid) && home >= 0) {
		if (enq_flags & SCX_ENQ_REENQ)
			__sync_fetch_and_add(&nr_reenq, 1);
		else
			__sync_fetch_and_add(&nr_put, 1);
		if (!(enq_flags & SCX_ENQ_REENQ)) {
			dsq_id = SCX_DSQ_LOCAL;
		} else if (where == REENQ_FOREVER ||
			   (where == REENQ_REPEAT && nr_reenq <= NR_REPEATS * NR_TASKS)) {
			/* once for each task, which is as good as once */
			scx_bpf_reenqueue_local___v2___compat();
			dsq_id = SCX_DSQ_LOCAL;
		}
	}
	scx_bpf_dispatch(p, dsq_id, 10000000000LLU, enq_flags);
	if (dsq_id == SCX_DSQ_GLOBAL && is_ours(p->pid))
		scx_bpf_kick_cpu(2, SCX_KICK_IDLE);
}

void BPF_STRUCT_OPS(reenq_local_tick, struct task_struct *p)
{
	if (!ask || bpf_get_smp_processor_id() != home ||
	    (where != REENQ_TICK && where != REENQ_TICK_V1))
		return;
	ask = false;
	if (where == REENQ_TICK)
		scx_bpf_reenqueue_local___v2___compat();
	if (where == REENQ_TICK_V1)
		scx_bpf_reenqueue_local___v1();
}

void BPF_STRUCT_OPS(reenq_local_cpu_release, s32 cpu, struct scx_cpu_release_args *args)
{
	if (!ask || cpu != home)
		return;
	ask = false;
	switch (where) {
	case REENQ_RELEASE:
		scx_bpf_reenqueue_local___v2___compat();
		break;
	case REENQ_RELEASE_V1:
		released = scx_bpf_reenqueue_local___v1();
		break;
	case REENQ_RELEASE_HEADER:
		scx_bpf_reenqueue_local();
		break;
	}
}

void BPF_STRUCT_OPS(reenq_local_exit, struct scx_exit_info *ei)
{
	UEI_RECORD(uei, ei);
}

/* How many were on the local DSQ. */
SEC("syscall")
int reenqueue(void *ctx)
{
	int nr = scx_bpf_dsq_nr_queued(SCX_DSQ_LOCAL);

	scx_bpf_reenqueue_local___v2___compat();
	return nr;
}

SEC("syscall")
int nr_on_home(void *ctx)
{
	return scx_bpf_dsq_nr_queued(SCX_DSQ_LOCAL_ON | home);
}

SEC("syscall")
int read_repeats(void *ctx)
{
	struct scx_event_stats stats;

	scx_bpf_events(&stats, sizeof(stats));
	events = scx_read_event(&stats, SCX_EV_REENQ_REPEAT);
	return 0;
}

SEC(".struct_ops.link")
struct sched_ext_ops reenq_local_ops = {
	.select_cpu		= (void *)reenq_local_select_cpu,
	.enqueue		= (void *)reenq_local_enqueue,
	.tick			= (void *)reenq_local_tick,
	.cpu_release		= (void *)reenq_local_cpu_release,
	.exit			= (void *)reenq_local_exit,
	.name			= "reenq_local",
};
