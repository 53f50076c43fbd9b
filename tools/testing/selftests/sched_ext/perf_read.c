// SPDX-License-Identifier: GPL-2.0
/*
 * A scheduler can read performance counters. The one here is the CPU's clock, which is there
 * without hardware, too.
 */
#define _GNU_SOURCE
#include <linux/perf_event.h>
#include <sys/syscall.h>
#include "prog_steps.h"
#include "perf_read_test.h"
#include "perf_read.bpf.skel.h"

static int open_clock(int cpu)
{
	struct perf_event_attr attr = {
		.type	= PERF_TYPE_SOFTWARE,
		.size	= sizeof(attr),
		.config	= PERF_COUNT_SW_CPU_CLOCK,
	};

	return syscall(SYS_perf_event_open, &attr, -1, cpu, -1, PERF_FLAG_FD_CLOEXEC);
}

/* Sleeps and wakes up on a CPU for some time. */
static enum scx_test_status run_a_while(int cpu)
{
	int i;

	SCX_ASSERT(run_on(cpu));
	for (i = 0; i < 50; i++)
		usleep(1000);
	run_on_any();
	return SCX_TEST_PASS;
}

static enum scx_test_status run(void *ctx)
{
	int nr = sysconf(_SC_NPROCESSORS_ONLN), cpu, map, fds[PERF_READ_CPUS];
	struct perf_read_cpu before, *c;
	struct perf_read *skel;
	struct bpf_link *link;

	if (nr > PERF_READ_CPUS)
		nr = PERF_READ_CPUS;
	skel = perf_read__open_and_load();
	SCX_FAIL_IF(!skel, "Failed to load");
	map = bpf_map__fd(skel->maps.counters);
	for (cpu = 0; cpu < nr; cpu++) {
		fds[cpu] = open_clock(cpu);
		SCX_FAIL_IF(fds[cpu] < 0, "there is no clock of CPU %d (%d)", cpu, errno);
		SCX_EQ(bpf_map_update_elem(map, &cpu, &fds[cpu], BPF_ANY), 0);
	}
	link = bpf_map__attach_struct_ops(skel->maps.perf_read_ops);
	SCX_FAIL_IF(!link, "Failed to attach scheduler");

	for (cpu = 0; cpu < nr; cpu++) {
		c = &skel->bss->cpus[cpu];
		TRY(run_a_while(cpu));
		before = *(volatile struct perf_read_cpu *)c;
		TRY(run_a_while(cpu));

		SCX_GT(c->nr_read, before.nr_read);
		SCX_EQ(c->err, 0);
		SCX_EQ(c->nr_back, 0);
		/* it slept for 50 ms at least, and the clock of an idle CPU goes on */
		SCX_GE(c->counter - before.counter, 40 * NSEC_PER_MSEC);
		SCX_GE(c->enabled - before.enabled, 40 * NSEC_PER_MSEC);
		SCX_EQ(c->no_event, -ENOENT);
		SCX_EQ(c->wrong_size, -EINVAL);
		if (nr > 1)
			SCX_FAIL_IF(!c->other_cpu, "CPU %d read the counter of another", cpu);
	}
	SCX_EQ(skel->data->uei.kind, EXIT_KIND(SCX_EXIT_NONE));

	bpf_link__destroy(link);
	for (cpu = 0; cpu < nr; cpu++)
		close(fds[cpu]);
	perf_read__destroy(skel);
	return SCX_TEST_PASS;
}

struct scx_test perf_read = {
	.name = "perf_read",
	.description = "Read performance counters from a scheduler",
	.run = run,
};
REGISTER_SCX_TEST(&perf_read)
