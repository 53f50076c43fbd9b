// SPDX-License-Identifier: GPL-2.0
/*
 * A task of a higher class has a CPU while a scheduler goes and the next one comes. Only what
 * a scheduler has lost is given back to it.
 */
#include "vocab_steps.h"
#include "cpu_release.bpf.skel.h"

#define CPU		1
#define SCHED_EXT	7

static struct cpu_release *old, *next;
static struct bpf_link *ops_link;
static volatile enum { HOG_WAITS, HOG_STARTS, HOG_RUNS, HOG_ENDS } *stage;
static pid_t busy, hog;

static enum scx_test_status setup(void **ctx)
{
	return sysconf(_SC_NPROCESSORS_ONLN) > CPU ? SCX_TEST_PASS : SCX_TEST_SKIP;
}

static enum scx_test_status begin(struct cpu_release **skel)
{
	*skel = SCX_OPS_OPEN(cpu_release_ops, cpu_release);
	UEI_SET_SIZE(*skel, cpu_release_ops, uei);
	(*skel)->bss->watched_cpu = CPU;
	SCX_FAIL_IF(cpu_release__load(*skel), "Failed to load");
	ops_link = bpf_map__attach_struct_ops((*skel)->maps.cpu_release_ops);
	SCX_FAIL_IF(!ops_link, "Failed to attach scheduler");
	return SCX_TEST_PASS;
}

static enum scx_test_status end(struct cpu_release *skel)
{
	bpf_link__destroy(ops_link);
	ops_link = NULL;
	SCX_EQ(skel->data->uei.kind, EXIT_KIND(SCX_EXIT_UNREG));
	return SCX_TEST_PASS;
}

/* A task that has @CPU when it is told to, and never waits again. */
static pid_t fork_hog(void)
{
	pid_t pid = fork_child();

	if (!pid) {
		while (*stage == HOG_WAITS)
			usleep(1000);
		if (!run_on(CPU))
			_exit(1);
		*stage = HOG_RUNS;
		while (*stage == HOG_RUNS)
			;
		_exit(0);
	}
	return pid;
}

static enum scx_test_status run(void *ctx)
{
	const struct sched_param param = {};
	u32 nr;

	SCX_ASSERT(run_on(0));
	stage = mmap(NULL, sizeof(*stage), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS,
		     -1, 0);
	SCX_ASSERT(stage != MAP_FAILED);
	*stage = HOG_WAITS;
	busy = fork_busy(CPU);
	SCX_GT(busy, 0);
	SCX_EQ(sched_setscheduler(busy, SCHED_EXT, &param), 0);
	hog = fork_hog();
	SCX_GT(hog, 0);
	TRY(begin(&old));
	SCX_ASSERT(BECOMES(old->bss->nr_running));

	*stage = HOG_STARTS;
	SCX_ASSERT(BECOMES(*stage == HOG_RUNS && old->bss->nr_released > old->bss->nr_acquired));
	TRY(end(old));
	TRY(begin(&next));
	nr = next->bss->nr_running;
	*stage = HOG_ENDS;
	SCX_EQ(waitpid(hog, NULL, 0), hog);
	hog = 0;
	SCX_ASSERT(BECOMES(next->bss->nr_running > nr));
	TRY(end(next));
	SCX_GE(next->bss->nr_released, next->bss->nr_acquired);
	return SCX_TEST_PASS;
}

static void cleanup(void *ctx)
{
	if (hog > 0)
		end_child(hog);
	if (busy > 0)
		end_child(busy);
	bpf_link__destroy(ops_link);
	cpu_release__destroy(old);
	cpu_release__destroy(next);
	run_on_any();
}

struct scx_test cpu_release = {
	.name = "cpu_release",
	.description = "Replace a scheduler while a CPU is taken by another class",
	.setup = setup,
	.run = run,
	.cleanup = cleanup,
};
REGISTER_SCX_TEST(&cpu_release)
