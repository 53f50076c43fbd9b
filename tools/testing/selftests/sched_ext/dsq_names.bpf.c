// SPDX-License-Identifier: GPL-2.0
/*
 * Does the same with different names of the operations on DSQs. The tasks under test
 * run on one CPU, so that their order tells what has been done with them.
 */
#include <scx/common.bpf.h>
#include "dsq_names_test.h"

char _license[] SEC("license") = "GPL";

#define DSQ_FIFO	1
#define DSQ_VTIME	2
#define BAD_FLAGS	0x100000000000000LLU

const volatile u32 form, way;
const volatile s32 the_cpu, other_cpu;

UEI_DEFINE(uei);

s32 tasks[NR_TASKS];
bool hold = true;		/* dispatch none of them yet */
u32 nr_queued, nr_ran;
u32 queued[NR_TASKS], ran[NR_TASKS];
u64 slices[NR_TASKS];		/* in order of ran[] */
u32 known;			/* those in ran[], by index */
u32 nr_true, nr_false;

static int index_of(struct task_struct *p)
{
	int i;

	bpf_for(i, 0, NR_TASKS)
		if (tasks[i] == p->pid)
			return i;
	return -1;
}

static void count(bool done)
{
	if (done)
		__sync_fetch_and_add(&nr_true, 1);
	else
		__sync_fetch_and_add(&nr_false, 1);
}

static void insert(struct task_struct *p, u64 dsq_id, u64 slice, u64 enq_flags)
{
	switch (form) {
	case FORM_OLD:
		scx_bpf_dispatch(p, dsq_id, slice, enq_flags);
		break;
	case FORM_V1:
		scx_bpf_dsq_insert___v1(p, dsq_id, slice, enq_flags);
		break;
	case FORM_V2:
		count(scx_bpf_dsq_insert___v2___compat(p, dsq_id, slice, enq_flags));
		break;
	case FORM_HEADER:
		count(scx_bpf_dsq_insert(p, dsq_id, slice, enq_flags));
		break;
	}
}

static void insert_vtime(struct task_struct *p, u64 dsq_id, u64 slice, u64 vtime, u64 enq_flags)
{
	struct scx_bpf_dsq_insert_vtime_args___compat args = {
		.dsq_id = dsq_id, .slice = slice, .vtime = vtime, .enq_flags = enq_flags,
	};

	switch (form) {
	case FORM_OLD:
		scx_bpf_dispatch_vtime(p, dsq_id, slice, vtime, enq_flags);
		break;
	case FORM_V1:
		scx_bpf_dsq_insert_vtime___v1(p, dsq_id, slice, vtime, enq_flags);
		break;
	case FORM_V2:
		count(__scx_bpf_dsq_insert_vtime(p, &args));
		break;
	case FORM_HEADER:
		count(scx_bpf_dsq_insert_vtime(p, dsq_id, slice, vtime, enq_flags));
		break;
	}
}

/* The names of before v7.1 have no flags. */
static bool move_to_local(u64 dsq_id, u64 enq_flags)
{
	switch (form) {
	case FORM_OLD:
		return scx_bpf_consume(dsq_id);
	case FORM_V1:
		return scx_bpf_dsq_move_to_local___v1(dsq_id);
	case FORM_V2:
		return scx_bpf_dsq_move_to_local___v2___compat(dsq_id, enq_flags);
	default:
		return scx_bpf_dsq_move_to_local(dsq_id, enq_flags);
	}
}

static void move_all_to_local(u64 enq_flags)
{
	int i;

	bpf_for(i, 0, NR_TASKS)
		move_to_local(DSQ_FIFO, enq_flags);
}

static void move(struct bpf_iter_scx_dsq *it, struct task_struct *p, u32 i)
{
	if (form == FORM_OLD) {
		scx_bpf_dispatch_from_dsq_set_slice(it, SLICE_OF(i));
		scx_bpf_dispatch_from_dsq_set_vtime(it, 1000 - i);
		count(way == WAY_MOVE ? scx_bpf_dispatch_from_dsq(it, p, SCX_DSQ_LOCAL, 0) :
					scx_bpf_dispatch_vtime_from_dsq(it, p, DSQ_VTIME, 0));
	} else if (form != FORM_HEADER) {
		scx_bpf_dsq_move_set_slice___new(it, SLICE_OF(i));
		scx_bpf_dsq_move_set_vtime___new(it, 1000 - i);
		count(way == WAY_MOVE ? scx_bpf_dsq_move___new(it, p, SCX_DSQ_LOCAL, 0) :
					scx_bpf_dsq_move_vtime___new(it, p, DSQ_VTIME, 0));
	} else {
		scx_bpf_dsq_move_set_slice(it, SLICE_OF(i));
		scx_bpf_dsq_move_set_vtime(it, 1000 - i);
		count(way == WAY_MOVE ? scx_bpf_dsq_move(it, p, SCX_DSQ_LOCAL, 0) :
					scx_bpf_dsq_move_vtime(it, p, DSQ_VTIME, 0));
	}
}

static void move_all(void)
{
	struct task_struct *p;
	u32 i = 0;

	bpf_for_each(scx_dsq, p, DSQ_FIFO, 0)
		move(BPF_FOR_EACH_ITER, p, i++);
}

s32 BPF_STRUCT_OPS(dsq_names_select_cpu, struct task_struct *p, s32 prev_cpu, u64 wake_flags)
{
	return index_of(p) < 0 ? prev_cpu : other_cpu;
}

void BPF_STRUCT_OPS(dsq_names_enqueue, struct task_struct *p, u64 enq_flags)
{
	int i = index_of(p);
	u32 nr;

	switch (i < 0 ? (u32)WAY_MOVE : way) {
	case WAY_BAD_FLAGS:
		insert(p, SCX_DSQ_GLOBAL, 0, BAD_FLAGS);
		return;
	case WAY_TWICE:
		insert(p, SCX_DSQ_GLOBAL, 0, 0);
		insert(p, SCX_DSQ_GLOBAL, 0, 0);
		return;
	case WAY_TO_LOCAL_IN_ENQUEUE:
		move_to_local(DSQ_FIFO, 0);
		break;
	}

	if (i < 0) {
		insert(p, SCX_DSQ_GLOBAL, SCX_SLICE_DFL, enq_flags);
		return;
	}
	nr = nr_queued++;
	if (nr < NR_TASKS)
		queued[nr] = i;
	if (way == WAY_INSERT_VTIME)
		insert_vtime(p, DSQ_VTIME, SLICE_OF(nr), 1000 - nr, enq_flags);
	else
		insert(p, DSQ_FIFO, SLICE_OF(nr), enq_flags);
}

void BPF_STRUCT_OPS(dsq_names_dispatch, s32 cpu, struct task_struct *prev)
{
	if (hold || cpu != the_cpu)
		return;

	switch (way) {
	case WAY_MOVE:
		move_all();
		break;
	case WAY_MOVE_VTIME:
		move_all();
		move_to_local(DSQ_VTIME, 0);
		break;
	case WAY_INSERT_VTIME:
		move_to_local(DSQ_VTIME, 0);
		break;
	case WAY_HEAD:
		move_all_to_local(SCX_ENQ_HEAD);
		break;
	case WAY_PREEMPT:
		move_all_to_local(SCX_ENQ_PREEMPT);
		break;
	case WAY_BAD_MOVE_FLAGS:
		move_to_local(DSQ_FIFO, BAD_FLAGS);
		break;
	case WAY_NO_DSQ:
		move_to_local(999, 0);
		break;
	default:
		move_to_local(DSQ_FIFO, 0);
		break;
	}
}

void BPF_STRUCT_OPS(dsq_names_running, struct task_struct *p)
{
	int i = index_of(p);
	u32 nr;

	if (i < 0)
		return;
	if (way == WAY_INSERT_IN_RUNNING)
		insert(p, SCX_DSQ_GLOBAL, 0, 0);
	/* it has been here before if something of a higher class came in between */
	if (known & (1U << i))
		return;
	known |= 1U << i;
	nr = nr_ran++;
	if (nr < NR_TASKS) {
		ran[nr] = i;
		slices[nr] = p->scx.slice;
	}
}

s32 BPF_STRUCT_OPS_SLEEPABLE(dsq_names_init)
{
	return scx_bpf_create_dsq(DSQ_FIFO, -1) ?: scx_bpf_create_dsq(DSQ_VTIME, -1);
}

void BPF_STRUCT_OPS(dsq_names_exit, struct scx_exit_info *ei)
{
	UEI_RECORD(uei, ei);
}

SEC("syscall")
int release(void *ctx)
{
	hold = false;
	scx_bpf_kick_cpu(the_cpu, 0);
	return 0;
}

SEC(".struct_ops.link")
struct sched_ext_ops dsq_names_ops = {
	.select_cpu		= (void *)dsq_names_select_cpu,
	.enqueue		= (void *)dsq_names_enqueue,
	.dispatch		= (void *)dsq_names_dispatch,
	.running		= (void *)dsq_names_running,
	.init			= (void *)dsq_names_init,
	.exit			= (void *)dsq_names_exit,
	.name			= "dsq_names",
};
