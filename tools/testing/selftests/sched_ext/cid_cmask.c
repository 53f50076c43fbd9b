// SPDX-License-Identifier: GPL-2.0
/*
 * The operations on cmasks that cid.bpf.h has for BPF programs do what a model does that
 * looks at each cid by itself, at bases and lengths where words begin and end.
 */
#define _GNU_SOURCE
#include "prog_steps.h"
#include "cid_cmask_test.h"
#include "cid_cmask.bpf.skel.h"

#define MAX_CPUS	64

static struct cid_cmask *skel;

static const struct {
	unsigned int base;
	unsigned int nr_cids;
} ranges[] = {
	{ 0, 1 }, { 0, 63 }, { 0, 64 }, { 0, 65 }, { 1, 63 }, { 1, 64 }, { 63, 1 }, { 63, 2 },
	{ 63, 130 }, { 64, 64 }, { 64, 1 }, { 5, 130 }, { 100, 27 }, { 100, 28 }, { 100, 29 },
	{ 127, 66 }, { 7, 0 }, { 64, 0 }, { 300, 200 }, { 0, 500 },
}, large[] = {
	{ 0, 8192 }, { 1, 8192 }, { 63, 8192 }, { 100, 8192 }, { 127, 8192 },
};

#define NR(array)	(sizeof(array) / sizeof((array)[0]))

static enum scx_test_status all_operations(void)
{
	struct bpf_program *progs[] = {
		skel->progs.setup_a, skel->progs.setup_b, skel->progs.setup_c,
		skel->progs.and, skel->progs.or, skel->progs.copy, skel->progs.andnot,
		skel->progs.zero, skel->progs.reframe, skel->progs.test_and,
		skel->progs.compare, skel->progs.compare_copy,
		skel->progs.set, skel->progs.and_set, skel->progs.and2_set,
	};
	int i;

	for (i = 0; i < (int)NR(progs); i++) {
		SCX_EQ(run_prog(progs[i]), 0);
		SCX_FAIL_IF(skel->bss->wrong, "%s: %u is wrong at cid %u, ranges %u+%u %u+%u %u+%u",
			    bpf_program__name(progs[i]), skel->bss->wrong, skel->bss->wrong_cid,
			    skel->bss->base[0], skel->bss->nr_cids[0], skel->bss->base[1],
			    skel->bss->nr_cids[1], skel->bss->base[2], skel->bss->nr_cids[2]);
	}
	return SCX_TEST_PASS;
}

static enum scx_test_status each_is_won_once(void)
{
	int nr_cpus = sysconf(_SC_NPROCESSORS_ONLN), round, i;
	struct runner runners[MAX_CPUS];

	if (nr_cpus > MAX_CPUS)
		nr_cpus = MAX_CPUS;
	skel->bss->base[0] = 3;
	skel->bss->nr_cids[0] = 8192;
	SCX_EQ(run_prog(skel->progs.setup_a), 0);
	SCX_EQ(run_prog(skel->progs.win_set), 0);
	for (round = 0; round < 20; round++) {
		skel->bss->nr_won = 0;
		for (i = 0; i < nr_cpus; i++)
			TRY(start_runner(&runners[i], round % 2 ? skel->progs.win_set :
					 skel->progs.win_clear, i, false));
		for (i = 0; i < nr_cpus; i++) {
			pthread_join(runners[i].thread, NULL);
			SCX_EQ(runners[i].ret, 0);
		}
		SCX_EQ(skel->bss->nr_won, 8192);
	}
	return SCX_TEST_PASS;
}

static enum scx_test_status run(void *ctx)
{
	unsigned int round, k;

	skel->bss->seed = 1;
	for (round = 0; round < 300; round++) {
		for (k = 0; k < 3; k++) {
			/* all pairs of the first two; equal ones, too */
			unsigned int i = !k ? round % NR(ranges) :
					 k == 1 ? round / NR(ranges) : (round * 7) % NR(ranges);

			skel->bss->base[k] = ranges[i % NR(ranges)].base;
			skel->bss->nr_cids[k] = ranges[i % NR(ranges)].nr_cids;
		}
		TRY(all_operations());
	}
	for (round = 0; round < NR(large); round++) {
		for (k = 0; k < 3; k++) {
			skel->bss->base[k] = large[(round + k) % NR(large)].base;
			skel->bss->nr_cids[k] = large[(round + k) % NR(large)].nr_cids;
		}
		TRY(all_operations());
	}
	SCX_EQ(run_prog(skel->progs.from_cpumask), 0);
	SCX_EQ(skel->bss->wrong, 0);
	TRY(each_is_won_once());
	printf("%llu comparisons\n", (unsigned long long)skel->bss->nr_checks);
	return SCX_TEST_PASS;
}

static enum scx_test_status setup(void **ctx)
{
	skel = cid_cmask__open_and_load();
	SCX_FAIL_IF(!skel, "Failed to load");
	return SCX_TEST_PASS;
}

static void cleanup(void *ctx)
{
	run_on_any();
	cid_cmask__destroy(skel);
}

struct scx_test cid_cmask = {
	.name = "cid_cmask",
	.description = "Verify the operations on cmasks for BPF programs",
	.setup = setup,
	.run = run,
	.cleanup = cleanup,
};
REGISTER_SCX_TEST(&cid_cmask)
