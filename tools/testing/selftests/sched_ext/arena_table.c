// SPDX-License-Identifier: GPL-2.0
/*
 * The table that finds what belongs to a task does what a model does that has a place for
 * each key, and what is in it is found while others come and go.
 */
#define _GNU_SOURCE
#include "prog_steps.h"
#include "arena_table_test.h"
#include "arena_table.bpf.skel.h"

static struct arena_table *skel;

static enum scx_test_status did(struct bpf_program *prog)
{
	SCX_EQ(run_prog(prog), 0);
	SCX_FAIL_IF(skel->bss->wrong, "%s: %u is wrong, %u slots for %u tasks, %llu checks",
		    bpf_program__name(prog), skel->bss->wrong, skel->bss->nr_slots,
		    skel->bss->nr_tasks, (unsigned long long)skel->bss->nr_checks);
	return SCX_TEST_PASS;
}

static enum scx_test_status new_table(unsigned int nr_tasks)
{
	skel->bss->nr_tasks = nr_tasks;
	skel->bss->nr_slots = SCX_TABLE_NR_SLOTS(nr_tasks);
	return did(skel->progs.setup);
}

/* Nobody is left where nobody should be. */
static enum scx_test_status all_free(void)
{
	unsigned int i;

	for (i = 0; i < skel->bss->nr_slots; i++)
		SCX_ASSERT(!skel->arena->tt.slots[i]);
	return SCX_TEST_PASS;
}

static enum scx_test_status as_the_model(void)
{
	static const unsigned int sizes[] = { 1, 2, 3, 7, 30, TABLE_TEST_TASKS, 0 };
	const unsigned int *size;

	skel->bss->seed = 1;
	skel->bss->nr_steps = 20000;
	for (size = sizes; *size; size++) {
		TRY(new_table(*size));
		TRY(did(skel->progs.steps));
		TRY(did(skel->progs.empty));
		TRY(all_free());
		TRY(did(skel->progs.fill));
	}
	return SCX_TEST_PASS;
}

static enum scx_test_status found_meanwhile(void)
{
	int nr_cpus = sysconf(_SC_NPROCESSORS_ONLN), max, i;
	struct runner runners[TABLE_TEST_KEYS];

	max = (TABLE_TEST_TASKS - TABLE_TEST_STAY) / TABLE_TEST_A_CPU;
	if (nr_cpus > max)
		nr_cpus = max;
	TRY(new_table(TABLE_TEST_TASKS));
	TRY(did(skel->progs.stay));
	/* whole rounds of adding and removing */
	skel->bss->nr_steps = 5000 * 2 * TABLE_TEST_A_CPU;
	/* one that writes and one that reads in turn, the latter as long as there are the former */
	runners_stop = false;
	for (i = 0; i < nr_cpus; i++)
		TRY(start_runner(&runners[i], i % 2 ? skel->progs.watch : skel->progs.churn,
				 i, i % 2));
	for (i = 0; i < nr_cpus; i += 2)
		pthread_join(runners[i].thread, NULL);
	runners_stop = true;
	for (i = 1; i < nr_cpus; i += 2)
		pthread_join(runners[i].thread, NULL);
	for (i = 0; i < nr_cpus; i++)
		SCX_EQ(runners[i].ret, 0);
	SCX_EQ(skel->bss->wrong, 0);
	return SCX_TEST_PASS;
}

static enum scx_test_status run(void *ctx)
{
	TRY(as_the_model());
	TRY(did(skel->progs.keys));
	TRY(found_meanwhile());
	printf("%llu checks, %llu found under the lock only\n",
	       (unsigned long long)skel->bss->nr_checks, (unsigned long long)skel->bss->nr_missed);
	return SCX_TEST_PASS;
}

static enum scx_test_status setup(void **ctx)
{
	skel = arena_table__open_and_load();
	SCX_FAIL_IF(!skel, "Failed to load");
	return SCX_TEST_PASS;
}

static void cleanup(void *ctx)
{
	run_on_any();
	arena_table__destroy(skel);
}

struct scx_test arena_table = {
	.name = "arena_table",
	.description = "Verify the table in an arena that finds what belongs to a task",
	.setup = setup,
	.run = run,
	.cleanup = cleanup,
};
REGISTER_SCX_TEST(&arena_table)
