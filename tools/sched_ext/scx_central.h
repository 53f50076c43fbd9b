/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What scx_central's BPF side keeps in its arena, for user space to read as it is.
 */
#ifndef __SCX_CENTRAL_H
#define __SCX_CENTRAL_H

/*
 * Pages of address space, most of them never populated: room for the per-cid contexts of
 * 8192 CPUs, and for the cmasks that the kernel keeps in the arena of a cid-form scheduler,
 * one for each CPU.
 */
#define CENTRAL_ARENA_PAGES	16384

#define CENTRAL_CACHELINE	64

/* Per-cid context. Padded, as each is written by its CPU on every switch of tasks. */
struct cid_ctx {
	u64	started_at;	/* when what runs there started, 0 if nothing does */
	bool	gimme_task;	/* it has asked the central cid for a task */
} __attribute__((aligned(CENTRAL_CACHELINE)));

/* Everything that changes while the scheduler runs */
struct central_arena {
	/*
	 * Statistics of tasks. Each that is enqueued is in one of the last six:
	 * nr_total = nr_locals + nr_overflows + nr_queued + nr_lost_pids + nr_mismatches + nr_sent
	 */
	u64	nr_total;
	u64	nr_locals;	/* per-CPU kthreads, which stay where they are */
	u64	nr_overflows;	/* had no room in central_q */
	u64	nr_queued;	/* in central_q now */
	u64	nr_lost_pids;	/* there was no such task any more when it was its turn */
	u64	nr_mismatches;	/* might not go to the cid whose turn it was */
	u64	nr_sent;	/* to the local DSQ of a cid */

	/* and of what the scheduler did */
	u64	nr_dispatches;	/* rounds of the central cid over all cids */
	u64	nr_retries;	/* of those, ended early as the dispatch buffer was full */
	u64	nr_timers;	/* looks of all timers */
	u64	nr_preempts;	/* of those, found that the cid has to switch tasks */

	s32	central_cpu;	/* which CPU the central cid is, known from ops.init() on */
	bool	timer_pinned;
	bool	tickless;	/* the timers run, so slices need no end */
	bool	exiting;	/* the timers are to stop */

	struct cid_ctx __arena *cid_ctxs;	/* nr_cids of them */
};

#endif	/* __SCX_CENTRAL_H */
