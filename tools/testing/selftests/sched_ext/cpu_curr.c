// SPDX-License-Identifier: GPL-2.0
/*
 * scx_bpf_cpu_curr() is the task on a CPU, and it can be written to.
 */
#include "vocab_steps.h"
#include "cpu_curr_test.h"
#include "cpu_curr.bpf.skel.h"

static struct cpu_curr *open_wrong(enum cpu_curr_wrong wrong)
{
	struct cpu_curr *skel = cpu_curr__open();

	skel->rodata->wrong = wrong;
	return skel;
}

static enum scx_test_status refused(void)
{
	struct cpu_curr *skel = open_wrong(CPU_CURR_UNCHECKED);

	TRY(no_load(skel->obj, skel->progs.cpu_curr_tick, "invalid mem access 'rcu_ptr_or_null_'"));
	cpu_curr__destroy(skel);

	skel = open_wrong(CPU_CURR_NO_RCU);
	TRY(no_load(skel->obj, skel->progs.curr_of,
		    "kernel function scx_bpf_cpu_curr must be called in an RCU critical section"));
	cpu_curr__destroy(skel);

	skel = open_wrong(CPU_CURR_NEGATIVE);
	SCX_FAIL_IF(cpu_curr__load(skel), "Failed to load");
	ENDS(skel->maps.cpu_curr_ops, skel->data->uei, "invalid CPU -1");
	cpu_curr__destroy(skel);

	skel = open_wrong(CPU_CURR_TOO_BIG);
	SCX_FAIL_IF(cpu_curr__load(skel), "Failed to load");
	ENDS(skel->maps.cpu_curr_ops, skel->data->uei, "invalid CPU 1048576");
	cpu_curr__destroy(skel);
	return SCX_TEST_PASS;
}

static enum scx_test_status run(void *ctx)
{
	int cpu = sysconf(_SC_NPROCESSORS_ONLN) > 1;
	struct cpu_curr *skel = open_wrong(CPU_CURR_FINE);
	struct bpf_link *link;
	pid_t busy;

	SCX_FAIL_IF(cpu_curr__load(skel), "Failed to load");
	link = bpf_map__attach_struct_ops(skel->maps.cpu_curr_ops);
	SCX_FAIL_IF(!link, "Failed to attach scheduler");

	/* this task, seen by itself, and another one on another CPU */
	SCX_ASSERT(run_on(0));
	skel->bss->look_at = 0;
	SCX_EQ(run_prog(skel->progs.curr_of), getpid());
	busy = fork_busy(cpu);
	skel->bss->look_at = cpu;
	if (cpu)
		SCX_ASSERT(BECOMES(run_prog(skel->progs.curr_of) == busy));

	SCX_ASSERT(BECOMES(skel->bss->nr_ticks > 10));
	end_child(busy);
	run_on_any();
	SCX_EQ(skel->bss->nr_others, 0);
	SCX_EQ(skel->bss->nr_lost, 0);
	SCX_EQ(skel->data->uei.kind, EXIT_KIND(SCX_EXIT_NONE));
	bpf_link__destroy(link);
	cpu_curr__destroy(skel);

	return refused();
}

struct scx_test cpu_curr = {
	.name = "cpu_curr",
	.description = "scx_bpf_cpu_curr() is the task on a CPU",
	.run = run,
};
REGISTER_SCX_TEST(&cpu_curr)
