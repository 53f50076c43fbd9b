/* SPDX-License-Identifier: GPL-2.0 */
/*
 * sched_ext: CPUs in the order of their topology, and the schedulers that count
 * them so. See ext_cid.c.
 */
#ifndef _KERNEL_SCHED_EXT_CID_H
#define _KERNEL_SCHED_EXT_CID_H

#include <linux/cpumask.h>
#include <linux/jump_label.h>
#include <linux/sched/ext.h>

struct bpf_verifier_log;
struct cgroup;
struct scx_cgroup_init_args;
struct scx_dump_ctx;
struct scx_exit_info;
struct scx_exit_task_args;
struct scx_init_task_args;
struct scx_sched;
struct task_struct;

/**
 * struct scx_cmask - Bitmap over the cids from @base to @base + @nr_cids - 1
 * @base: first cid
 * @nr_cids: how many there are
 * @alloc_words: what @bits has room for, in words
 * @bits: the bit of cid c is bit c % 64 of word c / 64 - @base / 64. Those before
 *	@base and after the last cid are zero.
 */
struct scx_cmask {
	u32	base;
	u32	nr_cids;
	u32	alloc_words;
	u64	bits[];
};

/* Words that n cids need, whatever base they start at. */
#define SCX_CMASK_NR_WORDS(n)	((u32)(((u64)(n) + 63) / 64 + 1))

/**
 * struct scx_cid_topo - Where a cid is in the machine
 * @core_cid: first cid of its core
 * @core_idx: which core that is, counted over all of the machine
 * @llc_cid: first cid of its last level cache
 * @llc_idx: which one that is
 * @node_cid: first cid of its NUMA node
 * @node_idx: which one that is
 *
 * All -1 for a cid whose CPU was offline when cids were last assigned.
 */
struct scx_cid_topo {
	s32	core_cid;
	s32	core_idx;
	s32	llc_cid;
	s32	llc_idx;
	s32	node_cid;
	s32	node_idx;
};

/**
 * struct scx_enable_args - Arguments of ops.enable() of a cid-form scheduler
 * @cmask_arena_addr: arena address of a struct scx_cmask with the cids that the
 *	task may run on. Valid until ops.enable() returns.
 */
struct scx_enable_args {
	u64	cmask_arena_addr;
};

/*
 * struct sched_ext_ops_cid: Operations of a scheduler that uses cids
 *
 * As struct sched_ext_ops, which see, but that CPUs are cids, sets of them are
 * cmasks in the scheduler's arena, and what concerns cgroups is called cpuctl.
 * There are no cpu_acquire() and cpu_release().
 *
 * The two structs have the same layout, so that ext.c can call either. It must
 * translate what differs in meaning. Only ->enable() and ->set_cmask() differ in
 * type.
 */
struct sched_ext_ops_cid {
	s32 (*select_cid)(struct task_struct *p, s32 prev_cid, u64 wake_flags);
	void (*enqueue)(struct task_struct *p, u64 enq_flags);
	void (*dequeue)(struct task_struct *p, u64 deq_flags);
	void (*dispatch)(s32 cid, struct task_struct *prev);
	void (*tick)(struct task_struct *p);
	void (*runnable)(struct task_struct *p, u64 enq_flags);
	void (*running)(struct task_struct *p);
	void (*stopping)(struct task_struct *p, bool runnable);
	void (*quiescent)(struct task_struct *p, u64 deq_flags);
	bool (*yield)(struct task_struct *from, struct task_struct *to);
	bool (*core_sched_before)(struct task_struct *a, struct task_struct *b);
	void (*set_weight)(struct task_struct *p, u32 weight);

	/*
	 * Tells what a task may run on, right after ->enable() and after each
	 * change from then on. @cmask is an arena address, with all cids of the
	 * machine, and valid until the call returns.
	 */
	void (*set_cmask)(struct task_struct *p, const struct scx_cmask *cmask);
	void (*update_idle)(s32 cid, bool idle);

	/* cpu_acquire and cpu_release of the other form; always 0 */
	unsigned long reserved[2];

	s32 (*init_task)(struct task_struct *p, struct scx_init_task_args *args);
	void (*exit_task)(struct task_struct *p, struct scx_exit_task_args *args);
	void (*enable)(struct task_struct *p, struct scx_enable_args *args);
	void (*disable)(struct task_struct *p);
	void (*dump)(struct scx_dump_ctx *ctx);
	void (*dump_cid)(struct scx_dump_ctx *ctx, s32 cid, bool idle);
	void (*dump_task)(struct scx_dump_ctx *ctx, struct task_struct *p);
#ifdef CONFIG_EXT_GROUP_SCHED
	s32 (*cpuctl_init)(struct cgroup *cgrp, struct scx_cgroup_init_args *args);
	void (*cpuctl_exit)(struct cgroup *cgrp);
	s32 (*cpuctl_prep_move)(struct task_struct *p, struct cgroup *from, struct cgroup *to);
	void (*cpuctl_move)(struct task_struct *p, struct cgroup *from, struct cgroup *to);
	void (*cpuctl_cancel_move)(struct task_struct *p, struct cgroup *from, struct cgroup *to);
	void (*cpuctl_set_weight)(struct cgroup *cgrp, u32 weight);
	void (*cpuctl_set_bandwidth)(struct cgroup *cgrp, u64 period_us, u64 quota_us,
				     u64 burst_us);
#endif
	void (*cid_online)(s32 cid);
	void (*cid_offline)(s32 cid);
	s32 (*init)(void);
	void (*exit)(struct scx_exit_info *info);
	u32 dispatch_max_batch;
	u64 flags;
	u32 timeout_ms;
	u32 exit_dump_len;
	u64 hotplug_seq;
	char name[SCX_OPS_NAME_LEN];

	/* Up to here the layout is that of struct sched_ext_ops. */

	/*
	 * Called before ->init(), when cids are assigned but the kernel has no
	 * memory in the arena yet. May sleep. What isn't 0 ends the scheduler.
	 */
	s32 (*init_cids)(void);
};

/* What scx_cid_build() has to know of a CPU. */
struct scx_cid_cpu {
	bool	possible;
	bool	online;
	/* equal for CPUs that share it; a negative LLC means that nothing is known */
	s32	node;
	s32	llc;
	s32	core;
};

/**
 * struct scx_cid_map - Which CPU has which cid
 *
 * Entries change when cids are assigned anew, which is while no scheduler is
 * enabled. They are valid at any time, so that whoever looks needs no lock.
 */
struct scx_cid_map {
	/** @nr_cpus: entries of @cpu_to_cid */
	u32			nr_cpus;
	/** @nr_cids: entries of @cid_to_cpu and @topo */
	u32			nr_cids;
	/** @cpu_to_cid: -1 for a CPU that isn't possible */
	s32			*cpu_to_cid;
	/** @cid_to_cpu: the reverse */
	s32			*cid_to_cpu;
	/**
	 * @word_cpu: by word of a cmask that starts at 0: the CPU of the word's
	 * first cid if the CPUs of the following ones follow it, otherwise -1
	 */
	s32			*word_cpu;
	/** @topo: by cid */
	struct scx_cid_topo	*topo;
};

/* Is there a scheduler of the cid form? */
DECLARE_STATIC_KEY_FALSE(__scx_cid_form);
#define scx_cid_form()	static_branch_unlikely(&__scx_cid_form)

/* NULL until somebody asked for cids; then it stays. */
extern struct scx_cid_map *scx_cids;

/**
 * scx_cpu_to_ops - What the scheduler calls a CPU
 * @cpu: possible CPU
 *
 * Context: Any, while a scheduler is enabled.
 * Return: @cpu, or its cid if the scheduler is of the cid form.
 */
static inline s32 scx_cpu_to_ops(s32 cpu)
{
	return scx_cid_form() ? READ_ONCE(scx_cids->cpu_to_cid[cpu]) : cpu;
}

/* ... and in messages, and an operation whose name differs */
#define scx_ops_cpu_name()	(scx_cid_form() ? "cid" : "CPU")
#define scx_ops_name(cpu, cid)	(scx_cid_form() ? #cid : #cpu)

struct scx_cid_map *scx_cid_map_alloc(u32 nr_cpus, u32 nr_cids);
int scx_cid_build(struct scx_cid_map *map, const struct scx_cid_cpu *cpus);
void scx_cmask_fill(struct scx_cmask *cmask, const struct scx_cid_map *map,
		    const struct cpumask *mask);

int scx_cid_assign(bool wanted);
s32 scx_cid_from_ops(s32 cid, const char *where);
int scx_cid_alloc_cmasks(struct scx_sched *sch);
void scx_cid_free_cmasks(struct scx_sched *sch);
u64 scx_cid_fill_cmask(struct scx_sched *sch, const struct cpumask *mask);
void scx_cid_update_online(struct scx_sched *sch);
void scx_cid_translate(struct cpumask *cids, const struct cpumask *mask);
int scx_cid_check_kfunc(struct bpf_verifier_log *log, u32 kfunc_id);
int scx_cid_init(void);

#endif /* _KERNEL_SCHED_EXT_CID_H */
