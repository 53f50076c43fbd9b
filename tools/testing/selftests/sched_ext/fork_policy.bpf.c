// SPDX-License-Identifier: GPL-2.0
/*
 * Holds up forks of a process when what is forked can be found and isn't enabled yet, and
 * counts what the scheduler is told of it.
 */
#include <scx/common.bpf.h>

char _license[] SEC("license") = "GPL";

#define BPF_MAX_LOOPS	(8 << 20)
#define HOLD_NS		(20ULL * 1000 * 1000 * 1000)

UEI_DEFINE(uei);

volatile s32 hold_forks_of;
volatile s32 held;	/* the task that is forked */
volatile bool release;

u32 nr_enables, nr_disables, nr_exits;	/* of it */
u32 nr_wrong;	/* enabled when it was, or not when it wasn't */
bool enabled;

SEC("fentry/sched_post_fork")
int BPF_PROG(hold_fork, struct task_struct *p)
{
	u64 start = bpf_ktime_get_ns();
	int i, j;

	if (!hold_forks_of || bpf_get_current_pid_tgid() >> 32 != hold_forks_of)
		return 0;
	held = p->pid;
	/* one loop alone may have too few rounds */
	bpf_for(i, 0, BPF_MAX_LOOPS) {
		bpf_for(j, 0, BPF_MAX_LOOPS)
			if (release || bpf_ktime_get_ns() - start > HOLD_NS)
				break;
		if (release || bpf_ktime_get_ns() - start > HOLD_NS)
			break;
	}
	return 0;
}

void BPF_STRUCT_OPS(fork_policy_enable, struct task_struct *p)
{
	if (p->pid != held)
		return;
	nr_enables++;
	nr_wrong += enabled;
	enabled = true;
}

void BPF_STRUCT_OPS(fork_policy_disable, struct task_struct *p)
{
	if (p->pid != held)
		return;
	nr_disables++;
	nr_wrong += !enabled;
	enabled = false;
}

void BPF_STRUCT_OPS(fork_policy_exit_task, struct task_struct *p, struct scx_exit_task_args *args)
{
	if (p->pid == held)
		nr_exits++;
}

void BPF_STRUCT_OPS(fork_policy_exit, struct scx_exit_info *ei)
{
	UEI_RECORD(uei, ei);
}

SEC(".struct_ops.link")
struct sched_ext_ops fork_policy_ops = {
	.enable		= (void *)fork_policy_enable,
	.disable	= (void *)fork_policy_disable,
	.exit_task	= (void *)fork_policy_exit_task,
	.exit		= (void *)fork_policy_exit,
	.name		= "fork_policy",
};
