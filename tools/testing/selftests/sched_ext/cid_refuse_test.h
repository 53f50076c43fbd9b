/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What cid_refuse.bpf.c does wrong, one at a time.
 */
#ifndef __CID_REFUSE_TEST_H__
#define __CID_REFUSE_TEST_H__

#define CID_REFUSE_PAGES	16

/* kfuncs with CPU numbers or cpumasks, and what the verifier says to use */
#define CID_CPU_KFUNCS(X)							\
	X(scx_bpf_kick_cpu, "scx_bpf_kick_cid()")				\
	X(scx_bpf_task_cpu, "scx_bpf_task_cid()")				\
	X(scx_bpf_cpu_rq, "scx_bpf_cid_curr()")					\
	X(scx_bpf_cpu_curr, "scx_bpf_cid_curr()")				\
	X(scx_bpf_cpuperf_cap, "scx_bpf_cidperf_cap()")				\
	X(scx_bpf_cpuperf_cur, "scx_bpf_cidperf_cur()")				\
	X(scx_bpf_cpuperf_set, "scx_bpf_cidperf_set()")				\
	X(scx_bpf_get_possible_cpumask, "scx_bpf_nr_cids()")			\
	X(scx_bpf_get_online_cpumask, "scx_bpf_online_cmask()")			\
	X(scx_bpf_get_idle_cpumask, "a cmask kept by ops.update_idle()")	\
	X(scx_bpf_get_idle_smtmask, "a cmask kept by ops.update_idle()")	\
	X(scx_bpf_test_and_clear_cpu_idle, "a cmask kept by ops.update_idle()")	\
	X(scx_bpf_pick_idle_cpu, "a cmask kept by ops.update_idle()")		\
	X(scx_bpf_pick_any_cpu, "the cmask of ops.set_cmask()")			\
	X(scx_bpf_cpu_node, "scx_bpf_cid_topo()")				\
	X(scx_bpf_get_idle_cpumask_node, "a cmask kept by ops.update_idle()")	\
	X(scx_bpf_get_idle_smtmask_node, "a cmask kept by ops.update_idle()")	\
	X(scx_bpf_pick_idle_cpu_node, "a cmask kept by ops.update_idle()")	\
	X(scx_bpf_pick_any_cpu_node, "the cmask of ops.set_cmask()")		\
	X(scx_bpf_select_cpu_dfl, "a cmask kept by ops.update_idle()")		\
	X(scx_bpf_select_cpu_and, "a cmask kept by ops.update_idle()")		\
	X(__scx_bpf_select_cpu_and, "a cmask kept by ops.update_idle()")

/* when a number that is no cid comes from where, and the message about it */
#define CID_BAD_CIDS(X)								\
	X(select_cid, "invalid cid %d from ops.select_cid()")			\
	X(local_on, "invalid cid %d in SCX_DSQ_LOCAL_ON dispatch verdict")	\
	X(cid_to_cpu, "invalid cid %d")						\
	X(cid_topo, "invalid cid %d")						\
	X(kick_cid, "invalid cid %d")						\
	X(cid_curr, "invalid cid %d")						\
	X(cidperf_cap, "invalid cid %d")					\
	X(cidperf_cur, "invalid cid %d")					\
	X(cidperf_set, "invalid cid %d")					\
	X(dsq_nr_queued, "invalid cid %d")					\
	X(cpu_to_cid, "invalid CPU %d")

enum cid_wrong {
	NOTHING_WRONG,
#define X(kfunc, instead) WRONG_##kfunc,
	CID_CPU_KFUNCS(X)
#undef X
#define X(where, msg) WRONG_##where,
	CID_BAD_CIDS(X)
#undef X
	WRONG_init_cids,
	WRONG_arena_full,
	WRONG_sleepable_curr,
};

#endif
