// SPDX-License-Identifier: GPL-2.0
/*
 * A scheduler that gives each task an entry of a slab in an arena, and keeps
 * account of what it gets in ways of its own: an owner that is never the same
 * twice, and contents that nobody else may touch.
 */
#include <scx/common.bpf.h>
#include <scx/arena_slab.bpf.h>
#include "arena_slab_test.h"

#define TASK_DEAD	0x80

char _license[] SEC("license") = "GPL";

const volatile u32 nr_entries;

UEI_DEFINE(uei);

struct {
	__uint(type, BPF_MAP_TYPE_ARENA);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, SLAB_TEST_PAGES);
} slab_arena SEC(".maps");

struct slab_test __arena_global st;

private(SLAB) struct bpf_res_spin_lock slab_lock;

typedef struct slab_test_entry __arena entry_t;

struct entry_ref {
	entry_t	*entry;
	u64	owner;
};

struct {
	__uint(type, BPF_MAP_TYPE_TASK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, struct entry_ref);
} entry_stor SEC(".maps");

s32 BPF_STRUCT_OPS(arena_slab_init_task, struct task_struct *p,
		   struct scx_init_task_args *args)
{
	return bpf_task_storage_get(&entry_stor, p, 0, BPF_LOCAL_STORAGE_GET_F_CREATE) ?
		0 : -ENOMEM;
}

void BPF_STRUCT_OPS(arena_slab_enable, struct task_struct *p)
{
	struct entry_ref *ref = bpf_task_storage_get(&entry_stor, p, 0, 0);
	struct scx_slab_node __arena *node;
	entry_t *entry;
	int i;

	if (!ref || (p->__state & TASK_DEAD))
		return;

	if (scx_slab_alloc(&st.slab, &slab_lock, &node)) {
		scx_bpf_error("slab of %u used up", nr_entries);
		return;
	}

	entry = arena_container_of(node, struct slab_test_entry, node);
	ref->owner = __sync_fetch_and_add(&st.nr_owners, 1) + 1;
	if (__sync_val_compare_and_swap(&entry->owner, 0, ref->owner))
		__sync_fetch_and_add(&st.nr_shared, 1);

	arena_zero(&entry->words, sizeof(entry->words));
	bpf_for(i, 0, SLAB_TEST_WORDS) {
		if (entry->words[i])
			__sync_fetch_and_add(&st.nr_dirty, 1);
		/* what arena_copy() brings is looked at when it is returned */
		arena_copy(&entry->words[i], &entry->owner, sizeof(u64));
	}
	ref->entry = entry;
}

static void return_entry(struct task_struct *p)
{
	struct entry_ref *ref = bpf_task_storage_get(&entry_stor, p, 0, 0);
	entry_t *entry;
	int i;

	if (!ref || !ref->entry)
		return;
	entry = ref->entry;
	ref->entry = NULL;

	bpf_for(i, 0, SLAB_TEST_WORDS) {
		if (entry->words[i] != ref->owner)
			__sync_fetch_and_add(&st.nr_stolen, 1);
	}
	if (__sync_val_compare_and_swap(&entry->owner, ref->owner, 0) != ref->owner)
		__sync_fetch_and_add(&st.nr_stolen, 1);

	if (!scx_slab_free(&st.slab, &slab_lock, &entry->node))
		__sync_fetch_and_add(&st.nr_returned, 1);
}

void BPF_STRUCT_OPS(arena_slab_quiescent, struct task_struct *p, u64 deq_flags)
{
	if ((deq_flags & SCX_DEQ_SLEEP) && (p->__state & TASK_DEAD))
		return_entry(p);
}

void BPF_STRUCT_OPS(arena_slab_disable, struct task_struct *p)
{
	return_entry(p);
}

s32 BPF_STRUCT_OPS_SLEEPABLE(arena_slab_init)
{
	u32 size = nr_entries * sizeof(struct slab_test_entry);
	struct scx_slab_node __arena *node;

	st.entries = bpf_arena_alloc_pages(&slab_arena, NULL, (size + PAGE_SIZE - 1) / PAGE_SIZE,
					   NUMA_NO_NODE, 0);
	if (!st.entries)
		return -ENOMEM;
	scx_slab_carve(&st.slab, st.entries, sizeof(struct slab_test_entry), nr_entries);

	if (!scx_slab_alloc(&st.slab, &slab_lock, &node) &&
	    !scx_slab_free(&st.slab, &slab_lock, node)) {
		if (scx_slab_free(&st.slab, &slab_lock, node) == -EINVAL)
			st.nr_refused++;
		else
			st.nr_accepted++;
	}

	return 0;
}

void BPF_STRUCT_OPS(arena_slab_exit, struct scx_exit_info *ei)
{
	UEI_RECORD(uei, ei);
}

SCX_OPS_DEFINE(arena_slab_ops,
	       .quiescent	= (void *)arena_slab_quiescent,
	       .init_task	= (void *)arena_slab_init_task,
	       .enable		= (void *)arena_slab_enable,
	       .disable		= (void *)arena_slab_disable,
	       .init		= (void *)arena_slab_init,
	       .exit		= (void *)arena_slab_exit,
	       .name		= "arena_slab");
