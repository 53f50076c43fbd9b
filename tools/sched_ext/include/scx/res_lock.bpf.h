/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Resilient spin locks, as BPF programs see them
 *
 * A lock lies in a map's value, or is a global in a section of its own:
 *
 *	private(NAME) struct bpf_res_spin_lock lock;
 *
 *	if (bpf_res_spin_lock(&lock))
 *		return;		// somebody else's, and stays so: don't touch what it guards
 *	...
 *	bpf_res_spin_unlock(&lock);
 *
 * Taking it can fail: with -EDEADLK where waiting would never end, as this CPU has
 * the lock, or another CPU has it and waits for a lock of this one; with -ETIMEDOUT
 * after a quarter of a second. The verifier wants the result looked at.
 *
 * While a lock is held, a program may not end, sleep, or call other than its own
 * static functions, these functions and bpf_for(); memory can be used as always.
 * Eight locks may be held at once, and are released in reverse order.
 *
 * The _irqsave form disables interrupts as well. A lock that is taken in an
 * interrupt too (a timer, a tracepoint) works without: there, on top of its owner,
 * it fails. With it, it doesn't get into that. It is needed where a lock is taken
 * both with interrupts enabled and with them disabled, as most operations have
 * them: those hold locks of the scheduler, and an interrupt on top of the former
 * waits for such a lock to wake a task up.
 */
#ifndef __SCX_RES_LOCK_BPF_H
#define __SCX_RES_LOCK_BPF_H

int bpf_res_spin_lock(struct bpf_res_spin_lock *lock) __ksym __weak;
void bpf_res_spin_unlock(struct bpf_res_spin_lock *lock) __ksym __weak;
int bpf_res_spin_lock_irqsave(struct bpf_res_spin_lock *lock, unsigned long *flags) __ksym __weak;
void bpf_res_spin_unlock_irqrestore(struct bpf_res_spin_lock *lock,
				    unsigned long *flags) __ksym __weak;

#endif	/* __SCX_RES_LOCK_BPF_H */
