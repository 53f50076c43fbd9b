// SPDX-License-Identifier: GPL-2.0
/*
 * A small scheduler of the cpu form that uses all that a scheduler of today may use. Tasks
 * with an odd pid queue in one DSQ, others in another, by virtual time.
 */
#include <scx/common.bpf.h>
#include "vocabulary_test.h"

char _license[] SEC("license") = "GPL";

UEI_DEFINE(uei);

enum {
	FIFO_DSQ,
	VTIME_DSQ,
	SECOND_VTIME_DSQ,
	TIMER_NS	= 50000000,
};

void bpf_preempt_disable(void) __ksym;
void bpf_preempt_enable(void) __ksym;

struct {
	__uint(type, BPF_MAP_TYPE_PERF_EVENT_ARRAY);
	__uint(key_size, sizeof(u32));
	__uint(value_size, sizeof(int));
	__uint(max_entries, VOCABULARY_CPUS);
} counters SEC(".maps");

struct timed {
	struct bpf_timer	timer;
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, u32);
	__type(value, struct timed);
} timer SEC(".maps");

/* how often each has worked */
u64 nr_used[NR_VOCABULARY];
unsigned long all_cpus[VOCABULARY_CPUS / 64];
u32 nr_populated;

static void used(enum vocabulary_item what)
{
	__sync_fetch_and_add(&nr_used[what], 1);
}

/* verified on its own, and called with preemption disabled */
__noinline int use_globally(u32 what)
{
	if (what < NR_VOCABULARY)
		__sync_fetch_and_add(&nr_used[what], 1);
	return 0;
}

s32 BPF_STRUCT_OPS(vocabulary_select_cpu, struct task_struct *p, s32 prev_cpu, u64 wake_flags)
{
	s32 cpu = scx_bpf_select_cpu_and(p, prev_cpu, wake_flags, p->cpus_ptr, 0), node;

	if (cpu >= 0) {
		used(VOC_SELECT_CPU_AND);
		if (scx_bpf_dsq_insert(p, SCX_DSQ_LOCAL, SCX_SLICE_DFL, 0))
			used(VOC_DSQ_INSERT);
		return cpu;
	}

	node = scx_bpf_cpu_node(prev_cpu);
	if (node < 0)
		return prev_cpu;
	used(VOC_CPU_NODE);
	cpu = scx_bpf_pick_any_cpu_node(p->cpus_ptr, node, SCX_PICK_IDLE_IN_NODE);
	if (cpu < 0)
		return prev_cpu;
	used(VOC_PICK_ANY_CPU_NODE);
	return cpu;
}

static void kick_idle(struct task_struct *p)
{
	s32 cpu = scx_bpf_pick_idle_cpu_node(p->cpus_ptr, scx_bpf_cpu_node(scx_bpf_task_cpu(p)), 0);

	/* that none idles is an answer, too */
	if (cpu >= 0 || cpu == -EBUSY)
		used(VOC_PICK_IDLE_CPU_NODE);
	if (cpu >= 0)
		scx_bpf_kick_cpu(cpu, SCX_KICK_IDLE);
}

void BPF_STRUCT_OPS(vocabulary_enqueue, struct task_struct *p, u64 enq_flags)
{
	u64 now = scx_bpf_now();

	if (now)
		used(VOC_NOW);

	bpf_preempt_disable();
	use_globally(VOC_GLOBAL_WITHOUT_PREEMPTION);
	bpf_preempt_enable();

	if (p->pid & 1) {
		if (scx_bpf_dsq_insert(p, FIFO_DSQ, SCX_SLICE_DFL, enq_flags))
			used(VOC_DSQ_INSERT);
	} else {
		scx_bpf_task_set_dsq_vtime(p, now);
		if (p->scx.dsq_vtime == now)
			used(VOC_TASK_SET_DSQ_VTIME);
		if (scx_bpf_dsq_insert_vtime(p, VTIME_DSQ, SCX_SLICE_DFL, now, enq_flags))
			used(VOC_DSQ_INSERT_VTIME);
	}
	kick_idle(p);
}

static bool move_one(s32 cpu)
{
	struct task_struct *p;

	bpf_for_each(scx_dsq, p, VTIME_DSQ, 0) {
		/* by way of another, now and then */
		if (p->pid & 2) {
			scx_bpf_dsq_move_set_vtime(BPF_FOR_EACH_ITER, p->scx.dsq_vtime + 1);
			if (scx_bpf_dsq_move_vtime(BPF_FOR_EACH_ITER, p, SECOND_VTIME_DSQ, 0))
				used(VOC_DSQ_MOVE_VTIME);
			continue;
		}
		if (!bpf_cpumask_test_cpu(cpu, p->cpus_ptr))
			continue;
		scx_bpf_dsq_move_set_slice(BPF_FOR_EACH_ITER, SCX_SLICE_DFL / 2);
		if (scx_bpf_dsq_move(BPF_FOR_EACH_ITER, p, SCX_DSQ_LOCAL, 0)) {
			used(VOC_DSQ_MOVE);
			return true;
		}
	}
	return false;
}

static bool to_local(u64 dsq_id)
{
	if (!scx_bpf_dsq_move_to_local(dsq_id, 0))
		return false;
	used(VOC_DSQ_MOVE_TO_LOCAL);
	return true;
}

void BPF_STRUCT_OPS(vocabulary_dispatch, s32 cpu, struct task_struct *prev)
{
	struct task_struct *first = scx_bpf_dsq_peek(FIFO_DSQ);

	if (first && first->pid > 0) {
		used(VOC_DSQ_PEEK);
		if (to_local(FIFO_DSQ))
			return;
	}
	if (to_local(SECOND_VTIME_DSQ) || move_one(cpu))
		return;
	if (!to_local(SECOND_VTIME_DSQ))
		to_local(FIFO_DSQ);
}

void BPF_STRUCT_OPS(vocabulary_running, struct task_struct *p)
{
	struct bpf_perf_event_value value;
	struct task_struct *curr;

	if (!bpf_perf_event_read_value(&counters, BPF_F_CURRENT_CPU, &value, sizeof(value)))
		used(VOC_PERF_EVENT_READ_VALUE);

	curr = scx_bpf_cpu_curr(bpf_get_smp_processor_id());
	if (curr && curr->pid >= 0)
		used(VOC_CPU_CURR);

	asm volatile goto("may_goto %l[here]" :::: here);
here:
	used(VOC_MAY_GOTO_ZERO);
}

void BPF_STRUCT_OPS(vocabulary_tick, struct task_struct *p)
{
	struct task_struct *curr = scx_bpf_cpu_curr(bpf_get_smp_processor_id());

	if (curr && curr->pid == p->pid && scx_bpf_task_set_slice(curr, p->scx.slice / 2))
		used(VOC_TASK_SET_SLICE);
}

static int timerfn(void *map, int *key, struct bpf_timer *t)
{
	const struct cpumask *idle;
	struct scx_event_stats events;
	u32 nr_nodes = scx_bpf_nr_node_ids();
	s32 node = scx_bpf_cpu_node(bpf_get_smp_processor_id());

	if (node >= 0 && node < nr_nodes) {
		used(VOC_NR_NODE_IDS);
		idle = scx_bpf_get_idle_cpumask_node(node);
		if (bpf_cpumask_weight(idle) <= scx_bpf_nr_cpu_ids())
			used(VOC_GET_IDLE_CPUMASK_NODE);
		scx_bpf_put_idle_cpumask(idle);
		idle = scx_bpf_get_idle_smtmask_node(node);
		if (bpf_cpumask_weight(idle) <= scx_bpf_nr_cpu_ids())
			used(VOC_GET_IDLE_SMTMASK_NODE);
		scx_bpf_put_idle_cpumask(idle);
	}

	__COMPAT_scx_bpf_events(&events, sizeof(events));
	if (scx_read_event(&events, SCX_EV_REFILL_SLICE_DFL) >= 0)
		used(VOC_EVENTS);

	if (__COMPAT_scx_bpf_reenqueue_local_from_anywhere()) {
		scx_bpf_reenqueue_local();
		used(VOC_REENQUEUE_LOCAL);
	}

	bpf_timer_start(t, TIMER_NS, 0);
	return 0;
}

s32 BPF_STRUCT_OPS(vocabulary_cgroup_init, struct cgroup *cgrp, struct scx_cgroup_init_args *args)
{
	if (args->bw_period_us)
		used(VOC_CGROUP_INIT_BANDWIDTH);
	return 0;
}

void BPF_STRUCT_OPS(vocabulary_cgroup_set_bandwidth, struct cgroup *cgrp, u64 period_us,
		    u64 quota_us, u64 burst_us)
{
	if (period_us == 50000 && quota_us == 40000 && !burst_us)
		used(VOC_CGROUP_SET_BANDWIDTH);
}

s32 BPF_STRUCT_OPS_SLEEPABLE(vocabulary_init)
{
	struct bpf_cpumask *mask;
	struct timed *timed;
	u32 key = 0;
	s32 ret;

	mask = bpf_cpumask_create();
	if (!mask)
		return -ENOMEM;
	if (!__COMPAT_bpf_cpumask_populate(mask, all_cpus, sizeof(all_cpus))) {
		nr_populated = bpf_cpumask_weight((const struct cpumask *)mask);
		used(VOC_CPUMASK_POPULATE);
	}
	bpf_cpumask_release(mask);

	ret = scx_bpf_create_dsq(FIFO_DSQ, -1) ?: scx_bpf_create_dsq(VTIME_DSQ, -1) ?:
		scx_bpf_create_dsq(SECOND_VTIME_DSQ, -1);
	if (ret)
		return ret;

	timed = bpf_map_lookup_elem(&timer, &key);
	if (!timed)
		return -ESRCH;
	bpf_timer_init(&timed->timer, &timer, CLOCK_MONOTONIC);
	bpf_timer_set_callback(&timed->timer, timerfn);
	return bpf_timer_start(&timed->timer, TIMER_NS, 0);
}

void BPF_STRUCT_OPS(vocabulary_exit, struct scx_exit_info *ei)
{
	UEI_RECORD(uei, ei);
}

SCX_OPS_DEFINE(vocabulary_ops,
	       .select_cpu		= (void *)vocabulary_select_cpu,
	       .enqueue			= (void *)vocabulary_enqueue,
	       .dispatch		= (void *)vocabulary_dispatch,
	       .running			= (void *)vocabulary_running,
	       .tick			= (void *)vocabulary_tick,
	       .cgroup_init		= (void *)vocabulary_cgroup_init,
	       .cgroup_set_bandwidth	= (void *)vocabulary_cgroup_set_bandwidth,
	       .init			= (void *)vocabulary_init,
	       .exit			= (void *)vocabulary_exit,
	       .timeout_ms		= 20000,
	       .name			= "vocabulary");
