// SPDX-License-Identifier: GPL-2.0
/*
 * A scheduler of the cid form that refuses tasks in ops.init_task(), and keeps account
 * of those that it has accepted.
 */
#include <scx/common.bpf.h>
#include "init_task_fail_test.h"

#define BPF_MAX_LOOPS	(8 << 20)
#define NSEC_PER_MSEC	1000000ULL
#define HOLD_NS		(20 * 1000 * NSEC_PER_MSEC)
/* Exits are held up for as long as it takes to turn all ops off, and more. */
#define HOLD_EXIT_NS	(1000 * NSEC_PER_MSEC)
/* The kernel answers interrupts, and lets others at its list of tasks, after each 32. */
#define NR_SLOW_EXITS	(4 * 32)
#define SLOW_EXIT_NS	(2 * NSEC_PER_MSEC)
#define TASK_DEAD	0x80

char _license[] SEC("license") = "GPL";

UEI_DEFINE(uei);

struct {
	__uint(type, BPF_MAP_TYPE_ARENA);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, INIT_TASK_FAIL_PAGES);
} init_task_arena SEC(".maps");

struct init_task_fail_test __arena_global st;

#define COUNT(what)	__sync_fetch_and_add(&st.what, 1)

/* Wait until @cond, or for @ns. One loop alone may have too few rounds. */
#define WAIT_FOR(cond, ns) do {							\
	u64 __start = bpf_ktime_get_ns();					\
	bool __done = false;							\
	int __i, __j;								\
	bpf_for(__i, 0, BPF_MAX_LOOPS) {					\
		bpf_for(__j, 0, BPF_MAX_LOOPS) {				\
			__done = (cond) || bpf_ktime_get_ns() - __start > (ns);	\
			if (__done)						\
				break;						\
		}								\
		if (__done)							\
			break;							\
	}									\
} while (0)

s32 BPF_STRUCT_OPS_SLEEPABLE(init_task_fail_init_task, struct task_struct *p,
			     struct scx_init_task_args *args)
{
	/* the process that forks; 0 for the tasks that there are already */
	s32 forker = args->fork ? bpf_get_current_task_btf()->tgid : 0;

	/* not what others fork meanwhile */
	if (!args->fork && COUNT(nr_calls) + 1 >= st.refuse_from && st.refuse_from)
		return -ENOENT;
	if (forker && forker == st.refuse_forks_of)
		return -EDOM;
	if (forker && forker == st.hold_forks_of) {
		COUNT(held);
		WAIT_FOR(st.release, HOLD_NS);
	}
	COUNT(nr_accepted);
	return 0;
}

void BPF_STRUCT_OPS(init_task_fail_exit_task, struct task_struct *p,
		    struct scx_exit_task_args *args)
{
	COUNT(nr_exits);
	if (args->cancelled)
		COUNT(nr_cancelled);
	else if (st.hold_exit_of && p->__state != TASK_DEAD &&
		 COUNT(all_leave) < NR_SLOW_EXITS)
		WAIT_FOR(st.exit_held, SLOW_EXIT_NS);
}

/*
 * Called in the midst of a death, too: when the task is off the kernel's list of tasks, and
 * ops.exit_task() is to be called yet.
 */
SEC("fentry/task_rq_lock")
int BPF_PROG(hold_exit, struct task_struct *p)
{
	if (!st.all_leave || p->pid != st.hold_exit_of || p->__state != TASK_DEAD ||
	    p->scx.tasks_node.next != &p->scx.tasks_node || COUNT(exit_held))
		return 0;
	WAIT_FOR(false, HOLD_EXIT_NS);
	return 0;
}

void BPF_STRUCT_OPS(init_task_fail_exit, struct scx_exit_info *ei)
{
	UEI_RECORD(uei, ei);
}

SCX_OPS_CID_DEFINE(init_task_fail_ops,
		   .init_task	= (void *)init_task_fail_init_task,
		   .exit_task	= (void *)init_task_fail_exit_task,
		   .exit	= (void *)init_task_fail_exit,
		   .name	= "init_task_fail");
