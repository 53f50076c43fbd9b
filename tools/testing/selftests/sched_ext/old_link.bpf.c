// SPDX-License-Identifier: GPL-2.0
/*
 * Schedulers that end by an error when they are told to.
 */
#include <scx/common.bpf.h>

char _license[] SEC("license") = "GPL";

UEI_DEFINE(uei);

volatile bool told_to_fail;

void BPF_STRUCT_OPS(old_link_running, struct task_struct *p)
{
	if (told_to_fail)
		scx_bpf_error("told to fail");
}

void BPF_STRUCT_OPS(old_link_exit, struct scx_exit_info *ei)
{
	UEI_RECORD(uei, ei);
}

#define SCHEDULER(map, sec)					\
SEC(sec)							\
struct sched_ext_ops map = {					\
	.running	= (void *)old_link_running,		\
	.exit		= (void *)old_link_exit,		\
	.name		= #map,					\
}

/* that can be linked, more than once, and that can be registered without a link, once */
SCHEDULER(linked, ".struct_ops.link");
SCHEDULER(linked_too, ".struct_ops.link");
SCHEDULER(plain, ".struct_ops");
SCHEDULER(plain_too, ".struct_ops");
