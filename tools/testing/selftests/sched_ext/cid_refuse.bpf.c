// SPDX-License-Identifier: GPL-2.0
/*
 * A scheduler of the cid form that does one thing wrong, and calls each kfunc
 * that such schedulers may not call.
 */
#include <scx/common.bpf.h>
#include "cid_refuse_test.h"

char _license[] SEC("license") = "GPL";

const volatile u32 wrong;
const volatile s32 bad_cid;

UEI_DEFINE(uei);

struct {
	__uint(type, BPF_MAP_TYPE_ARENA);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, CID_REFUSE_PAGES);
} cid_arena SEC(".maps");

s32 BPF_STRUCT_OPS(cid_refuse_select_cid, struct task_struct *p, s32 prev_cid, u64 wake_flags)
{
	bool idle;

	if (wrong == WRONG_select_cid)
		return bad_cid;
	if (wrong == WRONG_scx_bpf_select_cpu_dfl)
		return scx_bpf_select_cpu_dfl(p, prev_cid, wake_flags, &idle);
	return prev_cid;
}

void BPF_STRUCT_OPS(cid_refuse_enqueue, struct task_struct *p, u64 enq_flags)
{
	u64 dsq = SCX_DSQ_GLOBAL;

	if (wrong == WRONG_local_on && !(p->flags & PF_KTHREAD))
		dsq = SCX_DSQ_LOCAL_ON | (u32)bad_cid;
	scx_bpf_dispatch(p, dsq, SCX_SLICE_DFL, enq_flags);
}

void BPF_STRUCT_OPS(cid_refuse_running, struct task_struct *p)
{
	struct scx_bpf_select_cpu_and_args___compat args = {};

	ARENA_ASSOCIATE(cid_arena);

	switch (wrong) {
	case WRONG_scx_bpf_kick_cpu:
		scx_bpf_kick_cpu(0, 0);
		break;
	case WRONG_scx_bpf_task_cpu:
		scx_bpf_task_cpu(p);
		break;
	case WRONG_scx_bpf_cpu_rq:
		scx_bpf_cpu_rq(0);
		break;
	case WRONG_scx_bpf_cpu_curr:
		scx_bpf_cpu_curr(0);
		break;
	case WRONG_scx_bpf_cpuperf_cap:
		scx_bpf_cpuperf_cap(0);
		break;
	case WRONG_scx_bpf_cpuperf_cur:
		scx_bpf_cpuperf_cur(0);
		break;
	case WRONG_scx_bpf_cpuperf_set:
		scx_bpf_cpuperf_set(0, SCX_CPUPERF_ONE);
		break;
	case WRONG_scx_bpf_get_possible_cpumask:
		scx_bpf_put_cpumask(scx_bpf_get_possible_cpumask());
		break;
	case WRONG_scx_bpf_get_online_cpumask:
		scx_bpf_put_cpumask(scx_bpf_get_online_cpumask());
		break;
	case WRONG_scx_bpf_get_idle_cpumask:
		scx_bpf_put_idle_cpumask(scx_bpf_get_idle_cpumask());
		break;
	case WRONG_scx_bpf_get_idle_smtmask:
		scx_bpf_put_idle_cpumask(scx_bpf_get_idle_smtmask());
		break;
	case WRONG_scx_bpf_test_and_clear_cpu_idle:
		scx_bpf_test_and_clear_cpu_idle(0);
		break;
	case WRONG_scx_bpf_pick_idle_cpu:
		scx_bpf_pick_idle_cpu(p->cpus_ptr, 0);
		break;
	case WRONG_scx_bpf_pick_any_cpu:
		scx_bpf_pick_any_cpu(p->cpus_ptr, 0);
		break;
	case WRONG_scx_bpf_cpu_node:
		scx_bpf_cpu_node(0);
		break;
	case WRONG_scx_bpf_get_idle_cpumask_node:
		scx_bpf_put_idle_cpumask(scx_bpf_get_idle_cpumask_node(0));
		break;
	case WRONG_scx_bpf_get_idle_smtmask_node:
		scx_bpf_put_idle_cpumask(scx_bpf_get_idle_smtmask_node(0));
		break;
	case WRONG_scx_bpf_pick_idle_cpu_node:
		scx_bpf_pick_idle_cpu_node(p->cpus_ptr, 0, 0);
		break;
	case WRONG_scx_bpf_pick_any_cpu_node:
		scx_bpf_pick_any_cpu_node(p->cpus_ptr, 0, 0);
		break;
	case WRONG_scx_bpf_select_cpu_and:
		scx_bpf_select_cpu_and___v1(p, 0, 0, p->cpus_ptr, 0);
		break;
	case WRONG___scx_bpf_select_cpu_and:
		__scx_bpf_select_cpu_and(p, p->cpus_ptr, &args);
		break;
	case WRONG_cid_curr:
		scx_bpf_cid_curr(bad_cid);
		break;
	}
}

s32 BPF_STRUCT_OPS_SLEEPABLE(cid_refuse_init_cids)
{
	/* all pages there are, before the kernel takes any */
	if (wrong == WRONG_arena_full)
		bpf_arena_alloc_pages(&cid_arena, NULL, CID_REFUSE_PAGES, NUMA_NO_NODE, 0);
	return wrong == WRONG_init_cids ? -ENODEV : 0;
}

s32 BPF_STRUCT_OPS_SLEEPABLE(cid_refuse_init)
{
	s32 topo[6] = {};

	switch (wrong) {
	case WRONG_cid_to_cpu:
		scx_bpf_cid_to_cpu(bad_cid);
		break;
	case WRONG_cid_topo:
		scx_bpf_cid_topo(bad_cid, (void *)topo, sizeof(topo));
		break;
	case WRONG_kick_cid:
		scx_bpf_kick_cid(bad_cid, 0);
		break;
	case WRONG_cidperf_cap:
		scx_bpf_cidperf_cap(bad_cid);
		break;
	case WRONG_cidperf_cur:
		scx_bpf_cidperf_cur(bad_cid);
		break;
	case WRONG_cidperf_set:
		scx_bpf_cidperf_set(bad_cid, SCX_CPUPERF_ONE);
		break;
	case WRONG_dsq_nr_queued:
		scx_bpf_dsq_nr_queued(SCX_DSQ_LOCAL_ON | (u32)bad_cid);
		break;
	case WRONG_cpu_to_cid:
		scx_bpf_cpu_to_cid(bad_cid);
		break;
	case WRONG_sleepable_curr:
		scx_bpf_cid_curr(0);
		break;
	}
	return 0;
}

void BPF_STRUCT_OPS(cid_refuse_exit, struct scx_exit_info *ei)
{
	UEI_RECORD(uei, ei);
}

SCX_OPS_CID_DEFINE(cid_refuse_ops,
		   .select_cid	= (void *)cid_refuse_select_cid,
		   .enqueue		= (void *)cid_refuse_enqueue,
		   .running		= (void *)cid_refuse_running,
		   .init_cids	= (void *)cid_refuse_init_cids,
		   .init		= (void *)cid_refuse_init,
		   .exit		= (void *)cid_refuse_exit,
		   .timeout_ms	= 20000U,
		   .name		= "cid_refuse");
