// SPDX-License-Identifier: GPL-2.0
/*
 * sched_ext: Kernel objects in a scheduler's BPF arena.
 *
 * A BPF scheduler keeps its state in an arena. What the kernel has to tell it,
 * the kernel writes there too, so that a program reads it like its own. This
 * file finds the arena of a scheduler and hands out memory in it.
 *
 * The memory is pages that the kernel holds in the arena, see
 * bpf_arena_hold_pages(), with a gen_pool over them at their kernel addresses.
 * The scheduler can write to them whenever it likes. So nothing that the kernel
 * relies on is ever read from there: what is allocated is known to bitmaps and
 * lists in ordinary memory, and nothing but zeroes and what callers write goes
 * into the arena.
 *
 * Allocating and freeing may sleep: on the pool's mutex, and on the arena's when
 * the pool grows. Both belong into the paths that enable and disable a
 * scheduler. Whoever has to write under a lock carves the memory before. The
 * order of locks is scx_ops_enable_mutex, pool, arena.
 *
 * An allocation must cost the same in a large pool as in a small one:
 *
 *  - A pool grows by half of what it has, up to %SCX_ARENA_GROW_MAX pages at a
 *    time. Below twice that the number of chunks, which gen_pool walks, is
 *    logarithmic in the size of the pool. Doubling would do that as well, but
 *    leaves up to half of the pages unused. Where there is less, halves of the
 *    step are tried, down to what an allocation needs.
 *  - A first fit looks at all that is taken before it finds what isn't. Each
 *    chunk has a bitmap instead of the pages that have room, and goes on with
 *    the page of its last allocation, or where something was freed later.
 */
#include <linux/bitmap.h>
#include <linux/bpf.h>
#include <linux/genalloc.h>
#include <kunit/static_stub.h>
#include "ext_arena.h"

#define GRANULES_PER_PAGE	(PAGE_SIZE / SCX_ARENA_GRANULE)

/* Where to look in a chunk of a pool, its gen_pool_chunk's owner. */
struct scx_arena_room {
	unsigned long	hint;		/* page to look at first */
	unsigned long	pages[];	/* those that may have free granules */
};

static size_t scx_arena_chunk_size(const struct gen_pool_chunk *chunk)
{
	return chunk->end_addr - chunk->start_addr + 1;
}

/* Tests make this fail. */
static void *scx_arena_hold(struct scx_arena_pool *pool, u32 nr_pages)
{
	KUNIT_STATIC_STUB_REDIRECT(scx_arena_hold, pool, nr_pages);
	return bpf_arena_hold_pages(pool->map, nr_pages, NUMA_NO_NODE);
}

/* Tests make this fail. */
static int scx_arena_gen_add(struct scx_arena_pool *pool, void *kaddr, u32 nr_pages,
			     struct scx_arena_room *room)
{
	KUNIT_STATIC_STUB_REDIRECT(scx_arena_gen_add, pool, kaddr, nr_pages, room);
	return gen_pool_add_owner(pool->gen, (unsigned long)kaddr, -1,
				  (size_t)nr_pages << PAGE_SHIFT, NUMA_NO_NODE, room);
}

/* A caller freed what it hasn't got. Tests count this. */
static void scx_arena_bad_free(const struct scx_arena_pool *pool, unsigned long addr, size_t size)
{
	KUNIT_STATIC_STUB_REDIRECT(scx_arena_bad_free, pool, addr, size);
	WARN_ONCE(IS_ENABLED(CONFIG_SCHED_DEBUG),
		  "sched_ext: %zu bytes at arena offset 0x%lx freed but not allocated\n",
		  size, addr - (unsigned long)pool->kern_vm_start);
}

/* Find @nr free granules that start in one of the pages [@page, @end). */
static unsigned long scx_arena_fit_pages(struct scx_arena_room *room, unsigned long *map,
					 unsigned long size, unsigned int nr,
					 unsigned long align_mask, unsigned long page,
					 unsigned long end)
{
	for_each_set_bit_from(page, room->pages, end) {
		unsigned long first = page * GRANULES_PER_PAGE, next = first + GRANULES_PER_PAGE;
		unsigned long limit = min(size, next - 1 + nr);
		unsigned long bit = bitmap_find_next_zero_area(map, limit, first, nr, align_mask);

		if (bit + nr <= limit) {
			room->hint = page;
			return bit;
		}
		if (find_next_zero_bit(map, next, first) >= next)
			__clear_bit(page, room->pages);
	}
	return size;
}

/*
 * The genpool_algo_t of the pools: the next fit from the chunk's hint on, at a
 * multiple of what @data points to plus one, in granules.
 */
static unsigned long scx_arena_next_fit(unsigned long *map, unsigned long size, unsigned long start,
					unsigned int nr, void *data, struct gen_pool *gen,
					unsigned long start_addr)
{
	/* gen_pool passes neither the chunk nor its owner, but the chunk's bitmap as it is */
	struct gen_pool_chunk *chunk = container_of((void *)map, struct gen_pool_chunk, bits);
	struct scx_arena_room *room = chunk->owner;
	unsigned long align_mask = *(unsigned long *)data, bit;

	bit = scx_arena_fit_pages(room, map, size, nr, align_mask, room->hint,
				  size / GRANULES_PER_PAGE);
	if (bit >= size)
		bit = scx_arena_fit_pages(room, map, size, nr, align_mask, 0, room->hint);
	return bit;
}

static int scx_arena_add_pages(struct scx_arena_pool *pool, u32 nr_pages)
{
	struct scx_arena_room *room;
	void *kaddr;
	int ret;

	room = kvzalloc(struct_size(room, pages, BITS_TO_LONGS(nr_pages)), GFP_KERNEL);
	if (!room)
		return -ENOMEM;
	bitmap_fill(room->pages, nr_pages);

	kaddr = scx_arena_hold(pool, nr_pages);
	if (!kaddr) {
		kvfree(room);
		return -ENOSPC;
	}

	ret = scx_arena_gen_add(pool, kaddr, nr_pages, room);
	if (ret) {
		bpf_arena_release_pages(pool->map, kaddr, nr_pages);
		kvfree(room);
	}
	return ret;
}

/* Add at least @size bytes in one piece. */
static int scx_arena_grow(struct scx_arena_pool *pool, size_t size)
{
	u32 need = DIV_ROUND_UP(size, PAGE_SIZE);
	u32 want = clamp_t(size_t, gen_pool_size(pool->gen) / 2 >> PAGE_SHIFT,
			   SCX_ARENA_GROW_MIN, SCX_ARENA_GROW_MAX);
	int ret;

	want = max(want, need);
	while (1) {
		ret = scx_arena_add_pages(pool, want);
		trace_sched_ext_arena_grow(pool->map->id, want,
					   gen_pool_size(pool->gen) >> PAGE_SHIFT, ret);
		if (!ret || want == need)
			return ret;
		want = max(want / 2, need);
	}
}

/**
 * scx_arena_alloc_aligned - Allocate memory in a scheduler's arena
 * @sch: scheduler with a pool
 * @size: bytes
 * @align: in bytes, a power of two from %SCX_ARENA_GRANULE to %PAGE_SIZE
 *
 * Takes more pages from the arena when the pool has no place. They stay in the
 * pool until it is destroyed.
 *
 * Context: Process context. May sleep.
 * Return: kernel address of @size zeroed bytes, to be passed to scx_arena_free()
 * with the same size, or NULL: @size is 0 or more than any arena of that size
 * can hold, the arena is full, or there is no memory. Then the pool is as before.
 */
void *scx_arena_alloc_aligned(struct scx_sched *sch, size_t size, size_t align)
{
	struct scx_arena_pool *pool = &sch->arena;
	unsigned long align_mask = align / SCX_ARENA_GRANULE - 1, addr;

	might_sleep();
	guard(mutex)(&pool->lock);

	if (!pool->gen || !size || size > (u64)pool->map->max_entries << PAGE_SHIFT)
		return NULL;

	while (!(addr = gen_pool_alloc_algo(pool->gen, size, scx_arena_next_fit, &align_mask)))
		if (scx_arena_grow(pool, size))
			return NULL;

	return memset((void *)addr, 0, round_up(size, SCX_ARENA_GRANULE));
}

/**
 * scx_arena_free - Free memory in a scheduler's arena
 * @sch: scheduler whose pool it came from
 * @kaddr: its address, or NULL
 * @size: bytes, as when it was allocated
 *
 * What wasn't allocated, or not all of it, isn't freed. Debug kernels warn then.
 *
 * Context: Process context. May sleep.
 */
void scx_arena_free(struct scx_sched *sch, void *kaddr, size_t size)
{
	struct scx_arena_pool *pool = &sch->arena;
	unsigned long addr = (unsigned long)kaddr, first, end;
	size_t rounded = round_up(size, SCX_ARENA_GRANULE);
	struct gen_pool_chunk *chunk;
	struct scx_arena_room *room;

	if (!kaddr)
		return;

	might_sleep();
	guard(mutex)(&pool->lock);

	if (!pool->gen || !size || rounded < size || !IS_ALIGNED(addr, SCX_ARENA_GRANULE))
		goto bad;
	list_for_each_entry(chunk, &pool->gen->chunks, next_chunk)
		if (addr >= chunk->start_addr && addr <= chunk->end_addr)
			goto found;
	goto bad;
found:
	if (rounded - 1 > chunk->end_addr - addr)
		goto bad;
	first = (addr - chunk->start_addr) / SCX_ARENA_GRANULE;
	end = first + rounded / SCX_ARENA_GRANULE;
	/* gen_pool_free() would stop the machine */
	if (find_next_zero_bit(chunk->bits, end, first) < end)
		goto bad;

	gen_pool_free(pool->gen, addr, rounded);
	room = chunk->owner;
	room->hint = first / GRANULES_PER_PAGE;
	bitmap_set(room->pages, room->hint, DIV_ROUND_UP(end, GRANULES_PER_PAGE) - room->hint);
	return;
bad:
	scx_arena_bad_free(pool, addr, size);
}

/**
 * scx_arena_pool_init - Make an empty pool in a scheduler's arena
 * @sch: scheduler, zeroed, without a pool
 * @map: its arena, from scx_arena_discover()
 *
 * Takes a reference to @map, and no page until the first allocation.
 *
 * Context: Process context. May sleep.
 * Return: 0 or -%ENOMEM. Then there is nothing to destroy, but that may be done.
 */
int scx_arena_pool_init(struct scx_sched *sch, struct bpf_map *map)
{
	struct scx_arena_pool *pool = &sch->arena;

	mutex_init(&pool->lock);
	pool->gen = gen_pool_create(ilog2(SCX_ARENA_GRANULE), NUMA_NO_NODE);
	if (!pool->gen)
		return -ENOMEM;

	bpf_map_inc(map);
	pool->map = map;
	pool->kern_vm_start = bpf_arena_map_kern_vm_start(map);
	pool->user_vm_base = bpf_arena_map_user_vm_start(map) & ~(u64)U32_MAX;
	return 0;
}

/**
 * scx_arena_pool_destroy - Give back what a scheduler's pool holds
 * @sch: scheduler. Without a pool there is nothing to do.
 *
 * What is still allocated is gone too. Nobody may use it any more: those who do
 * under RCU must have been waited for. First the pool is closed, then the pages
 * that it was over go, then the reference to the map.
 *
 * Context: Process context. May sleep.
 */
void scx_arena_pool_destroy(struct scx_sched *sch)
{
	struct scx_arena_pool *pool = &sch->arena;
	struct gen_pool *gen = pool->gen;
	struct gen_pool_chunk *chunk;

	if (!gen)
		return;

	might_sleep();
	mutex_lock(&pool->lock);
	pool->gen = NULL;
	mutex_unlock(&pool->lock);

	list_for_each_entry(chunk, &gen->chunks, next_chunk) {
		size_t size = scx_arena_chunk_size(chunk);

		bpf_arena_release_pages(pool->map, (void *)chunk->start_addr, size >> PAGE_SHIFT);
		kvfree(chunk->owner);
		/* gen_pool_destroy() expects that everything has been freed */
		bitmap_zero(chunk->bits, size / SCX_ARENA_GRANULE);
	}
	gen_pool_destroy(gen);

	bpf_map_put(pool->map);
	pool->map = NULL;
}

static int scx_arena_of_prog(struct bpf_prog *prog, void *data)
{
	struct bpf_map **found = data, *map = bpf_prog_arena(prog);

	if (map && *found && *found != map)
		return -EINVAL;
	if (map)
		*found = map;
	return 0;
}

/**
 * scx_arena_discover - Find the arena of a scheduler
 * @kdata: its struct sched_ext_ops, as passed to ->reg()
 *
 * Context: Any in which @kdata is valid.
 * Return: the arena that its programs use, with no reference taken; NULL if they
 * use none, or ERR_PTR(-%EINVAL) if they use several.
 */
struct bpf_map *scx_arena_discover(const void *kdata)
{
	struct bpf_map *map = NULL;
	int ret = bpf_struct_ops_for_each_prog(kdata, scx_arena_of_prog, &map);

	return ret ? ERR_PTR(ret) : map;
}

static void scx_arena_count_chunk(struct gen_pool *gen, struct gen_pool_chunk *chunk, void *data)
{
	(*(unsigned long *)data)++;
}

/**
 * scx_arena_stat - What a pool holds, as text
 * @sch: scheduler with a pool
 * @buf: where to print to
 * @len: its size, in bytes
 *
 * One line of KEY=VALUE: the id of the map, pages that the kernel holds in it,
 * bytes handed out of these in granules, chunks that the pages came in, and pages
 * that the scheduler tried to free although they are held. A pool that grows
 * meanwhile may be shown half-way.
 *
 * Context: Any. The caller keeps @sch from being destroyed.
 * Return: bytes printed.
 */
int scx_arena_stat(const struct scx_sched *sch, char *buf, size_t len)
{
	const struct scx_arena_pool *pool = &sch->arena;
	size_t avail = gen_pool_avail(pool->gen), size = gen_pool_size(pool->gen);
	unsigned long chunks = 0;

	gen_pool_for_each_chunk(pool->gen, scx_arena_count_chunk, &chunks);
	return scnprintf(buf, len, "map=%u pages=%zu bytes=%zu chunks=%lu refused=%lu",
			 pool->map->id, size >> PAGE_SHIFT, size - avail, chunks,
			 bpf_arena_nr_refused(pool->map));
}
