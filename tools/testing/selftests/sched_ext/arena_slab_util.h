/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Steps that the tests on arena_slab.bpf.c have in common.
 */
#ifndef __ARENA_SLAB_UTIL_H__
#define __ARENA_SLAB_UTIL_H__

#include "test_steps.h"
#include "arena_slab_test.h"
#include "arena_slab.bpf.skel.h"

/* Entries beyond the tasks there are already: what a test may fork at once, and then some. */
#define SLAB_TEST_SLACK		400

/* The scheduler of the running test, for its cleanup() to end. */
static struct arena_slab *skel;
static struct bpf_link *slab_link;

/* A slab that is large enough for the tasks of this machine and for the test. */
static inline u32 nr_tasks_and_slack(void)
{
	FILE *f = fopen("/proc/loadavg", "r");
	u32 nr = 0;

	if (f) {
		if (fscanf(f, "%*f %*f %*f %*u/%u", &nr) != 1)
			nr = 0;
		fclose(f);
	}
	return nr + SLAB_TEST_SLACK;
}

static inline enum scx_test_status slab_start(u32 nr_entries)
{
	skel = SCX_OPS_OPEN(arena_slab_ops, arena_slab);
	skel->rodata->nr_entries = nr_entries;
	UEI_SET_SIZE(skel, arena_slab_ops, uei);
	SCX_FAIL_IF(arena_slab__load(skel), "Failed to load: does the JIT support arenas?");
	slab_link = bpf_map__attach_struct_ops(skel->maps.arena_slab_ops);
	SCX_FAIL_IF(!slab_link, "Failed to attach scheduler");
	return SCX_TEST_PASS;
}

static inline void slab_detach(void)
{
	bpf_link__destroy(slab_link);
	slab_link = NULL;
}

static inline void slab_cleanup(void *ctx)
{
	slab_detach();
	arena_slab__destroy(skel);
	skel = NULL;
}

/* The scheduler has ended, with this kind of exit and, unless NULL, this message. */
static inline enum scx_test_status slab_check_exit(u64 kind, const char *msg)
{
	SCX_ASSERT(BECOMES(scx_state_is("disabled")));
	slab_detach();
	SCX_EQ(skel->data->uei.kind, kind);
	SCX_FAIL_IF(msg && strcmp(skel->data->uei.msg, msg), "exit message '%s' instead of '%s'",
		    skel->data->uei.msg, msg);
	return SCX_TEST_PASS;
}

/* Nothing was handed out twice, left uncleared, or touched by another owner. */
static inline enum scx_test_status slab_check(void)
{
	const struct slab_test *st = &skel->arena->st;

	SCX_GT(st->nr_owners, 0);
	SCX_EQ(st->nr_shared, 0);
	SCX_EQ(st->nr_dirty, 0);
	SCX_EQ(st->nr_stolen, 0);
	return SCX_TEST_PASS;
}

/*
 * With no scheduler any more, each entry is on the free list, once. Walks the
 * list by the pointers that the BPF side left. Then the arena goes as well.
 */
static inline enum scx_test_status slab_check_empty_and_gone(void)
{
	const struct slab_test *st = &skel->arena->st;
	u32 nr = skel->rodata->nr_entries, i, on_list = 0, id;
	const struct scx_slab_node *node;
	bool *seen;

	TRY(slab_check());
	SCX_EQ(st->slab.nr_entries, nr);
	SCX_EQ(st->slab.nr_used, 0);
	SCX_EQ(st->nr_returned, st->nr_owners);

	seen = calloc(nr, sizeof(*seen));
	SCX_FAIL_IF(!seen, "no memory");
	for (node = st->slab.free; node && on_list <= nr; node = node->next, on_list++) {
		i = (const struct slab_test_entry *)node - st->entries;
		SCX_FAIL_IF(i >= nr, "free entry %u is outside the slab of %u", i, nr);
		SCX_FAIL_IF(seen[i], "entry %u is on the free list twice", i);
		SCX_FAIL_IF(node->in_use, "entry %u is free and in use", i);
		SCX_FAIL_IF(st->entries[i].owner, "entry %u is free and has owner %lu",
			    i, (unsigned long)st->entries[i].owner);
		seen[i] = true;
	}
	SCX_EQ(on_list, nr);
	free(seen);

	id = map_id(skel->maps.slab_arena);
	SCX_GT(id, 0);
	slab_cleanup(NULL);
	SCX_FAIL_IF(!map_is_gone(id), "its arena stays");
	return SCX_TEST_PASS;
}

/*
 * Start a child that lives until @release (the read end of a pipe) is closed at
 * the other end. Returns its pid, or -errno.
 */
static inline pid_t spawn_waiter(int release[2])
{
	pid_t pid = fork_child();
	char c;

	if (pid)
		return pid < 0 ? -errno : pid;

	close(release[1]);
	if (read(release[0], &c, 1) < 0)
		_exit(1);
	_exit(0);
}

/* End @nr children that wait for @release, and see that each ran to its end. */
static inline enum scx_test_status reap(int nr)
{
	int status;

	while (nr--) {
		SCX_GT(wait(&status), 0);
		SCX_EQ(status, 0);
	}
	return SCX_TEST_PASS;
}

#endif  // # __ARENA_SLAB_UTIL_H__
