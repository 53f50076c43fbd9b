/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What idle_node.bpf.c is asked for, and what it tells.
 */
#ifndef __IDLE_NODE_TEST_H__
#define __IDLE_NODE_TEST_H__

#define IDLE_NODE_MAX	64	/* nodes, and CPUs, that the test has room for */

/* What the scheduler does wrong, and what it is ended for. */
#define IDLE_NODE_WRONGS(X)							\
	X(get_cpumask, true, "per-node idle tracking is enabled")		\
	X(get_smtmask, true, "per-node idle tracking is enabled")		\
	X(pick_idle, true, "per-node idle tracking is enabled")			\
	X(pick_any, true, "per-node idle tracking is enabled")			\
	X(get_cpumask_node, false, "per-node idle tracking is disabled")	\
	X(get_smtmask_node, false, "per-node idle tracking is disabled")	\
	X(pick_idle_node, false, "per-node idle tracking is disabled")		\
	X(pick_any_node, false, "per-node idle tracking is disabled")		\
	X(high_node_cpumask, true, "invalid node 5000")				\
	X(high_node_smtmask, true, "invalid node 5000")				\
	X(high_node_pick_idle, true, "invalid node 5000")			\
	X(high_node_pick_any, true, "invalid node 5000")			\
	X(low_node, true, "invalid node -2")					\
	X(no_cpu, false, "invalid CPU 5000")

enum idle_node_wrong {
	NOTHING_WRONG,
#define X(what, per_node, msg) WRONG_##what,
	IDLE_NODE_WRONGS(X)
#undef X
};

struct idle_node_picks {
	/* in */
	unsigned long long	allowed;
	int			node;
	unsigned long long	flags;
	int			nr;		/* so many times, or until there is none */
	int			nr_any;		/* ... and then with scx_bpf_pick_any_cpu_node() */
	bool			then_anywhere;	/* and then, in any node */
	/* out */
	int			picked[IDLE_NODE_MAX + 1];
	int			any[IDLE_NODE_MAX];
	unsigned long long	idle[IDLE_NODE_MAX];	/* before that, by node */
	int			anywhere;
};

#endif
