/* SPDX-License-Identifier: GPL-2.0 */
/*
 * sched_ext: What belongs to one scheduler.
 *
 * 6.12 runs one BPF scheduler at a time and keeps its state in variables of
 * ext.c. What is here is per scheduler all the same, as in later kernels.
 */
#ifndef _KERNEL_SCHED_EXT_INTERNAL_H
#define _KERNEL_SCHED_EXT_INTERNAL_H

#include <linux/mutex.h>
#include "ext_cid.h"

struct bpf_map;
struct gen_pool;

/**
 * struct scx_arena_pool - Memory for kernel objects in a scheduler's arena
 *
 * See ext_arena.c. All of this is ordinary kernel memory, which the scheduler
 * can't reach.
 */
struct scx_arena_pool {
	/** @lock: guards @gen and what is in it against everyone but readers of statistics */
	struct mutex		lock;
	/** @map: the arena, with a reference; NULL before init and after destroy */
	struct bpf_map		*map;
	/** @gen: who has which granules; NULL before init and after destroy */
	struct gen_pool		*gen;
	/** @kern_vm_start: kernel address of arena address 0, modulo 4 GiB */
	u64			kern_vm_start;
	/** @user_vm_base: upper half of all arena addresses */
	u64			user_vm_base;
};

/**
 * struct scx_sched - One BPF scheduler, from enabling to disabling
 */
struct scx_sched {
	/** @arena: the pool in its arena */
	struct scx_arena_pool	arena;

	/* The rest is for schedulers of the cid form. */

	/** @ops_cid: its operations, of which ext.c has most in scx_ops too */
	struct sched_ext_ops_cid ops_cid;
	/** @cmasks: where each CPU writes masks of tasks to, in the arena */
	struct scx_cmask * __percpu *cmasks;
	/** @online_cmask: which cids are online, in the arena; NULL until it is written */
	struct scx_cmask	*online_cmask;
};

#endif /* _KERNEL_SCHED_EXT_INTERNAL_H */
