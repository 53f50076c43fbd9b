// SPDX-License-Identifier: GPL-2.0
/*
 * Asks for the time in all kinds of places.
 */
#include <scx/common.bpf.h>

char _license[] SEC("license") = "GPL";

#define MAX_CPUS	64
#define CALLS		1000

const volatile bool uses_now;

UEI_DEFINE(uei);

u64 last[MAX_CPUS];	/* seen on a CPU, by anyone */
u32 nr_seen, nr_back;	/* how often, and how often that was earlier than before */
u32 nr_ticks, nr_moved;	/* ops.tick(), and in how many of them time passed */
u64 cost_now, cost_ktime, cost_loop;	/* of CALLS calls, in ops.tick() */

static u64 see(void)
{
	u32 cpu = bpf_get_smp_processor_id();
	u64 now = scx_bpf_now();

	if (cpu < MAX_CPUS) {
		__sync_fetch_and_add(&nr_seen, 1);
		if (now < last[cpu])
			__sync_fetch_and_add(&nr_back, 1);
		last[cpu] = now;
	}
	return now;
}

s32 BPF_STRUCT_OPS(now_select_cpu, struct task_struct *p, s32 prev_cpu, u64 wake_flags)
{
	if (uses_now)
		see();
	return prev_cpu;
}

void BPF_STRUCT_OPS(now_enqueue, struct task_struct *p, u64 enq_flags)
{
	if (uses_now)
		see();
	scx_bpf_dispatch(p, SCX_DSQ_GLOBAL, 2000000, enq_flags);
}

void BPF_STRUCT_OPS(now_dispatch, s32 cpu, struct task_struct *prev)
{
	if (uses_now)
		see();
}

void BPF_STRUCT_OPS(now_running, struct task_struct *p)
{
	if (uses_now)
		see();
}

void BPF_STRUCT_OPS(now_stopping, struct task_struct *p, bool runnable)
{
	if (uses_now)
		see();
}

void BPF_STRUCT_OPS(now_update_idle, s32 cpu, bool idle)
{
	if (uses_now)
		see();
}

/* Called with the rq of this CPU locked, and its clock updated. */
void BPF_STRUCT_OPS(now_tick, struct task_struct *p)
{
	u64 first, start, between, end, sum = 0;
	int i;

	if (!uses_now)
		return;

	first = see();
	start = bpf_ktime_get_ns();
	bpf_for(i, 0, CALLS)
		sum += scx_bpf_now();
	between = bpf_ktime_get_ns();
	bpf_for(i, 0, CALLS)
		sum += bpf_ktime_get_ns();
	end = bpf_ktime_get_ns();
	bpf_for(i, 0, CALLS)
		sum += bpf_get_smp_processor_id();

	cost_now = between - start;
	cost_ktime = end - between;
	cost_loop = bpf_ktime_get_ns() - end;
	if (sum == 1)	/* is not, but might be */
		cost_now = 0;
	if (see() != first)
		__sync_fetch_and_add(&nr_moved, 1);
	__sync_fetch_and_add(&nr_ticks, 1);
}

void BPF_STRUCT_OPS(now_exit, struct scx_exit_info *ei)
{
	UEI_RECORD(uei, ei);
}

u64 took_now, took_ktime;
u32 nr_stuck;		/* steps in which it didn't go on */

/*
 * Whether it goes on while a moment passes, too short for a tick to help. Where the TSC isn't
 * trusted, the clock behind it waits for a tick that is late.
 */
static bool goes_on(void)
{
	u64 now = scx_bpf_now(), ktime = bpf_ktime_get_ns();
	int i;

	/* the other clock, which no lock guards, is seen to go back a little now and then */
	bpf_for(i, 0, 100000)
		if ((s64)(bpf_ktime_get_ns() - ktime) > 50000)
			break;
	return scx_bpf_now() - now > 25000;
}

/* How long it takes a while to pass, by both clocks. */
SEC("syscall")
int a_while(void *ctx)
{
	u64 now, ktime;
	int i;

	ktime = bpf_ktime_get_ns();
	now = scx_bpf_now();
	bpf_for(i, 0, 400)
		if (!goes_on())
			nr_stuck++;
	took_ktime = bpf_ktime_get_ns() - ktime;
	took_now = scx_bpf_now() - now;
	return scx_bpf_now() > now;
}

SEC(".struct_ops.link")
struct sched_ext_ops now_ops = {
	.select_cpu		= (void *)now_select_cpu,
	.enqueue		= (void *)now_enqueue,
	.dispatch		= (void *)now_dispatch,
	.running		= (void *)now_running,
	.stopping		= (void *)now_stopping,
	.update_idle		= (void *)now_update_idle,
	.tick			= (void *)now_tick,
	.exit			= (void *)now_exit,
	.name			= "now",
};
