// SPDX-License-Identifier: GPL-2.0
/*
 * Provokes events and counts them, to be compared with what the kernel counts.
 */
#include <scx/common.bpf.h>
#include "events_test.h"

char _license[] SEC("license") = "GPL";

#define DSQ		1
#define SLICE		3000000LLU

UEI_DEFINE(uei);

u32 mode;
s32 wakee, bad_cpu;
s64 mine[NR_EVENTS];
s64 kernels[NR_EVENTS];

static bool skips_enqueue(struct task_struct *p)
{
	return p->flags & PF_EXITING;
}

s32 BPF_STRUCT_OPS(events_select_cpu, struct task_struct *p, s32 prev_cpu, u64 wake_flags)
{
	if (mode == MODE_FALLBACK && p->pid == wakee) {
		__sync_fetch_and_add(&mine[IDX_SELECT_CPU_FALLBACK], 1);
		return bad_cpu;
	}
	return prev_cpu;
}

void BPF_STRUCT_OPS(events_enqueue, struct task_struct *p, u64 enq_flags)
{
	scx_bpf_dispatch(p, DSQ, SLICE, enq_flags);
}

void BPF_STRUCT_OPS(events_dispatch, s32 cpu, struct task_struct *prev)
{
	struct task_struct *p;

	if (mode == MODE_OFFLINE) {
		bpf_for_each(scx_dsq, p, DSQ, 0) {
			if (p->pid != wakee)
				continue;
			if (scx_bpf_dispatch_from_dsq(BPF_FOR_EACH_ITER, p,
						      SCX_DSQ_LOCAL_ON | bad_cpu, 0))
				__sync_fetch_and_add(&mine[IDX_DISPATCH_LOCAL_DSQ_OFFLINE], 1);
			break;
		}
	}
	if (scx_bpf_consume(DSQ) || scx_bpf_dsq_nr_queued(SCX_DSQ_LOCAL) > 0)
		return;
	/* the wakee comes to the global DSQ, and from there after this */
	if (mode != MODE_OFFLINE && prev && (prev->scx.flags & SCX_TASK_QUEUED) &&
	    !prev->scx.slice) {
		__sync_fetch_and_add(&mine[IDX_DISPATCH_KEEP_LAST], 1);
		__sync_fetch_and_add(&mine[IDX_REFILL_SLICE_DFL], 1);
	}
}

void BPF_STRUCT_OPS(events_runnable, struct task_struct *p, u64 enq_flags)
{
	if (skips_enqueue(p)) {
		__sync_fetch_and_add(&mine[IDX_ENQ_SKIP_EXITING], 1);
		__sync_fetch_and_add(&mine[IDX_REFILL_SLICE_DFL], 1);
	}
}

void BPF_STRUCT_OPS(events_stopping, struct task_struct *p, bool runnable)
{
	/* one with a slice left goes back to the local DSQ as it is */
	if (runnable && skips_enqueue(p) && !p->scx.slice) {
		__sync_fetch_and_add(&mine[IDX_ENQ_SKIP_EXITING], 1);
		__sync_fetch_and_add(&mine[IDX_REFILL_SLICE_DFL], 1);
	}
}

s32 BPF_STRUCT_OPS_SLEEPABLE(events_init)
{
	return scx_bpf_create_dsq(DSQ, -1);
}

void BPF_STRUCT_OPS(events_exit, struct scx_exit_info *ei)
{
	UEI_RECORD(uei, ei);
}

SEC("syscall")
int read_events(void *ctx)
{
	struct scx_event_stats events;

	scx_bpf_events(&events, sizeof(events));
#define X(name)	kernels[IDX_##name] = scx_read_event(&events, SCX_EV_##name);
	EVENTS(X)
#undef X
	return 0;
}

/* A buffer that is larger than the kernel's struct is cleared there, a smaller one is full. */
SEC("syscall")
int read_sizes(void *ctx)
{
	u64 large[32], small[2];

	large[31] = 77;
	scx_bpf_events((void *)large, sizeof(large));
	small[1] = 77;
	scx_bpf_events((void *)small, sizeof(small[0]));
	return !large[31] && small[0] == large[0] && small[0] == kernels[0] && small[1] == 77;
}

SEC("syscall")
int end_it(void *ctx)
{
	scx_bpf_error("on purpose");
	return 0;
}

SEC(".struct_ops.link")
struct sched_ext_ops events_ops = {
	.select_cpu		= (void *)events_select_cpu,
	.enqueue		= (void *)events_enqueue,
	.dispatch		= (void *)events_dispatch,
	.runnable		= (void *)events_runnable,
	.stopping		= (void *)events_stopping,
	.init			= (void *)events_init,
	.exit			= (void *)events_exit,
	.name			= "events",
};
