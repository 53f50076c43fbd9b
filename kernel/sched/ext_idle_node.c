// SPDX-License-Identifier: GPL-2.0
/*
 * sched_ext: Idle CPUs by NUMA node, for schedulers with SCX_OPS_BUILTIN_IDLE_PER_NODE
 *
 * ext.c keeps one mask of all idle CPUs, to which every CPU of the machine writes.
 * Here each node has masks of its own: a CPU is only ever in those of its node, and
 * a search begins near the node that it is for. A scheduler has the one kind or the
 * other, and calling a kfunc of the other kind is an error.
 *
 * Nothing here is allocated until a scheduler asks for it, and nothing runs. What is
 * allocated stays: a program that isn't the scheduler's may still look at a mask.
 */
#include <linux/nodemask.h>
#include <linux/slab.h>
#include "ext_idle_node.h"

DEFINE_STATIC_KEY_FALSE(__scx_idle_per_node);

#ifdef CONFIG_SMP

/**
 * struct scx_idle_node - Idle CPUs of a node
 */
struct scx_idle_node {
	/** @cpu: idle CPUs */
	cpumask_var_t	cpu;
	/** @smt: those of them whose siblings are all idle, too */
	cpumask_var_t	smt;
	/** @all: CPUs of the node that are possible */
	cpumask_var_t	all;
	/** @order: all possible nodes, the nearest first, which is this one */
	u16		order[];
} ____cacheline_aligned_in_smp;

/* by node, NULL for one that isn't possible; NULL until a scheduler asked for it */
static struct scx_idle_node **scx_idle_nodes;

/* for scx_idle_node_select_cpu_and(), which has interrupts disabled meanwhile */
static struct cpumask __percpu *scx_idle_allowed;

static struct scx_idle_node *idle_node(int cpu)
{
	return scx_idle_nodes[cpu_to_node(cpu)];
}

#ifdef CONFIG_SCHED_SMT
static const struct cpumask *siblings(int cpu)
{
	return cpu_smt_mask(cpu);
}
#else
static const struct cpumask *siblings(int cpu)
{
	return cpumask_of(cpu);
}
#endif

static void core_is_busy(int cpu)
{
	int sibling;

	/* don't dirty what is right already: others search these masks */
	for_each_cpu(sibling, siblings(cpu)) {
		if (cpumask_test_cpu(sibling, idle_node(sibling)->smt))
			cpumask_clear_cpu(sibling, idle_node(sibling)->smt);
	}
}

/**
 * scx_idle_node_update - Keep track of a CPU
 * @cpu: the CPU
 * @idle: whether it begins or ends to idle
 *
 * Context: With the CPU's run queue locked.
 */
void scx_idle_node_update(int cpu, bool idle)
{
	int sibling;

	if (idle)
		cpumask_set_cpu(cpu, idle_node(cpu)->cpu);
	else
		cpumask_clear_cpu(cpu, idle_node(cpu)->cpu);

	if (!sched_smt_active())
		return;
	if (!idle) {
		core_is_busy(cpu);
		return;
	}
	/* that a sibling may wake up meanwhile makes a pick worse, not wrong */
	for_each_cpu(sibling, siblings(cpu)) {
		if (!cpumask_test_cpu(sibling, idle_node(sibling)->cpu))
			return;
	}
	for_each_cpu(sibling, siblings(cpu))
		cpumask_set_cpu(sibling, idle_node(sibling)->smt);
}

/*
 * Whatever becomes of the topology, @cpu isn't in the masks of @inode any more, or else
 * pick_in_node() would find it again.
 */
static bool claim_in_node(struct scx_idle_node *inode, int cpu)
{
	if (sched_smt_active()) {
		core_is_busy(cpu);
		/* an offline CPU is none of its siblings */
		if (cpumask_test_cpu(cpu, inode->smt))
			cpumask_clear_cpu(cpu, inode->smt);
	}
	return cpumask_test_and_clear_cpu(cpu, inode->cpu);
}

/**
 * scx_idle_node_claim - Take a CPU for one that isn't idle any more
 * @cpu: the CPU
 *
 * Context: Any.
 * Return: whether it was idle.
 */
bool scx_idle_node_claim(int cpu)
{
	return claim_in_node(idle_node(cpu), cpu);
}

static s32 pick_in_node(int node, const struct cpumask *cpus_allowed, u64 flags)
{
	struct scx_idle_node *inode = scx_idle_nodes[node];
	int cpu;

	do {
		cpu = nr_cpu_ids;
		if (sched_smt_active())
			cpu = cpumask_any_and_distribute(inode->smt, cpus_allowed);
		if (cpu >= nr_cpu_ids && !(sched_smt_active() && (flags & SCX_PICK_IDLE_CORE)))
			cpu = cpumask_any_and_distribute(inode->cpu, cpus_allowed);
		if (cpu >= nr_cpu_ids)
			return -EBUSY;
	} while (!claim_in_node(inode, cpu));

	return cpu;
}

/* how many nodes to search, in the order of the first */
static int nr_to_search(u64 flags)
{
	return flags & SCX_PICK_IDLE_IN_NODE ? 1 : num_possible_nodes();
}

static s32 pick_idle_cpu_near(int node, const struct cpumask *cpus_allowed, u64 flags)
{
	s32 cpu;
	int i;

	for (i = 0; i < nr_to_search(flags); i++) {
		cpu = pick_in_node(READ_ONCE(scx_idle_nodes[node]->order[i]), cpus_allowed, flags);
		if (cpu >= 0)
			return cpu;
	}
	return -EBUSY;
}

static s32 pick_any_cpu_near(int node, const struct cpumask *cpus_allowed, u64 flags)
{
	int near, i, cpu;

	for (i = 0; i < nr_to_search(flags); i++) {
		near = READ_ONCE(scx_idle_nodes[node]->order[i]);
		cpu = cpumask_any_and_distribute(scx_idle_nodes[near]->all, cpus_allowed);
		if (cpu < nr_cpu_ids)
			return cpu;
	}
	return -EBUSY;
}

/**
 * scx_idle_node_select_cpu - Built-in CPU selection, near where the task was
 * @p: task that wakes up
 * @prev_cpu: CPU it was on
 * @wake_flags: %SCX_WAKE_*
 * @cpus_allowed: where it may go
 * @flags: %SCX_PICK_IDLE_*
 * @found: set to whether the CPU was idle, or is about to be
 *
 * The order of scx_select_cpu_dfl(), with idle CPUs near @prev_cpu first.
 *
 * Context: Preemption disabled.
 * Return: the CPU, which is claimed, or @prev_cpu if there is none.
 */
s32 scx_idle_node_select_cpu(struct task_struct *p, s32 prev_cpu, u64 wake_flags,
			     const struct cpumask *cpus_allowed, u64 flags, bool *found)
{
	bool prev_allowed = cpumask_test_cpu(prev_cpu, cpus_allowed);
	int node = cpu_to_node(prev_cpu);
	s32 cpu = smp_processor_id();

	*found = true;

	/* who wakes @p is about to sleep: its CPU is as good as idle, if its node has others */
	if ((wake_flags & SCX_WAKE_SYNC) && !(flags & SCX_PICK_IDLE_CORE) &&
	    !(current->flags & PF_EXITING) &&
	    !cpumask_empty(idle_node(cpu)->cpu) && cpu_rq(cpu)->scx.local_dsq.nr == 0 &&
	    (!(flags & SCX_PICK_IDLE_IN_NODE) || cpu_to_node(cpu) == node) &&
	    cpumask_test_cpu(cpu, cpus_allowed))
		return cpu;

	if (sched_smt_active()) {
		if (prev_allowed && cpumask_test_cpu(prev_cpu, idle_node(prev_cpu)->smt) &&
		    scx_idle_node_claim(prev_cpu))
			return prev_cpu;
		cpu = pick_idle_cpu_near(node, cpus_allowed, flags | SCX_PICK_IDLE_CORE);
		if (cpu >= 0)
			return cpu;
	}

	if (!sched_smt_active() || !(flags & SCX_PICK_IDLE_CORE)) {
		if (prev_allowed && scx_idle_node_claim(prev_cpu))
			return prev_cpu;
		cpu = pick_idle_cpu_near(node, cpus_allowed, flags);
		if (cpu >= 0)
			return cpu;
	}

	*found = false;
	return prev_cpu;
}

/**
 * scx_idle_node_select_cpu_and - Built-in CPU selection out of a set
 * @p: task that wakes up
 * @prev_cpu: CPU it was on
 * @wake_flags: %SCX_WAKE_*
 * @cpus_allowed: the set, of which those count that @p may run on
 * @flags: %SCX_PICK_IDLE_*
 *
 * Context: Any.
 * Return: the CPU, which is claimed, or -%EBUSY if there is none.
 */
s32 scx_idle_node_select_cpu_and(struct task_struct *p, s32 prev_cpu, u64 wake_flags,
				 const struct cpumask *cpus_allowed, u64 flags)
{
	struct cpumask *allowed;
	bool found;
	s32 cpu;

	/* a wakeup in an interrupt comes by here, too */
	guard(irqsave)();

	allowed = this_cpu_ptr(scx_idle_allowed);
	cpumask_and(allowed, p->cpus_ptr, cpus_allowed);
	cpu = scx_idle_node_select_cpu(p, prev_cpu, wake_flags, allowed, flags, &found);
	return found ? cpu : -EBUSY;
}

static int alloc_nodes(void)
{
	struct scx_idle_node **inodes;
	int node;

	scx_idle_allowed = __alloc_percpu(cpumask_size(), __alignof__(struct cpumask));
	inodes = kcalloc(nr_node_ids, sizeof(*inodes), GFP_KERNEL);
	if (!inodes || !scx_idle_allowed)
		goto err_free;

	for_each_node(node) {
		struct scx_idle_node *inode;

		inode = kzalloc_node(struct_size(inode, order, num_possible_nodes()), GFP_KERNEL,
				     node);
		inodes[node] = inode;
		if (!inode ||
		    !zalloc_cpumask_var_node(&inode->cpu, GFP_KERNEL, node) ||
		    !zalloc_cpumask_var_node(&inode->smt, GFP_KERNEL, node) ||
		    !zalloc_cpumask_var_node(&inode->all, GFP_KERNEL, node))
			goto err;
	}
	scx_idle_nodes = inodes;
	return 0;

err:
	for_each_node(node) {
		if (!inodes[node])
			break;
		free_cpumask_var(inodes[node]->cpu);
		free_cpumask_var(inodes[node]->smt);
		free_cpumask_var(inodes[node]->all);
		kfree(inodes[node]);
	}
err_free:
	kfree(inodes);
	free_percpu(scx_idle_allowed);
	return -ENOMEM;
}

/* Of two nodes that are equally far, the next in number comes first. */
static bool is_nearer(int to, int a, int b)
{
	int far_a = node_distance(to, a), far_b = node_distance(to, b);

	if (far_a != far_b)
		return far_a < far_b;
	return (a - to + nr_node_ids) % nr_node_ids < (b - to + nr_node_ids) % nr_node_ids;
}

static void sort_nodes(int node)
{
	u16 *order = scx_idle_nodes[node]->order;
	int other, i, n = 1;

	/* a program that isn't the scheduler's may read; it finds nodes, if not in order */
	WRITE_ONCE(order[0], node);
	for_each_node(other) {
		if (other == node)
			continue;
		for (i = n++; i > 1 && is_nearer(node, other, order[i - 1]); i--)
			WRITE_ONCE(order[i], order[i - 1]);
		WRITE_ONCE(order[i], other);
	}
}

/* As ext.c does, take all CPUs for idle that are online. They soon say how it is. */
static int init_nodes(void)
{
	int node, cpu;

	if (!scx_idle_nodes && alloc_nodes())
		return -ENOMEM;

	for_each_node(node) {
		sort_nodes(node);
		cpumask_clear(scx_idle_nodes[node]->cpu);
		cpumask_clear(scx_idle_nodes[node]->smt);
		cpumask_clear(scx_idle_nodes[node]->all);
	}
	for_each_possible_cpu(cpu) {
		cpumask_set_cpu(cpu, idle_node(cpu)->all);
		if (!cpu_online(cpu))
			continue;
		cpumask_set_cpu(cpu, idle_node(cpu)->cpu);
		cpumask_set_cpu(cpu, idle_node(cpu)->smt);
	}
	return 0;
}

static const struct cpumask *idle_cpumask(int node)
{
	return scx_idle_nodes[node]->cpu;
}

static const struct cpumask *idle_smtmask(int node)
{
	return sched_smt_active() ? scx_idle_nodes[node]->smt : scx_idle_nodes[node]->cpu;
}

#else	/* CONFIG_SMP */

static int init_nodes(void)
{
	return 0;
}

static const struct cpumask *idle_cpumask(int node)
{
	return cpu_none_mask;
}

static const struct cpumask *idle_smtmask(int node)
{
	return cpu_none_mask;
}

static s32 pick_idle_cpu_near(int node, const struct cpumask *cpus_allowed, u64 flags)
{
	return -EBUSY;
}

static s32 pick_any_cpu_near(int node, const struct cpumask *cpus_allowed, u64 flags)
{
	return cpumask_test_cpu(0, cpus_allowed) ? 0 : -EBUSY;
}

#endif	/* CONFIG_SMP */

/**
 * scx_idle_node_enable - Begin or end to track idle CPUs by node
 * @wanted: which of the two
 *
 * Context: Process context, under scx_ops_enable_mutex, while built-in idle tracking
 * is off. Takes cpus_read_lock().
 * Return: 0 or -%ENOMEM.
 */
int scx_idle_node_enable(bool wanted)
{
	int ret = 0;

	if (wanted)
		ret = init_nodes();
	if (wanted && !ret)
		static_branch_enable(&__scx_idle_per_node);
	else
		static_branch_disable(&__scx_idle_per_node);
	return ret;
}

/* 0, or an error, of which NUMA_NO_NODE is the one that doesn't end the scheduler */
static int check_node(s32 node)
{
	if (!scx_idle_per_node()) {
		scx_ops_error("per-node idle tracking is disabled");
		return -EOPNOTSUPP;
	}
	if (node == NUMA_NO_NODE)
		return -ENOENT;
	if (node < 0 || node >= nr_node_ids) {
		scx_ops_error("invalid node %d", node);
		return -EINVAL;
	}
	if (!node_possible(node)) {
		scx_ops_error("unavailable node %d", node);
		return -EINVAL;
	}
	return 0;
}

__bpf_kfunc_start_defs();

/**
 * scx_bpf_nr_node_ids - Return how many NUMA node ids there are
 *
 * Return: one more than the highest possible node.
 */
__bpf_kfunc u32 scx_bpf_nr_node_ids(void)
{
	return nr_node_ids;
}

/**
 * scx_bpf_cpu_node - Return the NUMA node of a CPU
 * @cpu: CPU number
 *
 * Return: its node. %NUMA_NO_NODE if there is no such CPU, which also ends the
 * scheduler.
 */
__bpf_kfunc s32 scx_bpf_cpu_node(s32 cpu)
{
	return ops_cpu_valid(cpu, NULL) ? cpu_to_node(cpu) : NUMA_NO_NODE;
}

/**
 * scx_bpf_get_idle_cpumask_node - Get the idle CPUs of a NUMA node
 * @node: the node
 *
 * Needs %SCX_OPS_BUILTIN_IDLE_PER_NODE: without it, or if there is no such node, the
 * scheduler ends. The mask follows what the CPUs do.
 *
 * Return: a referenced mask, for scx_bpf_put_idle_cpumask(). An empty one on error,
 * for %NUMA_NO_NODE, and with one CPU in kernels without SMP.
 */
__bpf_kfunc const struct cpumask *scx_bpf_get_idle_cpumask_node(s32 node)
{
	return check_node(node) ? cpu_none_mask : idle_cpumask(node);
}

/**
 * scx_bpf_get_idle_smtmask_node - Get the idle cores of a NUMA node
 * @node: the node
 *
 * As scx_bpf_get_idle_cpumask_node(), with those CPUs only whose siblings are all
 * idle, too. Without SMT that is all of them.
 *
 * Return: a referenced mask, for scx_bpf_put_idle_cpumask(), or an empty one.
 */
__bpf_kfunc const struct cpumask *scx_bpf_get_idle_smtmask_node(s32 node)
{
	return check_node(node) ? cpu_none_mask : idle_smtmask(node);
}

/**
 * scx_bpf_pick_idle_cpu_node - Pick and claim an idle CPU near a NUMA node
 * @cpus_allowed: where to look
 * @node: the node
 * @flags: %SCX_PICK_IDLE_*
 *
 * Looks in @node, then in the others in the order of their distance to it; with
 * %SCX_PICK_IDLE_IN_NODE in @node only. Within a node, idle cores come first; with
 * %SCX_PICK_IDLE_CORE nothing else will do. See scx_bpf_pick_idle_cpu() for what to
 * mind.
 *
 * Needs %SCX_OPS_BUILTIN_IDLE_PER_NODE: without it, or if there is no such node, the
 * scheduler ends.
 *
 * Return: the CPU. -%EBUSY if none is idle, -%ENOENT for %NUMA_NO_NODE, -%EINVAL if
 * there is no such node, -%EOPNOTSUPP without the flag.
 */
__bpf_kfunc s32 scx_bpf_pick_idle_cpu_node(const struct cpumask *cpus_allowed, s32 node,
					   u64 flags)
{
	int ret = check_node(node);

	return ret ?: pick_idle_cpu_near(node, cpus_allowed, flags);
}

/**
 * scx_bpf_pick_any_cpu_node - Pick an idle CPU near a NUMA node, or else any CPU
 * @cpus_allowed: where to look
 * @node: the node
 * @flags: %SCX_PICK_IDLE_*
 *
 * As scx_bpf_pick_idle_cpu_node(). If that finds none, the CPU is one of @cpus_allowed
 * that is as near to @node as there is; with %SCX_PICK_IDLE_IN_NODE it is in @node.
 * Like scx_bpf_pick_any_cpu(), doesn't mind whether that CPU is online.
 *
 * Return: the CPU. -%EBUSY if @cpus_allowed is empty, or has none in @node when
 * limited to it. Other errors are those of scx_bpf_pick_idle_cpu_node().
 */
__bpf_kfunc s32 scx_bpf_pick_any_cpu_node(const struct cpumask *cpus_allowed, s32 node,
					  u64 flags)
{
	s32 cpu = scx_bpf_pick_idle_cpu_node(cpus_allowed, node, flags);

	return cpu == -EBUSY ? pick_any_cpu_near(node, cpus_allowed, flags) : cpu;
}

__bpf_kfunc_end_defs();

BTF_KFUNCS_START(scx_kfunc_ids_idle_node)
BTF_ID_FLAGS(func, scx_bpf_nr_node_ids)
BTF_ID_FLAGS(func, scx_bpf_cpu_node)
BTF_ID_FLAGS(func, scx_bpf_get_idle_cpumask_node, KF_ACQUIRE)
BTF_ID_FLAGS(func, scx_bpf_get_idle_smtmask_node, KF_ACQUIRE)
BTF_ID_FLAGS(func, scx_bpf_pick_idle_cpu_node, KF_RCU)
BTF_ID_FLAGS(func, scx_bpf_pick_any_cpu_node, KF_RCU)
BTF_KFUNCS_END(scx_kfunc_ids_idle_node)

static const struct btf_kfunc_id_set scx_kfunc_set_idle_node = {
	.owner			= THIS_MODULE,
	.set			= &scx_kfunc_ids_idle_node,
};

/**
 * scx_idle_node_init - Register the kfuncs of this file
 *
 * Context: Process context, once, at boot.
 * Return: 0 or -errno.
 */
int __init scx_idle_node_init(void)
{
	return register_btf_kfunc_id_set(BPF_PROG_TYPE_STRUCT_OPS, &scx_kfunc_set_idle_node) ?:
	       register_btf_kfunc_id_set(BPF_PROG_TYPE_TRACING, &scx_kfunc_set_idle_node) ?:
	       register_btf_kfunc_id_set(BPF_PROG_TYPE_SYSCALL, &scx_kfunc_set_idle_node);
}
