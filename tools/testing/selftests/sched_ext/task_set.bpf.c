// SPDX-License-Identifier: GPL-2.0
/*
 * Sets slices and virtual times.
 */
#include <scx/common.bpf.h>

char _license[] SEC("license") = "GPL";

const volatile bool untrusted;

UEI_DEFINE(uei);

s32 busy;		/* the task whose slice ops.tick() ends */
bool stop;		/* ... from now on */
u32 nr_set;		/* ops.running() ... */
u32 nr_wrong;		/* ... in which a value isn't what it was set to, or false came back */
u32 nr_enqueued;	/* how often that task came back */

s32 other;		/* of other_waits */

/* of set_sleeper and get_sleeper */
s32 sleeper;
u64 slice, vtime;

/* An idle CPU, but not a slice of the kernel's with it. */
s32 BPF_STRUCT_OPS(task_set_select_cpu, struct task_struct *p, s32 prev_cpu, u64 wake_flags)
{
	bool is_idle;

	return scx_bpf_select_cpu_dfl(p, prev_cpu, wake_flags, &is_idle);
}

void BPF_STRUCT_OPS(task_set_enqueue, struct task_struct *p, u64 enq_flags)
{
	if (p->pid == busy)
		__sync_fetch_and_add(&nr_enqueued, 1);
	scx_bpf_dispatch(p, SCX_DSQ_GLOBAL, SCX_SLICE_INF, enq_flags);
}

void BPF_STRUCT_OPS(task_set_running, struct task_struct *p)
{
	u64 was = p->scx.slice;

	/* the names of the kernel, and those of the header */
	if (!scx_bpf_task_set_slice___v1(p, 1234567) || p->scx.slice != 1234567 ||
	    !scx_bpf_task_set_dsq_vtime___v1(p, 7654321) || p->scx.dsq_vtime != 7654321)
		__sync_fetch_and_add(&nr_wrong, 1);
	if (!scx_bpf_task_set_dsq_vtime(p, -1LLU) || p->scx.dsq_vtime != -1LLU ||
	    !scx_bpf_task_set_slice(p, was) || p->scx.slice != was)
		__sync_fetch_and_add(&nr_wrong, 1);
	__sync_fetch_and_add(&nr_set, 1);
}

void BPF_STRUCT_OPS(task_set_tick, struct task_struct *p)
{
	if (untrusted) {
		struct rq *rq = scx_bpf_cpu_rq(0);

		if (rq)
			scx_bpf_task_set_slice___v1(rq->curr, 0);
	}
	if (stop && p->pid == busy)
		scx_bpf_task_set_slice___v1(p, 0);
}

void BPF_STRUCT_OPS(task_set_exit, struct scx_exit_info *ei)
{
	UEI_RECORD(uei, ei);
}

SEC("syscall")
int set_sleeper(void *ctx)
{
	struct task_struct *p = bpf_task_from_pid(sleeper);
	bool ret;

	if (!p)
		return -1;
	ret = scx_bpf_task_set_slice___v1(p, slice) && scx_bpf_task_set_dsq_vtime___v1(p, vtime);
	bpf_task_release(p);
	return ret;
}

SEC("syscall")
int get_sleeper(void *ctx)
{
	struct task_struct *p = bpf_task_from_pid(sleeper);

	if (!p)
		return -1;
	slice = p->scx.slice;
	vtime = p->scx.dsq_vtime;
	bpf_task_release(p);
	return 1;
}

/* Is that task on CPU 0, behind the one that runs there? */
SEC("syscall")
int other_waits(void *ctx)
{
	struct task_struct *p = bpf_task_from_pid(other);
	bool ret;

	if (!p)
		return -1;
	ret = (p->scx.flags & SCX_TASK_QUEUED) && scx_bpf_task_cpu(p) == 0 &&
	      !scx_bpf_task_running(p);
	bpf_task_release(p);
	return ret;
}

SEC(".struct_ops.link")
struct sched_ext_ops task_set_ops = {
	.select_cpu		= (void *)task_set_select_cpu,
	.enqueue		= (void *)task_set_enqueue,
	.running		= (void *)task_set_running,
	.tick			= (void *)task_set_tick,
	.exit			= (void *)task_set_exit,
	.name			= "task_set",
};
