// SPDX-License-Identifier: GPL-2.0
/*
 * KUnit tests for the pool of kernel objects in a BPF arena, ext_arena.c, and
 * for the pages that it stands on, see bpf_arena_hold_pages().
 *
 * Every case has an arena of its own, made by the bpf() system call as a BPF
 * loader would.
 */
#include <kunit/test.h>
#include <linux/delay.h>
#include <linux/fdtable.h>
#include <linux/file.h>
#include <linux/kthread.h>
#include <linux/mman.h>
#include <linux/prandom.h>
#include <linux/sort.h>
#include <linux/uaccess.h>
#include "ext_arena.h"

/* of arenas, unless a case says otherwise */
#define TEST_ARENA_PAGES	4096
/* where they are, for BPF and user space */
#define TEST_ARENA_ADDR		0x7000e0000000ULL

struct scx_arena_test {
	struct scx_sched	sch;
	struct bpf_map		*map;
	struct file		*file;
	u64			mem_empty;
	int			nr_bad_frees;
	int			hold_budget;	/* pages until holding fails, for a stub */
	atomic_t		holding;	/* callers of a stub that should be alone */
	bool			was_not_alone;
};

/* kernel/bpf/syscall.c; a function for programs that load programs */
int kern_sys_bpf(int cmd, union bpf_attr *attr, unsigned int size);
/* kernel/bpf/arena.c; kfuncs */
void *bpf_arena_alloc_pages(void *p__map, void *addr__ign, u32 page_cnt, int node_id, u64 flags);
void bpf_arena_free_pages(void *p__map, void *ptr__ign, u32 page_cnt);

static u64 scx_arena_test_mem(struct scx_arena_test *at)
{
	return at->map->ops->map_mem_usage(at->map);
}

/* What the pool has: pages held, bytes handed out, chunks. */
static size_t scx_arena_test_pages(struct scx_arena_test *at)
{
	return at->sch.arena.gen ? gen_pool_size(at->sch.arena.gen) >> PAGE_SHIFT : 0;
}

static size_t scx_arena_test_bytes(struct scx_arena_test *at)
{
	struct gen_pool *gen = at->sch.arena.gen;

	return gen ? gen_pool_size(gen) - gen_pool_avail(gen) : 0;
}

static size_t scx_arena_test_chunks(struct scx_arena_test *at)
{
	return at->sch.arena.gen ? list_count_nodes(&at->sch.arena.gen->chunks) : 0;
}

/* Which granule of the arena this is. */
static unsigned long scx_arena_test_granule(struct scx_arena_test *at, void *kaddr)
{
	return ((u32)scx_arena_to_uaddr(&at->sch, kaddr) - (u32)TEST_ARENA_ADDR) /
		SCX_ARENA_GRANULE;
}

static void scx_arena_test_open(struct kunit *test, struct scx_arena_test *at, u32 pages, u64 addr)
{
	union bpf_attr attr = {
		.map_type	= BPF_MAP_TYPE_ARENA,
		.map_flags	= BPF_F_MMAPABLE,
		.max_entries	= pages,
		.map_extra	= addr,
		.map_name	= "scx_arena_test",
	};
	int fd = kern_sys_bpf(BPF_MAP_CREATE, &attr, sizeof(attr));

	KUNIT_ASSERT_GE(test, fd, 0);
	at->file = fget(fd);
	at->map = bpf_map_get(fd);
	close_fd(fd);
	KUNIT_ASSERT_NOT_NULL(test, at->file);
	KUNIT_ASSERT_FALSE(test, IS_ERR(at->map));
	at->mem_empty = scx_arena_test_mem(at);
	KUNIT_ASSERT_EQ(test, scx_arena_pool_init(&at->sch, at->map), 0);
}

static void scx_arena_test_close(struct scx_arena_test *at)
{
	scx_arena_pool_destroy(&at->sch);
	if (at->file)
		fput(at->file);
	if (!IS_ERR_OR_NULL(at->map))
		bpf_map_put(at->map);
	memset(at, 0, sizeof(*at));
}

/* Another arena in place of the one that the case started with. */
static void scx_arena_test_reopen(struct kunit *test, u32 pages, u64 addr)
{
	scx_arena_test_close(test->priv);
	scx_arena_test_open(test, test->priv, pages, addr);
}

static int scx_arena_test_init(struct kunit *test)
{
	test->priv = kunit_kzalloc(test, sizeof(struct scx_arena_test), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, test->priv);
	scx_arena_test_open(test, test->priv, TEST_ARENA_PAGES, TEST_ARENA_ADDR);
	return 0;
}

static void scx_arena_test_exit(struct kunit *test)
{
	scx_arena_test_close(test->priv);
}

/* replacements for parts of ext_arena.c */
static void *stub_hold(struct scx_arena_pool *pool, u32 nr_pages)
{
	struct scx_arena_test *at = container_of(pool, struct scx_arena_test, sch.arena);

	if (nr_pages > at->hold_budget)
		return NULL;
	at->hold_budget -= nr_pages;
	return bpf_arena_hold_pages(pool->map, nr_pages, NUMA_NO_NODE);
}

static void *stub_hold_slowly(struct scx_arena_pool *pool, u32 nr_pages)
{
	struct scx_arena_test *at = container_of(pool, struct scx_arena_test, sch.arena);
	void *kaddr;

	if (atomic_inc_return(&at->holding) > 1)
		at->was_not_alone = true;
	fsleep(1000);
	kaddr = bpf_arena_hold_pages(pool->map, nr_pages, NUMA_NO_NODE);
	atomic_dec(&at->holding);
	return kaddr;
}

static int stub_gen_add(struct scx_arena_pool *pool, void *kaddr, u32 nr_pages,
			struct scx_arena_room *room)
{
	return -ENOMEM;
}

static void stub_bad_free(const struct scx_arena_pool *pool, unsigned long addr, size_t size)
{
	struct scx_arena_test *at = container_of(pool, struct scx_arena_test, sch.arena);

	/* one that was found without the lock doesn't count */
	if (mutex_is_locked(&at->sch.arena.lock))
		at->nr_bad_frees++;
}

/*
 * 100,000 random allocations and frees against a model: one bit for each granule
 * of the arena's 4 GiB window that lies in this arena, and what each object has
 * been filled with.
 */
static void ranges_do_not_overlap(struct kunit *test)
{
	enum { OBJECTS = 1500, STEPS = 100000 };
	struct object { u8 *addr; u32 size; u8 fill; } *objects, *o;
	struct scx_arena_test *at = test->priv;
	unsigned long nr = (TEST_ARENA_PAGES * PAGE_SIZE) / SCX_ARENA_GRANULE, bytes = 0;
	unsigned long *model, first, last;
	struct rnd_state rnd;
	int step, bad = 0;

	model = kvcalloc(BITS_TO_LONGS(nr), sizeof(long), GFP_KERNEL);
	objects = kvcalloc(OBJECTS, sizeof(*objects), GFP_KERNEL);
	prandom_seed_state(&rnd, 612);
	for (step = 0; model && objects && step < STEPS && !bad; step++) {
		u32 random = prandom_u32_state(&rnd);

		o = &objects[random % OBJECTS];
		if (o->addr) {
			first = scx_arena_test_granule(at, o->addr);
			last = first + (o->size - 1) / SCX_ARENA_GRANULE;
			if (memchr_inv(o->addr, o->fill, o->size))
				bad = 1;
			bitmap_clear(model, first, last - first + 1);
			bytes -= round_up(o->size, SCX_ARENA_GRANULE);
			if (random >> 31)
				scx_arena_free(&at->sch, o->addr, o->size);
			else
				scx_arena_free(&at->sch, o->addr,
					       round_up(o->size, SCX_ARENA_GRANULE));
			o->addr = NULL;
		} else {
			/* most are small, one in 64 is up to 16 KiB */
			o->size = 1 + (random >> 12) % (random & 0x3f000000 ? 512 : 16384);
			o->fill = step;
			o->addr = scx_arena_alloc(&at->sch, o->size);
			if (!o->addr) {
				bad = 2;
				break;
			}
			first = scx_arena_test_granule(at, o->addr);
			last = first + (o->size - 1) / SCX_ARENA_GRANULE;
			if (last >= nr)
				bad = 3;
			else if (find_next_bit(model, last + 1, first) <= last)
				bad = 4;
			else
				bitmap_set(model, first, last - first + 1);
			bytes += round_up(o->size, SCX_ARENA_GRANULE);
			memset(o->addr, o->fill, o->size);
		}
		if (bytes != scx_arena_test_bytes(at))
			bad = 5;
	}
	KUNIT_EXPECT_NOT_NULL(test, model);
	KUNIT_EXPECT_NOT_NULL(test, objects);
	KUNIT_EXPECT_EQ(test, step, STEPS);
	KUNIT_EXPECT_EQ_MSG(test, bad, 0,
			    "1: contents changed, 2: no memory, 3: outside, 4: overlap, 5: bytes");
	kvfree(model);
	kvfree(objects);
}

static void objects_are_aligned(struct kunit *test)
{
	struct scx_arena_test *at = test->priv;
	size_t align;
	int i;

	for (align = SCX_ARENA_GRANULE; align <= PAGE_SIZE; align *= 2)
		for (i = 1; i < 40; i++) {
			void *p = scx_arena_alloc_aligned(&at->sch, i, align);

			KUNIT_ASSERT_NOT_NULL(test, p);
			KUNIT_ASSERT_EQ(test, (unsigned long)p % align, 0);
			KUNIT_ASSERT_EQ(test, (unsigned long)scx_arena_alloc(&at->sch, i) % 8, 0);
		}
}

static void cacheline_objects_share_no_line(struct kunit *test)
{
	struct scx_arena_test *at = test->priv;
	unsigned long before, after, line;
	size_t size;
	void *p;

	for (size = 1; size < 4 * SMP_CACHE_BYTES; size += 7) {
		before = (unsigned long)scx_arena_alloc(&at->sch, 8);
		p = scx_arena_alloc_cacheline(&at->sch, size);
		after = (unsigned long)scx_arena_alloc(&at->sch, 8);
		KUNIT_ASSERT_NOT_NULL(test, p);
		KUNIT_ASSERT_EQ(test, (unsigned long)p % SMP_CACHE_BYTES, 0);
		for (line = (unsigned long)p / SMP_CACHE_BYTES;
		     line <= ((unsigned long)p + size - 1) / SMP_CACHE_BYTES; line++) {
			KUNIT_ASSERT_NE(test, before / SMP_CACHE_BYTES, line);
			KUNIT_ASSERT_NE(test, after / SMP_CACHE_BYTES, line);
		}
	}
	/* all of it comes back */
	before = scx_arena_test_bytes(at);
	p = scx_arena_alloc_cacheline(&at->sch, 65);
	scx_arena_free_cacheline(&at->sch, p, 65);
	KUNIT_EXPECT_EQ(test, scx_arena_test_bytes(at), before);
}

static void memory_is_zeroed_when_reused(struct kunit *test)
{
	struct scx_arena_test *at = test->priv;
	int i, reused = 0;
	void *p, *last = NULL;

	for (i = 0; i < 100; i++) {
		p = scx_arena_alloc(&at->sch, 200);
		KUNIT_ASSERT_NOT_NULL(test, p);
		KUNIT_ASSERT_NULL(test, memchr_inv(p, 0, 200));
		reused += p == last;
		last = p;
		memset(p, 0xa5, 200);
		scx_arena_free(&at->sch, p, 200);
	}
	KUNIT_EXPECT_GT(test, reused, 90);
}

/* By half of the pool, within bounds; so the number of chunks is logarithmic. */
static void pool_grows_by_half(struct kunit *test)
{
	struct scx_arena_test *at = test->priv;
	size_t pages, grown;

	scx_arena_test_reopen(test, 8192, TEST_ARENA_ADDR);
	KUNIT_EXPECT_EQ(test, scx_arena_test_pages(at), 0);
	while (scx_arena_test_pages(at) < 6000) {
		pages = scx_arena_test_pages(at);
		KUNIT_ASSERT_NOT_NULL(test, scx_arena_alloc(&at->sch, PAGE_SIZE));
		grown = scx_arena_test_pages(at) - pages;
		if (!grown)
			continue;
		/* not before everything is handed out */
		KUNIT_EXPECT_EQ(test, scx_arena_test_bytes(at), (pages + 1) * PAGE_SIZE);
		KUNIT_EXPECT_EQ(test, grown, max(4UL, pages / 2));
	}
	/* log(6000 / 4) / log(1.5) is 18.04, and halves are rounded down */
	KUNIT_EXPECT_LE(test, scx_arena_test_chunks(at), 20);

	/* never less than what is asked for */
	scx_arena_test_reopen(test, 8192, TEST_ARENA_ADDR);
	KUNIT_EXPECT_NOT_NULL(test, scx_arena_alloc(&at->sch, 100 * PAGE_SIZE + 1));
	KUNIT_EXPECT_EQ(test, scx_arena_test_pages(at), 101);
}

static void pool_grows_by_16_mib_at_most(struct kunit *test)
{
	struct scx_arena_test *at = test->priv;
	const unsigned long large = (40UL << 20) >> PAGE_SHIFT;

	scx_arena_test_reopen(test, 2 * large, TEST_ARENA_ADDR);
	KUNIT_ASSERT_NOT_NULL(test, scx_arena_alloc(&at->sch, large << PAGE_SHIFT));
	KUNIT_EXPECT_EQ(test, scx_arena_test_pages(at), large);
	KUNIT_ASSERT_NOT_NULL(test, scx_arena_alloc(&at->sch, 8));
	KUNIT_EXPECT_EQ(test, scx_arena_test_pages(at), large + ((16UL << 20) >> PAGE_SHIFT));
}

static void full_arena_recovers(struct kunit *test)
{
	struct scx_arena_test *at = test->priv;
	void **p = kunit_kcalloc(test, 64, sizeof(*p), GFP_KERNEL);
	char stat[100], expected[100];
	int i, round;

	KUNIT_ASSERT_NOT_NULL(test, p);
	scx_arena_test_reopen(test, 64, TEST_ARENA_ADDR);
	for (round = 0; round < 3; round++) {
		for (i = 0; i < 64; i++) {
			p[i] = scx_arena_alloc(&at->sch, PAGE_SIZE);
			KUNIT_ASSERT_NOT_NULL(test, p[i]);
		}
		KUNIT_EXPECT_NULL(test, scx_arena_alloc(&at->sch, PAGE_SIZE));
		KUNIT_EXPECT_NULL(test, scx_arena_alloc(&at->sch, 1));
		KUNIT_EXPECT_EQ(test, scx_arena_test_bytes(at), 64 * PAGE_SIZE);
		KUNIT_EXPECT_EQ(test, scx_arena_test_pages(at), 64);
		scx_arena_stat(&at->sch, stat, sizeof(stat));
		snprintf(expected, sizeof(expected),
			 "map=%u pages=64 bytes=%lu chunks=%zu refused=0", at->map->id,
			 64 * PAGE_SIZE, scx_arena_test_chunks(at));
		KUNIT_EXPECT_STREQ(test, stat, expected);
		for (i = 0; i < 64; i++)
			scx_arena_free(&at->sch, p[(i * 29) % 64], PAGE_SIZE);
		KUNIT_EXPECT_EQ(test, scx_arena_test_bytes(at), 0);
	}
}

static void impossible_sizes_take_no_pages(struct kunit *test)
{
	static const size_t sizes[] = {
		0, (size_t)TEST_ARENA_PAGES * PAGE_SIZE + 1, SZ_4G, SZ_4G + 1,
		SIZE_MAX, SIZE_MAX - 7, SIZE_MAX - SMP_CACHE_BYTES, SIZE_MAX / 2,
	};
	const size_t all = (size_t)TEST_ARENA_PAGES * PAGE_SIZE;
	struct scx_arena_test *at = test->priv;
	int i;

	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		KUNIT_EXPECT_NULL(test, scx_arena_alloc(&at->sch, sizes[i]));
		KUNIT_EXPECT_NULL(test, scx_arena_alloc_cacheline(&at->sch, sizes[i]));
		KUNIT_EXPECT_EQ(test, scx_arena_test_pages(at), 0);
	}
	KUNIT_EXPECT_EQ(test, scx_arena_test_mem(at), at->mem_empty);
	KUNIT_EXPECT_NOT_NULL(test, scx_arena_alloc(&at->sch, all));
}

static void bad_frees_change_nothing(struct kunit *test)
{
	struct scx_arena_test *at = test->priv;
	u8 *p, *q, outside;

	kunit_activate_static_stub(test, scx_arena_bad_free, stub_bad_free);
	p = scx_arena_alloc(&at->sch, 64);
	q = scx_arena_alloc(&at->sch, 64);
	KUNIT_ASSERT_NOT_NULL(test, q);
	memset(q, 0x5a, 64);

	scx_arena_free(&at->sch, NULL, 64);
	KUNIT_EXPECT_EQ(test, at->nr_bad_frees, 0);
	scx_arena_free(&at->sch, p, 64);
	scx_arena_free(&at->sch, p, 64);			/* twice */
	KUNIT_EXPECT_EQ(test, at->nr_bad_frees, 1);
	scx_arena_free(&at->sch, q - 8, 64);			/* half of it free */
	KUNIT_EXPECT_EQ(test, at->nr_bad_frees, 2);
	scx_arena_free(&at->sch, q, 72);			/* too long */
	KUNIT_EXPECT_EQ(test, at->nr_bad_frees, 3);
	scx_arena_free(&at->sch, q + 4, 8);			/* between granules */
	KUNIT_EXPECT_EQ(test, at->nr_bad_frees, 4);
	scx_arena_free(&at->sch, q, 0);
	KUNIT_EXPECT_EQ(test, at->nr_bad_frees, 5);
	scx_arena_free(&at->sch, q, SIZE_MAX);
	KUNIT_EXPECT_EQ(test, at->nr_bad_frees, 6);
	scx_arena_free(&at->sch, q, SZ_4G);			/* beyond the chunk */
	KUNIT_EXPECT_EQ(test, at->nr_bad_frees, 7);
	scx_arena_free(&at->sch, &outside, 8);
	KUNIT_EXPECT_EQ(test, at->nr_bad_frees, 8);

	KUNIT_EXPECT_EQ(test, scx_arena_test_bytes(at), 64);
	KUNIT_EXPECT_NULL(test, memchr_inv(q, 0x5a, 64));
	KUNIT_EXPECT_PTR_EQ(test, (u8 *)scx_arena_alloc(&at->sch, 64), p);
	KUNIT_EXPECT_EQ(test, scx_arena_test_bytes(at), 128);
}

static void destroy_returns_everything(struct kunit *test)
{
	struct scx_arena_test *at = test->priv;
	s64 refs = atomic64_read(&at->map->refcnt);
	struct rnd_state rnd;
	void *p;
	int i;

	prandom_seed_state(&rnd, 1);
	for (i = 0; i < 2000; i++) {
		p = scx_arena_alloc(&at->sch, 1 + prandom_u32_state(&rnd) % 1000);
		KUNIT_ASSERT_NOT_NULL(test, p);
	}
	KUNIT_EXPECT_GT(test, scx_arena_test_chunks(at), 5);
	KUNIT_EXPECT_EQ(test, scx_arena_test_mem(at),
			at->mem_empty + scx_arena_test_pages(at) * PAGE_SIZE);

	scx_arena_pool_destroy(&at->sch);
	KUNIT_EXPECT_EQ(test, scx_arena_test_mem(at), at->mem_empty);
	KUNIT_EXPECT_EQ(test, atomic64_read(&at->map->refcnt), refs - 1);
	KUNIT_EXPECT_EQ(test, scx_arena_test_pages(at), 0);
	KUNIT_EXPECT_NULL(test, scx_arena_alloc(&at->sch, 8));
	kunit_activate_static_stub(test, scx_arena_bad_free, stub_bad_free);
	scx_arena_free(&at->sch, p, 8);
	KUNIT_EXPECT_EQ(test, at->nr_bad_frees, 1);
	scx_arena_pool_destroy(&at->sch);

	/* the addresses can be used again, all of them */
	p = bpf_arena_hold_pages(at->map, TEST_ARENA_PAGES, NUMA_NO_NODE);
	KUNIT_EXPECT_NOT_NULL(test, p);
	if (p)
		bpf_arena_release_pages(at->map, p, TEST_ARENA_PAGES);
	KUNIT_EXPECT_EQ(test, scx_arena_test_mem(at), at->mem_empty);
}

/* All of 4 GiB in steps that are no power of two, its ends, and where the halves wrap. */
static void addresses_translate_both_ways(struct kunit *test)
{
	struct scx_arena_test *at = test->priv;
	u64 start, base, offset, uaddr, edge[6];
	bool wrapped = false;
	void *kaddr;
	int i;

	scx_arena_test_reopen(test, 1 << 20, 0x700000000000ULL);
	start = bpf_arena_map_kern_vm_start(at->map);
	base = bpf_arena_map_user_vm_start(at->map);
	KUNIT_EXPECT_EQ(test, base, 0x700000000000ULL);
	edge[0] = 0;
	edge[1] = U32_MAX;
	edge[2] = (u32)-start;		/* kernel address with a lower half of 0 */
	edge[3] = (u32)(-start - 1);
	edge[4] = S32_MAX;
	edge[5] = (u64)S32_MAX + 1;
	for (i = 0, offset = 0; offset < SZ_4G; offset += i < ARRAY_SIZE(edge) ? 0 : 40961, i++) {
		uaddr = base + (i < ARRAY_SIZE(edge) ? edge[i] : offset);
		kaddr = scx_arena_to_kaddr(&at->sch, uaddr);
		/* what the JIT computes: base register plus the lower half */
		KUNIT_ASSERT_EQ(test, (u64)(unsigned long)kaddr - start, uaddr - base);
		KUNIT_ASSERT_EQ(test, scx_arena_to_uaddr(&at->sch, kaddr), uaddr);
		/* the upper half is for user space only */
		KUNIT_ASSERT_PTR_EQ(test, scx_arena_to_kaddr(&at->sch, (u32)uaddr), kaddr);
		wrapped |= (u32)(unsigned long)kaddr < (u32)uaddr;
	}
	KUNIT_EXPECT_TRUE(test, wrapped);

	/* and for real: a program's page and the kernel's address of it are one */
	uaddr = (u64)(unsigned long)bpf_arena_alloc_pages(at->map, NULL, 1, NUMA_NO_NODE, 0);
	KUNIT_ASSERT_NE(test, uaddr, 0);
	kaddr = scx_arena_to_kaddr(&at->sch, uaddr);
	KUNIT_EXPECT_PTR_EQ(test, (void *)vmalloc_to_page(kaddr),
			    (void *)vmalloc_to_page((void *)(start + (u32)uaddr)));
	KUNIT_EXPECT_NOT_NULL(test, vmalloc_to_page(kaddr));
}

static void failed_growth_leaves_the_pool_usable(struct kunit *test)
{
	struct scx_arena_test *at = test->priv;
	u64 mem;
	int i;

	kunit_activate_static_stub(test, scx_arena_hold, stub_hold);
	KUNIT_EXPECT_NULL(test, scx_arena_alloc(&at->sch, 8));
	KUNIT_EXPECT_EQ(test, scx_arena_test_pages(at), 0);

	/* four pages as usual, then not enough for the next step but for what is needed */
	at->hold_budget = 5;
	for (i = 0; i < 5; i++)
		KUNIT_EXPECT_NOT_NULL(test, scx_arena_alloc(&at->sch, PAGE_SIZE));
	KUNIT_EXPECT_EQ(test, scx_arena_test_pages(at), 5);
	KUNIT_EXPECT_NULL(test, scx_arena_alloc(&at->sch, PAGE_SIZE));
	KUNIT_EXPECT_EQ(test, scx_arena_test_pages(at), 5);
	kunit_deactivate_static_stub(test, scx_arena_hold);

	/* pages that were held when it failed are released */
	mem = scx_arena_test_mem(at);
	kunit_activate_static_stub(test, scx_arena_gen_add, stub_gen_add);
	KUNIT_EXPECT_NULL(test, scx_arena_alloc(&at->sch, PAGE_SIZE));
	KUNIT_EXPECT_EQ(test, scx_arena_test_mem(at), mem);
	KUNIT_EXPECT_EQ(test, scx_arena_test_pages(at), 5);
	kunit_deactivate_static_stub(test, scx_arena_gen_add);

	for (i = 0; i < TEST_ARENA_PAGES - 5; i++)
		KUNIT_ASSERT_NOT_NULL(test, scx_arena_alloc(&at->sch, PAGE_SIZE));
	KUNIT_EXPECT_NULL(test, scx_arena_alloc(&at->sch, 1));
}

struct scx_arena_worker {
	struct scx_arena_test	*at;
	struct kunit		*test;
	struct completion	done;
	u32			seed;
	int			bad;
};

static int scx_arena_worker(void *data)
{
	struct scx_arena_worker *w = data;
	struct rnd_state rnd;
	struct { u8 *addr; u32 size; } objects[16] = {}, *o;
	int i;

	/* for the stubs */
	current->kunit_test = w->test;
	prandom_seed_state(&rnd, w->seed);
	for (i = 0; i < 3000 + ARRAY_SIZE(objects); i++) {
		u32 random = prandom_u32_state(&rnd);

		o = &objects[i < 3000 ? random % ARRAY_SIZE(objects) : i - 3000];
		if (o->addr) {
			w->bad |= !!memchr_inv(o->addr, w->seed, o->size);
			scx_arena_free(&w->at->sch, o->addr, o->size);
			o->addr = NULL;
		} else if (i < 3000) {
			/* whole pages come and go in the bitmap of pages with room */
			o->size = random >> 31 ? PAGE_SIZE : 1 + (random >> 8) % 700;
			o->addr = scx_arena_alloc(&w->at->sch, o->size);
			w->bad |= !o->addr;
			if (o->addr) {
				w->bad |= !!memchr_inv(o->addr, 0, o->size);
				memset(o->addr, w->seed, o->size);
			}
		}
		if (!(i % 64))
			cond_resched();
	}
	current->kunit_test = NULL;
	complete(&w->done);
	return 0;
}

static void several_threads_share_a_pool(struct kunit *test)
{
	struct scx_arena_test *at = test->priv;
	struct scx_arena_worker *workers;
	size_t pages;
	int i, nr = 0;

	workers = kunit_kcalloc(test, 8, sizeof(*workers), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, workers);
	kunit_activate_static_stub(test, scx_arena_hold, stub_hold_slowly);
	for (i = 0; i < 8; i++) {
		workers[i].at = at;
		workers[i].test = test;
		workers[i].seed = i + 1;
		init_completion(&workers[i].done);
		if (IS_ERR(kthread_run(scx_arena_worker, &workers[i], "scx_arena_test/%d", i)))
			break;
		nr++;
	}
	for (i = 0; i < nr; i++) {
		wait_for_completion(&workers[i].done);
		KUNIT_EXPECT_EQ(test, workers[i].bad, 0);
	}
	kunit_deactivate_static_stub(test, scx_arena_hold);
	KUNIT_EXPECT_EQ(test, nr, 8);
	KUNIT_EXPECT_FALSE(test, at->was_not_alone);
	KUNIT_EXPECT_EQ(test, scx_arena_test_bytes(at), 0);

	/* all that they freed is found again */
	pages = scx_arena_test_pages(at);
	for (i = 0; i < pages; i++)
		KUNIT_ASSERT_NOT_NULL(test, scx_arena_alloc(&at->sch, PAGE_SIZE));
	KUNIT_EXPECT_EQ(test, scx_arena_test_pages(at), pages);
}

/*
 * Pages held over bytes handed out, while a pool fills with objects of random
 * sizes that are never freed, as those of a scheduler that starts.
 */
static void overhead_stays_under_two(struct kunit *test)
{
	static const u32 max_size[] = { 64, 500, 5000 };
	struct scx_arena_test *at = test->priv;
	struct rnd_state rnd;
	int i;

	prandom_seed_state(&rnd, 2);
	for (i = 0; i < ARRAY_SIZE(max_size); i++) {
		u64 worst = 0, sum = 0, nr = 0;

		scx_arena_test_reopen(test, TEST_ARENA_PAGES, TEST_ARENA_ADDR);
		while (scx_arena_test_bytes(at) < SZ_8M) {
			size_t size = 1 + prandom_u32_state(&rnd) % max_size[i];
			u64 held, percent;

			KUNIT_ASSERT_NOT_NULL(test, scx_arena_alloc(&at->sch, size));
			held = (u64)scx_arena_test_pages(at) * PAGE_SIZE;
			if (held < SZ_1M)
				continue;
			percent = div64_ul(held * 100, scx_arena_test_bytes(at));
			worst = max(worst, percent);
			sum += percent;
			nr++;
		}
		kunit_info(test, "objects of up to %u bytes: held over used: average %llu %%, worst %llu %%\n",
			   max_size[i], div64_u64(sum, nr), worst);
		KUNIT_EXPECT_LT(test, worst, 200);
	}
}

static void held_pages_are_not_freed_by_programs(struct kunit *test)
{
	struct scx_arena_test *at = test->priv;
	unsigned long refused = bpf_arena_nr_refused(at->map);
	void *program, *all;
	u64 mem, uaddr;
	u8 *held;

	/* two pages of the program, three of the kernel, two of the program */
	program = bpf_arena_alloc_pages(at->map, NULL, 2, NUMA_NO_NODE, 0);
	held = bpf_arena_hold_pages(at->map, 3, NUMA_NO_NODE);
	all = bpf_arena_alloc_pages(at->map, NULL, 2, NUMA_NO_NODE, 0);
	KUNIT_ASSERT_NOT_NULL(test, program);
	KUNIT_ASSERT_NOT_NULL(test, held);
	uaddr = scx_arena_to_uaddr(&at->sch, held);
	KUNIT_ASSERT_EQ(test, uaddr, (u64)(unsigned long)program + 2 * PAGE_SIZE);
	KUNIT_ASSERT_EQ(test, (u64)(unsigned long)all, uaddr + 3 * PAGE_SIZE);
	memset(held, 0x77, 3 * PAGE_SIZE);
	mem = scx_arena_test_mem(at);

	/* one by one */
	bpf_arena_free_pages(at->map, (void *)(unsigned long)(uaddr + PAGE_SIZE), 1);
	KUNIT_EXPECT_EQ(test, scx_arena_test_mem(at), mem);
	KUNIT_EXPECT_EQ(test, bpf_arena_nr_refused(at->map), refused + 1);
	/* from before them into them */
	bpf_arena_free_pages(at->map, program + PAGE_SIZE, 2);
	KUNIT_EXPECT_EQ(test, scx_arena_test_mem(at), mem - PAGE_SIZE);
	KUNIT_EXPECT_EQ(test, bpf_arena_nr_refused(at->map), refused + 2);
	/* everything, and far beyond the arena's end */
	bpf_arena_free_pages(at->map, program, U32_MAX);
	KUNIT_EXPECT_EQ(test, scx_arena_test_mem(at), at->mem_empty + 3 * PAGE_SIZE);
	KUNIT_EXPECT_EQ(test, bpf_arena_nr_refused(at->map), refused + 5);
	KUNIT_EXPECT_NULL(test, memchr_inv(held, 0x77, 3 * PAGE_SIZE));

	/* nor can they be replaced */
	KUNIT_EXPECT_NULL(test, bpf_arena_alloc_pages(at->map, (void *)(unsigned long)uaddr, 1,
						      NUMA_NO_NODE, 0));
	/* what lies around them can be used again */
	KUNIT_EXPECT_PTR_EQ(test, bpf_arena_alloc_pages(at->map, program, 2, NUMA_NO_NODE, 0),
			    program);

	bpf_arena_release_pages(at->map, held, 3);
	KUNIT_EXPECT_EQ(test, scx_arena_test_mem(at), at->mem_empty + 2 * PAGE_SIZE);
	KUNIT_EXPECT_NOT_NULL(test, bpf_arena_alloc_pages(at->map, (void *)(unsigned long)uaddr, 3,
							  NUMA_NO_NODE, 0));
}

static void held_pages_outlive_what_user_space_does(struct kunit *test)
{
	const unsigned long len = TEST_ARENA_PAGES * PAGE_SIZE;
	struct scx_arena_test *at = test->priv;
	u32 __user *user;
	u32 value = 0;
	u32 *kernel;

	if (TEST_ARENA_ADDR + len > TASK_SIZE)
		kunit_skip(test, "user space is too small");
	kernel = scx_arena_alloc(&at->sch, sizeof(*kernel));
	KUNIT_ASSERT_NOT_NULL(test, kernel);
	WRITE_ONCE(*kernel, 42);
	user = (u32 __user *)(unsigned long)scx_arena_to_uaddr(&at->sch, kernel);

	/* a fault finds the kernel's page, not a new one */
	KUNIT_ASSERT_EQ(test, kunit_vm_mmap(test, at->file, TEST_ARENA_ADDR, len,
					    PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED, 0),
			TEST_ARENA_ADDR);
	KUNIT_EXPECT_EQ(test, get_user(value, user), 0);
	KUNIT_EXPECT_EQ(test, value, 42);
	KUNIT_EXPECT_EQ(test, put_user(43, user), 0);
	KUNIT_EXPECT_EQ(test, READ_ONCE(*kernel), 43);
	/* a part can't be unmapped or replaced */
	KUNIT_EXPECT_NE(test, vm_munmap((unsigned long)user & PAGE_MASK, PAGE_SIZE), 0);
	KUNIT_EXPECT_TRUE(test, IS_ERR_VALUE(vm_mmap(NULL, (unsigned long)user & PAGE_MASK,
						     PAGE_SIZE, PROT_READ | PROT_WRITE,
						     MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, 0)));
	/* freeing doesn't take it from user space either */
	bpf_arena_free_pages(at->map, (void *)((unsigned long)user & PAGE_MASK), 1);
	KUNIT_EXPECT_EQ(test, get_user(value, user), 0);
	KUNIT_EXPECT_EQ(test, value, 43);

	/* gone, and back */
	KUNIT_EXPECT_EQ(test, vm_munmap(TEST_ARENA_ADDR, len), 0);
	KUNIT_EXPECT_NE(test, get_user(value, user), 0);
	WRITE_ONCE(*kernel, 44);
	KUNIT_EXPECT_EQ(test, vm_mmap(at->file, TEST_ARENA_ADDR, len, PROT_READ | PROT_WRITE,
				      MAP_SHARED | MAP_FIXED, 0), TEST_ARENA_ADDR);
	KUNIT_EXPECT_EQ(test, get_user(value, user), 0);
	KUNIT_EXPECT_EQ(test, value, 44);

	/* once it is released, user space gets a page of its own */
	scx_arena_pool_destroy(&at->sch);
	KUNIT_EXPECT_EQ(test, get_user(value, user), 0);
	KUNIT_EXPECT_EQ(test, value, 0);
	KUNIT_EXPECT_EQ(test, scx_arena_test_mem(at), at->mem_empty + PAGE_SIZE);
	KUNIT_EXPECT_EQ(test, vm_munmap(TEST_ARENA_ADDR, len), 0);
}

static void an_arena_without_address_holds_nothing(struct kunit *test)
{
	struct scx_arena_test *at = test->priv;

	scx_arena_test_reopen(test, TEST_ARENA_PAGES, 0);
	KUNIT_EXPECT_NULL(test, bpf_arena_hold_pages(at->map, 1, NUMA_NO_NODE));
	KUNIT_EXPECT_NULL(test, scx_arena_alloc(&at->sch, 8));
	KUNIT_EXPECT_EQ(test, scx_arena_test_mem(at), at->mem_empty);
}

static struct kunit_case scx_arena_cases[] = {
	KUNIT_CASE(ranges_do_not_overlap),
	KUNIT_CASE(objects_are_aligned),
	KUNIT_CASE(cacheline_objects_share_no_line),
	KUNIT_CASE(memory_is_zeroed_when_reused),
	KUNIT_CASE(pool_grows_by_half),
	KUNIT_CASE(pool_grows_by_16_mib_at_most),
	KUNIT_CASE(full_arena_recovers),
	KUNIT_CASE(impossible_sizes_take_no_pages),
	KUNIT_CASE(bad_frees_change_nothing),
	KUNIT_CASE(destroy_returns_everything),
	KUNIT_CASE(addresses_translate_both_ways),
	KUNIT_CASE(failed_growth_leaves_the_pool_usable),
	KUNIT_CASE(several_threads_share_a_pool),
	KUNIT_CASE(overhead_stays_under_two),
	KUNIT_CASE(held_pages_are_not_freed_by_programs),
	KUNIT_CASE(held_pages_outlive_what_user_space_does),
	KUNIT_CASE(an_arena_without_address_holds_nothing),
	{}
};

static struct kunit_suite scx_arena_suite = {
	.name		= "scx_arena",
	.init		= scx_arena_test_init,
	.exit		= scx_arena_test_exit,
	.test_cases	= scx_arena_cases,
};

/*
 * What an allocation costs, for a kernel whose clock counts instructions
 * (QEMU -icount): there the nanoseconds below are instructions. On others they
 * are time, with all its noise, so nothing is expected of them here.
 */
enum { BENCH_ROUNDS = 33, BENCH_BATCH = 64, BENCH_SIZE = 64, BENCH_LIVE_MAX = 100000 };

struct scx_arena_bench {
	void			**live;
	void			*batch[BENCH_BATCH];
	u64			took[BENCH_ROUNDS];
	struct gen_pool		*plain;		/* first fit, grown by four pages a time */
	void			*chunks[BENCH_LIVE_MAX * BENCH_SIZE / (4 * PAGE_SIZE) + 64];
	int			nr_chunks;
	bool			failed;
};

static void *bench_plain_alloc(struct scx_arena_test *at, struct scx_arena_bench *b)
{
	unsigned long addr;
	void *pages;

	while (!(addr = gen_pool_alloc(b->plain, BENCH_SIZE))) {
		pages = b->nr_chunks < ARRAY_SIZE(b->chunks) ?
			bpf_arena_hold_pages(at->map, 4, NUMA_NO_NODE) : NULL;
		if (!pages || gen_pool_add(b->plain, (unsigned long)pages, 4 * PAGE_SIZE,
					   NUMA_NO_NODE))
			return NULL;
		b->chunks[b->nr_chunks++] = pages;
	}
	memset((void *)addr, 0, BENCH_SIZE);
	return (void *)addr;
}

static void *bench_alloc(struct scx_arena_test *at, struct scx_arena_bench *b, bool plain)
{
	void *p = plain ? bench_plain_alloc(at, b) : scx_arena_alloc(&at->sch, BENCH_SIZE);

	b->failed |= !p;
	return p;
}

static void bench_free(struct scx_arena_test *at, struct scx_arena_bench *b, bool plain, void *p)
{
	if (!p)
		return;
	if (plain)
		gen_pool_free(b->plain, (unsigned long)p, BENCH_SIZE);
	else
		scx_arena_free(&at->sch, p, BENCH_SIZE);
}

static int bench_cmp(const void *a, const void *b)
{
	u64 l = *(const u64 *)a, r = *(const u64 *)b;

	return l < r ? -1 : l > r;
}

/* The median, as other threads run now and then too. */
static u64 bench_median(struct scx_arena_bench *b, int rounds, int batch)
{
	if (!rounds)
		return 0;
	sort(b->took, rounds, sizeof(b->took[0]), bench_cmp, NULL);
	return div_u64(b->took[rounds / 2], batch);
}

/* One allocation on top of the live objects, in batches, without growth. */
static u64 bench_on_top(struct kunit *test, struct scx_arena_bench *b, bool plain)
{
	struct scx_arena_test *at = test->priv;
	int round, i, nr = 0;

	for (round = 0; round < BENCH_ROUNDS; round++) {
		unsigned long chunks = scx_arena_test_chunks(at) + b->nr_chunks;
		u64 start = ktime_get_ns();

		for (i = 0; i < BENCH_BATCH; i++)
			b->batch[i] = bench_alloc(at, b, plain);
		b->took[nr] = ktime_get_ns() - start;
		if (chunks == scx_arena_test_chunks(at) + b->nr_chunks)
			nr++;
		for (i = 0; i < BENCH_BATCH; i++)
			bench_free(at, b, plain, b->batch[i]);
	}
	return bench_median(b, nr, BENCH_BATCH);
}

/* The same for objects that come in place of random others, far from each other. */
static u64 bench_in_place(struct kunit *test, struct scx_arena_bench *b, bool plain, int live)
{
	struct scx_arena_test *at = test->priv;
	struct rnd_state rnd;
	int round, i, which[16];
	u64 start;

	prandom_seed_state(&rnd, 3);
	for (round = 0; round < BENCH_ROUNDS && !b->failed; round++) {
		for (i = 0; i < ARRAY_SIZE(which); i++) {
			do {
				which[i] = prandom_u32_state(&rnd) % live;
			} while (!b->live[which[i]]);
			bench_free(at, b, plain, b->live[which[i]]);
			b->live[which[i]] = NULL;
		}
		start = ktime_get_ns();
		for (i = 0; i < ARRAY_SIZE(which); i++)
			b->live[which[i]] = bench_alloc(at, b, plain);
		b->took[round] = ktime_get_ns() - start;
	}
	return bench_median(b, round, ARRAY_SIZE(which));
}

static void cost_of_an_allocation(struct kunit *test)
{
	static const int steps[] = { 100, 1000, 10000, BENCH_LIVE_MAX };
	struct scx_arena_test *at = test->priv;
	struct scx_arena_bench *b;
	int plain, step, live = 0, i;
	u64 on_top, in_place;

	b = vzalloc(sizeof(*b));
	KUNIT_ASSERT_NOT_NULL(test, b);
	b->live = vcalloc(BENCH_LIVE_MAX, sizeof(*b->live));
	b->plain = gen_pool_create(ilog2(SCX_ARENA_GRANULE), NUMA_NO_NODE);
	if (!b->live || !b->plain) {
		b->failed = true;
		goto out;
	}
	for (plain = 0; plain < 2; plain++) {
		live = 0;
		for (step = 0; step < ARRAY_SIZE(steps); step++) {
			for (; live < steps[step]; live++) {
				b->live[live] = bench_alloc(at, b, plain);
				if (b->failed)
					goto out;
				if (!(live % 1024))
					cond_resched();
			}
			on_top = bench_on_top(test, b, plain);
			in_place = bench_in_place(test, b, plain, live);
			if (b->failed)
				goto out;
			kunit_info(test, "%s, %d live: %llu on top, %llu in place\n",
				   plain ? "four pages, first fit" : "pool", live,
				   on_top, in_place);
		}
		for (i = 0; i < live; i++) {
			bench_free(at, b, plain, b->live[i]);
			b->live[i] = NULL;
		}
		/* make room */
		if (!plain)
			scx_arena_pool_destroy(&at->sch);
	}
out:
	KUNIT_EXPECT_FALSE_MSG(test, b->failed, "no memory for %d objects", live);
	if (b->plain) {
		/* which has to be empty; the other one needn't be */
		for (i = 0; b->live && i < live; i++)
			if (gen_pool_has_addr(b->plain, (unsigned long)b->live[i], BENCH_SIZE))
				bench_free(at, b, true, b->live[i]);
		gen_pool_destroy(b->plain);
		for (i = 0; i < b->nr_chunks; i++)
			bpf_arena_release_pages(at->map, b->chunks[i], 4);
	}
	vfree(b->live);
	vfree(b);
}

static struct kunit_case scx_arena_bench_cases[] = {
	KUNIT_CASE_SLOW(cost_of_an_allocation),
	{}
};

static struct kunit_suite scx_arena_bench_suite = {
	.name		= "scx_arena_bench",
	.init		= scx_arena_test_init,
	.exit		= scx_arena_test_exit,
	.test_cases	= scx_arena_bench_cases,
};

kunit_test_suites(&scx_arena_suite, &scx_arena_bench_suite);
