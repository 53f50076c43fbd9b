/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A table in a BPF arena that finds what belongs to a task
 *
 * Does what task storage does for a scheduler that keeps its contexts in the arena
 * anyway: from a task to its entry, in a few instructions and without a call into
 * the kernel. Nor does a fork allocate, or an exit free, what task storage consists of.
 *
 * The table is an array of slots that point to entries. A task's key says where to look
 * first; the slots from there on are tried until one's entry has the key, or there is none.
 *
 * Looking up takes no lock. Adding and removing do, the caller's, the same for both. The
 * slab's does nicely, as an entry is taken or given back at the same time. What is found
 * is right. What isn't found may have been moved to a slot that had been looked at already:
 * who needs to know looks again under the lock.
 *
 * A task has to be removed before its task_struct can be another task's, which is to
 * say in ops.disable() or ops.exit_task().
 */
#ifndef __SCX_ARENA_TABLE_BPF_H
#define __SCX_ARENA_TABLE_BPF_H

#include "arena_table.h"

/* See scx_table_key(). */
const volatile __u64 scx_table_anchor __weak;

/**
 * scx_table_key - A number that no other task has
 * @p: task
 *
 * The distance of its task_struct from something that stays where it is: all that a
 * program may do with a task's address is to subtract another address from it.
 *
 * Return: the number.
 */
static __always_inline __u64 scx_table_key(const struct task_struct *p)
{
	__u64 key = (__u64)p;

	asm volatile("%0 -= %1" : "+r"(key) : "r"(&scx_table_anchor));
	return key;
}

/*
 * Where to look for @key first: the upper half of its product with 2^64 divided by the
 * golden ratio, taken for a fraction of 2^32, of all slots.
 */
static __always_inline __u32 scx_table_hash(__u32 nr_slots, __u64 key)
{
	return (key * 0x9e3779b97f4a7c15ULL >> 32) * nr_slots >> 32;
}

/*
 * The slot behind slot @i. A division rather than a branch, after which the verifier would
 * know that it is the first, and follow the numbers from there on one by one.
 */
static __always_inline __u32 scx_table_next(__u32 nr_slots, __u32 i)
{
	return (i + 1) % nr_slots;
}

/**
 * scx_table_init - Make a table of arena pages
 * @table: table to set up, not in use yet
 * @mem: @nr_slots * sizeof(void *) bytes of arena memory, all zero
 * @nr_slots: SCX_TABLE_NR_SLOTS() of how many tasks there can be
 */
static __always_inline void scx_table_init(struct scx_table __arena *table, void __arena *mem,
					   __u32 nr_slots)
{
	table->slots = mem;
	table->nr_slots = nr_slots;
}

/**
 * scx_table_find - Find a task's entry
 * @table: table
 * @key: of the task
 *
 * Return: the entry, or NULL. That means that the task has none, or without the lock
 * that guards @table, that it may have none.
 */
static __always_inline struct scx_table_node __arena *
scx_table_find(struct scx_table __arena *table, __u64 key)
{
	struct scx_table_node __arena *node;
	__u32 nr_slots = table->nr_slots, i = scx_table_hash(nr_slots, key), left;

	node = table->slots[i];
	if (!node || node->key == key)
		return node;

	for (left = nr_slots - 1; left && can_loop; left--) {
		i = scx_table_next(nr_slots, i);
		node = table->slots[i];
		if (!node || node->key == key)
			return node;
	}
	return NULL;
}

/**
 * scx_table_add - Let a task's entry be found
 * @table: table, with the lock held that guards it
 * @key: of the task, which has no entry in @table
 * @node: the entry, which isn't in @table
 *
 * Return: 0, or -ENOSPC when the table is full.
 */
static __always_inline int scx_table_add(struct scx_table __arena *table, __u64 key,
					 struct scx_table_node __arena *node)
{
	__u32 nr_slots = table->nr_slots, i = scx_table_hash(nr_slots, key), left;

	for (left = nr_slots; left && can_loop; left--) {
		if (!table->slots[i]) {
			ARENA_STORE(node->key, key);
			ARENA_STORE(table->slots[i], node);
			return 0;
		}
		i = scx_table_next(nr_slots, i);
	}
	return -ENOSPC;
}

/* How far slot @to is behind slot @from. */
static __always_inline __u32 scx_table_distance(__u32 nr_slots, __u32 from, __u32 to)
{
	return (to + nr_slots - from) % nr_slots;
}

/**
 * scx_table_del - Remove a task
 * @table: table, with the lock held that guards it
 * @key: of the task
 *
 * Return: the entry that it had, or NULL when it had none.
 */
static __always_inline struct scx_table_node __arena *
scx_table_del(struct scx_table __arena *table, __u64 key)
{
	__u32 nr_slots = table->nr_slots, hole = scx_table_hash(nr_slots, key), i, left;
	struct scx_table_node __arena *found = NULL, *node;

	for (left = nr_slots; left && can_loop; left--) {
		node = table->slots[hole];
		if (!node)
			return NULL;
		if (node->key == key) {
			found = node;
			break;
		}
		hole = scx_table_next(nr_slots, hole);
	}
	if (!found)
		return NULL;

	/*
	 * Who looks for those behind it ends at the hole. Move the first of them there that
	 * doesn't come before its place by that, which leaves another hole, and so on. A
	 * moved one is in two slots before it is in one.
	 */
	i = hole;
	for (left = nr_slots - 1; left && can_loop; left--) {
		i = scx_table_next(nr_slots, i);
		node = table->slots[i];
		if (!node)
			break;
		if (scx_table_distance(nr_slots, scx_table_hash(nr_slots, node->key), i) >=
		    scx_table_distance(nr_slots, hole, i)) {
			ARENA_STORE(table->slots[hole], node);
			hole = i;
		}
	}
	ARENA_STORE(table->slots[hole], NULL);
	return found;
}

#endif	/* __SCX_ARENA_TABLE_BPF_H */
