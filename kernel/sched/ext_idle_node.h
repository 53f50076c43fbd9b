/* SPDX-License-Identifier: GPL-2.0 */
/*
 * sched_ext: Idle CPUs by NUMA node. See ext_idle_node.c.
 */
#ifndef _KERNEL_SCHED_EXT_IDLE_NODE_H
#define _KERNEL_SCHED_EXT_IDLE_NODE_H

#include <linux/cpumask.h>
#include <linux/jump_label.h>

struct task_struct;

/* Does the scheduler have SCX_OPS_BUILTIN_IDLE_PER_NODE? Then ext.c's idle_masks aren't used. */
DECLARE_STATIC_KEY_FALSE(__scx_idle_per_node);
#define scx_idle_per_node()	static_branch_unlikely(&__scx_idle_per_node)

int scx_idle_node_enable(bool wanted);
int scx_idle_node_init(void);

#ifdef CONFIG_SMP
void scx_idle_node_update(int cpu, bool idle);
bool scx_idle_node_claim(int cpu);
s32 scx_idle_node_select_cpu(struct task_struct *p, s32 prev_cpu, u64 wake_flags,
			     const struct cpumask *cpus_allowed, u64 flags, bool *found);
s32 scx_idle_node_select_cpu_and(struct task_struct *p, s32 prev_cpu, u64 wake_flags,
				 const struct cpumask *cpus_allowed, u64 flags);
#else
static inline bool scx_idle_node_claim(int cpu) { return false; }
#endif

#endif /* _KERNEL_SCHED_EXT_IDLE_NODE_H */
