// SPDX-License-Identifier: GPL-2.0
/*
 * The operations on cmasks of cid.bpf.h, beside a model that knows no words: a byte for
 * each cid.
 */
#include <scx/common.bpf.h>
#include <scx/cid.bpf.h>
#include "cid_cmask_test.h"

char _license[] SEC("license") = "GPL";

struct {
	__uint(type, BPF_MAP_TYPE_ARENA);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, CMASK_TEST_PAGES);
} arena SEC(".maps");

struct cmask_test __arena_global ct;

/* ranges of the first three; the fourth is for results */
u32 base[NR_CMASKS];
u32 nr_cids[NR_CMASKS];

u64 seed;
u32 wrong;
u32 wrong_cid;
u64 nr_checks;
u64 nr_won;
u32 seen, next;

#define A 0
#define B 1
#define C 2
#define D 3

static __always_inline struct scx_cmask __arena *mask(u32 k)
{
	return (struct scx_cmask __arena *)&ct.mask[k];
}

static __always_inline bool in_range(u32 k, u32 cid)
{
	return cid >= base[k] && cid < base[k] + nr_cids[k];
}

static __always_inline bool model(u32 k, u32 cid)
{
	return cid < CMASK_TEST_CIDS && ct.model[k][cid];
}

static __always_inline u32 random(void)
{
	seed = seed * 6364136223846793005ULL + 1442695040888963407ULL;
	return seed >> 33;
}

static __always_inline void expect(bool right, enum cmask_wrong what, u32 cid)
{
	nr_checks++;
	if (!right && !wrong) {
		wrong = what;
		wrong_cid = cid;
	}
}

/* All bits of the words that @k has are what the model says, and none out of its range. */
static __always_inline void expect_model(u32 k, enum cmask_wrong what)
{
	u32 first = base[k] / 64, cid;
	bool bit;

	expect(mask(k)->base == base[k] && mask(k)->nr_cids == nr_cids[k], what, ~0U);
	if (!nr_cids[k])
		return;
	bpf_for(cid, first * 64, ((base[k] + nr_cids[k] - 1) / 64 + 1) * 64) {
		bit = mask(k)->bits[cid / 64 - first] & (1ULL << (cid % 64));
		expect(bit == model(k, cid), what, cid);
	}
}

static __always_inline void fill(u32 k)
{
	u32 from = base[k] > 3 ? base[k] - 3 : 0, density = random() % 4, cid, r;

	cmask_init(mask(k), base[k], nr_cids[k]);
	bpf_for(cid, 0, CMASK_TEST_CIDS)
		ct.model[k][cid] = 0;
	/* some before and behind, too, which has to change nothing */
	bpf_for(cid, from, base[k] + nr_cids[k] + 3) {
		r = random() % 16;
		if (r <= density * 4) {
			if (r & 1)
				cmask_set(cid, mask(k));
			else
				__cmask_set(cid, mask(k));
			ct.model[k][cid] = in_range(k, cid);
		}
	}
	bpf_for(cid, from, base[k] + nr_cids[k] + 3) {
		r = random() % 16;
		if (r < 2) {
			if (r & 1)
				cmask_clear(cid, mask(k));
			else
				__cmask_clear(cid, mask(k));
			ct.model[k][cid] = 0;
		}
	}
}

SEC("syscall")
int setup_a(void *ctx)
{
	fill(A);
	expect_model(A, CMASK_SETUP);
	return 0;
}

SEC("syscall")
int setup_b(void *ctx)
{
	fill(B);
	expect_model(B, CMASK_SETUP);
	return 0;
}

SEC("syscall")
int setup_c(void *ctx)
{
	fill(C);
	expect_model(C, CMASK_SETUP);
	return 0;
}

/* D becomes what A is. */
static __always_inline void copy_a(void)
{
	u32 i;

	base[D] = base[A];
	nr_cids[D] = nr_cids[A];
	bpf_for(i, 0, CMASK_TEST_WORDS)
		ct.mask[D][i] = ct.mask[A][i];
	bpf_for(i, 0, CMASK_TEST_CIDS)
		ct.model[D][i] = ct.model[A][i];
}

#define BINARY(name, what, expr)						\
SEC("syscall")									\
int name(void *ctx)								\
{										\
	bool a, b;								\
	u32 cid;								\
										\
	copy_a();								\
	cmask_##name(mask(D), mask(B));						\
	bpf_for(cid, 0, CMASK_TEST_CIDS) {					\
		if (!in_range(A, cid) || !in_range(B, cid))			\
			continue;						\
		a = ct.model[A][cid];						\
		b = ct.model[B][cid];						\
		ct.model[D][cid] = expr;					\
	}									\
	expect_model(D, what);							\
	return 0;								\
}

BINARY(and, CMASK_AND, a && b)
BINARY(or, CMASK_OR, a || b)
BINARY(copy, CMASK_COPY, b | (a & 0))
BINARY(andnot, CMASK_ANDNOT, a && !b)

SEC("syscall")
int zero(void *ctx)
{
	u32 cid;

	copy_a();
	cmask_zero(mask(D));
	bpf_for(cid, 0, CMASK_TEST_CIDS)
		ct.model[D][cid] = 0;
	expect_model(D, CMASK_ZERO);
	return 0;
}

/* What is left of A in another range of the same length. */
SEC("syscall")
int reframe(void *ctx)
{
	u32 shift = random() % 70, cid;

	copy_a();
	base[D] = shift;
	cmask_reframe(mask(D), base[D], nr_cids[D]);
	/* garbage in the middle: set each cid to something */
	bpf_for(cid, 0, CMASK_TEST_CIDS) {
		ct.model[D][cid] = 0;
		if (!in_range(D, cid))
			continue;
		if (random() % 2) {
			__cmask_set(cid, mask(D));
			ct.model[D][cid] = 1;
		} else {
			__cmask_clear(cid, mask(D));
		}
	}
	expect_model(D, CMASK_REFRAME);
	return 0;
}

SEC("syscall")
int test_and(void *ctx)
{
	u32 i, cid;
	bool was;

	copy_a();
	bpf_for(i, 0, 200) {
		cid = base[A] + random() % (nr_cids[A] + 2);
		was = model(D, cid);
		expect(cmask_test(cid, mask(D)) == was, CMASK_TEST_AND, cid);
		switch (random() % 4) {
		case 0:
			expect(cmask_test_and_set(cid, mask(D)) == was, CMASK_TEST_AND, cid);
			ct.model[D][cid] = in_range(D, cid);
			break;
		case 1:
			expect(__cmask_test_and_set(cid, mask(D)) == was, CMASK_TEST_AND, cid);
			ct.model[D][cid] = in_range(D, cid);
			break;
		case 2:
			expect(cmask_test_and_clear(cid, mask(D)) == was, CMASK_TEST_AND, cid);
			ct.model[D][cid] = 0;
			break;
		case 3:
			expect(__cmask_test_and_clear(cid, mask(D)) == was, CMASK_TEST_AND, cid);
			ct.model[D][cid] = 0;
			break;
		}
	}
	expect_model(D, CMASK_TEST_AND);
	return 0;
}

SEC("syscall")
int compare(void *ctx)
{
	u32 subset = 1, intersects = 0, equal, weight = 0, cid, a, b;

	equal = base[A] == base[B] && nr_cids[A] == nr_cids[B];
	bpf_for(cid, 0, CMASK_TEST_CIDS) {
		/* no branches: the verifier would follow each combination */
		a = ct.model[A][cid];
		b = ct.model[B][cid];
		weight += a;
		intersects |= a & b;
		subset &= (a ^ 1) | b;
		equal &= a ^ b ^ 1;
	}
	expect(cmask_weight(mask(A)) == weight, CMASK_WEIGHT, weight);
	expect(cmask_intersects(mask(A), mask(B)) == intersects, CMASK_INTERSECTS, intersects);
	expect(cmask_subset(mask(A), mask(B)) == subset, CMASK_SUBSET, subset);
	expect(cmask_equal(mask(A), mask(B)) == equal, CMASK_EQUAL, equal);

	/* in memory, where the verifier doesn't follow how they grow */
	seen = 0;
	next = 0;
	cmask_for_each(cid, mask(A)) {
		expect(model(A, cid) && cid >= next, CMASK_FOR_EACH, cid);
		next = cid + 1;
		seen++;
	}
	expect(seen == weight, CMASK_FOR_EACH, seen);
	return 0;
}

/* What is equal, and what isn't quite. */
SEC("syscall")
int compare_copy(void *ctx)
{
	u32 cid = base[A] + random() % (nr_cids[A] ?: 1);

	copy_a();
	expect(cmask_equal(mask(A), mask(D)), CMASK_EQUAL, 1);
	expect(cmask_subset(mask(A), mask(D)), CMASK_SUBSET, 1);
	if (!in_range(A, cid))
		return 0;
	if (__cmask_test_and_set(cid, mask(D))) {
		__cmask_clear(cid, mask(D));
		expect(!cmask_subset(mask(A), mask(D)), CMASK_SUBSET, cid);
		expect(cmask_subset(mask(D), mask(A)), CMASK_SUBSET, cid);
	} else {
		expect(cmask_subset(mask(A), mask(D)), CMASK_SUBSET, cid);
		expect(!cmask_subset(mask(D), mask(A)), CMASK_SUBSET, cid);
	}
	expect(!cmask_equal(mask(A), mask(D)), CMASK_EQUAL, cid);
	return 0;
}

/* the first from @from on, before @to, that is in all; @end if there is none */
static __always_inline u32 first_in(u32 nr_masks, u32 from, u32 to, u32 end)
{
	u32 cid;

	bpf_for(cid, from, to)
		if (in_range(A, cid) && model(A, cid) && (nr_masks < 2 || model(B, cid)) &&
		    (nr_masks < 3 || model(C, cid)))
			return cid;
	return end;
}

#define SEARCH(name, nr_masks, what, what_wrap, ...)				\
SEC("syscall")									\
int name(void *ctx)								\
{										\
	u32 end = base[A] + nr_cids[A], i, cid, right, wrapped;			\
										\
	bpf_for(i, 0, 12) {							\
		cid = i < 2 ? i : base[A] + random() % (nr_cids[A] + 3);	\
		right = first_in(nr_masks, cid, end, end);			\
		expect(cmask_next_##name(__VA_ARGS__, cid) == right, what, cid);	\
		wrapped = right < end ? right : first_in(nr_masks, base[A], end, end); \
		expect(cmask_next_##name##_wrap(__VA_ARGS__, cid) == wrapped,	\
		       what_wrap, cid);						\
	}									\
	return 0;								\
}

SEARCH(set, 1, CMASK_NEXT, CMASK_NEXT_WRAP, mask(A))
SEARCH(and_set, 2, CMASK_NEXT_AND, CMASK_NEXT_AND_WRAP, mask(A), mask(B))
SEARCH(and2_set, 3, CMASK_NEXT_AND2, CMASK_NEXT_AND2_WRAP, mask(A), mask(B), mask(C))

SEC("syscall")
int from_cpumask(void *ctx)
{
	struct task_struct *p = bpf_get_current_task_btf();
	u32 nr_cpus = scx_bpf_nr_cpu_ids(), cpu, weight = 0;

	cmask_init(mask(D), 0, scx_bpf_nr_cids());
	cmask_set(0, mask(D));
	bpf_rcu_read_lock();
	cmask_from_cpumask(mask(D), p->cpus_ptr);
	bpf_for(cpu, 0, nr_cpus) {
		if (!bpf_cpumask_test_cpu(cpu, p->cpus_ptr))
			continue;
		expect(cmask_test(scx_bpf_cpu_to_cid(cpu), mask(D)), CMASK_FROM_CPUMASK, cpu);
		weight++;
	}
	bpf_rcu_read_unlock();
	expect(cmask_weight(mask(D)) == weight, CMASK_FROM_CPUMASK, ~0U);
	return 0;
}

/* Each cid is won once, whoever runs this at the same time. */
SEC("syscall")
int win_set(void *ctx)
{
	u64 won = 0;
	u32 cid;

	bpf_for(cid, base[A], base[A] + nr_cids[A])
		won += !cmask_test_and_set(cid, mask(A));
	__sync_fetch_and_add(&nr_won, won);
	return 0;
}

SEC("syscall")
int win_clear(void *ctx)
{
	u64 won = 0;
	u32 cid;

	bpf_for(cid, base[A], base[A] + nr_cids[A])
		won += cmask_test_and_clear(cid, mask(A));
	__sync_fetch_and_add(&nr_won, won);
	return 0;
}
