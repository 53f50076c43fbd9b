/* SPDX-License-Identifier: GPL-2.0 */
/*
 * How much a scheduler may keep in its arena, for its user space part
 *
 * A slab's size is fixed before the scheduler is loaded, mostly by an option. What
 * can't work is refused there, in one line, before it does harm.
 */
#ifndef __SCX_ARENA_SIZE_H
#define __SCX_ARENA_SIZE_H

#ifdef __bpf__
#error "this is for user space"
#endif

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <bpf/libbpf.h>

/* Pages that @size bytes take. */
static inline __u32 scx_arena_pages(size_t size)
{
	size_t page = sysconf(_SC_PAGESIZE);

	return (size + page - 1) / page;
}

/* Pages of @arena, a map that isn't loaded yet or is, that hold its global variables. */
static inline __u32 scx_arena_global_pages(const struct bpf_map *arena)
{
	size_t size;

	bpf_map__initial_value(arena, &size);
	return scx_arena_pages(size);
}

/**
 * scx_arena_parse_count - Take the size of a slab from an option
 * @prog: name of the program, for messages
 * @opt: the option's letter, for messages
 * @arg: the option's argument
 * @limit: the largest that will do
 *
 * Ends the program with a message if @arg isn't a number from 1 to @limit.
 *
 * Return: the number.
 */
static inline __u32 scx_arena_parse_count(const char *prog, char opt, const char *arg,
					  __u32 limit)
{
	unsigned long long val;
	char *end;

	errno = 0;
	val = strtoull(arg, &end, 0);
	if (errno || *end || end == arg || strchr(arg, '-') || !val || val > limit) {
		fprintf(stderr, "%s: -%c %s: not a number from 1 to %u, which is what the arena can hold\n",
			prog, opt, arg, limit);
		exit(EXIT_FAILURE);
	}
	return val;
}

/**
 * scx_arena_check_memory - Stay clear of the OOM killer
 * @prog: name of the program, for messages
 * @what: what the memory is for, for messages
 * @size: bytes that the arena is about to take
 * @options: which to lower, for messages
 *
 * Arena pages are allocated by a kernel thread. If there aren't enough, the OOM
 * killer takes processes that have nothing to do with us. Ends the program with a
 * message if @size is more than half of the memory that is available.
 */
static inline void scx_arena_check_memory(const char *prog, const char *what, __u64 size,
					  const char *options)
{
	unsigned long long want = size >> 10, have = 0;
	FILE *f = fopen("/proc/meminfo", "r");
	char line[128];

	while (f && fgets(line, sizeof(line), f))
		if (sscanf(line, "MemAvailable: %llu kB", &have) == 1)
			break;
	if (f)
		fclose(f);
	if (have && want > have / 2) {
		fprintf(stderr, "%s: %s take %llu KiB, more than half of the %llu KiB of memory that are available: use a smaller %s\n",
			prog, what, want, have, options);
		exit(EXIT_FAILURE);
	}
}

#endif	/* __SCX_ARENA_SIZE_H */
