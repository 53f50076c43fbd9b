// SPDX-License-Identifier: GPL-2.0
/*
 * Sets cpumasks from memory. The program runs when user space says so.
 */
#include <scx/common.bpf.h>
#include "cpumask_populate_test.h"

char _license[] SEC("license") = "GPL";

u64 words[NR_WORDS + 1];	/* what is to be in the cpumask */
u32 weight;
int ret_full, ret_short, ret_unaligned;
u32 nr_differ;			/* CPUs that aren't as in words[] */

SEC("syscall")
int populate(void *ctx)
{
	struct bpf_cpumask *mask = bpf_cpumask_create();
	u32 nr = scx_bpf_nr_cpu_ids();
	int i;

	if (!mask)
		return 1;

	/* what was in there goes */
	bpf_cpumask_setall(mask);
	ret_full = bpf_cpumask_populate(mask, words, NR_WORDS * sizeof(u64));
	nr_differ = 0;
	bpf_for(i, 0, NR_WORDS * 64)
		if (bpf_cpumask_test_cpu(i, cast_mask(mask)) !=
		    (i < nr && (words[i / 64 % NR_WORDS] >> (i % 64) & 1)))
			nr_differ++;
	weight = bpf_cpumask_weight(cast_mask(mask));

	/* these change nothing, but for the last where that isn't refused */
	ret_short = bpf_cpumask_populate(mask, words, 1);
	if (bpf_cpumask_weight(cast_mask(mask)) != weight)
		nr_differ++;
	ret_unaligned = bpf_cpumask_populate(mask, (void *)words + 1, NR_WORDS * sizeof(u64));
	bpf_cpumask_release(mask);
	return 0;
}

/* Refused: a mask that is another's. */
SEC("?syscall")
int populate_other(void *ctx)
{
	struct task_struct *p = bpf_get_current_task_btf();
	int ret;

	bpf_rcu_read_lock();
	ret = bpf_cpumask_populate((struct bpf_cpumask *)p->cpus_ptr, words, sizeof(words));
	bpf_rcu_read_unlock();
	return ret;
}

/* Refused: more than there is. */
SEC("?syscall")
int populate_beyond(void *ctx)
{
	struct bpf_cpumask *mask = bpf_cpumask_create();
	int ret;

	if (!mask)
		return 1;
	ret = bpf_cpumask_populate(mask, words, 2 * sizeof(words));
	bpf_cpumask_release(mask);
	return ret;
}
