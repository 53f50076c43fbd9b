// SPDX-License-Identifier: GPL-2.0
/*
 * A scheduler of the cid form is told the truth: cids as sysfs describes the
 * machine, each task's CPUs whenever they change, and which cids are online.
 */
#include <sys/syscall.h>
#include <time.h>
#include "cid_steps.h"
#include "cid_form_test.h"
#include "cid_form.bpf.skel.h"

static struct cid_form *skel;
static struct bpf_link *form_link;

/* A list like 0-3,8 in sysfs, as far as the test has room. */
static bool read_cpus(cpu_set_t *set, const char *fmt, ...)
{
	char path[256], buf[4096], *p = buf;
	va_list args;
	FILE *f;

	va_start(args, fmt);
	vsnprintf(path, sizeof(path), fmt, args);
	va_end(args);
	f = fopen(path, "r");
	if (!f)
		return false;
	if (!fgets(buf, sizeof(buf), f))
		buf[0] = '\0';
	fclose(f);
	CPU_ZERO(set);
	while (*p >= '0' && *p <= '9') {
		long first = strtol(p, &p, 10), last = first;

		if (*p == '-')
			last = strtol(p + 1, &p, 10);
		for (; first <= last && first < CPU_SETSIZE; first++)
			CPU_SET(first, set);
		if (*p == ',')
			p++;
	}
	return true;
}

/* What a CPU shares its node, its last level cache and its core with. */
struct place {
	cpu_set_t	node, llc, core;
};

static void describe(int cpu, struct place *place)
{
	int i, level, best = 0;

	CPU_ZERO(&place->node);
	for (i = 0; i < 64 && !CPU_ISSET(cpu, &place->node); i++)
		if (!read_cpus(&place->node, "/sys/devices/system/node/node%d/cpulist", i))
			CPU_ZERO(&place->node);
	if (!CPU_ISSET(cpu, &place->node))
		read_cpus(&place->node, "/sys/devices/system/cpu/possible");

	place->llc = place->node;
	for (i = 0; i < 16; i++) {
		char path[128], type[32];
		FILE *f;

		snprintf(path, sizeof(path), "/sys/devices/system/cpu/cpu%d/cache/index%d/level",
			 cpu, i);
		f = fopen(path, "r");
		if (!f)
			break;
		if (fscanf(f, "%d", &level) != 1)
			level = 0;
		fclose(f);
		snprintf(path, sizeof(path), "/sys/devices/system/cpu/cpu%d/cache/index%d/type",
			 cpu, i);
		f = fopen(path, "r");
		if (!f || fscanf(f, "%31s", type) != 1)
			type[0] = '\0';
		if (f)
			fclose(f);
		if (level > best && strcmp(type, "Instruction")) {
			best = level;
			read_cpus(&place->llc,
				  "/sys/devices/system/cpu/cpu%d/cache/index%d/shared_cpu_list",
				  cpu, i);
		}
	}
	CPU_AND(&place->llc, &place->llc, &place->node);
	read_cpus(&place->core, "/sys/devices/system/cpu/cpu%d/topology/thread_siblings_list", cpu);
	CPU_AND(&place->core, &place->core, &place->llc);
}

static int lowest(const cpu_set_t *set)
{
	int cpu = 0;

	while (cpu < CPU_SETSIZE && !CPU_ISSET(cpu, set))
		cpu++;
	return cpu;
}

static bool comes_before(int a, const struct place *l, int b, const struct place *r)
{
	if (lowest(&l->node) != lowest(&r->node))
		return lowest(&l->node) < lowest(&r->node);
	if (lowest(&l->llc) != lowest(&r->llc))
		return lowest(&l->llc) < lowest(&r->llc);
	if (lowest(&l->core) != lowest(&r->core))
		return lowest(&l->core) < lowest(&r->core);
	return a < b;
}

/* All CPUs are online here. Each is where sysfs says, counted another way than the kernel does. */
static enum scx_test_status check_topology(const struct cid_test *st)
{
	struct place *places = calloc(CID_TEST_MAX_CIDS, sizeof(*places));
	int nr = st->nr_cids, cid, other;

	SCX_ASSERT(places);
	SCX_EQ(nr, cid_nr_cpus());
	SCX_EQ(st->nr_online, nr);
	for (cid = 0; cid < nr; cid++)
		describe(st->topo[cid].cpu, &places[cid]);
	for (cid = 0; cid < nr; cid++) {
		const struct cid_test_topo *topo = &st->topo[cid];
		int before = 0;

		for (other = 0; other < nr; other++)
			before += other != cid &&
				comes_before(st->topo[other].cpu, &places[other],
					     topo->cpu, &places[cid]);
		SCX_EQ(before, cid);
		SCX_EQ(st->topo[topo->node_cid].cpu, lowest(&places[cid].node));
		SCX_EQ(st->topo[topo->llc_cid].cpu, lowest(&places[cid].llc));
		SCX_EQ(st->topo[topo->core_cid].cpu, lowest(&places[cid].core));
		SCX_EQ(topo->node_idx, (cid ? topo[-1].node_idx : -1) + (topo->node_cid == cid));
		SCX_EQ(topo->llc_idx, (cid ? topo[-1].llc_idx : -1) + (topo->llc_cid == cid));
		SCX_EQ(topo->core_idx, (cid ? topo[-1].core_idx : -1) + (topo->core_cid == cid));
	}
	free(places);
	return SCX_TEST_PASS;
}

static enum scx_test_status check_counts(const struct cid_test *st)
{
	SCX_EQ(st->nr_bad_masks, 0);
	SCX_EQ(st->nr_bad_headers, 0);
	SCX_EQ(st->nr_bad_order, 0);
	SCX_EQ(st->nr_bad_cids, 0);
	SCX_EQ(st->nr_bad_moves, 0);
	SCX_EQ(st->nr_bad_online, 0);
	SCX_EQ(st->nr_bad_answers, 0);
	return SCX_TEST_PASS;
}

/* As the kernel has it: <sched.h> has none. */
struct deadline_attr {
	u32	size, sched_policy;
	u64	sched_flags;
	s32	sched_nice;
	u32	sched_priority;
	u64	sched_runtime, sched_deadline, sched_period;
};

/*
 * A CPU can't go off when those that remain can't keep what was promised to deadline
 * tasks. Then it is back, when the scheduler has been told that it is off.
 */
static enum scx_test_status fail_to_offline(const struct cid_test *st, int nr)
{
	unsigned long long before = st->nr_offline_calls;
	struct deadline_attr attr = {
		.size = sizeof(attr), .sched_policy = 6 /* SCHED_DEADLINE */,
		.sched_runtime = 89500000, .sched_deadline = 100000000, .sched_period = 100000000,
	};
	int promise[2], i;
	pid_t pids[nr];
	char c;

	SCX_EQ(pipe(promise), 0);
	for (i = 0; i < nr; i++) {
		pids[i] = fork_child();
		SCX_GE(pids[i], 0);
		if (!pids[i]) {
			close(promise[1]);
			_exit(syscall(SYS_sched_setattr, 0, &attr, 0) ||
			      read(promise[0], &c, 1));
		}
	}
	close(promise[0]);
	for (i = 0; i < nr; i++)
		SCX_ASSERT(BECOMES(sched_getscheduler(pids[i]) == attr.sched_policy));
	SCX_ASSERT(!cid_set_online(1, false));
	SCX_EQ(st->nr_offline_calls, before + 1);
	SCX_EQ(st->nr_online_calls, st->nr_offline_calls);
	SCX_EQ(st->nr_bad_online, 0);
	close(promise[1]);
	for (i = 0; i < nr; i++) {
		int status;

		SCX_GT(wait(&status), 0);
		SCX_EQ(status, 0);
	}
	return SCX_TEST_PASS;
}

static enum scx_test_status run(void *ctx)
{
	struct cid_test *st;
	struct cid_storm *storm;
	unsigned int seed = 1;
	int i, nr = cid_nr_cpus(), seconds;
	unsigned long long offline_calls;
	char form[16] = "";
	time_t end;
	FILE *f;
	u32 id;

	skel = SCX_OPS_CID_OPEN(cid_form_ops, cid_form);
	UEI_SET_SIZE(skel, cid_form_ops, uei);
	SCX_FAIL_IF(cid_form__load(skel), "Failed to load");
	form_link = bpf_map__attach_struct_ops(skel->maps.cid_form_ops);
	SCX_FAIL_IF(!form_link, "Failed to attach scheduler");
	SCX_ASSERT(BECOMES(scx_state_is("enabled")));
	st = &skel->arena->st;
	f = fopen("/sys/kernel/sched_ext/root/form", "r");
	SCX_ASSERT(f && fgets(form, sizeof(form), f));
	fclose(f);
	SCX_ASSERT(!strcmp(form, "cid\n"));

	TRY(check_topology(st));

	TRY(cid_storm_start(&storm, true));
	sleep(2);
	/*
	 * Or longer, on a slow machine. With one CPU, affinities have nothing to change
	 * to and nothing is selected.
	 */
	SCX_ASSERT(BECOMES(nr == 1 || (st->nr_masks >= st->nr_enabled + 100 &&
				       st->nr_selected >= 100)));
	SCX_ASSERT(BECOMES(st->nr_local_on >= 100 && st->nr_ran_there >= 100));
	TRY(cid_storm_end(storm));
	TRY(check_counts(st));
	SCX_GT(st->nr_enabled, CID_STORM_TASKS);
	SCX_EQ(st->nr_offline_calls, 0);

	st->hotplug = 1;
	if (nr > 1)
		TRY(fail_to_offline(st, nr));

	/* and while CPUs come and go, for longer if the environment says so */
	seconds = getenv("CID_FORM_SECONDS") ? atoi(getenv("CID_FORM_SECONDS")) : 0;
	end = time(NULL) + seconds;
	offline_calls = st->nr_offline_calls;
	TRY(cid_storm_start(&storm, false));
	for (i = 0; (i < 12 || time(NULL) < end) && nr > 1; i++) {
		cid_set_online(1 + rand_r(&seed) % (nr - 1), i % 3 == 2);
		usleep(20000);
	}
	usleep(100000);
	for (i = 1; i < nr; i++)
		SCX_FAIL_IF(!cid_set_online(i, true), "CPU %d stays off: %s", i, strerror(errno));
	TRY(cid_storm_end(storm));
	TRY(check_counts(st));
	if (nr > 1) {
		SCX_GT(st->nr_offline_calls, offline_calls + seconds / 20);
		SCX_EQ(st->nr_online_calls, st->nr_offline_calls);
	}
	SCX_EQ(skel->data->uei.kind, EXIT_KIND(SCX_EXIT_NONE));

	bpf_link__destroy(form_link);
	form_link = NULL;
	SCX_ASSERT(BECOMES(scx_state_is("disabled")));
	SCX_EQ(skel->data->uei.kind, EXIT_KIND(SCX_EXIT_UNREG));
	TRY(check_counts(st));
	id = map_id(skel->maps.cid_arena);
	SCX_GT(id, 0);
	cid_form__destroy(skel);
	skel = NULL;
	SCX_FAIL_IF(!map_is_gone(id), "its arena stays");
	return SCX_TEST_PASS;
}

static void cleanup(void *ctx)
{
	int i;

	for (i = 1; i < cid_nr_cpus(); i++)
		cid_set_online(i, true);
	bpf_link__destroy(form_link);
	form_link = NULL;
	cid_form__destroy(skel);
	skel = NULL;
}

struct scx_test cid_form = {
	.name		= "cid_form",
	.description	= "What a cid-form scheduler is told, under changing affinities and hotplug",
	.run		= run,
	.cleanup	= cleanup,
};
REGISTER_SCX_TEST(&cid_form)
