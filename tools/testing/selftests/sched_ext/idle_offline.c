// SPDX-License-Identifier: GPL-2.0
/*
 * A CPU that goes offline isn't said to idle. A scheduler that kicked it then would leave
 * interrupt work behind that doesn't run, and with it what the CPU queues later, once it
 * is back, until something else raises that interrupt. Among what is queued can be that
 * the scheduler has failed there.
 */
#define _GNU_SOURCE
#include <bpf/bpf.h>
#include <sched.h>
#include <scx/common.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "idle_offline.bpf.skel.h"
#include "test_steps.h"
#include "util.h"

#define CPU		1
#define ONLINE_PATH	"/sys/devices/system/cpu/cpu1/online"

static enum scx_test_status setup(void **ctx)
{
	return file_read_long(ONLINE_PATH) > 0 ? SCX_TEST_PASS : SCX_TEST_SKIP;
}

static enum scx_test_status toggle(struct idle_offline *skel)
{
	struct bpf_link *link;
	int i;

	link = bpf_map__attach_struct_ops(skel->maps.idle_offline_ops);
	SCX_ASSERT(link);

	for (i = 0; i < 3; i++) {
		SCX_ASSERT(!file_write_long(ONLINE_PATH, 0));
		SCX_ASSERT(!file_write_long(ONLINE_PATH, 1));
	}
	SCX_EQ(skel->data->uei.kind, EXIT_KIND(SCX_EXIT_NONE));
	SCX_GT(skel->bss->nr_idle, 0);
	SCX_EQ(skel->bss->nr_offline, 0);

	skel->data->fail_on = CPU;
	/* not longer, as something else may raise that interrupt in the end */
	BECOMES_WITHIN(10, skel->data->uei.kind != EXIT_KIND(SCX_EXIT_NONE));
	bpf_link__destroy(link);
	SCX_EQ(skel->data->uei.kind, EXIT_KIND(SCX_EXIT_ERROR_BPF));
	return SCX_TEST_PASS;
}

static enum scx_test_status run(void *ctx)
{
	enum scx_test_status status;
	struct idle_offline *skel;
	cpu_set_t cpus;
	pid_t pid;

	skel = idle_offline__open_and_load();
	SCX_ASSERT(skel);

	/* wakes up on that CPU all the time */
	pid = fork();
	SCX_ASSERT(pid >= 0);
	if (!pid) {
		CPU_ZERO(&cpus);
		CPU_SET(CPU, &cpus);
		for (;;) {
			sched_setaffinity(0, sizeof(cpus), &cpus);
			usleep(1000);
		}
	}

	status = toggle(skel);
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	idle_offline__destroy(skel);
	return status;
}

struct scx_test idle_offline = {
	.name = "idle_offline",
	.description = "A CPU that goes offline and comes back still hears what is sent to it",
	.setup = setup,
	.run = run,
};
REGISTER_SCX_TEST(&idle_offline)
