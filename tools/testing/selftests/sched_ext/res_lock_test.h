/* SPDX-License-Identifier: GPL-2.0 */
#ifndef __RES_LOCK_TEST_H__
#define __RES_LOCK_TEST_H__

#define RES_LOCK_CPUS	64
#define RES_LOCK_VALUES	64

/* where a lock is taken from */
enum res_lock_context {
	FROM_SYSCALL,
	FROM_TIMER,
	FROM_TRACING,
	FROM_STRUCT_OPS,
	NR_RES_LOCK_CONTEXTS,
};

struct res_lock_counts {
	unsigned long long	taken;
	unsigned long long	deadlocks;
	unsigned long long	timeouts;
};

#endif /* __RES_LOCK_TEST_H__ */
