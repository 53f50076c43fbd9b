// SPDX-License-Identifier: GPL-2.0
/*
 * Take pages of an arena, and give them back.
 */
#include <scx/common.bpf.h>
#include "arena_unmap_test.h"

char _license[] SEC("license") = "GPL";

struct {
	__uint(type, BPF_MAP_TYPE_ARENA);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, ARENA_UNMAP_PAGES);
} arena SEC(".maps");

u64 pages, value;

SEC("syscall")
int take(void *ctx)
{
	pages = (u64)bpf_arena_alloc_pages(&arena, NULL, ARENA_UNMAP_PAGES, NUMA_NO_NODE, 0);
	return !pages;
}

SEC("syscall")
int give(void *ctx)
{
	bpf_arena_free_pages(&arena, (void __arena *)pages, ARENA_UNMAP_PAGES);
	return 0;
}

/* Write to the first page. There is one already if user space was at it meanwhile. */
SEC("syscall")
int put(void *ctx)
{
	bpf_arena_alloc_pages(&arena, (void __arena *)pages, 1, NUMA_NO_NODE, 0);
	ARENA_STORE(*(u64 __arena *)pages, value);
	return 0;
}
