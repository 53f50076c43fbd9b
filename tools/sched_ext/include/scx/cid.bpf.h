/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Operations on cmasks, for BPF programs
 *
 * A cmask is a set of cids out of [base, base + nr_cids), a bitmap in the arena. Its
 * words lie on the global grid of 64 cids: the bit of a cid has the same place in a word
 * in all cmasks, so that words of two are combined without shifting. Bits of the first
 * and last word outside of the range are zero.
 *
 * A program with a typedef of its own for struct scx_cmask doesn't load: CO-RE looks for
 * that name in the kernel.
 *
 * Names that start with __ are not atomic. The others may run on the same cmask on
 * several CPUs where they change one cid; those that go over ranges see each word at
 * some time.
 *
 * Masks of two ranges: what writes touches only bits of @dst that both ranges have; what
 * reads takes those that a range hasn't for zero. Loops end after CMASK_MAX_WORDS words,
 * whatever is in the arena.
 */
#ifndef __SCX_CID_BPF_H
#define __SCX_CID_BPF_H

#include "common.bpf.h"
#include "bpf_arena_common.bpf.h"

/* 8192 CPUs from any base on: a word more than they fill */
#define CMASK_MAX_WORDS		129
#define CMASK_MAX_CIDS		(CMASK_MAX_WORDS * 64)

/* Words that @nr_cids take, from whatever base on. */
#define CMASK_NR_WORDS(nr_cids)	((u32)(((u64)(nr_cids) + 63) / 64 + 1))

/* Tries of a compare-and-exchange. It takes seconds to fail them all. */
#define CMASK_CAS_TRIES		(8 * 1024 * 1024)

/* Is @cid in the range of @m? */
static __always_inline bool __cmask_contains(u32 cid, const struct scx_cmask __arena *m)
{
	return cid >= m->base && cid - m->base < m->nr_cids;
}

/* The word of @m that has the bit of @cid, which has to be in its range. */
static __always_inline u64 __arena *__cmask_word(u32 cid, const struct scx_cmask __arena *m)
{
	return (u64 __arena *)&m->bits[cid / 64 - m->base / 64];
}

static __always_inline u64 __cmask_bit(u32 cid)
{
	return 1ULL << (cid % 64);
}

/* The first cid behind the range of @m: what searches return that find nothing. */
static __always_inline u32 __cmask_end(const struct scx_cmask __arena *m)
{
	return m->base + m->nr_cids;
}

/* Word @w of the grid as @m has it: zero where it is out of range. */
static __always_inline u64 __cmask_grid_word(const struct scx_cmask __arena *m, u32 w)
{
	u32 first = m->base / 64;

	if (!m->nr_cids || w < first || w > (__cmask_end(m) - 1) / 64)
		return 0;
	return m->bits[w - first];
}

/* Bits of word @w of the grid that belong to cids in [@start, @end), which isn't empty. */
static __always_inline u64 __cmask_window(u32 w, u32 start, u32 end)
{
	u64 window = ~0ULL;

	if (w == start / 64)
		window &= ~0ULL << (start % 64);
	if (w == (end - 1) / 64)
		window &= ~0ULL >> (63 - (end - 1) % 64);
	return window;
}

/*
 * Number of the lowest bit set in @word, which isn't zero: as many as are below it. BPF
 * has no instruction for that, and branches would multiply the verifier's work.
 */
static __always_inline u32 __cmask_lowest(u64 word)
{
	return __builtin_popcountll((word & -word) - 1);
}

/**
 * __cmask_init - Make an empty cmask in storage that may be larger
 * @m: the storage
 * @base: first cid of the range
 * @nr_cids: cids in the range
 * @alloc_cids: cids that the storage is for, @nr_cids at least
 */
static __always_inline void __cmask_init(struct scx_cmask __arena *m, u32 base, u32 nr_cids,
					 u32 alloc_cids)
{
	u32 words = CMASK_NR_WORDS(alloc_cids), i;

	ARENA_STORE(m->base, base);
	ARENA_STORE(m->nr_cids, nr_cids);
	ARENA_STORE(m->alloc_words, words);
	if (words > CMASK_MAX_WORDS)
		words = CMASK_MAX_WORDS;
	bpf_for(i, 0, words)
		ARENA_STORE(m->bits[i], 0);
}

/**
 * cmask_init - Make an empty cmask
 * @m: storage of CMASK_NR_WORDS(@nr_cids) words behind the header
 * @base: first cid of the range
 * @nr_cids: cids in the range
 */
static __always_inline void cmask_init(struct scx_cmask __arena *m, u32 base, u32 nr_cids)
{
	__cmask_init(m, base, nr_cids, nr_cids);
}

/**
 * cmask_reframe - Give a cmask another range in the same storage
 * @m: cmask
 * @base: first cid of the new range
 * @nr_cids: cids in the new range
 *
 * What is set in the new range is undefined. A range that the storage has no room for
 * ends the scheduler.
 */
static __always_inline void cmask_reframe(struct scx_cmask __arena *m, u32 base, u32 nr_cids)
{
	u32 last;

	if (CMASK_NR_WORDS(nr_cids) > m->alloc_words) {
		scx_bpf_error("cmask of %u words can't have %u cids", m->alloc_words, nr_cids);
		return;
	}
	ARENA_STORE(m->base, base);
	ARENA_STORE(m->nr_cids, nr_cids);
	if (!nr_cids)
		return;
	last = (base + nr_cids - 1) / 64 - base / 64;
	ARENA_STORE(m->bits[0], 0);
	ARENA_STORE(m->bits[last], 0);
}

/* Is @cid in @m? Not if it is out of its range. */
static __always_inline bool cmask_test(u32 cid, const struct scx_cmask __arena *m)
{
	return __cmask_contains(cid, m) && (*__cmask_word(cid, m) & __cmask_bit(cid));
}

/*
 * These change one cid, if it is in the range. x86's JIT has no atomic "and" and "or" on
 * an arena that return what was there. Newer compilers make such ones of all but those
 * that order nothing.
 */
static __always_inline void cmask_set(u32 cid, struct scx_cmask __arena *m)
{
	if (__cmask_contains(cid, m))
		__atomic_fetch_or(__cmask_word(cid, m), __cmask_bit(cid), __ATOMIC_RELAXED);
}

static __always_inline void cmask_clear(u32 cid, struct scx_cmask __arena *m)
{
	if (__cmask_contains(cid, m))
		__atomic_fetch_and(__cmask_word(cid, m), ~__cmask_bit(cid), __ATOMIC_RELAXED);
}

/* Set or clear, and tell what it was. Nothing is written that is so already. */
static __always_inline bool __cmask_test_and_change(u32 cid, struct scx_cmask __arena *m, bool set)
{
	u64 __arena *word;
	u64 old, bit = __cmask_bit(cid);
	u32 i;

	if (!__cmask_contains(cid, m))
		return false;
	word = __cmask_word(cid, m);
	/* mostly so for masks of idle cids, and without the calls of a loop */
	if (!!(*(volatile u64 __arena *)word & bit) == set)
		return set;
	bpf_for(i, 0, CMASK_CAS_TRIES) {
		old = *(volatile u64 __arena *)word;
		if (!!(old & bit) == set)
			return set;
		if (__sync_val_compare_and_swap(word, old, old ^ bit) == old)
			return !set;
	}
	scx_bpf_error("cid %u of a cmask can't be changed for others that do", cid);
	return set;
}

static __always_inline bool cmask_test_and_set(u32 cid, struct scx_cmask __arena *m)
{
	return __cmask_test_and_change(cid, m, true);
}

static __always_inline bool cmask_test_and_clear(u32 cid, struct scx_cmask __arena *m)
{
	return __cmask_test_and_change(cid, m, false);
}

static __always_inline void __cmask_set(u32 cid, struct scx_cmask __arena *m)
{
	if (__cmask_contains(cid, m))
		*__cmask_word(cid, m) |= __cmask_bit(cid);
}

static __always_inline void __cmask_clear(u32 cid, struct scx_cmask __arena *m)
{
	if (__cmask_contains(cid, m))
		*__cmask_word(cid, m) &= ~__cmask_bit(cid);
}

static __always_inline bool __cmask_test_and_set(u32 cid, struct scx_cmask __arena *m)
{
	bool was = cmask_test(cid, m);

	if (!was)
		__cmask_set(cid, m);
	return was;
}

static __always_inline bool __cmask_test_and_clear(u32 cid, struct scx_cmask __arena *m)
{
	bool was = cmask_test(cid, m);

	if (was)
		__cmask_clear(cid, m);
	return was;
}

/* How many words of the grid have cids in [@start, @end), which isn't empty. */
static __always_inline u32 __cmask_words(u32 start, u32 end)
{
	u32 words = (end - 1) / 64 - start / 64 + 1;

	return words < CMASK_MAX_WORDS ? words : CMASK_MAX_WORDS;
}

static __always_inline void cmask_zero(struct scx_cmask __arena *m)
{
	u32 start = m->base, end = __cmask_end(m), i;

	if (start >= end)
		return;
	bpf_for(i, 0, __cmask_words(start, end))
		ARENA_STORE(m->bits[i], 0);
}

enum __cmask_op {
	__CMASK_AND,
	__CMASK_OR,
	__CMASK_COPY,
	__CMASK_ANDNOT,
};

/* Word @w of the grid, of which cids in [@start, @end) count. */
static __always_inline void __cmask_op_word(struct scx_cmask __arena *dst,
					    const struct scx_cmask __arena *src,
					    enum __cmask_op op, u32 w, u32 start, u32 end)
{
	u64 window = __cmask_window(w, start, end);
	u64 s = src->bits[w - src->base / 64] & window;
	u64 __arena *d = &dst->bits[w - dst->base / 64];

	switch (op) {
	case __CMASK_AND:
		*d &= s | ~window;
		break;
	case __CMASK_OR:
		*d |= s;
		break;
	case __CMASK_COPY:
		*d = (*d & ~window) | s;
		break;
	case __CMASK_ANDNOT:
		*d &= ~s;
		break;
	}
}

static __always_inline void __cmask_op(struct scx_cmask __arena *dst,
				       const struct scx_cmask __arena *src, enum __cmask_op op)
{
	u32 start = dst->base > src->base ? dst->base : src->base;
	u32 end = __cmask_end(dst) < __cmask_end(src) ? __cmask_end(dst) : __cmask_end(src);
	u32 words, i;

	if (start >= end)
		return;
	/* on most machines the first word is all, and the loop's calls would cost more */
	__cmask_op_word(dst, src, op, start / 64, start, end);
	words = __cmask_words(start, end);
	if (words == 1)
		return;
	bpf_for(i, 1, words)
		__cmask_op_word(dst, src, op, start / 64 + i, start, end);
}

/* These change @dst where the range of @src is too, and nowhere else. */
static __always_inline void cmask_and(struct scx_cmask __arena *dst,
				      const struct scx_cmask __arena *src)
{
	__cmask_op(dst, src, __CMASK_AND);
}

static __always_inline void cmask_or(struct scx_cmask __arena *dst,
				     const struct scx_cmask __arena *src)
{
	__cmask_op(dst, src, __CMASK_OR);
}

static __always_inline void cmask_copy(struct scx_cmask __arena *dst,
				       const struct scx_cmask __arena *src)
{
	__cmask_op(dst, src, __CMASK_COPY);
}

static __always_inline void cmask_andnot(struct scx_cmask __arena *dst,
					 const struct scx_cmask __arena *src)
{
	__cmask_op(dst, src, __CMASK_ANDNOT);
}

/* The same range and the same cids. */
static __always_inline bool cmask_equal(const struct scx_cmask __arena *a,
					const struct scx_cmask __arena *b)
{
	u32 start = a->base, end = __cmask_end(a), i;

	if (a->base != b->base || a->nr_cids != b->nr_cids)
		return false;
	if (start >= end)
		return true;
	bpf_for(i, 0, __cmask_words(start, end))
		if (a->bits[i] != b->bits[i])
			return false;
	return true;
}

/* Each cid of @a is in @b. */
static __always_inline bool cmask_subset(const struct scx_cmask __arena *a,
					 const struct scx_cmask __arena *b)
{
	u32 start = a->base, end = __cmask_end(a), i;

	if (start >= end)
		return true;
	bpf_for(i, 0, __cmask_words(start, end))
		if (a->bits[i] & ~__cmask_grid_word(b, start / 64 + i))
			return false;
	return true;
}

/* A cid is in both. */
static __always_inline bool cmask_intersects(const struct scx_cmask __arena *a,
					     const struct scx_cmask __arena *b)
{
	u32 start = a->base, end = __cmask_end(a), i;

	if (start >= end)
		return false;
	bpf_for(i, 0, __cmask_words(start, end))
		if (a->bits[i] & __cmask_grid_word(b, start / 64 + i))
			return true;
	return false;
}

/* How many cids are in @m. */
static __always_inline u32 cmask_weight(const struct scx_cmask __arena *m)
{
	u32 start = m->base, end = __cmask_end(m), i, weight = 0;

	if (start >= end)
		return 0;
	bpf_for(i, 0, __cmask_words(start, end))
		weight += __builtin_popcountll(m->bits[i]);
	return weight;
}

/* Word @w of the grid: what @a, @b and @c have in [@start, @end); the last two may be NULL. */
static __always_inline u64 __cmask_common_word(const struct scx_cmask __arena *a,
					       const struct scx_cmask __arena *b,
					       const struct scx_cmask __arena *c, u32 w,
					       u32 start, u32 end)
{
	u64 word = a->bits[w - a->base / 64] & __cmask_window(w, start, end);

	if (b)
		word &= __cmask_grid_word(b, w);
	if (c)
		word &= __cmask_grid_word(c, w);
	return word;
}

/* The first cid from @cid on that is in @a, @b and @c; the last two may be NULL. */
static __always_inline u32 __cmask_next(const struct scx_cmask __arena *a,
					const struct scx_cmask __arena *b,
					const struct scx_cmask __arena *c, u32 cid)
{
	u32 start = cid > a->base ? cid : a->base, end = __cmask_end(a), words, w, i;
	u64 word;

	if (start >= end)
		return end;
	/* The first word by itself: it is the only one where there are 64 CPUs or less. */
	w = start / 64;
	word = __cmask_common_word(a, b, c, w, start, end);
	words = __cmask_words(start, end);
	if (!word && words > 1) {
		bpf_for(i, 1, words) {
			w = start / 64 + i;
			word = __cmask_common_word(a, b, c, w, start, end);
			if (word)
				break;
		}
	}
	return word ? w * 64 + __cmask_lowest(word) : end;
}

/* ... and when there is none up to the end, the first from the start on. */
static __always_inline u32 __cmask_next_wrap(const struct scx_cmask __arena *a,
					     const struct scx_cmask __arena *b,
					     const struct scx_cmask __arena *c, u32 cid)
{
	u32 next = __cmask_next(a, b, c, cid);

	return next < __cmask_end(a) ? next : __cmask_next(a, b, c, a->base);
}

/*
 * Searches. They return the first cid from @cid on that is in all of the cmasks; where
 * there is none, the end of the first one's range, base + nr_cids. The _wrap forms look
 * through the whole range then, from its start on: pass the last cid plus one to take
 * turns.
 */
static __always_inline u32 cmask_next_set(const struct scx_cmask __arena *m, u32 cid)
{
	return __cmask_next(m, NULL, NULL, cid);
}

static __always_inline u32 cmask_first_set(const struct scx_cmask __arena *m)
{
	return cmask_next_set(m, m->base);
}

static __always_inline u32 cmask_next_and_set(const struct scx_cmask __arena *a,
					      const struct scx_cmask __arena *b, u32 cid)
{
	return __cmask_next(a, b, NULL, cid);
}

static __always_inline u32 cmask_next_and2_set(const struct scx_cmask __arena *a,
					       const struct scx_cmask __arena *b,
					       const struct scx_cmask __arena *c, u32 cid)
{
	return __cmask_next(a, b, c, cid);
}

static __always_inline u32 cmask_next_set_wrap(const struct scx_cmask __arena *m, u32 cid)
{
	return __cmask_next_wrap(m, NULL, NULL, cid);
}

static __always_inline u32 cmask_next_and_set_wrap(const struct scx_cmask __arena *a,
						   const struct scx_cmask __arena *b, u32 cid)
{
	return __cmask_next_wrap(a, b, NULL, cid);
}

static __always_inline u32 cmask_next_and2_set_wrap(const struct scx_cmask __arena *a,
						    const struct scx_cmask __arena *b,
						    const struct scx_cmask __arena *c, u32 cid)
{
	return __cmask_next_wrap(a, b, c, cid);
}

/* Go over the cids in @m, with @cid, a u32, as each of them. */
#define cmask_for_each(cid, m)							\
	for (struct bpf_iter_num ___it __attribute__((aligned(8),		\
						      cleanup(bpf_iter_num_destroy))), \
				 *___p __attribute__((unused)) = (		\
		bpf_iter_num_new(&___it, 0, CMASK_MAX_CIDS),			\
		(cid) = cmask_first_set(m),					\
		(void)bpf_iter_num_destroy, (void *)0);				\
	     bpf_iter_num_next(&___it) && (cid) < (m)->base + (m)->nr_cids;	\
	     (cid) = cmask_next_set((m), (cid) + 1))

/**
 * cmask_from_cpumask - Set what a cpumask has
 * @m: cmask to overwrite. CPUs whose cids are out of its range are passed over.
 * @cpumask: cpumask that stays as it is meanwhile
 */
static __always_inline void cmask_from_cpumask(struct scx_cmask __arena *m,
					       const struct cpumask *cpumask)
{
	u32 nr_cpus = scx_bpf_nr_cpu_ids(), cpu;

	cmask_zero(m);
	bpf_for(cpu, 0, nr_cpus) {
		if (bpf_cpumask_test_cpu(cpu, cpumask))
			__cmask_set(scx_bpf_cpu_to_cid(cpu), m);
	}
}

#endif	/* __SCX_CID_BPF_H */
