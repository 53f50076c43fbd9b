/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What arena_slab.bpf.c and the tests that use it share.
 */
#ifndef __ARENA_SLAB_TEST_H__
#define __ARENA_SLAB_TEST_H__

#include <scx/arena_slab.h>

#define SLAB_TEST_PAGES		4096
#define SLAB_TEST_WORDS		5

struct slab_test_entry {
	struct scx_slab_node	node;
	u64			owner;		/* never the same twice, 0 when free */
	u64			words[SLAB_TEST_WORDS];	/* all @owner while in use */
};

struct slab_test {
	struct scx_slab		slab;
	struct slab_test_entry __arena *entries;
	u64	nr_owners;		/* tasks that got an entry */
	u64	nr_returned;		/* tasks that gave it back */
	u64	nr_shared;		/* entries handed out that had an owner */
	u64	nr_dirty;		/* ... that arena_zero() had not cleared */
	u64	nr_stolen;		/* entries whose owner or contents changed */
	u64	nr_refused;		/* second returns of an entry, refused */
	u64	nr_accepted;		/* second returns of an entry, accepted */
};

#endif  // # __ARENA_SLAB_TEST_H__
