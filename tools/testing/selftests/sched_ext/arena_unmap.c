// SPDX-License-Identifier: GPL-2.0
/*
 * Pages of an arena that are freed go from whoever has them mapped: from a child that has
 * inherited the mapping too, when its parent's is gone. And they do while processes that
 * have them mapped come and go, or are about to map them.
 */
#include <sys/mman.h>
#include "prog_steps.h"
#include "arena_unmap_test.h"
#include "arena_unmap.bpf.skel.h"

#define PATTERN		0x5555aaaa5555aaaaULL
#define SIZE		(ARENA_UNMAP_PAGES * 4096)
#define NR_ROUNDS	200
#define NR_RACES	2000
#define FAULT_NS	60000	/* that a fault takes at most, on a slow machine */
#define DISTURB_NS	200000

static struct arena_unmap *skel;

static struct shared {
	volatile int	stage;
	volatile u64	seen;
	volatile bool	stop;
	volatile int	told, done;
} *shared;

/* Look at the last page when told to, twice. */
static void look(struct shared *sh, volatile u64 *word)
{
	sh->seen = *word;
	sh->stage = 1;
	while (sh->stage != 2)
		usleep(1000);
	sh->seen = *word;
	sh->stage = 3;
}

static enum scx_test_status inherited(struct shared *sh, volatile u64 *word)
{
	pid_t pid;

	*word = PATTERN;
	pid = fork_child();
	SCX_GE(pid, 0);
	if (!pid) {
		look(sh, word);
		_exit(0);
	}
	SCX_ASSERT(BECOMES(sh->stage == 1));
	SCX_EQ(sh->seen, PATTERN);

	SCX_EQ(munmap((void *)skel->bss->pages, SIZE), 0);
	SCX_EQ(run_prog(skel->progs.give), 0);
	sh->stage = 2;
	SCX_ASSERT(BECOMES(sh->stage == 3));
	SCX_FAIL_IF(sh->seen == PATTERN, "the child still has the page");
	SCX_EQ(waitpid(pid, NULL, 0), pid);
	return SCX_TEST_PASS;
}

/* Children map the arena anew, look at it and exit, each at another moment. */
static void come_and_go(struct shared *sh, int fd, void *addr)
{
	unsigned int seed = getpid(), i;

	while (!sh->stop) {
		pid_t pid = fork_child();

		if (!pid) {
			volatile u64 *page = mmap(addr, SIZE, PROT_READ | PROT_WRITE,
						  MAP_SHARED | MAP_FIXED, fd, 0);

			for (i = 0; i < ARENA_UNMAP_PAGES; i++)
				page[i * 512]++;
			for (i = rand_r(&seed) % 1000; i; i--)
				page[0]++;
			if (seed & 1)
				munmap((void *)page, SIZE);
			_exit(0);
		}
		rand_r(&seed);
		if (pid < 0 || waitpid(pid, NULL, 0) != pid)
			_exit(1);
	}
	_exit(0);
}

static enum scx_test_status meanwhile(struct shared *sh)
{
	void *addr = (void *)skel->bss->pages;
	int i, status;
	pid_t pids[2];

	for (i = 0; i < 2; i++) {
		pids[i] = fork_child();
		SCX_GE(pids[i], 0);
		if (!pids[i])
			come_and_go(sh, bpf_map__fd(skel->maps.arena), addr);
	}
	for (i = 0; i < NR_ROUNDS; i++) {
		/* if they have mapped a page of it already, there isn't room for all */
		run_prog(skel->progs.take);
		skel->bss->pages = (u64)addr;
		usleep(1000);
		SCX_EQ(run_prog(skel->progs.give), 0);
	}
	sh->stop = true;
	for (i = 0; i < 2; i++) {
		SCX_EQ(waitpid(pids[i], &status, 0), pids[i]);
		SCX_EQ(status, 0);
	}
	return SCX_TEST_PASS;
}

/* Write to the first page when told an odd number, and read when told an even one. */
static void write_and_read(struct shared *sh, int fd, void *addr)
{
	volatile u64 *page = mmap(addr, SIZE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED,
				  fd, 0);

	while (!sh->stop) {
		int told = sh->told;

		if (told == sh->done) {
			sched_yield();
			continue;
		}
		if (told & 1)
			*page = PATTERN;
		else
			sh->seen = *page;
		sh->done = told;
	}
	_exit(0);
}

/* When told by a byte, take the CPU from whoever has it, for as long as it takes to free pages. */
static void disturb(struct shared *sh, int fd)
{
	struct sched_param param = { .sched_priority = 1 };
	char byte;

	if (sched_setscheduler(0, SCHED_FIFO, &param))
		_exit(1);
	while (read(fd, &byte, 1) == 1 && !sh->stop) {
		u64 end = now() + DISTURB_NS;

		while (now() < end)
			;
	}
	_exit(0);
}

static bool has_done(struct shared *sh)
{
	u64 end = now() + 10000 * NSEC_PER_MSEC;

	while (sh->done != sh->told) {
		if (now() > end)
			return false;
		sched_yield();
	}
	return true;
}

/* A process faults on a page that is being freed: it has the arena's, or none. */
static enum scx_test_status fault_or_free(struct shared *sh)
{
	void *addr = (void *)skel->bss->pages;
	int i, status, last = sysconf(_SC_NPROCESSORS_ONLN) - 1;
	unsigned int seed = 1;
	pid_t pid, disturber;
	int fds[2];
	u64 end;

	SCX_EQ(pipe(fds), 0);
	sh->stop = false;
	SCX_ASSERT(run_on(last));
	pid = fork_child();
	SCX_GE(pid, 0);
	if (!pid)
		write_and_read(sh, bpf_map__fd(skel->maps.arena), addr);
	disturber = fork_child();
	SCX_GE(disturber, 0);
	if (!disturber)
		disturb(sh, fds[0]);
	run_on(0);
	for (i = 0; i < NR_RACES; i++) {
		/* what those before left, and we */
		SCX_EQ(run_prog(skel->progs.give), 0);
		SCX_EQ(run_prog(skel->progs.take), 0);
		sh->told++;
		end = now() + rand_r(&seed) % FAULT_NS;
		while (now() < end)
			;
		SCX_EQ(write(fds[1], "", 1), 1);
		SCX_EQ(run_prog(skel->progs.give), 0);
		SCX_FAIL_IF(!has_done(sh), "a process hangs in state %c, after %d rounds",
			    state_of(pid), i);

		skel->bss->value = i;
		SCX_EQ(run_prog(skel->progs.put), 0);
		sh->told++;
		SCX_FAIL_IF(!has_done(sh), "a process hangs in state %c, after %d rounds",
			    state_of(pid), i);
		SCX_FAIL_IF(sh->seen != i, "a process has a page that was freed, after %d rounds",
			    i);
	}
	sh->stop = true;
	SCX_EQ(write(fds[1], "", 1), 1);
	run_on_any();
	SCX_EQ(waitpid(pid, &status, 0), pid);
	SCX_EQ(status, 0);
	SCX_EQ(waitpid(disturber, &status, 0), disturber);
	SCX_EQ(status, 0);
	close(fds[0]);
	close(fds[1]);
	return SCX_TEST_PASS;
}

static enum scx_test_status run(void *ctx)
{
	struct shared *sh = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS,
				 -1, 0);
	u32 id;

	SCX_ASSERT(sh != MAP_FAILED);
	shared = sh;
	skel = arena_unmap__open_and_load();
	SCX_FAIL_IF(!skel, "Failed to load: does the JIT support arenas?");
	id = map_id(skel->maps.arena);
	SCX_EQ(run_prog(skel->progs.take), 0);
	SCX_EQ(madvise((void *)skel->bss->pages, SIZE, MADV_DOFORK), 0);
	TRY(inherited(sh, (u64 *)(skel->bss->pages + SIZE) - 1));
	TRY(meanwhile(sh));
	TRY(fault_or_free(sh));
	arena_unmap__destroy(skel);
	skel = NULL;
	SCX_FAIL_IF(!map_is_gone(id), "the arena stays");
	shared = NULL;
	munmap(sh, 4096);
	return SCX_TEST_PASS;
}

static void cleanup(void *ctx)
{
	if (shared)
		shared->stop = true;
	run_on_any();
	arena_unmap__destroy(skel);
	skel = NULL;
}

struct scx_test arena_unmap = {
	.name = "arena_unmap",
	.description = "Pages of an arena that are freed go from whoever has them mapped",
	.run = run,
	.cleanup = cleanup,
};
REGISTER_SCX_TEST(&arena_unmap)
