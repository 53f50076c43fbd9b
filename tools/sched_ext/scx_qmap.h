/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What scx_qmap's BPF side keeps in its arena, for user space to read as it is.
 */
#ifndef __SCX_QMAP_H
#define __SCX_QMAP_H

#include <scx/arena_slab.h>
#include <scx/arena_table.h>

#define QMAP_NR_FIFOS		5

/* task_ctx.fifo of a task that is in none */
#define QMAP_NO_FIFO		-1

/*
 * Pages of address space, most of them never populated: 256 MiB where a page
 * is 4 KiB, and the 4 GiB that an arena can have at most where it is 64 KiB.
 */
#define QMAP_ARENA_PAGES	65536

/* PID_MAX_LIMIT: as many as there can be */
#define QMAP_MAX_TASKS		(4 * 1024 * 1024)

/*
 * Per-task context. Padded, as different CPUs write neighbouring ones: 64 bytes for up
 * to 64 cids, then a cache line more for 512 more.
 */
struct task_ctx {
	/*
	 * What makes it an entry of qmap_arena.slab. While it is in use, node.next is
	 * the next task in its FIFO, and node.spare tells of the one before it: its
	 * place in the slab in units of SCX_SLAB_CACHELINE, from 1, or 0 for none.
	 */
	struct scx_slab_node	node;
	struct scx_table_node	task;		/* makes it one of qmap_arena.tasks */
	u64			core_sched_seq;
	s32			pid;
	s8			fifo;		/* the FIFO that it is in, or QMAP_NO_FIFO */
	bool			force_local;	/* Dispatch directly to local_dsq */
	bool			highpri;
	struct scx_cmask	cpus;		/* cids that the task may run on; has to be last */
};

/* Words of task_ctx.cpus, whose range starts at cid 0, and bytes of the whole. */
#define QMAP_CMASK_WORDS(nr_cids)	(((nr_cids) + 63) / 64)
#define QMAP_TASK_CTX_SIZE(nr_cids)						\
	((sizeof(struct task_ctx) + QMAP_CMASK_WORDS(nr_cids) * sizeof(u64) +	\
	  SCX_SLAB_CACHELINE - 1) / SCX_SLAB_CACHELINE * SCX_SLAB_CACHELINE)

/* Bytes of the slab and of the table for @nr tasks */
#define QMAP_SLAB_SIZE(nr, nr_cids)	((u64)(nr) * QMAP_TASK_CTX_SIZE(nr_cids))
#define QMAP_TABLE_SIZE(nr)	((u64)SCX_TABLE_NR_SLOTS(nr) * sizeof(void *))

/* Per-cid context. Padded, as each is written by its CPU on every dispatch. */
struct cid_ctx {
	u64	dsp_idx;	/* dispatch index */
	u64	dsp_cnt;	/* remaining count */
	u32	avg_weight;
	u32	cpuperf_target;

	u64	nr_remote;	/* dispatched to another cid, as they may not run on this one */
} __attribute__((aligned(SCX_SLAB_CACHELINE)));

/*
 * Tasks in the order in which they came. A lock guards each, which can't lie in an arena.
 * nr_enqueued - nr_dispatched - nr_dequeued tasks are in it.
 */
struct qmap_fifo {
	struct task_ctx __arena	*head, *tail;
	u64	nr_enqueued;
	u64	nr_dispatched;
	u64	nr_dequeued;	/* went before they were dispatched */

	/* Passed by it, to the local DSQ of an idle cid or of the only one allowed. Atomic. */
	u64	nr_local;

	/*
	 * Sequence numbers to implement core-sched ordering.
	 *
	 * Tail seq is assigned to each enqueued task and incremented. Head seq tracks the
	 * sequence number of the latest dispatched task. The distance between a task's
	 * seq and the associated FIFO's head seq is called the queue distance and used
	 * when comparing two tasks for ordering. See qmap_core_sched_before().
	 */
	u64	core_sched_head_seq;
	u64	core_sched_tail_seq;
} __attribute__((aligned(SCX_SLAB_CACHELINE)));

/* Performance levels of CPUs, as they are counted */
struct qmap_levels {
	u64	sum;
	u32	min, max;
};

/* Everything that changes while the scheduler runs */
struct qmap_arena {
	struct qmap_fifo fifos[QMAP_NR_FIFOS];

	/* Statistics that have no better place. These are atomic. */
	u64	nr_shared;		/* to SHARED_DSQ, past the FIFOs */
	u64	nr_stalled;		/* nowhere, on purpose: -t, -T */
	u64	nr_core_sched_execed;
	u64	nr_expedited_local, nr_expedited_remote, nr_expedited_lost, nr_expedited_from_timer;
	u32	cpuperf_min, cpuperf_avg, cpuperf_max;
	u32	cpuperf_target_min, cpuperf_target_avg, cpuperf_target_max;
	u32	nr_online_cids;
	struct qmap_levels cur, target;

	u64	nr_highpri_queued;
	u64	highpri_seq;
	u32	test_error_cnt;
	u32	stall_user_cnt, stall_kernel_cnt;

	u32	nr_cids;
	u32	dsp_batch;			/* -b */
	u32	nr_pages;			/* that the following take */
	bool	exiting;
	struct cid_ctx __arena *cid_ctxs;	/* nr_cids of them */
	struct scx_cmask __arena *idle;		/* cids that idle, and nobody has claimed */
	struct scx_slab	slab;			/* of struct task_ctx, sized by -N */
	struct task_ctx __arena *task_ctxs;	/* where it begins */
	struct scx_table tasks;			/* finds each task's */
};

#endif	/* __SCX_QMAP_H */
