// SPDX-License-Identifier: GPL-2.0
/*
 * Idle masks by node: what they show, how CPUs are picked from them, and that their
 * kfuncs and the others don't mix. Says more on a machine with several nodes, some of
 * them without CPUs or without memory.
 */
#define _GNU_SOURCE
#include "prog_steps.h"
#include "idle_node_test.h"
#include "idle_node.bpf.skel.h"

/* as in the kernel */
#define KEEP_BUILTIN_IDLE	0x1ULL
#define PER_NODE		0x40ULL
#define PICK_CORE		0x1ULL
#define PICK_IN_NODE		0x2ULL
#define NO_NODE			(-1)
#define BIT(n)			(1ULL << (n))

static struct idle_node *skel;

/* the machine, as sysfs describes it */
static int nr_cpus, nr_nodes;
static u64 possible_nodes, online, all_cpus;
static u64 node_cpus[IDLE_NODE_MAX], siblings[IDLE_NODE_MAX];
static int distance[IDLE_NODE_MAX][IDLE_NODE_MAX], cpu_node[IDLE_NODE_MAX];

static u64 read_list(const char *fmt, int n)
{
	char path[256], buf[4096], *p = buf;
	long first, last;
	u64 ret = 0;
	FILE *f;

	snprintf(path, sizeof(path), fmt, n);
	f = fopen(path, "r");
	if (!f)
		return 0;
	if (!fgets(buf, sizeof(buf), f))
		buf[0] = '\0';
	fclose(f);
	while (*p >= '0' && *p <= '9') {
		first = strtol(p, &p, 10);
		last = first;
		if (*p == '-')
			last = strtol(p + 1, &p, 10);
		for (; first <= last && first < IDLE_NODE_MAX; first++)
			ret |= BIT(first);
		if (*p == ',')
			p++;
	}
	return ret;
}

static void read_distances(int node)
{
	char path[256];
	FILE *f;
	int i;

	for (i = 0; i < IDLE_NODE_MAX; i++)
		distance[node][i] = i == node ? 10 : 1000;
	snprintf(path, sizeof(path), "/sys/devices/system/node/node%d/distance", node);
	f = fopen(path, "r");
	if (!f)
		return;
	/* of nodes that are online */
	for (i = 0; i < IDLE_NODE_MAX; i++)
		if ((online & BIT(i)) && fscanf(f, "%d", &distance[node][i]) != 1)
			break;
	fclose(f);
}

static enum scx_test_status read_machine(void)
{
	u64 online_cpus = read_list("/sys/devices/system/cpu/online", 0);
	int n;

	possible_nodes = read_list("/sys/devices/system/node/possible", 0);
	online = read_list("/sys/devices/system/node/online", 0);
	/* without NUMA there is one node */
	if (!possible_nodes) {
		possible_nodes = 1;
		online = 1;
	}
	SCX_ASSERT(online_cpus);
	all_cpus = online_cpus;
	nr_cpus = 64 - __builtin_clzll(read_list("/sys/devices/system/cpu/possible", 0));
	nr_nodes = 64 - __builtin_clzll(possible_nodes);
	for (n = 0; n < IDLE_NODE_MAX; n++) {
		node_cpus[n] = read_list("/sys/devices/system/node/node%d/cpulist", n);
		siblings[n] = read_list("/sys/devices/system/cpu/cpu%d/topology/core_cpus_list", n);
		cpu_node[n] = 0;
	}
	if (!node_cpus[0] && possible_nodes == 1)
		node_cpus[0] = online_cpus;
	for (n = 0; n < nr_nodes; n++) {
		int cpu;

		read_distances(n);
		for (cpu = 0; cpu < IDLE_NODE_MAX; cpu++)
			if (node_cpus[n] & BIT(cpu))
				cpu_node[cpu] = n;
	}
	return SCX_TEST_PASS;
}

static struct bpf_link *attach(u64 flags, u32 wrong, bool update_idle)
{
	skel = idle_node__open();
	if (!skel)
		return NULL;
	skel->struct_ops.idle_node_ops->flags = flags;
	if (!update_idle)
		skel->struct_ops.idle_node_ops->update_idle = NULL;
	skel->rodata->wrong = wrong;
	UEI_SET_SIZE(skel, idle_node_ops, uei);
	return idle_node__load(skel) ? NULL : bpf_map__attach_struct_ops(skel->maps.idle_node_ops);
}

static void detach(struct bpf_link *link)
{
	bpf_link__destroy(link);
	idle_node__destroy(skel);
	skel = NULL;
}

static bool look(void)
{
	return run_prog(skel->progs.look) == 0;
}

static struct idle_node_picks *pick(struct idle_node_picks want)
{
	struct idle_node_picks *picks = &skel->bss->picks;

	memset(want.picked, 0xff, sizeof(want.picked));
	*picks = want;
	return run_prog(skel->progs.pick) ? NULL : picks;
}

/* Do all CPUs idle, but for the one that this runs on? */
static bool all_idle(void)
{
	u64 here = all_cpus & -all_cpus;
	int n;

	if (!look())
		return false;
	for (n = 0; n < nr_nodes; n++)
		if ((skel->bss->cpu_masks[n] | here) != (node_cpus[n] | here))
			return false;
	return true;
}

/* Each CPU runs something for a moment, and is known to idle again. */
static enum scx_test_status wake_all(void)
{
	int cpu;

	for (cpu = 0; cpu < nr_cpus; cpu++)
		if (all_cpus & BIT(cpu))
			SCX_ASSERT(run_on(cpu));
	run_on(__builtin_ctzll(all_cpus));
	SCX_FAIL_IF(!BECOMES(all_idle()), "not all CPUs are seen to idle");
	return SCX_TEST_PASS;
}

static enum scx_test_status check_masks(void)
{
	int n;

	SCX_ASSERT(look());
	for (n = 0; n < nr_nodes; n++) {
		SCX_EQ(skel->bss->cpu_masks[n] & ~node_cpus[n], 0);
		SCX_EQ(skel->bss->smt_masks[n] & ~node_cpus[n], 0);
	}
	SCX_EQ(skel->bss->no_node_mask, 0);
	return SCX_TEST_PASS;
}

static pid_t spin(void)
{
	pid_t pid = fork_child();

	if (!pid)
		for (;;)
			;
	return pid;
}

static enum scx_test_status stop(pid_t pid)
{
	SCX_EQ(kill(pid, SIGKILL), 0);
	SCX_EQ(waitpid(pid, NULL, 0), pid);
	return SCX_TEST_PASS;
}

static enum scx_test_status numbers(void)
{
	int cpu;

	SCX_ASSERT(look());
	SCX_EQ(skel->bss->nr_node_ids, nr_nodes);
	for (cpu = 0; cpu < nr_cpus; cpu++)
		if (all_cpus & BIT(cpu))
			SCX_EQ(skel->bss->cpu_nodes[cpu], cpu_node[cpu]);
	return SCX_TEST_PASS;
}

/*
 * The rest of its node isn't affected by a CPU that is busy, nor are other nodes. @took: until
 * it was seen to idle again, or a second.
 */
static enum scx_test_status busy_then_idle(int cpu, u64 *took)
{
	int node = cpu_node[cpu], i, seen = 0;
	u64 start;
	pid_t pid;

	TRY(wake_all());
	SCX_ASSERT(run_on(cpu));
	pid = spin();
	run_on(__builtin_ctzll(all_cpus));
	SCX_ASSERT(BECOMES(look() && !(skel->bss->cpu_masks[node] & BIT(cpu))));
	for (i = 0; i < 30; i++) {
		TRY(check_masks());
		SCX_EQ(skel->bss->cpu_masks[node] & BIT(cpu), 0);
		SCX_EQ(skel->bss->smt_masks[node] & (siblings[cpu] | BIT(cpu)), 0);
		seen += !!(skel->bss->cpu_masks[node] & siblings[cpu]);
		usleep(1000);
	}
	if (siblings[cpu] & ~BIT(cpu) & ~(all_cpus & -all_cpus))
		SCX_GT(seen, 0);

	SCX_EQ(kill(pid, SIGKILL), 0);
	SCX_EQ(waitpid(pid, NULL, 0), pid);
	start = now();
	do {
		SCX_ASSERT(look());
	} while (!(skel->bss->cpu_masks[node] & BIT(cpu)) && now() - start < 1000 * NSEC_PER_MSEC);
	*took = now() - start;
	return SCX_TEST_PASS;
}

static enum scx_test_status busy_and_idle(int cpu)
{
	u64 took;
	int i;

	if (BIT(cpu) == (all_cpus & -all_cpus))
		return SCX_TEST_PASS;	/* the one that this runs on */
	/* the emulator may stop a vCPU for so long, but not the kernel, and not each time */
	for (i = 0; i < 5; i++) {
		TRY(busy_then_idle(cpu, &took));
		if (took < 500 * NSEC_PER_MSEC)
			return SCX_TEST_PASS;
	}
	SCX_FAIL("CPU %d isn't seen to idle", cpu);
}

/* No mask shows another node's CPU while tasks come and go everywhere. */
static enum scx_test_status under_load(void)
{
	enum scx_test_status status = SCX_TEST_PASS;
	pid_t pids[8], pid;
	int i;

	run_on_any();
	for (i = 0; i < 8; i++) {
		pids[i] = fork_child();
		SCX_GE(pids[i], 0);
		if (pids[i])
			continue;
		for (;;) {
			pid = fork();
			if (!pid)
				_exit(0);
			waitpid(pid, NULL, 0);
			usleep(100 * (i + 1));
		}
	}
	for (i = 0; i < 300 && status == SCX_TEST_PASS; i++) {
		status = check_masks();
		usleep(1000);
	}
	for (i = 0; i < 8; i++)
		TRY(stop(pids[i]));
	return status;
}

static enum scx_test_status pick_in_node(int node)
{
	struct idle_node_picks *p, want = {
		.node = node, .flags = PICK_IN_NODE, .allowed = all_cpus,
		.nr = IDLE_NODE_MAX + 1, .nr_any = 4,
	};
	u64 seen = 0;
	int i;

	TRY(wake_all());
	p = pick(want);
	SCX_ASSERT(p);
	for (i = 0; p->picked[i] >= 0; i++) {
		SCX_ASSERT(node_cpus[node] & BIT(p->picked[i]));
		seen |= BIT(p->picked[i]);
	}
	SCX_EQ(p->picked[i], -EBUSY);
	/* all but the one that this runs on, which is busy, and perhaps one more by now */
	SCX_GE(__builtin_popcountll(seen) + 2, __builtin_popcountll(node_cpus[node]));
	for (i = 0; i < 4; i++) {
		if (node_cpus[node])
			SCX_ASSERT(p->any[i] >= 0 && (node_cpus[node] & BIT(p->any[i])));
		else
			SCX_EQ(p->any[i], -EBUSY);
	}

	/* where it may not go, and nowhere */
	want.allowed = all_cpus & ~node_cpus[node];
	p = pick(want);
	SCX_ASSERT(p);
	SCX_EQ(p->picked[0], -EBUSY);
	SCX_EQ(p->any[0], -EBUSY);
	want.flags = 0;
	p = pick(want);
	SCX_ASSERT(p);
	if (want.allowed) {
		SCX_ASSERT(p->any[0] >= 0 && (want.allowed & BIT(p->any[0])));
		if (__builtin_popcountll(want.allowed) > 2)
			SCX_ASSERT(p->picked[0] >= 0 && (want.allowed & BIT(p->picked[0])));
	}
	want.allowed = 0;
	p = pick(want);
	SCX_ASSERT(p);
	SCX_EQ(p->picked[0], -EBUSY);
	SCX_EQ(p->any[0], -EBUSY);
	return SCX_TEST_PASS;
}

/* With a node used up, the nearest that has an idle CPU is next. */
static enum scx_test_status pick_near(int node)
{
	struct idle_node_picks *p, want = {
		.node = node, .flags = PICK_IN_NODE, .allowed = all_cpus,
		.nr = IDLE_NODE_MAX + 1, .then_anywhere = true,
	};
	int tries, n, nearest, right = 0;

	for (tries = 0; tries < 20 && right < 5; tries++) {
		TRY(wake_all());
		p = pick(want);
		SCX_ASSERT(p);
		nearest = -1;
		for (n = 0; n < nr_nodes; n++)
			if (p->idle[n] &&
			    (nearest < 0 || distance[node][n] < distance[node][nearest]))
				nearest = n;
		if (nearest < 0) {
			SCX_LT(p->anywhere, 0);
			right++;
			continue;
		}
		/* a CPU may have begun or ended to idle in between */
		if (p->anywhere >= 0 &&
		    distance[node][cpu_node[p->anywhere]] == distance[node][nearest])
			right++;
	}
	SCX_FAIL_IF(right < 5, "node %d: the nearest node is missed: last idle 0x%llx, CPU %d",
		    node, p->idle[nearest], p->anywhere);
	return SCX_TEST_PASS;
}

static enum scx_test_status pick_cores(int node)
{
	struct idle_node_picks *p, want = {
		.node = node, .flags = PICK_IN_NODE | PICK_CORE, .allowed = all_cpus,
		.nr = IDLE_NODE_MAX + 1, .nr_any = 1,
	};
	int tries, i, nr, twice = 0, nr_cores = 0;
	u64 cores;

	for (i = 0; i < nr_cpus; i++)
		nr_cores += (node_cpus[node] & BIT(i)) && !(siblings[i] & (BIT(i) - 1));
	/* for a CPU that idles again meanwhile, its core may be picked twice: not each time */
	for (tries = 0; tries < 20; tries++) {
		TRY(wake_all());
		p = pick(want);
		SCX_ASSERT(p);
		cores = 0;
		twice = 0;
		for (i = nr = 0; p->picked[i] >= 0; i++, nr++) {
			SCX_ASSERT(node_cpus[node] & BIT(p->picked[i]));
			twice += !!(cores & siblings[p->picked[i]]);
			cores |= siblings[p->picked[i]] | BIT(p->picked[i]);
		}
		SCX_EQ(p->picked[i], -EBUSY);
		/* but for the core that this runs on */
		if (!twice && nr + 2 >= nr_cores)
			break;
	}
	SCX_FAIL_IF(twice || nr + 2 < nr_cores, "node %d: %d picks of %d cores, %d cores twice",
		    node, nr, nr_cores, twice);
	if (node_cpus[node])
		SCX_ASSERT(p->any[0] >= 0 && (node_cpus[node] & BIT(p->any[0])));
	/* a sibling is left for who doesn't want a core to itself */
	if (nr_cores && __builtin_popcountll(node_cpus[node]) >= 2 * nr_cores && nr_cores > 1) {
		want.flags = PICK_IN_NODE;
		want.nr = 1;
		p = pick(want);
		SCX_ASSERT(p);
		SCX_ASSERT(p->picked[0] >= 0 && (node_cpus[node] & BIT(p->picked[0])));
	}
	return SCX_TEST_PASS;
}

static enum scx_test_status no_node(void)
{
	struct idle_node_picks *p = pick((struct idle_node_picks) {
		.node = NO_NODE, .allowed = all_cpus, .nr = 1, .nr_any = 1,
	});

	SCX_ASSERT(p);
	SCX_EQ(p->picked[0], -ENOENT);
	SCX_EQ(p->any[0], -ENOENT);
	return SCX_TEST_PASS;
}

static enum scx_test_status claim(int cpu)
{
	int tries;

	if (BIT(cpu) == (all_cpus & -all_cpus))
		return SCX_TEST_PASS;
	skel->bss->claim_cpu = cpu;
	for (tries = 0; tries < 20; tries++) {
		TRY(wake_all());
		SCX_EQ(run_prog(skel->progs.claim), 0);
		if (skel->bss->claimed && !skel->bss->claimed_again &&
		    !(skel->bss->claimed_mask & BIT(cpu)))
			return SCX_TEST_PASS;
	}
	SCX_FAIL("CPU %d: can't be claimed", cpu);
}

/*
 * A task sleeps for so long, and its CPU is taken from it. *@slept: that was before it woke up.
 * A timer wakes it up, when nothing else runs: one who did that from a CPU would keep a core
 * from being idle, and another node's is better then than half of the own.
 */
static enum scx_test_status lose_cpu(int cpu, int ms, bool *slept)
{
	cpu_set_t others;
	pid_t pid;

	memset(&others, 0xff, sizeof(others));
	CPU_CLR(cpu, &others);
	pid = fork_child();
	if (!pid) {
		run_on(cpu);
		usleep(ms * 1000);
		_exit(0);
	}
	SCX_GE(pid, 0);
	skel->bss->watched = pid;
	SCX_ASSERT(BECOMES(state_of(pid) == 'S' || state_of(pid) == 'Z'));
	SCX_EQ(sched_setaffinity(pid, sizeof(others), &others), 0);
	*slept = state_of(pid) == 'S';
	SCX_EQ(waitpid(pid, NULL, 0), pid);
	return SCX_TEST_PASS;
}

/*
 * The built-in selection keeps a task in the node that it is in, while a CPU there idles.
 * Its last CPU is taken from it while it sleeps, so that another has to be found.
 */
static enum scx_test_status stay_in_node(void)
{
	int cpu, i, ms;
	bool slept;
	u64 strayed;

	skel->bss->nr_found = 0;
	skel->bss->nr_strayed = 0;
	run_on(__builtin_ctzll(all_cpus));
	for (cpu = 0; cpu < nr_cpus; cpu++) {
		if (!(all_cpus & BIT(cpu)))
			continue;
		for (i = 0; i < 4 && nr_cpus > 1; i++) {
			slept = false;
			for (ms = 20; ms < 10000 && !slept; ms *= 2)
				TRY(lose_cpu(cpu, ms, &slept));
			SCX_ASSERT(slept);
		}
	}
	/* in some nodes there is no other, or it is busy */
	if (nr_cpus > 2)
		SCX_GT(skel->bss->nr_found, nr_cpus);
	strayed = skel->bss->nr_strayed;
	SCX_FAIL_IF(strayed * 10 > skel->bss->nr_found, "%lu of %lu wakeups strayed", strayed,
		    skel->bss->nr_found);
	return SCX_TEST_PASS;
}

static enum scx_test_status ended(struct bpf_link *link, u64 kind, const char *msg)
{
	SCX_FAIL_IF(!link, "Failed to attach scheduler");
	SCX_ASSERT(BECOMES(scx_state_is("disabled")));
	SCX_EQ(skel->data->uei.kind, kind);
	SCX_FAIL_IF(strcmp(skel->data->uei.msg, msg), "exit message '%s' instead of '%s'",
		    skel->data->uei.msg, msg);
	detach(link);
	return SCX_TEST_PASS;
}

static enum scx_test_status not_ended(struct bpf_link *link)
{
	SCX_FAIL_IF(!link, "Failed to attach scheduler");
	usleep(50000);
	SCX_ASSERT(scx_state_is("enabled"));
	SCX_EQ(skel->data->uei.kind, EXIT_KIND(SCX_EXIT_NONE));
	detach(link);
	return SCX_TEST_PASS;
}

static enum scx_test_status works(void)
{
	struct bpf_link *link = attach(PER_NODE, NOTHING_WRONG, false);
	int n, cpu;

	SCX_FAIL_IF(!link, "Failed to attach scheduler");
	TRY(numbers());
	TRY(wake_all());
	TRY(check_masks());
	TRY(under_load());
	for (cpu = 0; cpu < nr_cpus; cpu++)
		if (all_cpus & BIT(cpu)) {
			TRY(busy_and_idle(cpu));
			TRY(claim(cpu));
		}
	for (n = 0; n < nr_nodes; n++) {
		if (!(possible_nodes & BIT(n)))
			continue;
		TRY(pick_in_node(n));
		TRY(pick_near(n));
		TRY(pick_cores(n));
	}
	TRY(no_node());
	TRY(stay_in_node());
	TRY(not_ended(link));
	return SCX_TEST_PASS;
}

static enum scx_test_status run(void *ctx)
{
	const u64 error = EXIT_KIND(SCX_EXIT_ERROR);

	TRY(read_machine());
	TRY(works());
	/* the masks are there from last time */
	TRY(works());
#define X(what, per_node, msg)								\
	TRY(ended(attach((per_node) ? PER_NODE : 0, WRONG_##what, false), error, msg));	\
	if (WRONG_##what != WRONG_no_cpu && !strncmp(msg, "per-node", 8))		\
		TRY(not_ended(attach((per_node) ? 0 : PER_NODE, WRONG_##what, false)));
	IDLE_NODE_WRONGS(X)
#undef X
	TRY(ended(attach(PER_NODE, NOTHING_WRONG, true), error,
		  "SCX_OPS_BUILTIN_IDLE_PER_NODE requires built-in idle tracking"));
	TRY(not_ended(attach(PER_NODE | KEEP_BUILTIN_IDLE, NOTHING_WRONG, true)));
	return SCX_TEST_PASS;
}

struct scx_test idle_node = {
	.name = "idle_node",
	.description = "Idle CPUs by node are where they belong, and picked near the node",
	.run = run,
};
REGISTER_SCX_TEST(&idle_node)
