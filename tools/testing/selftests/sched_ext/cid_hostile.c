// SPDX-License-Identifier: GPL-2.0
/*
 * A scheduler of the cid form can't hurt the kernel through its arena: it frees the
 * kernel's pages and writes to them, from callbacks, from another program and from
 * user space, while affinities change and CPUs go on and off, and it ends in the
 * midst of it. That the kernel has nothing to say about it is for whoever runs the
 * tests to see.
 */
#include <pthread.h>
#include "cid_steps.h"
#include "cid_hostile_test.h"
#include "cid_hostile.bpf.skel.h"

static struct cid_hostile *skel;
static struct bpf_link *hostile_link;
static pthread_t attacker;
static volatile bool attacking;
static volatile unsigned long nr_writes;

static void *attacker_fn(void *arg)
{
	struct cid_hostile_test *st = &skel->arena->st;
	LIBBPF_OPTS(bpf_test_run_opts, opts);
	unsigned int seed = 1, i;

	while (attacking) {
		u64 page = (i = rand_r(&seed)) % 2 ? st->cmask : st->online;

		bpf_prog_test_run_opts(bpf_program__fd(skel->progs.attack), &opts);
		page &= ~4095ULL;
		if (!page || page == ((u64)st & ~4095ULL))
			continue;
		/* the addresses are one for BPF and user space */
		switch (i / 2 % 3) {
		case 0:
			memset((void *)page, 0xff, 4096);
			break;
		case 1:
			memset((void *)page, 0, 4096);
			break;
		default:
			for (i = 0; i < 512; i++)
				((u64 *)page)[i] = (u64)rand_r(&seed) << 32 | rand_r(&seed);
		}
		nr_writes++;
	}
	return NULL;
}

static enum scx_test_status start_attack(void)
{
	skel->arena->st.attack = 1;
	attacking = true;
	SCX_EQ(pthread_create(&attacker, NULL, attacker_fn, NULL), 0);
	return SCX_TEST_PASS;
}

static void end_attack(void)
{
	if (!attacking)
		return;
	attacking = false;
	pthread_join(attacker, NULL);
	if (skel)
		skel->arena->st.attack = 0;
}

/* A value from the line that the kernel shows about the arena. */
static long arena_stat(const char *key)
{
	char line[256] = "", *p;
	FILE *f = fopen("/sys/kernel/sched_ext/root/arena", "r");

	if (!f || !fgets(line, sizeof(line), f))
		line[0] = '\0';
	if (f)
		fclose(f);
	p = strstr(line, key);
	return p ? atol(p + strlen(key)) : -1;
}

static enum scx_test_status start_it(void)
{
	hostile_link = bpf_map__attach_struct_ops(skel->maps.cid_hostile_ops);
	SCX_FAIL_IF(!hostile_link, "Failed to attach scheduler");
	SCX_ASSERT(BECOMES(scx_state_is("enabled")));
	return SCX_TEST_PASS;
}

static enum scx_test_status end_it(void)
{
	bpf_link__destroy(hostile_link);
	hostile_link = NULL;
	SCX_ASSERT(scx_state_is("disabled"));
	SCX_EQ(skel->data->uei.kind, EXIT_KIND(SCX_EXIT_UNREG));
	return SCX_TEST_PASS;
}

static enum scx_test_status run(void *ctx)
{
	int i, nr = cid_nr_cpus();
	struct cid_storm *storm;
	long pages;
	unsigned long long before;
	u32 id;

	skel = SCX_OPS_CID_OPEN(cid_hostile_ops, cid_hostile);
	/* it is attached again after CPUs went off and on */
	skel->struct_ops.cid_hostile_ops->hotplug_seq = 0;
	UEI_SET_SIZE(skel, cid_hostile_ops, uei);
	SCX_FAIL_IF(cid_hostile__load(skel), "Failed to load");
	skel->arena->st.attack = 1;	/* from the start */
	TRY(start_it());
	pages = arena_stat("pages=");
	SCX_GT(pages, 0);

	TRY(start_attack());
	TRY(cid_storm_start(&storm, true));
	sleep(1);
	TRY(cid_storm_end(storm));
	TRY(cid_storm_start(&storm, false));
	for (i = 1; i < nr && i < 4; i++) {
		cid_set_online(i, false);
		usleep(50000);
		cid_set_online(i, true);
	}
	usleep(100000);
	/* or longer, on a slow machine */
	SCX_ASSERT(BECOMES(arena_stat("refused=") > 100));
	SCX_ASSERT(BECOMES(skel->arena->st.nr_attacks > 1000));
	SCX_ASSERT(BECOMES(skel->arena->st.nr_frees > 100));
	SCX_ASSERT(BECOMES(nr_writes > 100));
	TRY(cid_storm_end(storm));
	end_attack();

	SCX_EQ(arena_stat("pages="), pages);
	SCX_GE(skel->arena->st.nr_offline, nr > 1);

	/* all of that left nothing wrong, once callbacks that still attack are over */
	usleep(100000);
	before = skel->arena->st.nr_masks;
	skel->arena->st.nr_bad_masks = 0;
	TRY(cid_storm_start(&storm, true));
	sleep(1);
	/* with one CPU, affinities have nothing to change to */
	SCX_ASSERT(BECOMES(skel->arena->st.nr_masks >=
			   before + (nr > 1 ? 100 : CID_STORM_TASKS)));
	TRY(cid_storm_end(storm));
	SCX_EQ(skel->arena->st.nr_bad_masks, 0);
	SCX_EQ(skel->data->uei.kind, EXIT_KIND(SCX_EXIT_NONE));

	/* to start and to end in the midst of it, while no other task holds the link */
	TRY(end_it());
	TRY(cid_storm_start(&storm, true));
	TRY(start_attack());
	for (i = 0; i < 3; i++) {
		skel->data->uei.kind = 0;
		TRY(start_it());
		usleep(100000);
		TRY(end_it());
		usleep(50000);
	}
	end_attack();
	TRY(cid_storm_end(storm));

	id = map_id(skel->maps.cid_arena);
	SCX_GT(id, 0);
	cid_hostile__destroy(skel);
	skel = NULL;
	SCX_FAIL_IF(!map_is_gone(id), "its arena stays");
	return SCX_TEST_PASS;
}

static void cleanup(void *ctx)
{
	int i;

	end_attack();
	for (i = 1; i < cid_nr_cpus(); i++)
		cid_set_online(i, true);
	bpf_link__destroy(hostile_link);
	hostile_link = NULL;
	cid_hostile__destroy(skel);
	skel = NULL;
}

struct scx_test cid_hostile = {
	.name		= "cid_hostile",
	.description	= "A cid-form scheduler that attacks what the kernel has in its arena",
	.run		= run,
	.cleanup	= cleanup,
};
REGISTER_SCX_TEST(&cid_hostile)
