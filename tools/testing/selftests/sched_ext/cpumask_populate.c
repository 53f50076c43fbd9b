// SPDX-License-Identifier: GPL-2.0
/*
 * bpf_cpumask_populate() makes a cpumask what memory says.
 */
#include "vocab_steps.h"
#include "cpumask_populate_test.h"
#include "cpumask_populate.bpf.skel.h"

#define NR_PATTERNS	6

static enum scx_test_status refused(bool other, const char *want)
{
	struct cpumask_populate *skel = cpumask_populate__open();
	struct bpf_program *prog = other ? skel->progs.populate_other :
					   skel->progs.populate_beyond;

	bpf_program__set_autoload(prog, true);
	TRY(no_load(skel->obj, prog, want));
	cpumask_populate__destroy(skel);
	return SCX_TEST_PASS;
}

static enum scx_test_status run(void *ctx)
{
	static const u64 patterns[NR_PATTERNS] = {
		0, ~0LLU, 1, 0x5555555555555555, 0x8000000000000001, 6,
	};
	struct cpumask_populate *skel = cpumask_populate__open_and_load();
	int i, j, nr = sysconf(_SC_NPROCESSORS_CONF);

	SCX_FAIL_IF(!skel, "Failed to load");
	for (i = 0; i < NR_PATTERNS; i++) {
		for (j = 0; j < NR_WORDS; j++)
			skel->bss->words[j] = patterns[i];
		SCX_EQ(run_prog(skel->progs.populate), 0);
		SCX_EQ(skel->bss->ret_full, 0);
		SCX_EQ(skel->bss->nr_differ, 0);
		SCX_EQ(skel->bss->ret_short, -EACCES);
#if defined(__x86_64__) || defined(__aarch64__)
		SCX_EQ(skel->bss->ret_unaligned, 0);
#else
		SCX_ASSERT(!skel->bss->ret_unaligned || skel->bss->ret_unaligned == -EINVAL);
#endif
		/* CPU ids have no gaps here, nor does a mask have more CPUs than there are */
		SCX_LE(skel->bss->weight, nr);
		if (patterns[i] == ~0LLU)
			SCX_EQ(skel->bss->weight, nr);
	}
	cpumask_populate__destroy(skel);

	TRY(refused(true, "expected pointer to STRUCT bpf_cpumask"));
	TRY(refused(false, "invalid access to map value"));
	return SCX_TEST_PASS;
}

struct scx_test cpumask_populate = {
	.name = "cpumask_populate",
	.description = "A cpumask is made what memory says",
	.run = run,
};
REGISTER_SCX_TEST(&cpumask_populate)
