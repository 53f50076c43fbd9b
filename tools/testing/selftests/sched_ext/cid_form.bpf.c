// SPDX-License-Identifier: GPL-2.0
/*
 * A scheduler of the cid form that compares all it is told with what it can see
 * by itself, and sends tasks around by cid.
 */
#include <scx/common.bpf.h>
#include "cid_form_test.h"

char _license[] SEC("license") = "GPL";

UEI_DEFINE(uei);

struct {
	__uint(type, BPF_MAP_TYPE_ARENA);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, CID_TEST_PAGES);
} cid_arena SEC(".maps");

struct cid_test __arena_global st;

/* in this order */
enum phase {
	NOT_ENABLED,
	ENABLED,
	HAS_CMASK,
	HAS_WEIGHT,
};

struct task_state {
	u32	phase;
	s32	picked;		/* by select_cid(), or -1 */
	s32	sent_to;	/* by enqueue(), or -1 */
	u32	next;
	u64	allowed[CID_TEST_MAX_CIDS / 64];
};

struct {
	__uint(type, BPF_MAP_TYPE_TASK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, struct task_state);
} task_states SEC(".maps");

#define COUNT(what)	__sync_fetch_and_add(&st.what, 1)

static struct task_state *state_of(struct task_struct *p)
{
	return bpf_task_storage_get(&task_states, p, 0, 0);
}

static void forget_cids(struct task_state *ts)
{
	ts->picked = -1;
	ts->sent_to = -1;
}

static bool bit_of(const struct scx_cmask __arena *cmask, u32 cid)
{
	return cmask->bits[cid / 64] >> (cid % 64) & 1;
}

static void check_cmask(struct task_struct *p, const struct scx_cmask __arena *cmask)
{
	u32 nr_cids = scx_bpf_nr_cids(), words = (nr_cids + 63) / 64 + 1, cid;

	if (cmask->base || cmask->nr_cids != nr_cids || cmask->alloc_words != words)
		COUNT(nr_bad_headers);

	bpf_for(cid, 0, words * 64) {
		bool want = cid < nr_cids &&
			bpf_cpumask_test_cpu(scx_bpf_cid_to_cpu(cid), p->cpus_ptr);

		if (bit_of(cmask, cid) != want)
			COUNT(nr_bad_masks);
	}
}

/* A cid that @ts allows, another one each time; -1 if there is none online. */
static s32 next_allowed(struct task_state *ts)
{
	const struct scx_cmask __arena *online = scx_bpf_online_cmask();
	u32 nr_cids = scx_bpf_nr_cids(), i;

	bpf_for(i, 1, nr_cids + 1) {
		u32 cid = (ts->next + i) % nr_cids;

		if (cid >= CID_TEST_MAX_CIDS)
			break;
		if (ts->allowed[cid / 64] >> (cid % 64) & 1 && bit_of(online, cid)) {
			ts->next = cid;
			return cid;
		}
	}
	return -1;
}

s32 BPF_STRUCT_OPS(cid_form_select_cid, struct task_struct *p, s32 prev_cid, u64 wake_flags)
{
	struct task_state *ts = state_of(p);

	if (prev_cid != scx_bpf_task_cid(p) && prev_cid != scx_bpf_cpu_to_cid(p->wake_cpu))
		COUNT(nr_bad_cids);
	if (!ts || p->migration_disabled)
		return prev_cid;
	prev_cid = next_allowed(ts) >= 0 ? ts->next : prev_cid;
	ts->picked = st.hotplug ? -1 : prev_cid;
	COUNT(nr_selected);
	return prev_cid;
}

void BPF_STRUCT_OPS(cid_form_enqueue, struct task_struct *p, u64 enq_flags)
{
	struct task_state *ts = state_of(p);
	s32 cid = -1;

	if (ts) {
		if (ts->picked >= 0 && !st.hotplug && scx_bpf_task_cid(p) != ts->picked)
			COUNT(nr_bad_moves);
		ts->picked = -1;
		ts->sent_to = -1;
		if (!p->migration_disabled && !(p->flags & PF_EXITING))
			cid = next_allowed(ts);
	}
	if (cid < 0) {
		scx_bpf_dispatch(p, SCX_DSQ_LOCAL, SCX_SLICE_DFL, enq_flags);
		return;
	}
	/*
	 * A local DSQ that is never empty would keep its CPU from the global one, where
	 * tasks for a CPU end up that goes off meanwhile.
	 */
	if (scx_bpf_dsq_nr_queued(SCX_DSQ_LOCAL_ON | cid)) {
		scx_bpf_dispatch(p, SCX_DSQ_GLOBAL, SCX_SLICE_DFL / 10, enq_flags);
		scx_bpf_kick_cid(cid, SCX_KICK_IDLE);
		return;
	}
	ts->sent_to = st.hotplug ? -1 : cid;
	COUNT(nr_local_on);
	scx_bpf_dispatch(p, SCX_DSQ_LOCAL_ON | cid, SCX_SLICE_DFL / 10, enq_flags);
	scx_bpf_kick_cid(cid, SCX_KICK_IDLE);
}

void BPF_STRUCT_OPS(cid_form_dispatch, s32 cid, struct task_struct *prev)
{
	if (cid != scx_bpf_this_cid())
		COUNT(nr_bad_cids);
}

void BPF_STRUCT_OPS(cid_form_update_idle, s32 cid, bool idle)
{
	if (cid != scx_bpf_this_cid())
		COUNT(nr_bad_cids);
}

void BPF_STRUCT_OPS(cid_form_runnable, struct task_struct *p, u64 enq_flags)
{
	struct task_state *ts = state_of(p);

	if (!ts || ts->phase != HAS_WEIGHT)
		COUNT(nr_bad_order);
}

void BPF_STRUCT_OPS(cid_form_running, struct task_struct *p)
{
	struct task_state *ts = state_of(p);
	s32 cid = scx_bpf_this_cid();
	struct task_struct *curr;

	if (!ts || ts->sent_to < 0)
		return;
	COUNT(nr_ran_there);
	if (!st.hotplug &&
	    (ts->sent_to != cid || scx_bpf_task_cid(p) != cid ||
	     scx_bpf_cid_to_cpu(cid) != bpf_get_smp_processor_id()))
		COUNT(nr_bad_moves);
	ts->sent_to = -1;

	curr = scx_bpf_cid_curr(cid);
	if (!curr || scx_bpf_task_cid(curr) != cid)
		COUNT(nr_bad_answers);
}

void BPF_STRUCT_OPS(cid_form_quiescent, struct task_struct *p, u64 deq_flags)
{
	struct task_state *ts = state_of(p);

	if (ts)
		forget_cids(ts);
}

s32 BPF_STRUCT_OPS(cid_form_init_task, struct task_struct *p, struct scx_init_task_args *args)
{
	struct task_state *ts = bpf_task_storage_get(&task_states, p, 0,
						     BPF_LOCAL_STORAGE_GET_F_CREATE);

	if (!ts)
		return -ENOMEM;
	forget_cids(ts);
	return 0;
}

static void take_mask(struct task_struct *p, struct task_state *ts,
		      const struct scx_cmask __arena *cmask)
{
	u32 words = (scx_bpf_nr_cids() + 63) / 64, i;

	check_cmask(p, cmask);
	bpf_for(i, 0, words)
		if (i < CID_TEST_MAX_CIDS / 64)
			ts->allowed[i] = cmask->bits[i];
}

void BPF_STRUCT_OPS(cid_form_enable, struct task_struct *p, struct scx_enable_args *args)
{
	struct task_state *ts = state_of(p);

	COUNT(nr_enabled);
	if (!ts || ts->phase != NOT_ENABLED) {
		COUNT(nr_bad_order);
		return;
	}
	ts->phase = ENABLED;
	take_mask(p, ts, (const struct scx_cmask __arena *)args->cmask_arena_addr);
}

void BPF_STRUCT_OPS(cid_form_set_cmask, struct task_struct *p, struct scx_cmask __arena *cmask)
{
	struct task_state *ts = state_of(p);

	COUNT(nr_masks);
	if (!ts || ts->phase == NOT_ENABLED) {
		COUNT(nr_bad_order);
		return;
	}
	if (ts->phase == ENABLED)
		ts->phase = HAS_CMASK;
	take_mask(p, ts, cmask);
}

void BPF_STRUCT_OPS(cid_form_set_weight, struct task_struct *p, u32 weight)
{
	struct task_state *ts = state_of(p);

	if (!ts || ts->phase < HAS_CMASK) {
		COUNT(nr_bad_order);
		return;
	}
	ts->phase = HAS_WEIGHT;
}

void BPF_STRUCT_OPS(cid_form_disable, struct task_struct *p)
{
	struct task_state *ts = state_of(p);

	if (ts)
		ts->phase = NOT_ENABLED;
}

/* The cmask of online cids, which says @online for @cid unless that is negative. */
static void check_online(s32 cid, bool online)
{
	const struct scx_cmask __arena *cmask = scx_bpf_online_cmask();
	u32 nr_cids = scx_bpf_nr_cids(), nr = 0, i;

	if (!cmask || cmask->base || cmask->nr_cids != nr_cids) {
		COUNT(nr_bad_online);
		return;
	}
	bpf_for(i, 0, nr_cids)
		nr += bit_of(cmask, i);
	if (nr != scx_bpf_nr_online_cids() || (cid >= 0 && bit_of(cmask, cid) != online))
		COUNT(nr_bad_online);
}

void BPF_STRUCT_OPS(cid_form_cid_online, s32 cid)
{
	COUNT(nr_online_calls);
	check_online(cid, true);
}

void BPF_STRUCT_OPS(cid_form_cid_offline, s32 cid)
{
	COUNT(nr_offline_calls);
	check_online(cid, false);
}

s32 BPF_STRUCT_OPS_SLEEPABLE(cid_form_init_cids)
{
	/* known already, unlike masks */
	st.nr_cids = scx_bpf_nr_cids();
	st.nr_online = scx_bpf_nr_online_cids();
	if (scx_bpf_online_cmask() || scx_bpf_cpu_to_cid(scx_bpf_cid_to_cpu(0)) != 0)
		COUNT(nr_bad_order);
	return 0;
}

/* Unlike the kernel's, one longer and one shorter. */
struct long_topo {
	s32	core_cid, core_idx, llc_cid, llc_idx, node_cid, node_idx, more[2];
};
struct short_topo {
	s32	core_cid, core_idx;
};

s32 BPF_STRUCT_OPS_SLEEPABLE(cid_form_init)
{
	struct long_topo more = {};
	struct short_topo less = {};
	s32 cid;

	if (!st.nr_cids)
		COUNT(nr_bad_order);
	check_online(-1, false);

	bpf_for(cid, 0, st.nr_cids) {
		struct cid_test_topo __arena *topo;

		if (cid >= CID_TEST_MAX_CIDS)
			return -E2BIG;
		topo = &st.topo[cid];
		ARENA_STORE(topo->cpu, scx_bpf_cid_to_cpu(cid));
		if (scx_bpf_cpu_to_cid(topo->cpu) != cid)
			COUNT(nr_bad_answers);

		scx_bpf_cid_topo(cid, (void *)&less, sizeof(less));
		scx_bpf_cid_topo(cid, (void *)&more, sizeof(more));
		if (less.core_cid != more.core_cid || less.core_idx != more.core_idx ||
		    more.more[0] != -1 || more.more[1] != -1)
			COUNT(nr_bad_answers);
		ARENA_STORE(topo->core_cid, more.core_cid);
		ARENA_STORE(topo->core_idx, more.core_idx);
		ARENA_STORE(topo->llc_cid, more.llc_cid);
		ARENA_STORE(topo->llc_idx, more.llc_idx);
		ARENA_STORE(topo->node_cid, more.node_cid);
		ARENA_STORE(topo->node_idx, more.node_idx);

		if (!scx_bpf_cidperf_cap(cid) || scx_bpf_cidperf_cap(cid) > SCX_CPUPERF_ONE ||
		    !scx_bpf_cidperf_cur(cid) || scx_bpf_cidperf_set(cid, SCX_CPUPERF_ONE))
			COUNT(nr_bad_answers);
	}
	return 0;
}

void BPF_STRUCT_OPS(cid_form_exit, struct scx_exit_info *ei)
{
	if (!scx_bpf_online_cmask())
		COUNT(nr_bad_order);
	UEI_RECORD(uei, ei);
}

SCX_OPS_CID_DEFINE(cid_form_ops,
		   .select_cid	= (void *)cid_form_select_cid,
		   .enqueue		= (void *)cid_form_enqueue,
		   .dispatch	= (void *)cid_form_dispatch,
		   .update_idle	= (void *)cid_form_update_idle,
		   .runnable	= (void *)cid_form_runnable,
		   .running		= (void *)cid_form_running,
		   .quiescent	= (void *)cid_form_quiescent,
		   .init_task	= (void *)cid_form_init_task,
		   .enable		= (void *)cid_form_enable,
		   .set_cmask	= (void *)cid_form_set_cmask,
		   .set_weight	= (void *)cid_form_set_weight,
		   .disable		= (void *)cid_form_disable,
		   .cid_online	= (void *)cid_form_cid_online,
		   .cid_offline	= (void *)cid_form_cid_offline,
		   .init_cids	= (void *)cid_form_init_cids,
		   .init		= (void *)cid_form_init,
		   .exit		= (void *)cid_form_exit,
		   .timeout_ms	= 20000U,
		   .name		= "cid_form");
