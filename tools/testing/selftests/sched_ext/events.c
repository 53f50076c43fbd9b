// SPDX-License-Identifier: GPL-2.0
/*
 * The kernel counts as many events as there are.
 */
#include <sys/mman.h>
#include "vocab_steps.h"
#include "util.h"
#include "events_test.h"
#include "events.bpf.skel.h"

#define WAKEUPS		25
#define BUSY		3
#define OFFLINE_CPU	2
#define ONLINE_PATH	"/sys/devices/system/cpu/cpu2/online"
#define EVENTS_PATH	"/sys/kernel/sched_ext/root/events"

static const char *const names[] = {
#define X(name) "SCX_EV_" #name,
	EVENTS(X)
#undef X
};

static s64 base[NR_EVENTS];

static s64 differs(struct events *skel, int idx)
{
	run_prog(skel->progs.read_events);
	return skel->bss->kernels[idx] - skel->bss->mine[idx];
}

/*
 * The kernel has counted as many of these as the scheduler since base[] was taken. No longer than
 * what is in progress takes: that could make up for what is counted wrong, for a moment.
 */
#define SAME(skel, idx)		BECOMES_WITHIN(10, differs(skel, idx) == base[idx])

/* Take base[] where both have counted all there was: when nothing changes any more. */
static void take_base(struct events *skel)
{
	s64 last[NR_EVENTS];
	int idx, same = 0;

	memset(last, 0, sizeof(last));
	while (same < 3) {
		usleep(50000);
		for (idx = 0; idx < NR_EVENTS; idx++)
			base[idx] = differs(skel, idx);
		same = memcmp(last, base, sizeof(base)) ? 0 : same + 1;
		memcpy(last, base, sizeof(base));
	}
}

static s64 in_sysfs(const char *name)
{
	char buf[4096] = "", *line;
	int fd = open(EVENTS_PATH, O_RDONLY);
	s64 n;

	if (fd < 0 || read(fd, buf, sizeof(buf) - 1) <= 0)
		return -1;
	close(fd);
	line = strstr(buf, name);
	return line && sscanf(line + strlen(name), " %ld\n", &n) == 1 ? n : -1;
}

static enum scx_test_status wake(struct events *skel, int fd, enum events_mode mode, int idx)
{
	s64 before = skel->bss->mine[idx];
	int i;

	skel->bss->mode = mode;
	for (i = 0; i < WAKEUPS; i++) {
		SCX_ASSERT(BECOMES(sleeps(skel->bss->wakee)));
		SCX_ASSERT(WAKE_UNTIL(fd, skel->bss->mine[idx] - before > i));
	}
	SCX_ASSERT(BECOMES(sleeps(skel->bss->wakee)));
	skel->bss->mode = MODE_QUIET;
	SCX_GE(skel->bss->mine[idx] - before, WAKEUPS);
	SCX_FAIL_IF(!SAME(skel, idx), "%s: %ld, after %ld, and %ld here", names[idx],
		    skel->bss->kernels[idx], base[idx], skel->bss->mine[idx]);
	return SCX_TEST_PASS;
}

static enum scx_test_status provoke(struct events *skel, int fds[2])
{
	pid_t busy, other;
	char *mem;
	s64 n;
	int i;

	/* a CPU where the task can't run */
	skel->bss->wakee = fork_reader(fds[0], 0, 1);
	skel->bss->bad_cpu = 3;
	TRY(wake(skel, fds[1], MODE_FALLBACK, IDX_SELECT_CPU_FALLBACK));
	end_child(skel->bss->wakee);

	/* nobody else on a CPU when a slice ends */
	n = skel->bss->mine[IDX_DISPATCH_KEEP_LAST];
	busy = fork_busy(1);
	SCX_ASSERT(BECOMES(skel->bss->mine[IDX_DISPATCH_KEEP_LAST] >= n + 5));
	end_child(busy);
	SCX_ASSERT(SAME(skel, IDX_DISPATCH_KEEP_LAST));
	SCX_ASSERT(SAME(skel, IDX_REFILL_SLICE_DFL));

	/* tasks that take long to exit, and have to give way to others meanwhile */
	n = skel->bss->mine[IDX_ENQ_SKIP_EXITING];
	other = fork_busy(1);
	for (i = 0; i < 20 && skel->bss->mine[IDX_ENQ_SKIP_EXITING] < n + 5; i++) {
		busy = fork_child();
		if (!busy) {
			run_on(1);
			mem = mmap(NULL, 128 << 20, PROT_READ | PROT_WRITE,
				   MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
			_exit(mem == MAP_FAILED);
		}
		waitpid(busy, NULL, 0);
	}
	end_child(other);
	SCX_GE(skel->bss->mine[IDX_ENQ_SKIP_EXITING], n + 5);
	SCX_FAIL_IF(!SAME(skel, IDX_ENQ_SKIP_EXITING), "%ld, after %ld, and %ld here",
		    skel->bss->kernels[IDX_ENQ_SKIP_EXITING], base[IDX_ENQ_SKIP_EXITING],
		    skel->bss->mine[IDX_ENQ_SKIP_EXITING]);
	SCX_ASSERT(SAME(skel, IDX_REFILL_SLICE_DFL));
	return SCX_TEST_PASS;
}

/* What there was while the scheduler was enabled, with tasks waiting for their CPU. */
static enum scx_test_status bypassed(struct events *skel, u64 took)
{
	s64 dispatch, duration;

	run_prog(skel->progs.read_events);
	dispatch = skel->bss->kernels[IDX_BYPASS_DISPATCH];
	duration = skel->bss->kernels[IDX_BYPASS_DURATION];
	SCX_EQ(skel->bss->kernels[IDX_BYPASS_ACTIVATE], 1);
	/* one of the busy tasks may have been running */
	SCX_GE(dispatch, BUSY - 1);
	SCX_GT(duration, 0);
	SCX_LT((u64)duration, took);

	/* and then no more */
	usleep(300000);
	run_prog(skel->progs.read_events);
	SCX_EQ(skel->bss->kernels[IDX_BYPASS_ACTIVATE], 1);
	SCX_EQ(skel->bss->kernels[IDX_BYPASS_DISPATCH], dispatch);
	SCX_EQ(skel->bss->kernels[IDX_BYPASS_DURATION], duration);
	return SCX_TEST_PASS;
}

/*
 * With migration disabled, a task with no slice left would get one of the kernel without
 * ops.enqueue(), and we couldn't count that.
 */
static struct events *load(void)
{
	struct events *skel = events__open();

	if (!skel)
		return NULL;
	skel->struct_ops.events_ops->flags |= SCX_OPS_ENQ_MIGRATION_DISABLED;
	UEI_SET_SIZE(skel, events_ops, uei);
	if (events__load(skel)) {
		events__destroy(skel);
		return NULL;
	}
	return skel;
}

static enum scx_test_status setup(void **ctx)
{
	return sysconf(_SC_NPROCESSORS_ONLN) > 3 && file_read_long(ONLINE_PATH) > 0 ?
	       SCX_TEST_PASS : SCX_TEST_SKIP;
}

static enum scx_test_status offline(struct events *skel, int fd)
{
	struct bpf_link *link;
	s64 fallbacks;
	int idx;

	link = bpf_map__attach_struct_ops(skel->maps.events_ops);
	SCX_FAIL_IF(!link, "Failed to attach scheduler");

	/* counters start anew; few tasks wake up yet that slept on the CPU that is off now */
	for (idx = 0; idx < NR_EVENTS; idx++)
		skel->bss->mine[idx] = 0;
	fallbacks = in_sysfs("SCX_EV_SELECT_CPU_FALLBACK");
	SCX_GE(fallbacks, 0);
	SCX_LT(fallbacks, WAKEUPS);
	SCX_EQ(in_sysfs("SCX_EV_BYPASS_ACTIVATE"), 1);

	take_base(skel);
	skel->bss->bad_cpu = OFFLINE_CPU;
	TRY(wake(skel, fd, MODE_OFFLINE, IDX_DISPATCH_LOCAL_DSQ_OFFLINE));
	bpf_link__destroy(link);
	return SCX_TEST_PASS;
}

static enum scx_test_status run(void *ctx)
{
	struct events *skel = load();
	char want[128];
	enum scx_test_status status;
	struct bpf_link *link;
	pid_t busy[BUSY];
	int fds[2], idx;
	u64 start;

	SCX_FAIL_IF(!skel, "Failed to load");
	SCX_EQ(pipe(fds), 0);

	for (idx = 0; idx < BUSY; idx++)
		busy[idx] = fork_busy(1);
	usleep(100000);
	start = now();
	link = bpf_map__attach_struct_ops(skel->maps.events_ops);
	SCX_FAIL_IF(!link, "Failed to attach scheduler");
	TRY(bypassed(skel, now() - start));
	for (idx = 0; idx < BUSY; idx++)
		end_child(busy[idx]);

	take_base(skel);
	TRY(provoke(skel, fds));

	/* kfunc and sysfs agree */
	run_prog(skel->progs.read_events);
	SCX_EQ(run_prog(skel->progs.read_sizes), 1);
	SCX_EQ(in_sysfs(names[IDX_SELECT_CPU_FALLBACK]), skel->bss->kernels[0]);
	for (idx = 0; idx < NR_EVENTS; idx++)
		SCX_GE(in_sysfs(names[idx]), skel->bss->kernels[idx]);
	SCX_EQ(skel->data->uei.kind, EXIT_KIND(SCX_EXIT_NONE));

	/* so does the debug dump of the end */
	run_prog(skel->progs.read_events);
	snprintf(want, sizeof(want), "SCX_EV_SELECT_CPU_FALLBACK %ld\n", skel->bss->kernels[0]);
	run_prog(skel->progs.end_it);
	SCX_ASSERT(BECOMES(skel->data->uei.kind == EXIT_KIND(SCX_EXIT_ERROR_BPF)));
	bpf_link__destroy(link);
	SCX_FAIL_IF(!strstr(skel->data_uei_dump->uei_dump, want), "'%s' is not in '%s'", want,
		    skel->data_uei_dump->uei_dump);
	events__destroy(skel);

	skel = load();
	SCX_FAIL_IF(!skel, "Failed to load");
	skel->bss->wakee = fork_reader(fds[0], 1, OFFLINE_CPU);
	SCX_ASSERT(BECOMES(sleeps(skel->bss->wakee)));
	SCX_EQ(file_write_long(ONLINE_PATH, 0), 0);
	status = offline(skel, fds[1]);
	SCX_EQ(file_write_long(ONLINE_PATH, 1), 0);
	end_child(skel->bss->wakee);
	events__destroy(skel);
	return status;
}

struct scx_test events = {
	.name = "events",
	.description = "The kernel counts as many events as there are",
	.setup = setup,
	.run = run,
};
REGISTER_SCX_TEST(&events)
