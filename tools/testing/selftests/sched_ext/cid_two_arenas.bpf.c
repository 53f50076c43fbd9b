// SPDX-License-Identifier: GPL-2.0
/*
 * Schedulers of the cid form with two arenas.
 */
#include <scx/common.bpf.h>

char _license[] SEC("license") = "GPL";

struct {
	__uint(type, BPF_MAP_TYPE_ARENA);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 16);
} one_arena SEC(".maps");

/* libbpf takes one arena in an object, so the test makes this another one */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 16);
	__type(key, u32);
	__type(value, u32);
} other_arena SEC(".maps");

void BPF_STRUCT_OPS(cid_two_arenas_enqueue, struct task_struct *p, u64 enq_flags)
{
	ARENA_ASSOCIATE(one_arena);
	scx_bpf_dispatch(p, SCX_DSQ_GLOBAL, SCX_SLICE_DFL, enq_flags);
}

void BPF_STRUCT_OPS(cid_two_arenas_running, struct task_struct *p)
{
	ARENA_ASSOCIATE(other_arena);
}

s32 BPF_STRUCT_OPS_SLEEPABLE(cid_two_arenas_init)
{
	ARENA_ASSOCIATE(other_arena);
	return 0;
}

SCX_OPS_CID_DEFINE(two_members_ops,
		   .enqueue		= (void *)cid_two_arenas_enqueue,
		   .running		= (void *)cid_two_arenas_running,
		   .name		= "two_members");

SCX_OPS_CID_DEFINE(sleepable_ops,
		   .enqueue		= (void *)cid_two_arenas_enqueue,
		   .init		= (void *)cid_two_arenas_init,
		   .name		= "sleepable");
