// SPDX-License-Identifier: GPL-2.0
/*
 * Resilient spin locks for BPF programs.
 *
 * A program takes locks in an order that nobody has checked, from any context, and
 * may do so on top of a program that it has interrupted. So this lock doesn't trust
 * its users. Who can't have it is told so, and the machine goes on:
 *
 *   -EDEADLK	 the CPU has the lock already, found at once; or it has a lock that
 *		 the owner of this one waits for, found while waiting
 *   -ETIMEDOUT	 anything else that lasts: a longer cycle, an owner that never ends
 *
 * The lock is one word of two halves, each a CPU's number plus one, or zero:
 *
 *   owner	the CPU that has the lock
 *   heir	the waiting CPU that gets it next
 *
 * There is no queue, and so nothing to leave in order when a waiter gives up but the
 * heir's half. Waiters find their order by themselves: one that is nearer to the
 * owner than the heir is, counting CPU numbers upwards and around, takes the heir's
 * place. While there is an heir nobody else takes a lock that is free. So waiters are
 * served round and round by number, and each waits for each other once: as fair as a
 * queue, but for a waiter that registers too late for its turn and has to wait for
 * the next. A virtual CPU may not be running when its turn comes; what is free for
 * RES_LOCK_OVERDUE_NS is anyone's, and the heir stays the heir.
 *
 * All waiters spin on the one word: a handover costs a cache miss for each of them,
 * so it grows linearly with their number.
 *
 * Who has a lock is in the lock, and nowhere else, so there is no limit to how many a CPU
 * has. Who waits for which is published by the waiter, in ->awaited. A waiter that finds
 * its lock's owner waiting for a lock that the waiter owns has found a deadlock. To see
 * that it has to read a lock that only the owner's program keeps in memory, and that
 * program may be gone by then. So it reads without minding faults, and then looks whether
 * the owner still waits for it.
 *
 * Memory ordering. The lock is taken by a compare-and-exchange with acquire semantics
 * of the whole word, and released by a store-release of the owner's half, so that a
 * heir that registers meanwhile isn't lost; qspinlock, too, relies on the two sizes
 * of access being coherent. A CPU's ->awaited is published by a store-release, and
 * read by a load-acquire: who sees that a CPU waits, sees that it has released what it
 * released before. That makes crossed() right that reads lock, ->awaited, lock: if the
 * owner is the same after, it still had this lock when it began to wait for ours. There
 * are two exceptions. It may have given up waiting and taken this lock again between
 * the reads. And an interrupt may have taken this lock on top of a program that waits,
 * and will release it soon. Neither lasts: what has been so whenever a waiter looked,
 * for RES_LOCK_DEADLOCK_NS, is a deadlock.
 *
 * Contexts. An interrupt runs on top of a CPU's programs. It waits in their place, and
 * leaves ->awaited as it was. It may be the heir in its CPU's name, and take what the
 * code below it is heir of; that code registers again. An NMI doesn't wait.
 */
#include <linux/bpf.h>
#include <linux/btf.h>
#include <linux/btf_ids.h>
#include <linux/cpumask.h>
#include <linux/hardirq.h>
#include <linux/percpu.h>
#include <linux/preempt.h>
#include <linux/printk.h>
#include <linux/ratelimit.h>
#include <linux/res_spin_lock.h>
#include <linux/timekeeping.h>
#include <linux/uaccess.h>

/* how long to wait for a lock that doesn't seem to be part of a deadlock */
#define RES_LOCK_TIMEOUT_NS	(NSEC_PER_SEC / 4)
/*
 * What at most counts of the time from one look at the clock to the next. More than this
 * isn't spent on waiting: an interrupt took it, or a hypervisor, which takes it from the
 * owner as well.
 */
#define RES_LOCK_GAP_NS		NSEC_PER_MSEC
/* how long two CPUs wait for each other before that is a deadlock */
#define RES_LOCK_DEADLOCK_NS	(250 * NSEC_PER_USEC)
/* how long a free lock waits for the CPU whose turn it is */
#define RES_LOCK_OVERDUE_NS	(20 * NSEC_PER_USEC)
/* how often a waiter looks at the clock and for deadlocks */
#define RES_LOCK_SPINS		16

/* a CPU's number plus one fits in a half */
static_assert(CONFIG_NR_CPUS < U16_MAX);

/* The two halves of a lock's word: the owner is the low one, in either byte order. */
union res_lock_word {
	u32	val;
	struct {
#ifdef __LITTLE_ENDIAN
		u16	owner;
		u16	heir;
#else
		u16	heir;
		u16	owner;
#endif
	};
};

static_assert(sizeof(union res_lock_word) == sizeof(struct bpf_res_spin_lock));

struct res_lock_cpu {
	/* what this CPU waits for, and not what programs that it interrupted do */
	struct bpf_res_spin_lock	*awaited;
	/* a lock of this CPU that the log tells of already; other CPUs write to it */
	struct bpf_res_spin_lock	*reported;
};

static DEFINE_PER_CPU(struct res_lock_cpu, res_lock_cpus);

static union res_lock_word *word_of(struct bpf_res_spin_lock *lock)
{
	return (union res_lock_word *)&lock->val;
}

static union res_lock_word read_word(struct bpf_res_spin_lock *lock)
{
	return (union res_lock_word) { .val = READ_ONCE(lock->val) };
}

/* Does @owner, who has @lock, wait for a lock that @me has? */
static bool crossed(struct bpf_res_spin_lock *lock, u16 owner, u16 me)
{
	struct bpf_res_spin_lock *awaited, **awaitedp;
	union res_lock_word word;

	if (!owner || !cpu_possible(owner - 1))
		return false;
	awaitedp = &per_cpu_ptr(&res_lock_cpus, owner - 1)->awaited;
	/* pairs with the release in res_spin_lock_slow(), see "Memory ordering" above */
	awaited = smp_load_acquire(awaitedp);
	if (!awaited || get_kernel_nofault(word.val, &awaited->val) || word.owner != me)
		return false;
	return READ_ONCE(*awaitedp) == awaited && read_word(lock).owner == owner;
}

/* Is it @me's turn before @heir's, when @owner is through? */
static bool is_nearer(u16 me, u16 heir, u16 owner)
{
	return !heir || (u16)(me - owner) < (u16)(heir - owner);
}

/* Once for as long as the owner has the lock. Its run queue may be locked: defer. */
static void report(struct bpf_res_spin_lock *lock, u16 owner, u16 me, int err)
{
	static DEFINE_RATELIMIT_STATE(limit, 5 * HZ, 10);

	if (!owner || !cpu_possible(owner - 1) ||
	    xchg(&per_cpu_ptr(&res_lock_cpus, owner - 1)->reported, lock) == lock)
		return;
	if (!__ratelimit(&limit))
		return;
	if (owner == me)
		printk_deferred(KERN_WARNING "bpf: CPU %d takes a resilient lock that it has\n",
				me - 1);
	else if (err == -EDEADLK)
		printk_deferred(KERN_WARNING "bpf: CPUs %d and %d wait for each other's resilient locks\n",
				me - 1, owner - 1);
	else
		printk_deferred(KERN_WARNING "bpf: CPU %d has waited %lu ms for a resilient lock that CPU %d has\n",
				me - 1, RES_LOCK_TIMEOUT_NS / NSEC_PER_MSEC, owner - 1);
}

/* Takes @lock after all (0), or ceases to be its heir (@err). */
static int give_up(struct bpf_res_spin_lock *lock, u16 me, int err)
{
	union res_lock_word old = read_word(lock), new;

	while (old.heir == me) {
		new = old;
		new.heir = 0;
		if (!old.owner)
			new.owner = me;
		if (try_cmpxchg(&lock->val, &old.val, new.val))
			return new.owner == me ? 0 : err;
	}
	return err;
}

static noinline int res_spin_lock_slow(struct bpf_res_spin_lock *lock, u16 me)
{
	struct res_lock_cpu *rc = this_cpu_ptr(&res_lock_cpus);
	/* what the code that this interrupts waits for */
	struct bpf_res_spin_lock *interrupted = rc->awaited;
	union res_lock_word old = read_word(lock), new;
	u64 last, now, gap, waited = 0, crossed_for = 0, free_since = 0;
	bool is_overdue = false;
	u32 spins = 0;
	u16 owner = 0;
	int err;

	if (old.owner == me) {
		err = -EDEADLK;
		owner = me;
		goto failed;
	}
	if (in_nmi())
		return -ETIMEDOUT;

	/* pairs with the acquire in crossed() */
	smp_store_release(&rc->awaited, lock);
	last = ktime_get_mono_fast_ns();
	for (;;) {
		old = read_word(lock);
		if (!old.owner && (!old.heir || old.heir == me || is_overdue)) {
			new = old;
			new.owner = me;
			if (old.heir == me)
				new.heir = 0;
			if (try_cmpxchg_acquire(&lock->val, &old.val, new.val)) {
				WRITE_ONCE(rc->awaited, interrupted);
				return 0;
			}
			continue;
		}
		if (old.owner && old.heir != me && is_nearer(me, old.heir, old.owner)) {
			new = old;
			new.heir = me;
			try_cmpxchg_relaxed(&lock->val, &old.val, new.val);
			continue;
		}

		cpu_relax();
		if (++spins % RES_LOCK_SPINS)
			continue;
		now = ktime_get_mono_fast_ns();
		gap = now - last;
		waited += min(gap, RES_LOCK_GAP_NS);
		last = now;
		if (old.owner) {
			owner = old.owner;
			free_since = 0;
			is_overdue = false;
		} else if (!free_since) {
			free_since = now;
		} else {
			is_overdue = now - free_since > RES_LOCK_OVERDUE_NS;
		}
		/* many looks: a gap as long as all of that tells nothing */
		if (crossed(lock, old.owner, me))
			crossed_for += min(gap, RES_LOCK_DEADLOCK_NS / 8);
		else
			crossed_for = 0;
		if (crossed_for > RES_LOCK_DEADLOCK_NS) {
			err = -EDEADLK;
			break;
		}
		if (waited > RES_LOCK_TIMEOUT_NS) {
			err = -ETIMEDOUT;
			break;
		}
	}
	err = give_up(lock, me, err);
	WRITE_ONCE(rc->awaited, interrupted);
	if (!err)
		return 0;
failed:
	report(lock, owner, me, err);
	return err;
}

/* The lock was free, and is this CPU's now. */
static __always_inline bool res_spin_trylock(struct bpf_res_spin_lock *lock)
{
	u32 free = 0, mine = smp_processor_id() + 1;

	return likely(try_cmpxchg_acquire(&lock->val, &free, mine));
}

/* apart, so that what is usual needs no stack */
static noinline int lock_irqsave_slow(struct bpf_res_spin_lock *lock, unsigned long *flags)
{
	int err = res_spin_lock_slow(lock, smp_processor_id() + 1);

	if (err) {
		local_irq_restore(*flags);
		*flags = 0;
	}
	return err;
}

/*
 * A lock that isn't this CPU's any more, as its memory was freed and used again, stays as
 * it is.
 */
static __always_inline void res_spin_unlock(struct bpf_res_spin_lock *lock)
{
	if (unlikely(this_cpu_read(res_lock_cpus.reported) == lock))
		this_cpu_write(res_lock_cpus.reported, NULL);
	if (likely(read_word(lock).owner == (u16)(smp_processor_id() + 1))) {
		/* who takes it sees what was written here: pairs with try_cmpxchg_acquire() */
		smp_store_release(&word_of(lock)->owner, 0);
	}
}

__bpf_kfunc_start_defs();

/**
 * bpf_res_spin_lock - take a resilient lock, or learn why not
 * @lock: a lock in a map's value
 *
 * Spins while another CPU has the lock, for 250 ms at most. Preemption is disabled while
 * the lock is waited for and held.
 *
 * Context: Any. In an NMI it doesn't wait.
 * Return: 0 with the lock held; -EDEADLK if this CPU has the lock, or has one that the
 *	   lock's owner waits for; -ETIMEDOUT after 250 ms, or in an NMI at once. The verifier
 *	   makes the program look at it.
 */
__bpf_kfunc int bpf_res_spin_lock(struct bpf_res_spin_lock *lock)
{
	int err;

	preempt_disable();
	if (res_spin_trylock(lock))
		return 0;
	err = res_spin_lock_slow(lock, smp_processor_id() + 1);
	if (err)
		preempt_enable();
	return err;
}

/**
 * bpf_res_spin_unlock - release what bpf_res_spin_lock() took last
 * @lock: the lock
 *
 * Context: As when it was taken, on the same CPU.
 */
__bpf_kfunc void bpf_res_spin_unlock(struct bpf_res_spin_lock *lock)
{
	res_spin_unlock(lock);
	preempt_enable();
}

/**
 * bpf_res_spin_lock_irqsave - bpf_res_spin_lock() with interrupts disabled
 * @lock: a lock in a map's value
 * @flags: on the program's stack: where to save the interrupts' state to. A program can
 *	   only use it to release the lock. Zero if the lock isn't taken.
 *
 * Interrupts are disabled while the lock is waited for and held.
 *
 * Context: Any. In an NMI it doesn't wait.
 * Return: as bpf_res_spin_lock().
 */
__bpf_kfunc int bpf_res_spin_lock_irqsave(struct bpf_res_spin_lock *lock, unsigned long *flags)
{
	unsigned long saved;

	local_irq_save(saved);
	*flags = saved;
	if (res_spin_trylock(lock))
		return 0;
	return lock_irqsave_slow(lock, flags);
}

/**
 * bpf_res_spin_unlock_irqrestore - release what bpf_res_spin_lock_irqsave() took last
 * @lock: the lock
 * @flags: what it saved
 *
 * Context: As when it was taken, on the same CPU.
 */
__bpf_kfunc void bpf_res_spin_unlock_irqrestore(struct bpf_res_spin_lock *lock,
						unsigned long *flags)
{
	unsigned long saved = *flags;

	res_spin_unlock(lock);
	local_irq_restore(saved);
}

__bpf_kfunc_end_defs();

BTF_KFUNCS_START(res_spin_lock_kfuncs)
BTF_ID_FLAGS(func, bpf_res_spin_lock)
BTF_ID_FLAGS(func, bpf_res_spin_unlock)
BTF_ID_FLAGS(func, bpf_res_spin_lock_irqsave)
BTF_ID_FLAGS(func, bpf_res_spin_unlock_irqrestore)
BTF_KFUNCS_END(res_spin_lock_kfuncs)

static const struct btf_kfunc_id_set res_spin_lock_kfunc_set = {
	.owner	= THIS_MODULE,
	.set	= &res_spin_lock_kfuncs,
};

static int __init res_spin_lock_init(void)
{
	/* its cmpxchg() isn't atomic against a plain store of half a word */
	if (IS_ENABLED(CONFIG_PARISC))
		return 0;
	return register_btf_kfunc_id_set(BPF_PROG_TYPE_UNSPEC, &res_spin_lock_kfunc_set);
}
late_initcall(res_spin_lock_init);
