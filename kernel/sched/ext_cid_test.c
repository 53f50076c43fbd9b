// SPDX-License-Identifier: GPL-2.0
/*
 * KUnit tests for the assignment of cids and for cmasks, ext_cid.c, on machines
 * that exist in a description only.
 */
#include <kunit/test.h>
#include <linux/prandom.h>
#include "ext_cid.h"

struct scx_cid_machine {
	u32			nr_cpus, nr_cids;
	struct scx_cid_cpu	*cpus;
	struct scx_cid_map	*map;
};

/* A machine without CPUs. */
static struct scx_cid_machine *scx_cid_machine(struct kunit *test, u32 nr_cpus)
{
	struct scx_cid_machine *m = kunit_kzalloc(test, sizeof(*m), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, m);
	m->nr_cpus = nr_cpus;
	m->cpus = kunit_kcalloc(test, nr_cpus, sizeof(*m->cpus), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, m->cpus);
	return m;
}

static void scx_cid_add_cpu(struct scx_cid_machine *m, u32 cpu, s32 node, s32 llc, s32 core)
{
	m->cpus[cpu] = (struct scx_cid_cpu){ true, true, node, llc, core };
	m->nr_cids++;
}

static void scx_cid_kvfree(void *p)
{
	kvfree(p);
}

static void scx_cid_machine_build(struct kunit *test, struct scx_cid_machine *m)
{
	m->map = scx_cid_map_alloc(m->nr_cpus, m->nr_cids);
	KUNIT_ASSERT_NOT_NULL(test, m->map);
	KUNIT_ASSERT_EQ(test, kunit_add_action_or_reset(test, scx_cid_kvfree, m->map), 0);
	/* what isn't written is seen */
	memset(m->map->topo, 0x5a, m->nr_cids * sizeof(*m->map->topo));
	memset(m->map->cid_to_cpu, 0x5a, m->nr_cids * sizeof(s32));
	memset(m->map->cpu_to_cid, 0x5a, m->nr_cpus * sizeof(s32));
	KUNIT_ASSERT_EQ(test, scx_cid_build(m->map, m->cpus), 0);
}

/* Is @b in the same unit as @a? */
static bool scx_cid_together(const struct scx_cid_machine *m, u32 a, u32 b, enum scx_cid_unit unit)
{
	const struct scx_cid_cpu *l = &m->cpus[a], *r = &m->cpus[b];

	if (!r->possible || !r->online || l->node != r->node)
		return false;
	if (unit >= SCX_CID_LLC && l->llc != r->llc && (l->llc >= 0 || r->llc >= 0))
		return false;
	return unit < SCX_CID_CORE || l->core == r->core;
}

static u32 scx_cid_lowest(const struct scx_cid_machine *m, u32 cpu, enum scx_cid_unit unit)
{
	u32 other = 0;

	while (!scx_cid_together(m, cpu, other, unit))
		other++;
	return other;
}

/* The cid of a CPU by counting those that come before it. */
static s32 scx_cid_rank(const struct scx_cid_machine *m, u32 cpu)
{
	u32 mine[SCX_CID_NR_UNITS], other;
	s32 rank = 0;
	int unit;

	for (unit = 0; unit < SCX_CID_NR_UNITS; unit++)
		mine[unit] = scx_cid_lowest(m, cpu, unit);
	for (other = 0; other < m->nr_cpus; other++) {
		bool before = other < cpu;

		if (!m->cpus[other].possible)
			continue;
		if (m->cpus[cpu].online != m->cpus[other].online) {
			rank += m->cpus[other].online;
			continue;
		}
		for (unit = 0; unit < SCX_CID_NR_UNITS && m->cpus[cpu].online; unit++) {
			u32 theirs = scx_cid_lowest(m, other, unit);

			if (theirs != mine[unit]) {
				before = theirs < mine[unit];
				break;
			}
		}
		rank += before;
	}
	return rank;
}

/* Compare @m's map with what its description says, on one CPU in @step. */
static void scx_cid_check(struct kunit *test, struct scx_cid_machine *m, u32 step)
{
	const struct scx_cid_topo *topo, none = { -1, -1, -1, -1, -1, -1 };
	const struct scx_cid_map *map = m->map;
	u32 cpu, cid;

	for (cpu = 0; cpu < m->nr_cpus; cpu++)
		if (!m->cpus[cpu].possible)
			KUNIT_ASSERT_EQ(test, map->cpu_to_cid[cpu], -1);

	for (cid = 0; cid < m->nr_cids; cid++) {
		cpu = map->cid_to_cpu[cid];
		topo = &map->topo[cid];
		KUNIT_ASSERT_LT(test, cpu, m->nr_cpus);
		KUNIT_ASSERT_TRUE(test, m->cpus[cpu].possible);
		KUNIT_ASSERT_EQ(test, map->cpu_to_cid[cpu], cid);
		if (!m->cpus[cpu].online) {
			KUNIT_ASSERT_MEMEQ(test, topo, &none, sizeof(none));
			continue;
		}
		/* units are counted as they begin */
		KUNIT_ASSERT_EQ(test, topo->node_idx, (cid ? topo[-1].node_idx : -1) +
				(topo->node_cid == cid));
		KUNIT_ASSERT_EQ(test, topo->llc_idx, (cid ? topo[-1].llc_idx : -1) +
				(topo->llc_cid == cid));
		KUNIT_ASSERT_EQ(test, topo->core_idx, (cid ? topo[-1].core_idx : -1) +
				(topo->core_cid == cid));
	}

	for (cpu = 0; cpu < m->nr_cpus; cpu += step) {
		if (!m->cpus[cpu].possible)
			continue;
		cid = map->cpu_to_cid[cpu];
		topo = &map->topo[cid];
		KUNIT_ASSERT_EQ(test, cid, (m->cpus[cpu].online ? scx_cid_rank(m, cpu) : cid));
		if (!m->cpus[cpu].online)
			continue;
		KUNIT_ASSERT_EQ(test, map->cid_to_cpu[topo->node_cid],
				scx_cid_lowest(m, cpu, SCX_CID_NODE));
		KUNIT_ASSERT_EQ(test, map->cid_to_cpu[topo->llc_cid],
				scx_cid_lowest(m, cpu, SCX_CID_LLC));
		KUNIT_ASSERT_EQ(test, map->cid_to_cpu[topo->core_cid],
				scx_cid_lowest(m, cpu, SCX_CID_CORE));
	}
}

static void scx_cid_expect(struct kunit *test, struct scx_cid_machine *m, const s32 *cpus)
{
	scx_cid_machine_build(test, m);
	KUNIT_EXPECT_MEMEQ(test, m->map->cid_to_cpu, cpus, m->nr_cids * sizeof(*cpus));
	scx_cid_check(test, m, 1);
}

static void one_cpu_is_cid_0(struct kunit *test)
{
	struct scx_cid_machine *m = scx_cid_machine(test, 1);
	const struct scx_cid_topo first = {};

	scx_cid_add_cpu(m, 0, 0, 0, 0);
	scx_cid_expect(test, m, (s32 []){ 0 });
	KUNIT_EXPECT_MEMEQ(test, m->map->topo, &first, sizeof(first));
}

/* Two nodes of two caches of two cores of two threads, numbered from the inside out. */
static void cids_follow_the_topology(struct kunit *test)
{
	static const s32 expected[] = { 0, 8, 4, 12, 2, 10, 6, 14, 1, 9, 5, 13, 3, 11, 7, 15 };
	static const struct scx_cid_topo eleventh = { 10, 5, 8, 2, 8, 1 };
	struct scx_cid_machine *m = scx_cid_machine(test, 16);
	u32 cpu;

	for (cpu = 0; cpu < 16; cpu++)
		scx_cid_add_cpu(m, cpu, cpu % 2, cpu % 4, cpu % 8);
	scx_cid_expect(test, m, expected);
	KUNIT_EXPECT_MEMEQ(test, &m->map->topo[11], &eleventh, sizeof(eleventh));
}

static void siblings_far_apart_are_neighbours(struct kunit *test)
{
	struct scx_cid_machine *m = scx_cid_machine(test, 8);
	u32 cpu;

	for (cpu = 0; cpu < 8; cpu++)
		scx_cid_add_cpu(m, cpu, 0, 7, cpu % 4);
	scx_cid_expect(test, m, (s32 []){ 0, 4, 1, 5, 2, 6, 3, 7 });
}

/* Neither the numbers of nodes, caches and cores nor their order matter, only CPU numbers. */
static void units_come_in_order_of_their_lowest_cpu(struct kunit *test)
{
	struct scx_cid_machine *m = scx_cid_machine(test, 8);

	scx_cid_add_cpu(m, 0, 9, 50, 3);
	scx_cid_add_cpu(m, 1, 4, 60, 2);
	scx_cid_add_cpu(m, 2, 4, 40, 1);
	scx_cid_add_cpu(m, 3, 9, 10, 0);
	scx_cid_add_cpu(m, 4, 9, 50, 0);
	scx_cid_add_cpu(m, 5, 9, 50, 3);
	scx_cid_add_cpu(m, 6, 4, 60, 2);
	scx_cid_add_cpu(m, 7, 4, 40, 0);
	scx_cid_expect(test, m, (s32 []){ 0, 5, 4, 3, 1, 6, 2, 7 });
}

static void a_cache_of_two_nodes_counts_as_two(struct kunit *test)
{
	struct scx_cid_machine *m = scx_cid_machine(test, 8);
	u32 cpu;

	for (cpu = 0; cpu < 8; cpu++)
		scx_cid_add_cpu(m, cpu, cpu % 2, 0, cpu);
	scx_cid_expect(test, m, (s32 []){ 0, 2, 4, 6, 1, 3, 5, 7 });
	KUNIT_EXPECT_EQ(test, m->map->topo[3].llc_idx, 0);
	KUNIT_EXPECT_EQ(test, m->map->topo[4].llc_idx, 1);
	KUNIT_EXPECT_EQ(test, m->map->topo[4].llc_cid, 4);
}

static void cids_have_no_gaps(struct kunit *test)
{
	struct scx_cid_machine *m = scx_cid_machine(test, 12);

	scx_cid_add_cpu(m, 1, 0, 0, 1);
	scx_cid_add_cpu(m, 4, 0, 0, 4);
	scx_cid_add_cpu(m, 6, 0, 0, 1);
	scx_cid_add_cpu(m, 11, 0, 0, 4);
	scx_cid_expect(test, m, (s32 []){ 1, 6, 4, 11 });
}

static void offline_cpus_come_last(struct kunit *test)
{
	struct scx_cid_machine *m = scx_cid_machine(test, 8);
	u32 cpu;

	for (cpu = 0; cpu < 8; cpu++)
		scx_cid_add_cpu(m, cpu, 0, 0, cpu / 2);
	m->cpus[0].online = false;
	m->cpus[4].online = false;
	m->cpus[7].online = false;
	scx_cid_expect(test, m, (s32 []){ 1, 2, 3, 5, 6, 0, 4, 7 });

	/* assigned anew, in the same map */
	m->cpus[0].online = true;
	m->cpus[4].online = true;
	m->cpus[2].online = false;
	KUNIT_ASSERT_EQ(test, scx_cid_build(m->map, m->cpus), 0);
	KUNIT_EXPECT_MEMEQ(test, m->map->cid_to_cpu, ((s32 []){ 0, 1, 3, 4, 5, 6, 2, 7 }),
			   8 * sizeof(s32));
	scx_cid_check(test, m, 1);
}

static void without_a_cache_the_node_takes_its_place(struct kunit *test)
{
	struct scx_cid_machine *m = scx_cid_machine(test, 8);
	u32 cpu;

	for (cpu = 0; cpu < 8; cpu++)
		scx_cid_add_cpu(m, cpu, cpu / 4, -1 - cpu, cpu);
	scx_cid_expect(test, m, (s32 []){ 0, 1, 2, 3, 4, 5, 6, 7 });
	KUNIT_EXPECT_EQ(test, m->map->topo[3].llc_cid, 0);
	KUNIT_EXPECT_EQ(test, m->map->topo[7].llc_cid, 4);
	KUNIT_EXPECT_EQ(test, m->map->topo[7].llc_idx, 1);
}

static struct scx_cid_machine *scx_cid_random_machine(struct kunit *test, struct rnd_state *rnd,
						      u32 nr_cpus)
{
	struct scx_cid_machine *m = scx_cid_machine(test, nr_cpus);
	u32 nodes = 1 + prandom_u32_state(rnd) % 4, llcs = 1 + prandom_u32_state(rnd) % 8;
	u32 cores = 1 + prandom_u32_state(rnd) % nr_cpus, cpu;

	for (cpu = 0; cpu < nr_cpus; cpu++) {
		/* one has to be there */
		if (cpu && !(prandom_u32_state(rnd) % 8))
			continue;
		scx_cid_add_cpu(m, cpu, prandom_u32_state(rnd) % nodes,
				(s32)(prandom_u32_state(rnd) % llcs) - 1,
				prandom_u32_state(rnd) % cores);
		if (cpu)
			m->cpus[cpu].online = prandom_u32_state(rnd) % 8;
	}
	scx_cid_machine_build(test, m);
	return m;
}

static void random_machines_are_ordered(struct kunit *test)
{
	struct rnd_state rnd;
	int i;

	prandom_seed_state(&rnd, 4);
	for (i = 0; i < 100; i++)
		scx_cid_check(test, scx_cid_random_machine(test, &rnd,
							   1 + prandom_u32_state(&rnd) % 40), 1);
}

static void machine_with_4096_cpus_is_ordered(struct kunit *test)
{
	struct scx_cid_machine *m = scx_cid_machine(test, 4096);
	u32 cpu;

	/* 8 nodes, 16 caches each, 16 cores each, 2 threads each, half the machine apart */
	for (cpu = 0; cpu < 4096; cpu++)
		scx_cid_add_cpu(m, cpu, cpu % 2048 / 256, cpu % 2048 / 16, cpu % 2048);
	scx_cid_machine_build(test, m);
	scx_cid_check(test, m, 389);
	KUNIT_EXPECT_EQ(test, m->map->topo[4095].node_idx, 7);
	KUNIT_EXPECT_EQ(test, m->map->topo[4095].llc_idx, 127);
	KUNIT_EXPECT_EQ(test, m->map->topo[4095].core_idx, 2047);
	KUNIT_EXPECT_EQ(test, m->map->topo[4095].core_cid, 4094);
}

/* Fill a cmask with random CPUs and compare bit by bit. */
static void scx_cid_check_cmask(struct kunit *test, const struct scx_cid_machine *m,
				struct rnd_state *rnd)
{
	u32 nr_words = SCX_CMASK_NR_WORDS(m->nr_cids), cid, i;
	u32 longs = BITS_TO_LONGS(m->nr_cpus);
	struct scx_cmask *cmask;
	unsigned long *cpus;

	/* exactly as large as they must be, so that KASAN sees what is too much */
	cpus = kunit_kcalloc(test, longs, sizeof(long), GFP_KERNEL);
	cmask = kunit_kzalloc(test, struct_size(cmask, bits, nr_words), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, cpus);
	KUNIT_ASSERT_NOT_NULL(test, cmask);
	prandom_bytes_state(rnd, cpus, longs * sizeof(long));
	memset(cmask, 0xff, struct_size(cmask, bits, nr_words));

	scx_cmask_fill(cmask, m->map, to_cpumask(cpus));
	KUNIT_ASSERT_EQ(test, cmask->base, 0);
	KUNIT_ASSERT_EQ(test, cmask->nr_cids, m->nr_cids);
	KUNIT_ASSERT_EQ(test, cmask->alloc_words, nr_words);
	for (cid = 0; cid < m->nr_cids; cid++)
		KUNIT_ASSERT_EQ(test, cmask->bits[cid / 64] >> cid % 64 & 1,
				test_bit(m->map->cid_to_cpu[cid], cpus));
	for (; cid < nr_words * 64; cid++)
		KUNIT_ASSERT_EQ(test, cmask->bits[cid / 64] >> cid % 64 & 1, 0);

	/* words are taken whole where they can be, and only there */
	for (i = 0; i < DIV_ROUND_UP(m->nr_cids, 64); i++) {
		s32 cpu = m->map->cid_to_cpu[i * 64];

		for (cid = i * 64; cid < m->nr_cids && cid / 64 == i; cid++)
			if (m->map->cid_to_cpu[cid] != m->map->cid_to_cpu[i * 64] + cid % 64)
				cpu = -1;
		KUNIT_ASSERT_EQ(test, m->map->word_cpu[i], cpu);
	}
}

static void cmasks_of_consecutive_cpus_equal_cpumasks(struct kunit *test)
{
	struct rnd_state rnd;
	u32 first, nr, cpu;

	prandom_seed_state(&rnd, 5);
	/* at each place in a word, ending with the last bit of the cpumask */
	for (first = 0; first < 70; first += 1 + first % 3)
		for (nr = 1; nr < 200; nr = nr * 5 / 3 + 1) {
			struct scx_cid_machine *m = scx_cid_machine(test, first + nr);

			for (cpu = first; cpu < first + nr; cpu++)
				scx_cid_add_cpu(m, cpu, 0, 0, cpu);
			scx_cid_machine_build(test, m);
			scx_cid_check_cmask(test, m, &rnd);
			KUNIT_ASSERT_EQ(test, m->map->word_cpu[0], first);
		}
}

static void cmasks_of_scattered_cpus_equal_cpumasks(struct kunit *test)
{
	struct rnd_state rnd;
	int i;

	prandom_seed_state(&rnd, 6);
	for (i = 0; i < 100; i++)
		scx_cid_check_cmask(test, scx_cid_random_machine(test, &rnd,
								 1 + prandom_u32_state(&rnd) % 300),
				    &rnd);
}

static struct kunit_case scx_cid_cases[] = {
	KUNIT_CASE(one_cpu_is_cid_0),
	KUNIT_CASE(cids_follow_the_topology),
	KUNIT_CASE(siblings_far_apart_are_neighbours),
	KUNIT_CASE(units_come_in_order_of_their_lowest_cpu),
	KUNIT_CASE(a_cache_of_two_nodes_counts_as_two),
	KUNIT_CASE(cids_have_no_gaps),
	KUNIT_CASE(offline_cpus_come_last),
	KUNIT_CASE(without_a_cache_the_node_takes_its_place),
	KUNIT_CASE(random_machines_are_ordered),
	KUNIT_CASE(machine_with_4096_cpus_is_ordered),
	KUNIT_CASE(cmasks_of_consecutive_cpus_equal_cpumasks),
	KUNIT_CASE(cmasks_of_scattered_cpus_equal_cpumasks),
	{}
};

static struct kunit_suite scx_cid_suite = {
	.name		= "scx_cid",
	.test_cases	= scx_cid_cases,
};

kunit_test_suite(scx_cid_suite);
