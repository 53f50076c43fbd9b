// SPDX-License-Identifier: GPL-2.0
/*
 * A scheduler that remembers which bandwidth it was told for one cgroup. In both forms.
 */
#include <scx/common.bpf.h>
#include "cgroup_bandwidth_test.h"

char _license[] SEC("license") = "GPL";

UEI_DEFINE(uei);

struct {
	__uint(type, BPF_MAP_TYPE_ARENA);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 16);
} arena SEC(".maps");

u64 watched;		/* id of the cgroup */
struct bandwidth init_args, set_args, root_args;
u32 nr_init, nr_set, nr_set_others;

static void remember_init(struct cgroup *cgrp, struct scx_cgroup_init_args *args)
{
	struct bandwidth bw = {
		.period_us	= args->bw_period_us,
		.quota_us	= args->bw_quota_us,
		.burst_us	= args->bw_burst_us,
	};

	if (cgrp->kn->id == watched) {
		init_args = bw;
		nr_init++;
	} else if (!cgrp->level) {
		root_args = bw;
	}
}

static void remember_set(struct cgroup *cgrp, u64 period_us, u64 quota_us, u64 burst_us)
{
	if (cgrp->kn->id != watched) {
		nr_set_others++;
		return;
	}
	set_args.period_us = period_us;
	set_args.quota_us = quota_us;
	set_args.burst_us = burst_us;
	nr_set++;
}

s32 BPF_STRUCT_OPS(bandwidth_cgroup_init, struct cgroup *cgrp, struct scx_cgroup_init_args *args)
{
	remember_init(cgrp, args);
	return 0;
}

void BPF_STRUCT_OPS(bandwidth_cgroup_set_bandwidth, struct cgroup *cgrp, u64 period_us,
		    u64 quota_us, u64 burst_us)
{
	remember_set(cgrp, period_us, quota_us, burst_us);
}

void BPF_STRUCT_OPS(bandwidth_exit, struct scx_exit_info *ei)
{
	UEI_RECORD(uei, ei);
}

SEC(".struct_ops.link")
struct sched_ext_ops cpu_ops = {
	.cgroup_init		= (void *)bandwidth_cgroup_init,
	.cgroup_set_bandwidth	= (void *)bandwidth_cgroup_set_bandwidth,
	.exit			= (void *)bandwidth_exit,
	.name			= "bandwidth_cpu",
};

s32 BPF_STRUCT_OPS(bandwidth_cpuctl_init, struct cgroup *cgrp, struct scx_cgroup_init_args *args)
{
	ARENA_ASSOCIATE(arena);
	remember_init(cgrp, args);
	return 0;
}

void BPF_STRUCT_OPS(bandwidth_cpuctl_set_bandwidth, struct cgroup *cgrp, u64 period_us,
		    u64 quota_us, u64 burst_us)
{
	remember_set(cgrp, period_us, quota_us, burst_us);
}

void BPF_STRUCT_OPS(bandwidth_cid_exit, struct scx_exit_info *ei)
{
	UEI_RECORD(uei, ei);
}

SEC(".struct_ops.link")
struct sched_ext_ops_cid cid_ops = {
	.cpuctl_init		= (void *)bandwidth_cpuctl_init,
	.cpuctl_set_bandwidth	= (void *)bandwidth_cpuctl_set_bandwidth,
	.exit			= (void *)bandwidth_cid_exit,
	.name			= "bandwidth_cid",
};

/* None of the operations that must not sleep may be a sleepable one. */
SEC("?struct_ops.s/cgroup_set_bandwidth")
void BPF_PROG(sleepable_set_bandwidth, struct cgroup *cgrp, u64 period_us, u64 quota_us,
	      u64 burst_us)
{
}

SEC("?.struct_ops.link")
struct sched_ext_ops sleepable_ops = {
	.cgroup_set_bandwidth	= (void *)sleepable_set_bandwidth,
	.name			= "bandwidth_sleepable",
};
