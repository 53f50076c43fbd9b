// SPDX-License-Identifier: GPL-2.0
/*
 * Resilient locks: they exclude, and what can't be had is an error and not the end.
 */
#define _GNU_SOURCE
#include "prog_steps.h"
#include "res_lock_test.h"
#include "res_lock.bpf.skel.h"

/* crossings that aren't counted */
#define MAX_LATE	5

static struct res_lock *skel;
static int nr_cpus;
static int kmsg = -1;

/* how many lines with @what the kernel has logged since the last call */
static int kernel_said(const char *what)
{
	char line[2048];
	ssize_t len;
	int n = 0;

	while ((len = read(kmsg, line, sizeof(line) - 1)) > 0 || errno == EPIPE) {
		line[len > 0 ? len : 0] = '\0';
		n += !!strstr(line, what);
	}
	return n;
}

static u64 sum_taken(void)
{
	u64 sum = 0;
	int i;

	for (i = 0; i < NR_RES_LOCK_CONTEXTS; i++)
		sum += skel->bss->counts[i].taken;
	return sum;
}

/*
 * Programs of four kinds on all CPUs count, and nothing is lost. If all of them have
 * interrupts disabled, nobody fails. Otherwise those that interrupt others find the lock
 * taken below them. And what interrupts a holder may wait for a run queue, to wake a task
 * up, where ops.enqueue() waits for the holder: that is a timeout.
 */
static enum scx_test_status excludes(bool interruptible)
{
	static const char * const names[] = { "syscall", "timer", "tracing", "struct_ops" };
	struct runner runners[RES_LOCK_CPUS];
	struct bpf_link *sched, *traced;
	enum scx_test_status ended;
	u64 deadlocks = 0;
	struct runner once;
	bool stayed;
	int cpu, i;

	skel->bss->interruptible = interruptible;
	memset(skel->bss->counts, 0, sizeof(skel->bss->counts));
	memset(skel->bss->taken_on, 0, sizeof(skel->bss->taken_on));
	skel->arena->guarded = 0;
	sched = bpf_map__attach_struct_ops(skel->maps.res_lock_ops);
	SCX_FAIL_IF(!sched, "Failed to attach scheduler");
	traced = bpf_program__attach(skel->progs.traced);
	SCX_FAIL_IF(!traced, "Failed to attach to sched_switch");
	skel->bss->stop = false;
	for (cpu = 0; cpu < nr_cpus; cpu++) {
		TRY(start_runner(&once, skel->progs.start_timer, cpu, false));
		pthread_join(once.thread, NULL);
		SCX_EQ(once.ret, 0);
	}
	TRY(start_on(nr_cpus, runners, skel->progs.contend));
	sleep(3);
	ended = end_on(nr_cpus, runners);
	stayed = scx_state_is("enabled");
	skel->bss->stop = true;
	bpf_link__destroy(traced);
	bpf_link__destroy(sched);
	TRY(ended);
	SCX_ASSERT(stayed);
	/* the last timers, and what sched_switch is in */
	SCX_ASSERT(BECOMES(sum_taken() == skel->arena->guarded));
	usleep(100000);
	SCX_EQ(sum_taken(), skel->arena->guarded);

	for (i = 0; i < NR_RES_LOCK_CONTEXTS; i++) {
		struct res_lock_counts *c = &skel->bss->counts[i];

		printf("from %s%s: %llu taken, %llu deadlocks, %llu timeouts\n", names[i],
		       interruptible ? ", interruptible" : "", c->taken, c->deadlocks,
		       c->timeouts);
		SCX_GT(c->taken, 0);
		deadlocks += c->deadlocks;
		if (!interruptible)
			SCX_EQ(c->timeouts, 0);
	}
	SCX_EQ(!!deadlocks, interruptible);
	/* it interrupts nobody */
	SCX_EQ(skel->bss->counts[FROM_SYSCALL].deadlocks, 0);
	for (cpu = 0; cpu < nr_cpus; cpu++)
		SCX_GT(skel->bss->taken_on[cpu], 0);
	return SCX_TEST_PASS;
}

static enum scx_test_status second_time(void)
{
	int tries = 0, said;

	/* an earlier test may have caused more than the kernel logs in five seconds */
	do {
		kernel_said("");
		SCX_EQ(run_prog(skel->progs.take_twice), -EDEADLK);
		SCX_LT(skel->bss->took_ns, 100 * NSEC_PER_MSEC);
		said = kernel_said("takes a resilient lock that it has");
	} while (!said && ++tries < 10 && !sleep(1));
	SCX_EQ(said, 1);
	SCX_EQ(run_prog(skel->progs.take_once), 0);
	return SCX_TEST_PASS;
}

/* Two CPUs that have a lock each and want the other's. */
static enum scx_test_status crosswise(void)
{
	int rounds, deadlocks = 0, met = 0, late = 0;
	struct runner a, b;

	/* the one that starts second is started from where the first doesn't keep the CPU */
	SCX_ASSERT(run_on(nr_cpus - 1));
	for (rounds = 0; rounds < 20; rounds++) {
		skel->bss->arrived = 0;
		skel->bss->met_a = 0;
		skel->bss->met_b = 0;
		TRY(start_runner(&a, skel->progs.cross_a, 0, false));
		TRY(start_runner(&b, skel->progs.cross_b, 1, false));
		pthread_join(a.thread, NULL);
		pthread_join(b.thread, NULL);
		/* one may be stopped before it wants its second lock, and be waited for too long */
		if ((a.ret == -ETIMEDOUT || b.ret == -ETIMEDOUT) && late < MAX_LATE) {
			late++;
			rounds--;
			continue;
		}
		SCX_ASSERT(!a.ret || a.ret == -EDEADLK);
		SCX_ASSERT(!b.ret || b.ret == -EDEADLK);
		if (!skel->bss->met_a || !skel->bss->met_b)
			continue;
		met++;
		deadlocks += a.ret || b.ret;
	}
	printf("%d of %d crossings met, %d of them told of the deadlock\n", met, rounds, deadlocks);
	SCX_GT(met, 0);
	SCX_EQ(deadlocks, met);
	SCX_EQ(run_prog(skel->progs.take_once), 0);
	return SCX_TEST_PASS;
}

/*
 * Nobody has the lock, and nobody is waited for who has given up: that would take 20 us
 * each time.
 */
static enum scx_test_status free_at_once(void)
{
	u64 best = ~0ULL;
	int i;

	SCX_ASSERT(run_on(0));
	for (i = 0; i < 50; i++) {
		SCX_EQ(run_prog(skel->progs.take_once), 0);
		if (skel->bss->took_ns < best)
			best = skel->bss->took_ns;
	}
	SCX_LT(best, 20000);
	return SCX_TEST_PASS;
}

/*
 * Two wait one after the other for an owner that stays for three seconds. *@again tells
 * that this was no measurement: the owner went before its time, or a wait took far longer
 * than it should have, as something else had the CPU.
 */
static enum scx_test_status wait_for_owner(bool *again)
{
	unsigned long long shortest = ~0ULL;
	struct runner keeper, waiter;
	int i, ret = 0, ticks = 0;
	u32 released = 0;

	kernel_said("");
	*again = false;
	skel->bss->hold = true;
	skel->bss->arrived = 0;
	skel->bss->released = 0;
	TRY(start_runner(&keeper, skel->progs.keep, 0, false));
	SCX_ASSERT(BECOMES(*(volatile u32 *)&skel->bss->arrived));
	/* the rest of the machine goes on meanwhile */
	if (nr_cpus > 2)
		run_on(2);
	for (i = 0; i < 2 && !*again; i++) {
		ret = 1000;
		if (start_runner(&waiter, skel->progs.take_once, 1, false) != SCX_TEST_PASS)
			break;
		while (pthread_tryjoin_np(waiter.thread, NULL)) {
			usleep(1000);
			ticks++;
		}
		released = *(volatile u32 *)&skel->bss->released;
		ret = waiter.ret;
		*again = !ret || skel->bss->took_ns > 1000 * NSEC_PER_MSEC;
		if (skel->bss->took_ns < shortest)
			shortest = skel->bss->took_ns;
		if (ret != -ETIMEDOUT)
			break;
	}
	skel->bss->hold = false;
	pthread_join(keeper.thread, NULL);
	SCX_EQ(keeper.ret, 0);
	/* what it got nobody had any more */
	SCX_ASSERT(ret || released);
	SCX_ASSERT(!ret || ret == -ETIMEDOUT);
	printf("waited for %llu ms, slept %d times meanwhile\n",
	       (unsigned long long)(skel->bss->took_ns / NSEC_PER_MSEC), ticks);
	if (*again)
		return SCX_TEST_PASS;
	SCX_GE(shortest, 250 * NSEC_PER_MSEC);
	if (nr_cpus > 2)
		SCX_GT(ticks, 10);
	SCX_EQ(kernel_said("CPU 1 has waited 250 ms for a resilient lock that CPU 0 has"), 1);
	return SCX_TEST_PASS;
}

/*
 * An owner that doesn't let go costs those that wait a quarter of a second, and no more.
 * Once, or more often shortly after boot, that falls together with something that stops
 * all CPUs, and waits for the owner, who can't be preempted.
 */
static enum scx_test_status owner_stays(void)
{
	unsigned long long shortest = ~0ULL;
	struct runner keeper;
	int i, tries = 0;
	bool again;

	/* how long are 100 rounds, when nothing comes in between? */
	skel->bss->hold = true;
	skel->bss->keep_rounds = 100;
	for (i = 0; i < 5; i++) {
		TRY(start_runner(&keeper, skel->progs.keep, 0, false));
		pthread_join(keeper.thread, NULL);
		SCX_EQ(keeper.ret, 0);
		if (keeper.took < shortest)
			shortest = keeper.took;
	}
	skel->bss->keep_rounds = 100 * (3000 * NSEC_PER_MSEC) / shortest;

	do {
		TRY(wait_for_owner(&again));
	} while (again && ++tries < 5);
	SCX_ASSERT(!again);
	return free_at_once();
}

static enum scx_test_status fill(int map)
{
	u32 key;
	u64 value = 0;

	for (key = 0; key < RES_LOCK_VALUES; key++)
		SCX_EQ(bpf_map_update_elem(map, &key, &value, BPF_ANY), 0);
	return SCX_TEST_PASS;
}

/* Many locks, in any order, in values that are freed and used again while they're held. */
static enum scx_test_status memory_is_reused(void)
{
	int maps[] = { bpf_map__fd(skel->maps.preallocated), bpf_map__fd(skel->maps.allocated) };
	struct runner runners[RES_LOCK_CPUS];
	u64 value = 0, replaced = 0, end;
	int i;

	TRY(fill(maps[0]));
	TRY(fill(maps[1]));
	TRY(start_on(nr_cpus, runners, skel->progs.take_pairs));
	for (end = now() + 3000 * NSEC_PER_MSEC; now() < end; replaced++) {
		u32 key = replaced % RES_LOCK_VALUES;

		for (i = 0; i < 2; i++) {
			SCX_EQ(bpf_map_delete_elem(maps[i], &key), 0);
			SCX_EQ(bpf_map_update_elem(maps[i], &key, &value, BPF_ANY), 0);
		}
	}
	TRY(end_on(nr_cpus, runners));
	printf("%llu pairs taken, %llu deadlocks, %llu timeouts; %llu values replaced\n",
	       (unsigned long long)skel->bss->pairs_taken,
	       (unsigned long long)skel->bss->pair_deadlocks,
	       (unsigned long long)skel->bss->pair_timeouts, (unsigned long long)replaced);
	SCX_GT(skel->bss->pairs_taken, 0);
	SCX_GT(replaced, 0);
	SCX_EQ(run_prog(skel->progs.take_each), 0);
	SCX_EQ(skel->bss->nr_stuck, 0);
	return SCX_TEST_PASS;
}

/* A scheduler that goes while its programs are at the lock leaves it free. */
static enum scx_test_status ejected(void)
{
	struct runner runners[RES_LOCK_CPUS];
	struct bpf_link *link;

	skel->bss->enqueued = 0;
	skel->bss->eject_after = 100;
	skel->data->uei.kind = EXIT_KIND(SCX_EXIT_NONE);
	TRY(start_on(nr_cpus, runners, skel->progs.contend));
	link = bpf_map__attach_struct_ops(skel->maps.res_lock_ops);
	SCX_FAIL_IF(!link, "Failed to attach scheduler");
	SCX_ASSERT(BECOMES(skel->data->uei.kind != EXIT_KIND(SCX_EXIT_NONE)));
	SCX_EQ(skel->data->uei.kind, EXIT_KIND(SCX_EXIT_ERROR_BPF));
	TRY(end_on(nr_cpus, runners));
	bpf_link__destroy(link);
	SCX_ASSERT(BECOMES(scx_state_is("disabled")));
	SCX_EQ(run_prog(skel->progs.take_once), 0);
	return SCX_TEST_PASS;
}

static enum scx_test_status setup(void **ctx)
{
	nr_cpus = sysconf(_SC_NPROCESSORS_ONLN);
	if (nr_cpus > RES_LOCK_CPUS)
		nr_cpus = RES_LOCK_CPUS;
	kmsg = open("/dev/kmsg", O_RDONLY | O_NONBLOCK);
	SCX_FAIL_IF(kmsg < 0, "Failed to open /dev/kmsg");
	lseek(kmsg, 0, SEEK_END);
	skel = res_lock__open();
	SCX_FAIL_IF(!skel, "Failed to open");
	UEI_SET_SIZE(skel, res_lock_ops, uei);
	SCX_FAIL_IF(res_lock__load(skel), "Failed to load");
	return SCX_TEST_PASS;
}

static enum scx_test_status run(void *ctx)
{
	/* these look for what the kernel logs, which it does ten times in five seconds at most */
	TRY(second_time());
	if (nr_cpus > 1) {
		TRY(owner_stays());
		TRY(crosswise());
	}
	TRY(excludes(false));
	TRY(excludes(true));
	TRY(memory_is_reused());
	TRY(ejected());
	return SCX_TEST_PASS;
}

static void cleanup(void *ctx)
{
	run_on_any();
	res_lock__destroy(skel);
	close(kmsg);
}

struct scx_test res_lock = {
	.name = "res_lock",
	.description = "Verify that resilient locks exclude, and report deadlocks and owners that stay",
	.setup = setup,
	.run = run,
	.cleanup = cleanup,
};
REGISTER_SCX_TEST(&res_lock)
