/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A table in a BPF arena that finds what belongs to a task: what BPF and user space share
 *
 * See arena_table.bpf.h for the operations, which BPF programs alone may do.
 */
#ifndef __SCX_ARENA_TABLE_H
#define __SCX_ARENA_TABLE_H

#ifdef __bpf__
#include "bpf_arena_common.bpf.h"
#else
#include "bpf_arena_common.h"
#endif

/* Embedded in every entry. */
struct scx_table_node {
	__u64				key;		/* of its task */
};

struct scx_table {
	/* Those with the same hash are next to each other, up to a slot that has none. */
	struct scx_table_node __arena * __arena *slots;
	__u32				nr_slots;
};

/*
 * Slots for up to @nr tasks, 2^31 at most. Two of three are in use at most, so that a
 * task is found within two slots on average.
 */
#define SCX_TABLE_NR_SLOTS(nr)	((nr) + (nr) / 2 + 1)

#endif	/* __SCX_ARENA_TABLE_H */
