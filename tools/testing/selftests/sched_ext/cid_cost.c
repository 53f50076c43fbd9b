// SPDX-License-Identifier: GPL-2.0
/*
 * What sched_setaffinity() costs under the same scheduler in both forms. Where the
 * clock counts instructions (QEMU -icount), these are instructions, and whoever runs
 * this compares them. Elsewhere it is time, of which nothing is expected.
 */
#include <time.h>
#include "cid_steps.h"
#include "cid_cost.bpf.skel.h"

/* short enough for a batch to fit between two ticks */
#define CID_COST_CALLS	200
#define CID_COST_BATCHES	25

static struct cid_cost *skel;
static struct bpf_link *cost_link;

static u64 now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000000000ULL + ts.tv_nsec;
}

static enum scx_test_status measure(struct bpf_map *ops, const char *form, u64 *best)
{
	cpu_set_t one, all;
	int i, round;
	u64 start, took, calls;

	*best = ~0ULL;
	cost_link = bpf_map__attach_struct_ops(ops);
	SCX_FAIL_IF(!cost_link, "Failed to attach scheduler");
	SCX_ASSERT(BECOMES(scx_state_is("enabled")));

	/* always allowed where it runs, so that nothing migrates */
	CPU_ZERO(&one);
	CPU_SET(0, &one);
	CPU_ZERO(&all);
	for (i = 0; i < cid_nr_cpus(); i++)
		CPU_SET(i, &all);
	SCX_EQ(sched_setaffinity(0, sizeof(one), &one), 0);

	/* the best of some batches is the one that nothing else took part in */
	for (round = 0; round < CID_COST_BATCHES; round++) {
		calls = skel->bss->nr_calls;
		start = now();
		for (i = 0; i < CID_COST_CALLS / 2; i++) {
			sched_setaffinity(0, sizeof(all), &all);
			sched_setaffinity(0, sizeof(one), &one);
		}
		took = now() - start;
		SCX_GE(skel->bss->nr_calls, calls + CID_COST_CALLS);
		SCX_EQ(skel->bss->first_word, 1);
		if (took < *best)
			*best = took;
	}
	*best /= CID_COST_CALLS;
	printf("%s-form, %d CPUs: %llu a call\n", form, cid_nr_cpus(), (unsigned long long)*best);

	SCX_EQ(sched_setaffinity(0, sizeof(all), &all), 0);
	bpf_link__destroy(cost_link);
	cost_link = NULL;
	SCX_ASSERT(scx_state_is("disabled"));
	return SCX_TEST_PASS;
}

static enum scx_test_status run(void *ctx)
{
	u64 cpu, cid;

	if (cid_nr_cpus() == 1)
		return SCX_TEST_SKIP;	/* there is nothing to change affinity to */
	skel = cid_cost__open_and_load();
	SCX_FAIL_IF(!skel, "Failed to load");
	skel->bss->measured_pid = getpid();
	TRY(measure(skel->maps.cpu_cost_ops, "cpu", &cpu));
	TRY(measure(skel->maps.cid_cost_ops, "cid", &cid));
	return SCX_TEST_PASS;
}

static void cleanup(void *ctx)
{
	bpf_link__destroy(cost_link);
	cost_link = NULL;
	cid_cost__destroy(skel);
	skel = NULL;
}

struct scx_test cid_cost = {
	.name		= "cid_cost",
	.description	= "What a change of affinity costs in the cid form and in the cpu form",
	.run		= run,
	.cleanup	= cleanup,
};
REGISTER_SCX_TEST(&cid_cost)
