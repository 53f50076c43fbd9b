// SPDX-License-Identifier: GPL-2.0
/*
 * Counts what a scheduler hears of three tasks: one that dies while it is watched, one that
 * is a zombie already when the scheduler comes, and one that dies in the midst of
 * ops.init_task().
 */
#include <scx/common.bpf.h>

char _license[] SEC("license") = "GPL";

UEI_DEFINE(uei);

s32 dies, zombie;
u32 nr_exits;		/* ops.exit_task() of the one that dies */
u32 nr_late;		/* anything after that */
u32 nr_zombie;		/* anything of the zombie */

s32 slow;		/* its ops.init_task() takes until it is dead */
volatile bool in_init, is_dead;
u32 nr_slow_inits, nr_slow_exits;
bool slow_cancelled;

s32 looked_at;		/* by is_off_list */

static int wait_for_death(u64 i, void *ctx)
{
	u64 *until = ctx;

	return is_dead || bpf_ktime_get_ns() > *until;
}

static void heard_of(struct task_struct *p)
{
	if (p->pid == zombie)
		__sync_fetch_and_add(&nr_zombie, 1);
	if (p->pid == dies && nr_exits)
		__sync_fetch_and_add(&nr_late, 1);
}

s32 BPF_STRUCT_OPS_SLEEPABLE(task_dead_init_task, struct task_struct *p,
			     struct scx_init_task_args *args)
{
	u64 until = bpf_ktime_get_ns() + 20 * 1000000000ULL;
	int i;

	heard_of(p);
	if (p->pid == slow) {
		nr_slow_inits++;
		in_init = true;
		/* one loop has 8 million rounds at most */
		bpf_for(i, 0, 100)
			bpf_loop(1 << 23, wait_for_death, &until, 0);
	}
	return 0;
}

void BPF_STRUCT_OPS(task_dead_enable, struct task_struct *p)
{
	heard_of(p);
}

void BPF_STRUCT_OPS(task_dead_set_weight, struct task_struct *p, u32 weight)
{
	heard_of(p);
}

void BPF_STRUCT_OPS(task_dead_set_cpumask, struct task_struct *p, const struct cpumask *mask)
{
	heard_of(p);
}

void BPF_STRUCT_OPS(task_dead_disable, struct task_struct *p)
{
	heard_of(p);
}

void BPF_STRUCT_OPS(task_dead_exit_task, struct task_struct *p, struct scx_exit_task_args *args)
{
	heard_of(p);
	if (p->pid == dies)
		__sync_fetch_and_add(&nr_exits, 1);
	if (p->pid == slow) {
		nr_slow_exits++;
		slow_cancelled = args->cancelled;
	}
}

void BPF_STRUCT_OPS(task_dead_exit, struct scx_exit_info *ei)
{
	UEI_RECORD(uei, ei);
}

/* Has the kernel taken a task off its list? It can be found until its parent looks. */
SEC("syscall")
int is_off_list(void *ctx)
{
	struct task_struct *p = bpf_task_from_pid(looked_at);
	bool off;

	if (!p)
		return -1;
	off = p->scx.tasks_node.next == &p->scx.tasks_node;
	bpf_task_release(p);
	return off;
}

SEC(".struct_ops.link")
struct sched_ext_ops task_dead_ops = {
	.init_task		= (void *)task_dead_init_task,
	.enable			= (void *)task_dead_enable,
	.set_weight		= (void *)task_dead_set_weight,
	.set_cpumask		= (void *)task_dead_set_cpumask,
	.disable		= (void *)task_dead_disable,
	.exit_task		= (void *)task_dead_exit_task,
	.exit			= (void *)task_dead_exit,
	.name			= "task_dead",
};
