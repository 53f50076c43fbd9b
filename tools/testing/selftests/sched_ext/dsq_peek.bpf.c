// SPDX-License-Identifier: GPL-2.0
/*
 * Keeps tasks in DSQs to look at.
 */
#include <scx/common.bpf.h>
#include "dsq_peek_test.h"

char _license[] SEC("license") = "GPL";

const volatile u32 wrong;

UEI_DEFINE(uei);

s32 tasks[NR_TASKS];
u64 into;		/* the DSQ that they go to */
u32 release;		/* how many more of them may leave it */
u32 nr_queued;
s32 queued[NR_TASKS];	/* in order of that */
u64 peek_at;
u32 nr_peeks, nr_differ;	/* in ops.dispatch(): in all, and when not what an iterator sees */

void BPF_STRUCT_OPS(dsq_peek_enqueue, struct task_struct *p, u64 enq_flags)
{
	u32 nr;
	int i;

	bpf_for(i, 0, NR_TASKS) {
		if (tasks[i] != p->pid)
			continue;
		nr = nr_queued++;
		if (nr < NR_TASKS)
			queued[nr] = p->pid;
		/* it comes here once, however long it takes to sleep again */
		if (into == DSQ_FIFO)
			scx_bpf_dispatch(p, DSQ_FIFO, SCX_SLICE_INF, enq_flags);
		else
			scx_bpf_dispatch_vtime(p, DSQ_VTIME, SCX_SLICE_INF, 1000 - nr, enq_flags);
		return;
	}
	scx_bpf_dispatch(p, SCX_DSQ_GLOBAL, 0, enq_flags);
}

void BPF_STRUCT_OPS(dsq_peek_dispatch, s32 cpu, struct task_struct *prev)
{
	struct task_struct *p, *peeked;
	s32 first = -1;

	if (!release)
		return;

	/* all tasks are for one CPU, so that there is nobody else to take one meanwhile */
	if (cpu == 1) {
		peeked = scx_bpf_dsq_peek(into);
		bpf_for_each(scx_dsq, p, into, 0) {
			first = p->pid;
			/* the iterator is in the list then, before the task or behind it */
			p = scx_bpf_dsq_peek(into);
			if (!p || p->pid != first)
				__sync_fetch_and_add(&nr_differ, 1);
			break;
		}
		__sync_fetch_and_add(&nr_peeks, 1);
		if ((peeked ? peeked->pid : -1) != first)
			__sync_fetch_and_add(&nr_differ, 1);
		if (scx_bpf_consume(into))
			release--;
	}
}

void BPF_STRUCT_OPS(dsq_peek_running, struct task_struct *p)
{
	switch (wrong) {
	case PEEK_UNCHECKED:
		peek_at = scx_bpf_dsq_peek(DSQ_FIFO)->pid;
		break;
	case PEEK_NONE:
		scx_bpf_dsq_peek(DSQ_NONE);
		break;
	case PEEK_GLOBAL:
		scx_bpf_dsq_peek(SCX_DSQ_GLOBAL);
		break;
	case PEEK_LOCAL:
		scx_bpf_dsq_peek(SCX_DSQ_LOCAL);
		break;
	}
}

s32 BPF_STRUCT_OPS_SLEEPABLE(dsq_peek_init)
{
	return scx_bpf_create_dsq(DSQ_FIFO, -1) ?: scx_bpf_create_dsq(DSQ_VTIME, -1);
}

void BPF_STRUCT_OPS(dsq_peek_exit, struct scx_exit_info *ei)
{
	UEI_RECORD(uei, ei);
}

SEC("syscall")
int peek(void *ctx)
{
	struct task_struct *p;
	int pid = 0;

	if (wrong != PEEK_NO_RCU)
		bpf_rcu_read_lock();
	p = scx_bpf_dsq_peek(peek_at);
	if (p)
		pid = p->pid;
	if (wrong != PEEK_NO_RCU)
		bpf_rcu_read_unlock();
	return pid;
}

SEC("syscall")
int kick(void *ctx)
{
	scx_bpf_kick_cpu(1, 0);
	return 0;
}

SEC(".struct_ops.link")
struct sched_ext_ops dsq_peek_ops = {
	.enqueue		= (void *)dsq_peek_enqueue,
	.dispatch		= (void *)dsq_peek_dispatch,
	.running		= (void *)dsq_peek_running,
	.init			= (void *)dsq_peek_init,
	.exit			= (void *)dsq_peek_exit,
	.name			= "dsq_peek",
};
