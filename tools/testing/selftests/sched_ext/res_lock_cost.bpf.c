// SPDX-License-Identifier: GPL-2.0
/*
 * The same loop with a resilient lock in it, with a bpf_spin_lock, and with none.
 */
#include <scx/common.bpf.h>
#include <scx/arena_slab.bpf.h>
#include "res_lock_cost_test.h"

char _license[] SEC("license") = "GPL";

private(A) struct bpf_res_spin_lock res_lock;
private(B) struct bpf_spin_lock plain_lock;

u64 taken;
u64 guarded;

SEC("syscall")
int no_lock(void *ctx)
{
	u32 i;

	bpf_for(i, 0, LOCK_COST_ROUNDS)
		WRITE_ONCE(guarded, i);
	return 0;
}

SEC("syscall")
int plain(void *ctx)
{
	u32 i;

	bpf_for(i, 0, LOCK_COST_ROUNDS) {
		bpf_spin_lock(&plain_lock);
		WRITE_ONCE(guarded, i);
		bpf_spin_unlock(&plain_lock);
	}
	return 0;
}

SEC("syscall")
int resilient(void *ctx)
{
	u32 i;

	bpf_for(i, 0, LOCK_COST_ROUNDS) {
		if (bpf_res_spin_lock(&res_lock))
			return 1;
		WRITE_ONCE(guarded, i);
		bpf_res_spin_unlock(&res_lock);
	}
	return 0;
}

SEC("syscall")
int resilient_irq(void *ctx)
{
	unsigned long flags;
	u32 i;

	bpf_for(i, 0, LOCK_COST_ROUNDS) {
		if (bpf_res_spin_lock_irqsave(&res_lock, &flags))
			return 1;
		WRITE_ONCE(guarded, i);
		bpf_res_spin_unlock_irqrestore(&res_lock, &flags);
	}
	return 0;
}

/* the result doesn't matter: how often do CPUs get the lock that all want? */
SEC("syscall")
int contended(void *ctx)
{
	u64 mine = 0;
	u32 i;

	bpf_for(i, 0, LOCK_COST_ROUNDS) {
		if (bpf_res_spin_lock(&res_lock))
			continue;
		WRITE_ONCE(guarded, i);
		bpf_res_spin_unlock(&res_lock);
		mine++;
	}
	__sync_fetch_and_add(&taken, mine);
	return 0;
}
