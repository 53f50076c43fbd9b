// SPDX-License-Identifier: GPL-2.0
/*
 * All of today's vocabulary in one scheduler of the cpu form, under load, each word of it at
 * work. The same object has to do on later kernels: run it there, too.
 */
#define _GNU_SOURCE
#include <linux/perf_event.h>
#include <sched.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include "test_steps.h"
#include "vocabulary_test.h"
#include "vocabulary.bpf.skel.h"

#define ROOT		"/sys/fs/cgroup"
#define DIR		ROOT "/scx_vocabulary"
#define NR_WORKERS	12

static struct vocabulary *skel;

static const char * const names[] = {
#define VOCABULARY_NAME(name)	#name,
	VOCABULARY(VOCABULARY_NAME)
#undef VOCABULARY_NAME
};

/* A counter for each CPU, of what any machine has. */
static enum scx_test_status count_on_cpus(int nr_cpus)
{
	struct perf_event_attr attr = {
		.size	= sizeof(attr),
		.type	= PERF_TYPE_SOFTWARE,
		.config	= PERF_COUNT_SW_CPU_CLOCK,
	};
	int cpu, fd;

	for (cpu = 0; cpu < nr_cpus; cpu++) {
		fd = syscall(__NR_perf_event_open, &attr, -1, cpu, -1, 0);
		SCX_FAIL_IF(fd < 0, "No counter on CPU %d: %s", cpu, strerror(errno));
		SCX_EQ(bpf_map_update_elem(bpf_map__fd(skel->maps.counters), &cpu, &fd,
					   BPF_ANY), 0);
		close(fd);
	}
	return SCX_TEST_PASS;
}

/* Some that sleep and wake, some that don't, and some that give way to others. */
static void work(int i)
{
	volatile unsigned int n;

	for (;;) {
		for (n = 0; n < 20000; n++)
			;
		if (i % 3 == 0)
			usleep(500 + i * 100);
		else if (i % 3 == 1)
			sched_yield();
	}
}

static enum scx_test_status put(const char *file, const char *text)
{
	int fd = open(file, O_WRONLY);

	SCX_FAIL_IF(fd < 0, "No %s: %s", file, strerror(errno));
	SCX_EQ(write(fd, text, strlen(text)), (ssize_t)strlen(text));
	close(fd);
	return SCX_TEST_PASS;
}

/* @skel has used @what. */
static bool has_used(int what)
{
	return *(volatile u64 *)&skel->bss->nr_used[what];
}

static bool all_used(void)
{
	int i;

	for (i = 0; i < NR_VOCABULARY; i++)
		if (!has_used(i))
			return false;
	return true;
}

static enum scx_test_status run(void *ctx)
{
	int nr_cpus = libbpf_num_possible_cpus(), i;
	pid_t workers[NR_WORKERS];
	struct bpf_link *link;

	SCX_GT(nr_cpus, 0);
	SCX_GE(VOCABULARY_CPUS, nr_cpus);
	TRY(count_on_cpus(nr_cpus));

	link = bpf_map__attach_struct_ops(skel->maps.vocabulary_ops);
	SCX_FAIL_IF(!link, "Failed to attach scheduler");
	SCX_EQ(skel->bss->nr_populated, nr_cpus);

	for (i = 0; i < NR_WORKERS; i++) {
		workers[i] = fork_child();
		SCX_GE(workers[i], 0);
		if (!workers[i])
			work(i);
	}
	TRY(put(DIR "/cpu.max", "40000 50000"));
	sleep(2);
	BECOMES(all_used());
	for (i = 0; i < NR_WORKERS; i++)
		kill(workers[i], SIGKILL);
	while (wait(NULL) > 0)
		;

	for (i = 0; i < NR_VOCABULARY; i++) {
		printf("%-26s %llu\n", names[i], (unsigned long long)skel->bss->nr_used[i]);
		SCX_FAIL_IF(!has_used(i), "%s did nothing", names[i]);
	}
	SCX_EQ(skel->data->uei.kind, EXIT_KIND(SCX_EXIT_NONE));
	bpf_link__destroy(link);
	SCX_EQ(skel->data->uei.kind, EXIT_KIND(SCX_EXIT_UNREG));
	return SCX_TEST_PASS;
}

static enum scx_test_status setup(void **ctx)
{
	int i;

	skel = vocabulary__open();
	SCX_FAIL_IF(!skel, "Failed to open");
	/* what a cpu-form scheduler sets that has it all */
	skel->struct_ops.vocabulary_ops->flags = SCX_OPS_BUILTIN_IDLE_PER_NODE |
		SCX_OPS_ENQ_MIGRATION_DISABLED | SCX_OPS_ALLOW_QUEUED_WAKEUP;
	for (i = 0; i < libbpf_num_possible_cpus(); i++)
		skel->bss->all_cpus[i / 64] |= 1UL << i % 64;
	UEI_SET_SIZE(skel, vocabulary_ops, uei);
	SCX_FAIL_IF(vocabulary__load(skel), "Failed to load");

	TRY(put(ROOT "/cgroup.subtree_control", "+cpu"));
	SCX_FAIL_IF(mkdir(DIR, 0755) && errno != EEXIST, "No cgroup: %s", strerror(errno));
	return SCX_TEST_PASS;
}

static void cleanup(void *ctx)
{
	vocabulary__destroy(skel);
	rmdir(DIR);
}

struct scx_test vocabulary = {
	.name = "vocabulary",
	.description = "Verify that one scheduler can use all that today's kernels offer",
	.setup = setup,
	.run = run,
	.cleanup = cleanup,
};
REGISTER_SCX_TEST(&vocabulary)
