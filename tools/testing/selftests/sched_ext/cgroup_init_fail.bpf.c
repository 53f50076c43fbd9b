// SPDX-License-Identifier: GPL-2.0
/*
 * A scheduler that refuses one cgroup.
 */
#include <scx/common.bpf.h>

char _license[] SEC("license") = "GPL";

UEI_DEFINE(uei);

const volatile u64 refused;

s32 BPF_STRUCT_OPS_SLEEPABLE(cgroup_init_fail_cgroup_init, struct cgroup *cgrp,
			     struct scx_cgroup_init_args *args)
{
	return cgrp->kn->id == refused ? -ENOSPC : 0;
}

void BPF_STRUCT_OPS(cgroup_init_fail_exit, struct scx_exit_info *ei)
{
	UEI_RECORD(uei, ei);
}

SEC(".struct_ops.link")
struct sched_ext_ops cgroup_init_fail_ops = {
	.cgroup_init	= (void *)cgroup_init_fail_cgroup_init,
	.exit		= (void *)cgroup_init_fail_exit,
	.name		= "cgroup_init_fail",
};
