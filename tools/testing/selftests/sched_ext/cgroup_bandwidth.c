// SPDX-License-Identifier: GPL-2.0
/*
 * A scheduler hears of cpu.max and cpu.max.burst: of what is set when it comes or when a
 * cgroup does, and of each change, once.
 */
#define _GNU_SOURCE
#include <pthread.h>
#include <sys/stat.h>
#include "verify_steps.h"
#include "cgroup_bandwidth_test.h"
#include "cgroup_bandwidth.bpf.skel.h"

#define ROOT	"/sys/fs/cgroup"
#define DIR	ROOT "/scx_bandwidth"
#define OTHER	ROOT "/scx_bandwidth_other"
#define NONE	((u64)-1)

static struct cgroup_bandwidth *skel;

static u64 cgroup_id(const char *dir)
{
	struct stat st;

	/* in kernfs of 64-bit kernels, the inode number is the id */
	return stat(dir, &st) ? 0 : st.st_ino;
}

static bool is(const volatile struct bandwidth *bw, u64 period_us, u64 quota_us, u64 burst_us)
{
	return bw->period_us == period_us && bw->quota_us == quota_us && bw->burst_us == burst_us;
}

static enum scx_test_status open_form(bool cid)
{
	skel = cgroup_bandwidth__open();
	SCX_FAIL_IF(!skel, "Failed to open");
	bpf_map__set_autocreate(cid ? skel->maps.cpu_ops : skel->maps.cid_ops, false);
	bpf_map__set_autocreate(skel->maps.sleepable_ops, false);
	UEI_SET_SIZE(skel, cpu_ops, uei);
	SCX_FAIL_IF(cgroup_bandwidth__load(skel), "Failed to load");
	return SCX_TEST_PASS;
}

static struct bpf_link *attach(bool cid)
{
	return bpf_map__attach_struct_ops(cid ? skel->maps.cid_ops : skel->maps.cpu_ops);
}

static enum scx_test_status hears(bool cid)
{
	struct bpf_link *link;
	u32 nr;

	TRY(open_form(cid));
	SCX_EQ(put_text(DIR "/cpu.max", "max 100000"), 0);
	SCX_EQ(put_text(DIR "/cpu.max.burst", "0"), 0);
	SCX_EQ(put_text(DIR "/cpu.max", "30000 50000"), 0);
	SCX_EQ(put_text(DIR "/cpu.max.burst", "7000"), 0);
	skel->bss->watched = cgroup_id(DIR);
	SCX_ASSERT(skel->bss->watched);

	/* what was set before */
	link = attach(cid);
	SCX_FAIL_IF(!link, "Failed to attach scheduler");
	SCX_EQ(skel->bss->nr_init, 1);
	SCX_ASSERT(is(&skel->bss->init_args, 50000, 30000, 7000));
	SCX_ASSERT(is(&skel->bss->root_args, 100000, NONE, 0));
	SCX_EQ(skel->bss->nr_set, 0);

	/* each change */
	SCX_EQ(put_text(DIR "/cpu.max", "40000 60000"), 0);
	SCX_EQ(skel->bss->nr_set, 1);
	SCX_ASSERT(is(&skel->bss->set_args, 60000, 40000, 7000));
	SCX_EQ(put_text(DIR "/cpu.max.burst", "9000"), 0);
	SCX_EQ(skel->bss->nr_set, 2);
	SCX_ASSERT(is(&skel->bss->set_args, 60000, 40000, 9000));
	SCX_EQ(put_text(DIR "/cpu.max", "max"), 0);
	SCX_EQ(skel->bss->nr_set, 3);
	SCX_ASSERT(is(&skel->bss->set_args, 60000, NONE, 9000));
	SCX_EQ(put_text(DIR "/cpu.max", "20000 100000"), 0);
	SCX_EQ(skel->bss->nr_set, 4);
	SCX_ASSERT(is(&skel->bss->set_args, 100000, 20000, 9000));

	/* ... but no other */
	SCX_EQ(put_text(DIR "/cpu.max", "20000 100000"), 0);
	SCX_EQ(put_text(DIR "/cpu.max", "1 100000"), -EINVAL);
	SCX_EQ(put_text(DIR "/cpu.max", "20000 5000000"), -EINVAL);
	SCX_EQ(put_text(DIR "/cpu.max.burst", "90000"), -EINVAL);
	SCX_EQ(put_text(DIR "/cpu.weight", "50"), 0);
	SCX_EQ(skel->bss->nr_set, 4);

	/* one that comes later, and is another cgroup's neighbour */
	nr = skel->bss->nr_set_others;
	SCX_EQ(mkdir(OTHER, 0755), 0);
	SCX_EQ(put_text(OTHER "/cpu.max", "10000 20000"), 0);
	SCX_EQ(skel->bss->nr_set_others, nr + 1);
	SCX_EQ(skel->bss->nr_set, 4);
	SCX_EQ(rmdir(DIR), 0);
	SCX_EQ(rmdir(OTHER), 0);
	SCX_EQ(mkdir(DIR, 0755), 0);
	skel->bss->watched = cgroup_id(DIR);
	SCX_EQ(put_text(DIR "/cpu.max", "10000 20000"), 0);
	SCX_EQ(skel->bss->nr_set, 5);
	SCX_ASSERT(is(&skel->bss->set_args, 20000, 10000, 0));

	bpf_link__destroy(link);
	SCX_EQ(skel->data->uei.kind, EXIT_KIND(SCX_EXIT_UNREG));
	SCX_EQ(put_text(DIR "/cpu.max", "max 100000"), 0);
	SCX_EQ(skel->bss->nr_set, 5);
	cgroup_bandwidth__destroy(skel);
	return SCX_TEST_PASS;
}

static volatile bool writer_stop;
static volatile unsigned long nr_written;

/* One writes even values, and another odd ones: each is a change. */
static void *writer(void *arg)
{
	unsigned long i, odd = (unsigned long)arg;

	for (i = 0; !writer_stop; i++) {
		if (put_text(DIR "/cpu.max", "%lu 100000", 10000 + 2 * (i & 1023) + odd))
			return "can't write";
		__sync_fetch_and_add(&nr_written, 1);
	}
	return NULL;
}

/* Whenever a scheduler comes, it knows in the end what is set, and heard no change twice. */
static enum scx_test_status hears_meanwhile(void)
{
	unsigned long quota, period, start, before, n;
	struct bandwidth *last;
	struct bpf_link *link;
	pthread_t threads[2];
	void *failed;
	FILE *f;
	int i;

	for (i = 0; i < 5; i++) {
		TRY(open_form(false));
		skel->bss->watched = cgroup_id(DIR);
		writer_stop = false;
		for (n = 0; n < 2; n++)
			SCX_EQ(pthread_create(&threads[n], NULL, writer, (void *)n), 0);
		start = nr_written;
		SCX_ASSERT(BECOMES(nr_written > start + 20));
		before = nr_written;
		link = attach(false);
		SCX_FAIL_IF(!link, "Failed to attach scheduler");
		/* more than meanwhile: to hear of each of these twice would be too often in all */
		start = nr_written;
		SCX_ASSERT(BECOMES(nr_written > start + (start - before) + 20));
		writer_stop = true;
		for (n = 0; n < 2; n++) {
			SCX_EQ(pthread_join(threads[n], &failed), 0);
			SCX_FAIL_IF(failed, "%s", (char *)failed);
		}
		f = fopen(DIR "/cpu.max", "r");
		SCX_ASSERT(f);
		SCX_EQ(fscanf(f, "%lu %lu", &quota, &period), 2);
		fclose(f);
		SCX_GT(skel->bss->nr_set, 0);
		SCX_LE(skel->bss->nr_set, nr_written - before);
		last = &skel->bss->set_args;
		SCX_FAIL_IF(!is(last, period, quota, 0), "%lu %lu is set, but was told %llu %llu",
			    quota, period, last->quota_us, last->period_us);
		bpf_link__destroy(link);
		cgroup_bandwidth__destroy(skel);
	}
	return SCX_TEST_PASS;
}

static enum scx_test_status refuses_sleepable(void)
{
	skel = cgroup_bandwidth__open();
	SCX_FAIL_IF(!skel, "Failed to open");
	bpf_map__set_autocreate(skel->maps.cid_ops, false);
	bpf_map__set_autocreate(skel->maps.cpu_ops, false);
	bpf_map__set_autocreate(skel->maps.sleepable_ops, true);
	SCX_EQ(load_quietly(skel->obj), -EINVAL);
	cgroup_bandwidth__destroy(skel);
	return SCX_TEST_PASS;
}

static enum scx_test_status setup(void **ctx)
{
	put_text(ROOT "/cgroup.subtree_control", "+cpu");
	if (mkdir(DIR, 0755) && errno != EEXIST)
		return SCX_TEST_SKIP;
	if (!access(DIR "/cpu.max", W_OK))
		return SCX_TEST_PASS;
	rmdir(DIR);
	return SCX_TEST_SKIP;
}

static enum scx_test_status run(void *ctx)
{
	TRY(hears(false));
	TRY(hears(true));
	TRY(hears_meanwhile());
	TRY(refuses_sleepable());
	return SCX_TEST_PASS;
}

static void cleanup(void *ctx)
{
	rmdir(OTHER);
	rmdir(DIR);
}

struct scx_test cgroup_bandwidth = {
	.name = "cgroup_bandwidth",
	.description = "A scheduler hears of the bandwidth of cgroups",
	.setup = setup,
	.run = run,
	.cleanup = cleanup,
};
REGISTER_SCX_TEST(&cgroup_bandwidth)
