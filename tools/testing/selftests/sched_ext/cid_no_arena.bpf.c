// SPDX-License-Identifier: GPL-2.0
/*
 * A scheduler of the cid form without an arena.
 */
#include <scx/common.bpf.h>

char _license[] SEC("license") = "GPL";

void BPF_STRUCT_OPS(cid_no_arena_enqueue, struct task_struct *p, u64 enq_flags)
{
	scx_bpf_dispatch(p, SCX_DSQ_GLOBAL, SCX_SLICE_DFL, enq_flags);
}

SCX_OPS_CID_DEFINE(cid_no_arena_ops,
		   .enqueue		= (void *)cid_no_arena_enqueue,
		   .name		= "cid_no_arena");
