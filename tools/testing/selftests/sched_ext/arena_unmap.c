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
#define NR_RACES	500
#define NR_MAPPED	100

static struct arena_unmap *skel;

struct shared {
	volatile int	stage;
	volatile u64	seen;
	volatile bool	stop;
	int		told, begun, done;
	volatile int	nr_mapped;
};

static pid_t faulter;

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
	int status;

	while (!sh->stop) {
		pid_t pid = fork_child();

		if (!pid) {
			volatile u64 *page = mmap(addr, SIZE, PROT_READ | PROT_WRITE,
						  MAP_SHARED | MAP_FIXED, fd, 0);

			for (i = 0; i < ARENA_UNMAP_PAGES; i++)
				page[i * 512]++;
			__sync_fetch_and_add(&sh->nr_mapped, 1);
			for (i = rand_r(&seed) % 1000; i; i--)
				page[0]++;
			if (seed & 1)
				munmap((void *)page, SIZE);
			_exit(0);
		}
		rand_r(&seed);
		if (pid < 0 || waitpid(pid, &status, 0) != pid || status)
			_exit(1);
	}
	_exit(0);
}

static enum scx_test_status meanwhile(struct shared *sh)
{
	void *addr = (void *)skel->bss->pages;
	int i, status;
	pid_t pids[2];
	u64 end;

	for (i = 0; i < 2; i++) {
		pids[i] = fork_child();
		SCX_GE(pids[i], 0);
		if (!pids[i])
			come_and_go(sh, bpf_map__fd(skel->maps.arena), addr);
	}
	/* more on a slow machine, where few children come and go meanwhile */
	end = now() + 60000 * NSEC_PER_MSEC;
	for (i = 0; i < NR_ROUNDS || (sh->nr_mapped < NR_MAPPED && now() < end); i++) {
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
	SCX_GE(sh->nr_mapped, NR_MAPPED);
	return SCX_TEST_PASS;
}

#define TOLD(sh)	__atomic_load_n(&(sh)->told, __ATOMIC_ACQUIRE)
#define DONE(sh)	__atomic_load_n(&(sh)->done, __ATOMIC_ACQUIRE)

static void tell(struct shared *sh)
{
	__atomic_store_n(&sh->told, sh->told + 1, __ATOMIC_RELEASE);
}

static bool has_done(struct shared *sh)
{
	u64 end = now() + 10000 * NSEC_PER_MSEC;

	while (DONE(sh) != sh->told) {
		if (now() > end)
			return false;
		usleep(50);
	}
	return true;
}

/* Write to the first page when told an odd number, and read when told an even one. */
static void write_and_read(struct shared *sh, int fd, void *addr)
{
	volatile u64 *page = mmap(addr, SIZE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED,
				  fd, 0);

	while (!sh->stop) {
		int told = TOLD(sh);

		if (told == sh->done) {
			sched_yield();
			continue;
		}
		__atomic_store_n(&sh->begun, told, __ATOMIC_RELEASE);
		if (told & 1)
			*page = PATTERN;
		else
			sh->seen = *page;
		__atomic_store_n(&sh->done, told, __ATOMIC_RELEASE);
	}
	_exit(0);
}

/*
 * A process faults on a page, and we preempt it in the midst of that to free the page. If
 * it has the arena locked, we get the CPU back when it unlocks it. Whatever becomes of it, it
 * has what the arena has then.
 */
static enum scx_test_status fault_or_free(struct shared *sh)
{
	struct sched_param param = { .sched_priority = 1 };
	struct timespec t = { .tv_nsec = 50000 };
	void *addr = (void *)skel->bss->pages;
	int i, status, nr_preempted = 0;
	unsigned int seed = 1;

	sh->stop = false;
	SCX_ASSERT(run_on(0));
	faulter = fork_child();
	SCX_GE(faulter, 0);
	if (!faulter)
		write_and_read(sh, bpf_map__fd(skel->maps.arena), addr);
	SCX_EQ(sched_setscheduler(0, SCHED_FIFO, &param), 0);
	for (i = 0; i < NR_RACES; i++) {
		struct timespec some = { .tv_nsec = t.tv_nsec / 2 + rand_r(&seed) % t.tv_nsec };

		/* what those before left, and we */
		SCX_EQ(run_prog(skel->progs.give), 0);
		SCX_EQ(run_prog(skel->progs.take), 0);
		tell(sh);
		nanosleep(&some, NULL);
		/* a fault takes long on one machine, and not on another */
		if (__atomic_load_n(&sh->begun, __ATOMIC_ACQUIRE) != sh->told)
			t.tv_nsec += t.tv_nsec / 8;
		else if (DONE(sh) == sh->told)
			t.tv_nsec -= t.tv_nsec > 1000 ? t.tv_nsec / 8 : 0;
		else
			nr_preempted++;
		SCX_EQ(run_prog(skel->progs.give), 0);
		SCX_FAIL_IF(!has_done(sh), "a process hangs, after %d rounds", i);

		skel->bss->value = i;
		SCX_EQ(run_prog(skel->progs.put), 0);
		tell(sh);
		SCX_FAIL_IF(!has_done(sh), "a process hangs, after %d rounds", i);
		SCX_FAIL_IF(sh->seen != i, "a process has a page that was freed, after %d rounds",
			    i);
	}
	SCX_GT(nr_preempted, NR_RACES / 100);
	sh->stop = true;
	SCX_EQ(waitpid(faulter, &status, 0), faulter);
	faulter = 0;
	SCX_EQ(status, 0);
	return SCX_TEST_PASS;
}

static enum scx_test_status run(void *ctx)
{
	struct shared *sh = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS,
				 -1, 0);
	u32 id;

	SCX_ASSERT(sh != MAP_FAILED);
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
	munmap(sh, 4096);
	return SCX_TEST_PASS;
}

static void cleanup(void *ctx)
{
	struct sched_param param = {};

	sched_setscheduler(0, SCHED_OTHER, &param);
	run_on_any();
	if (faulter > 0) {
		kill(faulter, SIGKILL);
		BECOMES(waitpid(faulter, NULL, WNOHANG));
	}
	faulter = 0;
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
