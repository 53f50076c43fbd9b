/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A slab of equal entries in a BPF arena: what BPF and user space share
 *
 * See arena_slab.bpf.h for the operations, which BPF programs alone may do.
 */
#ifndef __SCX_ARENA_SLAB_H
#define __SCX_ARENA_SLAB_H

#ifdef __bpf__
#include "bpf_arena_common.bpf.h"
#else
#include "bpf_arena_common.h"
#endif

/*
 * Entries that different CPUs write should not share a cache line. Where lines
 * are longer this costs speed, nothing else.
 */
#define SCX_SLAB_CACHELINE	64

/* Embedded in every entry. */
struct scx_slab_node {
	/* The next free one. While this one isn't free, whoever has it may use it. */
	struct scx_slab_node __arena	*next;
	__u32				in_use;		/* handed out */
	__u32				spare;		/* like @next, for who has it */
};

struct scx_slab {
	struct scx_slab_node __arena	*free;		/* last freed, first handed out */
	__u32				nr_entries;	/* size */
	__u32				nr_used;	/* handed out now */
} __attribute__((aligned(SCX_SLAB_CACHELINE)));

#endif	/* __SCX_ARENA_SLAB_H */
