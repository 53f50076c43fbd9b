// SPDX-License-Identifier: GPL-2.0
/*
 * What taking and releasing a resilient lock costs, beside a bpf_spin_lock, and what it
 * costs when several CPUs want it. Where the clock counts instructions (QEMU -icount),
 * the former are instructions, and whoever runs this compares them. Elsewhere it is
 * time, of which little is expected.
 */
#define _GNU_SOURCE
#include "prog_steps.h"
#include "res_lock_cost_test.h"
#include "res_lock_cost.bpf.skel.h"

#define MAX_CPUS	16

static struct res_lock_cost *skel;

/* of one round, in tenths; the best of some runs is the one that nothing else took part in */
static enum scx_test_status measure(struct bpf_program *prog, u64 *cost)
{
	u64 start, took;
	int i;

	*cost = ~0ULL;
	for (i = 0; i < 20; i++) {
		start = now();
		SCX_EQ(run_prog(prog), 0);
		took = now() - start;
		if (took < *cost)
			*cost = took;
	}
	*cost = *cost * 10 / LOCK_COST_ROUNDS;
	return SCX_TEST_PASS;
}

static enum scx_test_status uncontended(void)
{
	u64 none, plain, res, irq;

	TRY(measure(skel->progs.no_lock, &none));
	TRY(measure(skel->progs.plain, &plain));
	TRY(measure(skel->progs.resilient, &res));
	TRY(measure(skel->progs.resilient_irq, &irq));
	SCX_GT(plain, none);
	SCX_GT(res, none);
	printf("lock and unlock, in tenths: bpf_spin_lock %llu, bpf_res_spin_lock %llu, _irqsave %llu\n",
	       (unsigned long long)(plain - none), (unsigned long long)(res - none),
	       (unsigned long long)(irq - none));
	return SCX_TEST_PASS;
}

/* from one owner to the next, or the same one */
static enum scx_test_status contended(int nr_cpus, u64 *cost)
{
	struct runner runners[MAX_CPUS];
	u64 start, took;

	skel->bss->taken = 0;
	start = now();
	TRY(start_on(nr_cpus, runners, skel->progs.contended));
	sleep(1);
	TRY(end_on(nr_cpus, runners));
	took = now() - start;
	SCX_GT(skel->bss->taken, 0);
	*cost = took * 10 / skel->bss->taken;
	printf("%d CPUs: %llu tenths of a ns from owner to owner\n", nr_cpus,
	       (unsigned long long)*cost);
	return SCX_TEST_PASS;
}

static enum scx_test_status run(void *ctx)
{
	int all = sysconf(_SC_NPROCESSORS_ONLN), n, tries;
	u64 cost, two = 0;

	SCX_ASSERT(run_on(0));
	TRY(uncontended());
	if (all < 2)
		return SCX_TEST_PASS;
	TRY(contended(2, &two));
	SCX_GT(two, 0);
	for (n = 4; n <= all && n <= MAX_CPUS; n *= 2) {
		TRY(contended(n, &cost));
		/*
		 * linear, with a factor for machines that have to share their CPUs. Those give
		 * one measurement more of them than another: the two are taken again then.
		 */
		for (tries = 0; cost >= two * n / 2 * 3 && tries < 5; tries++) {
			TRY(contended(2, &two));
			TRY(contended(n, &cost));
		}
		SCX_LT(cost, two * n / 2 * 3);
	}
	return SCX_TEST_PASS;
}

static enum scx_test_status setup(void **ctx)
{
	skel = res_lock_cost__open_and_load();
	SCX_FAIL_IF(!skel, "Failed to load");
	return SCX_TEST_PASS;
}

static void cleanup(void *ctx)
{
	run_on_any();
	res_lock_cost__destroy(skel);
}

struct scx_test res_lock_cost = {
	.name = "res_lock_cost",
	.description = "Measure what resilient locks cost",
	.setup = setup,
	.run = run,
	.cleanup = cleanup,
};
REGISTER_SCX_TEST(&res_lock_cost)
