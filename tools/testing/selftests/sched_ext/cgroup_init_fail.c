// SPDX-License-Identifier: GPL-2.0
/*
 * ops.cgroup_init() refuses a cgroup while the scheduler is enabled. Nothing of the
 * scheduler stays, and the cgroup goes when it is removed.
 */
#include <sys/stat.h>
#include "test_steps.h"
#include "cgroup_init_fail.bpf.skel.h"

#define ROOT	"/sys/fs/cgroup"
#define DIR	ROOT "/scx_refused"

/* Cgroups that were removed and that something holds; negative if it can't be told. */
static int nr_dying(void)
{
	char line[80];
	int nr = -1;
	FILE *f;

	f = fopen(ROOT "/cgroup.stat", "r");
	if (!f)
		return -1;
	while (fgets(line, sizeof(line), f))
		if (sscanf(line, "nr_dying_descendants %d", &nr) == 1)
			break;
	fclose(f);
	return nr;
}

static enum scx_test_status refuse(u64 id)
{
	struct cgroup_init_fail *skel;
	struct bpf_link *link;

	skel = SCX_OPS_OPEN(cgroup_init_fail_ops, cgroup_init_fail);
	UEI_SET_SIZE(skel, cgroup_init_fail_ops, uei);
	skel->rodata->refused = id;
	SCX_FAIL_IF(cgroup_init_fail__load(skel), "Failed to load");
	link = bpf_map__attach_struct_ops(skel->maps.cgroup_init_fail_ops);
	SCX_ASSERT(BECOMES(skel->data->uei.kind != EXIT_KIND(SCX_EXIT_NONE)));
	SCX_EQ(skel->data->uei.kind, EXIT_KIND(SCX_EXIT_ERROR));
	SCX_FAIL_IF(strcmp(skel->data->uei.msg, "ops.cgroup_init() failed (-28)"),
		    "exit message '%s'", skel->data->uei.msg);
	SCX_ASSERT(BECOMES(scx_state_is("disabled")));
	bpf_link__destroy(link);
	cgroup_init_fail__destroy(skel);
	return SCX_TEST_PASS;
}

static enum scx_test_status setup(void **ctx)
{
	if (put_text(ROOT "/cgroup.subtree_control", "+cpu") || nr_dying() < 0 ||
	    (mkdir(DIR, 0755) && errno != EEXIST))
		return SCX_TEST_SKIP;
	return SCX_TEST_PASS;
}

static enum scx_test_status run(void *ctx)
{
	struct stat st;
	int i;

	/* those of other tests may be on their way */
	SCX_ASSERT(BECOMES(nr_dying() == 0));
	for (i = 0; i < 3; i++) {
		SCX_EQ(stat(DIR, &st), 0);
		/* in kernfs of 64-bit kernels, the inode number is the id */
		TRY(refuse(st.st_ino));
	}
	SCX_EQ(rmdir(DIR), 0);
	SCX_FAIL_IF(!BECOMES(nr_dying() == 0), "%d cgroups don't go", nr_dying());
	return SCX_TEST_PASS;
}

static void cleanup(void *ctx)
{
	rmdir(DIR);
}

struct scx_test cgroup_init_fail = {
	.name = "cgroup_init_fail",
	.description = "A cgroup that ops.cgroup_init() refuses goes when it is removed",
	.setup = setup,
	.run = run,
	.cleanup = cleanup,
};
REGISTER_SCX_TEST(&cgroup_init_fail)
