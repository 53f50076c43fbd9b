// SPDX-License-Identifier: GPL-2.0
/*
 * SCX_OPS_ENQ_MIGRATION_DISABLED and SCX_OPS_ALLOW_QUEUED_WAKEUP have their values, and
 * do what they say when set, and the opposite when not.
 */
#include "vocab_steps.h"
#include "ops_flags.bpf.skel.h"

#define WAKEUPS		50
#define PUT		10
#define SPLITS		1000

static struct bpf_link *link_of(struct ops_flags **skel, u64 flags)
{
	*skel = ops_flags__open();
	(*skel)->struct_ops.ops_flags_ops->flags |= flags;
	if (ops_flags__load(*skel))
		return NULL;
	return bpf_map__attach_struct_ops((*skel)->maps.ops_flags_ops);
}

static enum scx_test_status migration_disabled(u64 flag)
{
	struct ops_flags *skel;
	struct bpf_link *link;
	struct runner pinned;
	u32 put, i;
	pid_t busy;

	link = link_of(&skel, flag);
	SCX_FAIL_IF(!link, "Failed to attach scheduler");
	busy = fork_busy(1);
	runners_stop = false;
	TRY(start_runner(&pinned, skel->progs.spin, 1, true));
	SCX_ASSERT(BECOMES(skel->bss->nr_put >= PUT));
	runners_stop = true;
	end_child(busy);
	pthread_join(pinned.thread, NULL);

	/* nobody has migration disabled any more */
	put = skel->bss->nr_put + skel->bss->nr_woken;
	for (i = 0; i < 10; i++)
		usleep(10000);
	run_prog(skel->progs.read_skipped);
	SCX_EQ(skel->bss->nr_put + skel->bss->nr_woken, put);
	SCX_EQ(skel->bss->nr_enqueued, flag ? put : 0);
	SCX_EQ(skel->bss->nr_skipped, flag ? 0 : put);
	SCX_EQ(skel->data->uei.kind, EXIT_KIND(SCX_EXIT_NONE));
	bpf_link__destroy(link);
	ops_flags__destroy(skel);
	return SCX_TEST_PASS;
}

static void end_wakee(struct bpf_link *link, struct ops_flags *skel, pid_t wakee, const int *fds)
{
	bpf_link__destroy(link);
	ops_flags__destroy(skel);
	run_on_any();
	end_child(wakee);
	close(fds[0]);
	close(fds[1]);
}

static enum scx_test_status queued_wakeup(u64 flag)
{
	struct ops_flags *skel;
	struct bpf_link *link;
	int fds[2], i;
	pid_t wakee;

	SCX_EQ(pipe(fds), 0);
	wakee = fork_reader(fds[0], 1, 2);
	SCX_ASSERT(BECOMES(sleeps(wakee)));
	SCX_ASSERT(run_on(0));
	link = link_of(&skel, flag);
	SCX_FAIL_IF(!link, "Failed to attach scheduler");
	skel->bss->waker_cpu = 0;
	skel->bss->wakee = wakee;

	for (i = 0; i < WAKEUPS; i++) {
		SCX_ASSERT(WAKE_UNTIL(fds[1], skel->bss->nr_here + skel->bss->nr_there > i));
		SCX_ASSERT(BECOMES(sleeps(wakee)));
	}
	SCX_GE(skel->bss->nr_here + skel->bss->nr_there, WAKEUPS);
	if (flag) {
		SCX_GT(skel->bss->nr_there, WAKEUPS / 2);
	} else {
		SCX_EQ(skel->bss->nr_there, 0);
		SCX_EQ(skel->bss->nr_selected, skel->bss->nr_here);
	}
	SCX_EQ(skel->data->uei.kind, EXIT_KIND(SCX_EXIT_NONE));
	end_wakee(link, skel, wakee, fds);
	return SCX_TEST_PASS;
}

static void *flip(void *arg)
{
	pid_t pid = *(pid_t *)arg;
	cpu_set_t one, both;
	int n = 0;

	CPU_ZERO(&one);
	CPU_SET(1, &one);
	both = one;
	CPU_SET(2, &both);
	while (!runners_stop)
		sched_setaffinity(pid, sizeof(one), n++ % 2 ? &one : &both);
	return NULL;
}

/*
 * A wakee has been dispatched to a CPU, and is on its way to another, which is to enqueue it,
 * when its affinity changes: it has to be dispatched anew.
 */
static enum scx_test_status loses_cpu_on_its_way(void)
{
	struct ops_flags *skel;
	struct bpf_link *link;
	pthread_t flipper;
	int fds[2], i;
	pid_t wakee;

	SCX_EQ(pipe(fds), 0);
	wakee = fork_reader(fds[0], 1, 2);
	SCX_ASSERT(BECOMES(sleeps(wakee)));
	link = link_of(&skel, SCX_OPS_ALLOW_QUEUED_WAKEUP);
	SCX_FAIL_IF(!link, "Failed to attach scheduler");
	runners_stop = false;
	SCX_EQ(pthread_create(&flipper, NULL, flip, &wakee), 0);
	SCX_ASSERT(run_on(0));
	skel->bss->wakee = wakee;
	skel->data->split_to = 2;

	/* more on a slow machine, where it is often awake still, or on that CPU already */
	for (i = 0; i < 20 * SPLITS && (i < SPLITS || skel->bss->nr_split <= SPLITS / 10); i++) {
		if (skel->data->uei.kind != EXIT_KIND(SCX_EXIT_NONE))
			break;
		SCX_EQ(write(fds[1], "", 1), 1);
		usleep(1000);
	}
	runners_stop = true;
	pthread_join(flipper, NULL);
	SCX_FAIL_IF(skel->data->uei.kind != EXIT_KIND(SCX_EXIT_NONE), "after %u: %s",
		    skel->bss->nr_split, skel->data->uei.msg);
	SCX_GT(skel->bss->nr_split, SPLITS / 10);
	SCX_ASSERT(BECOMES(sleeps(wakee)));
	end_wakee(link, skel, wakee, fds);
	return SCX_TEST_PASS;
}

static enum scx_test_status setup(void **ctx)
{
	return sysconf(_SC_NPROCESSORS_ONLN) > 2 ? SCX_TEST_PASS : SCX_TEST_SKIP;
}

static enum scx_test_status run(void *ctx)
{
	struct ops_flags *skel;

	/* read from the kernel's BTF, 0 where it lacks them */
	SCX_EQ(SCX_OPS_ENQ_MIGRATION_DISABLED, 1LLU << 4);
	SCX_EQ(SCX_OPS_ALLOW_QUEUED_WAKEUP, 1LLU << 5);

	TRY(migration_disabled(0));
	TRY(migration_disabled(SCX_OPS_ENQ_MIGRATION_DISABLED));
	/* once more, as flags of one scheduler are none of the next one's business */
	TRY(migration_disabled(0));
	TRY(queued_wakeup(0));
	TRY(queued_wakeup(SCX_OPS_ALLOW_QUEUED_WAKEUP));
	TRY(queued_wakeup(0));
	TRY(loses_cpu_on_its_way());

	/* there are flags that this kernel doesn't know */
	SCX_FAIL_IF(link_of(&skel, 1LLU << 40), "attached with an unknown flag");
	ops_flags__destroy(skel);
	return SCX_TEST_PASS;
}

struct scx_test ops_flags = {
	.name = "ops_flags",
	.description = "Tasks with migration disabled and queued wakeups are as flags say",
	.setup = setup,
	.run = run,
};
REGISTER_SCX_TEST(&ops_flags)
