// SPDX-License-Identifier: GPL-2.0
/*
 * sched_ext: CPUs in the order of their topology, and the schedulers that count
 * them so.
 *
 * CPU numbers say little about a machine: siblings may lie far apart, and there
 * may be gaps. A cid is a number for a CPU too, from 0 to the number of possible
 * CPUs. CPUs of a core, of a last level cache, and of a NUMA node have cids that
 * follow each other, so that a range of cids is a part of the machine.
 *
 * Cids are assigned when a scheduler is enabled and stay while it is. CPUs that
 * are offline then come last, without topology. See scx_cid_build().
 *
 * A scheduler of the cid form, struct sched_ext_ops_cid, sees nothing but cids.
 * ext.c translates where it calls out and where answers come in. Sets of cids are
 * cmasks in the scheduler's arena. The kernel writes them, from what it has in its
 * own memory, and never reads them: the scheduler can write there too.
 */
#include <linux/bpf_verifier.h>
#include <linux/btf_ids.h>
#include <linux/cacheinfo.h>
#include <linux/sort.h>
#include <linux/topology.h>
#include "ext_arena.h"
#include "ext_cid.h"

DEFINE_STATIC_KEY_FALSE(__scx_cid_form);

struct scx_cid_map *scx_cids;

/* Held while cids are assigned. Nests inside scx_ops_enable_mutex and cpus_read_lock(). */
static DEFINE_MUTEX(scx_cid_mutex);

/* What a CPU is part of, from the outside in. */
enum scx_cid_unit {
	SCX_CID_NODE,
	SCX_CID_LLC,
	SCX_CID_CORE,
	SCX_CID_NR_UNITS,
};

/* A CPU on its way to a cid. */
struct scx_cid_place {
	s32	cpu;
	s32	unit[SCX_CID_NR_UNITS];
};

/**
 * scx_cid_map_alloc - Make a map of cids
 * @nr_cpus: one more than the highest number of a CPU
 * @nr_cids: how many CPUs are possible
 *
 * Context: Process context. May sleep.
 * Return: a map without entries, to be freed with kvfree(), or NULL.
 */
struct scx_cid_map *scx_cid_map_alloc(u32 nr_cpus, u32 nr_cids)
{
	u32 nr_words = DIV_ROUND_UP(nr_cids, 64);
	struct scx_cid_map *map;

	map = kvzalloc(size_add(sizeof(*map), size_add(array_size(nr_cids, sizeof(*map->topo)),
						       array_size(nr_cpus + nr_cids + nr_words,
								  sizeof(s32)))),
		       GFP_KERNEL);
	if (!map)
		return NULL;
	map->nr_cpus = nr_cpus;
	map->nr_cids = nr_cids;
	map->topo = (void *)(map + 1);
	map->cpu_to_cid = (void *)(map->topo + nr_cids);
	map->cid_to_cpu = map->cpu_to_cid + nr_cpus;
	map->word_cpu = map->cid_to_cpu + nr_cids;
	return map;
}

static int scx_cid_cmp(const void *l, const void *r)
{
	const struct scx_cid_place *a = l, *b = r;
	int unit;

	for (unit = 0; unit < SCX_CID_NR_UNITS; unit++)
		if (a->unit[unit] != b->unit[unit])
			return a->unit[unit] < b->unit[unit] ? -1 : 1;
	return a->cpu < b->cpu ? -1 : 1;
}

static bool scx_cid_same_unit(const struct scx_cid_place *a, const struct scx_cid_place *b,
			      enum scx_cid_unit innermost)
{
	return !memcmp(a->unit, b->unit, (innermost + 1) * sizeof(a->unit[0]));
}

/* Name each unit after its lowest CPU. CPUs of a unit follow each other. */
static void scx_cid_name_units(struct scx_cid_place *places, u32 nr, enum scx_cid_unit unit)
{
	u32 start, end, i;

	for (start = 0; start < nr; start = end) {
		s32 lowest = places[start].cpu;

		for (end = start + 1; end < nr; end++) {
			if (!scx_cid_same_unit(&places[start], &places[end], unit))
				break;
			lowest = min(lowest, places[end].cpu);
		}
		for (i = start; i < end; i++)
			places[i].unit[unit] = lowest;
	}
}

static void scx_cid_enter(struct scx_cid_map *map, u32 cid, s32 cpu, struct scx_cid_topo topo)
{
	WRITE_ONCE(map->cid_to_cpu[cid], cpu);
	WRITE_ONCE(map->cpu_to_cid[cpu], cid);
	map->topo[cid] = topo;
}

/* The CPU of the first cid of @word, if those of the others follow it. */
static s32 scx_cid_word_cpu(const struct scx_cid_map *map, u32 word)
{
	u32 first = word * 64, end = min(first + 64, map->nr_cids), cid;

	for (cid = first + 1; cid < end; cid++)
		if (map->cid_to_cpu[cid] != map->cid_to_cpu[cid - 1] + 1)
			return -1;
	return map->cid_to_cpu[first];
}

/**
 * scx_cid_build - Assign cids
 * @map: from scx_cid_map_alloc(), to be filled
 * @cpus: the machine, @map->nr_cpus entries of which @map->nr_cids are possible
 *
 * Online CPUs come first: node by node, in a node cache by cache, in a cache core
 * by core, in a core thread by thread, each in order of the lowest CPU number in
 * it. CPUs of which no cache is known share one by node. A cache of two nodes
 * counts as two. Possible CPUs that are offline follow.
 *
 * A pure function of its arguments, but for memory.
 *
 * Context: Process context. May sleep.
 * Return: 0, or -%ENOMEM with @map as it was.
 */
int scx_cid_build(struct scx_cid_map *map, const struct scx_cid_cpu *cpus)
{
	struct scx_cid_topo topo = { -1, -1, -1, -1, -1, -1 };
	struct scx_cid_place *places __free(kvfree) = NULL;
	u32 nr = 0, cid, word;
	int unit;
	s32 cpu;

	places = kvcalloc(map->nr_cids, sizeof(*places), GFP_KERNEL);
	if (!places)
		return -ENOMEM;

	for (cpu = 0; cpu < map->nr_cpus; cpu++) {
		if (!cpus[cpu].possible || !cpus[cpu].online)
			continue;
		places[nr].cpu = cpu;
		places[nr].unit[SCX_CID_NODE] = cpus[cpu].node;
		places[nr].unit[SCX_CID_LLC] = max(cpus[cpu].llc, -1);
		places[nr].unit[SCX_CID_CORE] = cpus[cpu].core;
		nr++;
	}

	/* bring units together, name them by what orders them, order them */
	sort(places, nr, sizeof(*places), scx_cid_cmp, NULL);
	for (unit = SCX_CID_NR_UNITS - 1; unit >= 0; unit--)
		scx_cid_name_units(places, nr, unit);
	sort(places, nr, sizeof(*places), scx_cid_cmp, NULL);

	for (cid = 0; cid < nr; cid++) {
		if (!cid || !scx_cid_same_unit(&places[cid], &places[cid - 1], SCX_CID_NODE)) {
			topo.node_cid = cid;
			topo.node_idx++;
		}
		if (!cid || !scx_cid_same_unit(&places[cid], &places[cid - 1], SCX_CID_LLC)) {
			topo.llc_cid = cid;
			topo.llc_idx++;
		}
		if (!cid || !scx_cid_same_unit(&places[cid], &places[cid - 1], SCX_CID_CORE)) {
			topo.core_cid = cid;
			topo.core_idx++;
		}
		scx_cid_enter(map, cid, places[cid].cpu, topo);
	}

	memset(&topo, -1, sizeof(topo));
	for (cpu = 0; cpu < map->nr_cpus; cpu++) {
		if (!cpus[cpu].possible)
			WRITE_ONCE(map->cpu_to_cid[cpu], -1);
		else if (!cpus[cpu].online)
			scx_cid_enter(map, cid++, cpu, topo);
	}

	for (word = 0; word < DIV_ROUND_UP(map->nr_cids, 64); word++)
		map->word_cpu[word] = scx_cid_word_cpu(map, word);
	return 0;
}

/* The cids of one word, whose CPUs may lie anywhere. */
static noinline u64 scx_cmask_word_slow(const struct scx_cid_map *map,
					const struct cpumask *mask, u32 word)
{
	u32 first = word * 64, nr = min(map->nr_cids - first, 64), i;
	s32 cpu = map->word_cpu[word];
	u64 bits = 0;

	if (IS_ENABLED(CONFIG_64BIT) && cpu >= 0)
		return bitmap_read(cpumask_bits(mask), cpu, nr);

	for (i = 0; i < nr; i++)
		bits |= (u64)test_bit(map->cid_to_cpu[first + i], cpumask_bits(mask)) << i;
	return bits;
}

/* The cids of one word of a cmask that starts at 0: most often, a word of the cpumask. */
static __always_inline u64 scx_cmask_word(const struct scx_cid_map *map,
					  const struct cpumask *mask, u32 word)
{
	u32 nr = min(map->nr_cids - word * 64, 64), cpu = map->word_cpu[word];
	/* by way of a pointer: unit tests have machines with more than NR_CPUS */
	const unsigned long *bits = cpumask_bits(mask);

	if (IS_ENABLED(CONFIG_64BIT) && likely((s32)cpu >= 0 && !(cpu % 64)))
		return bits[cpu / 64] & (~0ULL >> (64 - nr));
	return scx_cmask_word_slow(map, mask, word);
}

/* Inline, as each change of a task's affinity goes through here. */
static __always_inline void __scx_cmask_fill(struct scx_cmask *cmask,
					     const struct scx_cid_map *map,
					     const struct cpumask *mask)
{
	u32 nr_cids = map->nr_cids, nr_words = SCX_CMASK_NR_WORDS(nr_cids), word;

	WRITE_ONCE(cmask->base, 0);
	WRITE_ONCE(cmask->nr_cids, nr_cids);
	WRITE_ONCE(cmask->alloc_words, nr_words);
	for (word = 0; word < nr_words - 1; word++)
		WRITE_ONCE(cmask->bits[word], scx_cmask_word(map, mask, word));
	WRITE_ONCE(cmask->bits[word], 0);
}

/**
 * scx_cmask_fill - Write a set of CPUs as cids
 * @cmask: where to, with room for SCX_CMASK_NR_WORDS(@map->nr_cids) words
 * @map: which cids there are
 * @mask: the CPUs. Bits of CPUs that aren't possible don't matter.
 *
 * Writes all of @cmask and reads nothing of it.
 *
 * Context: Any.
 */
void scx_cmask_fill(struct scx_cmask *cmask, const struct scx_cid_map *map,
		    const struct cpumask *mask)
{
	__scx_cmask_fill(cmask, map, mask);
}

/* The last level cache of a CPU, by its lowest CPU; -1 if none is known. */
static s32 scx_cid_llc(int cpu)
{
	const struct cpu_cacheinfo *ci = get_cpu_cacheinfo(cpu);
	const struct cacheinfo *llc = NULL;
	unsigned int i, lowest;

	for (i = 0; ci && ci->info_list && i < ci->num_leaves; i++) {
		const struct cacheinfo *leaf = &ci->info_list[i];

		if ((leaf->type & (CACHE_TYPE_DATA | CACHE_TYPE_UNIFIED)) &&
		    (!llc || leaf->level > llc->level))
			llc = leaf;
	}
	lowest = llc ? cpumask_first(&llc->shared_cpu_map) : nr_cpu_ids;
	return lowest < nr_cpu_ids ? lowest : -1;
}

static void scx_cid_describe(struct scx_cid_cpu *cpus)
{
	static cpumask_t unknown;	/* under scx_cid_mutex */
	static bool said;
	int cpu;

	cpumask_clear(&unknown);
	for_each_possible_cpu(cpu) {
		cpus[cpu].possible = true;
		cpus[cpu].online = cpu_online(cpu);
		if (!cpus[cpu].online)
			continue;
		cpus[cpu].node = cpu_to_node(cpu);
		cpus[cpu].llc = scx_cid_llc(cpu);
		cpus[cpu].core = cpumask_first(topology_sibling_cpumask(cpu));
		if (cpus[cpu].llc < 0)
			cpumask_set_cpu(cpu, &unknown);
	}
	if (!said && !cpumask_empty(&unknown)) {
		pr_info("sched_ext: no cache known of CPUs %*pbl, their NUMA node takes its place\n",
			cpumask_pr_args(&unknown));
		said = true;
	}
}

static int __scx_cid_assign(void)
{
	struct scx_cid_cpu *cpus __free(kvfree) = NULL;
	struct scx_cid_map *map = scx_cids;
	int ret = -ENOMEM;

	lockdep_assert_cpus_held();
	lockdep_assert_held(&scx_cid_mutex);

	cpus = kvcalloc(nr_cpu_ids, sizeof(*cpus), GFP_KERNEL);
	if (!map)
		map = scx_cid_map_alloc(nr_cpu_ids, num_possible_cpus());
	if (cpus && map) {
		scx_cid_describe(cpus);
		ret = scx_cid_build(map, cpus);
	}
	if (!ret)
		/* whoever finds the map finds it filled */
		smp_store_release(&scx_cids, map);
	else if (map != scx_cids)
		kvfree(map);
	return ret;
}

/**
 * scx_cid_assign - Assign cids for a scheduler that is being enabled
 * @wanted: it needs them. Otherwise they are assigned only if there is a program
 *	that may ask for them.
 *
 * Context: Process context. May sleep. cpus_read_lock() and scx_ops_enable_mutex
 * are held.
 * Return: 0 or -%ENOMEM.
 */
int scx_cid_assign(bool wanted)
{
	guard(mutex)(&scx_cid_mutex);
	return wanted || scx_cids ? __scx_cid_assign() : 0;
}

/**
 * scx_cid_from_ops - Verify a cid
 * @cid: from a BPF scheduler, can be any value
 * @where: extra information reported on error, or NULL
 *
 * Context: Any.
 * Return: its CPU, or -%EINVAL after an ops error.
 */
s32 scx_cid_from_ops(s32 cid, const char *where)
{
	const struct scx_cid_map *map = READ_ONCE(scx_cids);

	if (likely(map && cid >= 0 && cid < map->nr_cids))
		return READ_ONCE(map->cid_to_cpu[cid]);

	scx_ops_error("invalid cid %d%s%s", cid, where ? " " : "", where ?: "");
	return -EINVAL;
}

/**
 * scx_cid_alloc_cmasks - Get a cid-form scheduler's cmasks from its arena
 * @sch: the scheduler
 *
 * One for each CPU to deliver masks of tasks in, alone on its cache lines, and the
 * one of online cids. To be undone by scx_cid_free_cmasks(), also if it fails.
 *
 * Context: Process context. May sleep. cpus_read_lock() is held and cids have been
 * assigned.
 * Return: 0 or -%ENOMEM: the arena is full, or there is no memory.
 */
int scx_cid_alloc_cmasks(struct scx_sched *sch)
{
	struct scx_cmask *cmask;
	size_t size = struct_size(cmask, bits, SCX_CMASK_NR_WORDS(scx_cids->nr_cids));
	int cpu;

	lockdep_assert_cpus_held();

	sch->cmasks = alloc_percpu(struct scx_cmask *);
	if (!sch->cmasks)
		return -ENOMEM;
	for_each_possible_cpu(cpu) {
		cmask = scx_arena_alloc_cacheline(sch, size);
		if (!cmask)
			return -ENOMEM;
		*per_cpu_ptr(sch->cmasks, cpu) = cmask;
	}

	cmask = scx_arena_alloc_cacheline(sch, size);
	if (!cmask)
		return -ENOMEM;
	scx_cmask_fill(cmask, scx_cids, cpu_active_mask);
	/* whoever finds it in scx_bpf_online_cmask() finds it filled */
	smp_store_release(&sch->online_cmask, cmask);
	return 0;
}

/**
 * scx_cid_free_cmasks - Forget what scx_cid_alloc_cmasks() got
 * @sch: a scheduler that nobody calls any more
 *
 * Their memory goes with the pool.
 *
 * Context: Process context. May sleep.
 */
void scx_cid_free_cmasks(struct scx_sched *sch)
{
	free_percpu(sch->cmasks);
	sch->cmasks = NULL;
	sch->online_cmask = NULL;
}

/**
 * scx_cid_fill_cmask - Write a mask for the scheduler
 * @sch: cid-form scheduler that has been enabled
 * @mask: CPUs
 *
 * Context: Any, with preemption disabled until the scheduler is done with it.
 * Return: arena address of a struct scx_cmask with the cids of @mask, which is
 * this CPU's.
 */
u64 scx_cid_fill_cmask(struct scx_sched *sch, const struct cpumask *mask)
{
	struct scx_cmask *cmask = *this_cpu_ptr(sch->cmasks);

	__scx_cmask_fill(cmask, scx_cids, mask);
	return scx_arena_to_uaddr(sch, cmask);
}

/**
 * scx_cid_update_online - Show the scheduler which cids are online
 * @sch: scheduler, or NULL
 *
 * Context: While a CPU goes on or off, after cpu_active_mask has changed. The
 * caller keeps @sch from being destroyed.
 */
void scx_cid_update_online(struct scx_sched *sch)
{
	if (sch && sch->online_cmask)
		scx_cmask_fill(sch->online_cmask, scx_cids, cpu_active_mask);
}

/**
 * scx_cid_translate - Turn a set of CPUs into cids, to print them
 * @cids: to be overwritten
 * @mask: CPUs
 *
 * Context: Any, while a cid-form scheduler is enabled.
 */
void scx_cid_translate(struct cpumask *cids, const struct cpumask *mask)
{
	int cpu;

	cpumask_clear(cids);
	for_each_cpu_and(cpu, mask, cpu_possible_mask)
		__cpumask_set_cpu(scx_cids->cpu_to_cid[cpu], cids);
}

/* kfuncs with CPU numbers or cpumasks, which cid-form schedulers can't call, and what they can */
#define SCX_CPU_KFUNCS(X)							\
	X(scx_bpf_kick_cpu,			"scx_bpf_kick_cid()")		\
	X(scx_bpf_task_cpu,			"scx_bpf_task_cid()")		\
	X(scx_bpf_cpu_rq,			"scx_bpf_cid_curr()")		\
	X(scx_bpf_cpu_curr,			"scx_bpf_cid_curr()")		\
	X(scx_bpf_cpuperf_cap,			"scx_bpf_cidperf_cap()")	\
	X(scx_bpf_cpuperf_cur,			"scx_bpf_cidperf_cur()")	\
	X(scx_bpf_cpuperf_set,			"scx_bpf_cidperf_set()")	\
	X(scx_bpf_get_possible_cpumask,		"scx_bpf_nr_cids()")		\
	X(scx_bpf_get_online_cpumask,		"scx_bpf_online_cmask()")	\
	X(scx_bpf_put_cpumask,			"scx_bpf_online_cmask()")	\
	X(scx_bpf_get_idle_cpumask,		"a cmask kept by ops.update_idle()") \
	X(scx_bpf_get_idle_smtmask,		"a cmask kept by ops.update_idle()") \
	X(scx_bpf_put_idle_cpumask,		"a cmask kept by ops.update_idle()") \
	X(scx_bpf_test_and_clear_cpu_idle,	"a cmask kept by ops.update_idle()") \
	X(scx_bpf_pick_idle_cpu,		"a cmask kept by ops.update_idle()") \
	X(scx_bpf_cpu_node,			"scx_bpf_cid_topo()")		\
	X(scx_bpf_get_idle_cpumask_node,	"a cmask kept by ops.update_idle()") \
	X(scx_bpf_get_idle_smtmask_node,	"a cmask kept by ops.update_idle()") \
	X(scx_bpf_pick_idle_cpu_node,		"a cmask kept by ops.update_idle()") \
	X(scx_bpf_pick_any_cpu_node,		"the cmask of ops.set_cmask()")	\
	X(scx_bpf_pick_any_cpu,			"the cmask of ops.set_cmask()")	\
	X(scx_bpf_select_cpu_dfl,		"a cmask kept by ops.update_idle()") \
	X(scx_bpf_select_cpu_and,		"a cmask kept by ops.update_idle()") \
	X(__scx_bpf_select_cpu_and,		"a cmask kept by ops.update_idle()")

#define SCX_CPU_KFUNC_ID(kfunc, instead)	BTF_ID(func, kfunc)
#define SCX_CPU_KFUNC_TEXT(kfunc, instead)	{ #kfunc, instead },

BTF_ID_LIST(scx_cpu_kfunc_ids)
SCX_CPU_KFUNCS(SCX_CPU_KFUNC_ID)

static const struct {
	const char *kfunc, *instead;
} scx_cpu_kfuncs[] = {
	SCX_CPU_KFUNCS(SCX_CPU_KFUNC_TEXT)
};

/**
 * scx_cid_check_kfunc - Keep a kfunc from programs of cid-form schedulers
 * @log: where to say why
 * @kfunc_id: BTF id of the kfunc
 *
 * A cid and a CPU number are easily mistaken for each other, so there is only the
 * one kind in such a program.
 *
 * Context: From the verifier.
 * Return: 0 or -%EACCES.
 */
int scx_cid_check_kfunc(struct bpf_verifier_log *log, u32 kfunc_id)
{
	int i;

	for (i = 0; i < ARRAY_SIZE(scx_cpu_kfuncs); i++) {
		if (scx_cpu_kfunc_ids[i] != kfunc_id)
			continue;
		bpf_log(log, "%s() is not for cid-form schedulers, use %s\n",
			scx_cpu_kfuncs[i].kfunc, scx_cpu_kfuncs[i].instead);
		return -EACCES;
	}
	return 0;
}

__bpf_kfunc_start_defs();

/**
 * scx_bpf_cpu_to_cid - Return the cid of a CPU
 * @cpu: CPU number
 *
 * Return: its cid. -%EINVAL if there is no such CPU, which also ends the scheduler.
 */
__bpf_kfunc s32 scx_bpf_cpu_to_cid(s32 cpu)
{
	const struct scx_cid_map *map = READ_ONCE(scx_cids);

	if (!ops_cpu_valid(cpu, NULL) || !map)
		return -EINVAL;
	return READ_ONCE(map->cpu_to_cid[cpu]);
}

/**
 * scx_bpf_cid_to_cpu - Return the CPU of a cid
 * @cid: the cid
 *
 * Return: its CPU number. -%EINVAL if there is no such cid, which also ends the
 * scheduler.
 */
__bpf_kfunc s32 scx_bpf_cid_to_cpu(s32 cid)
{
	return scx_cid_from_ops(cid, NULL);
}

/**
 * scx_bpf_cid_topo - Tell where a cid is in the machine
 * @cid: the cid
 * @out: where to write the answer to
 * @out__sz: its size in bytes
 *
 * @out may be shorter or longer than struct scx_cid_topo. What there is no answer
 * for is -1, all of it if there is no such cid, which also ends the scheduler.
 */
__bpf_kfunc void scx_bpf_cid_topo(s32 cid, struct scx_cid_topo *out, size_t out__sz)
{
	memset(out, -1, out__sz);
	if (scx_cid_from_ops(cid, NULL) >= 0)
		memcpy(out, &READ_ONCE(scx_cids)->topo[cid], min(out__sz, sizeof(*out)));
}

/**
 * scx_bpf_kick_cid - Trigger reschedule on the CPU of a cid
 * @cid: the cid
 * @flags: %SCX_KICK_* flags
 *
 * See scx_bpf_kick_cpu().
 */
__bpf_kfunc void scx_bpf_kick_cid(s32 cid, u64 flags)
{
	s32 cpu = scx_cid_from_ops(cid, NULL);

	if (cpu >= 0)
		scx_bpf_kick_cpu(cpu, flags);
}

/**
 * scx_bpf_task_cid - Return the cid that a task is currently associated with
 * @p: task of interest
 *
 * Return: the cid of its CPU.
 */
__bpf_kfunc s32 scx_bpf_task_cid(const struct task_struct *p)
{
	const struct scx_cid_map *map = READ_ONCE(scx_cids);

	return map ? READ_ONCE(map->cpu_to_cid[task_cpu(p)]) : -EINVAL;
}

/**
 * scx_bpf_this_cid - Return the cid that the caller runs on
 *
 * Return: the cid of this CPU.
 */
__bpf_kfunc s32 scx_bpf_this_cid(void)
{
	const struct scx_cid_map *map = READ_ONCE(scx_cids);

	return map ? READ_ONCE(map->cpu_to_cid[raw_smp_processor_id()]) : -EINVAL;
}

/**
 * scx_bpf_cid_curr - Return the task that runs on a cid
 * @cid: the cid
 *
 * Return: the task, which is protected by RCU, or NULL: there is no such cid, which
 * also ends the scheduler.
 */
__bpf_kfunc struct task_struct *scx_bpf_cid_curr(s32 cid)
{
	s32 cpu = scx_cid_from_ops(cid, NULL);

	return cpu >= 0 ? rcu_dereference(cpu_rq(cpu)->curr) : NULL;
}

/**
 * scx_bpf_nr_cids - Return the number of cids
 *
 * All cids are smaller than that, and each number that is smaller is one.
 *
 * Return: the number of possible CPUs.
 */
__bpf_kfunc u32 scx_bpf_nr_cids(void)
{
	return num_possible_cpus();
}

/**
 * scx_bpf_nr_online_cids - Return how many cids are online
 *
 * As many as are set in scx_bpf_online_cmask(). Until a CPU goes on or off after
 * the scheduler was enabled, these are the lowest ones.
 *
 * Return: their number.
 */
__bpf_kfunc u32 scx_bpf_nr_online_cids(void)
{
	return num_active_cpus();
}

/**
 * scx_bpf_online_cmask - Return which cids are online
 *
 * The kernel writes to that cmask when a CPU goes on or off, before it calls
 * ops.cid_online() or ops.cid_offline().
 *
 * Return: the arena address of a struct scx_cmask, valid from ops.init() to
 * ops.exit(). NULL before, and if the scheduler is of the cpu form.
 */
__bpf_kfunc const void *scx_bpf_online_cmask(void)
{
	const struct scx_sched *sch;
	const struct scx_cmask *cmask;

	guard(rcu)();
	sch = rcu_dereference(scx_root);
	/* see scx_cid_alloc_cmasks() */
	cmask = sch ? smp_load_acquire(&sch->online_cmask) : NULL;
	return cmask ? (void *)(unsigned long)scx_arena_to_uaddr(sch, cmask) : NULL;
}

/**
 * scx_bpf_cidperf_cap - Query the maximum relative capacity of a cid
 * @cid: the cid
 *
 * See scx_bpf_cpuperf_cap().
 *
 * Return: in the range [1, %SCX_CPUPERF_ONE], which it is if there is no such cid.
 */
__bpf_kfunc u32 scx_bpf_cidperf_cap(s32 cid)
{
	s32 cpu = scx_cid_from_ops(cid, NULL);

	return cpu >= 0 ? scx_bpf_cpuperf_cap(cpu) : SCX_CPUPERF_ONE;
}

/**
 * scx_bpf_cidperf_cur - Query the current relative performance of a cid
 * @cid: the cid
 *
 * See scx_bpf_cpuperf_cur().
 *
 * Return: in the range [1, %SCX_CPUPERF_ONE], which it is if there is no such cid.
 */
__bpf_kfunc u32 scx_bpf_cidperf_cur(s32 cid)
{
	s32 cpu = scx_cid_from_ops(cid, NULL);

	return cpu >= 0 ? scx_bpf_cpuperf_cur(cpu) : SCX_CPUPERF_ONE;
}

/**
 * scx_bpf_cidperf_set - Set the relative performance target of a cid
 * @cid: the cid
 * @perf: target performance level [0, %SCX_CPUPERF_ONE]
 *
 * See scx_bpf_cpuperf_set().
 *
 * Return: 0, or -%EINVAL: there is no such cid or level, which also ends the
 * scheduler.
 */
__bpf_kfunc s32 scx_bpf_cidperf_set(s32 cid, u32 perf)
{
	s32 cpu = scx_cid_from_ops(cid, NULL);

	if (cpu < 0)
		return -EINVAL;
	if (unlikely(perf > SCX_CPUPERF_ONE)) {
		scx_ops_error("Invalid cpuperf target %u for cid %d", perf, cid);
		return -EINVAL;
	}
	scx_bpf_cpuperf_set(cpu, perf);
	return 0;
}

__bpf_kfunc_end_defs();

BTF_KFUNCS_START(scx_kfunc_ids_cid)
BTF_ID_FLAGS(func, scx_bpf_cpu_to_cid)
BTF_ID_FLAGS(func, scx_bpf_cid_to_cpu)
BTF_ID_FLAGS(func, scx_bpf_cid_topo)
BTF_ID_FLAGS(func, scx_bpf_kick_cid)
BTF_ID_FLAGS(func, scx_bpf_task_cid, KF_RCU)
BTF_ID_FLAGS(func, scx_bpf_this_cid)
BTF_ID_FLAGS(func, scx_bpf_cid_curr, KF_RET_NULL | KF_RCU_PROTECTED)
BTF_ID_FLAGS(func, scx_bpf_nr_cids)
BTF_ID_FLAGS(func, scx_bpf_nr_online_cids)
BTF_ID_FLAGS(func, scx_bpf_online_cmask)
BTF_ID_FLAGS(func, scx_bpf_cidperf_cap)
BTF_ID_FLAGS(func, scx_bpf_cidperf_cur)
BTF_ID_FLAGS(func, scx_bpf_cidperf_set)
BTF_KFUNCS_END(scx_kfunc_ids_cid)

/*
 * Never refuses, but for want of memory. Assigns cids when the first program that
 * may ask for them is loaded, so that they cost nothing where nobody does.
 */
static int scx_cid_kfunc_filter(const struct bpf_prog *prog, u32 kfunc_id)
{
	if (READ_ONCE(scx_cids) || !btf_id_set8_contains(&scx_kfunc_ids_cid, kfunc_id))
		return 0;

	guard(cpus_read_lock)();
	guard(mutex)(&scx_cid_mutex);
	return scx_cids ? 0 : __scx_cid_assign();
}

static const struct btf_kfunc_id_set scx_kfunc_set_cid = {
	.owner			= THIS_MODULE,
	.set			= &scx_kfunc_ids_cid,
	.filter			= scx_cid_kfunc_filter,
};

#define SCX_SAME_PLACE(cpu, cid)						\
	static_assert(offsetof(struct sched_ext_ops, cpu) ==			\
		      offsetof(struct sched_ext_ops_cid, cid) &&		\
		      sizeof_field(struct sched_ext_ops, cpu) ==		\
		      sizeof_field(struct sched_ext_ops_cid, cid))
#define SCX_SAME_TYPE(cpu, cid)							\
	SCX_SAME_PLACE(cpu, cid);						\
	static_assert(__same_type(((struct sched_ext_ops *)0)->cpu,		\
				  ((struct sched_ext_ops_cid *)0)->cid))

SCX_SAME_TYPE(select_cpu, select_cid);
SCX_SAME_TYPE(enqueue, enqueue);
SCX_SAME_TYPE(dequeue, dequeue);
SCX_SAME_TYPE(dispatch, dispatch);
SCX_SAME_TYPE(tick, tick);
SCX_SAME_TYPE(runnable, runnable);
SCX_SAME_TYPE(running, running);
SCX_SAME_TYPE(stopping, stopping);
SCX_SAME_TYPE(quiescent, quiescent);
SCX_SAME_TYPE(yield, yield);
SCX_SAME_TYPE(core_sched_before, core_sched_before);
SCX_SAME_TYPE(set_weight, set_weight);
SCX_SAME_PLACE(set_cpumask, set_cmask);
SCX_SAME_TYPE(update_idle, update_idle);
SCX_SAME_PLACE(cpu_acquire, reserved[0]);
SCX_SAME_PLACE(cpu_release, reserved[1]);
SCX_SAME_TYPE(init_task, init_task);
SCX_SAME_TYPE(exit_task, exit_task);
SCX_SAME_PLACE(enable, enable);
SCX_SAME_TYPE(disable, disable);
SCX_SAME_TYPE(dump, dump);
SCX_SAME_TYPE(dump_cpu, dump_cid);
SCX_SAME_TYPE(dump_task, dump_task);
#ifdef CONFIG_EXT_GROUP_SCHED
SCX_SAME_TYPE(cgroup_init, cpuctl_init);
SCX_SAME_TYPE(cgroup_exit, cpuctl_exit);
SCX_SAME_TYPE(cgroup_prep_move, cpuctl_prep_move);
SCX_SAME_TYPE(cgroup_move, cpuctl_move);
SCX_SAME_TYPE(cgroup_cancel_move, cpuctl_cancel_move);
SCX_SAME_TYPE(cgroup_set_weight, cpuctl_set_weight);
SCX_SAME_TYPE(cgroup_set_bandwidth, cpuctl_set_bandwidth);
#endif
SCX_SAME_TYPE(cpu_online, cid_online);
SCX_SAME_TYPE(cpu_offline, cid_offline);
SCX_SAME_TYPE(init, init);
SCX_SAME_TYPE(exit, exit);
SCX_SAME_TYPE(dispatch_max_batch, dispatch_max_batch);
SCX_SAME_TYPE(flags, flags);
SCX_SAME_TYPE(timeout_ms, timeout_ms);
SCX_SAME_TYPE(exit_dump_len, exit_dump_len);
SCX_SAME_TYPE(hotplug_seq, hotplug_seq);
SCX_SAME_TYPE(name, name);
static_assert(sizeof(struct sched_ext_ops) == offsetof(struct sched_ext_ops_cid, init_cids));

static void set_cmask_stub(struct task_struct *p, const struct scx_cmask *cmask) {}
static void enable_cid_stub(struct task_struct *p, struct scx_enable_args *args) {}

static struct sched_ext_ops_cid __bpf_ops_sched_ext_ops_cid = {
	.select_cid = select_cpu_stub,
	.enqueue = enqueue_stub,
	.dequeue = dequeue_stub,
	.dispatch = dispatch_stub,
	.tick = tick_stub,
	.runnable = runnable_stub,
	.running = running_stub,
	.stopping = stopping_stub,
	.quiescent = quiescent_stub,
	.yield = yield_stub,
	.core_sched_before = core_sched_before_stub,
	.set_weight = set_weight_stub,
	.set_cmask = set_cmask_stub,
	.update_idle = update_idle_stub,
	.init_task = init_task_stub,
	.exit_task = exit_task_stub,
	.enable = enable_cid_stub,
	.disable = disable_stub,
	.dump = dump_stub,
	.dump_cid = dump_cpu_stub,
	.dump_task = dump_task_stub,
#ifdef CONFIG_EXT_GROUP_SCHED
	.cpuctl_init = cgroup_init_stub,
	.cpuctl_exit = cgroup_exit_stub,
	.cpuctl_prep_move = cgroup_prep_move_stub,
	.cpuctl_move = cgroup_move_stub,
	.cpuctl_cancel_move = cgroup_cancel_move_stub,
	.cpuctl_set_weight = cgroup_set_weight_stub,
	.cpuctl_set_bandwidth = cgroup_set_bandwidth_stub,
#endif
	.cid_online = cpu_online_stub,
	.cid_offline = cpu_offline_stub,
	.init = init_stub,
	.exit = exit_stub,
	.init_cids = init_stub,
};

/* The cmask of ->set_cmask() is a number to the verifier: it doesn't point to kernel memory. */
static bool bpf_scx_cid_is_valid_access(int off, int size, enum bpf_access_type type,
					const struct bpf_prog *prog,
					struct bpf_insn_access_aux *info)
{
	if (off == sizeof(u64) && !strcmp(prog->aux->attach_func_name, "set_cmask"))
		return type == BPF_READ && size == sizeof(u64);
	return bpf_scx_is_valid_access(off, size, type, prog, info);
}

static const struct bpf_verifier_ops bpf_scx_cid_verifier_ops = {
	.get_func_proto = bpf_scx_get_func_proto,
	.is_valid_access = bpf_scx_cid_is_valid_access,
	.btf_struct_access = bpf_scx_btf_struct_access,
	.check_kfunc = scx_cid_check_kfunc,
};

static int bpf_scx_cid_check_member(const struct btf_type *t, const struct btf_member *member,
				    const struct bpf_prog *prog)
{
	if (__btf_member_bit_offset(t, member) / 8 == offsetof(struct sched_ext_ops_cid, init_cids))
		return 0;
	return bpf_scx_check_member(t, member, prog);
}

static int bpf_scx_cid_reg(void *kdata, struct bpf_link *link)
{
	return scx_ops_enable(kdata, link, true);
}

static struct bpf_struct_ops bpf_sched_ext_ops_cid = {
	.verifier_ops = &bpf_scx_cid_verifier_ops,
	.reg = bpf_scx_cid_reg,
	.unreg = bpf_scx_unreg,
	.check_member = bpf_scx_cid_check_member,
	.init_member = bpf_scx_init_member,
	.init = bpf_scx_init,
	.update = bpf_scx_update,
	.validate = bpf_scx_validate,
	.name = "sched_ext_ops_cid",
	.owner = THIS_MODULE,
	.cfi_stubs = &__bpf_ops_sched_ext_ops_cid
};

/**
 * scx_cid_init - Register the kfuncs and the struct_ops of this file
 *
 * Context: Process context, once, at boot.
 * Return: 0 or -errno.
 */
int __init scx_cid_init(void)
{
	static const enum bpf_prog_type types[] = {
		BPF_PROG_TYPE_STRUCT_OPS, BPF_PROG_TYPE_TRACING, BPF_PROG_TYPE_SYSCALL,
	};
	int i, ret;

	for (i = 0; i < ARRAY_SIZE(types); i++) {
		ret = register_btf_kfunc_id_set(types[i], &scx_kfunc_set_cid);
		if (ret)
			return ret;
	}
	return register_bpf_struct_ops(&bpf_sched_ext_ops_cid, sched_ext_ops_cid);
}
