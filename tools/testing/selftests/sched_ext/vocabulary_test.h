/* SPDX-License-Identifier: GPL-2.0 */
#ifndef __VOCABULARY_TEST_H__
#define __VOCABULARY_TEST_H__

/* What a scheduler of today may use beyond 6.12's. Each is counted when it has worked. */
#define VOCABULARY(X)								\
	X(CPU_CURR)								\
	X(TASK_SET_SLICE)							\
	X(TASK_SET_DSQ_VTIME)							\
	X(DSQ_INSERT)								\
	X(DSQ_INSERT_VTIME)							\
	X(DSQ_MOVE_TO_LOCAL)							\
	X(DSQ_MOVE)								\
	X(DSQ_MOVE_VTIME)							\
	X(DSQ_PEEK)								\
	X(NOW)									\
	X(SELECT_CPU_AND)							\
	X(REENQUEUE_LOCAL)							\
	X(EVENTS)								\
	X(CPUMASK_POPULATE)							\
	X(CPU_NODE)								\
	X(NR_NODE_IDS)								\
	X(GET_IDLE_CPUMASK_NODE)						\
	X(GET_IDLE_SMTMASK_NODE)						\
	X(PICK_IDLE_CPU_NODE)							\
	X(PICK_ANY_CPU_NODE)							\
	X(CGROUP_SET_BANDWIDTH)							\
	X(CGROUP_INIT_BANDWIDTH)						\
	X(GLOBAL_WITHOUT_PREEMPTION)						\
	X(MAY_GOTO_ZERO)							\
	X(PERF_EVENT_READ_VALUE)

enum vocabulary_item {
#define VOCABULARY_ENUM(name)	VOC_##name,
	VOCABULARY(VOCABULARY_ENUM)
#undef VOCABULARY_ENUM
	NR_VOCABULARY,
};

#define VOCABULARY_CPUS	1024

#endif /* __VOCABULARY_TEST_H__ */
