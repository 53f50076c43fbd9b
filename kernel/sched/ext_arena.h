/* SPDX-License-Identifier: GPL-2.0 */
/*
 * sched_ext: Kernel objects in a scheduler's BPF arena. See ext_arena.c.
 */
#ifndef _KERNEL_SCHED_EXT_ARENA_H
#define _KERNEL_SCHED_EXT_ARENA_H

#include <linux/cache.h>
#include <linux/math.h>
#include <linux/types.h>
#include "ext_internal.h"

/* Objects start and end on multiples of this, in bytes. */
#define SCX_ARENA_GRANULE	8

/* A pool grows by half of what it has, within these bounds, in pages. */
#define SCX_ARENA_GROW_MIN	4
#define SCX_ARENA_GROW_MAX	(SZ_16M >> PAGE_SHIFT)

int scx_arena_pool_init(struct scx_sched *sch, struct bpf_map *map);
void scx_arena_pool_destroy(struct scx_sched *sch);
void *scx_arena_alloc_aligned(struct scx_sched *sch, size_t size, size_t align);
void scx_arena_free(struct scx_sched *sch, void *kaddr, size_t size);
struct bpf_map *scx_arena_discover(const void *kdata);
int scx_arena_stat(const struct scx_sched *sch, char *buf, size_t len);

/**
 * scx_arena_alloc - Allocate memory in a scheduler's arena
 * @sch: scheduler with a pool
 * @size: bytes
 *
 * Context: Process context. May sleep.
 * Return: kernel address of @size zeroed bytes, aligned to %SCX_ARENA_GRANULE,
 * or NULL.
 */
static inline void *scx_arena_alloc(struct scx_sched *sch, size_t size)
{
	return scx_arena_alloc_aligned(sch, size, SCX_ARENA_GRANULE);
}

/**
 * scx_arena_alloc_cacheline - Allocate memory that shares no cache line
 * @sch: scheduler with a pool
 * @size: bytes
 *
 * For objects that one CPU writes. To be freed by scx_arena_free_cacheline().
 *
 * Context: Process context. May sleep.
 * Return: kernel address of @size zeroed bytes at the start of a cache line, of
 * which no other object gets a part, or NULL.
 */
static inline void *scx_arena_alloc_cacheline(struct scx_sched *sch, size_t size)
{
	/* at most SIZE_MAX, which fits no arena either */
	size_t rounded = round_up(size, SMP_CACHE_BYTES);

	return scx_arena_alloc_aligned(sch, rounded < size ? SIZE_MAX : rounded, SMP_CACHE_BYTES);
}

/**
 * scx_arena_free_cacheline - Free memory from scx_arena_alloc_cacheline()
 * @sch: scheduler whose pool it came from
 * @kaddr: its address, or NULL
 * @size: bytes, as when it was allocated
 *
 * Context: Process context. May sleep.
 */
static inline void scx_arena_free_cacheline(struct scx_sched *sch, void *kaddr, size_t size)
{
	scx_arena_free(sch, kaddr, round_up(size, SMP_CACHE_BYTES));
}

/**
 * scx_arena_to_uaddr - Where BPF and user space see an address in the pool
 * @sch: scheduler with a pool
 * @kaddr: kernel address in its arena
 *
 * Context: Any.
 * Return: the arena address.
 */
static inline u64 scx_arena_to_uaddr(const struct scx_sched *sch, const void *kaddr)
{
	u64 offset = (u64)(unsigned long)kaddr - sch->arena.kern_vm_start;

	return sch->arena.user_vm_base | (u32)offset;
}

/**
 * scx_arena_to_kaddr - Where the kernel sees an arena address
 * @sch: scheduler with a pool
 * @uaddr: arena address. Like in BPF programs only the lower 32 bits matter.
 *
 * The address lies in the arena's address range whatever @uaddr is, but there
 * may be no page. So don't touch what a scheduler points to.
 *
 * Context: Any.
 * Return: the kernel address.
 */
static inline void *scx_arena_to_kaddr(const struct scx_sched *sch, u64 uaddr)
{
	return (void *)(unsigned long)(sch->arena.kern_vm_start + (u32)uaddr);
}

#endif /* _KERNEL_SCHED_EXT_ARENA_H */
