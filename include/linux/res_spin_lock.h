/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A spin lock that tells its caller of a deadlock instead of taking part in it.
 * See kernel/bpf/res_spin_lock.c.
 */
#ifndef _LINUX_RES_SPIN_LOCK_H
#define _LINUX_RES_SPIN_LOCK_H

#include <linux/types.h>

/**
 * struct bpf_res_spin_lock - resilient spin lock, as it lies in a map's value
 * @val: zero when nobody has the lock and nobody waits. A program can't touch it.
 */
struct bpf_res_spin_lock {
	u32 val;
} __aligned(4);

#endif /* _LINUX_RES_SPIN_LOCK_H */
