// SPDX-License-Identifier: GPL-2.0
/*
 * A scheduler of the cid form that frees and overwrites what the kernel has in its
 * arena, wherever it gets the chance.
 */
#include <scx/common.bpf.h>
#include "cid_hostile_test.h"

char _license[] SEC("license") = "GPL";

UEI_DEFINE(uei);

struct {
	__uint(type, BPF_MAP_TYPE_ARENA);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, CID_HOSTILE_PAGES);
} cid_arena SEC(".maps");

struct cid_hostile_test __arena_global st;

#define COUNT(what)	__sync_fetch_and_add(&st.what, 1)

/*
 * Free the kernel's pages, and others. Not that of the globals here: it would be
 * gone, as it is the program's own.
 */
static void free_pages(void)
{
	u64 cmask = st.cmask & ~4095ULL, online = st.online & ~4095ULL, here = st.here & ~4095ULL;

	if (!st.attack)
		return;
	COUNT(nr_frees);
	bpf_arena_free_pages(&cid_arena, (void __arena *)cmask, 1);
	bpf_arena_free_pages(&cid_arena, (void __arena *)online, 1);
	/* around them, up to the globals or from behind them */
	if (cmask > here) {
		bpf_arena_free_pages(&cid_arena, (void __arena *)(here + 4096), CID_HOSTILE_PAGES);
		bpf_arena_free_pages(&cid_arena, (void __arena *)cmask, 3);
	} else {
		bpf_arena_free_pages(&cid_arena, (void __arena *)(cmask - 8 * 4096),
				     (here - cmask) / 4096 + 8);
	}
}

static void overwrite(u64 addr)
{
	struct scx_cmask __arena *cmask = (struct scx_cmask __arena *)addr;
	u32 pattern = __sync_fetch_and_add(&st.pattern, 1);
	u64 word;
	int i;

	if (!st.attack || !addr)
		return;
	COUNT(nr_attacks);
	switch (pattern % 3) {
	case 0:
		word = -1;
		break;
	case 1:
		word = 0;
		break;
	default:
		word = ((u64)bpf_get_prandom_u32() << 32) | bpf_get_prandom_u32();
		break;
	}
	ARENA_STORE(cmask->base, word);
	ARENA_STORE(cmask->nr_cids, word >> 8);
	ARENA_STORE(cmask->alloc_words, word >> 16);
	bpf_for(i, 0, 3)
		ARENA_STORE(cmask->bits[i], word);
}

static void take(struct task_struct *p, u64 addr)
{
	struct scx_cmask __arena *cmask = (struct scx_cmask __arena *)addr;
	u32 nr_cids = scx_bpf_nr_cids(), cid;

	if (st.attack) {
		/* where it was before, too */
		overwrite(st.cmask);
		overwrite(addr);
		overwrite(st.online);
	} else {
		COUNT(nr_masks);
		if (cmask->base || cmask->nr_cids != nr_cids ||
		    cmask->alloc_words != (nr_cids + 63) / 64 + 1)
			COUNT(nr_bad_masks);
		bpf_for(cid, 0, nr_cids) {
			bool has = cmask->bits[cid / 64] >> (cid % 64) & 1;

			if (has != bpf_cpumask_test_cpu(scx_bpf_cid_to_cpu(cid), p->cpus_ptr))
				COUNT(nr_bad_masks);
		}
	}
	st.cmask = addr;
}

void BPF_STRUCT_OPS(cid_hostile_enqueue, struct task_struct *p, u64 enq_flags)
{
	overwrite(st.cmask);
	scx_bpf_dispatch(p, SCX_DSQ_GLOBAL, SCX_SLICE_DFL, enq_flags);
}

void BPF_STRUCT_OPS(cid_hostile_running, struct task_struct *p)
{
	overwrite(st.cmask);
	overwrite(st.online);
}

void BPF_STRUCT_OPS(cid_hostile_enable, struct task_struct *p, struct scx_enable_args *args)
{
	take(p, args->cmask_arena_addr);
}

void BPF_STRUCT_OPS(cid_hostile_set_cmask, struct task_struct *p, struct scx_cmask __arena *cmask)
{
	take(p, (u64)cmask);
}

s32 BPF_STRUCT_OPS_SLEEPABLE(cid_hostile_init_task, struct task_struct *p,
			     struct scx_init_task_args *args)
{
	free_pages();
	return 0;
}

void BPF_STRUCT_OPS_SLEEPABLE(cid_hostile_cid_online, s32 cid)
{
	free_pages();
	overwrite(st.online);
}

void BPF_STRUCT_OPS_SLEEPABLE(cid_hostile_cid_offline, s32 cid)
{
	COUNT(nr_offline);
	free_pages();
	overwrite(st.online);
}

s32 BPF_STRUCT_OPS_SLEEPABLE(cid_hostile_init)
{
	st.here = (u64)&st;
	st.online = (u64)scx_bpf_online_cmask();
	st.cmask = st.online;
	free_pages();
	overwrite(st.online);
	return 0;
}

void BPF_STRUCT_OPS_SLEEPABLE(cid_hostile_exit, struct scx_exit_info *ei)
{
	free_pages();
	overwrite(st.online);
	UEI_RECORD(uei, ei);
}

/* The same from outside of the scheduler, with the scheduler's arena. */
SEC("syscall")
int attack(void *ctx)
{
	free_pages();
	overwrite(st.cmask);
	return 0;
}

SCX_OPS_CID_DEFINE(cid_hostile_ops,
		   .enqueue		= (void *)cid_hostile_enqueue,
		   .running		= (void *)cid_hostile_running,
		   .enable		= (void *)cid_hostile_enable,
		   .set_cmask	= (void *)cid_hostile_set_cmask,
		   .init_task	= (void *)cid_hostile_init_task,
		   .cid_online	= (void *)cid_hostile_cid_online,
		   .cid_offline	= (void *)cid_hostile_cid_offline,
		   .init		= (void *)cid_hostile_init,
		   .exit		= (void *)cid_hostile_exit,
		   .timeout_ms	= 20000U,
		   .name		= "cid_hostile");
