/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What scx_qmap's BPF side keeps in its arena, for user space to read as it is.
 */
#ifndef __SCX_QMAP_H
#define __SCX_QMAP_H

#include <scx/arena_slab.h>

#define QMAP_NR_FIFOS		5

/*
 * Pages of address space, most of them never populated: 256 MiB where a page
 * is 4 KiB, and the 4 GiB that an arena can have at most where it is 64 KiB.
 */
#define QMAP_ARENA_PAGES	65536

/* More than Linux has on any architecture, and PID_MAX_LIMIT. */
#define QMAP_MAX_CPUS		8192
#define QMAP_MAX_TASKS		(4 * 1024 * 1024)

/* Per-task context. Padded, as different CPUs write neighbouring ones. */
struct task_ctx {
	struct scx_slab_node node;	/* what makes it an entry of qmap_arena.slab */
	bool	force_local;		/* Dispatch directly to local_dsq */
	bool	highpri;
	u64	core_sched_seq;
} __attribute__((aligned(SCX_SLAB_CACHELINE)));

/* Per-CPU context. Padded, as each is written by its CPU on every dispatch. */
struct cpu_ctx {
	u64	dsp_idx;	/* dispatch index */
	u64	dsp_cnt;	/* remaining count */
	u32	avg_weight;
	u32	cpuperf_target;
} __attribute__((aligned(SCX_SLAB_CACHELINE)));

/* Everything that changes while the scheduler runs */
struct qmap_arena {
	/* Statistics */
	u64	nr_enqueued, nr_dispatched, nr_reenqueued, nr_dequeued, nr_ddsp_from_enq;
	u64	nr_core_sched_execed;
	u64	nr_expedited_local, nr_expedited_remote, nr_expedited_lost, nr_expedited_from_timer;
	u32	cpuperf_min, cpuperf_avg, cpuperf_max;
	u32	cpuperf_target_min, cpuperf_target_avg, cpuperf_target_max;

	/*
	 * Per-queue sequence numbers to implement core-sched ordering.
	 *
	 * Tail seq is assigned to each queued task and incremented. Head seq
	 * tracks the sequence number of the latest dispatched task. The distance
	 * between the a task's seq and the associated queue's head seq is called
	 * the queue distance and used when comparing two tasks for ordering. See
	 * qmap_core_sched_before().
	 */
	u64	core_sched_head_seqs[QMAP_NR_FIFOS];
	u64	core_sched_tail_seqs[QMAP_NR_FIFOS];

	u64	nr_highpri_queued;
	u64	highpri_seq;
	u32	test_error_cnt;
	u32	stall_user_cnt, stall_kernel_cnt;

	u32	nr_pages;			/* that the following two take */
	struct cpu_ctx __arena *cpu_ctxs;	/* nr_cpu_ids of them */
	struct scx_slab	slab;			/* of struct task_ctx, sized by -N */
};

#endif	/* __SCX_QMAP_H */
