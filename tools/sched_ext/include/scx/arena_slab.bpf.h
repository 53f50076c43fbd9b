/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A slab of equal entries in a BPF arena
 *
 * For objects that come and go with tasks, cgroups and the like. The slab is
 * carved once, where sleeping is allowed (ops.init()). After that, taking an
 * entry and giving it back are a few instructions under a lock and never sleep.
 *
 * The free list and its counters lie in the arena, where user space can read
 * them, and can also break them: a scheduler whose user space scribbles on the
 * list hands out garbage to itself, no more.
 *
 * The lock can't live in the arena and is the caller's, one per slab:
 *
 *	private(NAME) struct bpf_res_spin_lock slab_lock;
 *	struct scx_slab __arena_global slab;
 */
#ifndef __SCX_ARENA_SLAB_BPF_H
#define __SCX_ARENA_SLAB_BPF_H

#include "arena_slab.h"
#include "res_lock.bpf.h"

/*
 * All that knows here what kind of lock it is. Some operations take it with interrupts
 * enabled, others don't, see res_lock.bpf.h: so nobody is interrupted who has it. Returns 0,
 * -EDEADLK or -ETIMEDOUT.
 */
static __always_inline int scx_slab_lock(struct bpf_res_spin_lock *lock, unsigned long *flags)
{
	return bpf_res_spin_lock_irqsave(lock, flags);
}

static __always_inline void scx_slab_unlock(struct bpf_res_spin_lock *lock, unsigned long *flags)
{
	bpf_res_spin_unlock_irqrestore(lock, flags);
}

/**
 * scx_slab_carve - Make a slab of arena pages
 * @slab: slab to set up, not in use yet
 * @mem: start of @nr * @size bytes of arena memory, 8-byte aligned
 * @size: bytes an entry, a multiple of 8
 * @nr: number of entries, BPF_MAX_LOOPS (8 Mi) at most
 *
 * Each entry starts with a struct scx_slab_node. Takes no lock: nobody else may
 * know @slab yet. Entries are handed out from the lowest address up.
 */
static __always_inline void scx_slab_carve(struct scx_slab __arena *slab, void __arena *mem,
					   __u32 size, __u32 nr)
{
	struct scx_slab_node __arena *next = NULL, *node;
	__u32 i;

	bpf_for(i, 0, nr) {
		node = mem + (__u64)(nr - 1 - i) * size;
		ARENA_STORE(node->next, next);
		ARENA_STORE(node->in_use, 0);
		next = node;
	}
	ARENA_STORE(slab->free, next);
	ARENA_STORE(slab->nr_entries, nr);
	ARENA_STORE(slab->nr_used, 0);
}

/**
 * __scx_slab_alloc - Take an entry, with the lock held
 * @slab: slab to take it from, with its lock held
 *
 * For those who have more to do under the lock.
 *
 * Return: the entry, or NULL when all are in use. Its contents behind the node are what
 * its last user left.
 */
static __always_inline struct scx_slab_node __arena *
__scx_slab_alloc(struct scx_slab __arena *slab)
{
	struct scx_slab_node __arena *node = slab->free;

	if (node) {
		slab->free = node->next;
		ARENA_STORE(node->next, NULL);
		ARENA_STORE(node->in_use, 1);
		slab->nr_used++;
	}
	return node;
}

/**
 * scx_slab_alloc - Take an entry
 * @slab: slab to take it from
 * @lock: @slab's lock, not held
 * @nodep: where to put the entry. Its contents behind the node are what its last
 *	   user left.
 *
 * Doesn't sleep.
 *
 * Return: 0, -ENOMEM when all entries are in use, or -EDEADLK or -ETIMEDOUT when the lock
 * can't be had, and nothing has changed.
 */
static __always_inline int scx_slab_alloc(struct scx_slab __arena *slab,
					  struct bpf_res_spin_lock *lock,
					  struct scx_slab_node __arena **nodep)
{
	unsigned long flags;
	int ret;

	ret = scx_slab_lock(lock, &flags);
	if (ret)
		return ret;
	*nodep = __scx_slab_alloc(slab);
	scx_slab_unlock(lock, &flags);

	return *nodep ? 0 : -ENOMEM;
}

/**
 * __scx_slab_free - Give an entry back, with the lock held
 * @slab: slab that it was taken from, with its lock held
 * @node: the entry
 *
 * Return: 0, or -EINVAL when @node is not in use as it has been given back before.
 */
static __always_inline int __scx_slab_free(struct scx_slab __arena *slab,
					   struct scx_slab_node __arena *node)
{
	if (!node->in_use)
		return -EINVAL;
	ARENA_STORE(node->in_use, 0);
	ARENA_STORE(node->next, slab->free);
	ARENA_STORE(slab->free, node);
	slab->nr_used--;
	return 0;
}

/**
 * scx_slab_free - Give an entry back
 * @slab: slab that it was taken from
 * @lock: @slab's lock, not held
 * @node: the entry
 *
 * Doesn't sleep.
 *
 * Return: 0, -EINVAL when @node is not in use as it has been given back before,
 * or -EDEADLK or -ETIMEDOUT when the lock can't be had. On error nothing has changed.
 */
static __always_inline int scx_slab_free(struct scx_slab __arena *slab,
					 struct bpf_res_spin_lock *lock,
					 struct scx_slab_node __arena *node)
{
	unsigned long flags;
	int ret;

	ret = scx_slab_lock(lock, &flags);
	if (ret)
		return ret;
	ret = __scx_slab_free(slab, node);
	scx_slab_unlock(lock, &flags);

	return ret;
}

#endif	/* __SCX_ARENA_SLAB_BPF_H */
