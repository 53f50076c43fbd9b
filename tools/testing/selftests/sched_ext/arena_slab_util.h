/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Steps that the tests on arena_slab.bpf.c have in common.
 */
#ifndef __ARENA_SLAB_UTIL_H__
#define __ARENA_SLAB_UTIL_H__

#include <bpf/bpf.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <scx/common.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include "arena_slab_test.h"
#include "arena_slab.bpf.skel.h"
#include "scx_test.h"

static inline struct arena_slab *arena_slab_load(u32 nr_entries)
{
	struct arena_slab *skel = SCX_OPS_OPEN(arena_slab_ops, arena_slab);

	skel->rodata->nr_entries = nr_entries;
	SCX_OPS_LOAD(skel, arena_slab_ops, arena_slab, uei);
	return skel;
}

/* Whether the scheduler core comes to this state within ten seconds. */
static inline bool scx_state_becomes(const char *want)
{
	char state[32];
	int fd, i, len;

	for (i = 0; i < 1000; i++) {
		fd = open("/sys/kernel/sched_ext/state", O_RDONLY);
		if (fd < 0)
			return false;
		len = read(fd, state, sizeof(state) - 1);
		close(fd);
		if (len > 0) {
			state[len] = '\0';
			if (!strcmp(strtok(state, "\n"), want))
				return true;
		}
		usleep(10000);
	}
	return false;
}

/* Number of arena maps in the kernel, whoever has them. */
static inline int nr_arena_maps(void)
{
	struct bpf_map_info info;
	u32 id = 0, len;
	int fd, nr = 0;

	while (!bpf_map_get_next_id(id, &id)) {
		fd = bpf_map_get_fd_by_id(id);
		if (fd < 0)
			continue;
		memset(&info, 0, sizeof(info));
		len = sizeof(info);
		if (!bpf_map_get_info_by_fd(fd, &info, &len) && info.type == BPF_MAP_TYPE_ARENA)
			nr++;
		close(fd);
	}
	return nr;
}

/* Maps are freed behind a grace period: give them ten seconds. */
static inline bool arena_maps_become(int nr)
{
	int i;

	for (i = 0; i < 1000 && nr_arena_maps() != nr; i++)
		usleep(10000);
	return nr_arena_maps() == nr;
}

/* Nothing was handed out twice, left uncleared, or touched by another owner. */
static inline enum scx_test_status arena_slab_check(const struct arena_slab *skel)
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
 * list by the pointers that the BPF side left.
 */
static inline enum scx_test_status arena_slab_check_empty(const struct arena_slab *skel)
{
	const struct slab_test *st = &skel->arena->st;
	const struct scx_slab_node *node;
	u32 nr = skel->rodata->nr_entries, i, on_list = 0;
	bool *seen = calloc(nr, sizeof(*seen));

	SCX_FAIL_IF(!seen, "no memory");
	SCX_EQ(st->slab.nr_entries, nr);
	SCX_EQ(st->slab.nr_used, 0);
	SCX_EQ(st->nr_returned, st->nr_owners);

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
	return SCX_TEST_PASS;
}

/*
 * Start a child that lives until @release (the read end of a pipe) is closed at
 * the other end. Returns its pid, or -errno.
 */
static inline pid_t spawn_waiter(int release[2])
{
	pid_t pid = fork();
	char c;

	if (pid)
		return pid < 0 ? -errno : pid;

	close(release[1]);
	if (read(release[0], &c, 1) < 0)
		_exit(1);
	_exit(0);
}

#define TRY(call)							\
	do {								\
		enum scx_test_status __status = (call);			\
		if (__status != SCX_TEST_PASS)				\
			return __status;				\
	} while (0)

#endif  // # __ARENA_SLAB_UTIL_H__
